"""Dates and times as panels print them: ISO, European, American, Chinese, whole or in pieces, glued by the reader.

A moment is found anywhere in a text, so that `8 21/11/2016 16:33:17` can be taken apart; the order of day and month
is not decided here, a cell is kept as printed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from plugins.panel.grammar import plain

__all__ = ["Moment", "moment_in", "unglued"]

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = (
    r"(?:(?:19|20)\d{2}\s?[-/.年]\s?(?:1[0-2]|0?[1-9])\s?[-/.月]\s?(?:3[01]|[12]\d|0?[1-9])\s?(?:日|(?!\d))"
    r"|(?:19|20)\d{2}[-/.](?:1[0-2]|0[1-9])[-/.](?:3[01]|[12]\d|0[1-9])"
    r"|(?:1[0-2]|0?[1-9])月\s?(?:3[01]|[12]\d|0?[1-9])日"
    r"|(?<![\dvV.])(?:3[01]|[12]\d|0?[1-9])[-/.](?:3[01]|[12]\d|0?[1-9])[-/.](?:(?:19|20)\d{2}|\d{2}(?!\d))"
    rf"|(?<!\d)(?:3[01]|[12]\d|0?[1-9])[-\s]?{_MONTH}[-\s,]*(?:\d{{4}}|\d{{2}})?(?!\d)"
    rf"|\b{_MONTH}\s?(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?(?:,?\s?\d{{4}})?)"
)
_SHORT_DATE = r"(?<![\dvV.])(?:3[01]|[12]\d|0?[1-9])[-/.](?:3[01]|[12]\d|0?[1-9])"
"""Day and month alone are a date only before a time."""
_TIME = (
    r"(?:(?:上午|下午|凌晨|晚上)\s?)?(?:2[0-4]|[01]?\d)\s?[:：]\s?[0-5]\d(?:\s?[:：.]\s?[0-5]\d(?:[.,]\d{1,6})?)?"
    r"(?:\s?[ap]\.?m\b\.?)?(?:Z|\s?[+\-][01]\d:?\d{2}\b)?"
    r"|(?:2[0-4]|[01]?\d)\s?[时点]\s?[0-5]?\d\s?分(?:\s?[0-5]?\d\s?秒)?"
)
_WHOLE = re.compile(
    rf"(?P<both>(?:{_DATE}|{_SHORT_DATE})(?:\s*[T,]?\s*|\s*-\s*)(?:{_TIME}))"
    rf"|(?P<reverse>(?:{_TIME})\s*,?\s*{_DATE})|(?P<date>{_DATE})|(?P<time>(?<![\d.:])(?:{_TIME})(?![\d:]))",
    re.IGNORECASE,
)
_GLUED = re.compile(
    r"((?:19|20)\d{2}[-/.]\d{2}[-/.]\d{2}|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d{2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2})"
    r"(\d{1,2}:\d{2})"
)
_MAX_CHARS = 160
"""Only so much of a text is looked through for a moment."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a date, a time, or both stand in a text."""

    start: int
    end: int
    dated: bool
    timed: bool


@lru_cache(maxsize=4096)
def moment_in(text: str) -> Moment | None:
    """The first moment of a text that is as full as any in it, or None."""
    best: Moment | None = None
    for found in _WHOLE.finditer(plain(text[:_MAX_CHARS])):
        both = found["both"] is not None or found["reverse"] is not None
        moment = Moment(
            found.start(), found.end(), both or found["date"] is not None, both or found["time"] is not None
        )
        if best is None or moment.dated + moment.timed > best.dated + best.timed:
            best = moment
    return best


def unglued(text: str) -> str:
    """A space between date and time where the reader lost it: `21/11/201616:33:17`."""
    return _GLUED.sub(r"\1 \2", text)
