"""A box whose models are real files and real processes, and a stick from which they can be had again."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.bound import CallBound, CallPart
from agent.env import Env, load_env
from agent.messages import Message, Reply
from agent.model.box_ladder import build_ladder
from agent.model.falls import Fall
from agent.model.ladder import Ladder
from agent.model.protocol import ReplyLimits
from agent.settings import LadderSettings
from agent.weights.catalogue import Catalogue, Entry, Kind, WeightFile
from agent.weights.chunks import CHUNK_BYTES, ChunkedDigest, root_of
from agent.weights.store import WeightStore
from tests.tiny_qwen3vl import TinyFiles

QUICK = LadderSettings(golden=False, rest_seconds=0.1, rest_most_seconds=0.4, follow_seconds=0.05)


@dataclass
class LadderBox:
    """An env with its own catalogue, and the stick."""

    env: Env
    stick: Path
    sound: dict[str, dict[str, Path]]
    """What the files were made from."""

    def ladder(self) -> Ladder:
        """As an agent of this box builds it."""
        return build_ladder(self.env)

    def path(self, name: str, role: str = "model") -> Path:
        """Where a file lies."""
        return self.env.weights.where(name)[role]

    def lend(self, name: str, role: str = "model") -> None:
        """The source returns: lay the sound file on the stick."""
        self.stick.mkdir(exist_ok=True)
        path = self.path(name, role)
        shutil.copy(self.sound[name][role], self.stick / path.name)


def make_box(
    folder: Path, files: dict[str, dict[str, Path]], *, ladder: LadderSettings = QUICK, **more: Any
) -> LadderBox:
    """A box with these models, best first.

    :param files: name → role → file; the file itself stays as it is.
    :param more: settings of `weights`.
    """
    env = load_env({"WATCHKEEPER_HOME": str(folder / "home"), "WATCHKEEPER_MODEL__CONTEXT_TOKENS": "1024"})
    weights = {"sources": ("file",), "usb_folders": (folder / "stick",), "spare_bytes": 0, "repair_seconds": 0.1,
               "repair_most_seconds": 0.3, **more}  # fmt: skip
    settings = env.settings.model_copy(
        update={"ladder": ladder, "weights": env.settings.weights.model_copy(update=weights)}
    )
    entries = tuple(_entry(name, roles) for name, roles in files.items())
    store = WeightStore(folder / "weights", settings.weights, catalogue=Catalogue(entries), box_key=env.home.box_key)
    for name, roles in files.items():
        for role, source in roles.items():
            place = store.where(name)[role]
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)
    return LadderBox(replace(env, settings=settings, weights=store), folder / "stick", files)


def sees(tiny: TinyFiles) -> dict[str, Path]:
    """The tiny model with its projector."""
    return {"model": tiny.model, "mmproj": tiny.projector}


def ask(ladder: Ladder, *, end: bool = True) -> tuple[str, tuple[Fall, ...]]:
    """One turn.

    :param end: False where more is asked in it.
    :return: who answered, and what the answer says about the rungs.
    """
    ladder.begin_turn()
    more(ladder)
    name = ladder.name
    return name, ladder.settle() if end else ()


def more(ladder: Ladder, **limits: Any) -> Reply:
    """One more reply in a turn, of which the grammar forces every token: rules can give it too."""
    return ladder.reply([Message("user", "hi")], (), bound=FORCED, limits=ReplyLimits(16, **limits))


FORCED = CallBound((CallPart("hi", (), may_decline=True),))


def _entry(name: str, roles: dict[str, Path]) -> Entry:
    kind: Kind = "vision" if "mmproj" in roles else "text" if "model" in roles else "ocr"
    made = tuple(_file(role, f"{name}-{role}.gguf", source) for role, source in roles.items())
    return Entry(name, kind, name, "", made, ram_bytes=1, cores=1)


def _file(role: str, name: str, source: Path) -> WeightFile:
    hashed = ChunkedDigest()
    with source.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            hashed.update(piece)
    digests = hashed.digests()
    return WeightFile(
        role, name, bytes=source.stat().st_size, sha256=digests.sha256, chunks_sha256=root_of(digests.chunks)
    )
