"""A dial unrolled: rows are angles, columns are distances from the pivot in parts of the ring of numbers.

Measured in that ring, ticks and needle stand at the same distance all around, although a tilted view makes an ellipse
of it. What is thin across the angles (needle, ticks) is told from what goes on around (rings, zones, glare) by closing
or opening along the angles only, for each colour alone, so that a red needle is as plain as a black one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from plugins.panel.gauges.numerals import Printed
from plugins.panel.gauges.scale import Scale

__all__ = ["BIN", "Unrolled", "angle_bins", "band_ends", "ring_radius", "thin", "unroll"]

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]
BIN = math.radians(0.5)
"""One row."""
_ROWS = round(2 * math.pi / BIN)
_SURE, _TIGHT = 0.7, 0.45
"""Texts that are surely texts, and the part of a box (from its middle) that is: boxes are drawn wide."""
_NEAREST, _FURTHEST, _STEP = 0.1, 1.6, 0.01
_GAP = 20
"""Rows on either side of the cut that lie between the ends of a scale."""
_BAND, _DIFFERENT, _ALONG, _BROAD = (0.3, 1.5), 30, 0.97, 5
"""A band lies within these parts of the ring, differs from the gap by grey levels, along most of the scale, and is so
many columns broad.
"""


@dataclass(frozen=True, slots=True)
class Unrolled:
    """The unrolled picture."""

    pixels: Pixels
    """Rows × columns × 3."""
    radius: Floats
    """Of the ring of numbers in pixels, for each row."""
    letters: NDArray[np.bool_]
    """Rows × columns: where texts stand."""

    @staticmethod
    def column(part: float) -> int:
        """The column at a distance, in parts of the ring."""
        return min(max(round((part - _NEAREST) / _STEP), 0), round((_FURTHEST - _NEAREST) / _STEP) - 1)

    @staticmethod
    def part(column: Floats) -> Floats:
        """The distance of a column."""
        return _NEAREST + _STEP * column


def unroll(pixels: Pixels, scale: Scale, texts: Sequence[Printed]) -> Unrolled:
    """Unroll a dial around the pivot of its scale, from the scale's cut."""
    letters = np.zeros(pixels.shape[:2], np.uint8)
    for text in texts:
        if text.score >= _SURE and sum(map(str.isalnum, text.text)) > 1:
            half_wide, half_tall = text.width * _TIGHT, text.height * _TIGHT
            corner = (round(text.x - half_wide), round(text.y - half_tall))
            cv2.rectangle(letters, corner, (round(text.x + half_wide), round(text.y + half_tall)), 1, cv2.FILLED)
    angles: Floats = np.arange(_ROWS, dtype=np.float64) * BIN
    radius = ring_radius(scale, angles)
    parts = np.arange(_NEAREST, _FURTHEST, _STEP)[: round((_FURTHEST - _NEAREST) / _STEP)]
    far = radius[:, None] * parts[None, :]
    x = scale.pivot[0] + far * np.cos(angles + scale.cut)[:, None]
    y = scale.pivot[1] + far * np.sin(angles + scale.cut)[:, None]
    to_x, to_y = x.astype(np.float32), y.astype(np.float32)
    seen = cv2.remap(pixels, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    covered = cv2.remap(letters, to_x, to_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    return Unrolled(seen.astype(np.uint8), radius, covered > 0)


def ring_radius(scale: Scale, angles: Floats) -> Floats:
    """Distance of the ring of numbers at angles from the cut: a circle, pulled towards the ellipse they lie on."""
    at = scale.angles + scale.cut
    mean = float(np.mean(scale.radii))

    def waves(turned: Floats) -> Floats:
        return np.stack((np.cos(turned), np.sin(turned), np.cos(2 * turned), np.sin(2 * turned)), axis=1)

    base = waves(at)
    stiff = np.diag([0.4, 0.4, 0.8, 0.8])
    matrix = base.T @ base + stiff
    pull = np.linalg.solve(matrix, base.T @ (scale.radii / mean - 1))
    off = np.clip(waves(angles + scale.cut) @ pull, -0.2, 0.2)
    return np.asarray(mean * (1 + off), np.float64)


def thin(pixels: Pixels, degrees: float, *, neutral: bool = False) -> tuple[Floats, Floats]:
    """How much darker, and how much lighter, each place is than what lies within some degrees beside it: 0 to 255.

    :param neutral: in all colours alike, as ink is; else in any.
    """
    rows = max(3, round(math.radians(degrees) / BIN)) | 1
    kernel = np.ones((rows, 1), np.uint8)
    wrapped = cv2.copyMakeBorder(pixels, rows, rows, 0, 0, cv2.BORDER_WRAP)
    dark = cv2.morphologyEx(wrapped, cv2.MORPH_BLACKHAT, kernel)[rows:-rows]
    light = cv2.morphologyEx(wrapped, cv2.MORPH_TOPHAT, kernel)[rows:-rows]
    if neutral:
        return dark.min(axis=2).astype(np.float64), light.min(axis=2).astype(np.float64)
    return dark.max(axis=2).astype(np.float64), light.max(axis=2).astype(np.float64)


def angle_bins(angles: Floats) -> NDArray[np.intp]:
    """The rows of angles from the cut."""
    return np.asarray(np.round(angles / BIN), np.intp) % _ROWS


def band_ends(unrolled: Unrolled, scale: Scale) -> tuple[float, float] | None:
    """Angles between which a coloured band runs along the whole scale; None where there is none."""
    gap = np.median(np.roll(unrolled.pixels, _GAP, axis=0)[: 2 * _GAP], axis=0)
    columns = slice(Unrolled.column(_BAND[0]), Unrolled.column(_BAND[1]))
    on = (np.abs(unrolled.pixels[:, columns].astype(np.int16) - gap[columns]).max(axis=2) > _DIFFERENT).astype(np.int8)
    first, last = angle_bins(scale.angles[[0, -1]])
    along = np.flatnonzero(on[first:last].mean(axis=0) > _ALONG)
    if len(along) < _BROAD:
        return None
    # The scale may be seen to end before its first number's middle, which stands beside its tick.
    lows = first + _GAP - np.argmin(on[: first + _GAP, along][::-1], axis=0)
    highs = last - _GAP + np.argmin(on[last - _GAP :, along], axis=0)
    low, high = float(np.median(lows)), float(np.median(highs))
    agree = (np.abs(lows - low) <= 2) & (np.abs(highs - high) <= 2)
    return (low * BIN, high * BIN) if agree.sum() >= max(_BROAD, 0.5 * len(along)) else None
