"""Is a file what it should be? Opens it with care, reads all of it, and says in one line what is wrong.

A file in the weights folder is not trusted before it was read: it may be short, changed, a device, or a link that leads
elsewhere.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Checked", "check_file", "hash_file"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What reading a file found."""

    problem: str
    """Empty where the file is what it should be."""
    bytes: int = 0
    """Size found."""
    sha256: str = ""
    """Digest found; empty where the file was not read to its end."""
    identity: tuple[int, int] = (0, 0)
    """Device and inode of what was read, so that a file put in its place meanwhile is not blamed."""


def check_file(path: Path, *, inside: Path, expected_bytes: int, expected_sha256: str, read_bytes: int) -> Checked:
    """Read a file to its end and compare it.

    :param path: an existing file.
    :param inside: the folder that a link must not lead out of.
    :param expected_bytes: exact size, 0 where it is not known.
    :param expected_sha256: hex.
    :param read_bytes: read at a time.
    :raises FileNotFoundError: it is not there.
    """
    found = path.lstat()
    identity = (found.st_dev, found.st_ino)
    if stat.S_ISLNK(found.st_mode) and not _leads_inside(path, inside):
        return Checked("is a link that leads outside the weights folder", identity=identity)
    try:
        with _open_regular(path) as descriptor:
            if descriptor < 0:
                return Checked("is not a regular file", identity=identity)
            size = os.fstat(descriptor).st_size
            if expected_bytes and size != expected_bytes:
                return Checked(f"is {size} bytes long, not {expected_bytes}", size, identity=identity)
            if not expected_sha256:
                return Checked("has no pinned digest to compare it with", size, identity=identity)
            digest = hash_file(descriptor, read_bytes=read_bytes)
    except OSError as error:
        return Checked(f"cannot be read: {error.strerror}", identity=identity)
    if digest != expected_sha256:
        return Checked(f"has SHA-256 {digest[:12]}…, not {expected_sha256[:12]}…", size, digest, identity)
    return Checked("", size, digest, identity)


def hash_file(descriptor: int, *, read_bytes: int) -> str:
    """SHA-256 of an open file from its beginning, hex. Lets other threads run while it works."""
    digest = hashlib.sha256()
    buffer = bytearray(read_bytes)
    view = memoryview(buffer)
    at = 0
    while count := os.preadv(descriptor, [buffer], at):
        digest.update(view[:count])
        at += count
    return digest.hexdigest()


def _leads_inside(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a loop of links
        return False


@contextmanager
def _open_regular(path: Path) -> Iterator[int]:
    """An open descriptor, or -1 where it is not a regular file. Never waits on a pipe or a device."""
    if not stat.S_ISREG(path.stat().st_mode):
        yield -1
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield descriptor if stat.S_ISREG(os.fstat(descriptor).st_mode) else -1
    finally:
        os.close(descriptor)
