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
from plugins.panel.displays.counters import read_counter
from plugins.panel.displays.judge import judge
from plugins.panel.displays.rows import Row, find_rows
from plugins.panel.displays.strips import HEIGHT, MARGIN, Strip, straighten
from plugins.panel.displays.votes import Vote, vote
from plugins.panel.geometry import centre, overlap_x, overlap_y
from plugins.panel.instruments import Instrument
from plugins.panel.texts.ocr import OcrEngine

__all__ = ["find_displays"]

Pixels = NDArray[np.uint8]

_WORDY = 0.9
"""A reader this sure of a word with letters that no display shows is believed."""
_ASKEW = 0.07
"""Digits whose tops or bottoms are off by more than this, in heights, are made straight once more."""
_NO_SEGMENTS = frozenset("KMVWXkmvwxRGTQDNgpqsz%@&")


@dataclass(frozen=True, slots=True)
class _Display:
    kind: str
    value: str | None
    unit: str
    """That the display itself spells."""
    box: Box
    score: float
    flags: tuple[str, ...]
    why: str
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
        rivals = [other for other in found if _covers(other.box, row.box) or _covers(row.box, other.box)]
        if _is_words(row.box, texts) or any(not other.flags for other in rivals):
            continue
        strip = straighten(pixels, row)
        if strip is None:
            continue
        seen = vote(strip)
        display = None
        if seen is None or not seen.sure_kind:
            display = _counted(pixels, row, strip, texts, engine)
        if display is None and seen is not None:
            display = _read(pixels, row, strip, seen, texts, engine)
        if display is not None and all(_rank(display) > _rank(other) for other in rivals):
            found = [other for other in found if other not in rivals]
            found.append(display)
    taken = frozenset(index for display in found for index in display.own)
    return tuple(_instrument(display, texts, taken) for display in sorted(found, key=lambda d: (d.box[1], d.box[0])))


def _rank(display: _Display) -> tuple[bool, bool, float]:
    """Of two that stand in one place, the higher one is told."""
    return not display.flags, display.value is not None, display.score


def _read(
    pixels: Pixels, row: Row, strip: Strip, seen: Vote, texts: Sequence[Text], engine: OcrEngine | None
) -> _Display | None:
    better = _followed(row, strip, seen.ways[0].best.cells)
    again = straighten(pixels, better) if better is not row else None
    seen_again = vote(again) if again is not None else None
    if again is not None and seen_again is not None and _digits_of(seen_again) >= _digits_of(seen):
        strip, seen = again, seen_again
    first = seen.ways[0].best.cells
    own = _texts_in(strip.box(first[0].left, MARGIN, first[-1].right, MARGIN + HEIGHT), texts)
    verdict = judge(seen, engine, _printed(own, texts))
    if verdict is None:
        return None
    cells = verdict.way.best.cells
    box = strip.box(cells[0].left, MARGIN, cells[-1].right, MARGIN + HEIGHT)
    flags, score = verdict.flags, verdict.score
    if verdict.value is not None and _is_clipped(box, pixels):
        flags, score = (*flags, "clipped"), min(score, 0.5)
    why = f"seven-segment display: {verdict.why}"
    return _Display("display", verdict.value, verdict.unit, _inside(box, pixels), score, flags, why, own)


def _counted(
    pixels: Pixels, row: Row, strip: Strip, texts: Sequence[Text], engine: OcrEngine | None
) -> _Display | None:
    if engine is None:
        return None
    own = _texts_in(row.box, texts)
    counter = read_counter(pixels, row, strip, engine, _printed(own, texts))
    if counter is None:
        return None
    own |= _texts_in(counter.box, texts)
    why = f"mechanical counter: {counter.why}"
    return _Display("counter", counter.value, "", _inside(counter.box, pixels), counter.score, counter.flags, why, own)


def _texts_in(box: Box, texts: Sequence[Text]) -> frozenset[int]:
    return frozenset(i for i, text in enumerate(texts) if _covers(_grown(box), text.box))


def _printed(own: frozenset[int], texts: Sequence[Text]) -> list[str]:
    """What the reader of the panel read there, as one run from the left."""
    run = "".join(texts[i].text for i in sorted(own, key=lambda i: texts[i].box[0]))
    return [run] if run else []


def _is_clipped(box: Box, pixels: Pixels) -> bool:
    """The edge of the photo cuts a digit, or stands where the next one would."""
    height, width = pixels.shape[:2]
    slack = 0.15 * (box[3] - box[1])
    return box[0] < slack or box[2] > width - slack or box[1] < -slack or box[3] > height + slack


def _inside(box: Box, pixels: Pixels) -> Box:
    height, width = pixels.shape[:2]
    left, top = min(max(0, box[0]), width - 1), min(max(0, box[1]), height - 1)
    return left, top, min(max(left + 1, box[2]), width), min(max(top + 1, box[3]), height)


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
    label, unit, named = caption_of(display.box, texts, taken)
    reading = Reading(
        label=label,
        value=display.value,
        unit=display.unit or unit,
        kind=display.kind,
        box=display.box,
        score=display.score,
        flags=display.flags if label else (*display.flags, "unlabelled"),
        read_by="segments" if display.kind == "display" else "text",
        why=display.why,
    )
    return Instrument(reading, display.box, display.own | named)


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
