"""Round shapes on a picture: whole outlines, and rings of which an arc is to be seen.

Both come from the contours of one edge picture. An outline is an ellipse that a contour follows nearly all around. A
ring is a circle that a part of a contour follows: a coloured band has two arcs and two straight ends in one contour,
so that circles are fitted to stretches of it and the one that most of it lies on is believed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from plugins.panel.gauges.pivot import circle_through
from plugins.panel.photos.edges import find_edges
from plugins.panel.scaling import scaled_by

__all__ = ["Outline", "Ring", "Shapes", "find_shapes"]

Grey = NDArray[np.uint8]
Floats = NDArray[np.float64]
_REDUCED_SIDE = 800
_MIN_REDUCED_PX = 26
_EDGES, _FAINT_EDGES = (40, 110), (16, 48)
"""Gradients of the edges of outlines, and of bands, whose tracks are pale."""
_MAX_CONTOURS = 40
_MAX_RINGS = 12
_SAMPLES, _STRETCH = 360, 24
"""Points of a contour that are looked at, and of a stretch of it that a circle is fitted to."""
_ON_CIRCLE = 0.025
_SECTORS, _MIN_SECTORS = 72, 20
"""A ring is seen in so many sectors of five degrees at least."""
_STRAIGHT = 0.8
"""Share of steps along rows and columns from which on a contour is a frame or letters."""


@dataclass(frozen=True, slots=True)
class Outline:
    """An ellipse, in pixels of the image."""

    x: float
    y: float
    wide: float
    """Half of the width."""
    tall: float

    @property
    def size(self) -> float:
        return max(self.wide, self.tall)


@dataclass(frozen=True, slots=True)
class Ring:
    """A circle of which an arc was seen, in pixels of the image."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class Shapes:
    """What is round, the largest first."""

    outlines: tuple[Outline, ...]
    rings: tuple[Ring, ...]


def find_shapes(grey: Grey, least_side: float) -> Shapes:
    """Round outlines and rings on a picture.

    :param grey: height × width, 8 bits.
    :param least_side: in pixels; what is smaller is left out.
    """
    ratio = min(1.0, _REDUCED_SIDE / max(grey.shape))
    reduced = scaled_by(grey, ratio) if ratio < 1 else grey
    least = max(_MIN_REDUCED_PX, least_side * ratio)
    smooth = cv2.GaussianBlur(reduced, (3, 3), 0)
    outlines: list[Outline] = []
    for points in _contours(find_edges(smooth, *_EDGES), least):
        shape = _ellipse(points, reduced.shape)
        if shape is not None and 2 * shape.size >= least:
            outlines.append(Outline(shape.x / ratio, shape.y / ratio, shape.wide / ratio, shape.tall / ratio))
    rings: list[Ring] = []
    for points in _contours(find_edges(smooth, *_FAINT_EDGES), least):
        ring = _ring(points, least / 2, max(reduced.shape))
        if ring is not None and len(rings) < _MAX_RINGS:
            rings.append(Ring(ring[0] / ratio, ring[1] / ratio, ring[2] / ratio))
    rings.sort(key=lambda ring: -ring.radius)
    return Shapes(tuple(outlines), tuple(rings))


def _contours(edges: Grey, least: float) -> list[Floats]:
    """Those large enough for a dial and not much longer than wide, the largest first, as points."""
    shapes = []
    for contour in cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]:
        if len(contour) < 1.4 * least:
            continue
        _, _, wide, tall = cv2.boundingRect(contour)
        if max(wide, tall) >= least and min(wide, tall) >= 0.35 * max(wide, tall):
            shapes.append((max(wide, tall), np.asarray(contour, np.float64).reshape(-1, 2)))
    shapes.sort(key=lambda shape: -shape[0])
    return [contour for _, contour in shapes[:_MAX_CONTOURS]]


