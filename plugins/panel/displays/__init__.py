"""Seven-segment displays and mechanical counters.

Order: rows of strokes that may be digits → each made straight → decoded in several ways that vote → compared with a
text reader → named by what is printed beside. A row that is not clearly made of segments is none: printed numbers
belong to the rest of the parser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Reading, Text
from plugins.panel.displays.captions import caption_of
from plugins.panel.displays.cells import Cell
from plugins.panel.displays.judge import Verdict, judge
from plugins.panel.displays.rows import Row, find_rows
from plugins.panel.displays.strips import HEIGHT, MARGIN, Strip, straighten
from plugins.panel.displays.votes import Vote, vote
from plugins.panel.geometry import centre, overlap_x, overlap_y
from plugins.panel.instruments import Instrument
from plugins.panel.ocr import OcrEngine

__all__ = ["find_displays"]

Pixels = NDArray[np.uint8]

_WORDY = 0.9
"""A reader this sure of a word with letters that no display shows is believed."""
_ASKEW = 0.07
"""Digits whose tops or bottoms are off by more than this, in heights, are made straight once more."""
_NO_SEGMENTS = frozenset("KMVWXkmvwxRGTQDNgpqsz%@&")


@dataclass(frozen=True, slots=True)
class _Display:
    verdict: Verdict
    box: Box
    clipped: bool
    own: frozenset[int]
    """Texts that the reader of the panel made of its digits."""


def find_displays(pixels: Pixels, texts: Sequence[Text], engine: OcrEngine | None = None) -> tuple[Instrument, ...]:
    """Every display on a panel, from the top.

    :param pixels: height × width × 3, RGB, 8 bits.
    :param texts: what was read on it.
    :param engine: reads the straightened digits again; without it fewer values stand without a flag.
    """
    if min(pixels.shape[:2]) < HEIGHT // 4:
        return ()
    found: list[_Display] = []
    for row in find_rows(pixels):
        if _is_words(row.box, texts) or any(_covers(display.box, row.box) for display in found):
            continue
        display = _read(pixels, row, texts, engine)
        if display is not None:
            found.append(display)
    taken = frozenset(index for display in found for index in display.own)
    return tuple(_instrument(display, texts, taken) for display in sorted(found, key=lambda d: (d.box[1], d.box[0])))


def _read(pixels: Pixels, row: Row, texts: Sequence[Text], engine: OcrEngine | None) -> _Display | None:
    strip = straighten(pixels, row)
    seen = None if strip is None else vote(strip)
    if strip is None or seen is None:
        return None
    better = _followed(row, strip, seen.ways[0].best.cells)
    again = straighten(pixels, better) if better is not row else None
    seen_again = vote(again) if again is not None else None
    if again is not None and seen_again is not None and _digits_of(seen_again) >= _digits_of(seen):
        strip, seen = again, seen_again
    box = _bounds(strip, seen.ways[0].best.cells[0].left, seen.ways[0].best.cells[-1].right)
    own = frozenset(i for i, text in enumerate(texts) if _covers(_grown(box), text.box))
    printed = "".join(texts[i].text for i in sorted(own, key=lambda i: texts[i].box[0]))
    verdict = judge(seen, engine, [printed] if printed else [])
    if verdict is None:
        return None
    cells = verdict.way.best.cells
    box = _bounds(strip, cells[0].left, cells[-1].right)
    height, width = pixels.shape[:2]
    slack = 0.15 * (box[3] - box[1])
    clipped = box[0] < slack or box[2] > width - slack or box[1] < -slack or box[3] > height + slack
    inside = (max(0, box[0]), max(0, box[1]), min(width, box[2]), min(height, box[3]))
    return _Display(verdict, inside, clipped, own)


def _digits_of(seen: Vote) -> int:
    return len(seen.ways[0].best.cells)


def _followed(row: Row, strip: Strip, cells: Sequence[Cell]) -> Row:
    """The row as its digits stand, where they lie askew in the strip or reach beyond it; else the same row."""
    seen = [cell.seen for cell in cells if cell.seen is not None]
    off = [box[1] - MARGIN for box in seen] + [MARGIN + HEIGHT - box[3] for box in seen]
    askew = len(seen) >= 2 and max(map(abs, off)) > _ASKEW * HEIGHT
    beyond = bool(seen) and (seen[0][2] < strip.start or seen[-1][0] > strip.end)
    if not askew and not beyond:
        return row
    return Row(tuple(strip.box(*box) for box in seen), row.light)


def _instrument(display: _Display, texts: Sequence[Text], taken: frozenset[int]) -> Instrument:
    verdict = display.verdict
    label, unit, named = caption_of(display.box, texts, taken)
    flags = list(verdict.flags)
    if display.clipped and verdict.value is not None:
        flags.append("clipped")
    if not label:
        flags.append("unlabelled")
    reading = Reading(
        label=label,
        value=verdict.value,
        unit=verdict.unit or unit,
        kind="display",
        box=display.box,
        score=min(verdict.score, 0.5) if display.clipped else verdict.score,
        flags=tuple(flags),
        read_by="segments",
        why=f"seven-segment display: {verdict.why}",
    )
    return Instrument(reading, display.box, display.own | named)


def _bounds(strip: Strip, left: float, right: float) -> Box:
    return strip.box(left, MARGIN, right, MARGIN + HEIGHT)


def _is_words(box: Box, texts: Sequence[Text]) -> bool:
    """The reader of the panel is sure that words stand there."""
    return any(
        text.score >= _WORDY
        and (_NO_SEGMENTS & set(text.text) or any(ord(character) >= 0x2E80 for character in text.text))
        and _covers(_grown(text.box), box)
        for text in texts
    )


def _covers(outer: Box, inner: Box) -> bool:
    """Most of one box lies within another."""
    area = max(1, (inner[2] - inner[0]) * (inner[3] - inner[1]))
    shared = max(0, overlap_x(outer, inner)) * max(0, overlap_y(outer, inner))
    middle = centre(inner)
    return shared > 0.6 * area or (
        shared > 0.4 * area and outer[0] < middle[0] < outer[2] and outer[1] < middle[1] < outer[3]
    )


def _grown(box: Box) -> Box:
    more = (box[3] - box[1]) // 5
    return box[0] - more, box[1] - more, box[2] + more, box[3] + more
