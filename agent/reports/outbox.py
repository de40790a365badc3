"""What waits to be delivered, in `watch.db`, until the network is there.

A parcel enters in the transaction that says its report is written, so none is lost. It leaves when its target has taken
it. Between taking and the note of it the power may go; then it is sent once more under the same id (see
`agent.reports.delivery`), because a report that comes twice does no harm and one that is lost does. After a failure the
next try waits longer each time, counted by a clock that nobody can set; after a restart everything is tried at once.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.journal import Journal, Pen
from agent.reports.delivery import NotDelivered, Parcel, deliver
from agent.settings import ReportSettings

__all__ = ["Outbox", "Waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A parcel and where it goes."""

    id: str
    run: str
    target: str
    parcel: Parcel
    tries: int
    queued: float
    problem: str
    """Why the last try failed; empty before the first."""


class Outbox:
    """The outbox of one box. One process at a time sends from it."""

    def __init__(
        self,
        journal: Journal,
        settings: ReportSettings,
        *,
        now: Callable[[], float] = time.time,
        up: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._settings = settings
        self._now, self._up = now, up
        self._not_before: dict[str, float] = {}

    def put(self, pen: Pen, run: str, target: str, parcel: Parcel) -> None:
        """Let a parcel wait, with the steps of a transaction; the same one again changes nothing."""
        body = {
            "subject": parcel.subject, "text": parcel.text, "files": [str(file) for file in parcel.files],
            "facts": dict(parcel.facts),
        }  # fmt: skip
        row = (f"{parcel.id}>{target}", run, target, json.dumps(body, ensure_ascii=False, default=str), parcel.queued)
        pen.change(
            "INSERT OR IGNORE INTO outbox (id, run, target, body, queued, state, tries, problem) "
            "VALUES (?, ?, ?, ?, ?, 'waiting', 0, '')",
            row,
        )

    def waiting(self) -> list[Waiting]:
        """Oldest first.

        :raises DatabaseError: they cannot be read.
        """
        rows = self._journal.trail.select(
            "SELECT id, run, target, body, tries, queued, problem FROM outbox WHERE state = 'waiting' "
            "ORDER BY queued, id",
            (),
        )
        return [one for row in rows if (one := _waiting(row)) is not None]

    def send(self) -> tuple[int, int]:
        """Try what is due to be tried.

        :returns: how many were delivered, and how many still wait.
        :raises DatabaseError: the outbox cannot be read or written; what was delivered may then be delivered again.
        """
        sent = 0
        with self._alone() as alone:
            for one in self.waiting() if alone else ():
                if self._not_before.get(one.id, 0.0) <= self._up():
                    sent += self._try(one)
        return sent, len(self.waiting())

    def _try(self, one: Waiting) -> bool:
        try:
            deliver(one.parcel, one.target, self._settings)
        except NotDelivered as error:
            self._failed(one, str(error))
            return False
        self._close(one, "sent", "")
        return True

    def _failed(self, one: Waiting, problem: str) -> None:
        settings, tries = self._settings, one.tries + 1
        late = self._now() - one.queued > settings.give_up_days * 86_400 and tries >= settings.give_up_tries
        if late:
            self._close(one, "given_up", problem)
            return
        wait = min(settings.retry_seconds * 2 ** min(tries - 1, 30), settings.retry_most_seconds)
        self._not_before[one.id] = self._up() + wait
        with self._journal.trail.writing() as writing:
            writing.db.execute("UPDATE outbox SET tries = ?, problem = ? WHERE id = ?", (tries, problem, one.id))
            if problem != one.problem:  # the same again every hour is no news
                writing.add(one.run, "delivery_waits", {"target": one.target, "problem": problem, "tries": tries})

    def _close(self, one: Waiting, state: str, problem: str) -> None:
        self._not_before.pop(one.id, None)
        with self._journal.trail.writing() as writing:
            values = (state, one.tries + 1, problem, one.id)
            writing.db.execute("UPDATE outbox SET state = ?, tries = ?, problem = ? WHERE id = ?", values)
            told = {"target": one.target, "tries": one.tries + 1, "problem": problem}
            writing.add(one.run, f"delivery_{state}", told)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether no other process sends now."""
        descriptor = os.open(self._journal.trail.path.with_suffix(".outbox"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(descriptor)


def _waiting(row: tuple[object, ...]) -> Waiting | None:
    """A row; None where somebody spoiled it."""
    name, run, target, body, tries, queued, problem = row
    try:
        told = json.loads(str(body))
        parcel = Parcel(
            str(name).rpartition(">")[0] or str(name), str(told["subject"]), str(told["text"]),
            tuple(Path(str(file)) for file in told["files"]), dict(told["facts"]), float(str(queued)),
        )  # fmt: skip
        return Waiting(str(name), str(run), str(target), parcel, int(str(tries)), float(str(queued)), str(problem))
    except (ValueError, KeyError, TypeError):
        return None
