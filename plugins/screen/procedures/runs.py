"""Where a run stands, by the journal of the box, and what was seen in it, by the trail.

A run has no state of its own: its stages are commands. What was begun and whose end nobody knows stays unsure until a
person has looked; it is never begun again. What a field held before is in the trail before anything is typed.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.api import Env, Json
from agent.approval import Approvals, Request
from agent.audit import Trail
from agent.box_key import box_secret
from agent.journal import Entry, Journal

__all__ = ["RUN", "TOOL", "Call", "Runs"]

TOOL = "screen_procedure"
RUN = re.compile(r"[0-9a-f]{8}")
_BEGUN = frozenset({"sending", "sent", "confirmed", "unsure"})


@dataclass(frozen=True, slots=True)
class Call:
    """One stage of a run, as the arguments of a call."""

    procedure: str
    digest: str
    """Of the file that the run is bound to."""
    run: str
    stage: int
    """Counted from one."""
    parameters: Mapping[str, str]
    undo: int = 0
    """The stage up to which all is taken back; 0: it goes forward."""
    before: Mapping[str, str] = field(default_factory=dict)
    """With `undo`: parameter → what its field held before."""
    does: str = ""
    """In words, for who approves it."""

    def to_json(self) -> dict[str, Json]:
        """As a call has it; what is not said is left out."""
        told: dict[str, Json] = {
            "procedure": self.procedure, "digest": self.digest, "run": self.run, "stage": self.stage,
            "parameters": dict(self.parameters), "does": self.does,
        }  # fmt: skip
        return told | ({"undo": self.undo, "before": dict(self.before)} if self.undo else {})

    @staticmethod
    def of(arguments: Mapping[str, Any]) -> Call:
        """What a call means; of whatever kind its arguments are."""

        def words(name: str) -> dict[str, str]:
            found = arguments.get(name)
            return {str(k): str(v) for k, v in found.items()} if isinstance(found, Mapping) else {}

        def number(name: str) -> int:
            found = arguments.get(name)
            return found if isinstance(found, int) and not isinstance(found, bool) else 0

        return Call(
            str(arguments.get("procedure")), str(arguments.get("digest")), str(arguments.get("run")),
            number("stage"), words("parameters"), number("undo"), words("before"), str(arguments.get("does") or ""),
        )  # fmt: skip


class Runs:
    """The runs of one box; `watch.db` is opened when it is first needed. Safe for use from several threads."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._lock = threading.Lock()
        self._open: Journal | None = None

    @property
    def journal(self) -> Journal:
        """
        :raises DatabaseError: `watch.db` cannot be used.
        """
        with self._lock:
            if self._open is None:
                settings = self._env.settings
                self._open = Journal(Trail(self._env.home.watch_db, busy_seconds=settings.watch.busy_seconds))
            return self._open

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            opened, self._open = self._open, None
        if opened is not None:
            opened.close()
            opened.trail.close()

    def fresh(self) -> str:
        """A name for a run."""
        return secrets.token_hex(4)

    def waiting(self, call: Call) -> Request | None:
        """A run that was asked for in the same words and waits for a person, so that it is not asked for twice."""
        return next(
            (
                one
                for one in self._approvals().waiting()
                if one.tool == TOOL
                and (known := Call.of(one.arguments)).procedure == call.procedure
                and (known.digest, known.parameters, known.undo) == (call.digest, call.parameters, 0)
            ),
            None,
        )

    def ask(self, call: Call) -> Request:
        """Have the next stage wait for a person.

        :raises ToolDenied, NeedsPerson: as `Approvals.ask`.
        """
        with self.journal.writing() as pen:
            return self._approvals().ask(pen, f"s{call.run}", TOOL, call.to_json())

    def commands(self, run: str) -> list[tuple[Call, Entry]]:
        """The stages of a run that were begun, or approved, oldest first."""
        found = self.journal.trail.select(
            "SELECT id FROM journal WHERE kind = 'command' AND json_extract(body, '$.tool') = ? AND "
            "json_extract(body, '$.arguments.run') = ? ORDER BY wall, id",
            (TOOL, run),
        )
        entries = [self.journal.entry("command", str(row[0])) for row in found]
        return [(Call.of(entry.body.get("arguments") or {}), entry) for entry in entries if entry is not None]

    def begun(self, call: Call) -> list[Entry]:
        """Commands of exactly this stage that were, or may have been, sent."""
        return [
            entry
            for one, entry in self.commands(call.run)
            if (one.stage, one.undo > 0) == (call.stage, call.undo > 0) and entry.state in _BEGUN
        ]

    def latest(self, most: int) -> list[str]:
        """Names of the last runs, latest first."""
        found = self.journal.trail.select(
            "SELECT json_extract(body, '$.arguments.run') AS run, MAX(wall) AS last FROM journal WHERE "
            "kind = 'command' AND json_extract(body, '$.tool') = ? GROUP BY run ORDER BY last DESC LIMIT ?",
            (TOOL, most),
        )
        return [str(row[0]) for row in found]

    def held(self, run: str) -> dict[str, str]:
        """Parameter → what its field held before the run touched it."""
        found: dict[str, str] = {}
        for row in self.journal.trail.rows(turn=f"s{run}"):
            if row.kind == "procedure_step_begun" and isinstance(row.body.get("held"), dict):
                for key, value in row.body["held"].items():
                    found.setdefault(str(key), str(value))
        return found

    def tell(self, run: str, kind: str, told: Mapping[str, Json]) -> None:
        """A row of the trail.

        :raises DatabaseError: it cannot be written.
        """
        self.journal.trail.add(f"s{run}", kind, {"run": run, **told})

    def _approvals(self) -> Approvals:
        return Approvals(self.journal, self._env.settings.approvals, key=box_secret(self._env.home.box_key))
