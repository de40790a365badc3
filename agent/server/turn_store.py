"""What the server keeps of turns beyond the trail: who asked, and the photo as it came.

Who asked stands in `watch.db`; state, steps and answer are read from journal and trail, so that a turn which was cut
off, by whatever, is told as what it is. Photos lie in the cache, bounded, and may be deleted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.audit import Trail
from agent.errors import DatabaseError
from agent.perception import Perception
from agent.server.outcomes import with_outcome
from agent.server.steps import ENDS, step_of

__all__ = ["Asked", "PastTurn", "TurnStore"]

_ID = re.compile(r"[0-9a-z]{1,40}")
_STATES: Mapping[str, str] = {"finished": "finished", "failed": "failed"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked what."""

    id: str
    client: str
    at: float
    """Seconds since 1970."""
    question: str
    conversation: str
    photo: bool


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A turn that has ended, as the trail tells it."""

    asked: Asked
    state: str
    """finished | failed | interrupted"""
    steps: tuple[Mapping[str, object], ...]
    answer: Mapping[str, Any] | None
    error: str
    """Class and message of what ended it."""


class TurnStore:
    """Safe for use from several threads."""

    def __init__(self, trail: Trail, folder: Path, *, photo_bytes: int, kept_turns: int) -> None:
        """
        :param folder: of the photos; made where it is missing.
        """
        self._trail = trail
        self._folder = folder
        self._photo_bytes = photo_bytes
        self._kept = kept_turns
        with suppress(OSError):  # then no photo is kept, and the page shows none
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def add(self, asked: Asked, photo: bytes | None, *, durable: bool) -> bool:
        """Keep who asked.

        :param durable: already now; else with the first row of the turn, which is soon enough where nobody is told that
            it was taken before it has an answer.
        :return: whether the photo is kept too, where there is one.
        :raises DatabaseError: it cannot be written; then the question is not taken.
        """
        kept = photo is not None and self._keep_photo(asked.id, photo)
        row = (asked.id, asked.client, asked.at, asked.question, asked.conversation, int(asked.photo))
        with self._trail.writing(durable=durable) as writing:
            writing.db.execute("INSERT OR IGNORE INTO asked VALUES (?, ?, ?, ?, ?, ?)", row)
        return kept

    def forget(self, turn: str) -> None:
        """It was not taken after all. Where that cannot be written, it is told as interrupted."""
        with suppress(DatabaseError), self._trail.writing() as writing:
            writing.db.execute("DELETE FROM asked WHERE id = ?", (turn,))

    def prune(self) -> None:
        """Forget who asked the oldest turns; the trail keeps all of them.

        :raises DatabaseError: it cannot be written.
        """
        with self._trail.writing() as writing:
            oldest = "SELECT id FROM asked ORDER BY at DESC LIMIT -1 OFFSET ?"
            writing.db.execute(f"DELETE FROM asked WHERE id IN ({oldest})", (self._kept,))

    def asked(self, turn: str) -> Asked | None:
        """Who asked a turn."""
        rows = self._trail.select("SELECT * FROM asked WHERE id = ?", (turn,))
        return _asked(rows[0]) if rows else None

    def history(self, client: str, most: int) -> list[tuple[Asked, str]]:
        """A client's turns, newest first, and how each ended; empty where it has not."""
        rows = self._trail.select(
            "SELECT a.*, j.state FROM asked a LEFT JOIN journal j ON j.kind = 'turn' AND j.id = a.id "
            "WHERE a.client = ? ORDER BY a.at DESC LIMIT ?",
            (client, most),
        )
        return [(_asked(row[:6]), _STATES.get(str(row[6]), "interrupted")) for row in rows]

    def past(self, asked: Asked) -> PastTurn:
        """A turn that nobody works on any more."""
        steps: list[Mapping[str, object]] = []
        answer, error, state = None, "", "interrupted"
        for row in self._trail.rows(turn=asked.id):
            if row.kind == "turn_finished":
                answer, state = row.body, "finished"
            elif row.kind in ENDS:
                error, state = str(row.body.get("error", "")), row.kind.removeprefix("turn_")
            elif (step := step_of(row.kind, row.at, row.body)) is not None:
                steps.append(step)
                answer = answer and with_outcome(answer, row.kind, row.at, row.body)
        return PastTurn(asked, state, tuple(steps), answer, error)

    def photo(self, turn: str) -> bytes | None:
        """The photo as it came; None where it is not kept any more."""
        return self._read(turn, "photo")

    def keep_perception(self, turn: str, perception: Perception) -> None:
        """What was read from the photo of a turn."""
        text = json.dumps(perception.to_json(), ensure_ascii=False)
        with suppress(OSError):
            self._path(turn, "json").write_text(text, encoding="utf-8")

    def perception(self, turn: str) -> dict[str, Any] | None:
        """The same as JSON; None where it is not kept any more."""
        data = self._read(turn, "json")
        with suppress(ValueError):
            found = json.loads(data) if data else None
            return found if isinstance(found, dict) else None
        return None

    def _keep_photo(self, turn: str, photo: bytes) -> bool:
        try:
            self._path(turn, "photo").write_bytes(photo)
        except OSError:
            with suppress(OSError):  # no half of one
                self._path(turn, "photo").unlink()
            return False
        self._clear()
        return self._path(turn, "photo").is_file()

    def _clear(self) -> None:
        """Delete the oldest files beyond the bound."""
        with suppress(OSError):
            files = sorted(self._folder.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
            total = 0
            for file in files:
                total += file.stat().st_size
                if total > self._photo_bytes:
                    file.unlink(missing_ok=True)

    def _read(self, turn: str, kind: str) -> bytes | None:
        if not _ID.fullmatch(turn):
            return None
        try:
            return self._path(turn, kind).read_bytes()
        except OSError:
            return None

    def _path(self, turn: str, kind: str) -> Path:
        return self._folder / f"{turn}.{kind}"


def _asked(row: tuple[Any, ...]) -> Asked:
    turn, client, at, question, conversation, photo = row
    return Asked(str(turn), str(client), float(at), str(question), str(conversation), bool(photo))
