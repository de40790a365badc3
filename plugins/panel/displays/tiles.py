"""Numbers whose digits stand each in a tile of its own, as on flip clocks and on boards in a workshop.

Tiles are even areas of one size in a row at one pitch; a hinge may cut each into two halves. Keys of a keypad and pages
to choose from look alike: tiles above each other, and digits that count up, are no number. Every digit is read by two
looks, and by two more where these differ; where one stays in doubt, nothing is told.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Reading, Text
from plugins.panel.displays.captions import caption_of
from plugins.panel.geometry import centre, height, joined, overlap_x, overlap_y, width
from plugins.panel.instruments import Instrument
from plugins.panel.lights.regions import Scene
from plugins.panel.texts.ocr import OcrEngine

__all__ = ["find_tiles"]

_FEWEST, _MOST = 3, 10
_WIDE, _HIGH = (10, 140), (8, 220)
"""Sizes of a tile, or of half a tile, in pixels of the scene."""
_SLIM, _BROAD = 0.35, 1.15
"""Width of a tile in its heights."""
_PITCH = 1.9
"""From tile to tile at most, in widths."""
_EVEN = 0.08
_FILLED = 0.45
_HINGE = 0.3
_MOST_ROWS = 40
_LOOKS, _AGREEING = 4, 3
_FAIR = 0.6
_STROKES = re.compile(r"[\s一\-—_.|]")
"""What a reader makes of a hinge."""
_DIGITS = str.maketrans("OoQDIl", "000011")


def find_tiles(scene: Scene, texts: Sequence[Text], engine: OcrEngine) -> tuple[Instrument, ...]:
    """Every number in tiles, from the top."""
    rows = _rows(scene.stats)
    found = []
    for tiles in _whole_tiles(rows, scene.stats)[:_MOST_ROWS]:
        boxes = [scene.whole(tile) for tile in tiles]
        area = joined(boxes)
        own = frozenset(i for i, text in enumerate(texts) if _is_inside(text.box, area))
        if any(len(re.sub(r"\W", "", texts[i].text)) > len(boxes) for i in own):
            continue
        digits = _digits(scene, tiles, engine)
        if not digits or _counts_up(digits):
            continue
        label, unit, named = caption_of(area, texts, own)
        label = label.strip("《》«»<> ")
        flags = () if label else ("unlabelled",)
        why = f"{len(boxes)} digits, each in a tile of its own"
        reading = Reading(label, digits, unit, "counter", area, 0.92, flags, read_by="text", why=why)
        found.append(Instrument(reading, area, own | named))
    return tuple(found)


def _rows(stats: NDArray[np.int32]) -> list[list[Box]]:
    """Even areas of one size, side by side at one pitch; each row from the left."""
    left, top, wide, high, area = stats[1:].T.astype(np.int64)
    fits = (wide >= _WIDE[0]) & (wide <= _WIDE[1]) & (high >= _HIGH[0]) & (high <= _HIGH[1])
    fits &= (area >= _FILLED * wide * high) & (wide <= 2.3 * high) & (wide >= 0.3 * high)
    boxes = np.stack([left, top, left + wide, top + high], axis=1)[fits]
    boxes = boxes[np.lexsort((boxes[:, 0], boxes[:, 1]))]
    rows: list[list[Box]] = []
    free = np.ones(len(boxes), bool)
    for index in range(len(boxes)):
        if not free[index]:
            continue
        slack = max(2, round(_EVEN * (boxes[index, 3] - boxes[index, 1])))
        sizes = boxes[:, 2:] - boxes[:, :2]
        alike = free & (np.abs(boxes[:, 1] - boxes[index, 1]) <= slack)
        alike &= (np.abs(sizes - sizes[index]) <= slack).all(axis=1)
        free &= ~alike
        rows += _evenly([(int(a), int(b), int(c), int(d)) for a, b, c, d in boxes[alike].tolist()])
    return rows


def _evenly(boxes: Sequence[Box]) -> list[list[Box]]:
    """Runs at one pitch."""
    runs: list[list[Box]] = []
    for box in sorted(boxes):
        run = runs[-1] if runs else []
        pitch = box[0] - run[-1][0] if run else 0
        near = bool(run) and width(box) <= pitch <= _PITCH * width(box)
        even = len(run) < 2 or abs(pitch - (run[-1][0] - run[-2][0])) <= max(2, round(_EVEN * pitch))
        if near and even:
            run.append(box)
        else:
            runs.append([box])
    return [run for run in runs if _FEWEST <= len(run) <= _MOST]


def _whole_tiles(rows: Sequence[Sequence[Box]], stats: NDArray[np.int32]) -> list[list[Box]]:
    """Rows with both halves of their tiles joined; without rows that are part of a field of keys."""
    found: list[list[Box]] = []
    for row in sorted(rows, key=lambda row: row[0][1]):
        area = joined(row)
        if any(overlap_x(area, joined(other)) > 0 and overlap_y(area, joined(other)) > 0 for other in found):
            continue
        tall = height(area)
        halves = [_half(stats, box) for box in row]
        tops, bottoms = [h[0] for h in halves if h is not None], [h[1] for h in halves if h is not None]
        top, bottom = min([area[1], *tops]), max([area[3], *bottoms])
        tiles = [(box[0], top, box[2], bottom) for box in row]
        slim = width(tiles[0]) / max(1, bottom - top)
        keys = [
            other
            for other in rows
            if other is not row
            and abs(other[0][0] - row[0][0]) <= 0.3 * width(row[0])
            and (0 <= other[0][1] - bottom <= tall or 0 <= top - other[0][3] <= tall)
        ]
        if _SLIM <= slim <= _BROAD and not keys:
            found.append(tiles)
    return found


def _half(stats: NDArray[np.int32], box: Box) -> tuple[int, int] | None:
    """Top and bottom of the other half of a tile, over it or under it; None where it is whole."""
    left, top, wide, high, _ = stats.T
    tall = height(box)
    same = (np.abs(left - box[0]) <= 3) & (np.abs(wide - width(box)) <= 4) & (np.abs(high - tall) <= 0.25 * tall)
    over = same & (np.abs(top + high - box[1]) <= _HINGE * tall)
    under = same & (np.abs(top - box[3]) <= _HINGE * tall)
    index = np.flatnonzero(over | under)
    return None if len(index) != 1 else (int(top[index[0]]), int(top[index[0]] + high[index[0]]))


def _is_inside(box: Box, area: Box) -> bool:
    x, y = centre(box)
    return area[0] <= x <= area[2] and area[1] <= y <= area[3]


def _digits(scene: Scene, tiles: Sequence[Box], engine: OcrEngine) -> str:
    """One digit for each tile, or empty where one of them is in doubt."""
    digits = ""
    for tile in tiles:
        seen: Counter[str] = Counter()
        for look in range(_LOOKS):
            text = engine.read_boxes(scene.pixels, [tile], margin=0.1 * (look // 2), other=look % 2 == 1)[0]
            shown = _STROKES.sub("", text.text).translate(_DIGITS)
            if text.score >= _FAIR and re.fullmatch(r"\d", shown):
                seen[shown] += 1
            if look == 1 and seen.total() == len(seen) * 2 == 2:
                break
        digit, count = seen.most_common(1)[0] if seen else ("", 0)
        if count < min(_AGREEING, look + 1) or len(seen) > 1:
            return ""
        digits += digit
    return digits


def _counts_up(digits: str) -> bool:
    """Pages to choose from, or keys."""
    return all(int(b) - int(a) == 1 for a, b in itertools.pairwise(digits))
