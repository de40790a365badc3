"""A question about events on its way to an answer: what is asked, of which log, and what has been said so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.api import Record, Said, ToolFailed, say
from agent.settings import QuerySettings
from plugins.logs.event_lines import event_record
from plugins.logs.interface import Event, EventLog, Filter, Moment
from plugins.logs.queries.asked import EventAsk

__all__ = ["Query", "all_moments", "local", "named"]


@dataclass(slots=True)
class Query:
    """A question on its way to an answer."""

    ask: EventAsk
    which: Filter
    log: EventLog
    now: datetime
    settings: QuerySettings
    notes: list[Said]
    records: list[Record]
    total: int = 0

    def add(self, zh: str, en: str) -> None:
        self.notes.append(say(zh, en))

    def show(self, events: Sequence[Event]) -> None:
        """Events as records, each once."""
        known = {record.id for record in self.records}
        self.records += [r for r in (event_record(event, self.now) for event in events) if r.id not in known]


def all_moments(query: Query, which: Filter) -> list[Moment]:
    """All of them: figures over a part would be wrong."""
    limit = query.settings.max_moments
    moments = query.log.moments(which, now=query.now, limit=limit)
    if len(moments) >= limit and query.log.count(which, now=query.now) > limit:
        raise ToolFailed(f"more than {limit:,} events ([queries] max_moments); name a shorter span of time")
    return moments


def local(instant: float, now: datetime) -> str:
    """An instant as the plant's clock shows it."""
    moment = datetime.fromtimestamp(instant, now.tzinfo) if now.tzinfo else datetime.fromtimestamp(instant)
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def named(tag: str, text: str) -> str:
    return text if tag in ("", text) else f"{text} ({tag})"
