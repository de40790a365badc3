"""Spans of time in a question about the log: resolved with the plant's shifts, its zone and what the log holds.

A span that cannot be known is told, never left out: an answer over all time would look like one over that span.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from agent.api import Period, ToolFailed, resolve_period, say
from agent.dates import CLOCK, DAY
from agent.plant_clock import plant_clock
from agent.settings import Settings
from agent.shifts import names_shift
from agent.times import find_periods, names_restart
from plugins.logs.interface import EventLog, Filter

__all__ = ["ends_of", "resolve", "spans_in"]

_DAY = re.compile(rf"(?:{DAY})", re.IGNORECASE)
_CLOCK = re.compile(rf"(?:{CLOCK})", re.IGNORECASE)
_RESTART_WORDS = (
    "启动",
    "重启",
    "开机",
    "上电",
    "投运",
    "start",
    "boot",
    "power up",
    "power on",
    "powered on",
    "power-up",
)
_STOP_WORDS = ("停机", "停车", "跳闸", "shutdown", "shut down", "trip")
_NO_START = ("未启动", "启动失败", "无法启动", "启动超时", "fail", "not start", "unable", "软启动", "soft")


def spans_in(
    text: str,
    now: datetime,
    settings: Settings,
    log: EventLog,
    *,
    within: tuple[float, float] | None = None,
) -> list[Period]:
    """All spans of time that a text names, in order.

    :param within: first and last instant of what is searched; decides a year or a day that was not said.
    :raises ToolFailed: one of them cannot be known.
    """
    phrases = _joined([phrase for _, phrase in find_periods(text)])
    found = [resolve(phrase, now, settings, log, within=within) for phrase in phrases]
    return list({(period.start, period.end): period for period in found}.values())


def _joined(phrases: list[str]) -> list[str]:
    """A day said apart from the hours ("on March 4, between 10:00 and 10:30") is their day."""
    hours = [phrase for phrase in phrases if not _DAY.search(phrase) and _CLOCK.search(phrase)]
    days = [phrase for phrase in phrases if _DAY.fullmatch(phrase)]
    if len(days) != 1 or not hours:
        return phrases
    day = days[0].removeprefix("on ").removeprefix("On ")
    return [f"{phrase} on {day}" if phrase in hours else phrase for phrase in phrases if phrase != days[0]]


def ends_of(log: EventLog, now: datetime) -> tuple[float, float] | None:
    """Instants of the first and the last event; they decide a year that was not said.

    :raises DatabaseError: the log cannot be read.
    """
    found = [log.events(Filter(), now=now, limit=1, order=order)[0] for order in ("oldest", "newest")]
    ends = [events[0].at for events in found if events and events[0].at is not None]
    return (ends[0], ends[1]) if len(ends) == 2 else None


def resolve(
    phrase: str, now: datetime, settings: Settings, log: EventLog, *, within: tuple[float, float] | None = None
) -> Period:
    """One span of time.

    :raises ToolFailed: it cannot be known; says what to say or to set.
    """
    clock = plant_clock(now, settings)
    if names_restart(phrase):
        return _since_restart(phrase, clock, log)
    shifts = settings.plant.shifts
    ends = None if within is None else (_local(within[0], clock), _local(within[1], clock))
    period = resolve_period(phrase.strip(), clock, shifts=shifts, within=ends)
    if period is not None:
        return period
    if names_shift(phrase) and not shifts:
        raise ToolFailed(f"{phrase!r}: the shifts of this plant are not known; write [[plant.shifts]] in the settings")
    raise ToolFailed(
        f"period {phrase!r} is no span of time that is known here; say for example 最近三天, last 24 hours or two dates"
    )


def _since_restart(phrase: str, now: datetime, log: EventLog) -> Period:
    """From the newest event whose text says that something started (or stopped, where that was asked)."""
    stops = any(word in phrase.lower() for word in ("停", "shutdown", "shut-down", "trip"))
    words = _STOP_WORDS if stops else _RESTART_WORDS
    texts = tuple(text for text in log.names("text") if _says(text, words))
    events, total = log.events(Filter(texts=texts), now=now, limit=1) if texts else ([], 0)
    if not total or events[0].at is None:
        raise ToolFailed(f"{phrase!r}: no event of the log says that, so its time is not known; name a date instead")
    start = _local(events[0].at, now)
    period = Period(phrase, start, now, to_the_second=start.second != 0)
    if start >= now:
        raise ToolFailed(f"{phrase!r}: the log has it at {start:%Y-%m-%d %H:%M}, after the plant's clock")
    text = events[0].text
    said = say(f"从“{text}”[E{events[0].row}]起", f"from “{text}” [E{events[0].row}]")
    return replace(period, note=said)


def _says(text: str, words: Sequence[str]) -> bool:
    low = text.lower()
    return any(word in low for word in words) and not any(word in low for word in _NO_START)


def _local(instant: float, now: datetime) -> datetime:
    """An instant as the plant's clock shows it, in the form of `now`."""
    if now.tzinfo is not None:
        return datetime.fromtimestamp(instant, now.tzinfo)
    return datetime.fromtimestamp(instant)
