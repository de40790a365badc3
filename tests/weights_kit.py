"""A small catalogue, and a folder of weights to try it on."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from agent.settings import WeightsSettings
from agent.weights.catalogue import Catalogue, Entry, WeightFile
from agent.weights.partial import Partial
from agent.weights.store import WeightStore

MODEL, EYE, BIG_EYE = b"model bytes" * 1000, b"projector" * 500, b"projector, larger" * 500


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def weight(role: str, name: str, data: bytes, stands_for: str = "") -> WeightFile:
    return WeightFile(role, name, bytes=len(data), sha256=sha(data), stands_for=stands_for)


SEES = Entry(
    "sees",
    "vision",
    "Sees",
    "MIT",
    (
        weight("model", "m.gguf", MODEL),
        weight("mmproj", "p.gguf", EYE),
        weight("mmproj-f16", "f.gguf", BIG_EYE, "mmproj"),
    ),
    ram_bytes=1,
)
TEXT = Entry("plain", "text", "Plain", "MIT", (weight("model", "m.gguf", MODEL),))
OPEN = Entry("open", "embedding", "Open", "MIT", (WeightFile("model", "open.bin", about_bytes=20),))
CATALOGUE = Catalogue((SEES, TEXT, OPEN))


def make_store(tmp_path: Path, *, catalogue: Catalogue = CATALOGUE, **more: object) -> WeightStore:
    values = {"usb_folders": (tmp_path / "usb",), "spare_bytes": 0, "sources": ("file",), **more}
    settings = WeightsSettings.model_validate(values)
    return WeightStore(tmp_path / "weights", settings, catalogue=catalogue, box_key=tmp_path / "box.key")


def put(store: WeightStore, name: str, data: bytes) -> Path:
    path = store.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def lend(store: WeightStore, name: str, data: bytes) -> None:
    """Lay a file on the stick."""
    (usb,) = store.settings.usb_folders
    (usb / name).parent.mkdir(parents=True, exist_ok=True)
    (usb / name).write_bytes(data)


FILE = TEXT.files[0]


def grow(store: WeightStore, file: WeightFile) -> Partial:
    folder = store.folder / "plain"
    folder.mkdir(parents=True, exist_ok=True)
    return Partial(folder / file.name, file, store.settings)


def big_bytes(size: int, seed: int = 1) -> bytes:
    """Bytes that do not repeat, quickly."""
    return random.Random(seed).randbytes(size)
