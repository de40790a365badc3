"""AsciiDoc: `=` headings, blocks of code, tables. Attributes, comments, anchors and index terms are no text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.formats.content import Line
from knowledge.formats.tables import row_text

__all__ = ["asciidoc_lines"]

_HEADING = re.compile(r"(={1,6})\s+(\S.*?)\s*")
_BLOCK = re.compile(r"-{4,}|\.{4,}|`{3,}|\+{4,}")
_COMMENT_BLOCK = re.compile(r"/{4,}")
_TABLE = re.compile(r"[|,!]={3,}")
_UNSEEN = re.compile(r":[\w!-]+:.*|//(?!/).*|\[\[.*\]\]|\(\(\(.*\)\)\)|\[#[\w.-]+\]")
_COLS = re.compile(r"""cols\s*=\s*(?:"([^"]*)"|'([^']*)'|(\d+\*?))""")
_CELL = re.compile(r"(?:\d+(?:\.\d+)?[+*])?[<^>.aehlmsv]{0,4}\|")
_HEADING_CHARS = 1_000
_MAX_COLUMNS = 100


def asciidoc_lines(text: str) -> Iterator[Line]:
    """The lines of an AsciiDoc text."""
    block, attributes = "", ""
    table: _Table | None = None
    for line in text.split("\n"):
        bare = line.strip() if len(line) <= _HEADING_CHARS else ""
        if block:
            if not _COMMENT_BLOCK.match(block):
                yield Line(line, verbatim=True)
            block = "" if bare == block else block
        elif table is not None:
            ended = bool(_TABLE.fullmatch(bare))
            yield from table.rest() if ended else table.take(line)
            table = None if ended else table
        elif _TABLE.fullmatch(bare):
            table, attributes = _Table(_columns(attributes)), ""
        elif _BLOCK.fullmatch(bare) or _COMMENT_BLOCK.fullmatch(bare):
            block = bare
            if not _COMMENT_BLOCK.match(bare):
                yield Line(line, verbatim=True)
        elif bare and _UNSEEN.fullmatch(bare):
            continue
        else:
            attributes = bare if bare.startswith("[") else attributes if not bare else ""
            match = _HEADING.fullmatch(line) if bare.startswith("=") else None
            yield Line(match[2], level=len(match[1])) if match else Line(line)
    if table is not None:
        yield from table.rest()


class _Table:
    """Rows of a table: as printed where a row stands on one line, put together where each cell has its own."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._cells: list[str] = []
        self._rows = 0

    def take(self, line: str) -> Iterator[Line]:
        cells = _CELL.split(line.strip()) if len(line) <= 20_000 else [line]
        if cells[0].strip() or len(cells) < 2:
            if self._cells and line.strip():
                self._cells[-1] = f"{self._cells[-1]} {line.strip()}"
            elif line.strip():
                yield Line(line, verbatim=True)
            return
        cells = cells[1:]
        self._columns = self._columns or len(cells)
        if not self._cells and len(cells) >= self._columns:
            yield from self._row(line.strip())
            return
        for cell in cells:
            if len(self._cells) == self._columns:
                yield from self.rest(end=False)
            self._cells.append(cell.strip())

    def rest(self, *, end: bool = True) -> Iterator[Line]:
        if self._cells:
            cells, self._cells = self._cells, []
            yield from self._row(row_text(cells))
        if end:
            yield Line("", verbatim=True)

    def _row(self, text: str) -> Iterator[Line]:
        yield Line(text, verbatim=True)
        if self._rows == 0:
            yield Line("|" + "---|" * min(self._columns, _MAX_COLUMNS), verbatim=True)
        self._rows += 1


def _columns(attributes: str) -> int:
    """How many columns `[cols=…]` says that the next table has; 0 where it does not say."""
    match = _COLS.search(attributes)
    if match is None:
        return 0
    said = (match[1] or match[2] or match[3]).strip()
    repeated = re.fullmatch(r"(\d{1,3})\*?.*", said)
    if repeated and "," not in said and ("*" in said or match[3]):
        return min(int(repeated[1]), _MAX_COLUMNS)
    return min(len([part for part in re.split(r"[,;]", said) if part.strip()]), _MAX_COLUMNS)
