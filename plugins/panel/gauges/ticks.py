"""The ticks of a scale: at which distance they stand, and which of them each number belongs to.

A number's middle is a degree or two off its tick, its tick is not. The longest stroke near a number is its tick; the
needle's own stroke is left out, and where the strokes near the numbers disagree with each other the numbers stay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plugins.panel.gauges.pivot import circle_through
from plugins.panel.gauges.polar import BIN, Unrolled, angle_bins, thin
from plugins.panel.gauges.scale import Scale

__all__ = ["Ticks", "find_ticks", "ring_middle", "snapped", "tick_ends"]

Floats = NDArray[np.float64]
_OUTER, _INNER = (1.06, 1.58), (0.42, 0.94)
"""Where ticks can stand, in parts of the ring of numbers."""
_BANDS = (9, 4)
"""Least lengths of ticks in columns: those of meters are long, those that are drawn can be short."""
_FAINT = 4.0
"""In grey levels: a ring with less has no ticks."""
_CLEAR = 0.85
"""Parts of a number's height between the middle of a number and the ticks."""
_LONGER = 9
"""Columns by which the ticks of numbers may be longer than the others, on either side."""
_FEW, _MANY = 3, 8
_INSIDE, _NEUTRAL = 0.5, 1.3
_AROUND = math.radians(150.0)
_RADIAL = 0.14
"""Parts of the ring of numbers within which a tick is looked for on either side of the ring of ticks."""
_REACH = math.radians(7.0)
_WITHOUT = math.radians(3.5)
_NEEDLE = math.radians(1.2)


@dataclass(frozen=True, slots=True)
class Ticks:
    """The ring of ticks."""

    part: float
    """Middle of the ring, in parts of the ring of numbers."""
    profile: Floats
    """How much of a stroke stands at each row: long and dark ones have more."""
    strength: float
    """How plainly there are ticks: about 0 on an empty ring, above 1 on a good one."""
    count: int
    """Strokes along the scale."""
    evenness: float
    """1 where each stroke is as far from the next as from the one before; strokes of letters are not."""

    @property
    def merit(self) -> float:
        """Many plain and even strokes have most."""
        return self.strength * min(1.0, self.count / _MANY) * self.evenness


def find_ticks(unrolled: Unrolled, scale: Scale, dark_ink: bool) -> Ticks | None:
    """The ring where most short radial strokes stand; None where no ring has any."""
    low, high = scale.angles[0] - math.radians(3), scale.angles[-1] + math.radians(3)
    rows = angle_bins(np.arange(low, high, BIN))
    glyph = float(np.median([member.printed.height for member in scale.members])) / float(np.mean(scale.radii))
    # Between the two lie the numbers themselves, whose strokes are no ticks.
    inner, outer = (_INNER[0], min(_INNER[1], 1 - _CLEAR * glyph)), (max(_OUTER[0], 1 + _CLEAR * glyph), _OUTER[1])
    found: list[tuple[float, Ticks]] = []
    for neutral in (True, False):
        strokes = np.where(unrolled.letters, 0.0, thin(unrolled.pixels, 5.0, neutral=neutral)[0 if dark_ink else 1])
        # A red mark for the set point is no tick, unless the ticks stand on colours themselves.
        trust = _NEUTRAL if neutral else 1.0
        for limits, few in ((outer, _FEW), (inner, 2 * _FEW)):
            rings = [_ring(strokes, rows, *limits, band) for band in _BANDS]
            # Names and units are printed inside, and look like ticks to a ring that runs through them.
            share = trust * (1.0 if limits is outer else _INSIDE)
            found.extend((share * ring.merit, ring) for ring in rings if ring is not None and ring.count >= few)
    return max(found, key=lambda ring: ring[0])[1] if found else None


