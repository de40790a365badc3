"""For slow storage: a first look at header and samples, and the rest of the check behind the work, at low priority.

A box whose card gives 40 MB/s would not answer for half a minute while a gigabyte is read. There the header and some
chunks, picked anew each time, are compared first and the files may be used; a thread of lowest priority reads the
rest, and what it finds is told at once.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.settings import WeightsSettings
from agent.weights.chunks import ReadFailed, Shortened, chunk_bounds, chunk_count, hash_chunk, hash_range
from agent.weights.digest import Checked, Expected, Fault, open_weight
from agent.weights.held import Held

__all__ = ["Pending", "first_look", "verify_later"]

_LOWEST_PRIORITY = 19


@dataclass(frozen=True, slots=True)
class Pending:
    """A file of which only a part was read."""

    held: Held
    chunks: tuple[bytes, ...]
    """What each must be."""
    bytes: int
    looked_at: frozenset[int]
    """Numbers of the chunks that were right already."""
    bytes_per_second: float
    """What the storage gave."""


def first_look(path: Path, expected: Expected, settings: WeightsSettings) -> Pending | None:
    """Compare header and samples of a file on slow storage.

    :param path: a regular file or a link to one, inside the folder.
    :returns: None where all of it has to be read now: its chunks are not known, something is wrong, or it reads fast.
    """
    note = expected.note
    if note is None or not expected.chunks:
        return None
    try:
        with open_weight(path) as held:
            if held is None or os.fstat(held.descriptor).st_size != note.size:
                return None
            begun = time.perf_counter()
            header = hash_range(held.descriptor, 0, note.header_bytes)
            picked = _pick(chunk_count(note.size), settings.sample_chunks)
            read = note.header_bytes
            for number in picked:
                if hash_chunk(held.descriptor, number, note.size) != expected.chunks[number]:
                    return None
                start, end = chunk_bounds(number, note.size)
                read += end - start
            speed = read / max(time.perf_counter() - begun, 1e-9)
    except (OSError, ReadFailed, Shortened):
        return None
    if header.hex() != note.header_sha256 or speed > settings.slow_bytes_per_second:
        return None
    return Pending(held, expected.chunks, note.size, frozenset(picked), speed)


def verify_later(
    pending: Sequence[Pending], settings: WeightsSettings, on_bad: Callable[[Pending, Checked], None]
) -> threading.Thread:
    """Read the rest in a thread of its own.

    :param on_bad: told of each file that turns out bad, from that thread.
    :returns: the thread; it ends when all is read, or with the process.
    """
    thread = threading.Thread(target=_work, args=(pending, settings, on_bad), name="weights-later", daemon=True)
    thread.start()
    return thread


def _work(pending: Sequence[Pending], settings: WeightsSettings, on_bad: Callable[[Pending, Checked], None]) -> None:
    with contextlib.suppress(OSError):  # of this thread alone; the disk's scheduler goes by it too
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
    for file in pending:
        found = _read_rest(file, settings.later_pause_seconds)
        if found is not None:
            on_bad(file, found)


def _read_rest(file: Pending, pause_seconds: float) -> Checked | None:
    """What is wrong with the rest of a file; None where nothing is."""
    found = os.fstat(file.held.descriptor)
    problem: tuple[str, Fault, tuple[int, ...]] | None = None
    for number, wanted in enumerate(file.chunks):
        if number in file.looked_at:
            continue
        try:
            right = hash_chunk(file.held.descriptor, number, file.bytes) == wanted
        except ReadFailed as failure:
            problem = str(failure), "unreadable", ()
        except Shortened as short:
            problem = str(short), "truncated", ()
        else:
            problem = None if right else (f"has wrong bytes in chunk {number}", "wrong bytes", (number,))
        if problem is not None:
            reason, fault, bad = problem
            return Checked(reason, found.st_size, "", (found.st_dev, found.st_ino), fault, bad)
        time.sleep(pause_seconds)
    return None


def _pick(count: int, wanted: int) -> list[int]:
    """The last chunk, where a file that was cut or filled up differs, and some at random."""
    rest = random.sample(range(count - 1), min(max(wanted - 1, 0), count - 1))
    return sorted({count - 1, *rest})
