"""Commands to devices: each is sent at most once, and what became of it is read back, never guessed.

    planned → approved → sending → sent → confirmed
                            └────────┴──→ failed | unsure → confirmed | failed

What certainly never left the box (`CommandNotSent`) has failed, and the device is not asked about it. `sending` is
durable before the first byte goes out. So a command found in `sending` or `sent` whose process is dead may or may not
have arrived: it is `unsure`, is looked for on the device, and is never sent again. Its key is its identity: a second
command under the same key does not begin.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeVar

from agent.clock import Span
from agent.errors import CommandNotSent, DatabaseError, InputError, ToolDenied
from agent.journal import Entry, IllegalStep, Journal, Pen
from agent.values import Json, say

__all__ = ["DeviceCommands", "ReadBack"]

ReadBack = Callable[[Entry], bool | None]
"""Whether what a command ordered is so on the device; None where that cannot be told. It only reads."""
T = TypeVar("T")
_UNDER_WAY = say(
    "它或与它联锁的设备还有一条指令没有结束,稍后再试",
    "a command to it, or to what is interlocked with it, has not ended yet; try again",
)
_MINUTE = 60.0
_REST = 20.0
"""How many times as long as a look it rests after it: devices that answer late must not keep the box busy."""


class DeviceCommands:
    """The commands of one box."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._denied = set[str]()
        self._looks_at = 0.0
        """When `look_again` looks next, by the monotonic clock."""

    def plan(
        self,
        pen: Pen,
        key: str,
        *,
        turn: str,
        tool: str,
        arguments: Mapping[str, Json],
        span: Span,
        before: Json = None,
        moves: str = "",
        lane: str = "",
    ) -> Entry:
        """Write down a command that is to be sent within a span of time.

        :param key: its identity.
        :param before: what the device showed, so that it can be put back; None where nobody knows.
        :param moves: what is moved, to count how often.
        :param lane: what it must not be sent beside, whoever sends that; see `under_way`.
        :raises IllegalStep: there was one under this key.
        """
        more: dict[str, Json] = {} if before is None else {"before": before}
        more |= {name: told for name, told in (("moves", moves), ("lane", lane)) if told}
        body = {"tool": tool, "arguments": dict(arguments), **more}
        return pen.begin("command", key, turn=turn, body=body, told={"command": key, **body}, span=span)

    def begun_lately(self, pen: Pen, moves: str) -> int:
        """How many commands to one thing were planned within the last minute, by whichever clock can tell."""
        now = pen.now
        found = pen.value(
            "SELECT COUNT(*) FROM journal WHERE kind = 'command' AND json_extract(body, '$.moves') = ? AND "
            "CASE WHEN boot = ? THEN up > ? ELSE wall > ? END",
            (moves, now.boot, now.up - _MINUTE, now.wall - _MINUTE),
        )
        return int(found or 0)

    def under_way(self, pen: Pen, entry: Entry) -> bool:
        """Whether another command of its lane is being sent or read back, by this process or another one of this box.

        Asked in the transaction that starts it, so that of two processes only one goes on: what the first one moves
        may be what forbids the second.
        """
        lane = entry.body.get("lane")
        begun = pen.entries("command", "sending", "sent") if lane else []
        return any(one.body.get("lane") == lane and self.journal.in_hand(one) for one in begun)

    def approve(self, pen: Pen, entry: Entry, *, person: str) -> Entry:
        """Somebody, or a rule that somebody made, stands for it."""
        return pen.step(entry, "approved", {"command": entry.id, "person": person}, person=person)

    def start(self, pen: Pen, entry: Entry) -> Entry:
        """Take it for sending: from the end of the transaction on it may have been sent.

        :raises ToolDenied: it is too late; it is closed in this transaction's place by `settle`.
        :raises IllegalStep: it was not approved, or somebody else sends it.
        """
        if entry.span is None or not entry.span.holds(pen.now):
            raise ToolDenied(f"command {entry.id}: it is too late to send it; order it anew")
        return pen.step(entry, "sending", {"command": entry.id})

    def start_in_turn(self, entry: Entry, *, wait_seconds: float, poll_seconds: float) -> Entry:
        """Take it for sending as soon as no other command of its lane is under way.

        :raises CommandNotSent: one still is when the time is over; nothing was sent.
        :raises ToolDenied: as `start`.
        :raises IllegalStep: as `start`.
        """
        until = time.monotonic() + wait_seconds
        while True:
            with self.journal.writing() as pen:
                if not self.under_way(pen, entry):
                    return self.start(pen, entry)
            if time.monotonic() >= until:
                raise CommandNotSent(f"command {entry.id}: {_UNDER_WAY['en']}", _UNDER_WAY)
            time.sleep(poll_seconds)

    def carry_out(self, entry: Entry, send: Callable[[], T], read_back: ReadBack) -> tuple[Entry, T]:
        """Send a command that was started, and read back what became of it.

        :param send: called once. Whatever it raises but `CommandNotSent` leaves open whether the command arrived.
        :return: the command in its last state, and what `send` gave.
        :raises DatabaseError: it was sent, and the trail cannot say so; it is read back at the next start.
        """
        try:
            try:
                result = send()
            except CommandNotSent as error:
                with suppress(DatabaseError, IllegalStep):
                    self._step(entry, "failed", why=str(error))
                raise
            except Exception as error:
                with suppress(DatabaseError, IllegalStep):
                    self._read_back(self._step(entry, "unsure", why=f"{type(error).__name__}: {error}"), read_back)
                raise
            return self._read_back(self._step(entry, "sent"), read_back), result
        finally:
            self.journal.drop("command", entry.id)  # whatever is still open about it now, nobody here has in hand

    def settle(self, read_back: ReadBack) -> list[Entry]:
        """At start, and whenever a device is back: read back what nobody knows, and close what is too late.

        :return: the commands that were looked at, as they are now.
        """
        for entry in self.journal.abandoned("command", "sending", "sent"):
            with suppress(IllegalStep):  # another process was quicker
                self._step(entry, "unsure", why="the process that sent it has ended")
        self._expire()
        return self._look(read_back)

    def look_again(self, read_back: ReadBack, *, every_seconds: float) -> list[Entry]:
        """In a process that stays, again and again: read back what nobody knows, for its device may be there again.

        :param every_seconds: it looks no oftener, and after a look that took long it rests longer.
        :return: the commands of which it is known now.
        """
        begun = time.monotonic()
        if begun < self._looks_at:
            return []

        def patient(entry: Entry) -> bool | None:
            """A device that comes back may first tell how it was: that it did not do it, it has to show twice."""
            seen, denied = read_back(entry), entry.id in self._denied
            (self._denied.add if seen is False else self._denied.discard)(entry.id)
            return seen if seen is not False or denied else None

        try:
            return [entry for entry in self._look(patient) if entry.state != "unsure"]
        finally:
            now = time.monotonic()
            self._looks_at = now + max(every_seconds, _REST * (now - begun))

    def unsure(self) -> list[Entry]:
        """Commands of which nobody knows whether they arrived."""
        return self.journal.entries("command", "unsure")

    def close_by_hand(self, key: str, *, done: bool, person: str) -> Entry:
        """A person has looked at the device.

        :raises InputError: there is no such command, or what became of it is known.
        """
        entry = self.journal.entry("command", key)
        if entry is None or entry.state != "unsure":
            raise InputError(f"{key[:40]}: no command whose outcome is unknown; see: watchkeeper approvals list")
        with self.journal.writing() as pen:
            return pen.step(entry, "confirmed" if done else "failed", {"command": key, "person": person})

    def _look(self, read_back: ReadBack) -> list[Entry]:
        looked = []
        for entry in self.journal.entries("command", "unsure"):
            with suppress(IllegalStep):  # another process was quicker
                looked.append(self._read_back(entry, read_back))
        return looked

    def _read_back(self, entry: Entry, read_back: ReadBack) -> Entry:
        why = ""
        try:
            seen = read_back(entry)
        except Exception as error:  # a device that cannot be asked says nothing about the command
            seen, why = None, f"{type(error).__name__}: {error}"
        if seen is None and entry.state == "unsure":
            return entry
        state = "unsure" if seen is None else "confirmed" if seen else "failed"
        return self._step(entry, state, read_back=seen, **({"why": why} if why else {}))

    def _expire(self) -> None:
        now = self.journal.clock()
        late = [
            e for e in self.journal.entries("command", "planned", "approved") if e.span is None or not e.span.holds(now)
        ]
        for entry in late:
            with suppress(IllegalStep):
                self._step(entry, "expired")

    def _step(self, entry: Entry, state: str, **told: Json) -> Entry:
        with self.journal.writing() as pen:
            return pen.step(entry, state, {"command": entry.id, **told})
