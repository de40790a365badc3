"""Faults of weight files: flipped bits, and all that storage and people do to files.

Every bit flip goes the whole way: `WeightStore.verified` on a real folder, which must refuse and set aside. Every other
fault is made at rest and while the file is in use; each time the ladder must fall to the rung without weights and say
why, no other file may reach the loader, and when the source is back the file must be whole again.
"""

from __future__ import annotations

import errno
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from agent.env import load_env
from agent.errors import WeightsBad
from agent.model.ladder import Ladder
from agent.model.protocol import Model
from agent.model.rules import RulesModel
from agent.settings import WeightsSettings
from agent.weights.catalogue import Catalogue, Entry, WeightFile
from agent.weights.chunks import CHUNK_BYTES, ChunkedDigest, root_of
from agent.weights.ladder import RULES
from agent.weights.progress import SilentReporter
from agent.weights.pull import pull
from agent.weights.store import WeightStore
from tests.bench.table import Row, at_least, at_most, print_rows

FLIPS = {"det": 500, "rec": 300, "piece": 200}
"""Positions tried in each of the three files."""
PIECE_BYTES = 40_000_000
STICK_BYTES = CHUNK_BYTES + 70_000
SEED = 4

Inject = Callable[[Path], None]


def main() -> None:
    """Run all and print."""
    print_rows(run())


def run() -> list[Row]:
    """Both rows of the fault table."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as scratch:
        return [*_flips(Path(scratch) / "flips"), *_storage_faults(Path(scratch) / "faults")]


# One bit flipped


def _flips(folder: Path) -> list[Row]:
    files = _three_files()
    store = _store(folder, files)
    chosen = random.Random(SEED)
    found = loaded = repeated = 0
    for name, data in files.items():
        path = _put(store, name, data)
        store.verified(name)
        bits = {0, 8 * len(data) - 1}
        while len(bits) < FLIPS[name]:
            bits.add(chosen.randrange(8 * len(data)))
        for bit in sorted(bits):
            _flip(path, bit)
            try:
                store.verified(name)
                loaded += 1
            except WeightsBad:
                found += 1
                path.with_name(f"{path.name}.bad").rename(path)
            _flip(path, bit)
        repeated += bool(store.verified(name))
    tried = sum(FLIPS.values())
    return [
        at_least(f"bits flipped in three files, found of {tried}", found, tried),
        at_most("bits flipped, loaded all the same", loaded, 0),
        at_least("the same files with the bit set right again, accepted", repeated, len(files)),
    ]


def _flip(path: Path, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(bit // 8)
        (byte,) = file.read(1)
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))


def _three_files() -> dict[str, bytes]:
    """Detector, reader and a piece of a language model where they are here, else random bytes of their sizes."""
    where = load_env().weights.where
    made = random.Random(SEED)
    sizes = {"det": 9_880_512, "rec": 21_159_378, "piece": PIECE_BYTES}
    places = {
        "det": where("ocr-small")["det"],
        "rec": where("ocr-small")["rec"],
        "piece": where("qwen2.5-0.5b")["model"],
    }
    files = {}
    for name, place in places.items():
        if place.exists():
            with place.open("rb") as file:
                files[name] = file.read(sizes[name])
        else:
            files[name] = made.randbytes(sizes[name])
    return files


# What storage and people do


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to lose a file."""

    name: str
    inject: Inject
    """Does it to the file at a path."""
    fails: str = ""
    """The system call that fails on that file from then on, where the fault is the storage's."""
    errno: int = 0


def _storage_faults(folder: Path) -> list[Row]:
    rows = []
    for number, fault in enumerate(_faults()):
        held = [_try(folder / f"{number}-{serving}", fault, serving=serving) for serving in (False, True)]
        rows.append(at_least(f"{fault.name}: at rest and in use, held of 2", sum(held), 2))
    return rows


