"""DOCX with the standard library: paragraphs, headings by their styles, counted numbers, tables as rows.

What was deleted under review and what is hidden is no text. Fallback copies of drawings are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.errors import KnowledgeError
from knowledge.formats.content import Bounds, Content, Line, too_many_lines
from knowledge.formats.docx_styles import Counter, NumberingReader, Style, StyleReader, chain
from knowledge.formats.office_xml import OfficePackage, local
from knowledge.formats.tables import table_lines
from knowledge.tokens import strip_controls

__all__ = ["read_docx"]

_BODY = "word/document.xml"
_SKIPPED = frozenset({"del", "moveFrom", "Fallback", "footnoteReference", "instrText", "pPrChange", "rPrChange"})
_OFF = ("0", "false", "off", "none")
_MAX_SPAN = 100


def read_docx(path: Path, data: bytes, bounds: Bounds) -> Content:
    """The content of a document.

    :raises KnowledgeError: damaged, with a password, or beyond a bound.
    """
    package = OfficePackage(path, data, bounds.max_unpacked_bytes)
    if _BODY not in package:
        raise KnowledgeError(f"{path}: a ZIP without {_BODY}, so no DOCX document")
    styles, numbering = StyleReader(), NumberingReader()
    if "word/styles.xml" in package:
        package.feed("word/styles.xml", styles)
    if "word/numbering.xml" in package:
        package.feed("word/numbering.xml", numbering)
    body = _Body(path, styles.styles, numbering.counter(), bounds)
    package.feed(_BODY, body)
    return Content(body.lines, title=body.title, bare=not body.headings)


@dataclass(slots=True)
class _Paragraph:
    words: list[str] = field(default_factory=list)
    style: str = ""
    level: int | None = None
    number: str | None = None
    depth: int | None = None


@dataclass(slots=True)
class _Cell:
    columns: int = 1
    goes_on: bool = False
    """It continues the cell above."""
    words: list[str] = field(default_factory=list)


class _Body:
    """Turns the elements of `document.xml` into lines. Paragraphs may hold others (text boxes), so they are stacked."""

    def __init__(self, path: Path, styles: Mapping[str, Style], counter: Counter, bounds: Bounds) -> None:
        self.lines: list[Line] = []
        self.title = ""
        self.headings = 0
        self._path, self._styles, self._counter, self._bounds = path, styles, counter, bounds
        self._chains: dict[str, Style] = {}
        self._open: list[_Paragraph] = []
        self._skipped = 0
        self._in_text = self._in_run = self._hidden = False
        self._tables = 0
        self._rows: list[list[str]] = []
        self._row: list[_Cell] = []
        self._count = 0
        self._in_list = False

    def start(self, tag: str, attrs: Mapping[str, str]) -> None:
        name = local(tag)
        if self._skipped or name in _SKIPPED:
            self._skipped += 1
            return
        if name == "t":
            self._in_text = True
        elif name == "p":
            self._open.append(_Paragraph())
        elif name == "r":
            self._in_run, self._hidden = True, False
        elif name in ("tab", "br", "cr", "noBreakHyphen"):
            if self._in_run:
                self.mark({"tab": "\t", "noBreakHyphen": "-"}.get(name, "\n"))
        elif name in ("tbl", "tr", "tc"):
            self._table(name)
        else:
            self._property(name, next((v for k, v in attrs.items() if local(k) == "val"), ""))

    def end(self, tag: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        name = local(tag)
        if name == "t":
            self._in_text = False
        elif name == "r":
            self._in_run = self._hidden = False
        elif name == "p" and self._open:
            self._paragraph(self._open.pop())
        elif name == "tr" and self._tables == 1:
            self._end_row()
        elif name == "tbl":
            self._tables -= 1
            if not self._tables:
                self.lines += table_lines(self._rows)
                self._rows = []

    def data(self, text: str) -> None:
        if self._in_text and not self._skipped:
            self.mark(text)

    def mark(self, text: str) -> None:
        """Add to the innermost paragraph what can be seen."""
        if self._open and not self._hidden:
            self._open[-1].words.append(text)

    def _property(self, name: str, value: str) -> None:
        if name == "vanish" and self._in_run:
            self._hidden = value not in _OFF
        elif name == "gridSpan" and self._row and value.isdigit():
            self._row[-1].columns = min(max(int(value), 1), _MAX_SPAN)
        elif name == "vMerge" and self._row:
            self._row[-1].goes_on = value != "restart"
        elif not self._open:
            return
        elif name == "pStyle":
            self._open[-1].style = value
        elif name == "outlineLvl" and value.isdigit():
            self._open[-1].level = int(value) + 1 if int(value) < 9 else 0
        elif name == "numId":
            self._open[-1].number = value
        elif name == "ilvl" and value.isdigit():
            self._open[-1].depth = min(int(value), 8)

    def _table(self, name: str) -> None:
        if name == "tbl":
            self._tables += 1
        elif self._tables == 1 and name == "tr":
            self._row = []
            self._count += 1
            if self._count > self._bounds.max_rows:
                raise KnowledgeError(f"{self._path}: more than {self._bounds.max_rows:,} table rows; split it")
        elif self._tables == 1:
            self._row.append(_Cell())

    def _end_row(self) -> None:
        above = self._rows[-1] if self._rows else []
        row: list[str] = []
        for cell in self._row:
            text = " ".join("".join(cell.words).split())
            if cell.goes_on and not text and len(row) < len(above):
                text = above[len(row)]
            row += [text] * cell.columns
        self._rows.append(row)
        self._row = []

    def _paragraph(self, paragraph: _Paragraph) -> None:
        if len(self.lines) > self._bounds.text_lines:
            raise too_many_lines(self._path, self._bounds)
        style = self._style(paragraph.style)
        number = paragraph.number if paragraph.number is not None else style.number
        depth = paragraph.depth if paragraph.depth is not None else style.depth
        text = strip_controls("".join(paragraph.words))
        label = self._counter.next(number, depth) if number and text.strip() else ""
        if self._tables:
            if self._row:
                self._row[-1].words.append(f"{label} {text} ")
            return
        level = paragraph.level if paragraph.level is not None else style.level
        if not text.strip():
            self._gap()
        elif level:
            self.headings += 1
            self.lines.append(Line(f"{label} {' '.join(text.split())}".strip(), level=level))
            self._in_list = False
        elif style.name.casefold() in ("title", "标题") and not self.title:
            self.title = " ".join(text.split())
        else:
            self._text(text.strip(), label, depth)

    def _text(self, text: str, label: str, depth: int) -> None:
        lines = text.split("\n")
        if label:
            self._in_list = True
            indent = "  " * depth if label == "-" else ""
            self.lines.append(Line(f"{indent}{label} {lines[0]}"))
            self.lines += [Line(f"{indent}  {line.strip()}") for line in lines[1:] if line.strip()]
            return
        self._gap()
        self.lines += [Line(line.rstrip()) for line in lines]
        self.lines.append(Line(""))

    def _gap(self) -> None:
        if self._in_list:
            self.lines.append(Line(""))
        self._in_list = False

    def _style(self, name: str) -> Style:
        if name not in self._chains:
            self._chains[name] = chain(self._styles, name)
        return self._chains[name]
