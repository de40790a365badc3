"""How fast weights are verified, beside plain reading: `make bench-weights`.

The file is one of the real ones that are here, or random bytes where none is; it is warm in the page cache, as it is
for the loader that comes next. Each figure is the best of several rounds, since whatever else runs only ever adds. On a
box that does other things the figures of the processor's own seconds tell more than those of the clock.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from agent.env import load_env
from agent.settings import WeightsSettings
from agent.weights.catalogue import Catalogue, Entry, WeightFile
from agent.weights.chunks import CHUNK_BYTES, chunk_bounds, chunk_count
from agent.weights.digest import Checked, Expected, check_file, hashing_pool
from agent.weights.progress import SilentReporter
from agent.weights.pull import pull
from agent.weights.store import WeightStore
from tests.bench.table import Row, at_most, print_rows, told

ROUNDS = 5
RANDOM_BYTES = 400_000_000
READ_BYTES = 1024 * 1024
TARGET_SECONDS_PER_GB = 0.35
NAMES = ("qwen2.5-1.5b", "qwen2.5-0.5b")


@dataclass(frozen=True, slots=True)
class Timed:
    """The best of several rounds."""

    seconds: float
    cpu_seconds: float


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch, hashing_pool(0) as pool:
        path, file = _file(Path(scratch))
        rows = _rows(path, file, pool, Path(scratch))
    print_rows(rows, file=file.name, bytes=file.bytes, rounds=ROUNDS)


def _rows(path: Path, file: WeightFile, pool: Executor, scratch: Path) -> list[Row]:
    gigabytes = file.bytes / 1e9
    expected = Expected(file.bytes, file.sha256, file.root)
    known = replace(expected, note=_sound(check_file(path, expected, inside=path.parent, pool=pool)).manifest)
    plain = _best(lambda: _read(path))
    shared = _best(lambda: _read_shared(path, pool))
    verified = _best(lambda: _sound(check_file(path, known, inside=path.parent, pool=pool)))
    unpinned = Expected(file.bytes, file.sha256)
    in_order = _best(lambda: _sound(check_file(path, unpinned, inside=path.parent, pool=pool)), rounds=2)
    cores = len(os.sched_getaffinity(0))
    return [
        told("plain read, one thread, GB/s", gigabytes / plain.seconds),
        told(f"plain read, {cores} threads, GB/s", gigabytes / shared.seconds),
        told(f"verified, {cores} threads, GB/s", gigabytes / verified.seconds),
        at_most("verified, seconds per GB", verified.seconds / gigabytes, TARGET_SECONDS_PER_GB),
        at_most("processor seconds per GB and core", verified.cpu_seconds / gigabytes / cores, TARGET_SECONDS_PER_GB),
        told("verified ÷ plain read, one thread, by the clock", verified.seconds / plain.seconds),
        told("first check without a pinned root, GB/s", gigabytes / in_order.seconds),
        told("repair of one damaged chunk, s", _repair_seconds(path, file, scratch)),
    ]


def _file(scratch: Path) -> tuple[Path, WeightFile]:
    """A real file that is here, else random bytes."""
    store = load_env().weights
    for name in NAMES:
        if name in store.present():
            entry = store.catalogue.entry(name)
            return store.path(entry, entry.files[0]), entry.files[0]
    path = scratch / "random.bin"
    path.write_bytes(random.Random(1).randbytes(RANDOM_BYTES))
    made = WeightFile("model", path.name, bytes=RANDOM_BYTES, sha256="0" * 64)
    with hashing_pool(0) as pool:
        found = check_file(path, Expected(RANDOM_BYTES, made.sha256), inside=scratch, pool=pool)
        whole = replace(made, sha256=found.sha256)
        note = _sound(check_file(path, Expected(RANDOM_BYTES, found.sha256), inside=scratch, pool=pool)).manifest
    assert note is not None
    return path, replace(whole, chunks_sha256=note.root)


def _repair_seconds(path: Path, file: WeightFile, scratch: Path) -> float:
    """A bit flips in a copy; found, one chunk fetched from a folder, all of it verified, in place."""
    here = replace(file, pypi=None, hf=None, modelscope=None)
    settings = WeightsSettings(sources=("file",), usb_folders=(path.parent,), spare_bytes=0)
    store = WeightStore(
        scratch / "weights", settings, catalogue=Catalogue((Entry("copy", "text", "Copy", "", (here,)),))
    )
    copy = scratch / "weights" / "copy" / file.name
    copy.parent.mkdir(parents=True)
    shutil.copyfile(path, copy)
    store.verified("copy")
    with copy.open("r+b") as data:
        data.seek(file.bytes // 2)
        byte = data.read(1)
        data.seek(file.bytes // 2)
        data.write(bytes([byte[0] ^ 1]))
    begun = time.perf_counter()
    (done,) = pull(store, ["copy"], SilentReporter())
    seconds = time.perf_counter() - begun
    assert done.mended_chunks == 1
    return seconds


def _best(work: Callable[[], object], rounds: int = ROUNDS) -> Timed:
    seconds, cpu = [], []
    for _ in range(rounds):
        begun, used = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
    return Timed(min(seconds), min(cpu))


def _read(path: Path) -> None:
    buffer = bytearray(READ_BYTES)
    with path.open("rb", buffering=0) as data:
        while data.readinto(buffer):
            pass


def _read_shared(path: Path, pool: Executor) -> None:
    """The same chunks by the same threads, without hashing."""
    size = path.stat().st_size
    with path.open("rb", buffering=0) as data:

        def chunk(number: int) -> None:
            at, end = chunk_bounds(number, size)
            buffer = bytearray(min(READ_BYTES, CHUNK_BYTES))
            while at < end:
                at += os.preadv(data.fileno(), [memoryview(buffer)[: end - at]], at)

        list(pool.map(chunk, range(chunk_count(size))))


def _sound(found: Checked) -> Checked:
    if found.problem:
        sys.exit(f"the file to measure {found.problem}; pull it: watchkeeper weights repair")
    return found


if __name__ == "__main__":
    main()
