"""What happened in one turn, in order and numbered, for readers that come, go and come again.

Events are added by the thread of the turn and read in the event loop of the server. A reader says which one it saw last
and gets what came after. Ids name their log too: after a restart the same turn is told from another one, whose numbers
mean other events, and a reader that comes with an id of the old one is told everything.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Event", "EventKind", "EventLog"]

EventKind = Literal["position", "step", "token", "answer", "error", "changed"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    id: int
    """1, 2, 3 … within its log."""
    log: str
    """The name of that log."""
    kind: EventKind
    data: Mapping[str, Any]

    def to_text(self) -> str:
        """As a server-sent event."""
        data = json.dumps({**self.data, "n": self.id}, ensure_ascii=False, default=str)
        return f"id: {self.log}.{self.id}\nevent: {self.kind}\ndata: {data}\n\n"


class EventLog:
    """The events of one turn, or of all. Ends with an `answer` or an `error`."""

    def __init__(self, *, most: int | None = None, name: str = "") -> None:
        """
        :param most: that are kept; None keeps all.
        :param name: where every log that is ever made under it holds the same events; else one of its own is made up.
        """
        self.name = name or secrets.token_hex(4)
        self._most = most
        self.events: list[Event] = []
        self.ended = False
        self._hung_up = False
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def add(self, kind: EventKind, data: Mapping[str, Any]) -> None:
        """Add one, from any thread; what comes after the end is dropped."""
        with self._lock:
            if self.ended:
                return
            last = self.events[-1] if self.events else None
            if kind == "position" and last is not None and last.kind == "position":
                self.events.pop()  # only where it stands now is of interest
            self.events.append(Event(last.id + 1 if last else 1, self.name, kind, data))
            if self._most is not None:
                del self.events[: -self._most]
            self.ended = kind in ("answer", "error")
            waiting = list(self._waiting)
        for loop, fresh in waiting:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(fresh.set)

    def hang_up(self) -> None:
        """Let go of those who listen; nothing else has happened, and they may come again."""
        with self._lock:
            self._hung_up = True
            waiting = list(self._waiting)
        for loop, fresh in waiting:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(fresh.set)

    def newest(self) -> int:
        """The number of the last one."""
        with self._lock:
            return self.events[-1].id if self.events else 0

    def seen(self, event: str) -> int:
        """Which number a reader saw last; 0 where it names none of this log."""
        name, _, number = event.rpartition(".")
        return int(number) if name == self.name and number.isascii() and number.isdigit() and len(number) < 9 else 0

    def after(self, last: int) -> list[Event]:
        """What came after a number."""
        with self._lock:
            return [event for event in self.events if event.id > last]

    async def follow(self, last: int, *, beat_seconds: float) -> AsyncIterator[Event | None]:
        """What came after a number and what comes, up to the end.

        :return: None where nothing came for `beat_seconds`.
        """
        fresh = asyncio.Event()
        reader = (asyncio.get_running_loop(), fresh)
        with self._lock:
            self._waiting.add(reader)
        try:
            while True:
                fresh.clear()
                found = self.after(last)
                for event in found:
                    last = event.id
                    yield event
                if (self.ended or self._hung_up) and not self.after(last):
                    return
                if found:
                    continue
                try:
                    await asyncio.wait_for(fresh.wait(), beat_seconds)
                except TimeoutError:
                    yield None
        finally:
            with self._lock:
                self._waiting.discard(reader)
