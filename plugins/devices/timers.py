"""The timers of the box, in `watch.db`: what runs, what it is called, what is to be done when it ends.

    running ⇄ paused → cancelled
    running → firing → fired | late

A timer is taken for firing in a transaction of its own before anything is told or sent, so it fires at most once, also
where the power goes at that moment. An order that comes due while nobody is there to fire it is not sent later than the
settings allow: it is `late`, and said to be. A timer without an order is told however late.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.api import Json
from agent.journal import Journal, Pen

__all__ = ["Timer", "Timers", "Which"]

_COLUMNS = "id, state, said, name, area, seconds, made, due, rest, orders, outcome, heard"
_OPEN = ("running", "paused")
_TURN = "timers"
"""Under which the trail tells of them."""


@dataclass(frozen=True, slots=True)
class Timer:
    """One timer."""

    id: str
    state: str
    said: str
    """The person's words."""
    name: str
    area: str
    seconds: int
    """How long it was at first."""
    made: float
    """UTC seconds."""
    due: float
    """UTC seconds; of a paused one, when it was due."""
    rest: float | None = None
    """Of a paused one: how many seconds are left."""
    orders: tuple[Mapping[str, Json], ...] = ()
    """Arguments of `write_point`; empty: it only rings."""
    outcome: str = ""
    """What became of it."""
    heard: str = ""
    """Area of the satellite that it was said to; empty: it was typed, or nobody knows."""

    def left(self, now: float) -> float:
        """Seconds until it ends."""
        return self.rest if self.rest is not None else max(0.0, self.due - now)


@dataclass(frozen=True, slots=True)
class Which:
    """How a person tells one timer from others; what is empty says nothing."""

    seconds: int = 0
    name: str = ""
    area: str = ""

    def fits(self, timer: Timer) -> bool:
        """Whether it may be meant."""
        return (
            (not self.seconds or self.seconds == timer.seconds)
            and (not self.name or self.name.casefold() == timer.name.casefold())
            and (not self.area or self.area.casefold() == timer.area.casefold())
        )


_Changed = Callable[[Timer], Timer]


