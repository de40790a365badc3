"""What the passages mean, as vectors, and the index that finds the closest ones.

- Each passage has the vectors of its windows (its heading with some sentences of it) in the store, one byte a number.
- The index is a file beside the store that holds of each number only its sign: 64 bytes a window. It is mapped, not
  loaded, and read from end to end for a question; what it proposes is measured again with the vectors of the store. So
  a million windows are 72 MB of pages that the system may drop at any time, and an ingest rewrites them in seconds.
- The index names the stamp of the vectors it was made from. One that is missing or of another stamp is not used;
  `build_index` makes it anew, beside the old one, and renames it into place.
"""

from __future__ import annotations

import mmap
import os
import sqlite3
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from knowledge.embed import DIMENSIONS, Embedder, packed
from knowledge.errors import KnowledgeError
from knowledge.sentences import windows_of
from knowledge.store import KnowledgeStore, new_stamp, vectors_stamp

__all__ = ["VectorIndex", "build_index", "embed_passages", "pending_passages", "similarities"]

_MAGIC = b"WKVEC1\0\0"
_HEADER = struct.Struct("<8s32sq")
_HEADER_BYTES = 64
_ROW_BYTES = DIMENSIONS // 8
_SCAN_ROWS = 16_384
"""Rows that are compared at a time: they fit the processor's cache."""
_EVEN, _ONES = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0001000100010001)
_EIGHT, _TOP = np.uint64(8), np.uint64(48)
_BATCH_PASSAGES = 64
_BUILD_PASSAGES = 4_096


@dataclass(frozen=True, slots=True)
class VectorIndex:
    """An index, mapped into memory."""

    bits: NDArray[np.uint64]
    """One row a window, 512 signs."""
    owners: NDArray[np.int64]
    """The passage of each row; rising."""

    @classmethod
    def open(cls, path: Path, stamp: str) -> VectorIndex | None:
        """The index, if it is whole and was made from the vectors of this stamp."""
        try:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            return None
        if len(mapped) < _HEADER_BYTES:
            return None
        magic, made_from, rows = _HEADER.unpack_from(mapped)
        whole = _HEADER_BYTES + rows * (_ROW_BYTES + 8) == len(mapped)
        if magic != _MAGIC or made_from.decode("ascii", "replace") != stamp or rows < 0 or not whole:
            return None
        words = _ROW_BYTES // 8
        bits = np.frombuffer(mapped, np.uint64, rows * words, _HEADER_BYTES).reshape(rows, words)
        return cls(bits, np.frombuffer(mapped, np.int64, rows, _HEADER_BYTES + rows * _ROW_BYTES))

    def closest(
        self, vector: NDArray[np.float32], limit: int, ranges: Sequence[tuple[int, int]] | None = None
    ) -> list[int]:
        """Passages whose windows agree with a vector in most signs, closest first.

        :param ranges: only passages from the first to the last number of one of these.
        """
        if not len(self.owners):
            return []
        asked = np.packbits(vector > 0).view(np.uint64)
        apart, rows = np.empty(0, np.uint16), np.empty(0, np.int64)
        for first, last in self._parts(ranges):
            for start in range(first, last, _SCAN_ROWS):
                here = self._apart(asked, start, min(start + _SCAN_ROWS, last))
                farthest = apart.max() if len(apart) >= limit else DIMENSIONS + 1
                better = np.flatnonzero(here < farthest)
                apart, rows = np.concatenate((apart, here[better])), np.concatenate((rows, start + better))
                if len(apart) > limit:
                    nearest = np.argpartition(apart, limit - 1)[:limit]
                    apart, rows = apart[nearest], rows[nearest]
        ordered = self.owners[rows[np.argsort(apart, kind="stable")]]
        return list(dict.fromkeys(int(owner) for owner in ordered))

    def _parts(self, ranges: Sequence[tuple[int, int]] | None) -> list[tuple[int, int]]:
        if ranges is None:
            return [(0, len(self.owners))]
        ends = [
            (int(np.searchsorted(self.owners, first, "left")), int(np.searchsorted(self.owners, last, "right")))
            for first, last in ranges
        ]
        return [(first, last) for first, last in ends if first < last]

    def _apart(self, asked: NDArray[np.uint64], first: int, last: int) -> NDArray[np.uint16]:
        """Signs that differ, for each row."""
        counted = np.bitwise_count(self.bits[first:last] ^ asked).view(np.uint64)[:, 0]
        paired = (counted & _EVEN) + ((counted >> _EIGHT) & _EVEN)  # eight counts of a byte as four of two bytes
        apart: NDArray[np.uint16] = ((paired * _ONES) >> _TOP).astype(np.uint16)  # their sum, in the topmost two
        return apart


