"""The needle: the one thin line that runs from the pivot to the scale.

On the unrolled dial it stands in one row, or nearly: where the pivot is a little off, its row drifts with one over the
distance, and that drift is fitted, so that what counts is where the needle meets the ring of ticks. A tail does not
reach the scale; a shadow is fainter and close by; two lines that are equally plain are two needles, and then nothing
is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plugins.panel.gauges.polar import BIN, Unrolled, angle_bins, thin
from plugins.panel.gauges.scale import Scale

__all__ = ["Needle", "find_needles"]

Floats = NDArray[np.float64]
_INNER = 0.34
"""Hubs end before this part of the ring of numbers."""
_MARGIN, _MAX_MARGIN = math.radians(14.0), math.radians(50.0)
"""A needle may rest this far beyond the ends of the scale, or hide the number there."""
_FAINT = 14.0
"""Contrast in grey levels below which nothing is seen."""
_APART = math.radians(5.0)
_COLOURED, _NEUTRAL = 0.45, 0.3
_MAX_DRIFT = 0.09
"""The needle may miss the pivot by this part of the ring."""


@dataclass(frozen=True, slots=True)
class Needle:
    """A line from the pivot towards the scale."""

    angle: float
    """Where it meets the ring of ticks, in radians from the scale's cut."""
    cover: float
    """How much of the way from hub to scale it is seen on, 0 to 1."""
    contrast: float
    """Against the face, in grey levels."""
    width: float
    """In radians, at the far end."""
    miss: float
    """Distance at which it passes the pivot, in parts of the ring."""
    dark: bool
    colour: float
    """How colourful it is, 0 to 1: hands of set points and of the highest value are, beside a black one."""

    @property
    def merit(self) -> float:
        """0 to 1."""
        return self.cover * min(1.0, self.contrast / 60.0)

    def is_rival(self, other: Needle) -> bool:
        """This line might as well be the needle: a shadow is fainter, a tail shorter, a set-point hand coloured."""
        if self.colour > _COLOURED and other.colour < _NEUTRAL:
            return False
        return self.cover > 0.75 * other.cover and self.contrast > 0.55 * other.contrast


def find_needles(unrolled: Unrolled, scale: Scale, reach: float, ring: float) -> list[Needle]:
    """Every line that may be the needle, the plainest first.

    :param reach: how far a needle must come, in parts of the ring of numbers.
    :param ring: where it is read, in the same parts.
    """
    steps = 1.15 * np.diff(scale.angles)
    low = scale.angles[0] - min(max(_MARGIN, float(steps[0])), _MAX_MARGIN)
    high = scale.angles[-1] + min(max(_MARGIN, float(steps[-1])), _MAX_MARGIN)
    rows = angle_bins(np.arange(low, high, BIN))
    found: list[Needle] = []
    on_scale = unrolled.pixels[rows].astype(np.float64)
    off = on_scale - np.median(on_scale, axis=0)
    for dark, strokes in zip((True, False), thin(unrolled.pixels, 22.0), strict=True):
        # Between two dark lines the face is lighter than both, and still no light needle.
        against_face = (-off if dark else off).max(axis=2)
        plain = np.minimum(strokes[rows], np.maximum(against_face, 0))
        found.extend(_of_polarity(plain, on_scale, low, reach, ring, dark))
    found.sort(key=lambda needle: -needle.cover * needle.contrast)
    return _distinct(found)


def _of_polarity(strokes: Floats, pixels: Floats, low: float, reach: float, ring: float, dark: bool) -> list[Needle]:
    """Needles that are darker (or lighter) than the face."""
    first, last = Unrolled.column(_INNER), Unrolled.column(reach)
    # A line that misses the pivot by a little is one row up or down at the other end.
    wide = np.maximum(strokes, np.maximum(np.roll(strokes, 1, axis=0), np.roll(strokes, -1, axis=0)))
    way = wide[:, first:last]
    strong = float(np.percentile(way, 99.0))
    if strong < _FAINT:
        return []
    level = max(_FAINT, 0.3 * strong)
    cover = (way > level).mean(axis=1)
    score = cover * np.minimum(way, strong).mean(axis=1)
    needles = []
    for _ in range(4):
        top = int(np.argmax(score))
        if cover[top] < 0.6:
            break
        needle = _traced(strokes, pixels, top, low, level, reach, ring, dark)
        if needle is not None:
            needles.append(needle)
        span = round(_APART / BIN)
        score[max(0, top - span) : top + span + 1] = 0
    return needles


def _traced(
    strokes: Floats, pixels: Floats, top: int, low: float, level: float, reach: float, ring: float, dark: bool
) -> Needle | None:
    """Follow a line outwards and fit where it stands: row = a + b / distance."""
    columns = np.arange(Unrolled.column(_INNER), Unrolled.column(max(reach, ring)))
    parts = Unrolled.part(columns.astype(np.float64))
    half = round(math.radians(9.0) / BIN)
    rows = np.arange(max(0, top - half), min(len(strokes), top + half + 1))
    window = strokes[np.ix_(rows, columns)]
    fit = np.array([float(top), 0.0])
    inside = np.zeros(len(columns), bool)
    middles = np.zeros(len(columns))
    for spread in (10.0, 9.0, 7.0, 5.0, 4.0):
        expected = fit[0] + fit[1] / parts
        weight = np.where(np.abs(rows[:, None] - expected[None, :]) <= spread, np.maximum(window - level / 2, 0), 0)
        total = weight.sum(axis=0)
        inside = (total > 0) & (weight.max(axis=0) > level / 2)
        if inside.sum() < 8:
            return None
        middles = (weight * rows[:, None]).sum(axis=0) / np.maximum(total, 1e-9)
        base = np.stack((np.ones(int(inside.sum())), 1 / parts[inside]), axis=1)
        # The pivot is believed unless the line clearly says otherwise.
        matrix = base.T @ base + np.diag([0.0, 0.5])
        fit = np.linalg.solve(matrix, base.T @ middles[inside])
    way = parts <= reach
    peak = window[np.clip(np.round(middles).astype(int) - rows[0], 0, len(rows) - 1), np.arange(len(columns))]
    cover = float((inside & (peak > level))[way].mean())
    miss = float(abs(fit[1]) * BIN)
    if cover < 0.6 or miss > _MAX_DRIFT:
        return None
    tail = inside & (parts > 0.6 * reach) & way
    width = float((window[:, tail] > level).sum(axis=0).mean() * BIN) if tail.any() else 0.0
    angle = low + (fit[0] + fit[1] / ring) * BIN
    seen = inside & way
    on_line = pixels[np.clip(np.round(middles[seen]).astype(int), 0, len(pixels) - 1), columns[seen]]
    colour = _colour(np.median(on_line, axis=0))
    return Needle(float(angle), cover, float(np.median(peak[seen])), width, miss, dark, colour)


def _colour(rgb: Floats) -> float:
    """Saturation; what is nearly black has none that could be told."""
    return float((rgb.max() - rgb.min()) / max(80.0, rgb.max()))


def _distinct(needles: list[Needle]) -> list[Needle]:
    """The same line seen twice, or the light edge beside a dark line, counts once."""
    kept: list[Needle] = []
    for needle in needles:
        if all(abs(needle.angle - other.angle) > _APART for other in kept):
            kept.append(needle)
    return kept