class Timers:
    """Safe for use from several threads and processes."""

    def __init__(self, journal: Journal, *, most: int, kept: int) -> None:
        """
        :param most: that may be open at a time.
        :param kept: of those that have ended.
        """
        self._journal, self._most, self._kept = journal, most, kept

    def start(
        self, said: str, seconds: int, *, now: float, name: str = "", area: str = "", heard: str = "", key: str = ""
    ) -> Timer | None:
        """Start one; None where too many run.

        :param heard: area of the satellite that it was said to.
        :param key: its identity: a second one under the same key does not begin.
        """
        timer = Timer(key or uuid.uuid4().hex[:12], "running", said, name, area, seconds, now, now + seconds)
        return self._begin(replace(timer, heard=heard))

    def plan(self, key: str, order: Mapping[str, Json], *, said: str, now: float, due: float) -> Timer | None:
        """Write down an order that is due later; None where too many run."""
        return self._begin(Timer(key, "running", said, "", "", round(due - now), now, due, None, (order,)))

    def get(self, key: str) -> Timer | None:
        """One, whatever its state."""
        return next(iter(self._select("id = ?", key)), None)

    def open(self, which: Which = Which()) -> list[Timer]:
        """Those that run or are paused, the next one first."""
        return [timer for timer in self._select("state IN (?, ?) ORDER BY due, id", *_OPEN) if which.fits(timer)]

    def ended(self) -> list[Timer]:
        """Those that have fired, were cancelled or came too late, the latest first."""
        return self._select("state NOT IN (?, ?) ORDER BY due DESC, id", *_OPEN)

    def cancel(self, timers: Sequence[Timer]) -> int:
        """Cancel them; how many were still open."""
        return self._change(timers, lambda timer: replace(timer, state="cancelled", rest=None))

    def pause(self, timers: Sequence[Timer], *, now: float) -> int:
        """Stop them for a while; what is left is kept."""
        running = [timer for timer in timers if timer.state == "running"]
        return self._change(running, lambda timer: replace(timer, state="paused", rest=timer.left(now)))

    def resume(self, timers: Sequence[Timer], *, now: float) -> int:
        """Let them go on."""
        paused = [timer for timer in timers if timer.state == "paused"]
        return self._change(paused, lambda timer: replace(timer, state="running", due=now + timer.left(now), rest=None))

    def move(self, timers: Sequence[Timer], seconds: int, *, now: float) -> int:
        """End them so much later; earlier where it is negative, but not before now."""

        def moved(timer: Timer) -> Timer:
            left = max(0.0, timer.left(now) + seconds)
            return replace(timer, due=now + left, rest=left if timer.state == "paused" else None)

        return self._change(timers, moved)

    def take_due(self, now: float, *, late_seconds: float, leave_seconds: float = 0.0) -> list[Timer]:
        """What has come due, each taken once; orders that are too late are `late` and will not be sent.

        :param leave_seconds: how long what rings at a satellite is left to a process that can make it heard there.
        """
        left = "(heard = '' OR orders != '[]' OR due <= ?)"
        due = self._select(f"state = 'running' AND due <= ? AND {left} ORDER BY due, id", now, now - leave_seconds)
        if not due:
            return []
        taken: list[Timer] = []
        with self._journal.writing() as pen:
            for timer in due:
                late = bool(timer.orders) and now - timer.due > late_seconds
                fired = replace(timer, state="late" if late else "firing")
                if self._step(pen, timer, fired):  # else somebody else took it, or changed it
                    taken.append(fired)
            self._forget(pen)
        return taken

    def end(self, timer: Timer, outcome: str) -> None:
        """It has fired, and this is what became of it."""
        with self._journal.writing() as pen:
            self._step(pen, timer, replace(timer, state="fired", outcome=outcome))

    def _begin(self, timer: Timer) -> Timer | None:
        with self._journal.writing() as pen:
            count = pen.value("SELECT COUNT(*) FROM timers WHERE state IN (?, ?)", _OPEN)
            if count >= self._most:
                return None
            orders = json.dumps([dict(order) for order in timer.orders])
            row = (
                timer.id, timer.state, timer.said, timer.name, timer.area, timer.seconds, timer.made, timer.due,
                timer.rest, orders, timer.outcome, timer.heard,
            )  # fmt: skip
            marks = ", ".join("?" * len(row))
            if pen.change(f"INSERT OR IGNORE INTO timers ({_COLUMNS}) VALUES ({marks})", row):
                pen.tell(_TURN, "timer_running", _told(timer))
        return timer

    def _change(self, timers: Sequence[Timer], changed: _Changed) -> int:
        with self._journal.writing() as pen:
            return sum(self._step(pen, timer, changed(timer)) for timer in timers)

    def _step(self, pen: Pen, before: Timer, after: Timer) -> bool:
        """Whether it stood as before, and now stands as after."""
        done = pen.change(
            "UPDATE timers SET state = ?, due = ?, rest = ?, outcome = ? WHERE id = ? AND state = ? AND due = ?",
            (after.state, after.due, after.rest, after.outcome, before.id, before.state, before.due),
        )
        if done:
            pen.tell(_TURN, f"timer_{after.state}", _told(after))
        return bool(done)

    def _forget(self, pen: Pen) -> None:
        """The oldest of those that have ended; the trail keeps them."""
        pen.change(
            "DELETE FROM timers WHERE id IN (SELECT id FROM timers WHERE state IN ('fired', 'late', 'cancelled') "
            "ORDER BY due DESC, id LIMIT -1 OFFSET ?)",
            (self._kept,),
        )

    def _select(self, where: str, *values: object) -> list[Timer]:
        rows = self._journal.trail.select(f"SELECT {_COLUMNS} FROM timers WHERE {where}", values)
        return [_timer(row) for row in rows]


def _timer(row: Sequence[Any]) -> Timer:
    key, state, said, name, area, seconds, made, due, rest, orders, outcome, heard = row
    return Timer(key, state, said, name, area, seconds, made, due, rest, tuple(json.loads(orders)), outcome, heard)


def _told(timer: Timer) -> dict[str, Json]:
    told: dict[str, Json] = {"timer": timer.id, "said": timer.said, "due": timer.due}
    return told | ({"orders": [dict(one) for one in timer.orders]} if timer.orders else {})
