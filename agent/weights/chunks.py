"""Digests of an open file's chunks: hashed side by side, found again one by one.

A file is cut into chunks of 8 MiB. The digest over the digests of all chunks, in order, is its root: who knows the
root knows every byte, and chunks can be read in any order and on every core. Nothing is mapped, because a mapped file
that is cut short kills the process that looks at it; small pieces are read instead, which stay in the processor's
cache until they are hashed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass

__all__ = [
    "CHUNK_BYTES",
    "ChunkedDigest",
    "FileDigests",
    "OnBytes",
    "ReadFailed",
    "Shortened",
    "chunk_bounds",
    "chunk_count",
    "hash_chunk",
    "hash_chunks",
    "hash_range",
    "hash_whole",
    "root_of",
]

CHUNK_BYTES = 8 * 1024 * 1024
"""Part of the format: pinned roots are over chunks of this size."""
_READ_BYTES = 256 * 1024
"""Read at a time. Measured against 1 and 8 MiB: larger pieces leave the second level cache before they are hashed."""
_buffers = threading.local()

OnBytes = Callable[[int], None]
"""Told how many more bytes were read; from several threads."""


class ReadFailed(Exception):
    """The storage does not give the bytes back. They may be right; nobody can tell."""

    def __init__(self, at: int, error: OSError) -> None:
        super().__init__(f"cannot be read at byte {at}: {error.strerror}")
        self.at = at
        """Where, within a piece that is read at a time."""
        self.errno = error.errno or errno.EIO


class Shortened(Exception):
    """The file ended earlier than it did when it was opened."""

    def __init__(self, at: int) -> None:
        super().__init__(f"was cut short at byte {at} while it was read")
        self.at = at


@dataclass(frozen=True, slots=True)
class FileDigests:
    """What reading all of a file gave."""

    sha256: str
    """Of the whole, hex; empty where only chunks were hashed."""
    chunks: tuple[bytes, ...]
    """SHA-256 of each chunk, in order."""


class ChunkedDigest:
    """Digest of the whole and of every chunk of bytes that come in order."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()
        self._chunk = hashlib.sha256()
        self._filled = 0
        self._done: list[bytes] = []

    def update(self, data: bytes | memoryview) -> None:
        """Append."""
        self._whole.update(data)
        view = memoryview(data)
        while view:
            piece = view[: CHUNK_BYTES - self._filled]
            self._chunk.update(piece)
            self._filled += len(piece)
            if self._filled == CHUNK_BYTES:
                self._done.append(self._chunk.digest())
                self._chunk, self._filled = hashlib.sha256(), 0
            view = view[len(piece) :]

    def digests(self) -> FileDigests:
        """So far."""
        last = (self._chunk.digest(),) if self._filled or not self._done else ()
        return FileDigests(self._whole.hexdigest(), (*self._done, *last))


def chunk_count(size: int) -> int:
    """Chunks of a file; an empty one has one, which is empty."""
    return max(1, -(-size // CHUNK_BYTES))


def chunk_bounds(number: int, size: int) -> tuple[int, int]:
    """First byte of a chunk and the byte behind its last."""
    return number * CHUNK_BYTES, min(size, (number + 1) * CHUNK_BYTES)


def root_of(chunks: Iterable[bytes]) -> str:
    """The digest over all digests, hex."""
    return hashlib.sha256(b"".join(chunks)).hexdigest()


def hash_range(descriptor: int, start: int, end: int, *, on_bytes: OnBytes | None = None) -> bytes:
    """SHA-256 of some bytes of an open file. What fails to be read is read once more, past the page cache.

    :raises ReadFailed: it cannot be read.
    :raises Shortened: it ends before `end`.
    """
    try:
        return _hash_once(descriptor, start, end, on_bytes)
    except ReadFailed:
        with suppress(OSError):
            os.posix_fadvise(descriptor, start, end - start, os.POSIX_FADV_DONTNEED)
        return _hash_once(descriptor, start, end, None)


def hash_chunk(descriptor: int, number: int, size: int, *, on_bytes: OnBytes | None = None) -> bytes:
    """SHA-256 of one chunk; errors as `hash_range`.

    :param size: of the whole file.
    """
    return hash_range(descriptor, *chunk_bounds(number, size), on_bytes=on_bytes)


def hash_chunks(descriptor: int, size: int, pool: Executor, *, on_bytes: OnBytes | None = None) -> tuple[bytes, ...]:
    """SHA-256 of every chunk, as many at a time as the pool has threads; errors as `hash_range`."""
    with _read_ahead(descriptor, size):
        numbers = range(chunk_count(size))
        work = [pool.submit(hash_chunk, descriptor, number, size, on_bytes=on_bytes) for number in numbers]
        return tuple(_results(work))


def hash_whole(descriptor: int, size: int, pool: Executor, *, on_bytes: OnBytes | None = None) -> FileDigests:
    """SHA-256 of the whole and of every chunk in one reading, for a file whose root nobody knows yet.

    The whole is hashed here and the same bytes, as a chunk, in the pool. Errors as `hash_range`.
    """
    whole = hashlib.sha256()
    chunks: list[bytes] = []
    buffer = bytearray(min(CHUNK_BYTES, max(size, 1)))
    with _read_ahead(descriptor, size):
        for number in range(chunk_count(size)):
            start, end = chunk_bounds(number, size)
            view = memoryview(buffer)[: end - start]
            _fill(descriptor, start, view)
            chunk = pool.submit(hashlib.sha256, view)
            whole.update(view)
            chunks.append(chunk.result().digest())
            if on_bytes:
                on_bytes(len(view))
    return FileDigests(whole.hexdigest(), tuple(chunks))


def _hash_once(descriptor: int, start: int, end: int, on_bytes: OnBytes | None) -> bytes:
    digest = hashlib.sha256()
    view = _buffer()
    at = start
    while at < end:
        count = _read(descriptor, at, view[: end - at])
        digest.update(view[:count])
        at += count
        if on_bytes:
            on_bytes(count)
    return digest.digest()


def _fill(descriptor: int, start: int, view: memoryview) -> None:
    """Read exactly so many bytes, with one more try where that fails."""
    done = 0
    while done < len(view):
        try:
            done += _read(descriptor, start + done, view[done:])
        except ReadFailed:
            done += _read(descriptor, start + done, view[done:])


def _read(descriptor: int, at: int, view: memoryview) -> int:
    try:
        count = os.preadv(descriptor, [view], at)
    except OSError as error:
        raise ReadFailed(at, error) from None
    if not count:
        raise Shortened(at)
    return count


def _buffer() -> memoryview:
    """This thread's own."""
    if not hasattr(_buffers, "view"):
        _buffers.view = memoryview(bytearray(_READ_BYTES))
    view: memoryview = _buffers.view
    return view


@contextmanager
def _read_ahead(descriptor: int, size: int) -> Iterator[None]:
    """The kernel may begin to read; the loader that comes next needs these pages too."""
    with suppress(OSError):
        os.posix_fadvise(descriptor, 0, size, os.POSIX_FADV_WILLNEED)
    yield


def _results(work: list[Future[bytes]]) -> Iterator[bytes]:
    """In order. After the first error what has not begun is left, and what has is waited for: it uses the file."""
    try:
        for future in work:
            yield future.result()
    finally:
        for future in work:
            future.cancel()
        for future in work:
            if not future.cancelled():
                future.exception()
