"""Approvals: a person says yes to one call, once, for a while.

    ask      the call waits; the same call that waits already is not asked for twice
    answer   a person approves or refuses it, in whatever process
    take     the call runs: the approval is used up in the transaction in which the command begins

An approval holds for hash(tool, arguments, expiry) and nothing else, and is sealed with the key of this box, so that a
row changed in the database approves nothing. Whatever is not clearly a yes is a no.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.clock import Span
from agent.errors import InputError, NeedsPerson, ToolDenied
from agent.journal import Entry, Journal, Pen
from agent.settings import ApprovalSettings
from agent.values import Json

__all__ = ["Approvals", "Request", "call_digest", "call_text"]

_ID_BYTES = 4


@dataclass(frozen=True, slots=True)
class Request:
    """A call and what was decided about it."""

    id: str
    tool: str
    arguments: Mapping[str, Json]
    state: str
    """As `agent.journal.NEXT` has it."""
    until: datetime
    """UTC, as the box believed when it was asked for."""
    turn: str
    person: str
    """Who decided."""
    digest: str = ""
    """What the answer is bound to; see `call_digest`."""

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "tool": self.tool,
            "arguments": dict(self.arguments),
            "state": self.state,
            "until": self.until.isoformat(timespec="seconds"),
            "turn": self.turn,
            "person": self.person,
        }


class Approvals:
    """The approvals of one box."""

    def __init__(self, journal: Journal, settings: ApprovalSettings, *, key: bytes) -> None:
        """
        :param key: of the box; see `agent.box_key`.
        """
        self.journal = journal
        self._settings = settings
        self._key = key

    def ask(self, pen: Pen, turn: str, tool: str, arguments: Mapping[str, Json]) -> Request:
        """Have a call wait for a person.

        :raises ToolDenied: more arguments than a person can read.
        :raises NeedsPerson: too many wait already; this one is not kept.
        """
        if len(call_text(tool, arguments)) > self._settings.max_argument_chars:
            raise ToolDenied(f"{tool}: its arguments are longer than approvals.max_argument_chars; order less at once")
        waiting = [entry for entry in pen.entries("approval", "waiting") if _holds(entry, pen)]
        for entry in waiting:
            if _canonical(entry.body.get("tool"), entry.body.get("arguments")) == _canonical(tool, arguments):
                return _request(entry)
        if len(waiting) >= self._settings.max_waiting_calls:
            raise NeedsPerson(
                f"{tool} needs a person's approval, and {len(waiting)} calls wait for one already; "
                "answer them first: watchkeeper approvals list"
            )
        span = Span(pen.now, self._settings.valid_seconds)
        body = {"tool": tool, "arguments": dict(arguments), "digest": call_digest(tool, arguments, span)}
        entry_id = secrets.token_hex(_ID_BYTES)
        return _request(
            pen.begin("approval", entry_id, turn=turn, body=body, told={"approval": entry_id, **body}, span=span)
        )

    def waiting(self) -> list[Request]:
        """Calls that a person may answer now, oldest first; answered ones too, as long as they can still be used."""
        now = self.journal.clock()
        entries = self.journal.entries("approval", "waiting", "approved")
        return [_request(e) for e in entries if e.span is not None and e.span.holds(now)]

    def answer(self, entry_id: str, *, approve: bool, person: str, digest: str | None = None) -> Request:
        """What a person decided. An approval that was given can be taken back until it is used.

        :param person: who it was.
        :param digest: of the call that the person saw; None: it was seen as it is here.
        :raises InputError: there is no such request, or it was answered, used or too late; nothing is changed.
        """
        with self.journal.writing() as pen:
            entry = pen.entry("approval", entry_id)
            if entry is None:
                raise InputError(f"{entry_id[:40]}: no such request; see: watchkeeper approvals list")
            if entry.state not in (("waiting",) if approve else ("waiting", "approved")):
                raise InputError(f"{entry_id}: it is {entry.state} already; ask for the call anew")
            if digest is not None and not hmac.compare_digest(digest.encode(), str(entry.body.get("digest")).encode()):
                raise InputError(f"{entry_id}: the answer is to another call; look at what waits now")
            if not _holds(entry, pen):
                raise InputError(f"{entry_id}: it is too late for an answer; ask for the call anew")
            told = {"approval": entry_id, "digest": entry.body.get("digest"), "person": person}
            if not approve:
                return _request(pen.step(entry, "refused", told, person=person))
            seal = self._seal(entry, person)
            return _request(pen.step(entry, "approved", told, person=person, seal=seal))

    def take(self, pen: Pen, tool: str, arguments: Mapping[str, Json]) -> Entry | None:
        """Use up the approval of exactly this call.

        :return: the approval as it was; None where nobody approved it, or not in time.
        """
        for entry in pen.entries("approval", "approved"):
            if self._covers(entry, tool, arguments, pen):
                pen.step(entry, "used", {"approval": entry.id, "digest": entry.body["digest"], "person": entry.person})
                return entry
        return None

    def expire(self) -> int:
        """Close what nobody can answer or use any more.

        :return: how many.
        """
        closed = 0
        if any(not _valid(e, self.journal) for e in self.journal.entries("approval", "waiting", "approved")):
            with self.journal.writing() as pen:
                for entry in pen.entries("approval", "waiting", "approved"):
                    if not _holds(entry, pen):
                        pen.step(entry, "expired", {"approval": entry.id})
                        closed += 1
        return closed

    def _covers(self, entry: Entry, tool: str, arguments: Mapping[str, Json], pen: Pen) -> bool:
        if entry.span is None or not _holds(entry, pen):
            return False
        wanted = call_digest(tool, arguments, entry.span)
        return hmac.compare_digest(wanted, str(entry.body.get("digest"))) and hmac.compare_digest(
            entry.seal, self._seal(entry, entry.person)
        )

    def _seal(self, entry: Entry, person: str) -> str:
        sealed = _canonical(entry.id, entry.body.get("digest"), entry.begun.boot, entry.begun.up, person)
        return hmac.new(self._key, sealed.encode(), hashlib.sha256).hexdigest()


def call_text(tool: str, arguments: Mapping[str, Json]) -> str:
    """A call in one line, as a person is asked about it; what would change the look of the line shows as its number."""
    text = f"{tool} {json.dumps(dict(arguments), ensure_ascii=False, sort_keys=True)}"
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def call_digest(tool: str, arguments: Mapping[str, Json], span: Span) -> str:
    """What an approval is bound to: the tool, its exact arguments, and when it ends."""
    text = _canonical(tool, dict(arguments), span.begun.wall, span.seconds)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(*values: object) -> str:
    return json.dumps(values, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def _holds(entry: Entry, pen: Pen) -> bool:
    return entry.span is not None and entry.span.holds(pen.now)


def _valid(entry: Entry, journal: Journal) -> bool:
    return entry.span is not None and entry.span.holds(journal.clock())


def _request(entry: Entry) -> Request:
    arguments = entry.body.get("arguments")
    until = datetime.min.replace(tzinfo=UTC)
    with suppress(OverflowError, OSError, ValueError):  # a clock that stands beyond all years
        until = datetime.fromtimestamp(entry.span.ends_wall if entry.span else 0.0, UTC)
    return Request(
        entry.id, str(entry.body.get("tool")), arguments if isinstance(arguments, dict) else {}, entry.state,
        until, entry.turn, entry.person, str(entry.body.get("digest", "")),
    )  # fmt: skip
