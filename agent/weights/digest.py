"""Is a file what it should be? Opens it with care, reads all of it, and says in one line what is wrong.

A file in the weights folder is not trusted before it was read: it may be short, changed, a device, or a link that leads
elsewhere. Wrong bytes are the file's fault; bytes that the storage does not give back are not, and are told apart.

Order: what stands under the name, its size, then its content: against the root, on every core, where a root is known;
else in order against the digest of the whole.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from agent.weights.chunks import FileDigests, OnBytes, ReadFailed, Shortened, hash_chunks, hash_whole, root_of
from agent.weights.held import Held
from agent.weights.manifest import Manifest, make_manifest

__all__ = ["Checked", "Expected", "Fault", "check_file", "hashing_pool", "open_weight"]

Fault = Literal[
    "",
    "empty",
    "truncated",
    "wrong size",
    "wrong bytes",
    "swapped",
    "unreadable",
    "link outside",
    "not a file",
    "unpinned",
    "earlier version",
]
"""What is wrong with a file. `unreadable` is the storage's doing, and an `earlier version` is sound."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a file must be."""

    size: int = 0
    """Exact bytes, 0 where it is not known."""
    sha256: str = ""
    """Of the whole, hex; empty where nothing was pinned yet."""
    root: str = ""
    """Over the digests of its chunks, hex; empty where it is not pinned."""
    note: Manifest | None = None
    """What lies beside the file, believed or not."""

    @property
    def known_root(self) -> str:
        """The pinned root, or the one that this box wrote down for the same digest; else empty."""
        if self.root or self.note is None or not self.note.by_box or self.note.sha256 != self.sha256:
            return self.root
        return self.note.root

    @property
    def chunks(self) -> tuple[bytes, ...]:
        """What each chunk must be; empty where nobody can tell."""
        if self.note is None or not self.known_root or self.note.root != self.known_root:
            return ()
        return self.note.chunks


@dataclass(frozen=True, slots=True)
class Checked:
    """What reading a file found."""

    problem: str
    """Empty where the file is what it should be."""
    bytes: int = 0
    """Size found."""
    sha256: str = ""
    """Of the whole; empty where it was not read to its end, or only its chunks were compared."""
    identity: tuple[int, int] = (0, 0)
    """Device and inode of what was read, so that a file put in its place meanwhile is not blamed."""
    fault: Fault = ""
    bad_chunks: tuple[int, ...] = ()
    """Numbers of the chunks that differ, where that can be told."""
    manifest: Manifest | None = None
    """Of a sound file, where what lies beside it is not this box's own yet."""
    held: Held | None = None
    """A sound file, still open."""


def check_file(
    path: Path, expected: Expected, *, inside: Path, pool: Executor, on_bytes: OnBytes | None = None
) -> Checked:
    """Read a file to its end and compare it.

    :param path: an existing file.
    :param inside: the folder that a link must not lead out of.
    :param pool: hashes chunks; see `hashing_pool`.
    :param on_bytes: told how many more bytes were read, from several threads.
    :raises FileNotFoundError: it is not there.
    """
    found = path.lstat()
    identity = (found.st_dev, found.st_ino)
    if stat.S_ISLNK(found.st_mode) and not _leads_inside(path, inside):
        return Checked("is a link that leads outside the weights folder", identity=identity, fault="link outside")
    if stat.S_ISLNK(found.st_mode) and not path.exists():
        return Checked("is a link that leads nowhere", identity=identity, fault="not a file")
    try:
        with open_weight(path) as held:
            if held is None:
                return Checked("is not a regular file", identity=identity, fault="not a file")
            return replace(_check_open(held, expected, pool, on_bytes), identity=identity)
    except FileNotFoundError:
        raise
    except OSError as error:
        return Checked(f"cannot be read: {error.strerror}", identity=identity, fault="unreadable")


def hashing_pool(threads: int) -> ThreadPoolExecutor:
    """Threads that hash chunks; hashing lets go of the interpreter.

    :param threads: 0 is one for each core that this process may use.
    """
    return ThreadPoolExecutor(threads or len(os.sched_getaffinity(0)), thread_name_prefix="weights")


@contextmanager
def open_weight(path: Path) -> Iterator[Held | None]:
    """An open file, or None where it is not a regular one. Never waits on a pipe or a device.

    It is closed at the end, unless somebody still has it.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        yield None
        return
    held = Held(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    yield held if stat.S_ISREG(os.fstat(held.descriptor).st_mode) else None


def _check_open(held: Held, expected: Expected, pool: Executor, on_bytes: OnBytes | None) -> Checked:
    size = os.fstat(held.descriptor).st_size
    problem = _size_problem(size, expected)
    if problem:
        return replace(problem, bytes=size)
    if not expected.sha256:
        return Checked("has no pinned digest to compare it with", size, fault="unpinned")
    try:
        compared = _compare(held.descriptor, size, expected, pool, on_bytes)
    except ReadFailed as failure:
        return Checked(str(failure), size, fault="unreadable")
    except Shortened as short:
        return Checked(str(short), size, fault="truncated")
    return compared if compared.problem else replace(compared, held=held)


def _size_problem(size: int, expected: Expected) -> Checked | None:
    if not size and expected.size:
        return Checked(f"is empty, not {expected.size} bytes long", fault="empty")
    if expected.size and size != expected.size:
        fault: Fault = "truncated" if size < expected.size else "wrong size"
        return Checked(f"is {size} bytes long, not {expected.size}", fault=fault)
    return None


def _compare(descriptor: int, size: int, expected: Expected, pool: Executor, on_bytes: OnBytes | None) -> Checked:
    """Content against the root where one is known, else against the digest of the whole."""
    if expected.known_root:
        digests = FileDigests("", hash_chunks(descriptor, size, pool, on_bytes=on_bytes))
        if root_of(digests.chunks) != expected.known_root:
            return _differs(size, digests, expected)
    else:
        digests = hash_whole(descriptor, size, pool, on_bytes=on_bytes)
        if digests.sha256 != expected.sha256:
            problem = f"has SHA-256 {digests.sha256[:12]}…, not {expected.sha256[:12]}…"
            return Checked(problem, size, digests.sha256, fault="wrong bytes")
    note = expected.note
    proven = note is not None and (note.by_box or expected.root)
    if note is not None and proven and (note.sha256, note.chunks) == (expected.sha256, digests.chunks):
        return Checked("", size, digests.sha256)
    made = make_manifest(descriptor, size, digests, sha256=expected.sha256)
    return Checked("", size, digests.sha256, manifest=made)


def _differs(size: int, digests: FileDigests, expected: Expected) -> Checked:
    wanted = expected.chunks
    if len(digests.chunks) == 1:
        sha256 = digests.chunks[0].hex()
        problem = f"has SHA-256 {sha256[:12]}…, not {expected.sha256[:12]}…"
        return Checked(problem, size, sha256, fault="wrong bytes", bad_chunks=(0,) if wanted else ())
    if not wanted:
        problem = f"has chunks of digest {root_of(digests.chunks)[:12]}…, not {expected.known_root[:12]}…"
        return Checked(problem, size, fault="wrong bytes")
    bad = tuple(number for number, pair in enumerate(zip(digests.chunks, wanted, strict=True)) if pair[0] != pair[1])
    named = ", ".join(str(number) for number in bad[:3]) + (" …" if len(bad) > 3 else "")
    problem = f"has wrong bytes in {len(bad)} of {len(wanted)} chunks (number {named})"
    return Checked(problem, size, fault="wrong bytes", bad_chunks=bad)


def _leads_inside(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a loop of links
        return False
