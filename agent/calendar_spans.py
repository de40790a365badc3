"""Durations that end now, and spans of the calendar: "past 24 hours", 上周, last quarter, 2013年12月, the weekend."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from agent.dates import parse_day, parse_part
from agent.numerals import parse_number
from agent.period import Period
from agent.time_phrases import (
    CALENDAR,
    CALENDAR_MONTH,
    CALENDAR_QUARTER,
    CALENDAR_WEEK,
    CALENDAR_YEAR,
    CHINESE_SPAN,
    ENGLISH_SPAN,
    LAST_NIGHT,
    UNITS,
    WEEK_OF,
    WEEKEND,
)

__all__ = ["days_within", "hours_of", "parse_calendar", "parse_duration"]

_NIGHT = (18, 30)


def parse_duration(said: str, now: datetime) -> Period | None:
    span = CHINESE_SPAN.fullmatch(said) or (None if _is_calendar(said) else ENGLISH_SPAN.fullmatch(said))
    if span is None:
        return None
    count = parse_number(span["n"]) if span["n"] else 1.0
    if count is None:
        return None
    unit = UNITS[span["unit"].lower()]
    if unit in ("months", "years"):
        return Period(said, now - timedelta(days=(30 if unit == "months" else 365) * count), now)
    length = timedelta(**{unit: count})
    if unit in ("minutes", "hours") and now.tzinfo is not None:  # so long ago, whatever the clocks did since
        return Period(said, (now.astimezone(UTC) - length).astimezone(now.tzinfo), now)
    return Period(said, now - length, now)


def _is_calendar(said: str) -> bool:
    return any(rule.fullmatch(said) for rule in CALENDAR)


def parse_calendar(said: str, now: datetime, within: tuple[datetime, datetime] | None) -> Period | None:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    low = said.lower()
    back = 2 if "上上" in low else 1 if low.startswith(("上", "last", "previous")) else 0
    if CALENDAR_WEEK.fullmatch(said):
        start = monday - timedelta(days=7 * back)
        return Period(said, start, start + timedelta(days=7))
    if CALENDAR_MONTH.fullmatch(said):
        start = _months_on(first, -back)
        return Period(said, start, _months_on(start, 1))
    if match := CALENDAR_QUARTER.fullmatch(said):
        return _quarter(match, first, back)
    if match := CALENDAR_YEAR.fullmatch(said):
        said_year = match["y"] or match["ey"]
        year = int(said_year) if said_year else first.year - {"去年": 1, "前年": 2}.get(said, back)
        return Period(said, first.replace(year=year, month=1), first.replace(year=year + 1, month=1)) if year else None
    if match := LAST_NIGHT.fullmatch(said):
        hours = parse_part(match["p"]) if match["p"] else None
        evening = today - timedelta(days=1) if low == "last night" else today
        return Period(said, *hours_of(evening, *((hours.start, hours.end) if hours else _NIGHT)))
    if match := WEEK_OF.fullmatch(said):
        day = parse_day(match["a"] or match["b"], now.date(), days_within(within))
        return None if day is None else _week_of(said, day.first, now)
    if WEEKEND.fullmatch(said):
        return _weekend(said, monday, now)
    return None


def _quarter(match: re.Match[str], first: datetime, back: int) -> Period | None:
    number = match["q"] or match["eq"]
    if number is None:
        start = _months_on(first, -((first.month - 1) % 3) - 3 * back)
    else:
        year = match["y"] or match["ey"] or first.year - (match["yw"] == "去年")
        start = first.replace(
            year=int(year), month=1 + 3 * ("一二三四".find(number) if number in "一二三四" else int(number) - 1)
        )
    return Period(match.group(), start, _months_on(start, 3))


def _week_of(said: str, day: date, now: datetime) -> Period:
    """Monday to Sunday around a day."""
    monday = datetime.combine(day - timedelta(days=day.weekday()), time(), tzinfo=now.tzinfo)
    return Period(said, monday, monday + timedelta(days=7))


def _weekend(said: str, monday: datetime, now: datetime) -> Period:
    this = said.startswith(("本", "这")) or said.lower().startswith("this")
    saturday = monday + timedelta(days=5)
    if said.startswith("上") or said.lower().startswith("last") or (not this and saturday > now):
        saturday -= timedelta(days=7)
    return Period(said, saturday, saturday + timedelta(days=2))


def _months_on(first: datetime, count: int) -> datetime:
    months = first.year * 12 + first.month - 1 + count
    return first.replace(year=months // 12, month=months % 12 + 1)


def hours_of(day: datetime, start: int, end: int) -> tuple[datetime, datetime]:
    last = day + timedelta(days=end // 24)
    return day.replace(hour=start), last.replace(hour=end % 24)


def days_within(within: tuple[datetime, datetime] | None) -> tuple[date, date] | None:
    return None if within is None else (within[0].date(), within[1].date())
