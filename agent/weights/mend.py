"""Repair of a damaged file: what is right of it is copied, and only the chunks that are wrong are fetched.

Order: find out which chunks differ or cannot be read, copy the others into `<name>.mend`, fetch the missing ones from
the first source whose bytes are right, verify the whole, make it durable, rename it into place. The damaged file stays
as it is until then. Needs to know what each chunk must be; without that, or where most of it is damaged, it is fetched
whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from agent.weights.catalogue import Entry, WeightFile
from agent.weights.chunks import CHUNK_BYTES, ReadFailed, Shortened, chunk_bounds, hash_chunk
from agent.weights.digest import Expected, check_file, hashing_pool, open_weight
from agent.weights.notes import beside
from agent.weights.partial import SourceFailed, sync_folder
from agent.weights.progress import Reporter, megabytes
from agent.weights.sources import Source
from agent.weights.store import WeightStore

__all__ = ["Mended", "mend"]


@dataclass(frozen=True, slots=True)
class Mended:
    """What was done to a file."""

    chunks: int
    """Fetched; the rest was copied."""
    bytes: int
    """Fetched."""
    sources: tuple[str, ...]
    """That gave them."""


def mend(
    store: WeightStore, entry: Entry, file: WeightFile, sources: Sequence[Source], reporter: Reporter
) -> Mended | None:
    """Repair a file from what is here and the few chunks that are missing.

    :param sources: asked in order for each chunk.
    :returns: None where there is nothing to repair from, or too little of it is right.
    :raises SourceFailed: no source gives a chunk, or the outcome is not the file that is wanted.
    :raises OSError: the disk is full or fails.
    """
    path, wanted = store.path(entry, file), store.expected(entry, file)
    draft = beside(path, ".mend")
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(hashing_pool(store.settings.verify_threads))
        damaged = _open_damaged(path)
        if damaged is None or not wanted.chunks:
            return None
        stack.callback(os.close, damaged)
        bad = _bad_chunks(damaged, wanted, pool)
        if len(bad) > store.settings.mend_share * len(wanted.chunks):
            return None
        reporter.note(f"{entry.name}/{file.name}: {len(bad)} of {len(wanted.chunks)} chunks are damaged or missing")
        stack.callback(draft.unlink, missing_ok=True)
        into = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        stack.callback(os.close, into)
        _copy_good(damaged, into, wanted, frozenset(bad))
        done = _fetch(entry, file, wanted, bad, sources, into, reporter)
        os.fsync(into)
        found = check_file(draft, wanted, inside=store.folder, pool=pool)
        if found.problem:
            raise SourceFailed(f"the repaired file {found.problem}")
        draft.replace(path)
        sync_folder(path.parent)
    store.forget_bad(entry, file)
    return done


def _open_damaged(path: Path) -> int | None:
    """What was set aside of a file, or the file itself where its disk fails; never through a link."""
    for place in (beside(path, ".bad"), path):
        with contextlib.suppress(OSError), open_weight(place) as held:
            if held is not None and not place.is_symlink():
                return os.dup(held.descriptor)
    return None


def _bad_chunks(descriptor: int, wanted: Expected, pool: Executor) -> list[int]:
    """Numbers of the chunks that are not what they must be, or cannot be read."""

    def is_right(number: int) -> bool:
        try:
            return hash_chunk(descriptor, number, wanted.size) == wanted.chunks[number]
        except (ReadFailed, Shortened):
            return False

    right = pool.map(is_right, range(len(wanted.chunks)))
    return [number for number, good in enumerate(right) if not good]


def _copy_good(damaged: int, into: int, wanted: Expected, bad: frozenset[int]) -> None:
    """Where the file system can share blocks between files, nothing is copied at all."""
    os.ftruncate(into, wanted.size)
    for number in range(len(wanted.chunks)):
        at, end = chunk_bounds(number, wanted.size)
        while number not in bad and at < end:
            try:
                count = os.copy_file_range(damaged, into, end - at, at, at)
            except OSError:  # between file systems, or on one that has no such call
                count = os.pwrite(into, os.pread(damaged, end - at, at), at)
            if not count:
                raise SourceFailed("the damaged file became shorter while it was copied")
            at += count


def _fetch(
    entry: Entry,
    file: WeightFile,
    wanted: Expected,
    bad: Sequence[int],
    sources: Sequence[Source],
    into: int,
    reporter: Reporter,
) -> Mended:
    total = sum(end - at for at, end in (chunk_bounds(number, wanted.size) for number in bad))
    reporter.started(f"{entry.name}/{file.name} (repair)", total, 0)
    done, used = 0, []
    for number in bad:
        at, end = chunk_bounds(number, wanted.size)
        source, data = _right_piece(entry, file, at, end - at, wanted.chunks[number], sources)
        if os.pwrite(into, data, at) != len(data):
            raise OSError(f"{file.name}: a chunk could not be written whole")
        done += len(data)
        used.append(source)
        reporter.moved(done)
    return Mended(len(bad), done, tuple(dict.fromkeys(used)))


def _right_piece(
    entry: Entry, file: WeightFile, at: int, size: int, sha256: bytes, sources: Sequence[Source]
) -> tuple[str, bytes]:
    reasons = []
    for source in sources:
        try:
            for piece in _bounded(source.pieces(entry, file, at, size), size):
                if hashlib.sha256(piece).digest() == sha256:
                    return source.name, piece
            reasons.append(f"{source.name}: has other bytes there")
        except SourceFailed as reason:
            reasons.append(f"{source.name}: {reason}")
    number = at // CHUNK_BYTES
    raise SourceFailed(f"chunk {number} ({megabytes(size)}): {'; '.join(reasons) or 'no source may be asked'}")


def _bounded(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    return (piece for piece in pieces if len(piece) == size)
