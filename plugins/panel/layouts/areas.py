"""Rectangles that a panel is divided into: cards, value boxes, buttons, cells of a table.

A rectangle is what straight edges enclose, whether a drawn frame or a change of background, so that plain and dark
themes are alike. Strokes of text are too short to be edges. Order: bounded size → long edges → what they enclose →
those that are rectangular, the smallest first.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Text
from plugins.panel.geometry import height, width
from plugins.panel.scaling import scaled_by

__all__ = ["find_areas", "holders"]

_MAX_PIXELS = 2_100_000
"""A larger image is halved first: lines of one pixel, as screens have them, do not survive that."""
_EDGE_GREY = 6
"""Grey levels by which two sides of an edge differ at least."""
_MIN_EDGE_HEIGHTS = 0.9
"""The shortest edge of a rectangle, in heights of the usual text."""
_MIN_FILL = 0.72
"""Part of its bounding box that a rectangle fills; rounded corners and notches take some."""
_MAX_AREAS = 400
_MAX_PART = 0.92
"""A rectangle larger than this part of the image divides nothing."""


def find_areas(pixels: NDArray[np.uint8], texts: Sequence[Text]) -> tuple[Box, ...]:
    """Rectangles around texts, in pixels of the image, the smallest first.

    :param pixels: height × width × 3, RGB.
    :param texts: what was read; a rectangle that holds none of them is left out.
    """
    if not texts or min(pixels.shape[:2]) < 16:
        return ()
    scale = 1.0
    while pixels.shape[0] * pixels.shape[1] * scale**2 > _MAX_PIXELS:
        scale /= 2
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if scale < 1.0:
        grey = scaled_by(grey, scale)
    usual = float(np.median([height(text.box) for text in texts])) * scale
    shortest = max(9, round(_MIN_EDGE_HEIGHTS * usual))
    found = _enclosed(_edges(np.asarray(grey, np.uint8), shortest), shortest)
    if scale < 1.0:
        found = np.rint(found / scale).astype(np.int64)
    return _around_texts(found, texts, (pixels.shape[1], pixels.shape[0]))


def holders(boxes: NDArray[np.int64], areas: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which area holds which box: boxes × areas, true where the middle of the box lies inside."""
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    inside = (x[:, None] >= areas[:, 0]) & (x[:, None] < areas[:, 2])
    inside &= (y[:, None] >= areas[:, 1]) & (y[:, None] < areas[:, 3])
    return np.asarray(inside, np.bool_)


def _edges(grey: NDArray[np.uint8], shortest: int) -> NDArray[np.uint8]:
    """255 where a straight horizontal or vertical edge runs, thick enough to close rounded corners."""
    edges = np.zeros_like(grey)
    for across, kernel in ((0, (2 * shortest, 1)), (1, (1, shortest))):
        steps = np.zeros_like(grey)
        if across == 0:
            cv2.absdiff(grey[1:], grey[:-1], dst=steps[1:])
        else:
            steps[:, 1:] = cv2.absdiff(grey[:, 1:], grey[:, :-1])
        strong = cv2.threshold(steps, _EDGE_GREY, 255, cv2.THRESH_BINARY)[1]
        long = cv2.morphologyEx(strong, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, kernel))
        np.maximum(edges, long, out=edges)
    side = 2 * max(2, shortest // 4) + 1
    return np.asarray(cv2.dilate(edges, np.ones((side, side), np.uint8)), np.uint8)


def _enclosed(edges: NDArray[np.uint8], shortest: int) -> NDArray[np.int64]:
    """Rectangles that edges enclose, one row of left, top, right, bottom for each."""
    grown = max(2, shortest // 4)
    contours, _ = cv2.findContours(cv2.bitwise_not(edges), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    boxes = []
    for contour in contours:
        left, top, wide, tall = cv2.boundingRect(contour)
        if wide < shortest or tall < shortest // 2:
            continue
        if cv2.contourArea(contour) >= _MIN_FILL * max(1, (wide - 1) * (tall - 1)):
            boxes.append((left - grown, top - grown, left + wide + grown, top + tall + grown))
    return np.array(boxes, np.int64).reshape(-1, 4)


def _around_texts(found: NDArray[np.int64], texts: Sequence[Text], size: tuple[int, int]) -> tuple[Box, ...]:
    boxes = np.array([text.box for text in texts], np.int64)
    counts = holders(boxes, found).sum(axis=0)
    limit = _MAX_PART * size[0] * size[1]
    kept: set[Box] = set()
    for (left, top, right, bottom), count in zip(found.tolist(), counts.tolist(), strict=True):
        area = (max(0, left), max(0, top), min(size[0], right), min(size[1], bottom))
        if count and width(area) * height(area) <= limit:
            kept.add(area)
    return tuple(sorted(kept, key=lambda area: (width(area) * height(area), area))[:_MAX_AREAS])
