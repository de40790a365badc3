"""Gauges without a needle: a band around a middle that is filled from its start to the value.

The band is seen where one colour follows on another at one angle and over a breadth of the radius: the fill before it,
the track after it, and beyond both ends nothing. A fill is plainer against the face than its track; zones of a scale
(green, then red) are both plain, and are no fill. What the ends of the band mean is printed at them, or all around it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from plugins.panel.gauges.numerals import Printed, numerals_of, printed_number
from plugins.panel.gauges.outlines import Ring
from plugins.panel.gauges.scale import Scale, fit_scale, value_at

__all__ = ["Fill", "Filled", "filled_value", "find_fill", "has_pointer"]

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
_ROWS = 720
_BIN = 2 * math.pi / _ROWS
_NEAREST, _FURTHEST, _COLUMNS = 0.4, 1.6, 64
"""Distances that are looked at, in parts of the ring."""
_APART, _SPAN = 3, 12
"""Rows between the two stretches of which colours are compared, and of each."""
_PLAIN = 36.0
"""Grey levels by which fill and track differ at least, in one colour."""
_SEEN, _NOISY = 5.0, 12.0
"""Grey levels by which a track differs from the face at least, and those that a face may vary by."""
_LEAST_COLUMNS = 3
_LINE = 0.85
"""Of the way from the middle to the band that a pointer is seen on; letters are not."""
_COLOURED = 90.0
"""Between the strongest and the weakest colour of a track: more is a zone."""
_MIN_SWEEP, _MAX_SWEEP = math.radians(100.0), math.radians(335.0)
_MIN_PART = math.radians(4.0)
"""Fill and track must both go on for this far."""
_END = 0.5
"""Numbers at the ends of a band stand this near to them, in parts of the ring."""
_SURE = 0.85
_MAX_LEAN = math.radians(5.0)
_OFF = math.radians(1.2)
"""What the end of a fill may be off."""


@dataclass(frozen=True, slots=True)
class Fill:
    """A band, and how far it is filled. Angles in radians, clockwise from the right."""

    start: float
    end: float
    """Larger than the start: where the track ends."""
    at: float
    """Where the fill ends."""
    inner: float
    """Distances of the band's edges from the middle, in pixels."""
    outer: float


@dataclass(frozen=True, slots=True)
class Filled:
    """What a band shows."""

    value: float
    uncertainty: float
    span: float
    members: tuple[Printed, ...]
    """The numbers that its ends, or places around it, are named with."""


def find_fill(pixels: Pixels, ring: Ring) -> Fill | None:
    """The filled band around the middle of a ring; None where there is no such band, or it is empty or full.

    :param pixels: height × width × 3, RGB; the ring is in its pixels.
    """
    unrolled = _unrolled(pixels, ring)
    before, after = _stretches(unrolled)
    # Colours that differ over some rows on either side, and hardly within them: no needle, no letters.
    changed = np.abs(after[0] - before[0]).max(axis=2)
    plain = (changed > _PLAIN) & (before[1] < 0.3 * changed) & (after[1] < 0.3 * changed)
    best: tuple[float, Fill] | None = None
    for row in _edges(np.where(plain, changed, 0.0)):
        for first, last in _runs(plain[row]):
            fill = _band(unrolled, row, first, last, ring)
            score = float(changed[row, first:last].sum())
            if fill is not None and (best is None or score > best[0]):
                best = score, fill
    return None if best is None else best[1]


def has_pointer(pixels: Pixels, fill: Fill, ring: Ring) -> bool:
    """Whether a line runs from the middle to the band: then colours of the band are zones."""
    inside = Ring(ring.x, ring.y, fill.inner)
    way = _unrolled(pixels, inside, 0.4, 0.9).astype(np.float64)
    off = np.abs(way - np.median(way, axis=0)).max(axis=2) > _PLAIN
    return bool((off.mean(axis=1) > _LINE).any())


