"""What was measured on a dial, as an instrument of the panel: unit, label, area, flags."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from agent.api import Box, Reading, Text
from plugins.panel.gauges.numerals import Printed, printed_number
from plugins.panel.gauges.polar import ring_radius
from plugins.panel.gauges.reading import Measured
from plugins.panel.gauges.scale import Scale
from plugins.panel.gauges.ticks import Ticks
from plugins.panel.gauges.wording import factor_of, name_of, named_unit, typed_units, unit_for, units_of, value_in
from plugins.panel.geometry import centre, height, width
from plugins.panel.instruments import Instrument

__all__ = ["area_of", "caption_of", "instrument_of", "rounded"]

_NEAR = 1.4
"""Words further from the pivot than this, in parts of the ring of numbers, are believed only where no other are."""


def instrument_of(measured: Measured, seen: Sequence[Printed], area: Box, texts: Sequence[Text]) -> Instrument:
    """The reading of a dial.

    :param seen: texts on and around the dial, in pixels of its picture.
    :param area: of the dial, in pixels of the image.
    :param texts: those of the image.
    """
    scale, value, flags, why = measured.scale, measured.value, measured.flags, measured.why
    ring = float(np.mean(scale.radii))
    near = [t for t in seen if math.dist((t.x, t.y), scale.pivot) < _NEAR * ring]
    label, label_unit = named_unit(name_of([t for t in near if _within(t, scale)]) or caption_of(area, texts))
    units = units_of(near) or units_of(seen) or typed_units(seen)
    unit = unit_for([unit for unit, _ in units], measured.second) if units else label_unit
    if unit is None:
        unit, flags = "", (*flags, "unit-unsure")
    if value is not None:
        other = _disagreeing(measured, seen)
        if other is not None:
            flags, why = (*flags, "needle-disagrees"), f"{why}; {other.text} is printed in the dial"
    factor = factor_of(near)
    uncertainty = measured.uncertainty * factor
    reading = Reading(
        label=label,
        value=None if value is None else rounded(value * factor, uncertainty),
        unit=unit,
        kind="gauge",
        box=area,
        score=_score(measured),
        flags=flags,
        uncertainty=None if value is None else float(f"{uncertainty:.2g}"),
        read_by="geometry",
        why=why,
    )
    sources = {t.source for t in seen if _is_of_scale(t, scale)} | {t.source for _, t in units if not t.source < 0}
    return Instrument(reading, area, frozenset(sources - {-1}))


def _within(text: Printed, scale: Scale) -> bool:
    return math.dist((text.x, text.y), scale.pivot) < 1.05 * float(np.mean(scale.radii))


def _is_of_scale(text: Printed, scale: Scale) -> bool:
    """A number on the ring, also one that was misread; what is printed in the gap below may be a value of its own."""
    if any(text is member.printed for member in scale.members):
        return True
    dx, dy = text.x - scale.pivot[0], text.y - scale.pivot[1]
    angle = (math.atan2(dy, dx) - scale.cut) % (2 * math.pi)
    on_ring = abs(math.hypot(dx, dy) / float(np.mean(scale.radii)) - 1) < 0.2
    between = scale.angles[0] - 0.2 < angle < scale.angles[-1] + 0.2
    return printed_number(text.text) is not None and on_ring and bool(between)


def _disagreeing(measured: Measured, seen: Sequence[Printed]) -> Printed | None:
    """A value printed large within the dial that the needle does not show; a class of accuracy is printed small."""
    scale = measured.scale
    ring, glyph = float(np.mean(scale.radii)), float(np.median([m.printed.height for m in scale.members]))
    for text in seen:
        value = value_in(text.text)
        inner = math.dist((text.x, text.y), scale.pivot) < 1.25 * ring and not _is_of_scale(text, scale)
        if value is None or measured.value is None or not inner or text.height < 0.9 * glyph:
            continue
        if abs(value - measured.value) > 2 * measured.uncertainty + 0.01 * scale.span:
            return text
    return None


def rounded(value: float, uncertainty: float) -> str:
    """With the decimals that the uncertainty leaves."""
    decimals = max(0, math.ceil(-math.log10(max(uncertainty, 1e-9) / 2)))
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _score(measured: Measured) -> float:
    """How likely the value is right: plain needles on scales that many numbers agree on are hardly ever wrong."""
    if measured.needle is None or measured.value is None:
        return 0.0
    needle = measured.needle.merit
    numbers = min(1.0, measured.scale.weight / 6)
    return round(0.4 + 0.35 * needle + 0.2 * numbers, 3)


def caption_of(area: Box, texts: Sequence[Text]) -> str:
    """The words right below or above the dial: the nearest, and of those the one that stands most in the middle."""
    near: list[tuple[float, str]] = []
    middle = centre(area)[0]
    for text in texts:
        gap = max(area[1] - text.box[3], text.box[1] - area[3])
        aside = max(0.0, text.box[0] - middle, middle - text.box[2])
        if -0.15 * height(area) <= gap <= 0.4 * height(area) and abs(centre(text.box)[0] - middle) < 0.35 * width(area):
            x, y = centre(text.box)
            name = name_of([Printed(text.text, x, y, width(text.box), height(text.box), text.score, -1)])
            if name:
                near.append((max(gap, 0) + 2 * aside, name))
    return min(near)[1] if near else ""


def area_of(scale: Scale, ticks: Ticks | None, place: Box, zoom: float) -> Box:
    """Pivot, numbers and ticks in pixels of the image, within the place that was looked at."""
    angles = np.linspace(scale.angles[0], scale.angles[-1], 40)
    reach = max(1.12, 1.05 * ticks.part if ticks else 1.0)
    far = ring_radius(scale, angles) * reach
    x = np.append(scale.pivot[0] + far * np.cos(angles + scale.cut), scale.pivot[0]) / zoom
    y = np.append(scale.pivot[1] + far * np.sin(angles + scale.cut), scale.pivot[1]) / zoom
    left, top, right, bottom = place
    return (
        min(right - 1, max(left, left + math.floor(x.min()))),
        min(bottom - 1, max(top, top + math.floor(y.min()))),
        max(left + 1, min(right, left + math.ceil(x.max()))),
        max(top + 1, min(bottom, top + math.ceil(y.max()))),
    )
