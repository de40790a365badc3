"""Mechanical counters: digits on drums, side by side in windows.

What sets a counter apart from a printed number is what stands between its digits: an edge of a drum or a window, from
top to bottom, at every step of a regular grid. A text reader reads the digits, twice; drums at the right whose colour
is red count decimals. A drum that stands between two digits is told, because then the lower digit counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box
from plugins.panel.displays.rows import Row
from plugins.panel.displays.strips import HEIGHT, MARGIN, Strip, picture
from plugins.panel.texts.ocr import OcrEngine

__all__ = ["Counter", "read_counter"]

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

_FEWEST, _MOST = 4, 10
_PITCH = (0.62, 1.9)
"""From digit to digit, in heights of a digit."""
_OFF_GRID = 0.2
"""How far a digit may stand from its place, in pitches: a 1 does."""
_EDGE = 7.0
"""Least step of brightness at the edge of a drum, of 255."""
_SEAM = 0.13
"""How far from the middle between two digits the edge of a drum may lie, in pitches."""
_EDGES = 0.75
"""Part of the gaps in which there is one."""
_RED = 45.0
"""How much more red than green and blue, of 255, on a drum that counts decimals."""
_GLANCES = 2


@dataclass(frozen=True, slots=True)
class Counter:
    """What a counter shows."""

    value: str | None
    box: Box
    score: float
    flags: tuple[str, ...]
    why: str


def read_counter(pixels: Pixels, row: Row, strip: Strip, engine: OcrEngine, printed: Sequence[str]) -> Counter | None:
    """None where the row is no counter.

    :param strip: the row made straight.
    :param printed: what the reader of the whole panel read there.
    """
    if not _FEWEST - 1 <= len(row.boxes) <= 2 * _MOST:
        return None
    middles = _grid(row, strip)
    if middles is None:
        return None
    colour = picture(pixels, strip)
    if not _has_drums(colour, middles):
        return None
    pitch = middles[1] - middles[0]
    left, right = middles[0] - pitch / 2, middles[-1] + pitch / 2
    box = strip.box(left, MARGIN, right, MARGIN + HEIGHT)
    looks = [*_looks(colour, strip.ink, left, right, engine), *(re.sub(r"\D", "", text) for text in printed)]
    whole = [look for look in looks if len(look) == len(middles)]
    if not whole and not any(len(look) == len(middles) - 1 for look in looks):
        return None
    if not whole:
        return Counter(None, box, 0.3, ("no-value",), f"a counter of {len(middles)} drums that cannot be read")
    digits = max(whole, key=whole.count)
    flags = [] if whole.count(digits) >= _GLANCES else ["disagrees"]
    if any(_is_between(strip.ink, middle, pitch) for middle in middles):
        flags.append("between")
    decimals = _red_at_end(colour, middles, pitch)
    value = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
    why = f"{len(middles)} drums, {decimals} of them red, read {whole.count(digits)} times alike"
    return Counter(value, box, 0.5 if flags else 0.9, tuple(flags), why)


def _grid(row: Row, strip: Strip) -> NDArray[np.float64] | None:
    """Middles of the drums in columns of the strip, at a regular distance; None where there is none."""
    tall = [box for box in row.boxes if box[3] - box[1] >= 0.75 * row.height]
    found = np.unique(np.rint([((box[0] + box[2]) / 2 - strip.left) * strip.scale for box in tall]))
    found = found[np.concatenate(([True], np.diff(found) > 0.3 * HEIGHT))]
    if len(found) < _FEWEST - 1:
        return None
    pitch = float(np.median(np.diff(found)))
    if not _PITCH[0] * HEIGHT <= pitch <= _PITCH[1] * HEIGHT:
        return None
    places = np.rint((found - found[0]) / pitch)
    if len(np.unique(places)) < len(places):
        return None
    pitch, first = (float(v) for v in np.polyfit(places, found, 1))
    count = int(places[-1]) + 1
    off = np.abs(found - (first + places * pitch))
    if not _FEWEST <= count <= _MOST or (off > _OFF_GRID * pitch).any() or len(found) < 0.7 * count:
        return None
    return np.asarray(first + np.arange(count) * pitch, np.float64)


def _has_drums(colour: Pixels, middles: NDArray[np.float64]) -> bool:
    """Between digits there are edges, which reach further up or down than digits do."""
    grey = colour.mean(axis=2)
    step = np.abs(grey[:, 3:] - grey[:, :-3])
    body = np.median(step[MARGIN : MARGIN + HEIGHT], axis=0)
    above = np.median(step[3 : MARGIN - 3], axis=0)
    below = np.median(step[MARGIN + HEIGHT + 3 : -3], axis=0)
    steps = np.minimum(body, np.maximum(above, below))
    pitch = middles[1] - middles[0]
    between = (middles[1:] + middles[:-1]) / 2
    spans = [(max(0, round(at - _SEAM * pitch)), max(1, round(at + _SEAM * pitch))) for at in between]
    edges = [float(steps[low:high].max()) if steps[low:high].size else 0.0 for low, high in spans]
    return float(np.mean([edge >= _EDGE for edge in edges])) >= _EDGES


def _looks(colour: Pixels, ink: Floats, left: float, right: float, engine: OcrEngine) -> list[str]:
    """The digits as the reader sees them in colour, and as ink alone."""
    low, high = max(0, round(left)), min(colour.shape[1], round(right))
    plain = 255 - np.clip(ink, 0, 1) * 255
    strokes = np.repeat(plain.astype(np.uint8)[:, :, None], 3, axis=2)
    sheet = np.ascontiguousarray(np.vstack([colour[4:-4, low:high], strokes[4:-4, low:high]]))
    tall = sheet.shape[0] // 2
    boxes = [(0, 0, high - low, tall), (0, tall, high - low, 2 * tall)]
    texts = engine.read_boxes(sheet, boxes, margin=0.0)
    return [re.sub(r"\D", "", text.text.translate({79: "0", 111: "0", 68: "0"})) for text in texts if text.score > 0.5]


def _is_between(ink: Floats, middle: float, pitch: float) -> bool:
    """Two halves of digits, with a gap between them where a digit has its middle."""
    reach = 0.3 * pitch
    window = ink[MARGIN : MARGIN + HEIGHT, max(0, round(middle - reach)) : max(1, round(middle + reach))]
    if not window.size:
        return False
    rows = cv2.blur((window > 0.5).mean(axis=1).astype(np.float32).reshape(-1, 1), (1, 3)).ravel()
    return bool(rows[HEIGHT // 3 : 2 * HEIGHT // 3].min() < 0.02 and rows[:10].max() > 0.1 and rows[-10:].max() > 0.1)


def _red_at_end(colour: Pixels, middles: NDArray[np.float64], pitch: float) -> int:
    """Drums at the right that are red, or whose digits are."""
    red = []
    for middle in middles:
        window = colour[MARGIN : MARGIN + HEIGHT, max(0, round(middle - 0.3 * pitch)) : round(middle + 0.3 * pitch)]
        more = window[:, :, 0].astype(np.float32) - window[:, :, 1:].max(axis=2)
        red.append(bool(np.quantile(more, 0.9) > _RED))
    count = 0
    while count < len(red) and red[-1 - count]:
        count += 1
    return count if 0 < count <= 4 and not any(red[: len(red) - count]) else 0