def filled_value(fill: Fill, ring: Ring, texts: Sequence[Printed]) -> Filled | None:
    """What a fill shows on the numbers around its band; None where they do not tell.

    :param texts: in pixels of the picture that the ring is in.
    """
    around = fit_scale(
        [n for n in numerals_of(texts) if _is_around(n.printed, fill, ring)], (ring.x, ring.y), 2 * ring.radius
    )
    if around is not None and around.straight:
        return _on_scale(fill, around)
    ends = _at_ends(fill, ring, texts)
    lean = _lean(fill)
    if ends is None or lean > _MAX_LEAN:
        return None
    first, last = (printed_number(text.text) for text in ends)
    if first is None or last is None or last <= first:
        return None
    span = last - first
    value = first + span * (fill.at - fill.start) / (fill.end - fill.start)
    uncertainty = span * math.hypot(math.hypot(_OFF, lean) / (fill.end - fill.start), 0.005)
    return Filled(value, uncertainty, span, ends)


def _lean(fill: Fill) -> float:
    """By how much the middle of the band is off the vertical: instruments are level, and what leans is seen askew."""
    off = (fill.start + fill.end) / 2 - 1.5 * math.pi
    return abs((off + math.pi) % (2 * math.pi) - math.pi)


def _on_scale(fill: Fill, scale: Scale) -> Filled | None:
    """The numbers must go as far around as the band does."""
    start, at, end = ((angle - scale.cut) % (2 * math.pi) for angle in (fill.start, fill.at, fill.end))
    if abs(start - scale.angles[0]) > 0.2 or abs(end - scale.angles[-1]) > 0.2:
        return None
    pace = scale.span / float(scale.angles[-1] - scale.angles[0])
    members = tuple(member.printed for member in scale.members)
    # The band is drawn exactly; numbers stand beside their places, those at the ends most of all.
    first, last = float(scale.values[0]), float(scale.values[-1])
    value = first + (last - first) * (at - start) / (end - start)
    off = abs(value - value_at(scale, at))
    return Filled(value, math.hypot(pace * _OFF, 0.5 * off), scale.span, members)


