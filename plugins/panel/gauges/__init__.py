"""Analogue gauges: a dial, the numbers of its scale, the needle, a value ± what it may be off.

Order: places that may be dials → each cut out and enlarged → numbers (those already read, and a closer look where they
are too few) → pivot, scale, ticks, needle → value, or the reason why none is said. What is reported as a gauge has at
least three numbers around one pivot that rise clockwise; a value is said only where one line runs from there to them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Text
from plugins.panel.gauges.bands import find_bands
from plugins.panel.gauges.dial import MIN_SIDE_PX, Dial, find_dials
from plugins.panel.gauges.numerals import Printed, pieces_of, printed_number
from plugins.panel.gauges.outlines import find_shapes
from plugins.panel.gauges.reading import Measured, measure
from plugins.panel.gauges.report import area_of, instrument_of
from plugins.panel.gauges.strips import read_strip
from plugins.panel.geometry import centre, height, part_of, width
from plugins.panel.instruments import Instrument
from plugins.panel.texts.ocr import OcrEngine

__all__ = ["find_gauges"]

Pixels = NDArray[np.uint8]
_WORK_SIDE_PX = 560
"""Longest side that a dial is enlarged (or reduced) to."""
_CLOSER_SIDES_PX = (640, 960)
"""The same for closer looks at its texts, while too few are read."""
_MAX_ENLARGED = 4.0
_MIN_TICKS, _MIN_WEIGHT, _EVEN = 0.5, 2.8, 0.7
_ENOUGH = 4
"""Numbers that agree at the first look, from which on no closer one is needed."""


def find_gauges(pixels: Pixels, texts: Sequence[Text], engine: OcrEngine | None = None) -> tuple[Instrument, ...]:
    """Every analogue gauge on a panel.

    :param pixels: height × width × 3, RGB, 8 bits.
    :param texts: what was read on it; `Instrument.sources` are indices into these.
    :param engine: reads the numbers of small dials again; its last `read` is then of a part of the image.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    shapes = find_shapes(grey, MIN_SIDE_PX)
    found = find_bands(pixels, texts, shapes.rings)
    for dial in find_dials(grey, texts, shapes):
        if any(dial.middle is not None and _holds(band.area, dial.middle) for band in found):
            continue
        instrument = _look(pixels, texts, dial, engine)
        if instrument is not None and not any(_same(instrument.area, other.area) for other in found):
            found.append(instrument)
    return tuple(found)


def _look(pixels: Pixels, texts: Sequence[Text], dial: Dial, engine: OcrEngine | None) -> Instrument | None:
    """The gauge at a place, or None where there is none."""
    left, top, right, bottom = dial.box
    part = pixels[top:bottom, left:right]
    work, zoom = _enlarged(part, _WORK_SIDE_PX)
    middles = [((dial.middle[0] - left) * zoom, (dial.middle[1] - top) * zoom)] if dial.middle else []
    inside = [i for i, text in enumerate(texts) if _is_inside(text.box, dial.box)]
    seen = [printed for i in inside for printed in _printed(texts[i], i, left, top, zoom)]
    best = measure(work, seen, middles)
    if engine is not None and _is_wanting(best):
        middle = best.scale.pivot if best else next(iter(middles), None)
        sides = () if best is None and dial.is_open else _CLOSER_SIDES_PX
        for closer in _closer(work, part, zoom, engine, seen, middle, sides):
            more = _with(seen, closer)
            again = measure(work, more, middles)
            if again is not None and (best is None or again.merit > best.merit):
                best, seen = again, more
            if not _is_wanting(best):
                break
    if best is None or not _is_dial(best):
        return None
    area = area_of(best.scale, best.ticks, dial.box, zoom)
    around = best.scale.angles[-1] - best.scale.angles[0] > math.pi
    face = bottom if dial.middle is not None else area[1] + width(area) if around else area[3]
    return instrument_of(best, seen, area, texts, face)


def _is_wanting(measured: Measured | None) -> bool:
    """More of its numbers would help."""
    if measured is None or len(measured.scale.members) < _ENOUGH:
        return True
    return measured.value is None and measured.needle is not None and measured.scale.straight


def _closer(
    work: Pixels,
    part: Pixels,
    zoom: float,
    engine: OcrEngine,
    seen: Sequence[Printed],
    middle: tuple[float, float] | None,
    sides: Sequence[int],
) -> Iterator[list[Printed]]:
    """What closer looks read, the cheapest first."""
    if middle is not None:
        yield read_strip(work, seen, middle, engine)
    for side in sides:
        closer, ratio = _enlarged(part, side)
        yield [p for text in engine.read(closer) for p in _printed(text, -1, 0, 0, zoom / ratio)]


def _is_dial(measured: Measured) -> bool:
    """A ring of ticks or many numbers with a needle; less than that is a chart, a clock or a table."""
    ticks = measured.ticks
    ticked = ticks is not None and ticks.merit > _MIN_TICKS
    if measured.value is None:
        even = measured.needle is not None or (ticks is not None and ticks.evenness > _EVEN)
        return ticked and even and measured.scale.weight >= _MIN_WEIGHT
    return ticked or len(measured.scale.members) >= _ENOUGH


def _enlarged(part: Pixels, side: int) -> tuple[Pixels, float]:
    """A dial with its longest side at a length, and the factor."""
    ratio = min(_MAX_ENLARGED, side / max(part.shape[:2]))
    way = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
    size = (max(1, round(part.shape[1] * ratio)), max(1, round(part.shape[0] * ratio)))
    return cv2.resize(part, size, interpolation=way).astype(np.uint8), ratio


def _holds(area: Box, point: tuple[float, float]) -> bool:
    return area[0] <= point[0] < area[2] and area[1] <= point[1] < area[3]


def _is_inside(box: Box, area: Box) -> bool:
    return _holds(area, centre(box))


def _printed(text: Text, source: int, left: int, top: int, zoom: float) -> list[Printed]:
    """A text in pixels of the enlarged dial; numbers in one run are each one."""
    found = []
    for start, end in pieces_of(text.text):
        part = part_of(text.box, text.text, start, end)
        x, y = centre(part)
        wide, tall = width(part) * zoom, height(part) * zoom
        piece = text.text[start:end]
        found.append(Printed(piece, (x - left) * zoom, (y - top) * zoom, wide, tall, text.score, source))
    return found


def _with(seen: Sequence[Printed], closer: Sequence[Printed]) -> list[Printed]:
    """Both looks; where they agree, one text; where they differ, both are kept and the scale decides."""
    added = [
        new
        for new in closer
        if not any(
            math.hypot(new.x - old.x, new.y - old.y) < 0.5 * max(new.height, old.height)
            and (new.text == old.text or printed_number(new.text) == printed_number(old.text) is not None)
            for old in seen
        )
    ]
    return [*seen, *added]


def _same(a: Box, b: Box) -> bool:
    """One dial that was found twice."""
    return _is_inside((a[0], a[1], a[2], a[3]), b) or _is_inside(b, a)
