"""What the log knows of a machine, for a maintenance report: its events with the history before them, its series."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from agent.api import AlarmEvent, Env, Evidence, Machine, Period, Said, Trend, say
from agent.plant_clock import plant_clock
from plugins.logs.database import LogDatabase
from plugins.logs.interface import Event, EventLog, Filter

__all__ = ["evidence_of"]


def evidence_of(machine: Machine, period: Period, env: Env) -> Evidence:
    """Events and series of a machine's tags.

    :raises DatabaseError: the log cannot be read; what could be is lost with it.
    """
    log: EventLog = LogDatabase(env.log_path, env.settings.logs)
    tags = machine.tags or (machine.name,)
    settings, now = env.settings.reports, plant_clock(env.now(), env.settings)
    start = period.start - timedelta(days=settings.history_days)
    whole = Period(period.phrase, start, period.end)
    found, total = log.events(Filter(tags=tags, period=whole), now=now, limit=settings.history_events)
    first, _, stored = log.span()
    missing = []
    if total > len(found):
        missing.append(
            say(
                f"只用了最近 {len(found)} 条报警(共 {total} 条)",
                f"only the latest {len(found)} of {total} alarms are used",
            )
        )
    events = tuple(_event(e, period, now) for e in reversed(found) if e.at is not None)
    begins = [found[-1].at] if total > len(found) and found else [_instant(first, now)] if stored else []
    reach = max((b for b in begins if b is not None), default=None)
    history_from = None if reach is None else max(_wall(reach, now), _wall(start.timestamp(), now))
    trends, odd = _trends(log, tags, period, env)
    return Evidence(
        events=events, trends=trends, missing=(*missing, *odd), history_from=history_from if stored else None
    )


def _trends(log: EventLog, tags: Sequence[str], period: Period, env: Env) -> tuple[tuple[Trend, ...], list[Said]]:
    """Series of the tags that have values in the period, in the order of the tags."""
    known = {signal.tag: signal for signal in log.signals()}
    wanted = [known[tag] for tag in dict.fromkeys(tags) if tag in known]
    trends: list[Trend] = []
    odd: list[Said] = []
    for number, signal in enumerate(wanted, start=1):
        points = log.points(signal.tag, period, now=env.now())
        if not len(points.values):
            continue
        if points.total > len(points.values):
            used, total = len(points.values), points.total
            zh, en = f"只用了 {used} 个读数(共 {total} 个)", f"only {used} of {total} values are used"
            odd.append(say(f"{signal.tag}:{zh}", f"{signal.tag}: {en}"))
        trends.append(Trend(f"R{number}", signal.tag, signal.unit, points.wall, points.values))
    return tuple(trends), odd


def _event(event: Event, period: Period, now: datetime) -> AlarmEvent:
    at = 0.0 if event.at is None else event.at
    standing = event.lasted_seconds is None and not event.cleared
    return AlarmEvent(
        f"E{event.row}", _wall(at, now), event.tag, event.text, event.priority, event.lasted_seconds, standing
    )


def _wall(at: float, now: datetime) -> datetime:
    """An instant on the plant's clock, without its offset."""
    moment = datetime.fromtimestamp(at, UTC)
    return (moment.astimezone(now.tzinfo) if now.tzinfo else moment.astimezone()).replace(tzinfo=None)


def _instant(stored: str, now: datetime) -> float | None:
    try:
        moment = datetime.fromisoformat(stored)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=now.tzinfo) if now.tzinfo else moment.astimezone()
    return moment.timestamp()
