"""Where text stands: PP-OCRv6's detectors.

A detector gives a map of how much each pixel looks like text → contours → rotated rectangles, grown by the offset that
DB training shrank them by. Two detectors of different size miss different texts and cut different ends off, so what
the second one sees is added: texts that the first has nothing for, and the ends of those that it cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.settings import PanelSettings
from plugins.panel.texts.crops import Corners, Pixels, clockwise
from plugins.panel.texts.onnx import Floats, open_session, run

__all__ = ["Detector", "Place", "joined"]

MEAN = np.array([0.485, 0.456, 0.406], np.float32) * 255
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32) * 255
"""ImageNet's, in the order the detector was trained with (blue, green, red)."""
STRIDE = 32
"""The detector takes sides that are a multiple of this."""
FLAT = 0.68
"""A detector sees at most so many pixels, in parts of the square of its longest side: memory grows with pixels, and a
screen is rarely squarer than 16:11.
"""
MIN_BOX_SIDE = 3.0
"""In pixels of the detector's input; anything thinner is a line, not text."""
SAME = 0.3
"""Two boxes show the same text where they share this part of the smaller one."""
LONGER = 0.25
"""A box goes on beyond another one where it is longer by this part of its height."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text may stand."""

    corners: Corners
    agreed: bool
    """Two detectors see it."""


class Detector:
    """A loaded detector."""

    def __init__(self, path: Path, settings: PanelSettings, *, side_px: int) -> None:
        """
        :param side_px: the longest side that it sees; larger images are made smaller.
        """
        self._session = open_session(path, settings.threads)
        self._settings = settings
        self._side_px = side_px

    def __call__(self, image: Pixels) -> list[Corners]:
        """Four corners of every run of text, clockwise from the upper left, in pixels of the image.

        :param image: height × width × 3, BGR.
        """
        height, width = image.shape[:2]
        ratio = min(1.0, self._side_px / max(height, width), self._side_px * (FLAT / (height * width)) ** 0.5)
        rows, columns = (max(STRIDE, round(side * ratio / STRIDE) * STRIDE) for side in (height, width))
        shrink = cv2.INTER_AREA if ratio < 0.5 else cv2.INTER_LINEAR
        scaled = cv2.resize(image, (columns, rows), interpolation=shrink).astype(np.float32)
        batch = np.ascontiguousarray(((scaled - MEAN) / DEVIATION).transpose(2, 0, 1)[None], np.float32)
        likely: Floats = run(self._session, batch, give_back=True)[0, 0]
        mask = (likely > self._settings.detect_threshold).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        scale = np.array([width / columns, height / rows], np.float32)
        limit = np.array([width, height], np.float32)
        found = (self._rectangle(contour, likely) for contour in contours[: 2 * self._settings.max_texts])
        return [np.clip(corners * scale, 0, limit) for corners in found if corners is not None]

    def _rectangle(self, contour: NDArray[Any], likely: Floats) -> Corners | None:
        centre, (a, b), angle = cv2.minAreaRect(contour)
        if min(a, b) < MIN_BOX_SIDE or _mean_inside(likely, centre, (a, b), angle) < self._settings.box_threshold:
            return None
        grow = a * b * self._settings.unclip_ratio / (a + b)
        return clockwise(cv2.boxPoints((centre, (a + grow, b + grow), angle)))


def joined(first: Sequence[Corners], second: Sequence[Corners]) -> list[Place]:
    """What two detectors see, each text once.

    The first one's boxes, longer where a single box of the second goes on beyond a single one of the first; then the
    second one's boxes where the first has none.
    """
    if not first or not second:
        return [Place(corners, False) for corners in first or second]
    ours, theirs = (np.array([[*c.min(axis=0), *c.max(axis=0)] for c in found]) for found in (first, second))
    low = np.maximum(ours[:, None, :2], theirs[None, :, :2])
    shared = np.clip(np.minimum(ours[:, None, 2:], theirs[None, :, 2:]) - low, 0, None).prod(axis=2)
    areas, others = ((b[:, 2:] - b[:, :2]).prod(axis=1) for b in (ours, theirs))
    same = shared > SAME * np.minimum(areas[:, None], others[None, :])
    kept = [Place(corners, bool(agreed)) for corners, agreed in zip(first, same.any(axis=1), strict=True)]
    for index in range(len(second)):
        partners = np.flatnonzero(same[:, index])
        if len(partners) == 1 and same[partners[0]].sum() == 1:
            kept[partners[0]] = Place(_longer(first[partners[0]], second[index]), True)
        elif not len(partners) and shared[:, index].sum() < SAME * others[index]:
            kept.append(Place(second[index], False))
    return kept


def _longer(ours: Corners, theirs: Corners) -> Corners:
    """Ours, unless theirs goes on beyond it in the direction of the text."""
    sides = [(float(np.linalg.norm(c[0] - c[1])), float(np.linalg.norm(c[0] - c[3]))) for c in (ours, theirs)]
    (width, height), (other_width, other_height) = sides
    if width < height:
        width, height, other_width, other_height = height, width, other_height, other_width
    return theirs if other_width - width > LONGER * height and other_height < 1.5 * height else ours


def _mean_inside(likely: Floats, centre: Sequence[float], size: Sequence[float], angle: float) -> float:
    corners = cv2.boxPoints((centre, size, angle))
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    window = likely[top:bottom, left:right]
    if not window.size:
        return 0.0
    mask = np.zeros(window.shape, np.uint8)
    cv2.fillPoly(mask, [(corners - [left, top]).astype(np.int32)], 1)
    return float(cv2.mean(window, mask)[0])
