"""Times as exports write them, brought to ISO 8601."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

__all__ = ["DateOrder", "Stamp", "StampReader", "find_date_order", "read_stamp", "seconds_of"]

DateOrder = Literal["ymd", "mdy", "dmy"]
Fold = Literal["", "twice", "never"]

_STAMP = re.compile(
    r"(?P<a>\d{1,4})(?P<mark>[-/.年])(?P<b>\d{1,2})[-/.月](?P<c>\d{1,4})日?"
    r"(?:[T\s,]*(?P<half>上午|下午)?\s*(?P<h>\d{1,2})[:\uff1a时](?P<m>\d{1,2})"
    r"(?:[:\uff1a分](?P<s>\d{1,2})(?:[.,](?P<f>\d+))?秒?|分)?"
    r"\s*(?P<ampm>[AaPp][Mm])?)?\s*(?P<zone>Z|[-+]\d{2}:?\d{2})?"
)
_PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}")
_SECONDS = re.compile(r"[0-9]{10}(?:\.[0-9]{1,6})?|[0-9]{13}")
"""Seconds or milliseconds since 1970, of the years 2001 to 2286."""
_MILLISECOND_DIGITS = 13
_EPOCH = datetime(1970, 1, 1)
_LOOKED_AT = 2_000
"""Where so many times begin with their year, the rest of the file does too."""
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time as it was written."""

    text: str
    """ISO 8601 with a blank, and with its offset where it has one."""
    wall: float
    """What the clock showed, in seconds since 1970 as if it were UTC."""
    shift: int | None
    """Seconds from UTC; None where nobody said."""
    fold: Fold = ""
    """`twice`: summer time ended and the clock showed it twice; `never`: summer time began and it never did."""

    @classmethod
    def of(cls, moment: datetime, fold: Fold = "") -> Stamp:
        """From a moment, with its offset or without."""
        digits = "milliseconds" if moment.microsecond else "seconds"
        text = moment.isoformat(" ", digits)
        if moment.tzinfo is None:
            return cls(text, (moment - _EPOCH).total_seconds(), None, fold)
        offset = moment.utcoffset()
        wall = (moment.replace(tzinfo=None) - _EPOCH).total_seconds()
        return cls(text, wall, None if offset is None else round(offset.total_seconds()), fold)


def seconds_of(start: Stamp, end: Stamp | None) -> float | None:
    """From one to the other; None where that is not known, or the end is before the start."""
    if end is None or (start.shift is None) != (end.shift is None):
        return None
    seconds = (end.wall - (end.shift or 0)) - (start.wall - (start.shift or 0))
    return seconds if seconds >= 0 else None


def find_date_order(stamps: Iterable[str]) -> tuple[DateOrder, bool]:
    """Which of day and month comes first in a file, and whether that is only assumed.

    A first number above 12 is a day, a second one above 12 shows a month first. Where no row decides, dots and dashes
    mean day first, slashes month first.
    """
    mark = ""
    rest = iter(stamps)
    for stamp in islice(rest, _LOOKED_AT):
        found, mark = _order_of(stamp, mark)
        if found:
            return found, False
    if not mark:
        return "ymd", False
    for stamp in rest:
        found, mark = _order_of(stamp, mark)
        if found:
            return found, False
    return ("mdy" if mark == "/" else "dmy"), True


def _order_of(stamp: str, mark: str) -> tuple[DateOrder | None, str]:
    match = _STAMP.fullmatch(stamp.strip())
    if match is None or len(match["a"]) > 2:
        return None, mark
    if int(match["a"]) > 12:
        return "dmy", match["mark"]
    return ("mdy" if int(match["b"]) > 12 else None), match["mark"]


def read_stamp(text: str, order: DateOrder, place: ZoneInfo | None) -> str | None:
    """A time as it is stored: `2024-12-14 03:12:00`, with its offset where the file or the person gives one.

    :returns: None where it is no time.
    :param place: the zone of times without offset; None leaves them without.
    """
    stamp = StampReader(order, place).read(text)
    return None if stamp is None else stamp.text


class StampReader:
    """Reads the times of one column, row by row.

    :param place: the zone of times without offset; None leaves them without.
    """

    def __init__(self, order: DateOrder, place: ZoneInfo | None) -> None:
        self._order = order
        self._place = place
        self._second_time = False
        self._last = -1.0

    def read(self, text: str) -> Stamp | None:
        """A time; None where it is none. In an hour that the clock showed twice, a step back begins the second time."""
        moment = _moment(text.strip(), self._order)
        if moment is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            return None
        if moment.tzinfo is not None or self._place is None:
            return Stamp.of(moment)
        return self._placed(moment, self._place)

    def _placed(self, moment: datetime, place: ZoneInfo) -> Stamp:
        wall = (moment - _EPOCH).total_seconds()
        early, late = (moment.replace(tzinfo=place, fold=fold) for fold in (0, 1))
        back, self._last = wall < self._last, wall
        if early.utcoffset() == late.utcoffset():
            self._second_time = False
            return Stamp.of(early)
        if early.astimezone(UTC).astimezone(place).replace(tzinfo=None) != moment:
            return Stamp.of(early, "never")
        self._second_time = self._second_time or back
        return Stamp.of(late if self._second_time else early, "twice")


def _moment(text: str, order: DateOrder) -> datetime | None:
    try:
        if _PLAIN.fullmatch(text):
            return datetime.fromisoformat(text)
        if _SECONDS.fullmatch(text):
            return datetime.fromtimestamp(float(text) / (1000 if len(text) == _MILLISECOND_DIGITS else 1), UTC)
        match = _STAMP.fullmatch(text)
        return None if match is None else _from_parts(match, order)
    except (ValueError, OverflowError):
        return None


def _from_parts(match: re.Match[str], order: DateOrder) -> datetime:
    first, second, third = int(match["a"]), int(match["b"]), int(match["c"])
    if len(match["a"]) > 2:
        year, month, day = first, second, third
    else:
        year, month, day = (third, second, first) if order == "dmy" else (third, first, second)
        year += 2000 if year < 100 else 0
    hour = int(match["h"] or 0)
    later = (match["ampm"] or "").lower() == "pm" or match["half"] == "下午"
    earlier = (match["ampm"] or "").lower() == "am" or match["half"] == "上午"
    hour = hour + 12 if later and hour < 12 else 0 if earlier and hour == 12 else hour
    micro = int(f"{(match['f'] or '0')[:6]:0<6}")
    moment = datetime(year, month, day, hour, int(match["m"] or 0), int(match["s"] or 0), micro)
    return datetime.fromisoformat(f"{moment.isoformat()}{match['zone']}") if match["zone"] else moment
