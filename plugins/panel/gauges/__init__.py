"""Analogue gauges: a dial, the numbers of its scale, the needle, a value ± what it may be off.

Order: places that may be dials → each cut out and enlarged → numbers (those already read, and a closer look where they
are too few) → pivot, scale, ticks, needle → value, or the reason why none is said. What is reported as a gauge has at
least three numbers around one pivot that rise clockwise; a value is said only where one line runs from there to them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Reading, Text
from plugins.panel.gauges.dial import Dial, find_dials
from plugins.panel.gauges.numerals import Printed, name_of, pieces_of, printed_number, unit_of
from plugins.panel.gauges.polar import ring_radius
from plugins.panel.gauges.reading import Measured, measure
from plugins.panel.geometry import centre, height, part_of, width
from plugins.panel.instruments import Instrument
from plugins.panel.ocr import OcrEngine

__all__ = ["find_gauges"]

Pixels = NDArray[np.uint8]
_WORK_SIDE_PX = 560
"""Longest side that a dial is enlarged (or reduced) to."""
_CLOSER_SIDES_PX = (640, 960)
"""The same for closer looks at its texts, while too few are read."""
_MAX_ENLARGED = 4.0
_MIN_TICKS, _MIN_WEIGHT = 6, 2.8
_ENOUGH = 4
"""Numbers that agree at the first look, from which on no closer one is needed."""


def find_gauges(pixels: Pixels, texts: Sequence[Text], engine: OcrEngine | None = None) -> tuple[Instrument, ...]:
    """Every analogue gauge on a panel.

    :param pixels: height × width × 3, RGB, 8 bits.
    :param texts: what was read on it; `Instrument.sources` are indices into these.
    :param engine: reads the numbers of small dials again; its last `read` is then of a part of the image.
    """
    found: list[Instrument] = []
    for dial in find_dials(pixels, texts):
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
    for side in _CLOSER_SIDES_PX:
        if engine is None or (best is not None and len(best.scale.members) >= _ENOUGH):
            break
        closer, ratio = _enlarged(part, side)
        seen = _with(seen, [p for text in engine.read(closer) for p in _printed(text, -1, 0, 0, zoom / ratio)])
        again = measure(work, seen, middles)
        if again is not None and (best is None or again.merit > best.merit):
            best = again
    return None if best is None or not _is_dial(best) else _instrument(best, seen, _area(best, dial, zoom), texts)


def _is_dial(measured: Measured) -> bool:
    """A ring of ticks or many numbers with a needle; less than that is a chart, a clock or a table."""
    ticks = measured.ticks
    ticked = ticks is not None and ticks.strength > 0.6 and ticks.count >= _MIN_TICKS
    if measured.value is None:
        return ticked and measured.scale.weight >= _MIN_WEIGHT
    return ticked or len(measured.scale.members) >= _ENOUGH


def _enlarged(part: Pixels, side: int) -> tuple[Pixels, float]:
    """A dial with its longest side at a length, and the factor."""
    ratio = min(_MAX_ENLARGED, side / max(part.shape[:2]))
    way = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
    size = (max(1, round(part.shape[1] * ratio)), max(1, round(part.shape[0] * ratio)))
    return cv2.resize(part, size, interpolation=way).astype(np.uint8), ratio


def _is_inside(box: Box, area: Box) -> bool:
    x, y = centre(box)
    return area[0] <= x < area[2] and area[1] <= y < area[3]


def _printed(text: Text, source: int, left: int, top: int, zoom: float) -> list[Printed]:
    """A text in pixels of the enlarged dial; numbers in one run are each one."""
    found = []
    for start, end in pieces_of(text.text):
        x, y = centre(part_of(text.box, text.text, start, end))
        tall = height(text.box) * zoom
        found.append(Printed(text.text[start:end], (x - left) * zoom, (y - top) * zoom, tall, text.score, source))
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


def _instrument(measured: Measured, seen: Sequence[Printed], box: Box, texts: Sequence[Text]) -> Instrument:
    """What was measured, as a reading of the panel."""
    unit, factor, unit_text = unit_of(seen)
    members = {n.printed for n in measured.scale.members}
    sources = {p.source for p in members} | {unit_text.source if unit_text else -1}
    # Numbers that the scale did not need still belong to its ring.
    ring = float(np.mean(measured.scale.radii))
    heights = [n.printed.height for n in measured.scale.members]
    for text in seen:
        far = math.dist((text.x, text.y), measured.scale.pivot)
        if printed_number(text.text) is not None and abs(far - ring) < 0.25 * ring:
            sources.add(text.source)
    flags, why = measured.flags, measured.why
    value = measured.value
    if value is not None:
        other = _disagreeing(measured, seen, float(np.median(heights)))
        if other is not None:
            flags, why = (*flags, "needle-disagrees"), f"{why}; {other.text} is printed in the dial"
    uncertainty = measured.uncertainty * factor
    shown = None if value is None else _rounded(value * factor, uncertainty)
    score = 0.0 if measured.needle is None or value is None else _score(measured)
    within = [t for t in seen if math.dist((t.x, t.y), measured.scale.pivot) < 1.05 * ring]
    label = name_of(within) or _caption(box, texts)
    reading = Reading(
        label, shown, unit, "gauge", box, score, flags,
        uncertainty=None if value is None else float(f"{uncertainty:.2g}"), read_by="geometry", why=why,
    )  # fmt: skip
    return Instrument(reading, box, frozenset(sources - {-1}))


def _disagreeing(measured: Measured, seen: Sequence[Printed], glyph: float) -> Printed | None:
    """A value printed large inside of the ring that the needle does not show; a class of accuracy is printed small."""
    ring, pivot = float(np.mean(measured.scale.radii)), measured.scale.pivot
    members = {n.printed for n in measured.scale.members}
    for text in seen:
        value = printed_number(text.text)
        inner = math.dist((text.x, text.y), pivot) < 0.7 * ring and text.y > pivot[1]
        if value is None or text in members or not inner or text.height < glyph or measured.value is None:
            continue
        if abs(value - measured.value) > 2 * measured.uncertainty + 0.01 * measured.scale.span:
            return text
    return None


def _rounded(value: float, uncertainty: float) -> str:
    """With the decimals that the uncertainty leaves."""
    decimals = max(0, math.ceil(-math.log10(max(uncertainty, 1e-9) / 2)))
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _score(measured: Measured) -> float:
    """How likely the value is right: plain needles on scales that many numbers agree on are hardly ever wrong."""
    needle = measured.needle.merit if measured.needle else 0.0
    numbers = min(1.0, measured.scale.weight / 6)
    return round(0.4 + 0.35 * needle + 0.2 * numbers, 3)


def _caption(area: Box, texts: Sequence[Text]) -> str:
    """The words right below or above the dial: the nearest, and of those the one that stands most in the middle."""
    near: list[tuple[float, str]] = []
    middle = centre(area)[0]
    for text in texts:
        gap = max(area[1] - text.box[3], text.box[1] - area[3])
        aside = abs(centre(text.box)[0] - middle)
        if -0.15 * height(area) <= gap <= 0.4 * height(area) and aside < 0.35 * width(area):
            name = name_of(_printed(text, -1, 0, 0, 1.0))
            if name:
                near.append((max(gap, 0) + aside, name))
    return min(near)[1] if near else ""


def _area(measured: Measured, dial: Dial, zoom: float) -> Box:
    """Pivot, numbers and ticks, within the place that was looked at."""
    scale = measured.scale
    angles = np.linspace(scale.angles[0], scale.angles[-1], 40)
    reach = max(1.12, 1.05 * measured.ticks.part if measured.ticks else 1.0)
    far = ring_radius(scale, angles) * reach
    x = np.append(scale.pivot[0] + far * np.cos(angles + scale.cut), scale.pivot[0]) / zoom
    y = np.append(scale.pivot[1] + far * np.sin(angles + scale.cut), scale.pivot[1]) / zoom
    left, top, right, bottom = dial.box
    return (
        min(right - 1, max(left, left + math.floor(x.min()))),
        min(bottom - 1, max(top, top + math.floor(y.min()))),
        max(left + 1, min(right, left + math.ceil(x.max()))),
        max(top + 1, min(bottom, top + math.ceil(y.max()))),
    )


def _same(a: Box, b: Box) -> bool:
    """One dial that was found twice."""
    return _is_inside((a[0], a[1], a[2], a[3]), b) or _is_inside(b, a)
