"""One dial to one reading: pivots are tried, and the one whose numbers, ticks and needle agree best is believed.

It abstains, and says why, where too few numbers agree, where no line or more than one runs from the pivot to the
scale, and where the scale around the needle is not known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from plugins.panel.gauges.needle import Needle, find_needles
from plugins.panel.gauges.numerals import Numeral, Printed, numerals_of
from plugins.panel.gauges.pivot import line_pivots, number_pivots, refined_pivot, segments_of
from plugins.panel.gauges.polar import Unrolled, band_ends, unroll
from plugins.panel.gauges.scale import Scale, fit_scale, value_at
from plugins.panel.gauges.ticks import Ticks, find_ticks, ring_middle, snapped, tick_ends

__all__ = ["Measured", "measure"]

Pixels = NDArray[np.uint8]
_PLAIN = 0.3
"""A needle is believed from this merit on."""
_READ = 0.3
"""What a pivot from which a value can be read is worth, in numbers that agree."""
_COARSE = 0.05
"""Of the span: an uncertainty beyond it is no reading."""
_SAME = 0.5
"""The middle of the ticks is believed before a rougher one that does as well but for this."""
_AROUND = math.radians(150.0)
_OFF_STEP = 0.15
"""Of a step: a band that ends further from a whole one does not tell where the scale does."""
_REST = math.radians(8.0)
"""A needle may rest this far beyond the scale, at its stop or over its end."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a dial shows."""

    scale: Scale
    ticks: Ticks | None
    needle: Needle | None
    value: float | None
    uncertainty: float
    flags: tuple[str, ...]
    why: str
    merit: float
    second: float | None = None
    """Where another scale runs beside this one: how many of its units make one of this one's."""


def measure(pixels: Pixels, texts: Sequence[Printed], centres: Sequence[tuple[float, float]] = ()) -> Measured | None:
    """Read a dial.

    :param pixels: the dial and little else, RGB.
    :param centres: where round shapes have their middle.
    :returns: None where it shows no scale at all.
    """
    numerals = numerals_of(texts)
    if len({id(n.printed) for n in numerals}) < 3:
        return None
    side = float(max(pixels.shape[:2]))
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    lines = segments_of(grey.astype(np.uint8))
    rough = [*number_pivots(numerals, side), *centres]
    pivots = [
        *line_pivots(lines, (grey.shape[0], grey.shape[1])),
        *(refined_pivot(lines, pivot, side) for pivot in rough),
        *rough,
    ]
    best: Measured | None = None
    for pivot in _apart(pivots, 0.015 * side):
        found = _around(pixels, texts, numerals, pivot, side)
        if found is not None and (best is None or found.merit > best.merit):
            best = found
    if best is not None and best.ticks is not None:
        exact = ring_middle(unroll(pixels, best.scale, texts), best.scale, best.ticks)
        again = _around(pixels, texts, numerals, exact, side) if exact else None
        if again is not None and again.merit > best.merit - _SAME:
            best = again
    return None if best is None else _of_two(best, pixels, texts, numerals, side)


def _of_two(
    found: Measured, pixels: Pixels, texts: Sequence[Printed], numerals: Sequence[Numeral], side: float
) -> Measured:
    """Of two scales on one dial, the one in larger print, and what one is in the other."""
    scale = found.scale
    ring = float(np.mean(scale.radii))
    own = {id(member.printed) for member in scale.members}
    others = [
        n
        for n in numerals
        if id(n.printed) not in own and abs(math.dist((n.printed.x, n.printed.y), scale.pivot) / ring - 1) > 0.12
    ]
    second = fit_scale(others, scale.pivot, side)
    if second is None or second.residual > math.radians(6) or scale.residual > math.radians(6):
        return found
    tall, other_tall = (np.median([m.printed.height for m in s.members]) for s in (scale, second))
    if other_tall > 1.12 * tall:
        meant = _around(pixels, texts, others, scale.pivot, side)
        if meant is not None and len(meant.scale.members) >= 3:
            return replace(meant, second=_pace(scale) / _pace(meant.scale))
    return replace(found, second=_pace(second) / _pace(scale))


def _pace(scale: Scale) -> float:
    """Units per radian, over all."""
    return scale.span / float(scale.angles[-1] - scale.angles[0])


def _apart(pivots: Sequence[tuple[float, float]], distance: float) -> list[tuple[float, float]]:
    kept: list[tuple[float, float]] = []
    for pivot in pivots:
        if all(math.dist(pivot, other) > distance for other in kept):
            kept.append(pivot)
    return kept


def _around(
    pixels: Pixels, texts: Sequence[Printed], numerals: Sequence[Numeral], pivot: tuple[float, float], side: float
) -> Measured | None:
    scale = fit_scale(numerals, pivot, side)
    if scale is None:
        return None
    unrolled = unroll(pixels, scale, texts)
    ticks = find_ticks(unrolled, scale, _is_ink_dark(pixels, scale))
    ring = 1.0 if ticks is None else ticks.part
    reach = 0.82 if ring >= 1.0 else max(0.5, 0.95 * ring)
    needles = find_needles(unrolled, scale, reach, ring)
    needle = needles[0] if needles else None
    if ticks is not None:
        scale = snapped(scale, ticks, needle.angle if needle else None)
    merit = scale.weight - 12.0 * scale.residual + (min(2.0, ticks.merit) if ticks else 0.0)
    if needle is not None:
        merit += 2.0 * needle.merit - 8.0 * needle.miss
    return _judged(scale, ticks, needles, merit, unrolled)


