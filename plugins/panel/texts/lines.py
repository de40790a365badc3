"""Reading one line of text: PP-OCRv6's recogniser.

A line is brought to 48 pixels height → one character or blank for every 8 pixels → repeats and blanks dropped (CTC).
What a line costs grows with its width. Words are not padded; numbers are, because without empty space behind them
decimal points get lost with full confidence.

A gap is a space where the chance of one, over all steps between two characters, is above one half; the single best
step, which CTC looks at, loses every second space of narrow gaps. Lines that were read before are known by their
pixels: units and labels repeat on a screen, and a screen that is watched is mostly the same as before.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from plugins.panel.texts.crops import Pixels
from plugins.panel.texts.onnx import Floats, open_session, run

__all__ = ["NOTHING", "NUMBER_WIDTH", "WORD_WIDTH", "Line", "Recogniser"]

LINE_HEIGHT = 48
WORD_WIDTH = 64
NUMBER_WIDTH = 224
"""The least widths that words and numbers are read at."""
WIDTH_STEP = 16
MAX_WIDTH = 2400
SPACE_SEEN = 0.1
SPACE_SURE = 0.5
GLYPH_LOST = 0.9
"""The score of a line with two spaces in a row is at most this: nobody prints two, a thin glyph was lost there."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text."""

    text: str
    score: float
    """0 to 1, the mean of its characters' scores."""
    places: tuple[float, ...] = ()
    """Where each character stands, 0 to 1 of the crop's width."""


NOTHING = Line("", 0.0)


class Recogniser:
    """One line of text at a time; several threads may each read one."""

    def __init__(self, files: Mapping[str, Path], *, keep: int) -> None:
        """
        :param files: roles `rec` (ONNX) and `rec-config` (PaddleOCR's inference.yml with the dictionary).
        :param keep: how many lines are remembered by their pixels.
        """
        self._characters = _characters(files["rec-config"])
        self._session = open_session(files["rec"], threads=1)
        self._seen: OrderedDict[bytes, Line] = OrderedDict()
        self._keep = keep
        self._lock = Lock()

    def __call__(self, crop: Pixels, *, min_width: int = NUMBER_WIDTH) -> Line:
        """Text, score and places.

        :param crop: height × width × 3, BGR, the text running from left to right.
        :param min_width: shorter lines, once 48 pixels high, are padded to this.
        """
        pixels = np.ascontiguousarray(crop)
        key = blake2b(pixels.data, digest_size=16, salt=b"%d %d" % (min_width, crop.shape[1])).digest()
        with self._lock:
            known = self._seen.get(key)
        if known is None:
            known = self._read(pixels, min_width)
            with self._lock:
                self._seen[key] = known
                if len(self._seen) > self._keep:
                    self._seen.popitem(last=False)
        return known

    def forget(self) -> None:
        """Forget all lines, so that the next one costs what a new one costs."""
        with self._lock:
            self._seen.clear()

    def _read(self, crop: Pixels, min_width: int) -> Line:
        height, width = crop.shape[:2]
        width = min(MAX_WIDTH, max(8, math.ceil(LINE_HEIGHT * width / height)))
        shrink = cv2.INTER_AREA if height > 2 * LINE_HEIGHT else cv2.INTER_LINEAR
        line = cv2.resize(crop, (width, LINE_HEIGHT), interpolation=shrink).astype(np.float32)
        padded = max(min_width, math.ceil(width / WIDTH_STEP) * WIDTH_STEP)
        batch = np.zeros((1, 3, LINE_HEIGHT, padded), np.float32)
        batch[0, :, :, :width] = line.transpose(2, 0, 1) / 127.5 - 1
        return self._decoded(run(self._session, batch)[0], width / padded)

    def _decoded(self, steps: Floats, used: float) -> Line:
        """
        :param steps: step × character, chances; the first character is the blank, the last one the space.
        :param used: part of the steps that lie on the crop.
        """
        best = steps.argmax(axis=1)
        kept = np.flatnonzero((best != 0) & np.concatenate(([True], best[1:] != best[:-1])))
        if not len(kept):
            return NOTHING
        score = float(steps[kept, best[kept]].mean())
        characters = [self._characters[best[at]] for at in kept]
        if "  " in "".join(characters).strip():
            score = min(score, GLYPH_LOST)
        spaces = _lost_spaces(steps[:, -1], kept, best == steps.shape[1] - 1)
        for index in reversed(spaces):
            characters.insert(index + 1, " ")
            kept = np.insert(kept, index + 1, (kept[index] + kept[index + 1]) // 2)
        places = [float(place) for place in (kept + 0.5) / (len(steps) * used)]
        while characters and not characters[0].strip():
            del characters[0], places[0]
        while characters and not characters[-1].strip():
            del characters[-1], places[-1]
        if any(len(character) != 1 for character in characters):
            places = []
        return Line("".join(characters), score, tuple(places)) if characters else NOTHING


def _lost_spaces(chance: Floats, kept: NDArray[np.intp], is_space: NDArray[np.bool_]) -> list[int]:
    """Indices of the characters behind which a space was lost."""
    if len(kept) < 2 or chance.max() < SPACE_SEEN:
        return []
    lost = []
    for index, (before, after) in enumerate(pairwise(kept)):
        if after - before > 1 and not is_space[before : after + 1].any():
            between = chance[before + 1 : after]
            if between.max() >= SPACE_SEEN and 1 - float(np.prod(1 - between)) > SPACE_SURE:
                lost.append(index)
    return lost


def _characters(config: Path) -> list[str]:
    """Index → character: blank, the dictionary, space."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with config.open(encoding="utf-8") as file:
        dictionary = yaml.load(file, Loader=loader)["PostProcess"]["character_dict"]
    return ["", *(str(character) for character in dictionary), " "]
