"""Tables of fault codes and parameters as CSV: each row is a place of its own, under the heading row.

The heading row is guessed: the first row whose cells are all words, where rows below it hold codes or numbers, or whose
cells are names of such columns. A row is named by its code: the first column whose cells are short and all different.
Rows that leave the outermost column empty go with the row above: that is how merged cells are saved.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from knowledge.errors import KnowledgeError
from knowledge.formats.content import Bounds, Content, Line
from knowledge.formats.tables import row_text, table_lines
from knowledge.tokens import fold

__all__ = ["read_csv_table"]

_DELIMITERS = ",;\t|"
_SNIFFED_LINES = 50
_HEAD_ROWS = 10
"""A heading row stands among the first rows, below titles."""
_CODE = re.compile(r"(?=.*\d)[A-Za-z]{0,6}[-._ ]?(?:0x)?[0-9A-Fa-f]{1,8}(?:[-./][0-9A-Za-z]{1,6}){0,3}")
_HEAD_WORD = re.compile(
    r"代码|编号|编码|故障|报警|告警|参数|含义|名称|说明|描述|原因|处理|措施|对策|解决|单位|范围|默认|"
    r"\b(?:code|fault|alarm|error|warning|number|no|id|name|meaning|description|message|cause|reason|remedy|action|"
    r"solution|unit|range|default|parameter|severity|priority|level)s?\b"
)
_NAME_COLUMN = re.compile(r"名称|含义|描述|说明|\b(?:name|meaning|description|message|text|fault|alarm)\b")
_NAME_CHARS = 60
_CODE_CHARS = 24
_MERGED_SHARE = 0.8
"""Of the rows, those that may go with the row above."""


def read_csv_table(path: Path, text: str, bounds: Bounds) -> Content:
    """The content of a CSV file.

    :raises KnowledgeError: more rows than are read, or no table.
    """
    rows = _rows(path, text, bounds)
    wide = [row for row in rows if len(row) > 1]
    if not wide:
        raise KnowledgeError(f"{path}: no table with two columns or more; save it as CSV with a heading row")
    at = _heading_row(wide)
    head = wide[at] if at is not None else [str(i + 1) for i in range(max(map(len, wide)))]
    body = wide[at + 1 :] if at is not None else wide
    before = rows[: rows.index(head)] if at is not None else []
    code = _code_column(body) if at is not None else None
    lines = [Line(" ".join(cell for cell in row if cell)) for row in before]
    if code is None:
        return Content([*lines, *table_lines([head, *body])])
    name = _name_column(head, body, code)
    for rows_of_one in _merged(body, code):
        lines += _row_lines(head, rows_of_one, code, name)
    return Content(lines)


def _merged(rows: Sequence[list[str]], code: int) -> Iterator[list[list[str]]]:
    """Rows that share a code: the one that has it, and those below it that leave it empty."""
    held: list[list[str]] = []
    for row in rows:
        if held and _cell(row, code):
            yield held
            held = []
        held.append(row)
    if held:
        yield held


def _cell(row: Sequence[str], column: int) -> str:
    return row[column] if column < len(row) else ""


def _rows(path: Path, text: str, bounds: Bounds) -> list[list[str]]:
    delimiter = _delimiter(text)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            cells = [cell.strip() for cell in row]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                rows.append(cells)
            if len(rows) > bounds.max_rows:
                raise KnowledgeError(f"{path}: more than {bounds.max_rows:,} rows; split it")
    except csv.Error as error:
        raise KnowledgeError(f"{path}: not a CSV table: {error}") from None
    return rows


def _delimiter(text: str) -> str:
    """The mark that parts most lines into the same number of cells."""
    lines = [line for line in text[:200_000].split("\n")[:_SNIFFED_LINES] if line.strip()]

    def evenness(mark: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=mark)] if lines else []
        usual = max(set(counts), key=lambda n: (counts.count(n), n)) if counts else 1
        return (counts.count(usual) if usual > 1 else 0, usual)

    try:
        return max(_DELIMITERS, key=evenness)
    except csv.Error:
        return ","


def _heading_row(rows: Sequence[Sequence[str]]) -> int | None:
    def words(row: Sequence[str]) -> bool:
        filled = [cell for cell in row if cell]
        return len(filled) > 1 and all(len(cell) <= _NAME_CHARS and not _CODE.fullmatch(cell) for cell in filled)

    named = [sum(bool(_HEAD_WORD.search(fold(cell))) for cell in row if len(cell) <= 40) for row in rows[:_HEAD_ROWS]]
    best = max(range(len(named)), key=lambda i: (named[i], -i))
    if named[best] > 1 and words(rows[best]):
        return best
    first = rows[0]
    below = rows[1:20]
    coded = any(_CODE.fullmatch(cell) for row in below for cell in row if cell)
    return 0 if below and words(first) and coded and len(set(first)) == len(first) else None


def _code_column(rows: Sequence[Sequence[str]]) -> int | None:
    """The first column whose cells name their rows; only the outermost may leave some to the row above."""
    for column in range(max(map(len, rows), default=0)):
        cells = [_cell(row, column) for row in rows]
        if column == 0 and cells[0] and cells.count("") <= _MERGED_SHARE * len(cells):
            cells = [cell for cell in cells if cell]
        coded = [cell for cell in cells if _CODE.fullmatch(cell) and len(cell) <= _CODE_CHARS]
        if len(coded) >= 0.8 * len(cells) and len(set(cells)) >= 0.9 * len(cells):
            return column
    return None


def _name_column(head: Sequence[str], rows: Sequence[Sequence[str]], code: int) -> int | None:
    named = [i for i, cell in enumerate(head) if i != code and _NAME_COLUMN.search(fold(cell))]
    for column in [*named, code + 1]:
        cells = [row[column] for row in rows[:200] if column < len(row) and row[column]]
        if cells and sorted(map(len, cells))[len(cells) // 2] <= _NAME_CHARS:
            return column
    return None


def _row_lines(head: Sequence[str], rows: Sequence[Sequence[str]], code: int, name: int | None) -> Iterator[Line]:
    title = _cell(rows[0], name)[:_NAME_CHARS] if name is not None else ""
    width = max(len(head), *map(len, rows))
    yield Line(title, level=2, number=_cell(rows[0], code))
    yield Line(row_text([*head, *[""] * (width - len(head))]), verbatim=True)
    yield Line("|" + "---|" * width, verbatim=True)
    for row in rows:
        yield Line(row_text([*row, *[""] * (width - len(row))]), verbatim=True)