def _is_ink_dark(pixels: Pixels, scale: Scale) -> bool:
    """Whether numbers are darker than the face around them, by the boxes of the scale's own."""
    votes = 0
    for member in scale.members:
        printed = member.printed
        half = max(2, round(printed.height / 2))
        x, y = round(printed.x), round(printed.y)
        box = pixels[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1]
        if box.size:
            grey = box.mean(axis=2)
            votes += 1 if np.median(grey) - grey.min() > grey.max() - np.median(grey) else -1
    return votes >= 0


def _judged(scale: Scale, ticks: Ticks | None, needles: list[Needle], merit: float, unrolled: Unrolled) -> Measured:
    """A value, or the reason for none."""
    numbers = ", ".join(f"{value:g}" for value in scale.values)
    told = f"scale {numbers}"

    def silent(reason: str) -> Measured:
        return Measured(scale, ticks, needles[0] if needles else None, None, 0.0, ("no-value",), reason, merit)

    if scale.weight < 2.4:
        return silent(f"{told}: too few numbers agree")
    if not scale.straight and len(scale.values) == 3 and scale.residual > math.radians(9):
        return silent(f"{told}: three numbers on a bent scale are too few")
    if not needles or needles[0].merit < _PLAIN:
        return silent(f"{told}: no line runs from the pivot to the scale")
    needle = needles[0]
    if any(other.is_rival(needle) for other in needles[1:]):
        return silent(f"{told}: more than one line runs from the pivot to the scale")
    ends = _known(scale, ticks, needle.angle, unrolled)
    if not ends[0] - _REST <= needle.angle <= ends[1] + _REST:
        return silent(f"{told}: the needle stands where no number is known")
    if needle.angle < scale.angles[1] and not scale.straight and _is_zero_unread(scale):
        return silent(f"{told}: the needle stands in the first part of a bent scale whose zero was not read")
    value = value_at(scale, needle.angle)
    # A scale that goes around is straight: what its numbers are off a line, they are off.
    around = scale.angles[-1] - scale.angles[0] > _AROUND
    unsure = scale.residual if around else 0.5 * min(scale.residual, math.radians(3))
    off = math.hypot(0.3 * needle.width, math.radians(0.7), unsure)
    bent = 0.0 if scale.straight else abs(value - float(np.interp(needle.angle, scale.angles, scale.values)))
    uncertainty = max(0.005 * scale.span, math.hypot(_slope(scale, needle.angle) * off, 0.5 * bent))
    flags: tuple[str, ...] = ()
    if uncertainty > _COARSE * scale.span:
        return silent(f"{told}: the needle cannot be told to better than ± {uncertainty:.2g}")
    first, last = value_at(scale, ends[0]), value_at(scale, ends[1])
    if not first - uncertainty <= value <= last + uncertainty:
        flags = ("over-range",)
    else:
        value = min(max(value, first), last)
    why = f"{told}; needle at {value:.4g} (seen on {needle.cover:.0%} of its way)"
    return Measured(scale, ticks, needle, value, uncertainty, flags, why, merit + (0.0 if flags else _READ))


def _known(scale: Scale, ticks: Ticks | None, needle: float, unrolled: Unrolled) -> tuple[float, float]:
    """The angles between which the scale is known.

    A straight scale that goes around is known one step beyond its numbers where its ticks go on, or where the band that
    it stands on ends at a whole step. A bent one is not: how its first division is bent cannot be told, although its
    zero may be seen.
    """
    first, last = float(scale.angles[0]), float(scale.angles[-1])
    if first <= needle <= last or not scale.straight:
        return first, last
    steps = np.diff(scale.angles)
    band = band_ends(unrolled, scale)
    if band is not None:
        step = float(steps.min())
        below, above = _whole((first - band[0]) / step), _whole((band[1] - last) / step)
        if (below if needle < first else above) > 0:
            return first - below * step, last + above * step
    if ticks is None or last - first < _AROUND:
        return first, last
    low, high = tick_ends(scale, ticks, needle)
    return max(low, first - 1.05 * float(steps[0])), min(high, last + 1.05 * float(steps[-1]))


def _whole(steps: float) -> int:
    """One step or two, or none where it is neither."""
    whole = round(steps)
    return whole if whole in (1, 2) and abs(steps - whole) < _OFF_STEP else 0


def _is_zero_unread(scale: Scale) -> bool:
    """The first number is one step."""
    step = float(np.diff(scale.values).min())
    return abs(float(scale.values[0]) - step) < 0.02 * step


def _slope(scale: Scale, angle: float) -> float:
    """Units per radian there."""
    step = math.radians(1.0)
    return abs(value_at(scale, angle + step) - value_at(scale, angle - step)) / (2 * step)
