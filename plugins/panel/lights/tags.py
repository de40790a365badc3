"""Tags: words on a pale field of their own hue, as web screens show states, and sliding switches.

Ink, border and field of a tag share one hue, which is its state's. Plain buttons have an uncoloured field, or one that
is stronger than their ink. A switch is a pill with a disc at one end: at the right end on a coloured pill it is on.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np

from agent.api import Box, Lamp, Text
from plugins.panel.geometry import centre, height, overlap_x, overlap_y, width
from plugins.panel.lights.colors import SIGNALS, Color, color_name, difference, saturation
from plugins.panel.lights.fields import print_of
from plugins.panel.lights.marks import Mark, can_label, labels_for, tidy
from plugins.panel.lights.regions import Scene
from plugins.panel.lights.rows import name_in_row
from plugins.panel.lights.words import press_alone, says_state

__all__ = ["find_switches", "find_tags"]

_INK = 0.4
_PALE = (8, 60)
"""How far the channels of a tag's field are apart."""
_HUE = 0.07
"""How far the hues of ink and field are apart, in turns."""
_MIN_CLEAR = 4
_MAX_CHARS = 16
_MAX_HIGH = 2.2
"""A tag is at most this many text heights high."""
_GROUND = 0.15
"""Share of a text's box where its ground is seen."""
_SAME = 22
"""A pill differs from itself by less than this, and from the ground by more than half of it."""
_LONG, _SHORT = (0.7, 3.7), 0.62
"""How far a pill goes on beside its disc, in radii of the disc."""
_REACH = 12.0
"""How far the name of a switch may be, in its heights."""


def find_tags(scene: Scene, texts: Sequence[Text], skip: frozenset[int]) -> list[Lamp]:
    """Words on tags, with boxes in pixels of the scene; those in a table have the name of their row.

    :param skip: indices of texts that belong to tables, or name readings.
    """
    tags = [(text, tag) for text in texts if _can_be_on_tag(text) and (tag := _tag(scene, text)) is not None]
    lamps = []
    for text, (box, ink) in tags:
        name = color_name(ink)
        kin = {color_name(other) for _, (other_box, other) in tags if _one_kind(other_box, box)}
        label = name_in_row(text.box, texts, skip, text.text)
        if label is not None and (name in SIGNALS or says_state(text.text) or len(kin) > 1):
            lamps.append(Lamp(label, name, "lit", box))
    return lamps


def find_switches(scene: Scene, marks: Sequence[Mark], names: Sequence[Text]) -> list[Lamp]:
    """Sliding switches with their names; one whose colour and place disagree is `unsure`."""
    found: list[tuple[Box, Color, bool]] = []
    for mark in marks:
        pill = _pill(scene, mark) if mark.shape == "disc" and width(mark.box) >= 8 else None
        if pill is not None and not any(_meet(pill[0], other[0]) for other in found):
            found.append(pill)
    lamps = []
    for (box, color, right), label in zip(found, _names_of([box for box, _, _ in found], names), strict=True):
        colored = saturation(color) >= _INK
        if label:
            lamps.append(Lamp(label, color_name(color), ("unlit", "unsure", "lit")[colored + right], box))
    return lamps


def _can_be_on_tag(text: Text) -> bool:
    command = press_alone(text.text) and not says_state(text.text)
    return len(text.text.strip()) <= _MAX_CHARS and can_label(text) and not command


def _tag(scene: Scene, text: Text) -> tuple[Box, Color] | None:
    """The pale field that closely surrounds a text, and the colour of its print; a reader's box may be larger."""
    tall = height(text.box)
    by = tall // 5
    left, top, right, bottom = text.box
    inside = scene.labels[top + by : max(top + by + 1, bottom - by), left + by : max(left + by + 1, right - by)].ravel()
    counts = np.bincount(inside[inside > 0])
    if not counts.size or counts.max() < _GROUND * inside.size:
        return None
    region = scene.region(int(counts.argmax()))
    wide, high = width(region.box), height(region.box)
    close = 0.6 * width(text.box) <= wide <= width(text.box) + 3 * tall and 0.6 * tall <= high <= _MAX_HIGH * tall
    pale = _PALE[0] <= max(region.color) - min(region.color) <= _PALE[1]
    if not close or not pale or difference(region.color, scene.ring(region.box, 3)) < _MIN_CLEAR:
        return None
    ink = _ink(scene, text.box, region.color)
    return None if ink is None else (region.box, ink)


