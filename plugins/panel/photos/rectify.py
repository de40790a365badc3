"""A photo taken at a slant, made straight: the screen's four corners, and the warp.

Order: outlines on a small picture → the best supported quadrilateral → its sides fitted on the full one. What is
straight already is left alone: every warp costs sharpness.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Text
from plugins.panel.photos.edges import find_edges

__all__ = ["find_screen", "mapped_box", "rotation", "straighten"]

Pixels = NDArray[Any]
"""8 bits; three channels, or one for grey."""
Corners = NDArray[Any]
"""Four points (x, y), clockwise from the upper left."""
Window = tuple[float, float, float, float]
"""left, top, right, bottom on the straight plane."""
Matrix = NDArray[np.float64]
"""3 × 3, from pixels of the photo to pixels of the straight image."""

_SMALL_PX = 480
"""Longest side of the picture that outlines are looked for in."""
_MIN_AREA = 0.12
"""A smaller outline is a field on the panel, not the panel."""
_MAX_AREA = 0.97
_SLANT = 0.02
"""Corners this far off an upright rectangle, in parts of its longer side, are worth a warp."""
_SUPPORT = 0.75
"""Part of every side that has to lie on an edge."""
_MAX_RATIO = 1.8
"""Of opposite sides: beyond this it is no screen that a person could read."""
_RIM = 0.04
"""What is kept around the screen, in parts of its longer side."""
_FARTHEST = 1.0
"""Texts farther from the screen than this, in parts of its longer side, are cut off."""
_SPACE = 1.5
"""Kept around a text beside the screen, in parts of its height: a lamp or a field stands there."""
_TRUSTED = 0.8
"""Score of a text that is kept in the picture."""
_MAX_GROWTH = 1.2
"""Pixels of the straight image for one of the photo."""


def find_screen(pixels: Pixels) -> Corners | None:
    """The screen or panel in a photo, where it stands out from what is around it and at a slant.

    :param pixels: height × width × 3, RGB, upright.
    :returns: corners in pixels of the photo; None where there is no such outline, or it is straight already.
    """
    rows, columns = pixels.shape[:2]
    if min(rows, columns) < 32:
        return None
    ratio = min(1.0, _SMALL_PX / max(rows, columns))
    size = max(8, round(columns * ratio)), max(8, round(rows * ratio))
    small = cv2.GaussianBlur(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), (3, 3), 0)
    slopes = _edges(small)
    best, best_score = None, 0.0
    for quad in _outlines(small):
        score = _score(quad, slopes)
        if score > best_score:
            best, best_score = quad, score
    if best is None:
        return None
    corners = _fitted(best / ratio, pixels, 1.5 / ratio)
    return corners if _is_slanted(corners) else None


def straighten(pixels: Pixels, corners: Corners, texts: Sequence[Text] = ()) -> tuple[Pixels, Matrix]:
    """The photo as if taken from straight ahead of the screen, with a rim around it.

    :param corners: of the screen, as `find_screen` gives them.
    :param texts: what was read on the photo; what stands beside the screen stays in the picture.
    :returns: the straight image, and the homography from the photo to it.
    """
    upper_left, upper_right, lower_right, lower_left = corners.astype(np.float64)
    across = max(np.linalg.norm(upper_right - upper_left), np.linalg.norm(lower_right - lower_left))
    down = max(np.linalg.norm(lower_left - upper_left), np.linalg.norm(lower_right - upper_right))
    flat = np.array([[0, 0], [across, 0], [across, down], [0, down]], np.float32)
    matrix = np.asarray(cv2.getPerspectiveTransform(corners.astype(np.float32), flat), np.float64)
    rim = _RIM * float(max(across, down))
    around = (-rim, -rim, float(across) + rim, float(down) + rim)
    return _warped(pixels, matrix, _window(matrix, around, texts, _FARTHEST * float(max(across, down))))


def rotation(pixels: Pixels, degrees: float, texts: Sequence[Text] = ()) -> tuple[Pixels, Matrix]:
    """The photo turned counter-clockwise by a small angle, in a frame of its own size; only empty corners are cut off.

    :param texts: what was read on the photo; the frame is wide enough for all of it.
    :returns: the turned image, and the homography from the photo to it.
    """
    rows, columns = pixels.shape[:2]
    matrix = np.eye(3)
    matrix[:2] = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees, 1.0)
    frame = (0.0, 0.0, float(columns), float(rows))
    return _warped(pixels, matrix, _window(matrix, frame, texts, float(max(rows, columns))))


def _warped(pixels: Pixels, matrix: Matrix, window: Window) -> tuple[Pixels, Matrix]:
    """The part of the plane behind `matrix` that the window shows, with about as many pixels as the photo."""
    left, top, right, bottom = window
    area = max(1.0, (right - left) * (bottom - top))
    scale = min(1.0, (_MAX_GROWTH * pixels.shape[0] * pixels.shape[1] / area) ** 0.5)
    shift = np.array([[scale, 0, -left * scale], [0, scale, -top * scale], [0, 0, 1]], np.float64)
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    whole = shift @ matrix
    shown = cv2.warpPerspective(pixels, whole, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(shown, np.uint8), whole


def mapped_box(box: Box, matrix: Matrix) -> Window:
    """The upright rectangle around a box after a homography."""
    left, top, right, bottom = box
    ends = _through(matrix, np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64))
    (x0, y0), (x1, y1) = ends.min(axis=0), ends.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _outlines(small: Pixels) -> Iterator[Corners]:
    """Quadrilaterals that shapes of the picture fill, by edges, brightness and colour."""
    area = small.shape[0] * small.shape[1]
    for mask in _masks(small):
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        for contour in contours:
            size = cv2.boundingRect(contour)[2:]
            if size[0] * size[1] < _MIN_AREA * area:
                continue
            hull = cv2.convexHull(contour)
            quad = _quad(hull)
            if quad is not None and _MIN_AREA * area <= cv2.contourArea(quad) <= _MAX_AREA * area:
                yield quad


def _masks(small: Pixels) -> Iterator[Pixels]:
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    colour = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
    kernel = np.ones((3, 3), np.uint8)
    for low in (20, 60):
        edges = np.max([find_edges(np.ascontiguousarray(small[:, :, c]), low, 2.5 * low) for c in range(3)], axis=0)
        yield np.asarray(cv2.dilate(edges, kernel), np.uint8)
    for plane in (grey, np.ascontiguousarray(colour[:, :, 1])):
        smooth = cv2.GaussianBlur(plane, (7, 7), 0)
        _, mask = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
        yield np.asarray(closed, np.uint8)
        yield np.asarray(cv2.morphologyEx(255 - mask, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)), np.uint8)


def _quad(hull: NDArray[Any]) -> Corners | None:
    """Four corners that hold nearly all of a convex outline."""
    around = cv2.arcLength(hull, True)
    for part in (0.02, 0.035, 0.05, 0.08):
        corners = cv2.approxPolyDP(hull, part * around, True)
        if len(corners) < 4:
            return None
        if len(corners) == 4:
            inside = cv2.contourArea(corners) / max(1.0, cv2.contourArea(hull))
            return _clockwise(corners[:, 0].astype(np.float32)) if 0.93 <= inside <= 1.07 else None
    return None


def _clockwise(corners: Corners) -> Corners:
    """From the upper left; a quadrilateral rolled by less than 45° starts where a person would start."""
    middle = corners.mean(axis=0)
    around = np.argsort(np.arctan2(corners[:, 1] - middle[1], corners[:, 0] - middle[0]))
    ordered = corners[around]
    start = int(np.argmin(ordered.sum(axis=1)))
    return np.asarray(np.roll(ordered, -start, axis=0), np.float32)


def _edges(small: Pixels) -> NDArray[np.float32]:
    """The strongest change of any channel at every pixel, widened by one pixel."""
    strength = np.zeros(small.shape[:2], np.float32)
    for channel in range(3):
        plane = np.ascontiguousarray(small[:, :, channel])
        across, down = cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1)
        strength = np.maximum(strength, cv2.magnitude(across, down))
    return np.asarray(cv2.dilate(strength, np.ones((3, 3), np.uint8)), np.float32)


def _score(quad: Corners, edges: NDArray[np.float32]) -> float:
    """How likely this is a screen: area, if all sides lie on edges and it looks like a rectangle seen at a slant."""
    sides = [float(np.linalg.norm(b - a)) for a, b in pairwise([*quad, quad[0]])]
    for one, other in ((sides[0], sides[2]), (sides[1], sides[3])):
        if max(one, other) > _MAX_RATIO * min(one, other):
            return 0.0
    if min(_angles(quad)) < 50 or max(_angles(quad)) > 130:
        return 0.0
    rows, columns = edges.shape
    on_edge = 40.0 + 0.5 * float(np.median(edges))
    support = []
    for a, b in pairwise([*quad, quad[0]]):
        points = a + (b - a) * np.linspace(0.04, 0.96, 48)[:, None]
        x = np.clip(points[:, 0].round().astype(int), 0, columns - 1)
        y = np.clip(points[:, 1].round().astype(int), 0, rows - 1)
        on_rim = (points[:, 0] < 2) | (points[:, 1] < 2) | (points[:, 0] > columns - 3) | (points[:, 1] > rows - 3)
        support.append(float(((edges[y, x] >= on_edge) & ~on_rim).mean()))
    if min(support) < _SUPPORT:
        return 0.0
    return float(cv2.contourArea(quad)) / edges.size * float(np.mean(support)) ** 2


def _angles(quad: Corners) -> list[float]:
    found = []
    for index in range(4):
        a, b = quad[index - 1] - quad[index], quad[(index + 1) % 4] - quad[index]
        cosine = float(a @ b) / max(1e-6, float(np.linalg.norm(a) * np.linalg.norm(b)))
        found.append(float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))))
    return found


def _fitted(quad: Corners, pixels: Pixels, reach: float) -> Corners:
    """Corners where lines meet that were fitted to the strongest edge near each side; as they were where that fails."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    lines = [_side(a, b, grey, reach) for a, b in pairwise([*quad, quad[0]])]
    corners = np.array([_meet(lines[index - 1], lines[index]) for index in range(4)], np.float32)
    moved = np.linalg.norm(corners - quad, axis=1).max() if np.isfinite(corners).all() else np.inf
    return corners if moved <= 4 * reach else quad