def _unrolled(pixels: Pixels, ring: Ring, nearest: float = _NEAREST, furthest: float = _FURTHEST) -> Pixels:
    angles = np.arange(_ROWS) * _BIN
    far = np.linspace(nearest, furthest, _COLUMNS) * ring.radius
    x = ring.x + np.cos(angles)[:, None] * far[None, :]
    y = ring.y + np.sin(angles)[:, None] * far[None, :]
    seen = cv2.remap(
        pixels, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return seen.astype(np.uint8)


def _stretches(unrolled: Pixels) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Mean colour of the rows before and after each place, and how much they vary."""
    around = 2 * _SPAN
    wrapped = np.concatenate((unrolled[-around:], unrolled, unrolled[:around])).astype(np.float32)
    size = (1, _SPAN)
    mean = cv2.boxFilter(wrapped, -1, size, anchor=(0, 0))
    squares = cv2.sqrBoxFilter(wrapped, -1, size, anchor=(0, 0))
    spread = np.sqrt(np.maximum(squares - mean * mean, 0)).max(axis=2)

    def of(offset: int) -> tuple[Floats, Floats]:
        rows = slice(around + offset, around + offset + _ROWS)
        return mean[rows].astype(np.float64), spread[rows].astype(np.float64)

    return of(-_APART - _SPAN), of(_APART + 1)


def _edges(changed: Floats) -> list[int]:
    """Rows where most of the radius changes its colour, the plainest first."""
    total = changed.sum(axis=1)
    rows: list[int] = []
    for _ in range(6):
        row = int(np.argmax(total))
        if total[row] < _LEAST_COLUMNS * _PLAIN:
            break
        # In the middle of the rows that see the change.
        near = np.arange(row - 2 * _APART, row + 2 * _APART + 1)
        weight = total[near % _ROWS]
        rows.append(round(float((near * weight).sum() / weight.sum())) % _ROWS)
        total[near % _ROWS] = 0
    return rows


def _runs(plain: NDArray[np.bool_]) -> list[tuple[int, int]]:
    steps = np.flatnonzero(np.diff(np.concatenate(([False], plain, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(steps[::2], steps[1::2], strict=True) if b - a >= _LEAST_COLUMNS]


def _band(unrolled: Pixels, row: int, first: int, last: int, ring: Ring) -> Fill | None:
    """Follow a band from the end of its fill both ways."""
    inset = max(0, (last - first) // 5)
    band = np.median(unrolled[:, first + inset : last - inset], axis=1)
    turned = np.roll(band, -row, axis=0)
    fill = np.median(turned[-_APART - _SPAN : -_APART], axis=0)
    track = np.median(turned[_APART : _APART + _SPAN], axis=0)
    ahead, back = _followed(turned), _followed(turned[::-1])
    if min(ahead, back) * _BIN < _MIN_PART or not _MIN_SWEEP < (ahead + back) * _BIN < _MAX_SWEEP:
        return None
    gaps = turned[ahead + _APART : _ROWS - back - _APART]
    gap = np.median(gaps, axis=0)
    noise = float(np.median(np.abs(gaps - gap).max(axis=1)))
    if noise > _NOISY or np.abs(track - gap).max() < max(_SEEN, 3 * noise):
        return None
    # A zone of a scale is as plain as the next; a track is nearer to the face than its fill.
    if np.abs(track - gap).max() > 0.85 * np.abs(fill - gap).max() or track.max() - track.min() > _COLOURED:
        return None
    at = _crossing(turned, fill, track)
    start, end = row - back, row + ahead
    far = np.linspace(_NEAREST, _FURTHEST, _COLUMNS) * ring.radius
    return Fill(start * _BIN, end * _BIN, (row + at) * _BIN, float(far[first]), float(far[last - 1]))


def _followed(turned: Floats) -> int:
    """Rows that keep the colour of the first, or one that it shades into; a mark across it is passed over."""
    first = turned[_APART : _APART + _SPAN]
    usual = np.median(first, axis=0)
    limit = max(_SEEN, 4 * float(np.median(np.abs(first - usual).max(axis=1))))
    count = 0
    for row in range(_ROWS):
        if np.abs(turned[row] - usual).max() < limit:
            usual = 0.8 * usual + 0.2 * turned[row]
            count = row + 1
        elif row - count > 2 * _APART:
            break
    return count


def _crossing(turned: Floats, fill: Floats, track: Floats) -> float:
    """Where the colour is half way between the two, in rows from the edge."""
    rows = np.arange(-_APART - 3, _APART + 4)
    way = (turned[rows] - fill) @ (track - fill) / float((track - fill) @ (track - fill))
    beyond = np.flatnonzero(np.clip(way, 0, 1) >= 0.5)
    if not len(beyond) or beyond[0] == 0:
        return 0.0
    k = int(beyond[0])
    low, high = float(way[k - 1]), float(way[k])
    return float(rows[k - 1]) + (0.5 - low) / max(high - low, 1e-6)


def _is_around(text: Printed, fill: Fill, ring: Ring) -> bool:
    """Beside the band, not in its middle."""
    away = math.hypot(text.x - ring.x, text.y - ring.y)
    return fill.inner - 2.5 * text.height < away < fill.outer + 2.5 * max(text.height, text.width)


def _at_ends(fill: Fill, ring: Ring, texts: Sequence[Printed]) -> tuple[Printed, Printed] | None:
    """The numbers at the two ends of a band, in the same print."""
    numbers = [text for text in texts if printed_number(text.text) is not None and text.score >= _SURE]
    found = []
    for angle in (fill.start, fill.end):
        half = (fill.inner + fill.outer) / 2
        x, y = ring.x + half * math.cos(angle), ring.y + half * math.sin(angle)
        near = sorted((math.hypot(text.x - x, text.y - y), index) for index, text in enumerate(numbers))
        if not near or near[0][0] > _END * ring.radius:
            return None
        found.append(numbers[near[0][1]])
    low, high = found
    alike = 0.5 < low.height / high.height < 2.0
    # As far from its end each: one of them may be the value in the middle.
    level = abs(low.y - high.y) < max(low.height, 0.1 * ring.radius) or fill.start % math.pi > 0.2
    return (low, high) if low is not high and alike and level else None