def pending_passages(store: KnowledgeStore) -> int:
    """How many passages have no vectors yet.

    :raises KnowledgeError: the store cannot be read.
    """
    with store.reading() as connection:
        return int(connection.execute(f"SELECT count(*) {_PENDING}").fetchone()[0])


def embed_passages(
    store: KnowledgeStore,
    embedder: Embedder,
    *,
    window_chars: int,
    max_windows: int,
    on_done: Callable[[int], None] = lambda _: None,
) -> int:
    """Give vectors to the passages that have none, some at a time, each time in one transaction; returns how many.

    It may be stopped at any moment and goes on where it was.

    :param on_done: told the number of passages of each step.
    :raises KnowledgeError: the store cannot be written.
    """
    done = last = 0
    while batch := _pending_batch(store, last):
        texts = [windows_of(heading, text, window_chars)[:max_windows] for _, heading, text in batch]
        vectors = packed(embedder.encode([window for windows in texts for window in windows]))
        ends = np.cumsum([len(windows) for windows in texts])
        rows = [
            (number, vectors[end - len(windows) : end].tobytes())
            for (number, _, _), windows, end in zip(batch, texts, ends, strict=True)
        ]
        with store.writing() as db, db.atomic():
            db.conn.executemany(
                "INSERT OR IGNORE INTO vectors (passage, windows)"
                " SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM passages WHERE id = ?1)",
                rows,
            )
            new_stamp(db)
        done, last = done + len(batch), batch[-1][0]
        on_done(len(batch))
    return done


def build_index(store: KnowledgeStore, path: Path) -> int:
    """Write the index from the vectors of the store; returns its windows.

    :raises KnowledgeError: the store cannot be read, or the index cannot be written.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    with store.reading() as connection:
        try:
            with beside.open("wb") as file:
                windows = _write_index(connection, file)
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            raise KnowledgeError(f"{path}: the index cannot be written: {error.strerror}") from None
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
    return windows


def _write_index(connection: sqlite3.Connection, file: BinaryIO) -> int:
    connection.execute("BEGIN")  # stamp and vectors of one moment
    stamp = vectors_stamp(connection)
    file.write(bytes(_HEADER_BYTES))
    owners: list[NDArray[np.int64]] = []
    for numbers, counts, vectors in _stored(connection):
        file.write(np.packbits(vectors > 0, axis=1).tobytes())
        owners.append(np.repeat(numbers, counts))
    owner = np.concatenate(owners) if owners else np.empty(0, np.int64)
    file.write(owner.tobytes())
    file.seek(0)
    file.write(_HEADER.pack(_MAGIC, stamp.encode("ascii"), len(owner)))
    file.flush()
    return len(owner)


def similarities(
    connection: sqlite3.Connection, vector: NDArray[np.float32], passages: Sequence[int]
) -> dict[int, float]:
    """The cosine of a vector with the closest window of each passage; passages without vectors are left out."""
    marks = ", ".join("?" * len(passages))
    stored = connection.execute(
        f"SELECT passage, windows FROM vectors WHERE passage IN ({marks})", list(passages)
    ).fetchall()
    if not stored:
        return {}
    rows = np.frombuffer(b"".join(windows for _, windows in stored), np.int8).reshape(-1, DIMENSIONS)
    numbers = rows.astype(np.float32)
    close = numbers @ vector / np.sqrt(np.einsum("ij,ij->i", numbers, numbers))
    starts = np.cumsum([0, *(len(windows) // DIMENSIONS for _, windows in stored[:-1])])
    best = np.maximum.reduceat(close, starts)
    return {int(number): float(value) for (number, _), value in zip(stored, best, strict=True)}


_PENDING = "FROM passages p WHERE NOT EXISTS (SELECT 1 FROM vectors v WHERE v.passage = p.id)"


def _pending_batch(store: KnowledgeStore, after: int) -> list[tuple[int, str, str]]:
    with store.reading() as connection:
        return connection.execute(
            f"SELECT p.id, p.heading, p.text {_PENDING} AND p.id > ? ORDER BY p.id LIMIT ?", (after, _BATCH_PASSAGES)
        ).fetchall()


def _stored(
    connection: sqlite3.Connection,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8]]]:
    """Passages, how many windows each has, and all of those, some thousand passages at a time."""
    cursor = connection.execute("SELECT passage, windows FROM vectors ORDER BY passage")
    while rows := cursor.fetchmany(_BUILD_PASSAGES):
        vectors = np.frombuffer(b"".join(windows for _, windows in rows), np.int8).reshape(-1, DIMENSIONS)
        counts = np.array([len(windows) // DIMENSIONS for _, windows in rows], np.int64)
        yield np.array([number for number, _ in rows], np.int64), counts, vectors