def _ink(scene: Scene, box: Box, ground: Color) -> Color | None:
    """The colour of a print, where that is the strong one of its ground's hue."""
    ink = print_of(scene, box, ground)
    if saturation(ink) < _INK or color_name(ink) in ("dark", "grey", "white"):
        return None
    hues = [colorsys.rgb_to_hsv(*(channel / 255 for channel in color))[0] for color in (ink, ground)]
    apart = abs(hues[0] - hues[1])
    return ink if min(apart, 1 - apart) <= _HUE else None


def _one_kind(a: Box, b: Box) -> bool:
    return abs(height(a) - height(b)) <= 2 and -overlap_x(a, b) < 20 * height(b) and -overlap_y(a, b) < 20 * height(b)


def _pill(scene: Scene, disc: Mark) -> tuple[Box, Color, bool] | None:
    """The pill around a disc, its colour, and whether the disc is at its right end."""
    x, y = (round(place) for place in centre(disc.box))
    radius = width(disc.box) / 2
    left, right = _goes_on(scene, (x, y), (-1, 0), radius), _goes_on(scene, (x, y), (1, 0), radius)
    up, down = _goes_on(scene, (x, y), (0, -1), radius), _goes_on(scene, (x, y), (0, 1), radius)
    if left is None or right is None or up is None or down is None:
        return None
    (far_left, color_left, _), (far_right, color_right, _) = left, right
    color, long, short = (
        (color_left, far_left, far_right) if far_left > far_right else (color_right, far_right, far_left)
    )
    tall = max(up[0], down[0])
    if not _LONG[0] * radius <= long <= _LONG[1] * radius or max(short, tall) > _SHORT * radius:
        return None
    ends = [end for _, _, end in (left, right, up, down)]
    if difference(color, disc.color) <= _SAME or max(difference(a, b) for a in ends for b in ends) > _SAME:
        return None
    by = round(radius + tall)
    return (x - round(radius) - far_left, y - by, x + round(radius) + far_right, y + by), color, far_left > far_right


def _goes_on(
    scene: Scene, middle: tuple[int, int], way: tuple[int, int], radius: float
) -> tuple[int, Color, Color] | None:
    """How far the colour beside a disc goes on in one direction, which it is and what follows; None at an edge."""
    high, wide = scene.pixels.shape[:2]
    first, last = round(radius + 2), round((2 + _LONG[1]) * radius)
    x, y = middle[0] + way[0] * last, middle[1] + way[1] * last
    if not (0 <= x < wide and 0 <= y < high) or last - first < 8:
        return None
    steps = np.arange(first, last)
    line = scene.pixels[middle[1] + way[1] * steps, middle[0] + way[0] * steps].astype(np.int16)
    ends = np.flatnonzero(np.abs(line - line[0]).max(axis=1) > _SAME)
    end = int(ends[0]) if len(ends) else 0
    color, after = (tuple(int(channel) for channel in line[place]) for place in (0, min(end + 3, len(line) - 1)))
    return end + 2, (color[0], color[1], color[2]), (after[0], after[1], after[2])


def _names_of(boxes: Sequence[Box], names: Sequence[Text]) -> list[str]:
    """The nearest name in the line of each switch, before it rather than behind, or else close by."""
    labels = labels_for(boxes, names, reach=1.0)
    found = []
    for box, label in zip(boxes, labels, strict=True):
        level = [name for name in names if overlap_y(name.box, box) > 0.5 * min(height(name.box), height(box))]
        before = [name for name in level if 0 <= box[0] - name.box[2] < _REACH * height(box)]
        near = max(before, key=lambda name: name.box[2], default=None)
        text = near if near is not None else names[label] if label is not None else None
        found.append(tidy(text.text) if text is not None else "")
    return found


def _meet(a: Box, b: Box) -> bool:
    return overlap_x(a, b) > 0 and overlap_y(a, b) > 0
