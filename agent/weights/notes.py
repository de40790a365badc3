"""Small notes beside the weight files: what was set aside and why, what a first pull pinned, which version failed.

A note is written whole or not at all, and one that is not in our form is no note.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

__all__ = ["Pin", "Rejected", "SetAside", "beside", "now", "read_note", "remove", "set_aside_note", "write_note"]

_NOTE_BYTES = 10_000
"""A note larger than this is not ours."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that was found bad."""

    file: str
    """`<entry>/<file name>`"""
    reason: str
    when: str
    """ISO, UTC."""
    expected_bytes: int
    expected_sha256: str
    found_bytes: int
    found_sha256: str
    """Empty where the whole was not hashed."""
    fault: str = ""
    """A `Fault`."""


@dataclass(frozen=True, slots=True)
class Pin:
    """The digest of a file that the catalogue leaves open, as the first pull found it."""

    sha256: str
    bytes: int
    pinned_at: str
    """ISO, UTC."""
    source: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A version that verified and did not work, so that the one before answers."""

    version: str
    """Digest over the digests of its files."""
    reason: str
    when: str
    """ISO, UTC."""


_Note = TypeVar("_Note", SetAside, Pin, Rejected)


def read_note(path: Path, kind: type[_Note]) -> _Note | None:
    """None where there is none, or where it is not one of ours."""
    try:
        with path.open("rb") as note:
            return kind(**json.loads(note.read(_NOTE_BYTES)))
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def write_note(path: Path, note: SetAside | Pin | Rejected) -> None:
    """Whole or not at all.

    :raises OSError: the folder cannot be written.
    """
    draft = beside(path, ".new")
    with draft.open("w", encoding="utf-8") as out:
        json.dump(asdict(note), out, ensure_ascii=False, indent=1)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)


def set_aside_note(bad: Path) -> SetAside:
    """What is known of a `*.bad`, also of one whose note could not be written."""
    name = f"{bad.parent.name}/{bad.name.removesuffix('.bad')}"
    unexplained = SetAside(name, "was found bad; why was not recorded", "", 0, "", 0, "")
    return read_note(beside(bad, ".json"), SetAside) or unexplained


def beside(path: Path, ending: str) -> Path:
    """The path with something after its name."""
    return path.with_name(path.name + ending)


def remove(path: Path) -> None:
    """Whatever it is; nothing happens where it is not there.

    :raises OSError: it cannot be removed.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def now() -> str:
    """For notes: ISO, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
