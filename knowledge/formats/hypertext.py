"""HTML: what a reader sees, headings by their tags, tables as rows, code as code; nothing is run and nothing fetched.

Scripts, styles, navigation and what is hidden from the reader are dropped.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from knowledge.errors import KnowledgeError
from knowledge.formats.content import Bounds, Content, Line, too_many_lines
from knowledge.formats.markdown import without_comments
from knowledge.formats.tables import table_lines

__all__ = ["read_hypertext"]

_DROPPED = frozenset(
    {"script", "style", "noscript", "template", "nav", "svg", "math", "head", "iframe", "object", "select", "textarea"}
    | {"button", "dialog", "canvas"}
)
_BLOCKS = frozenset(
    {"p", "div", "section", "article", "main", "header", "footer", "aside", "blockquote", "dl", "figure", "figcaption"}
    | {"address", "form", "fieldset", "details", "summary", "hr", "center", "body", "html"}
)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_MARKER = re.compile(r"-|\d+\.")
_MAX_SPAN = 100


def read_hypertext(path: Path, text: str, bounds: Bounds) -> Content:
    """The content of a page.

    :raises KnowledgeError: more table rows than are read.
    """
    parser = _Page(path, bounds)
    try:
        parser.feed(without_comments(text))
        parser.close()
    except AssertionError as error:  # what html.parser raises on some broken declarations
        raise KnowledgeError(f"{path}: not HTML that can be read: {str(error)[:80] or 'broken markup'}") from None
    parser.end_of_page()
    return Content(parser.lines, title=parser.title, bare=not parser.headings)


class _Page(HTMLParser):
    """Turns tags into lines. Only counters are kept of what is open, so nesting costs nothing."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[Line] = []
        self.title = ""
        self.headings = 0
        self._path, self._bounds = path, bounds
        self._words: list[str] = []
        self._dropped, self._drops = "", 0
        self._level = 0
        self._in_title = False
        self._pre = 0
        self._lists: list[int] = []
        self._table = _Table()
        self._rows = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title" and not self.title:
            self._in_title = True
        if self._dropped:
            self._drops += tag == self._dropped
            return
        given = {name: value or "" for name, value in attrs}
        hidden = "hidden" in given or _HIDDEN.search(given.get("style", "")) or given.get("aria-hidden") == "true"
        if (tag in _DROPPED or hidden) and tag not in _VOID:
            self._dropped, self._drops = tag, 1
        elif tag in ("table", "tr", "td", "th") or self._table.depth:
            self._table_tag(tag, given)
        else:
            self._block_tag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        if self._dropped:
            self._drops -= tag == self._dropped
            self._dropped = self._dropped if self._drops > 0 else ""
        elif self._table.depth:
            self._end_in_table(tag)
        elif tag == "pre" and self._pre:
            self._pre -= 1
            self._code()
        elif tag in ("ul", "ol"):
            self._flush()
            self._lists = self._lists[:-1]
        elif tag in _BLOCKS or tag in ("li", "dt", "dd") or (len(tag) == 2 and tag[0] == "h" and tag[1].isdigit()):
            self._flush()

    def handle_data(self, data: str) -> None:
        if self._in_title and len(self.title) < 200:
            self.title = _SPACES.sub(" ", self.title + data).strip()
        elif not self._dropped:
            (self._table.words if self._table.depth else self._words).append(data)

    def end_of_page(self) -> None:
        """Whatever was never closed ends here."""
        if self._table.depth:
            self._end_table()
        if self._pre:
            self._code()
        self._flush()

    def _block_tag(self, tag: str) -> None:
        if tag == "br":
            self._words.append("\n")
        elif tag == "pre":
            self._flush()
            self._pre += 1
        elif len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            self._flush()
            self._level = int(tag[1])
        elif tag in ("ul", "ol"):
            self._flush()
            self._lists = [*self._lists[-self._bounds.markup_depth :], 1 if tag == "ol" else 0]
        elif tag == "li":
            self._flush()
            self._words.append(self._marker())
        elif tag in _BLOCKS or tag in ("dt", "dd"):
            self._flush(item_goes_on=True)

    def _marker(self) -> str:
        if not self._lists or not self._lists[-1]:
            return "- "
        self._lists[-1] += 1
        return f"{self._lists[-1] - 1}. "

    def _flush(self, *, item_goes_on: bool = False) -> None:
        text = "".join(self._words)
        if self._pre:
            return
        if item_goes_on and _MARKER.fullmatch(text.strip()):
            return  # a paragraph inside an item stands behind its marker
        self._words = []
        if len(self.lines) > self._bounds.text_lines:
            raise too_many_lines(self._path, self._bounds)
        level, self._level = self._level, 0
        lines = [_SPACES.sub(" ", part).strip() for part in text.split("\n")] if "\n" in text else [text.strip()]
        joined = " ".join(part for part in lines if part)
        if not joined or _MARKER.fullmatch(joined):
            return
        if level:
            self.headings += 1
            self.lines.append(Line(joined, level=level))
            return
        self.lines.append(Line(_SPACES.sub(" ", joined)))
        if not self._lists:
            self.lines.append(Line(""))

    def _code(self) -> None:
        text = "".join(self._words).strip("\n")
        self._words = []
        if text.strip():
            fenced = ["```", *text.split("\n"), "```", ""]
            self.lines += [Line(line, verbatim=True) for line in fenced]

    def _table_tag(self, tag: str, given: dict[str, str]) -> None:
        if tag == "table":
            if not self._table.depth:
                self._flush()
            self._table.depth += 1
        elif not self._table.depth:
            return  # a row outside any table
        elif tag == "tr" and self._table.depth == 1:
            self._table.end_row()
            self._rows += 1
            if self._rows > self._bounds.max_rows:
                raise KnowledgeError(f"{self._path}: more than {self._bounds.max_rows:,} table rows; split it")
        elif tag in ("td", "th") and self._table.depth == 1:
            self._table.end_cell()
            self._table.begin_cell(_span(given.get("colspan", "1")), _span(given.get("rowspan", "1")))
        elif tag in ("br", "p", "div", "li"):
            self._table.words.append(" ")

    def _end_in_table(self, tag: str) -> None:
        if tag == "table":
            self._table.depth -= 1
            if not self._table.depth:
                self._end_table()
        elif self._table.depth == 1 and tag in ("td", "th"):
            self._table.end_cell()
        elif self._table.depth == 1 and tag == "tr":
            self._table.end_row()

    def _end_table(self) -> None:
        self._table.end_row()
        self.lines += table_lines(self._table.rows)
        self._table = _Table()


