"""What the pixels of a number show, whatever the reader made of them: points, sign, and strokes that nothing covers.

A reader loses signs and decimal points with full confidence, but both are pieces of ink of their own: a point is a
small mark on the baseline, a minus a flat one at half height left of the first digit. The crop is brought to one
scale, its ground subtracted, and its connected pieces are sorted by size and place against the digits.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box

__all__ = ["Ink", "look_at"]

Pixels = NDArray[np.uint8]
_TALL = 40
"""Height to which a crop is brought, in pixels; larger ones stay."""
_LEAST_CONTRAST = 24.0
"""Of 255: fainter ink cannot be told from noise."""
_INK = 0.45
"""Share of the full contrast above which a pixel is ink."""
_FAINT = 0.33
"""The same for a second look: a point of one pixel is fainter than the digits around it."""
_LINE = 0.3
"""The same for the lines of a frame."""
_LEAST_LEAD = 0.14
"""The same for a sign, which may be one thin line."""
_USUAL_STEP = 0.85
"""From digit to digit, in heights of a digit, where a number has too few to tell."""
_AROUND = 1.0
"""What is looked at left and right of a text, in its heights."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A connected piece of ink, in pixels of the image, relative to its crop."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def wide(self) -> float:
        return self.right - self.left

    @property
    def tall(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class Ink:
    """The ink of one number."""

    clear: bool
    """There is enough contrast and size to tell pieces apart; nothing else here counts where there is not."""
    digit_px: float = 0.0
    """Height of its digits."""
    points: int = 0
    """Small marks on the baseline between its digits."""
    bodies: int = 0
    """Pieces as tall as a digit; digits that touch are one piece."""
    sign: str = ""
    """`-` or `+` seen left of its first digit, or empty."""
    stretch: float = 0.0
    """By how much its digits stand further apart somewhere than elsewhere, in parts of the usual distance: a point that
    the crop hardly shows takes room; 0 where digits touch.
    """
    leads: float = 0.0
    """How wide the ink is that stands at half height alone left of the first digit, in heights of a digit."""
    beyond: bool = False
    """Ink goes on beside the text, where no other text stands."""


def look_at(pixels: Pixels, box: Box, span: tuple[float, float], digits: int, others: Sequence[Box]) -> Ink:
    """Look at the ink of a number.

    :param pixels: height × width × 3, 8 bits.
    :param box: of the text that holds it.
    :param span: where the number begins and ends, in pixels of the image from the left.
    :param digits: how many were read.
    :param others: boxes of the texts around it.
    """
    left, top, right, bottom = box
    around = round(_AROUND * (bottom - top))
    crop_left, crop_right = max(0, left - around), min(pixels.shape[1], right + around)
    crop = pixels[max(0, top - 1) : bottom + 1, crop_left:crop_right]
    if min(crop.shape[:2]) < 4 or right - left < 3:
        return Ink(False)
    strength = _strength(crop, left - crop_left, right - crop_left)
    if strength is None:
        return Ink(False)
    pieces = _pieces(strength, crop.shape[0], crop_left)
    slack = 0.4 * (bottom - top)
    within = [p for p in pieces if min(p.right, span[1] + slack) - max(p.left, span[0] - slack) >= 0.5 * p.wide]
    tallest = max((p.tall for p in within), default=0.0)
    number = [p for p in within if p.tall >= max(0.7 * tallest, 0.25 * (bottom - top))]
    if not number:
        return Ink(False)
    high, base = float(np.median([p.top for p in number])), float(np.median([p.bottom for p in number]))
    tall = base - high
    bodies = [p for p in number if p.tall >= 0.7 * tall]
    if tall < 4 or not bodies:
        return Ink(False)
    first, last = min(p.left for p in bodies), max(p.right for p in bodies)
    points = max(
        sum(first < p.middle[0] < last and _is_point(p, base, tall) for p in found)
        for found in (pieces, _pieces(strength, crop.shape[0], crop_left, _FAINT))
    )
    signs = [p for p in pieces if first - 1.3 * tall <= p.left and p.right <= first + 0.15 * tall]
    sign = "".join({_sign(p, high, tall) for p in signs if not _covered(p, box, others)} - {""})
    free = [p for p in pieces if not _covered(p, box, others)]
    beyond = any(_goes_on(p, box, high, tall) for p in free)
    scale = strength.shape[0] / crop.shape[0]
    edges = round((first - crop_left) * scale), round((last - crop_left) * scale)
    merged = min(bodies, key=lambda p: p.left).wide > 0.95 * tall
    leads = _leads(strength, edges[0], edges[1], high * scale, base * scale, merged=merged)
    return Ink(True, tall, points, len(bodies), sign[:1], _stretch(_closest(bodies, digits), tall), leads, beyond)


def _strength(crop: Pixels, left: int, right: int) -> NDArray[np.float32] | None:
    """How much of the full contrast each pixel has, enlarged; None where the contrast is too low."""
    inside = crop[:, left:right].reshape(-1, 3)
    ground = np.median(inside, axis=0)
    away = np.abs(crop.astype(np.float32) - ground.astype(np.float32)).max(axis=2)
    full = float(np.percentile(away[:, left:right], 96))
    if full < _LEAST_CONTRAST:
        return None
    scale = max(1.0, _TALL / crop.shape[0])
    strength = np.asarray(cv2.resize(away / full, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.float32)
    return _without_lines(strength, (left * scale, right * scale))


def _without_lines(strength: NDArray[np.float32], text: tuple[float, float]) -> NDArray[np.float32]:
    """Strokes far longer than those of a glyph are taken out, and what lies behind an upright one: frames, rulings.

    :param text: where the text begins and ends.
    """
    rows, columns = strength.shape
    ink = (strength > _LINE).astype(np.uint8)
    flat = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, min(columns, round(1.5 * rows))), np.uint8))
    upright = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((max(1, round(0.8 * rows)), 1), np.uint8))
    lines = cv2.dilate(np.maximum(flat, upright), np.ones((5, 5), np.uint8))
    clean = np.where(lines > 0, np.float32(0), strength)
    bars = np.flatnonzero(upright.any(axis=0))
    middle, reach = (text[0] + text[1]) / 2, 0.3 * (text[1] - text[0])
    before, behind = bars[bars < middle - reach], bars[bars > middle + reach]
    clean[:, : before.max(initial=-3) + 3] = 0
    clean[:, max(0, behind.min(initial=columns + 3) - 3) :] = 0
    return np.asarray(clean, np.float32)


