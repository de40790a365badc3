"""The plant's shifts: which hours "夜班" or "last night shift" mean, and which crew worked them.

The calendar is in the settings (`[[plant.shifts]]`). Without it no shift is known, and none is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

__all__ = ["SHIFT", "ShiftLike", "ShiftSpan", "find_shift", "names_shift"]

SHIFT = (
    r"(?:上一?个?|本|当|这个?)(?:班次?)(?![长组])|"
    r"(?:上一?个?|本|这个?)?(?:大夜|小夜|[早中晚夜白日]|[甲乙丙丁戊]|(?<![A-Za-z])[A-E])班(?![长组])|"
    r"\b(?:last |previous |this |current |the )?"
    r"(?:night|day|early|late|morning|afternoon|evening|first|second|third|[a-e])[- ]shift\b|"
    r"\b(?:last|previous|this|current) shift\b"
)
"""Any shift, as the inside of a group; to be searched without regard to case."""
_ALIASES = (
    ("夜班", "晚班", "大夜班", "night", "third"),
    ("白班", "日班", "day"),
    ("早班", "early", "morning", "first"),
    ("中班", "小夜班", "late", "afternoon", "evening", "second"),
)
"""Names of the same kind of shift; a shift of the settings is found by any name of its row."""
_BEFORE = re.compile(r"^(?:上一?个?(?=.)|last |previous )", re.IGNORECASE)
_NOW = re.compile(r"^(?:本|当|这个?|this |current |the )", re.IGNORECASE)
_TAIL = re.compile(r"(?:[- ]?shift|班次?)$", re.IGNORECASE)
_DAYS_BACK = 60


class ShiftLike(Protocol):
    """A shift of the settings."""

    @property
    def name(self) -> str: ...
    @property
    def start(self) -> time: ...
    @property
    def hours(self) -> float: ...
    @property
    def crews(self) -> tuple[str, ...]: ...
    @property
    def first_day(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class ShiftSpan:
    """One shift of one day."""

    start: datetime
    end: datetime
    crew: str
    """Empty where the calendar names none."""


def names_shift(text: str) -> bool:
    """Whether a text names a shift."""
    return re.search(SHIFT, text, re.IGNORECASE) is not None


def find_shift(phrase: str, day: date | None, now: datetime, shifts: Sequence[ShiftLike]) -> ShiftSpan | None:
    """The shift that a phrase means; it belongs to the day on which it begins.

    :param day: the day that was said with it; None is the latest one that has ended, or the running one where "this"
        was said.
    :param now: the plant's clock.
    """
    said = phrase.strip()
    running, name = bool(_NOW.match(said)), _TAIL.sub("", _NOW.sub("", _BEFORE.sub("", said)))
    meant = [shift for shift in shifts if not name or _is_called(shift, name)]
    days = [day] if day is not None else [now.date() - timedelta(days=back) for back in range(_DAYS_BACK)]
    spans = [_span(shift, one, now) for one in days for shift in meant]
    if not meant:
        every = [_span(shift, one, now) for one in days for shift in shifts]
        spans = [span for span in every if span.crew and _TAIL.sub("", span.crew).casefold() == name.casefold()]
    found = [span for span in spans if span.start <= now]
    if running:
        found = [span for span in found if span.end > now]
    elif day is None:
        found = [span for span in found if span.end <= now]
    return max(found, key=lambda span: span.start, default=None)


def _is_called(shift: ShiftLike, name: str) -> bool:
    own = _TAIL.sub("", shift.name.strip()).casefold()
    wanted = name.casefold()
    if own == wanted:
        return True
    rows = [{_TAIL.sub("", alias).casefold() for alias in row} for row in _ALIASES]
    return any(own in row and wanted in row for row in rows)


def _span(shift: ShiftLike, day: date, now: datetime) -> ShiftSpan:
    start = datetime.combine(day, shift.start, tzinfo=now.tzinfo)
    crew = ""
    if shift.crews and shift.first_day is not None:
        crew = shift.crews[(day - shift.first_day).days % len(shift.crews)]
    return ShiftSpan(start, start + timedelta(hours=shift.hours), crew)
