"""Columns of a table: what a heading says its column holds, and the table they make.

A heading is looked up whole, in lower case; one that is not in the list is judged by its last word or character, as
people write `Raised at`, `Alarm time` or `报警发生时间`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from agent.api import AlarmRow, Box
from plugins.panel.grammar import is_clock, plain, split_unit
from plugins.panel.words import HEADING_PARTS, ROLE_OF_HEADING

__all__ = ["Column", "Table", "heading_role"]

_MAX_RUN_CHARS = 64
"""A longer text is no heading, with its unit or without."""
_SIMPLIFIED = str.maketrans(
    "內報級別狀態時間確認發設備區組訊號點測變參數單實際類優先嚴處應產線機標簽値當",
    "内报级别状态时间确认发设备区组讯号点测变参数单实际类优先严处应产线机标签值当",
)
"""Traditional characters in headings, whether printed or misread."""
_MAX_WORDS = 4
_MAX_CHARACTERS = 28


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    heading: str
    role: str
    """A role of `plugins.panel.words`, `clock` for an hour of a history, or empty."""
    unit: str
    box: Box
    """Of the heading."""


@dataclass(frozen=True, slots=True)
class Table:
    """A line of headings and its rows."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[tuple[int, ...], ...], ...]
    """Row → column → indices of texts in that cell."""
    sources: frozenset[int]
    """Every text that belongs to it, so that nothing else pairs them."""
    alarms: tuple[AlarmRow, ...] = ()
    """The rows of a list of alarms or events."""
    is_alarms: bool = False
    """A list of alarms or events, perhaps an empty one."""
    gaps: tuple[Box, ...] = ()
    """Where short cells of its rows seem to be empty."""

    def column(self, role: str) -> int | None:
        """Index of the first column with this role."""
        return next((i for i, column in enumerate(self.columns) if column.role == role), None)


@lru_cache(maxsize=4096)
def heading_role(text: str) -> str:
    """What a column with this heading holds; empty where nothing says it."""
    if len(text) > _MAX_RUN_CHARS:
        return ""
    if is_clock(text):
        return "clock"
    heading = split_unit(plain(text).strip())[0].lower().translate(_SIMPLIFIED)
    heading = re.sub(r"[^\w#]+$|^[^\w#]+", "", re.sub(r"\s+", " ", heading))
    known = ROLE_OF_HEADING.get(heading) or ROLE_OF_HEADING.get(heading.replace(" ", ""))
    if known or not heading or len(heading) > _MAX_CHARACTERS or len(heading.split()) > _MAX_WORDS:
        return known or ""
    return next((role for pattern, role in HEADING_PARTS if re.search(pattern, heading)), "")