def _pieces(strength: NDArray[np.float32], rows: int, offset: int, level: float = _INK) -> list[Piece]:
    """Connected pieces that are no frame: one that runs from edge to edge of the crop is none of a glyph."""
    scale = strength.shape[0] / rows
    count, _, stats, _ = cv2.connectedComponentsWithStats((strength > level).astype(np.uint8), connectivity=8)
    found = []
    for left, top, wide, tall, area in stats[1:count].tolist():
        if tall < strength.shape[0] - 1 and wide <= 0.9 * strength.shape[1]:
            edges = (left / scale, top / scale, (left + wide) / scale, (top + tall) / scale)
            thin = area < 0.2 * wide * tall
            found.append((Piece(offset + edges[0], edges[1], offset + edges[2], edges[3]), thin))
    return [piece for piece, thin in found if not (thin and any(_holds(piece, other) for other, _ in found))]


def _holds(frame: Piece, piece: Piece) -> bool:
    """A glyph stands within thin lines, as within the frame around a value."""
    beside = frame.left < piece.left and piece.right < frame.right and piece.tall > 0.3 * frame.tall
    return beside and frame.top < piece.top and piece.bottom < frame.bottom


def _closest(bodies: Sequence[Piece], digits: int) -> list[Piece]:
    """As many neighbours as digits were read, those that stand closest together: letters of a unit stand apart."""
    row = sorted(bodies, key=lambda p: p.left)
    if not 1 < digits < len(row):
        return row
    gaps = [right.left - left.right for left, right in itertools.pairwise(row)]
    start = min(range(len(row) - digits + 1), key=lambda i: max(gaps[i : i + digits - 1]))
    return row[start : start + digits]


