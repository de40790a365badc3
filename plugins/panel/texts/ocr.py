"""Who reads text: the protocol every reader implements, and which one this box has.

Order of choice: a module that reads, the size the settings name, then the other one. A file that is missing or has
been set aside as bad costs that size, not the photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Env, Text, WeightsError
from agent.errors import ModelError, WatchkeeperError
from agent.weights.held import VerifiedFiles
from plugins.panel.texts.module_ocr import open_module_reader
from plugins.panel.texts.ppocr import PpOcr

__all__ = ["OcrEngine", "open_engine"]

Pixels = NDArray[np.uint8]


class OcrEngine(Protocol):
    """Finds and reads text. Not safe for use from two threads at once."""

    @property
    def name(self) -> str:
        """Weights and version, so that a cache of readings knows who read."""
        ...

    def read(self, pixels: Pixels) -> tuple[Text, ...]:
        """Every run of text on an image.

        :param pixels: height × width × 3, RGB, 8 bits.
        :returns: in no particular order, boxes in pixels of the image.
        """
        ...

    def read_boxes(
        self, pixels: Pixels, boxes: Sequence[Box], *, margin: float, other: bool = False
    ) -> tuple[Text, ...]:
        """Read places of the last `read` again, without looking for text.

        :param margin: what is added on every side, as a part of the box's height; it changes the scale of the glyphs.
        :param other: by another model than the one whose word was taken there, where the engine has two.
        :returns: one text for each box, in order; empty with score 0 where nothing can be read.
        """
        ...

    def close(self) -> None:
        """Free what it holds. Calling it twice is fine."""
        ...


def open_engine(env: Env) -> tuple[OcrEngine | None, tuple[str, ...]]:
    """Load the reader that this box has.

    :returns: the reader, or None where no weights can be used, and what a person should know about the choice.
    """
    wanted = env.settings.panel.ocr
    notes: list[str] = []
    try:
        module = open_module_reader(env)
    except WatchkeeperError as error:
        notes.append(f"the module that reads cannot be used: {error}")
    else:
        if module is not None:
            return module, ()
    for size in (wanted, "tiny" if wanted == "small" else "small"):
        name = f"ocr-{size}"
        try:
            files, screen = env.weights.verified(name), _screen(env, size)
            return PpOcr(name, _held(files), env.settings.panel, screen=screen and _held(screen)), tuple(notes)
        except (WeightsError, ModelError) as error:
            notes.append(f"{name} cannot be used: {error}")
    notes.append("no text was read: OCR weights are missing; run `watchkeeper weights pull ocr-small`")
    return None, tuple(notes)


def _held(files: VerifiedFiles) -> dict[str, Path]:
    """Paths to exactly the files that were verified; valid while `files` lives, which is until all is loaded."""
    return {role: files.held(role) for role in files}


def _screen(env: Env, size: str) -> VerifiedFiles | None:
    """The tiny reader's files, to read first what is easy; the small one alone reads as well, at twice the cost."""
    if size != "small":
        return None
    try:
        return env.weights.verified("ocr-tiny")
    except WeightsError:
        return None
