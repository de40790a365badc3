"""A reader that came as a module, in a process and an environment of its own, as an `OcrEngine`.

Its process serves two calls, each with the image's pixels (RGB, 8 bits, rows in order) as the one buffer:

    read(width, height) -> [{"text", "box": [left, top, right, bottom], "score"}, …]
    read_boxes(width, height, boxes, margin, other) -> the same, one for each box, in order

What it gives back is checked: a box outside of the image or a score that is none is an error of that photo. What
every reader gets wrong is mended as in our own (`plugins.panel.texts.repairs`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from agent.api import Box, Env, Module, ModuleHost, PhotoError, SharedBuffer, Text
from agent.errors import WorkerError
from plugins.panel.texts.crops import grown
from plugins.panel.texts.lines import Line
from plugins.panel.texts.repairs import repaired

__all__ = ["ModuleReader", "chosen_reader", "open_module_reader"]

Pixels = NDArray[np.uint8]
_TEXTS: TypeAdapter[tuple[Text, ...]] = TypeAdapter(tuple[Text, ...])
_KIND = "ocr"


def chosen_reader(env: Env) -> str:
    """Name and version of the module that reads; empty where none was chosen."""
    host = ModuleHost(env)
    return next((f"{name} {host.version(name)}" for name in host.chosen(_KIND)), "")


def open_module_reader(env: Env) -> ModuleReader | None:
    """Start the module that reads.

    :returns: None where none was chosen.
    :raises WatchkeeperError: it does not start.
    """
    host = ModuleHost(env)
    name = next(iter(host.chosen(_KIND)), None)
    return None if name is None else ModuleReader(name, host, env)


class ModuleReader:
    """Implements `plugins.panel.texts.ocr.OcrEngine`."""

    def __init__(self, name: str, host: ModuleHost, env: Env) -> None:
        """Start it.

        :raises WatchkeeperError: it does not start.
        """
        self._host = host
        self._module: Module = host.open(name)
        self._seconds = env.settings.plugins.call_seconds
        self._panel = env.settings.panel

    @property
    def name(self) -> str:
        """Module and version; another version may answer after a swap."""
        return f"{self._module.name} {self._module.version}"

    def read(self, pixels: Pixels) -> tuple[Text, ...]:
        """Every run of text on an image that the reader is sure enough of, mended as any reader's are."""
        found = self._call("read", pixels, {})[: self._panel.max_texts]
        return tuple(_mended(text, pixels) for text in found if text.text and text.score >= self._panel.min_score)

    def read_boxes(
        self, pixels: Pixels, boxes: Sequence[Box], *, margin: float, other: bool = False
    ) -> tuple[Text, ...]:
        """Read known places again."""
        if not boxes:
            return ()
        told = {"boxes": [list(box) for box in boxes], "margin": margin, "other": other}
        found = self._call("read_boxes", pixels, told)
        if len(found) != len(boxes):
            raise PhotoError(f"{self.name}: read {len(found)} places instead of {len(boxes)}; {_AGAIN}")
        return tuple(Text(text.text, box, text.score) for text, box in zip(found, boxes, strict=True))

    def close(self) -> None:
        """End its process."""
        self._host.close()

    def _call(self, method: str, pixels: Pixels, told: Mapping[str, Any]) -> tuple[Text, ...]:
        height, width = pixels.shape[:2]
        deadline = time.monotonic() + self._seconds
        try:
            value = self._module.call(
                method, {"width": width, "height": height, **told}, buffers=[_shared(pixels)], deadline=deadline
            ).value
            found = _TEXTS.validate_python(value)
        except WorkerError as error:
            raise PhotoError(f"{self.name}: could not read the photo: {error}; {_AGAIN}") from None
        except ValidationError as error:
            raise PhotoError(f"{self.name}: gave back what is no text: {error.errors()[0]['msg']}; {_AGAIN}") from None
        if not all(_fits(text, width, height) for text in found):
            raise PhotoError(f"{self.name}: gave back a text that is not on the photo; {_AGAIN}")
        return found


_AGAIN = "ask again, or go back: watchkeeper modules rollback"


def _fits(text: Text, width: int, height: int) -> bool:
    left, top, right, bottom = text.box
    return 0 <= left <= right <= width and 0 <= top <= bottom <= height and 0 <= text.score <= 1


def _mended(text: Text, pixels: Pixels) -> Text:
    """What can be told from the pixels or from how things are written does not depend on who reads."""
    crop = grown(pixels, text.box, 0)
    return replace(text, text=repaired(Line(text.text, text.score), crop[:, :, ::-1]).text) if crop.size else text


def _shared(pixels: Pixels) -> SharedBuffer:
    def fill(view: memoryview) -> None:
        np.copyto(np.frombuffer(view, np.uint8).reshape(pixels.shape), pixels)

    return SharedBuffer.write(pixels.nbytes, fill)
