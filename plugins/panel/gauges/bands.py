"""Bands that are filled to the value, as instruments of the panel.

A value is said where the fill, the numbers of the band and, where one is printed in its middle, the value agree. Where
they do not, the numbers still belong to the instrument, so that nothing else takes them for values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Reading, Text
from plugins.panel.gauges.fills import Fill, Filled, filled_value, find_fill, has_pointer
from plugins.panel.gauges.numerals import Printed, printed_number
from plugins.panel.gauges.outlines import Ring
from plugins.panel.gauges.report import caption_of, rounded
from plugins.panel.gauges.wording import factor_of, name_of, named_unit, small_print, unit_for, units_of, value_in
from plugins.panel.geometry import centre, height, width
from plugins.panel.instruments import Instrument

__all__ = ["find_bands"]

Pixels = NDArray[np.uint8]
_FEW = 2
_REACH, _FURTHEST = 1.5, 2.2
"""What belongs to a band stands within this, in parts of its outer edge; in parts of a ring, which may be its inner."""
_LARGE = 1.2
"""A value in the middle is printed larger than the numbers of the band by this."""


def find_bands(pixels: Pixels, texts: Sequence[Text], rings: Sequence[Ring]) -> list[Instrument]:
    """Every band whose fill shows a value.

    :param pixels: height × width × 3, RGB, 8 bits.
    :param rings: of which an arc is seen.
    """
    found: list[Instrument] = []
    tried: list[Ring] = []
    for ring in rings:
        if any(_is_same(ring, other) for other in tried):
            continue
        seen = _near(texts, ring, _FURTHEST * ring.radius)
        if sum(printed_number(text.text) is not None for text in seen) < _FEW:
            continue
        fill = find_fill(pixels, ring)
        if fill is None or has_pointer(pixels, fill, ring):
            continue
        seen = _near(texts, ring, _REACH * fill.outer)
        filled = filled_value(fill, ring, seen)
        if filled is None:
            continue
        tried.append(ring)
        found.append(_instrument(fill, filled, ring, seen, texts))
    return found


def _instrument(fill: Fill, filled: Filled, ring: Ring, seen: Sequence[Printed], texts: Sequence[Text]) -> Instrument:
    area = _area(fill, ring)
    units = units_of(seen)
    label, label_unit = named_unit(
        name_of([t for t in seen if _is_inside(t, fill, ring)]) or caption_of(area, texts, area[3])
    )
    unit = unit_for([unit for unit, _ in units], None) if units else label_unit
    factor = factor_of(seen)
    other = _disagreeing(filled, fill, ring, seen)
    numbers = ", ".join(text.text for text in filled.members)
    why = f"band {numbers}; filled to {filled.value:.4g}"
    if other is not None:
        why = f"{why}; {other.text} is printed in it"
    value = None if other is not None else rounded(filled.value * factor, filled.uncertainty * factor)
    flags = (*(("no-value",) if value is None else ()), *(("unit-unsure",) if unit is None else ()))
    reading = Reading(
        label=label,
        value=value,
        unit=unit or "",
        kind="gauge",
        box=area,
        score=0.0 if value is None else 0.9,
        flags=flags,
        uncertainty=None if value is None else float(f"{filled.uncertainty * factor:.2g}"),
        read_by="geometry",
        why=why,
    )
    sources = {text.source for text in filled.members} | {text.source for text in small_print(seen)}
    return Instrument(reading, area, frozenset(sources))


def _disagreeing(filled: Filled, fill: Fill, ring: Ring, seen: Sequence[Printed]) -> Printed | None:
    """A value printed in the middle that the fill does not show."""
    tall = max(member.height for member in filled.members)
    for text in seen:
        value = value_in(text.text)
        if value is None or text in filled.members or text.height < _LARGE * tall or not _is_inside(text, fill, ring):
            continue
        if abs(value - filled.value) > 2 * filled.uncertainty + 0.01 * filled.span:
            return text
    return None


def _is_inside(text: Printed, fill: Fill, ring: Ring) -> bool:
    return math.hypot(text.x - ring.x, text.y - ring.y) < fill.inner


def _near(texts: Sequence[Text], ring: Ring, reach: float) -> list[Printed]:
    """The texts whose middles lie within a distance."""
    return [
        _printed(text, index)
        for index, text in enumerate(texts)
        if math.dist(centre(text.box), (ring.x, ring.y)) < reach
    ]


def _is_same(ring: Ring, other: Ring) -> bool:
    return math.hypot(ring.x - other.x, ring.y - other.y) < 0.5 * max(ring.radius, other.radius)


def _printed(text: Text, source: int) -> Printed:
    x, y = centre(text.box)
    return Printed(text.text, x, y, width(text.box), height(text.box), text.score, source)


def _area(fill: Fill, ring: Ring) -> Box:
    """What the band spans, its middle included."""
    angles = np.append(np.linspace(fill.start, fill.end, 60), fill.start)
    far = np.append(np.full(60, fill.outer), 0.0)
    x, y = ring.x + far * np.cos(angles), ring.y + far * np.sin(angles)
    return math.floor(max(0, x.min())), math.floor(max(0, y.min())), math.ceil(x.max()), math.ceil(y.max())
