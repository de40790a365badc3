"""Alarms that stand: by their time of clearing where the log keeps it, else by the state of the newest row of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from knowledge.tokens import fold
from plugins.logs.interface import Event, EventLog, Filter

__all__ = ["is_over", "standing_events"]

_STANDS = (
    "active",
    "alarm",
    "unack",
    "acked",
    "acknowledged",
    "激活",
    "报警",
    "未恢复",
    "未确认",
    "已确认",
    "活动",
    "触发",
)
_OVER = ("normal", "clear", "return", "rtn", "inactive", "恢复", "解除", "消除", "正常", "复归", "off")
_MOST = 2_000
"""Rows looked at for standing alarms."""


def standing_events(
    log: EventLog, which: Filter, *, now: datetime, least_seconds: float, limit: int
) -> list[Event] | None:
    """Events that stand for more than so many seconds, newest first; None where the log does not tell."""
    everything = log.durations(Filter(), now=now)
    if everything.count:
        events, _ = log.events(replace(which, standing=True), now=now, limit=min(limit, _MOST))
        events = [event for event in events if not is_over(event.state)]
    else:
        states = log.names("state")
        if not any(_stands(state) for state in states):
            return None
        events = _newest_of_each(log, which, now, min(limit, _MOST))
    return [e for e in events if e.at is not None and now.timestamp() - e.at > least_seconds]


def _newest_of_each(log: EventLog, which: Filter, now: datetime, limit: int) -> list[Event]:
    events, _ = log.events(which, now=now, limit=limit)
    newest: dict[tuple[str, str], Event] = {}
    for event in events:
        newest.setdefault((event.tag, event.text), event)
    return [event for event in newest.values() if _stands(event.state)]


def _stands(state: str) -> bool:
    return not is_over(state) and any(word in fold(state) for word in _STANDS)


def is_over(state: str) -> bool:
    """Whether a state says that the alarm is no longer there."""
    return any(word in fold(state) for word in _OVER)