def _ring(strokes: Floats, rows: NDArray[np.intp], first: float, last: float, band: int) -> Ticks | None:
    """The plainest ring between two distances, whose strokes are at least a band long."""
    on_scale = strokes[rows]
    best = (0.0, 0)
    for column in range(Unrolled.column(first), Unrolled.column(last) - band, 2):
        near, far = on_scale[:, column], on_scale[:, column + band - 1]
        shared = np.minimum(np.minimum(near, far), on_scale[:, column + band // 2])
        best = max(best, (float(shared.mean() + shared.std()), column))
    if best[0] < _FAINT:
        return None
    start = best[1]
    profile = strokes[:, max(0, start - _LONGER) : start + band + _LONGER].mean(axis=1)
    peaks = _peaks(profile[rows])
    gaps = np.diff(peaks)
    evenness = float(np.exp(-np.median(np.abs(np.log(gaps[1:] / gaps[:-1]))))) if len(gaps) > 1 else 0.5
    middle = float(Unrolled.part(np.array(start + band / 2)))
    return Ticks(middle, profile, best[0] / 15.0, len(peaks), evenness)


def _peaks(profile: Floats) -> NDArray[np.intp]:
    smooth = np.convolve(profile, [0.25, 0.5, 0.25], "same")
    high = (smooth[1:-1] >= smooth[:-2]) & (smooth[1:-1] > smooth[2:]) & (smooth[1:-1] > 0.35 * smooth.max())
    return np.flatnonzero(high) + 1


def snapped(scale: Scale, ticks: Ticks, needle: float | None) -> Scale:
    """The scale at the angles of its numbers' ticks, where they can be told.

    :param needle: angle of the needle, which is no tick.
    """
    smooth = np.convolve(np.tile(ticks.profile, 3), np.hanning(7) / np.hanning(7).sum(), "same")
    count = len(ticks.profile)
    smooth = smooth[count : 2 * count]
    typical = float(np.median(smooth)) + 1.0
    offsets: list[float | None] = []
    heights: list[float] = []
    for index, angle in enumerate(scale.angles):
        steps = np.diff(scale.angles)[max(0, index - 1) : index + 1]
        reach = min(_REACH, 0.3 * float(steps.min()))
        near = np.arange(angle - reach, angle + reach + BIN / 2, BIN)
        if needle is not None:
            near = near[np.abs(near - needle) > _WITHOUT]
        strong = smooth[angle_bins(near)] * (1 - 0.35 * np.abs(near - angle) / reach) if len(near) > 2 else np.zeros(1)
        top = int(np.argmax(strong))
        clear = float(strong[top]) > 1.6 * typical and 0 < top < len(near) - 1
        offsets.append(float(near[top] - angle) if clear else None)
        heights.append(float(smooth[angle_bins(near[top : top + 1])][0]) if clear else 0.0)
    # Where the needle hides a number's own tick, a lesser one beside it must not pass for it.
    usual = float(np.median([tall for tall in heights if tall])) if any(heights) else 0.0
    return _moved(scale, [off if tall > 0.65 * usual else None for off, tall in zip(offsets, heights, strict=True)])


def tick_ends(scale: Scale, ticks: Ticks, needle: float) -> tuple[float, float]:
    """Angles of the first and the last tick that follow on those between the numbers without a gap.

    :param needle: its angle; it is no tick, and may hide one.
    """
    smooth = np.convolve(np.tile(ticks.profile, 3), [0.25, 0.5, 0.25], "same")
    count = len(ticks.profile)
    smooth = smooth[count : 2 * count]
    is_top = (smooth >= np.roll(smooth, 1)) & (smooth > np.roll(smooth, -1))
    on_scale = angle_bins(np.arange(scale.angles[0], scale.angles[-1], BIN))
    between = smooth[on_scale]
    clear = between[is_top[on_scale] & (between > 2 * np.median(between))]
    if len(clear) < 3:
        return float(scale.angles[0]), float(scale.angles[-1])
    at = np.flatnonzero(is_top & (smooth > 0.6 * float(np.median(clear)))) * BIN
    at = at[np.abs(at - needle) > _NEEDLE]
    widest = np.diff(scale.angles)
    low = _followed(-at, -float(scale.angles[0]), -needle, 1.4 * float(widest[0]))
    return -low, _followed(at, float(scale.angles[-1]), needle, 1.4 * float(widest[-1]))


def _followed(at: Floats, start: float, needle: float, furthest: float) -> float:
    """Go on from a number over ticks, as long as each is about as far as those before it."""
    inner = np.sort(start - at[(at < start - math.radians(0.8)) & (at > start - furthest)])[:3]
    gaps = [float(gap) for gap in np.diff(np.append(0.0, inner))]
    end = start
    for place in np.sort(at[(at > start + math.radians(0.8)) & (at < start + furthest)]):
        typical = float(np.median(gaps[-3:])) if gaps else 0.0
        slack = 2.8 if end < needle < place else 1.6
        if place - end > max(slack * typical, math.radians(1.6)):
            break
        gaps.append(float(place - end) / (2 if slack > 2 else 1))
        end = float(place)
    return end


def _moved(scale: Scale, offsets: list[float | None]) -> Scale:
    """Ticks are believed where most numbers have one.

    Of a straight scale, numbers without one are left out; of another, they move as their neighbours do.
    """
    known = np.array([offset is not None for offset in offsets])
    if known.sum() < max(2, 0.6 * len(offsets)):
        return scale
    given = np.array([offset for offset in offsets if offset is not None])
    filled = scale.angles + np.interp(scale.angles, scale.angles[known], given)
    if np.any(np.diff(filled) <= 0):
        return scale
    moved = scale.moved(filled)
    kept = known.copy()
    kept[[0, -1]] = True
    fewer = moved.only(kept)
    if not known.all() and len(fewer.values) >= 4 and fewer.straight:
        return fewer
    return moved if moved.residual <= scale.residual + math.radians(0.8) else scale


def ring_middle(unrolled: Unrolled, scale: Scale, ticks: Ticks) -> tuple[float, float] | None:
    """The middle of the circle that the ticks stand on, where they go around far enough and do stand on one.

    Numbers can be printed beside their ticks, all of them to one side; ticks are not.
    """
    rows = angle_bins(np.arange(scale.angles[0], scale.angles[-1] + BIN / 2, BIN))
    peaks = rows[_peaks(ticks.profile[rows])]
    if len(peaks) < 2 * _FEW or scale.angles[-1] - scale.angles[0] < _AROUND:
        return None
    first, last = Unrolled.column(ticks.part - _RADIAL), Unrolled.column(ticks.part + _RADIAL)
    dark, light = thin(unrolled.pixels, 5.0)
    strokes = (dark if dark[peaks, first:last].sum() > light[peaks, first:last].sum() else light)[peaks, first:last]
    parts = Unrolled.part(np.arange(first, last, dtype=np.float64))
    weight = np.maximum(strokes - 0.4 * strokes.max(axis=1, keepdims=True), 0)
    far = (weight * parts).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9) * unrolled.radius[peaks]
    at = peaks * BIN + scale.cut
    points = np.stack((far * np.cos(at), far * np.sin(at)), axis=1)
    size = float(np.mean(far))
    circle = circle_through(points)
    for _ in range(2):
        if circle is None:
            return None
        off = np.abs(np.hypot(points[:, 0] - circle[0], points[:, 1] - circle[1]) - circle[2])
        near = off <= max(float(np.percentile(off, 85)), 0.005 * size)
        points = points[near]
        circle = circle_through(points)
    if circle is None or len(points) < _FEW + 2 or float(np.mean(off[near])) > 0.015 * size:
        return None
    moved = math.hypot(circle[0], circle[1])
    if not 0.005 * size < moved < 0.1 * size:
        return None
    return scale.pivot[0] + circle[0], scale.pivot[1] + circle[1]