def _stretch(bodies: Sequence[Piece], tall: float) -> float:
    """The widest distance from digit to digit beyond the usual one; digits have one width in nearly all fonts."""
    if len(bodies) < 2 or max(p.wide for p in bodies) > 0.95 * tall:
        return 0.0
    middles = np.sort([p.middle[0] for p in bodies])
    steps = np.diff(middles)
    usual = float(np.median(steps)) if len(steps) > 2 else min(float(steps.min()), _USUAL_STEP * tall)
    return float(steps.max()) / max(usual, 0.3 * tall) - 1.0


def _leads(strength: NDArray[np.float32], first: int, last: int, high: float, base: float, *, merged: bool) -> float:
    """How wide the ink is that stands at half height alone, left of the first digit or as its first part: a sign.

    :param first: column of the first digit.
    :param last: column behind the last one.
    :param merged: the first digit touches what is beside it, so that the sign may be part of that piece.
    :param high: top row of the digits.
    :param base: row of the baseline.
    """
    tall = base - high
    band = [max(0, round(high + part * tall)) for part in (0.0, 0.28, 0.34, 0.76, 0.82, 1.05)]
    if band[1] <= band[0] or band[5] > strength.shape[0] + tall or last - first < 4:
        return 0.0
    left = max(0, round(first - 1.1 * tall))
    window = strength[:, left : min(last, first + (round(0.8 * tall) if merged else 0))]
    if not window.shape[1]:
        return 0.0
    above, at, under = (window[a:b].max(axis=0, initial=0.0) for a, b in zip(band[::2], band[1::2], strict=True))
    alone = (at > _LEAST_LEAD) & (above < 0.5 * at) & (under < 0.5 * at)
    return _longest(alone) / tall


def _longest(flags: NDArray[np.bool_]) -> int:
    """Length of the longest run."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _is_point(piece: Piece, base: float, tall: float) -> bool:
    small = piece.tall <= 0.42 * tall and piece.wide <= 0.36 * tall and max(piece.tall, piece.wide) >= 0.08 * tall
    return small and base - 0.42 * tall <= piece.top and base - 0.2 * tall <= piece.bottom <= base + 0.35 * tall


def _sign(piece: Piece, high: float, tall: float) -> str:
    if not high + 0.25 * tall <= piece.middle[1] <= high + 0.85 * tall:
        return ""
    if piece.tall <= 0.3 * tall and 0.18 * tall <= piece.wide <= 0.95 * tall:
        return "-"
    crossed = 0.35 * tall <= piece.tall <= 0.88 * tall and 0.35 * tall <= piece.wide <= 1.0 * tall
    return "+" if crossed and abs(piece.tall - piece.wide) <= 0.3 * tall else ""


def _covered(piece: Piece, box: Box, others: Sequence[Box]) -> bool:
    x = piece.middle[0]
    return any(
        other != box and other[0] <= x <= other[2] and other[1] < box[3] and box[1] < other[3] for other in others
    )


def _goes_on(piece: Piece, box: Box, high: float, tall: float) -> bool:
    """A piece as tall as a digit that begins right beside the text."""
    if not 0.6 * tall <= piece.tall <= 1.3 * tall or abs(piece.top - high) > 0.35 * tall or piece.wide > 2 * tall:
        return False
    return -0.3 * tall <= piece.left - box[2] <= 0.35 * tall or -0.3 * tall <= box[0] - piece.right <= 0.35 * tall