def _side(a: Corners, b: Corners, grey: Pixels, reach: float) -> NDArray[np.float64]:
    """A point and a direction of the edge near the side from a to b."""
    along = (b - a).astype(np.float64) / max(1e-6, float(np.linalg.norm(b - a)))
    normal = np.array([-along[1], along[0]])
    offsets = np.arange(-2 * reach, 2 * reach + 1)
    places = a + (b - a) * np.linspace(0.08, 0.92, 40)[:, None]
    grid = places[:, None, :] + offsets[None, :, None] * normal
    levels = cv2.remap(grey, grid[:, :, 0].astype(np.float32), grid[:, :, 1].astype(np.float32), cv2.INTER_LINEAR)
    steps = np.abs(np.diff(levels.astype(np.float32), axis=1))
    peak = steps.argmax(axis=1)
    points = places + (offsets[peak] + 0.5)[:, None] * normal
    kept = points[steps.max(axis=1) >= 8].astype(np.float32)
    if len(kept) < 12:
        kept = np.array([a, b], np.float32)
    dx, dy, x, y = np.ravel(cv2.fitLine(kept, cv2.DIST_HUBER, 0, 0.01, 0.01))
    return np.array([x, y, dx, dy], np.float64)


def _meet(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    directions = np.array([one[2:], -other[2:]]).T
    if abs(np.linalg.det(directions)) < 1e-3:
        return np.full(2, np.nan)
    steps = np.linalg.solve(directions, other[:2] - one[:2])
    return np.asarray(one[:2] + steps[0] * one[2:], np.float64)


def _is_slanted(corners: Corners) -> bool:
    low, high = corners.min(axis=0), corners.max(axis=0)
    upright = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    return float(np.linalg.norm(corners - upright, axis=1).max()) > _SLANT * float((high - low).max())


def _window(matrix: Matrix, around: Window, texts: Sequence[Text], farthest: float) -> Window:
    """What is shown: this rectangle, grown to hold the texts that do not stand too far away."""
    left, top, right, bottom = around
    for text in texts:
        x0, y0, x1, y1 = mapped_box(text.box, matrix)
        if text.score < _TRUSTED or not (-farthest < min(x0, y0) and max(x1, y1) < 2 * farthest):
            continue
        space = _SPACE * (y1 - y0)
        left, top = min(left, x0 - space), min(top, y0 - space)
        right, bottom = max(right, x1 + space), max(bottom, y1 + space)
    return left, top, right, bottom


def _through(matrix: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    moved = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:], np.float64)