def _ellipse(points: Floats, shape: tuple[int, ...]) -> Outline | None:
    """The ellipse that a contour runs along, when it does so for the larger part of one."""
    (x, y), (first, second), turn = cv2.fitEllipse(points.astype(np.float32))
    if not (math.isfinite(first + second) and 0 < max(first, second) <= 1.6 * max(shape)):
        return None
    if min(first, second) < 0.55 * max(first, second):
        return None
    angle = math.radians(turn)
    along = (points[:, 0] - x) * math.cos(angle) + (points[:, 1] - y) * math.sin(angle)
    across = (points[:, 1] - y) * math.cos(angle) - (points[:, 0] - x) * math.sin(angle)
    off = np.abs(np.hypot(along / (first / 2), across / (second / 2)) - 1)
    on = off < 0.06
    if on.mean() < 0.75:
        return None
    sectors = np.unique(((np.arctan2(across[on], along[on]) / (2 * math.pi)) % 1 * 36).astype(int))
    if len(sectors) < 16:
        return None
    wide = math.hypot(first * math.cos(angle), second * math.sin(angle)) / 2
    tall = math.hypot(first * math.sin(angle), second * math.cos(angle)) / 2
    return Outline(float(x), float(y), wide, tall)


def _ring(points: Floats, least: float, side: int) -> tuple[float, float, float] | None:
    """Middle and radius of the circle that most of a contour lies on, where it goes around far enough."""
    steps = np.abs(points[6:] - points[:-6])
    if len(steps) == 0 or float((steps.min(axis=1) == 0).mean()) > _STRAIGHT:
        return None
    if len(points) > _SAMPLES:
        points = points[np.linspace(0, len(points) - 1, _SAMPLES).astype(int)]
    x, y, radius = _fitted(points)
    good = np.isfinite(radius) & (radius > least) & (radius < side)
    if not good.any():
        return None
    away = np.hypot(points[None, :, 0] - x[good][:, None], points[None, :, 1] - y[good][:, None])
    on = np.abs(away - radius[good][:, None]) < np.maximum(1.0, _ON_CIRCLE * radius[good])[:, None]
    best = on[int(np.argmax(on.sum(axis=1)))]
    circle = None
    for _ in range(2):
        circle = circle_through(points[best]) if best.sum() >= 12 else None
        if circle is None or not least < circle[2] < side:
            return None
        off = np.abs(np.hypot(points[:, 0] - circle[0], points[:, 1] - circle[1]) - circle[2])
        best = off < max(1.0, _ON_CIRCLE * circle[2])
    if circle is None:
        return None
    angles = np.arctan2(points[best, 1] - circle[1], points[best, 0] - circle[0]) / (2 * math.pi) % 1
    return circle if len(np.unique((angles * _SECTORS).astype(int))) >= _MIN_SECTORS else None


def _fitted(points: Floats) -> tuple[Floats, Floats, Floats]:
    """Circles through stretches of a contour, least squares: middles and radii."""
    count = len(points)
    starts = (np.arange(12) / 12 * count).astype(int)
    runs = [
        (starts[:, None] + np.linspace(0, share * count, _STRETCH)[None, :].astype(int)) % count
        for share in (0.16, 0.3)
    ]
    taken = points[np.concatenate(runs)]
    middle = taken.mean(axis=1, keepdims=True)
    u, v = np.moveaxis(taken - middle, 2, 0)
    far = u * u + v * v
    suu, svv, suv = (u * u).sum(1), (v * v).sum(1), (u * v).sum(1)
    su, sv = (u * far).sum(1) / 2, (v * far).sum(1) / 2
    apart = suu * svv - suv * suv
    apart = np.where(np.abs(apart) < 1e-6, np.nan, apart)
    x, y = (su * svv - sv * suv) / apart, (sv * suu - su * suv) / apart
    radius = np.sqrt(x * x + y * y + far.mean(axis=1))
    return x + middle[:, 0, 0], y + middle[:, 0, 1], radius
