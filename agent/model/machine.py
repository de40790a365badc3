"""What was measured on this box, remembered, and what a model is therefore loaded with.

`cache/machine.json` holds one entry for each box, version of llama.cpp and weights; another box that gets the folder,
or a newer library, measures anew. A file that is not ours, or not whole, is as good as none. Settings that name a
number or a type are left as they are; `auto` and 0 are filled in here.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import psutil
from pydantic import Field, TypeAdapter, ValidationError

from agent.files import at_once
from agent.model.cores import Cores, count_cores, read_text
from agent.model.gguf import read_model_shape, read_projector_shape
from agent.model.room import KvType, MemoryPlan, plan_memory
from agent.settings import ModelSettings

__all__ = ["MachineNotes", "Remembered", "Settled", "describe_box", "settle"]

NOTE_BYTES = 100_000
"""A file larger than this is not ours."""
MAX_NOTES = 32
"""Entries kept, newest last."""
MAX_THREADS = 1_024
PROJECTOR = "mmproj"
"""Role of the projector that a model needs; others stand for it."""
Threads = Annotated[int, Field(ge=0, le=MAX_THREADS)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Name = Annotated[str, Field(max_length=100)]


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was best here for one model. 0 and empty stand for what was not measured."""

    threads: Threads = 0
    kv_type: KvType | None = None
    projector: Name = ""
    """Role in the catalogue: mmproj or mmproj-f16."""
    read_tok_s: Rate = 0.0
    """Tokens of a prompt per second."""
    write_tok_s: Rate = 0.0
    """Tokens of a reply per second."""
    measured: Name = ""
    """ISO, UTC."""
    golden_ms: Rate = 0.0
    """What the answer to the test question took here at first; see `agent.model.golden`."""


_NOTES: TypeAdapter[dict[str, Remembered]] = TypeAdapter(dict[Annotated[str, Field(max_length=64)], Remembered])


class MachineNotes:
    """The file."""

    def __init__(self, folder: Path, *, box: str = "") -> None:
        """
        :param folder: the home's cache.
        :param box: what tells this box from others; empty looks.
        """
        self._path = folder / "machine.json"
        self._salt = f"{box or describe_box()}|{version('llama-cpp-python')}"

    def recall(self, weights_sha256: str) -> Remembered:
        """What was measured here with these weights; empty where nothing was."""
        return self._all().get(self._key(weights_sha256), Remembered())

    def remember(self, weights_sha256: str, found: Remembered) -> None:
        """Keep it, whole or not at all, and beside what is known already.

        :param found: what it leaves at 0 or empty keeps its earlier value.
        :raises OSError: the file cannot be written.
        """
        notes = self._all()
        before = notes.pop(self._key(weights_sha256), Remembered())
        told = {name: value for name in found.__slots__ if (value := getattr(found, name))}
        notes[self._key(weights_sha256)] = replace(before, **told)
        draft = self._path.with_suffix(f".{os.getpid()}.new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as out:
                out.write(_NOTES.dump_json(dict(list(notes.items())[-MAX_NOTES:]), indent=1))
                out.flush()
                os.fsync(out.fileno())
            draft.replace(self._path)
        except OSError:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise

    def _all(self) -> dict[str, Remembered]:
        try:
            with open(self._path, "rb", opener=at_once) as file:
                return _NOTES.validate_json(file.read(NOTE_BYTES + 1), strict=True)
        except (OSError, ValidationError):
            return {}

    def _key(self, weights_sha256: str) -> str:
        return hashlib.sha256(f"{self._salt}|{weights_sha256}".encode()).hexdigest()


def describe_box(proc: Path = Path("/proc")) -> str:
    """Processor, cores and memory: what a measurement holds for."""
    cores = count_cores()
    gigabytes = round(psutil.virtual_memory().total / 1e9)
    return f"{_processor(proc)}, {cores.physical} cores, {cores.allowed} threads, {gigabytes} GB"


def _processor(proc: Path) -> str:
    """Its name as the kernel or the board's firmware gives it."""
    for line in read_text(proc / "cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model", "Hardware") and value.strip():
            return value.strip()
    board = read_text(proc / "device-tree" / "model").strip("\0")
    return board or platform.processor() or platform.machine()


@dataclass(frozen=True, slots=True)
class Settled:
    """What a model is loaded with."""

    settings: ModelSettings
    """Nothing in it is `auto` or 0 any more."""
    projector: Path | None
    """The vision half: of several the one that was the fastest here."""
    projector_role: str
    """What the catalogue calls it; empty without one."""
    plan: MemoryPlan
    cores: Cores
    why_threads: str
    """For people."""


def settle(
    settings: ModelSettings,
    files: Mapping[str, Path],
    *,
    free_bytes: int,
    remembered: Remembered | None = None,
    cores: Cores | None = None,
) -> Settled:
    """Fill in what the settings leave open: by measurement, by cores and by memory.

    :param files: of the model, role → path.
    :param free_bytes: memory that may be taken.
    :param remembered: what was measured here.
    :param cores: what the box has; None looks.
    :raises NotEnoughMemory: it does not fit.
    :raises ModelError: a file is damaged.
    """
    known = remembered or Remembered()
    box = cores or count_cores()
    # What was measured without a quota does not hold under one, nor with cores that are taken away.
    measured = min(known.threads, box.allowed, max(1, int(box.quota or MAX_THREADS)))
    threads = settings.threads or measured or box.useful
    why = "by the settings" if settings.threads else "as measured" if measured else box.why
    role = _projector(files, known.projector)
    projector = files[role] if role else None
    wanted = settings.model_copy(update={"kv_type": "q8_0"}) if _packs(settings, known) else settings
    plan = plan_memory(
        read_model_shape(files["model"]),
        free_bytes,
        wanted,
        projector=read_projector_shape(projector) if projector else None,
    )
    chosen = {
        "threads": threads,
        "context_tokens": plan.context_tokens,
        "kv_type": plan.kv_type,
        "micro_batch_tokens": plan.micro_batch_tokens,
        "image_tokens": plan.image_tokens or settings.image_tokens,
    }
    return Settled(settings.model_copy(update=chosen), projector, role, plan, box, f"{threads} threads, {why}")


def _packs(settings: ModelSettings, known: Remembered) -> bool:
    return settings.kv_type == "auto" and settings.flash_attention and known.kv_type == "q8_0"


def _projector(files: Mapping[str, Path], measured: str) -> str:
    if measured.startswith(PROJECTOR) and measured in files:
        return measured
    return PROJECTOR if PROJECTOR in files else ""
