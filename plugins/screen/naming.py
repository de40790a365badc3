"""From what was read to what can be used: texts get the frame they stand in, fields the label beside them.

A control that the screen itself speaks of is used only where its name is seen at its place too; where a screen speaks
(a browser), what it does not speak of can be read and not be used. Nothing is named by guess: a frame without a text,
and without a label beside it, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np

from agent.api import AlarmRow, Box, Perception, Reading, Text
from plugins.screen.likeness import likeness, plain
from plugins.screen.pictures import Pixels, Region, area, centre, grown, holds, overlap, union
from plugins.screen.values import Control, Role

__all__ = ["name_controls", "named_frames"]

_VALUE = re.compile(r"[-+−]?[\d.,:*#•●]+\s*([°℃℉%A-Za-zμΩ/³²·]{0,8})?|-{2,}|\*{2,}|[#.]{2,}")
_HIGHEST = 4.5
"""Of a button or field, in heights of its text."""
_WIDEST = 0.6
"""The same, in widths of the screen."""
_LINES = 2
_ITEM_PITCH = 1.45
"""From line to line, in heights of a line: further apart they are items of a menu."""
_NAME_GAP = 1.6
"""Between two texts of one name, in heights."""
_FIELD_HIGH = (14, 70)
_FIELD_WIDE = 30
_BOX_SIDE = (9, 40)
"""Of a checkbox, in pixels."""
_BOX_IN_TEXT = 0.55
"""Of the height of a text that is read with its box: what is smaller is a part of a character, as in 回."""
_TICKED = 0.08
_MARKS = "□☐☑■▢口囗圓回√✓✔×"
"""What a reader of print makes of a box with or without a tick."""
_BESIDE = 14.0
"""How far a label stands to the left of its field, in its own heights."""
_GREYED, _PLAIN = 62.0, 90.0
"""Contrast of a text to its ground, in grey levels: below it is greyed, above it can be used."""
_LIGHT = (255, 255, 255)
_USED: frozenset[Role] = frozenset({"button", "field", "tab", "menu", "item", "row", "checkbox", "switch", "link"})


def name_controls(
    pixels: Pixels,
    seen: Perception,
    regions: Sequence[Region],
    said: Sequence[Control],
    *,
    least_score: float,
    fields: Sequence[Box] = (),
    above: Box | None = None,
) -> tuple[Control, ...]:
    """What can be used or read, in reading order.

    :param pixels: of the whole screen.
    :param seen: what was read from them.
    :param regions: their rectangles, the smallest first.
    :param said: what the screen says itself; empty where it says nothing.
    :param fields: what was a field at the last look.
    :param above: the window on top; where it holds no controls it is a menu.
    """
    texts = [text for text in seen.texts if text.score >= least_score and plain(text.text)]
    framed, taken = _framed(pixels, seen, texts, regions, fields, above)
    ticks = [] if said else _checkboxes(pixels, texts, regions)
    loose = [
        Control(text.text.strip(), "text", text.box, score=text.score)
        for text in texts
        if id(text) not in taken and not any(overlap(tick.box, text.box) for tick in ticks)
    ]
    found = [*framed, *ticks, *_values(seen.readings, framed), *_lamps(seen), *_rows(seen.alarms), *loose]
    if said:
        agreed = [control for one in said if (control := _agreed(one, texts)) is not None]
        found = [*agreed, *(_only_seen(control) for control in found if not _is_one_of(control, agreed))]
    return tuple(sorted(found, key=lambda control: (control.box[1] // 16, control.box[0])))


def named_frames(regions: Sequence[Region], size: tuple[int, int]) -> tuple[Box, ...]:
    """Frames that may hold several things, the smallest first.

    :param size: of the screen.
    """
    whole = size[0] * size[1]
    return tuple(region.box for region in regions if 0.004 * whole <= area(region.box) < 0.9 * whole)


def _framed(
    pixels: Pixels,
    seen: Perception,
    texts: Sequence[Text],
    regions: Sequence[Region],
    fields: Sequence[Box],
    above: Box | None,
) -> tuple[list[Control], set[int]]:
    """Buttons and fields, and the texts that they are named by or hold."""
    regions = _with_fields(regions, fields)
    inside: dict[int, list[Text]] = {}
    for text in texts:
        home = next((n for n, region in enumerate(regions) if holds(region.box, centre(text.box))), None)
        if home is not None and (
            _fits(regions[home].box, text.box, pixels.shape[1]) or _is_all_of(regions[home].box, above)
        ):
            inside.setdefault(home, []).append(text)
    for number, region in enumerate(regions):  # empty fields
        if number not in inside and _is_field(region.box) and not _holds_any(region.box, texts, regions[:number]):
            inside[number] = []
    framed = {id(text) for number, mine in inside.items() if not _is_group(number, inside, regions) for text in mine}
    loose = [text for text in texts if id(text) not in framed]
    controls: list[Control] = []
    taken: set[int] = set()
    for number, mine in inside.items():
        region = regions[number]
        if _is_group(number, inside, regions):
            continue
        control = _field(region, mine, loose, seen.readings, fields)
        made = [control] if control else _buttons(pixels, region, mine, seen)
        controls += made
        taken |= {id(text) for text in mine} if made else set()
    return controls, taken


def _with_fields(regions: Sequence[Region], fields: Sequence[Box]) -> list[Region]:
    """With each field as it was, in place of the parts that a caret makes of it."""
    parts = [r for r in regions if not any(overlap(r.box, field) >= 0.8 * area(r.box) for field in fields)]
    whole = [
        Region(field, next((r.color for r in reversed(regions) if overlap(r.box, field) >= 0.8 * area(r.box)), _LIGHT))
        for field in fields
    ]
    return sorted([*parts, *whole], key=lambda region: area(region.box))


def _is_group(number: int, inside: Mapping[int, object], regions: Sequence[Region]) -> bool:
    """Whether a frame holds other controls."""
    return any(inner < number and holds(regions[number].box, centre(regions[inner].box)) for inner in inside)


def _is_all_of(box: Box, window: Box | None) -> bool:
    return window is not None and overlap(box, window) >= 0.8 * area(window)


def _fits(box: Box, text: Box, wide: int) -> bool:
    high = max(1, text[3] - text[1])
    return box[3] - box[1] <= _HIGHEST * high and box[2] - box[0] <= _WIDEST * wide


def _is_field(box: Box) -> bool:
    high = box[3] - box[1]
    return _FIELD_HIGH[0] <= high <= _FIELD_HIGH[1] and box[2] - box[0] >= max(_FIELD_WIDE, 1.5 * high)


def _holds_any(box: Box, texts: Sequence[Text], smaller: Sequence[Region]) -> bool:
    return any(overlap(box, text.box) for text in texts) or any(holds(box, centre(region.box)) for region in smaller)


def _field(
    region: Region, mine: Sequence[Text], texts: Sequence[Text], readings: Sequence[Reading], fields: Sequence[Box]
) -> Control | None:
    """A frame with a value in it, or nothing, and a label beside it; with words in it where it is light and long, or
    was a field before.
    """
    printed = _held(mine)
    label = _label_of(region.box, texts, mine)
    if printed and not _VALUE.fullmatch(printed):
        was_one = any(overlap(region.box, box) * 2 > area(region.box) for box in fields)
        if label is None or not (was_one or (_is_light(region) and _is_field(region.box))):
            return None
        return Control(_tidy(label.text), "field", region.box, value=printed, score=label.score)
    reading = next((r for r in readings if r.label and overlap(r.box, region.box) * 2 > area(r.box)), None)
    if reading is not None and printed:
        name = reading.label if label is None else _tidy(label.text)
        value = reading.value if reading.value is not None and plain(reading.value) in plain(printed) else printed
        return Control(name, "field", region.box, value=value, unit=reading.unit or _unit(region.box, texts))
    if label is None:
        return None
    return Control(
        _tidy(label.text), "field", region.box, value=printed, unit=_unit(region.box, texts), score=label.score
    )


def _buttons(pixels: Pixels, region: Region, mine: Sequence[Text], seen: Perception) -> list[Control]:
    """One, whose name may stand in two lines; or the items of a menu, one below the other."""
    lines = _lines(mine)
    if not lines or any(_is_wide(line) for line in lines):
        return []
    boxes = [union([text.box for text in line]) for line in lines]
    pitches = [(below[1] - above[1]) / max(1, above[3] - above[1]) for above, below in pairwise(boxes)]
    if pitches and min(pitches) > _ITEM_PITCH:
        return _items(pixels, region, lines, boxes)
    return [_button(pixels, region, mine, seen)] if len(lines) <= _LINES else []


def _items(pixels: Pixels, region: Region, lines: Sequence[Sequence[Text]], boxes: Sequence[Box]) -> list[Control]:
    """Lines of a menu, each as wide as it."""
    edges = [
        region.box[1],
        *((above[3] + below[1]) // 2 for above, below in pairwise(boxes)),
        region.box[3],
    ]
    return [
        Control(
            " ".join(text.text.strip() for text in line),
            "item",
            (region.box[0], top, region.box[2], bottom),
            enabled=_is_used(_contrast(pixels, box)),
            score=min(text.score for text in line),
        )
        for line, box, top, bottom in zip(lines, boxes, edges, edges[1:], strict=False)
    ]


def _lines(mine: Sequence[Text]) -> list[list[Text]]:
    """Texts by lines, from the top, each from the left."""
    lines: list[list[Text]] = []
    for text in sorted(mine, key=lambda text: centre(text.box)[1]):
        last = lines[-1][-1] if lines else None
        if last is not None and centre(text.box)[1] < last.box[3] - 0.25 * (last.box[3] - last.box[1]):
            lines[-1].append(text)
        else:
            lines.append([text])
    return [sorted(line, key=lambda text: text.box[0]) for line in lines]


def _is_wide(line: Sequence[Text]) -> bool:
    """Whether there is so much room between two texts of a line that they are two names."""
    return any(right.box[0] - left.box[2] > _NAME_GAP * (left.box[3] - left.box[1]) for left, right in pairwise(line))


def _is_used(contrast: float, told: str = "unsure") -> bool | None:
    """Whether what is printed with this contrast can be used; None where that cannot be told."""
    if told == "greyed" or contrast < _GREYED:
        return False
    return True if contrast > _PLAIN else None


def _button(pixels: Pixels, region: Region, mine: Sequence[Text], seen: Perception) -> Control:
    ordered = [text for line in _lines(mine) for text in line]
    name = " ".join(text.text.strip() for text in ordered)
    state = next((b.state for b in seen.buttons if overlap(b.box, region.box) * 2 > area(region.box)), "unsure")
    enabled = _is_used(_contrast(pixels, union([text.box for text in mine])), state)
    return Control(name, "button", region.box, enabled=enabled, score=min(text.score for text in mine))


def _label_of(box: Box, texts: Sequence[Text], mine: Sequence[Text]) -> Text | None:
    """The nearest text to the left on the same line; else one right above."""
    own = {id(text) for text in mine}
    others = [text for text in texts if id(text) not in own and not _VALUE.fullmatch(text.text.strip())]
    left = [
        text
        for text in others
        if box[1] <= centre(text.box)[1] < box[3]
        and 0 <= box[0] - text.box[2] + 4 <= _BESIDE * (text.box[3] - text.box[1])
    ]
    if left:
        return max(left, key=lambda text: text.box[2])
    above = [
        text
        for text in others
        if 0 <= box[1] - text.box[3] + 4 <= 1.5 * (text.box[3] - text.box[1])
        and overlap((box[0], 0, box[2], 1), (text.box[0], 0, text.box[2], 1)) > 0
        and abs(text.box[0] - box[0]) <= 2 * (text.box[3] - text.box[1])
    ]
    return max(above, key=lambda text: text.box[3], default=None)


def _unit(box: Box, texts: Sequence[Text]) -> str:
    """A short text right of a field, on its line."""
    right = [
        text
        for text in texts
        if box[1] <= centre(text.box)[1] < box[3]
        and 0 <= text.box[0] - box[2] + 4 <= 3 * (text.box[3] - text.box[1])
        and len(text.text.strip()) <= 8
    ]
    return min(right, key=lambda text: text.box[0]).text.strip() if right else ""


def _checkboxes(pixels: Pixels, texts: Sequence[Text], regions: Sequence[Region]) -> list[Control]:
    """Small squares with a text right of them."""
    found = []
    for region in regions:
        left, top, right, bottom = region.box
        high, wide = bottom - top, right - left
        if not (_BOX_SIDE[0] <= high <= _BOX_SIDE[1] and 0.75 <= wide / high <= 1.33):
            continue
        beside = [
            text
            for text in texts
            if top - high <= centre(text.box)[1] < bottom + high
            and abs(centre(text.box)[1] - centre(region.box)[1]) <= 0.6 * (text.box[3] - text.box[1])
            and left - high <= text.box[0] <= right + 2.5 * high
            and text.box[2] > right + high
            and (text.box[0] > centre(region.box)[0] or high > _BOX_IN_TEXT * (text.box[3] - text.box[1]))
        ]
        if beside:
            text = min(beside, key=lambda text: text.box[0])
            ink = np.abs(pixels[top:bottom, left:right].astype(int) - region.color).max(axis=2) > 60
            value = "on" if float(ink.mean()) > _TICKED else "off"
            name = text.text.strip().lstrip(_MARKS).strip()
            if name:
                found.append(Control(name, "checkbox", region.box, value=value, score=text.score))
    return found


def _values(readings: Iterable[Reading], framed: Sequence[Control]) -> list[Control]:
    fields = [control.box for control in framed if control.role == "field"]
    return [
        Control(reading.label, "value", reading.box, value=reading.value, unit=reading.unit, score=reading.score)
        for reading in readings
        if reading.label and not any(overlap(reading.box, box) * 2 > area(reading.box) for box in fields)
    ]


def _lamps(seen: Perception) -> list[Control]:
    lit: Mapping[str, str] = {"lit": "on", "unlit": "off"}
    return [
        Control(lamp.label, "lamp", lamp.box, value=f"{lamp.color} {lit.get(lamp.state, '')}".strip())
        for lamp in seen.lamps
        if lamp.label
    ]


def _rows(alarms: Iterable[AlarmRow]) -> list[Control]:
    return [
        Control(name, "row", row.box, value=row.roles.get("state"))
        for row in alarms
        if (name := " ".join(cell for cell in row.cells.values() if cell))
    ]


def _agreed(control: Control, texts: Sequence[Text]) -> Control | None:
    """A control that is said, where its name is seen in it, or beside it where it is a field or has a mark."""
    if control.role == "dialog":
        return None
    high = max(12, control.box[3] - control.box[1])
    around = control.box
    if control.role in ("field", "checkbox", "switch", "menu"):
        far = round(_BESIDE * min(high, 30))
        around = control.box[0] - far, control.box[1] - 2 * high, control.box[2] + far, control.box[3] + high // 2
    near = [text for text in texts if overlap(around, text.box) * 2 > area(text.box)]
    words = [text.text for text in near] + [" ".join(text.text for text in near)]
    if max((likeness((control.name,), word) for word in words), default=0.0) <= 0:
        return None
    if control.role != "field":
        return control
    held = _held([text for text in texts if holds(control.box, centre(text.box))])
    if control.value and plain(control.value) and not likeness((control.value,), held):
        return replace(control, value=None)  # what it says it holds is not what is seen
    masked = control.value or ""  # only signs that hide what was typed, which no reader reads
    return replace(control, value=held or masked, unit=control.unit or _unit(control.box, texts))


def _held(texts: Sequence[Text]) -> str:
    """What stands in a field, without the caret that is read as a bar."""
    return " ".join(text.text.strip() for text in texts).strip("|｜ ")


def _only_seen(control: Control) -> Control:
    """On a screen that speaks: what it does not speak of is read, and not used."""
    return replace(control, role="value" if control.role == "field" else "text") if control.role in _USED else control


def _is_one_of(control: Control, agreed: Sequence[Control]) -> bool:
    return any(
        overlap(control.box, one.box) * 2 > min(area(control.box), area(one.box)) and control.role != "lamp"
        for one in agreed
    )


def _contrast(pixels: Pixels, box: Box) -> float:
    """Of what is printed in a box to its ground, in grey levels."""
    left, top, right, bottom = grown(box, 0, (pixels.shape[1], pixels.shape[0]))
    part = pixels[top:bottom, left:right]
    if part.size == 0:
        return 0.0
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.percentile(np.abs(grey - np.median(grey)), 97))


def _is_light(region: Region) -> bool:
    return min(region.color) >= 235


def _tidy(text: str) -> str:
    return text.strip().rstrip(":：").strip()
