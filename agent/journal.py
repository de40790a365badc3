"""What has begun and where it stands, so that after a power cut everything is either finished or closed.

    turn      started → finished | failed | interrupted
    approval  waiting → approved → used;  → refused | expired
    command   planned → approved → sending → sent → confirmed;  → failed | unsure | expired
    report    due → written | failed

`NEXT` holds every step that there is. A step and its row in the audit trail are one transaction, durable before the
caller goes on; several steps can be one transaction. What another process began is its own as long as it lives.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

from agent.audit import Trail, Writing
from agent.clock import Instant, Span, read_clock
from agent.errors import IntegrityError
from agent.owner import Owner

__all__ = ["NEXT", "Entry", "IllegalStep", "Journal", "Kind", "Pen"]

Kind = Literal["turn", "approval", "command", "report"]
NEXT: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    "turn": {
        "": ("started",),
        "started": ("finished", "failed", "interrupted"),
    },
    "approval": {
        "": ("waiting",),
        "waiting": ("approved", "refused", "expired"),
        "approved": ("used", "refused", "expired"),
    },
    "command": {
        "": ("planned",),
        "planned": ("approved", "expired"),
        "approved": ("sending", "expired"),
        "sending": ("sent", "failed", "unsure"),
        "sent": ("confirmed", "failed", "unsure"),
        "unsure": ("confirmed", "failed"),
    },
    "report": {
        "": ("due",),
        "due": ("written", "failed"),
    },
}
"""Kind → state → the states that may follow; what follows "" is how it begins."""
_COLUMNS = "kind, id, state, turn, body, owner, person, seal, wall, boot, up, seconds"


class IllegalStep(Exception):
    """A step that `NEXT` does not have. A bug, or two who did the same thing: the second one did nothing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that has begun."""

    kind: str
    id: str
    """Unique within its kind. Of a command it is the idempotency key: what has begun under it never begins again."""
    state: str
    turn: str
    """The turn that it belongs to."""
    body: Mapping[str, Any]
    """Exactly what it is about; never changed."""
    owner: str
    """The process that has it in hand; see `agent.owner`."""
    begun: Instant
    seconds: float | None = None
    """How long it is valid; None is for ever."""
    person: str = ""
    """Who decided."""
    seal: str = ""
    """What the one who decided can make and nobody else."""

    @property
    def span(self) -> Span | None:
        """When it is valid."""
        return None if self.seconds is None else Span(self.begun, self.seconds)


class Journal:
    """The journal of one box, in its `watch.db`. Safe for use from several threads."""

    def __init__(self, trail: Trail, *, clock: Callable[[], Instant] = read_clock) -> None:
        self.trail = trail
        self.clock = clock
        self._owner: Owner | None = None
        self._lock = threading.Lock()
        self._here: set[tuple[str, str]] = set()

    @contextmanager
    def writing(self) -> Iterator[Pen]:
        """Steps that are durable together when the block ends, or not there at all.

        :raises DatabaseError: they cannot be written; then what they stand for must not be done.
        :raises IllegalStep: one of them may not follow.
        """
        owner = self._this_process()
        fresh = set[tuple[str, str]]()
        try:
            with self.trail.writing() as writing:
                pen = Pen(writing, owner, self.clock())
                yield pen
                with self._lock:  # before others can see it, so that no thread takes it for abandoned
                    fresh = pen.taken - self._here
                    self._here |= fresh
        except BaseException:
            with self._lock:
                self._here -= fresh
            raise
        with self._lock:
            self._here -= pen.left

    def entry(self, kind: Kind, entry_id: str) -> Entry | None:
        """What is known of it now.

        :raises IntegrityError: somebody spoiled it.
        """
        return next((_entry(row) for row in self._select("kind = ? AND id = ?", kind, entry_id)), None)

    def entries(self, kind: Kind, *states: str) -> list[Entry]:
        """All in one of these states, oldest first; what somebody spoiled is left out, so nothing comes of it."""
        marks = ", ".join("?" * len(states))
        return _sound(self._select(f"kind = ? AND state IN ({marks}) ORDER BY wall, id", kind, *states))

    def abandoned(self, kind: Kind, *states: str) -> list[Entry]:
        """Those that nobody has in hand any more: their process is dead, or this one failed to write their end."""
        left = [entry for entry in self.entries(kind, *states) if not self.in_hand(entry)]
        still = {e.id for e in self.entries(kind, *states)} if left else set()
        return [e for e in left if e.id in still]  # what ended meanwhile is not abandoned

    def in_hand(self, entry: Entry) -> bool:
        """Whether a process that lives works on it now: this one, or another."""
        owner = self._this_process()
        if entry.owner != owner.id:
            return owner.lives(entry.owner)
        with self._lock:
            return (entry.kind, entry.id) in self._here

    def spoiled(self) -> int:
        """How many entries cannot be read, since somebody changed them from outside."""
        rows = self._select("1 = 1")
        return len(rows) - len(_sound(rows))

    def drop(self, kind: Kind, entry_id: str) -> None:
        """Whoever had it in hand here is gone and could not write how it ended."""
        with self._lock:
            self._here.discard((kind, entry_id))

    def close(self) -> None:
        """Whatever this process still had in hand counts as abandoned."""
        with self._lock:
            if self._owner is not None:
                self._owner.close()
            self._owner = None

    def _this_process(self) -> Owner:
        with self._lock:
            if self._owner is None:
                self._owner = Owner(self.trail.path.with_suffix(".running"))
            return self._owner

    def _select(self, where: str, *values: object) -> list[tuple[Any, ...]]:
        return self.trail.select(f"SELECT {_COLUMNS} FROM journal WHERE {where}", values)


class Pen:
    """Writes steps within one transaction."""

    def __init__(self, writing: Writing, owner: Owner, now: Instant) -> None:
        self.now = now
        self.taken: set[tuple[str, str]] = set()
        self.left: set[tuple[str, str]] = set()
        self._writing = writing
        self._owner = owner

    def entry(self, kind: Kind, entry_id: str) -> Entry | None:
        """What is known of it, in this transaction."""
        found = self._writing.db.execute(
            f"SELECT {_COLUMNS} FROM journal WHERE kind = ? AND id = ?", (kind, entry_id)
        ).fetchone()
        return None if found is None else _entry(found)

    def entries(self, kind: Kind, *states: str) -> list[Entry]:
        """As `Journal.entries`, in this transaction."""
        marks = ", ".join("?" * len(states))
        found = self._writing.db.execute(
            f"SELECT {_COLUMNS} FROM journal WHERE kind = ? AND state IN ({marks}) ORDER BY wall, id", (kind, *states)
        )
        return _sound(found)

    def value(self, sql: str, values: Sequence[object]) -> Any:
        """The first field of the first row of another table of `watch.db`, in this transaction; None where there is
        none.
        """
        row = self._writing.db.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def change(self, sql: str, values: Sequence[object]) -> int:
        """Change another table of `watch.db` with these steps; how many rows."""
        return self._writing.db.execute(sql, values).rowcount

    def tell(self, turn: str, kind: str, told: Mapping[str, Any]) -> None:
        """Add a row to the audit trail with these steps."""
        self._writing.add(turn, kind, told)

    def begin(
        self,
        kind: Kind,
        entry_id: str,
        *,
        turn: str,
        body: Mapping[str, Any],
        told: Mapping[str, Any],
        span: Span | None = None,
    ) -> Entry:
        """Begin something.

        :param body: exactly what it is about: JSON.
        :param told: what the audit trail says of it.
        :raises IllegalStep: it has begun before.
        """
        if self.entry(kind, entry_id) is not None:
            raise IllegalStep(f"{kind} {entry_id} has begun before")
        (state,) = NEXT[kind][""]
        begun = span.begun if span else self.now
        made = Entry(kind, entry_id, state, turn, body, self._owner.id, begun, span.seconds if span else None)
        row = (
            kind, entry_id, state, turn, json.dumps(body, sort_keys=True), made.owner, "", "",
            begun.wall, begun.boot, begun.up, made.seconds,
        )  # fmt: skip
        self._writing.db.execute(f"INSERT INTO journal ({_COLUMNS}) VALUES ({', '.join('?' * len(row))})", row)
        self._told(made, told)
        return made

    def step(
        self, entry: Entry, state: str, told: Mapping[str, Any], *, person: str | None = None, seal: str | None = None
    ) -> Entry:
        """Take something a step further; from now on this process has it in hand.

        :raises IllegalStep: this may not follow where it stands now.
        """
        now = self.entry(_kind(entry.kind), entry.id)
        if now is None or state not in NEXT[_kind(entry.kind)].get(now.state, ()):
            raise IllegalStep(f"{entry.kind} {entry.id} is {now.state if now else 'not there'}, not to be {state}")
        moved = replace(
            now,
            state=state,
            owner=self._owner.id,
            person=now.person if person is None else person,
            seal=now.seal if seal is None else seal,
        )
        self._writing.db.execute(
            "UPDATE journal SET state = ?, owner = ?, person = ?, seal = ? WHERE kind = ? AND id = ?",
            (state, moved.owner, moved.person, moved.seal, moved.kind, moved.id),
        )
        self._told(moved, told)
        return moved

    def _told(self, entry: Entry, told: Mapping[str, Any]) -> None:
        self._writing.add(entry.turn, f"{entry.kind}_{entry.state}", told)
        key = (entry.kind, entry.id)
        open_still = entry.state in NEXT[_kind(entry.kind)]
        self.taken, self.left = (
            (self.taken | {key}, self.left - {key}) if open_still else (self.taken - {key}, self.left | {key})
        )


def _kind(text: str) -> Kind:
    for kind in NEXT:
        if kind == text:
            return kind
    raise IntegrityError(f"the journal holds something of kind {text!r:.40}, which this version does not know")


def _sound(rows: Iterable[tuple[Any, ...]]) -> list[Entry]:
    found = []
    for row in rows:
        with suppress(IntegrityError):
            found.append(_entry(row))
    return found


def _entry(row: tuple[Any, ...]) -> Entry:
    kind, entry_id, state, turn, text, owner, person, seal, wall, boot, up, seconds = row
    try:
        body = json.loads(text)
        begun = Instant(float(wall), str(boot), float(up))
        valid = None if seconds is None else float(seconds)
    except (ValueError, TypeError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise IntegrityError(f"the journal's entry {entry_id!r:.40} was spoiled; restore watch.db")
    return Entry(
        str(kind), str(entry_id), str(state), str(turn), body, str(owner), begun, valid, str(person), str(seal)
    )
