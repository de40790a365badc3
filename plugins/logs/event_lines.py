"""An event of the log as a line and as fields, with the id of its row."""

from __future__ import annotations

from datetime import datetime

from agent.api import Record, say
from plugins.logs.database import offset_seconds
from plugins.logs.interface import Event
from plugins.logs.queries.standing import is_over

__all__ = ["event_record", "fields_of"]

_PRIORITIES = {"紧急": "urgent", "高": "high", "中": "medium", "低": "low"}
_PRIORITIES_ZH = {english: chinese for chinese, english in _PRIORITIES.items()}


def event_record(event: Event, now: datetime) -> Record:
    """An event as a line and as fields; its id is its row.

    :param now: the plant's clock, for the offset of times stored without one.
    """
    minutes = _minutes(event, now)
    time = _shown_time(event.time)
    zh = [event.tag, _PRIORITIES_ZH.get(event.priority.casefold(), event.priority)]
    en = [event.tag, _PRIORITIES.get(event.priority, event.priority)]
    over = bool(event.cleared) or is_over(event.state)
    tail_zh = f" 持续 {minutes} 分钟" if minutes is not None else ("" if over else " 未恢复")
    tail_en = f", lasted {minutes} min" if minutes is not None else ("" if over else ", not cleared")
    line = say(f"{time} {event.text}{_bracket(zh)}{tail_zh}", f"{time} {event.text}{_bracket(en)}{tail_en}")
    return Record(f"E{event.row}", "event", line, fields_of(event, minutes))


def fields_of(event: Event, minutes: int | None) -> dict[str, str | int | None]:
    """An event for programs."""
    return {
        "time": event.time,
        "tag": event.tag,
        "text": event.text,
        "priority": event.priority,
        "state": event.state,
        "area": event.area,
        "cleared": event.cleared,
        "minutes": minutes,
    }


def _bracket(parts: list[str]) -> str:
    known = [part for part in parts if part]
    return f" ({', '.join(known)})" if known else ""


def _minutes(event: Event, now: datetime) -> int | None:
    start, end = _moment(event.time, now), _moment(event.cleared, now)
    if start is None or end is None or end < start:
        return None
    return round((end - start) / 60)


def _moment(stored: str | None, now: datetime) -> float | None:
    if not stored:
        return None
    if stored.replace(".", "", 1).isdigit():
        seconds = float(stored)
        return seconds / 1000 if seconds > 1e11 else seconds
    try:
        moment = datetime.fromisoformat(stored)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return moment.timestamp()
    return (moment - datetime(1970, 1, 1)).total_seconds() - offset_seconds(now)


def _shown_time(stored: str) -> str:
    """To the minute, with the offset where one is stored."""
    try:
        moment = datetime.fromisoformat(stored)
    except ValueError:
        return stored
    return f"{moment:%Y-%m-%d %H:%M}" + (moment.isoformat()[-6:] if moment.utcoffset() is not None else "")
