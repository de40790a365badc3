"""Notes about modules on disk: which version answers, and how any note is written, whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agent.errors import ModuleError

__all__ = ["Choice", "bounded", "digest_of", "sync_folder", "told", "without", "write"]

_NOTE_BYTES = 40_000_000


@dataclass(frozen=True, slots=True)
class Choice:
    """Which version answers."""

    current: str = ""
    """Empty: none was chosen yet."""
    previous: str = ""
    """What `rollback` goes back to."""
    pinned: bool = False
    """The current one stays, whatever comes."""
    rejected: Mapping[str, str] = field(default_factory=dict)
    """Version → why it did not prove itself."""
    unproved: bool = False
    """The current one was chosen without a trial; whoever starts it tries it first."""
    agreed: tuple[str, ...] = ()
    """What a person has let versions of this module use."""


def without(choice: Choice, version: str) -> Choice:
    """The choice once a version is deleted."""
    rejected = {other: why for other, why in choice.rejected.items() if other != version}
    return replace(choice, previous="" if choice.previous == version else choice.previous, rejected=rejected)


def bounded(path: Path) -> bytes:
    """A note, and no more than a note can be long.

    :raises OSError: it cannot be read.
    """
    with path.open("rb") as note:
        return note.read(_NOTE_BYTES)


def digest_of(path: Path) -> str:
    """SHA-256 of a plain file.

    :raises OSError: it cannot be read, or is a link.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(path: Path, value: Mapping[str, Any]) -> None:
    """Whole or not at all, and on disk when this returns.

    :raises ModuleError: the disk refuses; what was there stays.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with told(path):
            with draft.open("w", encoding="utf-8") as out:
                json.dump(value, out, ensure_ascii=False, indent=1, sort_keys=True)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(path)
            sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable.

    :raises OSError: the disk fails.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """An error of the disk as one of ours, with its place."""
    try:
        yield
    except OSError as error:
        hint = "free space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "make it writable"
        raise ModuleError(f"{error.filename or path}: cannot be written: {error.strerror}; {hint}") from None
