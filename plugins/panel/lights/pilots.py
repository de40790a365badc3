"""Round pilot lamps and stack lights on screens, and badges that count notifications.

A coloured disc with a name beside it is a lamp, a grey one where its name or its siblings say so. A disc whose colour
draws a curve or bars elsewhere belongs to the legend of a chart.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from agent.api import Box, Lamp, Text
from plugins.panel.geometry import centre, height, overlap_x, overlap_y, width
from plugins.panel.lights.colors import SIGNALS, bright, difference, saturation
from plugins.panel.lights.marks import Mark, labels_for, same_size, tidy
from plugins.panel.lights.regions import Scene
from plugins.panel.lights.words import names_equipment, says_state

__all__ = ["find_badges", "find_pilots", "find_stacks", "in_legend", "state_of"]

_STRONG = 0.4
_DARKER = 60
_DIM = 120
"""A lamp at rest beside a lit one of another colour is darker than this."""
_LEGEND = 3.0
"""A colour that fills this many times the area of its discs elsewhere is that of a curve or of bars."""
_LEGEND_SIDE = 1.4
"""A mark of a legend is smaller than this many heights of its text."""
_BULLET = 1.2
"""A disc that is at most this high, in text heights, is read with the text right of it."""
_MAX_SQUARE = 1.8
"""A square that is higher than this, in heights of its name, is an icon, but for three or more in a row."""
_ROW = 2
_COVERED = 0.6
"""Share of its box that a large lamp fills; an icon has more drawn on it."""
_MIN_SIDE = 10
_LEGEND_SAME = 24
_MIN_PART, _MAX_PART = 0.55, 3.5
"""Size of a lamp, in heights of its name."""
_STEP = 3
_PALE, _WHITE = 0.22, 235
"""A white lamp that shines has at least this much of every colour."""
_PLAIN = 0.7
"""Share of its box that a disc without anything on it fills."""
_MAX_BADGE = 2.2
"""Side of a badge, in text heights."""


def find_pilots(scene: Scene, marks: Sequence[Mark], names: Sequence[Text]) -> list[Lamp]:
    """Round lamps with their names.

    :param names: texts that can name a lamp, with boxes in pixels of the scene.
    """
    discs = [mark for mark in marks if min(width(mark.box), height(mark.box)) >= _MIN_SIDE and _is_spot(mark)]
    named = [(disc, names[i]) for disc, i in zip(discs, _labels(discs, names), strict=True) if i is not None]
    named = [(disc, name) for disc, name in named if not _holds(disc, name)]
    lamps = []
    for disc, name in named:
        kin = [other for other, _ in named if other is not disc and same_size(other.box, disc.box)]
        if _is_lamp(disc, name, kin) and not in_legend(scene, disc, name, named, marks):
            lamps.append(Lamp(tidy(name.text), disc.name, state_of(disc, kin), disc.box))
    return lamps


def find_badges(marks: Sequence[Mark], texts: Sequence[Text]) -> list[Lamp]:
    """Small red or amber discs with a count on them: so many notifications wait."""
    counts = [text for text in texts if text.text.strip().isdigit() and len(text.text.strip()) <= 3]
    lamps = []
    for mark in marks:
        if mark.name not in ("red", "amber", "magenta") or mark.shape == "block" or saturation(mark.color) < 0.6:
            continue
        for text in counts:
            if _holds(mark, text) and width(mark.box) <= _MAX_BADGE * height(text.box):
                lamps.append(Lamp(f"notification badge {text.text.strip()}", mark.name, "lit", mark.box))
                break
    return lamps


def find_stacks(marks: Sequence[Mark], names: Sequence[Text]) -> list[Lamp]:
    """Segments of stack lights: blocks of one width on top of each other, each with a signal colour of its own."""
    blocks = [m for m in marks if m.shape == "block" and (m.name in SIGNALS or m.name == "blue")]
    lamps: list[Lamp] = []
    for stack in _columns([mark for mark in blocks if saturation(mark.color) >= _STRONG]):
        if len({mark.name for mark in stack}) != len(stack) or len(stack) < 2 or stack[0].name not in ("red", "amber"):
            continue
        whole = (stack[0].box[0], stack[0].box[1], stack[0].box[2], stack[-1].box[3])
        (label,) = labels_for([whole], names)
        top = max(max(mark.color) for mark in stack)
        for mark in stack:
            state = "lit" if bright(mark.color) and max(mark.color) >= top - _DARKER else "unlit"
            lamps.append(Lamp(names[label].text.strip() if label is not None else "", mark.name, state, mark.box))
    return lamps


def _is_spot(mark: Mark) -> bool:
    return mark.shape == "disc" or (mark.shape == "block" and 0.75 <= width(mark.box) / height(mark.box) <= 1.34)


def _labels(discs: Sequence[Mark], names: Sequence[Text]) -> list[int | None]:
    """A bullet has its text on the right; a lamp on any side."""
    labels = labels_for([disc.box for disc in discs], names)
    for n, disc in enumerate(discs):
        for i, name in enumerate(names):
            gap = name.box[0] - disc.box[2]
            small = height(disc.box) <= _BULLET * height(name.box)
            level = abs(centre(name.box)[1] - centre(disc.box)[1]) < 0.4 * height(name.box)
            if small and level and -0.3 * height(disc.box) <= gap <= height(disc.box):
                labels[n] = i
    return labels


def _columns(blocks: Sequence[Mark]) -> list[list[Mark]]:
    columns: list[list[Mark]] = []
    for block in sorted(blocks, key=lambda mark: mark.box[1]):
        for column in columns:
            last = column[-1].box
            gap = block.box[1] - last[3]
            level = overlap_x(last, block.box) > 0.85 * max(width(last), width(block.box))
            if level and -2 <= gap <= 0.4 * height(last) and 0.6 <= height(block.box) / height(last) <= 1.6:
                column.append(block)
                break
        else:
            columns.append([block])
    return columns


def _is_lamp(disc: Mark, name: Text, kin: Sequence[Mark]) -> bool:
    strong = saturation(disc.color) >= _STRONG
    if not _MIN_PART * height(name.box) <= height(disc.box) <= _MAX_PART * height(name.box):
        return False
    if disc.shape == "block":
        row = [k for k in kin if k.shape == "block" and _in_line(k.box, disc.box)]
        stated = says_state(name.text) or len({disc.name, *(k.name for k in row)}) > 1
        if height(disc.box) > _MAX_SQUARE * height(name.box) and (len(row) < _ROW or not stated):
            return False
        beside = [k for k in kin if k.shape == "block" and _in_line(k.box, disc.box) and saturation(k.color) >= _STRONG]
        signal = disc.name in SIGNALS and strong
        return (signal or disc.name in ("grey", "dark")) and any(k.name in SIGNALS for k in beside)
    if strong and disc.name in SIGNALS:
        return height(disc.box) <= 2 * height(name.box) or disc.area >= _COVERED * width(disc.box) * height(disc.box)
    level = [k for k in kin if overlap_x(k.box, disc.box) > 0 or overlap_y(k.box, disc.box) > 0]
    varied = any(saturation(other.color) >= _STRONG and other.name != disc.name for other in level)
    plain = disc.area >= _PLAIN * width(disc.box) * height(disc.box)
    return plain and width(disc.box) >= max(12.0, 0.6 * height(name.box)) and (varied or says_state(name.text))


def _in_line(a: Box, b: Box) -> bool:
    """In one row or column, a few sizes apart."""
    across, down = overlap_x(a, b), overlap_y(a, b)
    return (down > 0.7 * height(b) and -across < 9 * width(b)) or (across > 0.7 * width(b) and -down < 9 * height(b))


def state_of(disc: Mark, kin: Sequence[Mark]) -> str:
    """By its brightness, and that of others of its size; a dark one without a brighter one is `unsure`.

    :param kin: others of its size.
    """
    colored = any(saturation(k.color) >= _STRONG for k in kin)
    if saturation(disc.color) < _PALE:
        shines = min(disc.color) >= _WHITE
        return "lit" if shines and colored else "unsure" if disc.name == "white" else "unlit"
    if bright(disc.color):
        return "lit"
    lighter = [k for k in kin if saturation(k.color) >= _STRONG and max(k.color) - max(disc.color) > _DARKER]
    return "unlit" if any(k.name == disc.name or max(disc.color) < _DIM for k in lighter) else "unsure"


def in_legend(scene: Scene, disc: Mark, name: Text, named: Sequence[tuple[Mark, Text]], marks: Sequence[Mark]) -> bool:
    """It stands left of a text, small, and most of its colour is elsewhere, or its row explains colours."""
    if centre(name.box)[0] < disc.box[2] or height(disc.box) > _LEGEND_SIDE * height(name.box):
        return False
    strong = [mark for mark in marks if saturation(mark.color) >= _STRONG and same_size(mark.box, disc.box)]
    row = [mark for mark in strong if overlap_y(mark.box, disc.box) > 0.6 * height(disc.box)]
    words = [text for mark, text in named if overlap_y(mark.box, disc.box) > 0.6 * height(disc.box)]
    told = any(says_state(text.text) or names_equipment(text.text) for text in (*words, name))
    if len(row) >= 2 and len({mark.name for mark in row}) == len(row) and not told:
        return True
    if len(row) >= 3 and len({mark.name for mark in row}) == len(row):
        return True
    low, high = (tuple(channel + away for channel in disc.color) for away in (-_LEGEND_SAME, _LEGEND_SAME))
    close = cv2.countNonZero(cv2.inRange(scene.pixels[::_STEP, ::_STEP], low, high))
    own = sum(mark.area for mark, _ in named if difference(mark.color, disc.color) <= 12)
    return bool(close * _STEP**2 > (1 + _LEGEND) * own)


def _holds(mark: Mark, text: Text) -> bool:
    x, y = centre(text.box)
    return mark.box[0] <= x <= mark.box[2] and mark.box[1] <= y <= mark.box[3]
