"""What was measured on a dial, as an instrument of the panel: unit, label, area, flags."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from agent.api import Box, Reading, Text
from plugins.panel.gauges.numerals import Printed, printed_number
from plugins.panel.gauges.polar import ring_radius
from plugins.panel.gauges.reading import Measured
from plugins.panel.gauges.scale import Scale, value_at
from plugins.panel.gauges.ticks import Ticks
from plugins.panel.gauges.wording import (
    factor_of,
    name_of,
    named_unit,
    small_print,
    typed_units,
    unit_for,
    units_of,
    value_in,
)
from plugins.panel.geometry import centre, height, overlap_x, same_line, width
from plugins.panel.instruments import Instrument

__all__ = ["area_of", "caption_of", "instrument_of", "rounded"]

_NEAR = 1.4
"""Words further from the pivot than this, in parts of the ring of numbers, are believed only where no other are."""
_INSIDE, _AROUND, _LARGER = 0.85, 1.25, 1.2
"""A value in the dial stands within the ring, or near it in print that is larger than its numbers."""
_TAG = re.compile(r"[A-Z]{1,5}[-_ ]?\d{1,5}[A-Z]?")


def instrument_of(
    measured: Measured, seen: Sequence[Printed], area: Box, texts: Sequence[Text], bottom: int
) -> Instrument:
    """The reading of a dial.

    :param seen: texts on and around the dial, in pixels of its picture.
    :param area: of the dial, in pixels of the image.
    :param texts: those of the image.
    :param bottom: where its face ends, in pixels of the image.
    """
    scale, value, flags, why = measured.scale, measured.value, measured.flags, measured.why
    ring = float(np.mean(scale.radii))
    near = [t for t in seen if math.dist((t.x, t.y), scale.pivot) < _NEAR * ring]
    label, label_unit = named_unit(name_of([t for t in near if _within(t, scale)]) or caption_of(area, texts, bottom))
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
    own = {id(t) for _, t in units if value_in(t.text) is None} | {id(t) for t in small_print(near)}
    sources = {t.source for t in seen if _is_of_scale(t, scale) or id(t) in own}
    return Instrument(reading, area, frozenset(sources - {-1}))


def _within(text: Printed, scale: Scale) -> bool:
    return math.dist((text.x, text.y), scale.pivot) < 1.05 * float(np.mean(scale.radii))


def _is_of_scale(text: Printed, scale: Scale) -> bool:
    """A number on the ring, also one that was misread; what is printed in the gap below may be a value of its own."""
    if any(text is member.printed for member in scale.members):
        return True
    value = printed_number(text.text)
    dx, dy = text.x - scale.pivot[0], text.y - scale.pivot[1]
    if value is None or abs(math.hypot(dx, dy) / float(np.mean(scale.radii)) - 1) > 0.2:
        return False
    angle = (math.atan2(dy, dx) - scale.cut) % (2 * math.pi)
    if scale.angles[0] - 0.2 < angle < scale.angles[-1] + 0.2:
        return True
    # Beyond the numbers that agree, one that goes on from them is one of theirs.
    step = float(np.diff(scale.values).min())
    return any(abs(value - value_at(scale, at)) < 0.6 * step for at in (angle, angle - 2 * math.pi))


def _disagreeing(measured: Measured, seen: Sequence[Printed]) -> Printed | None:
    """A value printed large within the dial that the needle does not show; a class of accuracy is printed small."""
    scale = measured.scale
    ring, glyph = float(np.mean(scale.radii)), float(np.median([m.printed.height for m in scale.members]))
    for text in seen:
        value = value_in(text.text)
        away = math.dist((text.x, text.y), scale.pivot) / ring
        # Beside the ring stand numbers of other dials too, but none in larger print.
        is_own = text.height >= (0.9 if away < _INSIDE else _LARGER) * glyph and away < _AROUND
        if value is None or measured.value is None or not is_own or _is_of_scale(text, scale):
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


def caption_of(area: Box, texts: Sequence[Text], bottom: int) -> str:
    """The words right below or above an instrument: the nearest, and of those the one that stands most in the middle.

    :param bottom: where the instrument ends, empty space below its numbers included.
    """
    near: list[tuple[float, str]] = []
    middle = centre(area)[0]
    for text in texts:
        line = _whole_line(text, texts)
        left, right = line[0].box[0], line[-1].box[2]
        above, below = area[1] - text.box[3], text.box[1] - area[3]
        least = -0.15 * height(area)
        gap = above if above >= least else _under(text, area, bottom) if below >= least else math.inf
        aside = max(0.0, left - middle, middle - right)
        if gap > 0.4 * width(area) or abs((left + right) / 2 - middle) > 0.35 * width(area):
            continue
        x, y = centre(text.box)
        words = " ".join(part.text.strip() for part in line)
        printed = Printed(words, x, y, right - left, height(text.box), min(part.score for part in line), -1)
        name = name_of([printed], apart=True) or (words if _TAG.fullmatch(words) else "")
        if name:
            near.append((max(gap, 0) + 2 * aside, name))
    return min(near)[1] if near else ""


def _under(text: Text, area: Box, bottom: int) -> float:
    """How far below an instrument a text stands; in the empty space of the instrument it hardly counts."""
    return max(0, text.box[1] - bottom) + 0.05 * max(0, text.box[1] - area[3])


def _whole_line(text: Text, texts: Sequence[Text]) -> list[Text]:
    """A text with the words beside it that were read apart from it."""
    line = [text]
    for other in sorted((t for t in texts if t is not text and same_line(t.box, text.box)), key=lambda t: t.box[0]):
        tall = height(text.box)
        if 0.7 < height(other.box) / tall < 1.4 and any(-overlap_x(other.box, part.box) < 0.6 * tall for part in line):
            line.append(other)
    return sorted(line, key=lambda part: part.box[0])


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
