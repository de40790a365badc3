"""What is there of an entry at a glance: looked at, not read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.weights.catalogue import WeightFile
from agent.weights.manifest import Manifest
from agent.weights.notes import Pin

__all__ = ["EntryStatus", "FileStatus", "glance"]

State = Literal["present", "missing", "wrong size", "unpinned", "earlier version"]


@dataclass(frozen=True, slots=True)
class FileStatus:
    """A file at a glance: looked at, not read."""

    role: str
    path: Path
    state: State
    bytes: int
    """On disk; 0 where missing."""
    pin: Pin | None
    """Set where the digest comes from the first pull and not from the catalogue."""


@dataclass(frozen=True, slots=True)
class EntryStatus:
    """An entry at a glance."""

    name: str
    present: bool
    """Every role that it needs is here at the right size, or in its version before. Digests are another question."""
    files: tuple[FileStatus, ...]


def glance(file: WeightFile, path: Path, pin: Pin | None, note: Manifest | None) -> FileStatus:
    """Whether a file is there, by its size.

    :param pin: by the first pull, where the catalogue leaves the digest open.
    :param note: what lies beside it.
    """
    expected = file.bytes or (pin.bytes if pin else 0)
    try:
        size = path.stat().st_size
    except OSError:
        return FileStatus(file.role, path, "missing", 0, pin)
    if not file.sha256 and pin is None:
        return FileStatus(file.role, path, "unpinned", size, None)
    if not expected or size == expected:
        return FileStatus(file.role, path, "present", size, pin)
    earlier = note is not None and note.by_box and note.size == size
    return FileStatus(file.role, path, "earlier version" if earlier else "wrong size", size, pin)