def _faults() -> list[Fault]:
    return [
        Fault("truncated", lambda path: os.truncate(path, CHUNK_BYTES // 2)),
        Fault("empty", lambda path: os.truncate(path, 0)),
        Fault("swapped with another file of the catalogue", _swap),
        Fault("unreadable", lambda path: None, fails="open", errno=errno.EACCES),
        Fault("vanished", lambda path: path.unlink()),
        Fault("read error (EIO)", lambda path: None, fails="preadv", errno=errno.EIO),
        Fault("link that leads outside", _link_outside),
    ]


def _try(folder: Path, fault: Fault, *, serving: bool) -> bool:
    """Make the fault; whether everything held."""
    made = random.Random(SEED)
    files = {"thing": made.randbytes(STICK_BYTES), "other": made.randbytes(STICK_BYTES)}
    store = _store(folder, files)
    for name, data in files.items():
        _put(store, name, data)
    path = _put(store, "thing", files["thing"])
    before = store.verified("thing")
    if not serving:
        before.close()
    fault.inject(path)
    with _failing(fault, path):
        fell = _falls(store)
    if serving:
        in_use = before.held("model").read_bytes() == files["thing"]
        fell = fell and (in_use or not before.unchanged())
    stick = folder / "usb" / "thing.bin"
    stick.parent.mkdir()
    stick.write_bytes(files["thing"])
    with _failing(fault, path):
        pull(store, ["thing"], SilentReporter())
    return fell and store.verified("thing")["model"].read_bytes() == files["thing"] and _answers(store)


def _falls(store: WeightStore) -> bool:
    """The next rung answers, and the reason is said."""
    ladder = _ladder(store)
    falls = ladder.name == "thing" and not ladder.sees and ladder.name == RULES and ladder.falls
    return bool(falls and "thing.bin" in ladder.falls[0].reason)


def _answers(store: WeightStore) -> bool:
    ladder = _ladder(store)
    return not ladder.sees and not ladder.falls


def _ladder(store: WeightStore) -> Ladder:
    def open_one(name: str) -> Model:
        if name != RULES:
            store.verified(name)
        return RulesModel()

    return Ladder(["thing", RULES], open_one)


@contextmanager
def _failing(fault: Fault, path: Path) -> Iterator[None]:
    """System calls on the file fail, as they do on a dying disk; on a new file in its place they do not."""
    if not fault.fails:
        yield
        return
    real = getattr(os, fault.fails)
    sick = path.stat().st_ino

    def failing(target: Any, *arguments: Any, **more: Any) -> Any:
        found = os.stat(target) if os.path.exists(target) else None  # noqa: PTH110, PTH116 - a path or a descriptor
        if found is not None and found.st_ino == sick:
            raise OSError(fault.errno, os.strerror(fault.errno))
        return real(target, *arguments, **more)

    with mock.patch.object(os, fault.fails, failing):
        yield


def _swap(path: Path) -> None:
    other = path.parent.parent / "other" / "other.bin"
    aside = path.with_name("aside")
    path.rename(aside)
    other.rename(path)
    aside.rename(other)


def _link_outside(path: Path) -> None:
    outside = path.parent.parent.parent / "outside.bin"
    path.rename(outside)
    path.symlink_to(outside)


# A folder to do it in


def _store(folder: Path, files: dict[str, bytes]) -> WeightStore:
    settings = WeightsSettings(sources=("file",), usb_folders=(folder / "usb",), spare_bytes=0)
    entries = tuple(_entry(name, data) for name, data in files.items())
    return WeightStore(folder / "weights", settings, catalogue=Catalogue(entries), box_key=folder / "box.key")


def _entry(name: str, data: bytes) -> Entry:
    hashed = ChunkedDigest()
    hashed.update(data)
    digests = hashed.digests()
    file = WeightFile(
        "model", f"{name}.bin", bytes=len(data), sha256=digests.sha256, chunks_sha256=root_of(digests.chunks)
    )
    return Entry(name, "text", name, "", (file,))


def _put(store: WeightStore, name: str, data: bytes) -> Path:
    path = store.folder / name / f"{name}.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


if __name__ == "__main__":
    main()
