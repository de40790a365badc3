"""Reading the known fields of a panel: no text is looked for, every value is read twice.

A value that two looks read differently, that has lost or won a decimal, that lies where it cannot lie, or that is the
last one times ten or with the other sign carries a flag. A photo that does not show the panel has no readings.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Lamp, Perception, Photo, Reading, Text
from agent.perception import LABEL_FLAGS
from agent.settings import PanelSettings
from plugins.panel.bars.bars import find_bars
from plugins.panel.displays import find_displays
from plugins.panel.gauges import find_gauges
from plugins.panel.geometry import height, width
from plugins.panel.grammar import is_state, numbers_in, plain, tokens_of
from plugins.panel.instruments import Instrument
from plugins.panel.layouts.layout import in_reading_order
from plugins.panel.lights.lamps import color_name
from plugins.panel.profiles.align import aligned
from plugins.panel.profiles.profile import Field, KnownLamp, Profile
from plugins.panel.texts.ocr import OcrEngine

__all__ = ["read_known"]

_DOUBT = 0.5
_FIRST_MARGIN = 0.05
_AROUND = 0.35
"""What is looked at around an instrument, in parts of its longer side."""
_BRIGHTER, _DARKER = 1.35, 0.74
"""Brightness against when it was learnt, from which a lamp is taken to have changed."""
_STANDING = re.compile(r"(?<![A-Za-z0-9.,])[+-]?\d+(?:[.,]\d+)*")
"""A number that is no part of a unit such as m3."""
_ALIKE = 0.1
"""Two values are the same but for a lost point or sign where they differ by less than this share."""


def read_known(
    photo: Photo,
    profile: Profile,
    engine: OcrEngine,
    settings: PanelSettings,
    last: Mapping[str, float] | None = None,
) -> Perception:
    """Read the fields of a profile.

    :param last: label → value of the look before, for labels that occur once.
    :returns: boxes in pixels of the reference; `unread` says so where the photo does not show the panel.
    """
    started = time.perf_counter()
    view = aligned(profile, photo.pixels)
    if view is None:
        took = (time.perf_counter() - started) * 1000
        unread = f"the photo does not show the panel {profile.name}, or too little of it"
        return Perception((), (), (), (), photo.size, took, photo.digest, (), unread)
    printed = [field for field in profile.fields if field.kind == "printed"]
    boxes = [field.box for field in printed]
    first = engine.read_boxes(view, boxes, margin=_FIRST_MARGIN)
    second = engine.read_boxes(view, boxes, margin=settings.check_margin, other=True)
    readings = [
        _checked(field, _reading(field, one, two), last or {})
        for field, one, two in zip(printed, first, second, strict=True)
    ]
    readings += [_checked(f, _instrument(f, view, engine), last or {}) for f in profile.fields if f.kind != "printed"]
    lamps = tuple(_lamp(lamp, view, profile.reference) for lamp in profile.lamps)
    took = (time.perf_counter() - started) * 1000
    return Perception(tuple(first), tuple(readings), lamps, (), profile.size, took, photo.digest)


def _reading(field: Field, one: Text, two: Text) -> Reading:
    read, again = _value(one), _value(two)
    why = f"a known field; read as {one.text!r}, then as {two.text!r}"
    if read is None:
        return Reading(field.label, None, field.unit, field.kind, field.box, 0.0, ("no-value",), why=why)
    flags = () if read == again else ("disagrees",)
    score = one.score if read == again else min(one.score, _DOUBT)
    return Reading(field.label, read, field.unit, field.kind, field.box, score, flags, why=why)


def _instrument(field: Field, view: NDArray[np.uint8], engine: OcrEngine) -> Reading:
    """A dial, a bar or a display in its part of the view, found there as on any photo."""
    left, top, right, bottom = _around(field.box, view.shape)
    part = np.ascontiguousarray(view[top:bottom, left:right])
    texts = in_reading_order(engine.read(part))
    found = [item.reading for item in _FINDERS[field.kind](part, texts, engine)]
    of_kind = [reading for reading in found if reading.kind == field.kind]
    if len(of_kind) != 1:
        why = f"a known {field.kind}; {len(of_kind)} were found in its place"
        return Reading(field.label, None, field.unit, field.kind, field.box, 0.0, ("no-value",), why=why)
    flags = tuple(flag for flag in of_kind[0].flags if flag not in LABEL_FLAGS)
    return replace(of_kind[0], label=field.label, unit=field.unit, box=field.box, flags=flags)


def _bars(pixels: NDArray[np.uint8], texts: Sequence[Text], engine: OcrEngine) -> tuple[Instrument, ...]:
    return find_bars(pixels, texts)


_FINDERS: Mapping[str, Callable[..., tuple[Instrument, ...]]] = {
    "gauge": find_gauges,
    "display": find_displays,
    "counter": find_displays,
    "bar": _bars,
    "slider": _bars,
}


def _around(box: Box, shape: tuple[int, ...]) -> Box:
    """With its scale and unit, which stand around it."""
    more = round(_AROUND * max(height(box), width(box)))
    return (
        max(0, box[0] - more),
        max(0, box[1] - more),
        min(shape[1], box[2] + more),
        min(shape[0], box[3] + more),
    )


def _value(text: Text) -> str | None:
    """The one value in a text; None where there is none, or several."""
    if is_state(text.text):
        return plain(text.text).strip()
    line = plain(text.text)
    if len(_STANDING.findall(line)) > 1:
        return None
    values = [token.text for token in tokens_of(text, 0) if token.kind == "value"] or numbers_in(line)
    return values[0] if len(values) == 1 else None


def _checked(field: Field, reading: Reading, last: Mapping[str, float]) -> Reading:
    """Format, range and the value before."""
    number = reading.number
    if reading.value is None or field.decimals is None:
        return reading
    flags = list(reading.flags)
    if number is None or len(reading.value.partition(".")[2]) != field.decimals:
        flags.append("bad-format")
    if number is not None and not (_or(field.low, -math.inf) <= number <= _or(field.high, math.inf)):
        flags.append("out-of-range")
    before = last.get(field.label)
    if number is not None and before is not None and _jumped(number, before):
        flags.append("jumped")
    if tuple(flags) == reading.flags:
        return reading
    return replace(reading, flags=tuple(flags), score=min(reading.score, _DOUBT))


def _jumped(number: float, before: float) -> bool:
    """The same digits with the other sign, or ten or a hundred times as much or as little."""
    if not number or not before:
        return False
    ratio = number / before
    return any(abs(ratio / wrong - 1) < _ALIKE for wrong in (-1.0, 10.0, 100.0, 0.1, 0.01, -10.0, -0.1))


def _lamp(lamp: KnownLamp, view: NDArray[np.uint8], reference: NDArray[np.uint8]) -> Lamp:
    """Its colour now; lit or not only where its brightness says so against when it was learnt."""
    color, light = _look_of(view, lamp.box)
    before = float(np.percentile(_part(reference, lamp.box), 80))
    state = "unsure"
    if lamp.state == "lit":
        state = "unlit" if light < _DARKER * before else "lit"
    elif lamp.state == "unlit":
        state = "lit" if light > _BRIGHTER * before else "unlit"
    elif light > _BRIGHTER * before:
        state = "lit"
    return Lamp(lamp.label, color, state, lamp.box)


def _look_of(view: NDArray[np.uint8], box: Box) -> tuple[str, float]:
    """Name of the commonest colour in a box, and its brightness (80th percentile of grey, 0 to 255)."""
    part = _part(view, box)
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    colors, counts = np.unique((part // 32).reshape(-1, 3), axis=0, return_counts=True)
    kept = (part // 32 == colors[counts.argmax()]).all(axis=2)
    red, green, blue = (int(value) for value in np.median(part[kept], axis=0))
    return color_name((red, green, blue)), float(np.percentile(grey, 80))


def _part(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    return pixels[box[1] : box[3], box[0] : box[2]]


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
