"""Tables as rows between bars, the first row above a rule: what `knowledge.limits` and the quotes of the agent read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from knowledge.formats.content import Line

__all__ = ["row_text", "table_lines"]

_BLANKS = re.compile(r"\s+")


def row_text(cells: Sequence[str]) -> str:
    """One row. A bar inside a cell would end it, so it becomes a broken one."""
    return f"| {' | '.join(_BLANKS.sub(' ', cell).strip().replace('|', '¦') for cell in cells)} |"


def table_lines(rows: Sequence[Sequence[str]], page: int | None = None) -> Iterator[Line]:
    """The lines of a table, all rows as wide as the widest, blank lines around it; nothing of an empty table."""
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    width = max(map(len, kept), default=0)
    if not width:
        return
    yield Line("", page=page, verbatim=True)
    for at, row in enumerate(kept):
        yield Line(row_text([*row, *[""] * (width - len(row))]), page=page, verbatim=True)
        if at == 0:
            yield Line("|" + "---|" * width, page=page, verbatim=True)
    yield Line("", page=page, verbatim=True)
