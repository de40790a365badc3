"""Figures from a machine's alarms: how many, which, how often before, floods, what still stands.

The period is half-open, [start, end). Rates before it are taken over the history that is complete. A flood is more than
`flood_alarms` alarms within `flood_seconds`, and it ends when that is no longer so (ISA-18.2); stale is what stands
longer than `stale_seconds`. Time between alarms is the period divided by their number, so that one alarm gives one too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from agent.reports.values import AlarmEvent
from agent.settings import ReportSettings

__all__ = ["AlarmFigures", "Bar", "Flood", "alarm_figures", "is_urgent"]

_URGENT = ("紧急", "高", "urgent", "critical", "high", "1", "p1", "hi", "emergency", "危急", "严重")


@dataclass(frozen=True, slots=True)
class Bar:
    """One kind of alarm in the period."""

    tag: str
    text: str
    priority: str
    count: int
    before: int
    """How often in the history before the period."""
    newest: AlarmEvent


@dataclass(frozen=True, slots=True)
class Flood:
    """Too many alarms at once."""

    start: datetime
    end: datetime
    count: int


@dataclass(frozen=True, slots=True)
class AlarmFigures:
    """What was counted. All times are the plant's wall clock."""

    events: tuple[AlarmEvent, ...]
    """Of the period, oldest first."""
    history: tuple[AlarmEvent, ...]
    history_days: float
    """0 where there is none."""
    bars: tuple[Bar, ...]
    """Most frequent first."""
    urgent: tuple[AlarmEvent, ...]
    """Of the period."""
    floods: tuple[Flood, ...]
    standing: tuple[AlarmEvent, ...]
    stale: tuple[AlarmEvent, ...]
    between_hours: float | None
    """Mean time between two alarms; None where there was none."""
    cleared_minutes: float | None
    """Mean time to clear, of those that did; None where the log does not say."""
    expected: float | None
    """How many the history makes one expect in a period of this length; None without history."""
    urgent_between_hours: float | None
    """Mean time between urgent alarms, history and period together; None where there was none."""
    days: tuple[tuple[date, int], ...]
    """Alarms of each day of history and period, all days."""

    @property
    def count(self) -> int:
        """Alarms of the period."""
        return len(self.events)


def alarm_figures(
    events: Sequence[AlarmEvent],
    start: datetime,
    end: datetime,
    *,
    history_from: datetime | None,
    settings: ReportSettings,
) -> AlarmFigures:
    """Count.

    :param start: of the period, wall clock without offset; `end` likewise.
    :param history_from: since when `events` are complete; None where they begin with the period.
    """
    within = tuple(e for e in events if start <= e.at < end)
    first = min(history_from or start, start)
    history = tuple(e for e in events if first <= e.at < start)
    hours = max((end - start).total_seconds() / 3600, 1e-9)
    history_days = (start - first).total_seconds() / 86_400
    lasted = [e.lasted_seconds for e in within if e.lasted_seconds is not None]
    standing = tuple(e for e in within if e.standing)
    urgent = sum(is_urgent(e) for e in (*history, *within))
    return AlarmFigures(
        events=within,
        history=history,
        history_days=history_days,
        bars=_bars(within, history),
        urgent=tuple(e for e in within if is_urgent(e)),
        floods=_floods(within, settings),
        standing=standing,
        stale=tuple(e for e in within if _stood(e, end) > settings.stale_seconds),
        between_hours=hours / len(within) if within else None,
        cleared_minutes=sum(lasted) / len(lasted) / 60 if lasted else None,
        expected=len(history) / history_days * hours / 24 if history_days >= 1 else None,
        urgent_between_hours=(history_days * 24 + hours) / urgent if urgent else None,
        days=_days((*history, *within), first, end),
    )


def is_urgent(event: AlarmEvent) -> bool:
    """Whether its priority, as the plant writes it, is one of the high ones."""
    return event.priority.strip().casefold() in _URGENT


def _bars(within: Sequence[AlarmEvent], history: Sequence[AlarmEvent]) -> tuple[Bar, ...]:
    count = Counter((e.tag, e.text) for e in within)
    before = Counter((e.tag, e.text) for e in history)
    newest = {(e.tag, e.text): e for e in within}
    order = sorted(count, key=lambda key: (-count[key], key))
    return tuple(Bar(*key, newest[key].priority, count[key], before[key], newest[key]) for key in order)


def _floods(events: Sequence[AlarmEvent], settings: ReportSettings) -> tuple[Flood, ...]:
    """Stretches in which some window of `flood_seconds` holds more than `flood_alarms`."""
    floods: list[Flood] = []
    oldest, window = 0, timedelta(seconds=settings.flood_seconds)
    for newest, event in enumerate(events):
        while event.at - events[oldest].at > window:
            oldest += 1
        if newest - oldest + 1 <= settings.flood_alarms:
            continue
        begun = events[oldest].at
        if floods and begun <= floods[-1].end:
            begun = floods.pop().start
        count = sum(begun <= e.at <= event.at for e in events[: newest + 1])
        floods.append(Flood(begun, event.at, count))
    return tuple(floods)


def _stood(event: AlarmEvent, end: datetime) -> float:
    if event.lasted_seconds is not None:
        return event.lasted_seconds
    return (end - event.at).total_seconds() if event.standing else 0.0


def _days(events: Sequence[AlarmEvent], first: datetime, end: datetime) -> tuple[tuple[date, int], ...]:
    count = Counter(e.at.date() for e in events)
    last = (end - timedelta(microseconds=1)).date() if end > first else first.date()
    whole = [first.date() + timedelta(days=n) for n in range((last - first.date()).days + 1)]
    return tuple((day, count[day]) for day in whole)
