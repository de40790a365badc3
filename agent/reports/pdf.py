"""A report as PDF on A4: the same outline and drawings as the page, with a font inside that has Chinese.

reportlab draws (extra `reports`); lines stay vectors and text stays text. The font is a subset that is shipped
(`fonts/README.md`); of it, a file holds only the glyphs that it shows. A character that it lacks is shown as its
number.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from typing import Any

from agent.errors import InputError
from agent.reports.glyphs import FONT, register_font, shown_as
from agent.reports.outline import Outline, drawings, outline
from agent.reports.pdf_drawing import pdf_drawing
from agent.reports.report import Report
from agent.reports.risk import RISK_WORDS
from agent.reports.scene import INK, Rect, Scene, Text
from agent.reports.words import WORDS
from agent.settings import ReportSettings, Risk

__all__ = ["to_pdf"]

_MARGIN, _GAP = 42.0, 18.0
_BODY, _SMALL = 9.5, 8.0
_SOFT, _TINT, _BLUE = "#5b6675", "#f5f7fa", "#2f6690"
_RISK_FILL: dict[Risk, tuple[str, str]] = {
    "low": ("#e4f0e8", INK),
    "medium": ("#fbe7b5", INK),
    "high": ("#d9792b", "#ffffff"),
    "critical": ("#7c120d", "#ffffff"),
}


def to_pdf(report: Report, settings: ReportSettings) -> bytes:
    """The whole file.

    :raises InputError: reportlab is not installed.
    """
    lib = _library()
    stream = io.BytesIO()
    document = lib.BaseDocTemplate(
        stream, pagesize=lib.A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN, bottomMargin=_MARGIN,
        title=shown_as(report.title[report.languages[0]]), author="Watchkeeper", invariant=1,
    )  # fmt: skip
    width = lib.A4[0] - 2 * _MARGIN
    frame = lib.Frame(_MARGIN, _MARGIN, width, lib.A4[1] - 2 * _MARGIN, 0, 0, 0, 0)
    document.addPageTemplates(lib.PageTemplate("page", [frame], onPageEnd=_foot(report)))
    story: list[Any] = []
    for number, language in enumerate(report.languages):
        story += [lib.PageBreak()] if number else []
        story += _Writer(lib, width).story(report, outline(report, language), settings)
    document.build(story)
    return stream.getvalue()


class _Library:
    """What is used of reportlab, which is loaded when a PDF is wanted."""

    def __init__(self) -> None:
        try:
            from reportlab.lib import colors, pagesizes, styles
            from reportlab.platypus import doctemplate, flowables, frames, paragraph, tables
        except ImportError:
            raise InputError(
                "PDF needs reportlab, which is not installed; run pip install 'watchkeeper[reports]', or take html"
            ) from None
        register_font()
        self.A4 = pagesizes.A4
        self.color: Callable[[str], Any] = colors.HexColor
        self.BaseDocTemplate, self.PageTemplate = doctemplate.BaseDocTemplate, doctemplate.PageTemplate
        self.Frame, self.Paragraph, self.Style = frames.Frame, paragraph.Paragraph, styles.ParagraphStyle
        self.Table, self.Flowable = tables.Table, flowables.Flowable
        self.Spacer, self.KeepTogether, self.PageBreak = (
            flowables.Spacer, flowables.KeepTogether, doctemplate.PageBreak,
        )  # fmt: skip
        self.CondPageBreak = doctemplate.CondPageBreak


@cache
def _library() -> _Library:
    return _Library()


class _Writer:
    """Makes the flow of one language."""

    def __init__(self, lib: _Library, width: float) -> None:
        self._lib, self._width = lib, width

    def story(self, report: Report, page: Outline, settings: ReportSettings) -> list[Any]:
        """Everything, in order."""
        half = (self._width - _GAP) / 2
        story = [self._head(report, page), self._space(8), self._summary(page), self._space(8), self._tiles(page)]
        story += [self._space(12), *self._charts(report, page, settings, half)]
        story += self._section(page, "seen", [self._line(text, grave) for text, grave in page.seen])
        causes = [part for c in page.causes for part in self._cause(c.name, c.percent, c.grounds)]
        note = [self._text(WORDS["causes_note"][page.language], small=True)] if causes else []
        story += self._section(page, "causes", [*causes, *note] or [self._said(page, "no_causes")])
        matrix = self._matrix(report, page, settings)
        grounds = [self._line(text, False) for text in page.grounds]
        both = self._lib.Table(
            [[matrix, grounds]], colWidths=[196, self._width - 196], style=[("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0)],
        )  # fmt: skip
        story += self._section(page, "why", [both])
        story += self._section(page, "actions", self._actions(page) or [self._said(page, "no_actions")])
        watch = [self._line(text, False) for text in page.watch]
        story += self._section(page, "watch", watch or [self._said(page, "no_watch")])
        if page.missing:
            story += self._section(page, "missing", [self._line(text, False) for text in page.missing])
        return [*story, self._space(10), self._text(page.by, small=True)]

    def _head(self, report: Report, page: Outline) -> Any:
        lib = self._lib
        meta = " · ".join(
            part
            for part in (
                page.plant,
                f"{WORDS['period'][page.language]} {page.period}",
                f"{WORDS['made'][page.language]} {page.made}",
            )
            if part
        )
        left = [self._text(page.title, size=17, lead=22), self._space(3), self._text(meta, small=True)]
        fill, ink = _RISK_FILL[report.risk.level] if report.risk.known else ("#ffffff", INK)
        badge = lib.Table(
            [
                [self._text(WORDS["risk"][page.language], small=True, middle=True)],
                [self._text(report.risk.word[page.language], size=14, lead=18, middle=True, ink=ink)],
            ],
            colWidths=[84],
            style=[("BACKGROUND", (0, 1), (0, 1), lib.color(fill)), ("BOX", (0, 0), (-1, -1), 1.2, lib.color(INK))],
        )
        return lib.Table(
            [[left, badge]],
            colWidths=[self._width - 96, 96],
            style=[
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("ALIGN", (1, 0), (1, 0), "RIGHT"),
                ("LINEBELOW", (0, 0), (-1, -1), 2, lib.color(INK)),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
            ],
        )

    def _summary(self, page: Outline) -> Any:
        return self._boxed([self._text(page.summary, size=11.5, lead=16)], bar=_BLUE)

    def _tiles(self, page: Outline) -> Any:
        lib = self._lib
        cells = [
            [
                self._text(tile.name, small=True),
                self._text(f"{tile.value} {tile.unit}".strip(), size=14, lead=18),
            ]
            for tile in page.tiles
        ]
        return lib.Table(
            [cells],
            colWidths=[self._width / len(cells)] * len(cells),
            style=[
                ("BACKGROUND", (0, 0), (-1, -1), lib.color(_TINT)),
                ("INNERGRID", (0, 0), (-1, -1), 5, lib.color("#ffffff")),
                ("LEFTPADDING", (0, 0), (-1, -1), 9),
            ],
        )

    def _charts(self, report: Report, page: Outline, settings: ReportSettings, half: float) -> list[Any]:
        scenes = drawings(report, page.language, settings, half=half, whole=self._width, height=158)
        narrow = [pdf_drawing(self._lib, scene) for scene in scenes if scene.width <= half]
        wide = [pdf_drawing(self._lib, scene) for scene in scenes if scene.width > half]
        rows = [narrow[i : i + 2] for i in range(0, len(narrow), 2)]
        story: list[Any] = [
            self._lib.Table(
                [[*row, *[""] * (2 - len(row))]],
                colWidths=[half + _GAP, half],
                style=[
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LEFTPADDING", (0, 0), (-1, -1), 0),
                    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                ],
            )
            for row in rows
        ]
        for drawing in wide:
            story += [self._space(10), drawing]
        return story

    def _section(self, page: Outline, name: str, body: list[Any]) -> list[Any]:
        heading = self._text(WORDS[name][page.language], size=12, lead=16)
        head = [self._with_next(one) for one in (heading, self._space(3), *body[:2])]
        return [self._space(12), *head, *body[2:]]

    def _with_next(self, flowable: Any) -> Any:
        """On the same page as what follows it."""
        flowable.keepWithNext = True
        return flowable

    def _cause(self, name: str, percent: int, grounds: tuple[str, ...]) -> list[Any]:
        scene = Scene(self._width, 30, name)
        scene.add(
            Text(0, 11, name, 10), Text(self._width, 11, f"{percent} %", 10, anchor="end"),
            Rect(0, 17, self._width, 6, fill="#d5dae1"), Rect(0, 17, self._width * percent / 100, 6, fill=_BLUE),
        )  # fmt: skip
        lines = [self._line(text, False, small=True) for text in grounds]
        return [pdf_drawing(self._lib, scene), *lines, self._space(5)]

    def _matrix(self, report: Report, page: Outline, settings: ReportSettings) -> Any:
        scene = Scene(186, 124, WORDS["risk"][page.language])
        for row in range(4, 0, -1):
            y = (4 - row) * 25.0
            scene.add(Text(8, y + 16, str(row), _SMALL, _SOFT))
            for column in range(1, 5):
                level, x = settings.matrix[row - 1][column - 1], 18 + (column - 1) * 42.0
                fill, ink = _RISK_FILL[level]
                here = report.risk.known and (row, column) == (report.risk.likelihood, report.risk.consequence)
                scene.add(Rect(x, y, 40, 23, fill=fill))
                if here:
                    scene.add(Rect(x, y, 40, 23, ink=INK, line=2.4))
                scene.add(Text(x + 20, y + 15, RISK_WORDS[level][page.language], 8.5, ink, "middle"))
        for column in range(1, 5):
            scene.add(Text(38 + (column - 1) * 42, 110, str(column), _SMALL, _SOFT, "middle"))
        axes = f"↑ {WORDS['likelihood'][page.language]}   → {WORDS['consequence'][page.language]}"
        scene.add(Text(18, 121, axes, _SMALL, _SOFT))
        return pdf_drawing(self._lib, scene)

    def _actions(self, page: Outline) -> list[Any]:
        flow: list[Any] = []
        for action in page.actions:
            body: list[Any] = [] if action.quotes else [self._said(page, "silent")]
            for text, source in action.quotes:
                lines = [self._text(line) for line in text.splitlines()]
                body += [self._boxed([*lines, self._text(source, small=True)], bar=_SOFT, fill=_TINT), self._space(5)]
            flow += [self._with_next(self._text(action.topic, size=10, lead=15)), *body]
        return flow

    def _boxed(self, body: list[Any], *, bar: str, fill: str = "") -> Any:
        lib = self._lib
        style: list[Any] = [
            ("LINEBEFORE", (0, 0), (0, -1), 3, lib.color(bar)),
            ("LEFTPADDING", (0, 0), (-1, -1), 10),
            ("TOPPADDING", (0, 0), (-1, -1), 0.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
        ]
        style += [("BACKGROUND", (0, 0), (-1, -1), lib.color(fill))] if fill else []
        return lib.Table([[line] for line in body], colWidths=[self._width], style=style)

    def _said(self, page: Outline, name: str) -> Any:
        return self._text(WORDS[name][page.language])

    def _line(self, text: str, grave: bool, *, small: bool = False) -> Any:
        return self._text(f"{'▲' if grave else '·'} {text}", small=small, hang=9)

    def _text(
        self,
        text: str,
        *,
        size: float = _BODY,
        lead: float = 0,
        small: bool = False,
        middle: bool = False,
        ink: str = "",
        hang: float = 0,
    ) -> Any:
        size = _SMALL if small else size
        style = self._lib.Style(
            "line",
            fontName=FONT,
            fontSize=size,
            leading=lead or size * 1.45,
            textColor=self._lib.color(ink or (_SOFT if small else INK)),
            alignment=1 if middle else 0,
            leftIndent=hang,
            firstLineIndent=-hang,
            wordWrap="CJK" if any(c > "\u2e80" for c in text) else None,
            splitLongWords=1,
        )
        return self._lib.Paragraph(_markup(text), style)

    def _space(self, height: float) -> Any:
        return self._lib.Spacer(1, height)


def _foot(report: Report) -> Callable[[Any, Any], None]:
    def draw(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(FONT, 7.5)
        canvas.setFillColor(_library().color(_SOFT))
        canvas.drawString(
            _MARGIN, _MARGIN / 2, shown_as(f"{report.machine.name} · {report.start:%Y-%m-%d} – {report.end:%Y-%m-%d}")
        )
        canvas.drawRightString(_library().A4[0] - _MARGIN, _MARGIN / 2, str(document.page))
        canvas.restoreState()

    return draw


def _markup(text: str) -> str:
    """reportlab's paragraphs take markup; from here on there is none in a text."""
    return shown_as(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
