"""kill -9 at every point where a pull writes: an update to a new version, and the repair of a damaged chunk.

A child process does the work and ends itself, without any clean-up, right before or right after its n-th change to the
disk, for every n there is. Then the box starts again: what `verified` gives must be one whole version, or a
refusal; never a mixture, never wrong bytes. And the next pull must bring the new version.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import WeightsError
from agent.settings import WeightsSettings
from agent.weights.catalogue import Catalogue, Entry, WeightFile
from agent.weights.chunks import CHUNK_BYTES, ChunkedDigest, root_of
from agent.weights.progress import SilentReporter
from agent.weights.pull import pull
from agent.weights.store import WeightStore
from tests.bench.table import Row, at_least, at_most, print_rows, told

WRITES = ("fsync", "pwrite", "ftruncate", "link", "copy_file_range", "replace", "rename", "unlink", "mkdir")
"""Functions of `os` that change the disk; `pathlib` calls them too."""
OLD = {"model": b"old model" * 3000, "mmproj": b"old eye" * 2000}
NEW = {"model": b"new model!" * 3000, "mmproj": b"new eye!" * 2000}
LARGE = bytes(range(256)) * (2 * CHUNK_BYTES // 256 + 40)
MOST_POINTS = 400
KILLED = 9

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Over all points of one scenario."""

    points: int
    mixed: int
    """Times that something else than one whole version was given."""
    answered: int
    """Times that a version was given right after the kill."""
    finished: int
    """Times that the next pull brought the new version."""


def main() -> None:
    """Run all and print."""
    print_rows(run())


def run() -> list[Row]:
    """Both scenarios."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as scratch:
        update = try_all(Path(scratch) / "update", prepare_update, NEW, allowed=(OLD, NEW))
        repair = try_all(Path(scratch) / "repair", prepare_repair, {"model": LARGE}, allowed=({"model": LARGE},))
    return [*_rows("update", update, answers=True), *_rows("repair", repair, answers=False)]


def _rows(name: str, outcome: Outcome, *, answers: bool) -> list[Row]:
    rows = [
        told(f"{name}: points where it was killed, before and after", outcome.points),
        at_most(f"{name}: a mixture or wrong bytes given", outcome.mixed, 0),
        at_least(f"{name}: brought to its end by the next pull", outcome.finished, outcome.points),
    ]
    if answers:
        rows.append(at_least(f"{name}: a whole version answers right after the kill", outcome.answered, outcome.points))
    return rows


def try_all(
    folder: Path, prepare: Callable[[Path], WeightStore], wanted: Files, *, allowed: tuple[Files, ...]
) -> Outcome:
    """Kill at every point.

    :param prepare: lays a folder out as it is before the pull.
    :param wanted: contents after the pull.
    :param allowed: contents that may be given after the kill.
    """
    points = mixed = answered = finished = 0
    for point in range(1, MOST_POINTS):
        for after in (False, True):
            place = folder / f"{point}-{after}"
            store = prepare(place)
            if not _killed(store, point, after=after):
                return Outcome(points, mixed, answered, finished)
            points += 1
            try:
                given = _contents(store)
                answered += 1
                mixed += given not in allowed
            except WeightsError:
                pass
            pull(store, ["thing"], SilentReporter())
            finished += _contents(store) == wanted
            shutil.rmtree(place)
    raise AssertionError(f"more than {MOST_POINTS} points")


def prepare_update(folder: Path) -> WeightStore:
    """A box with the old version, a stick with the new one."""
    stick = folder / "usb"
    for files in (OLD, NEW):
        stick.mkdir(parents=True, exist_ok=True)
        for role, data in files.items():
            (stick / f"{role}.bin").write_bytes(data)
        store = _store(folder, files)
        if files is OLD:
            pull(store, ["thing"], SilentReporter())
    return store


def prepare_repair(folder: Path) -> WeightStore:
    """A file that was verified once and has a wrong byte since."""
    store = _store(folder, {"model": LARGE})
    path = store.where("thing")["model"]
    path.parent.mkdir(parents=True)
    (folder / "usb").mkdir()
    for place in (path, folder / "usb" / "model.bin"):
        place.write_bytes(LARGE)
    store.verified("thing")
    with path.open("r+b") as file:
        file.seek(CHUNK_BYTES + 3)
        file.write(b"\xff")
    return store


def _killed(store: WeightStore, point: int, *, after: bool) -> bool:
    """Pull in a child that is killed at a point; False where it came to its end before."""
    child = os.fork()
    if not child:
        try:
            _arm(point, after=after)
            pull(store, ["thing"], SilentReporter())
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == KILLED


def _arm(point: int, *, after: bool) -> None:
    """Let the n-th change to the disk be the last one of this process."""
    counted = [0]

    def armed(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            counted[0] += 1
            last = counted[0] == point
            if last and not after:
                os._exit(KILLED)
            try:
                return real(*arguments, **more)
            finally:
                if last:
                    os._exit(KILLED)

        return call

    for name in WRITES:
        setattr(os, name, armed(getattr(os, name)))


def _contents(store: WeightStore) -> Files:
    files = store.verified("thing")
    return {role: files.held(role).read_bytes() for role in files}


def _store(folder: Path, files: Files) -> WeightStore:
    settings = WeightsSettings(sources=("file",), usb_folders=(folder / "usb",), spare_bytes=0, checkpoint_bytes=10_000)
    entry = Entry("thing", "vision", "Thing", "", tuple(_file(role, data) for role, data in files.items()))
    return WeightStore(folder / "weights", settings, catalogue=Catalogue((entry,)), box_key=folder / "box.key")


def _file(role: str, data: bytes) -> WeightFile:
    hashed = ChunkedDigest()
    hashed.update(data)
    digests = hashed.digests()
    return WeightFile(
        role, f"{role}.bin", bytes=len(data), sha256=digests.sha256, chunks_sha256=root_of(digests.chunks)
    )


if __name__ == "__main__":
    main()
