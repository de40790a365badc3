"""What was tried on this box: an item that failed is not tried again by a timer, only when a person names it.

The note is written before an item is put in use and removed when it works, so that a version which takes the whole box
down is noticed too: it was begun several times and never ended.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.updates.durable import write_durably
from agent.updates.items import Item

__all__ = ["Tries"]

_MAX_NOTE_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class _Note:
    digest: str
    """Of the item."""
    begun: int
    """How often it was put in use without an end."""
    reason: str
    """Why it failed; empty while nobody knows."""


class Tries:
    """The notes, one for each kind and name."""

    def __init__(self, folder: Path, *, most: int) -> None:
        """
        :param most: begun so often without an end, an item is held back.
        """
        self._folder = folder
        self._most = most

    def problem(self, item: Item) -> str:
        """Why an item is held back; empty where it is not."""
        note = self._read(item)
        if note.reason or note.begun < self._most:
            return note.reason
        return f"the box went down {note.begun} times while it was put in use"

    def begin(self, item: Item, *, again: bool = False) -> None:
        """It is put in use now.

        :param again: a person asked for it: what happened before does not count.
        :raises UpdateError: that cannot be written down.
        """
        before = 0 if again else self._read(item).begun
        self._write(item, _Note(item.digest, before + 1, ""))

    def failed(self, item: Item, reason: str) -> None:
        """It does not work here.

        :raises UpdateError: that cannot be written down.
        """
        self._write(item, _Note(item.digest, self._read(item).begun, reason))

    def forget(self, item: Item) -> None:
        """It is in use, or was not really tried."""
        with suppress(OSError):
            self._path(item).unlink(missing_ok=True)

    def _read(self, item: Item) -> _Note:
        with suppress(OSError, ValueError, TypeError, RecursionError), self._path(item).open("rb") as file:
            note = _Note(**json.loads(file.read(_MAX_NOTE_BYTES)))
            if note.digest == item.digest and isinstance(note.begun, int) and isinstance(note.reason, str):
                return note
        return _Note(item.digest, 0, "")

    def _write(self, item: Item, note: _Note) -> None:
        write_durably(self._path(item), json.dumps(asdict(note), ensure_ascii=False).encode())

    def _path(self, item: Item) -> Path:
        return self._folder / f"{item.kind}-{item.name}.json"
