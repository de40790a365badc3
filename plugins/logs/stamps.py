"""Times as exports write them, brought to ISO 8601."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

__all__ = ["DateOrder", "find_date_order", "read_stamp"]

DateOrder = Literal["ymd", "mdy", "dmy"]

_STAMP = re.compile(
    r"(?P<a>\d{1,4})(?P<mark>[-/.年])(?P<b>\d{1,2})[-/.月](?P<c>\d{1,4})日?"
    r"(?:[T\s,]*(?P<half>上午|下午)?\s*(?P<h>\d{1,2})[:\uff1a时](?P<m>\d{1,2})(?:[:\uff1a分](?P<s>\d{1,2})(?:[.,]\d+)?秒?|分)?"
    r"\s*(?P<ampm>[AaPp][Mm])?)?\s*(?P<zone>Z|[-+]\d{2}:?\d{2})?"
)


def find_date_order(stamps: Iterable[str]) -> tuple[DateOrder, bool]:
    """Which of day and month comes first in a file, and whether that is only assumed.

    A first number above 12 is a day, a second one above 12 shows a month first. Where no row decides, dots and dashes
    mean day first, slashes month first.
    """
    mark = ""
    for stamp in stamps:
        match = _STAMP.fullmatch(stamp.strip())
        if match is None or len(match["a"]) > 2:
            continue
        mark = match["mark"]
        if int(match["a"]) > 12:
            return "dmy", False
        if int(match["b"]) > 12:
            return "mdy", False
    if not mark:
        return "ymd", False
    return ("mdy" if mark == "/" else "dmy"), True


def read_stamp(text: str, order: DateOrder, place: ZoneInfo | None) -> str | None:
    """A time as it is stored: `2024-12-14 03:12:00`, with its offset where the file or the person gives one.

    :returns: None where it is no time.
    :param place: the zone of times without offset; None leaves them without.
    """
    match = _STAMP.fullmatch(text.strip())
    if match is None:
        return None
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
    try:
        moment = datetime(year, month, day, hour, int(match["m"] or 0), int(match["s"] or 0))
        if match["zone"]:
            moment = datetime.fromisoformat(f"{moment.isoformat()}{match['zone']}")
        elif place is not None:
            moment = moment.replace(tzinfo=place)
        return moment.isoformat(sep=" ")
    except (ValueError, OverflowError):
        return None
