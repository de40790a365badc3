"""One look at a picture that lamps, buttons, pop-ups and bars share: its areas of even colour.

An area ends where neighbouring pixels differ; a slow gradient stays within one area. The finders work on a picture
that is made smaller where it is large; `Scene.whole` turns a box back into one of the photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Text
from plugins.panel.geometry import height
from plugins.panel.lights.colors import Color, Pixels, commonest

__all__ = ["Region", "Scene", "clip", "grown", "scene_of"]

_MAX_PIXELS = 1_700_000
"""A larger picture is looked at smaller."""
_STEP = 10
"""Difference of neighbouring pixels, in the strongest channel, at which an area ends."""
_CAMERA_STEP = 9
"""The same on a photo whose noise was smoothed."""
_EXACT = 0.56
"""Share of pixels that are exactly as their neighbours, below which a camera took the picture."""
_SAMPLES = 400
"""Pixels of an area that its colour is taken from."""


@dataclass(frozen=True, slots=True)
class Region:
    """One area of even colour."""

    index: int
    box: Box
    """In pixels of the scene."""
    area: int
    """Pixels of it."""
    color: Color

    @property
    def filled(self) -> float:
        """Share of its box that it fills, 0 to 1."""
        return min(1.0, self.area / max(1, (self.box[2] - self.box[0] - 1) * (self.box[3] - self.box[1] - 1)))


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture and its areas."""

    pixels: Pixels
    """Height × width × 3, RGB, perhaps smaller than the photo."""
    scale: float
    """Pixels of the scene for one of the photo."""
    labels: NDArray[np.int32]
    """For each pixel the index of its area; 0 where colours change."""
    stats: NDArray[np.int32]
    """For each area: left, top, width, height, pixels."""
    camera: bool
    """A camera took it: noise, and lamps that shine are white in their middle."""
    _known: dict[int, Region] = field(default_factory=dict)

    def region(self, index: int) -> Region:
        """One area with its colour, which is worked out once."""
        found = self._known.get(index)
        if found is None:
            left, top, wide, high, area = (int(n) for n in self.stats[index])
            each = max(1, int((area / _SAMPLES) ** 0.5))
            chosen = self._pixels_of(index, each)
            color = commonest(chosen if len(chosen) else self._pixels_of(index, 1))
            found = self._known[index] = Region(index, self._box(left, top, wide, high), area, color)
        return found

    def mask(self, index: int) -> Pixels:
        """255 where an area is, within its box."""
        left, top, wide, high, _ = (int(n) for n in self.stats[index])
        return np.where(self.labels[top : top + high, left : left + wide] == index, np.uint8(255), np.uint8(0))

    def under(self, box: Box) -> int:
        """The area that something in this box stands on; 0 where there is none."""
        left, top, right, bottom = clip(grown(box, max(1, height(box) // 6)), self.pixels)
        here = self.labels[top:bottom, left:right].ravel()
        counts = np.bincount(here[here > 0])
        return int(counts.argmax()) if counts.size else 0

    def ring(self, box: Box, by: int) -> Color:
        """The commonest colour on a frame of one pixel that runs around a box."""
        left, top, right, bottom = clip(grown(box, by), self.pixels)
        area = self.pixels[top:bottom, left:right]
        return commonest(np.concatenate([area[0], area[-1], area[:, 0], area[:, -1]]))

    def seen(self, texts: Sequence[Text]) -> list[Text]:
        """Texts with boxes in pixels of the scene, never empty and never outside."""
        return [replace(text, box=self._inside(text.box)) for text in texts]

    def whole(self, box: Box) -> Box:
        """A box of the scene in pixels of the photo."""
        left, top, right, bottom = (round(n / self.scale) for n in box)
        return left, top, max(left + 1, right), max(top + 1, bottom)

    def _box(self, left: int, top: int, wide: int, high: int) -> Box:
        """With its last row and column, which differ from their neighbours and so bear no index."""
        rows, columns = self.labels.shape
        return left, top, min(columns, left + wide + 1), min(rows, top + high + 1)

    def _pixels_of(self, index: int, each: int) -> Pixels:
        left, top, wide, high, _ = (int(n) for n in self.stats[index])
        here = np.s_[top : top + high : each, left : left + wide : each]
        chosen: Pixels = self.pixels[here][self.labels[here] == index]
        return chosen

    def _inside(self, box: Box) -> Box:
        high, wide = self.pixels.shape[:2]
        left, top, right, bottom = (round(n * self.scale) for n in box)
        left, top = min(max(0, left), wide - 1), min(max(0, top), high - 1)
        return left, top, min(wide, max(left + 1, right)), min(high, max(top + 1, bottom))


def scene_of(pixels: Pixels) -> Scene:
    """Take a picture apart.

    :param pixels: height × width × 3, RGB, at least one pixel.
    """
    high, wide = pixels.shape[:2]
    scale = min(1.0, (_MAX_PIXELS / (high * wide)) ** 0.5)
    if scale < 1.0:
        size = max(1, round(wide * scale)), max(1, round(high * scale))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        high, wide = pixels.shape[:2]
    steps = _steps(pixels)
    sample = steps[::3, ::3]
    camera = bool((sample == 0).mean() < _EXACT) if sample.size else False
    if camera:
        steps = _steps(np.asarray(cv2.GaussianBlur(pixels, (5, 5), 1.1), np.uint8))
    _, even = cv2.threshold(steps, _CAMERA_STEP if camera else _STEP, 1, cv2.THRESH_BINARY_INV)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(even, connectivity=4, ltype=cv2.CV_32S)
    return Scene(pixels, scale, np.asarray(labels, np.int32), np.asarray(stats, np.int32), camera)


def _steps(pixels: Pixels) -> Pixels:
    """For each pixel, how much its right and lower neighbours differ from it, in the strongest channel."""
    high, wide = pixels.shape[:2]
    steps = np.zeros((high, wide), np.uint8)
    if wide > 1:
        steps[:, :-1] = _strongest(cv2.absdiff(pixels[:, 1:], pixels[:, :-1]))
    if high > 1:
        steps[:-1] = np.maximum(steps[:-1], _strongest(cv2.absdiff(pixels[1:], pixels[:-1])))
    return steps


def _strongest(change: cv2.typing.MatLike) -> Pixels:
    red, green, blue = cv2.split(change)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def grown(box: Box, by: int) -> Box:
    """A box with more around it, perhaps beyond the picture."""
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def clip(box: Box, pixels: Pixels) -> Box:
    """The part of a box that lies in the picture, at least one pixel."""
    high, wide = pixels.shape[:2]
    left, top = min(max(0, box[0]), wide - 1), min(max(0, box[1]), high - 1)
    return left, top, min(wide, max(left + 1, box[2])), min(high, max(top + 1, box[3]))
