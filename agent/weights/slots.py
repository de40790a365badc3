"""The second slot: `<entry>/previous/` keeps the files that were in use before a pull put others in their place.

The old files are linked there under their own names before the first new one is renamed over them, and the folder
comes into place with one rename: so at every instant either the new set is whole or the old one is. Linking costs no
disk, and what is in use stays in use. On a file system without links there is no second slot.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from agent.weights.catalogue import Entry
from agent.weights.manifest import manifest_path
from agent.weights.notes import Rejected, now, read_note, remove, write_note

__all__ = ["clear_rejection", "drop_previous", "keep_as_previous", "previous_path", "reject", "rejection"]

_PREVIOUS = "previous"
_REJECTED = "rejected.json"


def previous_path(path: Path) -> Path:
    """Where the version before of the file at `path` lies."""
    return path.parent / _PREVIOUS / path.name


def keep_as_previous(folder: Path, paths: Iterable[Path]) -> bool:
    """Make the files the second slot, in place of what it held; False where the disk knows no links.

    :param folder: of the entry.
    :param paths: sound files in it; their manifests come along.
    """
    draft, slot, old = folder / f"{_PREVIOUS}.new", folder / _PREVIOUS, folder / f"{_PREVIOUS}.old"
    try:
        for left in (draft, old):
            remove(left)
        draft.mkdir()
        for path in paths:
            for linked in (path, manifest_path(path)):
                with contextlib.suppress(FileNotFoundError):
                    os.link(linked, draft / linked.name)
        if slot.exists():
            slot.rename(old)
        draft.rename(slot)
        remove(old)
    except OSError:
        with contextlib.suppress(OSError):
            remove(draft)
        return False
    return True


def drop_previous(folder: Path) -> None:
    """Give its disk back."""
    with contextlib.suppress(OSError):
        remove(folder / _PREVIOUS)


def reject(folder: Path, entry: Entry, reason: str) -> None:
    """Write down that this version of an entry is not to be used.

    :raises OSError: the folder cannot be written.
    """
    write_note(folder / _REJECTED, Rejected(_version(entry), reason, now()))


def rejection(folder: Path, entry: Entry) -> str:
    """Why this version of an entry is not used; empty where it may be."""
    note = read_note(folder / _REJECTED, Rejected)
    return note.reason if note is not None and note.version == _version(entry) else ""


def clear_rejection(folder: Path) -> None:
    """Let whatever is in place be used again."""
    with contextlib.suppress(OSError):
        remove(folder / _REJECTED)


def _version(entry: Entry) -> str:
    return hashlib.sha256(" ".join(file.sha256 for file in entry.files).encode()).hexdigest()