class _Table:
    """The table that is being read; a cell that spans rows or columns is repeated, so that a row says it all."""

    def __init__(self) -> None:
        self.depth = 0
        self.rows: list[list[str]] = []
        self.words: list[str] = []
        self._row: list[str] = []
        self._span: tuple[int, int] | None = None
        self._below: dict[int, tuple[int, str]] = {}
        self._later: dict[int, tuple[int, str]] = {}

    def begin_cell(self, columns: int, rows: int) -> None:
        self.words = []
        self._span = (columns, rows)

    def end_cell(self) -> None:
        if self._span is None:
            self.words = []
            return
        columns, rows = self._span
        text = _SPACES.sub(" ", "".join(self.words)).strip()
        self._from_above()
        for _ in range(columns):
            if rows > 1:
                self._later[len(self._row)] = (rows - 1, text)
            self._row.append(text)
        self.words, self._span = [], None

    def end_row(self) -> None:
        self.end_cell()
        if self._row:
            self._from_above()
            self.rows.append(self._row)
            self._below, self._later = self._later, {}
        self._row = []

    def _from_above(self) -> None:
        while self._below and (held := self._below.pop(len(self._row), None)) is not None:
            left, text = held
            if left > 1:
                self._later[len(self._row)] = (left - 1, text)
            self._row.append(text)


def _span(text: str) -> int:
    return min(max(int(text), 1), _MAX_SPAN) if text.strip().isascii() and text.strip().isdigit() else 1
