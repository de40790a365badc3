"""Spans of time in the person's words, resolved to explicit instants that an answer states.

Durations ("最近三天", "past 24 hours"), calendar spans (today, 上周, last quarter, 2013年12月), days and parts of them
(昨天下午, last Tuesday, March 9), ranges (3月9日10点到11点, between 10:25 and 10:30 on March 9), open ends (since
Monday), shifts (上周二夜班; the calendar is in the settings). `find_periods` finds the phrases, `resolve_period` turns
one into a start and an end. What cannot be known (春节期间, a shift without a calendar) is found too and resolves to
None, so that it is told and never silently left out. What was not said and had to be assumed is in `Period.note`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from agent.calendar_spans import days_within, hours_of, parse_calendar, parse_duration
from agent.dates import CLOCK, DAY, MONTH, Clock, parse_clock, parse_day, parse_part
from agent.day_spans import DAY_SPAN, parse_day_span
from agent.period import Period
from agent.shifts import ShiftLike, find_shift
from agent.time_phrases import FIND, OPEN, RANGE, SHIFT_SPAN, SINCE_RESTART, SINGLE
from agent.values import Said, say

__all__ = ["Period", "find_periods", "names_restart", "resolve_period"]

_YEAR_SAID = re.compile(r"(?<!\d)\d{4}(?!\d)|今年|去年|前年|周|星期|天|昨|今|day", re.IGNORECASE)
"""A day that names its year, or that is told from today."""


def find_periods(text: str) -> list[tuple[int, str]]:
    """Where spans of time stand in a text: (offset, phrase), in order; of overlapping ones the longest."""
    found = [
        (m.start() + len(m.group()) - len(m.group().lstrip()), m.group().strip(), rank)
        for rank, rule in enumerate(FIND)
        for m in rule.finditer(text)
        if rule is not SINGLE or m["month"] or m["day"] or m["day2"] or m["part3"] or m["clock4"]
    ]
    kept: list[tuple[int, str]] = []
    for start, phrase, _ in sorted(found, key=lambda f: (-len(f[1]), f[0], f[2])):
        if phrase and all(start + len(phrase) <= at or at + len(other) <= start for at, other in kept):
            kept.append((start, phrase))
    return sorted(kept)


def names_restart(phrase: str) -> bool:
    """Whether a span begins where the log last says that something started: only the log knows when."""
    return SINCE_RESTART.fullmatch(phrase.strip()) is not None


def resolve_period(
    phrase: str,
    now: datetime,
    *,
    shifts: Sequence[ShiftLike] = (),
    within: tuple[datetime, datetime] | None = None,
) -> Period | None:
    """The instants that a phrase means.

    :param phrase: one that `find_periods` found.
    :param now: the plant's clock; its offset (or lack of one) is kept.
    :param shifts: the plant's shift calendar.
    :param within: first and last instant of what is searched; it decides a year or a day that was not said.
    :returns: None where the phrase is not a span of time, or one that cannot be known here.
    """
    said = phrase.strip()
    try:
        period = parse_duration(said, now) or parse_calendar(said, now, within) or _shift(said, now, shifts)
        period = (
            period
            or _day_span(said, now, within)
            or _between(said, now, within, shifts)
            or _open(said, now, within)
            or _single(said, now, within)
        )
    except (OverflowError, ValueError):  # longer than there are years, or no such day
        return None
    return None if period is None else _told(period, now)


def _told(period: Period, now: datetime) -> Period | None:
    """Not beyond now, and with a word on an hour that the clock showed twice or never."""
    if period.end <= period.start:
        return None
    period = replace(period, end=now) if period.start < now < period.end else period
    odd = next((moment for moment in (period.start, period.end) if _offset_open(moment)), None)
    if odd is None or period.note is not None:
        return period
    at = f"{odd:%Y-%m-%d %H:%M}"
    return replace(period, note=say(f"{at} 因夏令时切换有歧义", f"{at} is ambiguous: the clocks were changed then"))


def _offset_open(moment: datetime) -> bool:
    return moment.tzinfo is not None and moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()


def _shift(said: str, now: datetime, shifts: Sequence[ShiftLike]) -> Period | None:
    match = SHIFT_SPAN.fullmatch(said)
    if match is None or not shifts:
        return None
    day = parse_day(match["day"], now.date()) if match["day"] else None
    if match["day"] and day is None:
        return None
    span = find_shift(match["shift"], day.first if day else None, now, shifts)
    if span is None:
        return None
    note = say(f"{span.crew}当班", f"crew {span.crew}") if span.crew else day.note if day else None
    return Period(said, span.start, span.end, note)


def _day_span(said: str, now: datetime, within: tuple[datetime, datetime] | None) -> Period | None:
    """Days of one month, the last included."""
    match = DAY_SPAN.fullmatch(said)
    days = parse_day_span(match, now.date(), days_within(within)) if match else None
    if days is None:
        return None
    start, end = (datetime.combine(day, time(), tzinfo=now.tzinfo) for day in (days[0].first, days[1].after))
    return Period(said, start, end, days[0].note)


def _between(
    said: str, now: datetime, within: tuple[datetime, datetime] | None, shifts: Sequence[ShiftLike]
) -> Period | None:
    match = RANGE.fullmatch(said)
    if match is None:
        return None
    on = match["on"] or match["on0"]
    day = parse_day(on, now.date(), days_within(within)) if on else None
    if on and day is None:
        return None
    a, b = (match[x] or match[f"{x}2"] or match[f"{x}3"] for x in "ab")
    note = day.note if day else None
    a = _with_year_of(a, b)
    first = _item(a, now, within, day.first if day else None, shifts)
    if first is None or (day is None and not _says_day(a) and _says_day(b)):  # "10:25 to 10:30 on March 9" says it last
        last = _item(b, now, within, day.first if day else None, shifts)
        first = last and _item(a, now, within, last.start.date(), shifts)
        note = last.note if last else None
    if first is None:
        return None
    second = _second(b, first, now, within, shifts)
    if second is None or second.end <= first.start:
        return None
    clocked = re.search(CLOCK, b, re.IGNORECASE) is not None
    end = second.end if second.to_the_second or not clocked else second.start
    return Period(said, first.start, end, first.note or note, first.to_the_second or second.to_the_second)


def _with_year_of(item: str, other: str) -> str:
    """A day or a month that takes its year from the other end: "feb 5 to feb 11 2024"."""
    year = re.search(r"(?<![\d.])\d{4}(?!\d)", other)
    if year is None or _YEAR_SAID.search(item) or not re.fullmatch(rf"{DAY}|{MONTH}", item.strip(), re.IGNORECASE):
        return item
    return f"{item.strip()} {year.group()}" if item.isascii() else f"{year.group()}年{item.strip()}"


def _says_day(item: str) -> bool:
    return re.search(DAY, item, re.IGNORECASE) is not None


def _second(
    item: str, first: Period, now: datetime, within: tuple[datetime, datetime] | None, shifts: Sequence[ShiftLike]
) -> Period | None:
    """The end of a range: what it leaves out (day, month, half of the day) is that of the beginning."""
    if match := re.fullmatch(r"(\d{1,2})[日号]", item):
        try:
            day = first.start.replace(day=int(match[1]), hour=0, minute=0, second=0)
        except ValueError:
            return None
        return Period(item, day, day + timedelta(days=1))
    found = _item(item, now, within, None if _says_day(item) else first.start.date(), shifts)
    if found is None:
        return None
    if not _says_day(item) and found.start <= first.start:
        later = timedelta(hours=12 if found.start.hour < 12 and found.start + timedelta(hours=12) > first.start else 24)
        if re.search(CLOCK, item, re.IGNORECASE):
            clock = re.search(CLOCK, item, re.IGNORECASE)
            exact = clock and parse_clock(clock.group())
            later = timedelta(hours=24) if exact and exact.half_said else later
            found = replace(found, start=found.start + later, end=found.end + later)
    if re.search(rf"{DAY}|{MONTH}", item, re.IGNORECASE) and not _YEAR_SAID.search(item):
        length = found.end - found.start
        start = found.start.replace(year=first.start.year)  # of a leap day too: the first one was resolved
        found = replace(found, start=start if start >= first.start else start.replace(year=start.year + 1))
        found = replace(found, end=found.start + length)
    return found


def _open(said: str, now: datetime, within: tuple[datetime, datetime] | None) -> Period | None:
    match = OPEN.fullmatch(said)
    if match is None:
        return None
    named = next(match[name] for name in ("s1", "s2", "s3", "e1") if match[name])
    item = _item(named, now, within, None, ())
    if item is None:
        return None
    word = (match["w"] or "").lower()
    if match["e1"] or word in ("before", "until"):
        start = within[0] if within else datetime(1970, 1, 2, tzinfo=now.tzinfo)
        return Period(said, start, item.start, item.note, item.to_the_second)
    after_day = word == "after" and not re.search(CLOCK, named, re.IGNORECASE)
    start = item.end if after_day or (word == "after" and item.to_the_second) else item.start
    return Period(said, start, max(now, start + timedelta(seconds=1)), item.note, item.to_the_second)


def _single(said: str, now: datetime, within: tuple[datetime, datetime] | None) -> Period | None:
    return _item(said, now, within, None, ())


def _item(
    said: str,
    now: datetime,
    within: tuple[datetime, datetime] | None,
    on: date | None,
    shifts: Sequence[ShiftLike],
) -> Period | None:
    """One day, part of a day or time of day.

    :param on: the day of a time of day without one; None is today, and said so.
    """
    if SHIFT_SPAN.fullmatch(said):
        return _shift(said, now, shifts)
    match = SINGLE.fullmatch(said.strip())
    if match is None:
        return None
    named = match["day"] or match["day2"] or match["month"] or (said.strip() if match["monthday"] else None)
    day = parse_day(named, now.date(), days_within(within)) if named else None
    if named and day is None:
        return None
    part = parse_part(match["part"] or match["part3"] or "")
    spoken = match["clock"] or match["clock2"] or match["clock3"] or match["clock4"]
    clock = parse_clock(spoken, part) if spoken else None
    if spoken and clock is None:
        return None
    first = day.first if day else on or _only_day(within) or now.date()
    note = day.note if day else None
    if day is None and on is None:
        note = say(f"没有说日期,按 {first:%Y-%m-%d}", f"no day was said; taken as {first:%Y-%m-%d}")
    start = datetime.combine(first, time(), tzinfo=now.tzinfo)
    if clock is not None:
        return _at(said, start, clock, note)
    if part is not None:
        return _part_of(said, start, (part.start, part.end), now, note)
    after = day.after if day else first + timedelta(days=1)
    return Period(said, start, datetime.combine(after, time(), tzinfo=now.tzinfo), note)


def _at(said: str, day: datetime, clock: Clock, note: Said | None) -> Period:
    start = datetime.combine(day.date(), clock.time, tzinfo=day.tzinfo)
    return Period(said, start, start + clock.length, note, clock.length < timedelta(minutes=1))


def _part_of(said: str, day: datetime, hours: tuple[int, int], now: datetime, note: Said | None) -> Period:
    """Hours of a day; a night that lies ahead is the one before."""
    start, end = hours_of(day, *hours)
    if start > now and hours[1] > 24:
        start, end = hours_of(day - timedelta(days=1), *hours)
    return Period(said, start, end, note)


def _only_day(within: tuple[datetime, datetime] | None) -> date | None:
    """The day that everything searched lies on, where it is one."""
    return within[0].date() if within and within[0].date() == within[1].date() else None
