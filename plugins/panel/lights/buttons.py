"""Buttons: words in the middle of a field of their own or over a coloured edge, and words that ask to be pressed.

A field is a button where its text stands in its middle and is no value, no cell of a table, no lamp and no heading.
An outline alone is one where a filled button of its size stands in the same row or column. Greyed is a button whose
text hardly stands out from its field, less than those of its siblings do.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from agent.api import Box, Button, Text
from plugins.panel.geometry import centre, height, overlap_x, overlap_y, width
from plugins.panel.grammar import is_clock, is_moment, tokens_of
from plugins.panel.lights.colors import Pixels, difference, saturation
from plugins.panel.lights.fields import Field, alike, print_of
from plugins.panel.lights.lit_fields import is_signal
from plugins.panel.lights.marks import Mark, can_label, labels_for, tidy
from plugins.panel.lights.regions import Scene, scene_of
from plugins.panel.lights.sights import Sight, sight_of
from plugins.panel.lights.words import press_alone, says_press, says_state, state_said

__all__ = ["find_buttons"]

_MAX_CHARS = 24
_CENTRED = 0.24
"""How far the middle of the text may be from that of its field, in parts of the field's size."""
_WIDE, _WIDE_CENTRED = 2.2, 0.08
"""In a field so many times wider than its text, which may be an entry of a list, the text is exactly in the middle."""
_HIGH = (0.9, 4.6)
"""Height of a button, in text heights; a reader's box may be a little higher than the button."""
_RECTANGULAR = 0.8
_DISTINCT = 12
_FAINT = 70
"""Ink that differs less than this from its field hardly stands out."""
_SIBLING = 0.62
"""Ink that stands out less than this part of what its siblings' does is greyed."""
_EQUAL = 0.06
"""Tabs of a bar are equally wide."""
_BLANK = 14
"""Shorter side of a blank button, in pixels."""
_WIDER = 1.2
"""A blank button is wider than high."""
_ROW = 8.0
"""How far apart commands of one row stand, in text heights."""
_CELLS = 3
"""So many fields of one size that touch are cells of a table or rows of a list."""
_EDGE_HIGH, _EDGE_LONG = 9, 24
"""A coloured edge is at most so thick and at least so long, in pixels."""
_EDGE_BELOW = 6.0
"""How far below its text a coloured edge may be, in text heights."""


def find_buttons(
    pixels: Pixels,
    texts: Sequence[Text],
    *,
    skip: frozenset[int] = frozenset(),
    named: frozenset[int] = frozenset(),
    sight: Sight | None = None,
) -> tuple[Button, ...]:
    """Buttons, from the top.

    :param pixels: height × width × 3, RGB, at least one pixel.
    :param skip: indices of texts that belong to tables.
    :param named: indices of texts that name a reading, such as `Load`.
    :param sight: of these pixels and texts, where it is at hand.
    """
    sight = sight_of(scene_of(pixels), texts) if sight is None else sight
    scene, seen = sight.scene, sight.texts
    fitting = [field for field in sight.fields if _in_middle(scene, field, seen)]
    cells = _cells(fitting, skip)
    every = [field for n, field in enumerate(fitting) if n not in cells or _presses(field.label)]
    filled = [field for field in every if _is_filled(field, every, skip) and _alone_counts(field, every)]
    outlined = [f for f in every if f not in filled and skip.isdisjoint(f.texts) and _beside(f, filled)]
    fields = filled + outlined
    inks = [float(difference(print_of(scene, f.text_box, f.color), f.color)) for f in fields]
    buttons = [Button(_worded(f.label), scene.whole(f.box), _state(n, fields, inks)) for n, f in enumerate(fields)]
    taken = skip | {i for field in fields for i in field.texts}
    for i, box in _edged(scene, seen, taken) if not scene.camera else ():
        buttons.append(Button(_worded(seen[i].text), scene.whole(box), "enabled"))
        taken |= {i}
    for i, box in _blank(sight.marks, seen, taken):
        buttons.append(Button(_worded(seen[i].text), scene.whole(box), "unsure"))
        taken |= {i}
    asking = [text for i, text in enumerate(seen) if i not in taken | named and _asks(text, seen)]
    said = [text for text in asking if not state_said(text.text) or any(_in_row(text, other) for other in asking)]
    buttons += [Button(press_alone(text.text), scene.whole(text.box), "unsure") for text in said]
    return tuple(sorted(buttons, key=lambda button: (button.box[1], button.box[0])))


def _worded(label: str) -> str:
    return press_alone(label) or tidy(label)


def _in_middle(scene: Scene, field: Field, seen: Sequence[Text]) -> bool:
    """Its text could be that of a button, and stands in its middle."""
    if not all(_can_bear(seen[i]) for i in field.texts) or len(field.label) > _MAX_CHARS:
        return False
    lines = len(field.texts)
    if lines > 1 and not _stacked([seen[i].box for i in field.texts]):
        return False
    tall = height(field.text_box) / lines
    (fx, fy), (tx, ty) = centre(field.box), centre(field.text_box)
    share = _WIDE_CENTRED if width(field.box) > _WIDE * width(field.text_box) else _CENTRED
    level = abs(fy - ty) <= _CENTRED * height(field.box)
    middle = abs(fx - tx) <= max(share * width(field.box), 0.6 * tall)
    sized = _HIGH[0] * tall <= height(field.box) <= _HIGH[1] * tall * lines
    return level and middle and sized and not _spans(field.box, scene)


def _stacked(boxes: Sequence[Box]) -> bool:
    """Lines of one label: under one another, close, with one middle."""
    ordered = sorted(boxes, key=lambda box: box[1])
    return all(
        -overlap_y(a, b) < 0.8 * height(a) and overlap_x(a, b) > 0 and abs(centre(a)[0] - centre(b)[0]) < height(a)
        for a, b in itertools.pairwise(ordered)
    )


def _is_filled(field: Field, every: Sequence[Field], skip: frozenset[int]) -> bool:
    """Of another colour than its surroundings, boxy, no lamp and no cell."""
    in_table = not skip.isdisjoint(field.texts)
    if in_table and (not press_alone(field.label) or state_said(field.label)):
        return False
    press = _presses(field.label)
    if is_signal(field.color) and not press and _is_lamp(field, every):
        return False
    printed = width(field.text_box) * height(field.text_box)
    boxy = (field.region.area + printed) / (width(field.box) * height(field.box)) > _RECTANGULAR
    return press or (boxy and difference(field.color, field.around) >= _DISTINCT)


def _presses(label: str) -> bool:
    return says_press(label) or bool(press_alone(label))


def _is_lamp(field: Field, every: Sequence[Field]) -> bool:
    """A signal colour, and no command among the fields of its size."""
    kin = [other for other in every if other is not field and alike(other.box, field.box)]
    return not kin or (says_state(field.label) and not any(_presses(other.label) for other in kin))


def _cells(fields: Sequence[Field], skip: frozenset[int]) -> frozenset[int]:
    """Places, in this list, of fields that are cells of a table or rows of a list: several of one size that touch.

    A bar of equal tabs is none: one row, outside tables, in which at least one asks to be pressed.
    """
    group = list(range(len(fields)))
    for a, b in itertools.combinations(range(len(fields)), 2):
        if group[a] != group[b] and _touch(fields[a].box, fields[b].box):
            group = [group[a] if g == group[b] else g for g in group]
    cells = set[int]()
    for number in set(group):
        members = [n for n, g in enumerate(group) if g == number]
        if len(members) >= _CELLS and not _is_bar([fields[n] for n in members], skip):
            cells.update(members)
    return frozenset(cells)


def _is_bar(fields: Sequence[Field], skip: frozenset[int]) -> bool:
    first = fields[0]
    one_row = all(overlap_y(field.box, first.box) > 0.9 * height(first.box) for field in fields)
    one_column = all(overlap_x(field.box, first.box) > 0.9 * width(first.box) for field in fields)
    equal = all(abs(width(field.box) - width(first.box)) <= _EQUAL * width(first.box) for field in fields)
    pressed = sum(_presses(field.label) for field in fields)
    free = all(skip.isdisjoint(field.texts) for field in fields)
    return free and equal and ((one_row and pressed >= 1) or (one_column and 2 * pressed >= len(fields)))


def _touch(a: Box, b: Box) -> bool:
    """One above the other with the same width, or side by side with the same height, without room between."""
    across, down = overlap_x(a, b), overlap_y(a, b)
    stacked = across >= 0.97 * max(width(a), width(b)) and -4 <= down <= 2
    return stacked or (down >= 0.97 * max(height(a), height(b)) and -4 <= across <= 2)


def _alone_counts(field: Field, every: Sequence[Field]) -> bool:
    """A title on a field of its own looks like a button: a command or siblings have to say so."""
    return _presses(field.label) or any(other is not field and _one_kind(other, field) for other in every)


def _beside(field: Field, filled: Sequence[Field]) -> bool:
    """In one row or column with a filled button of its size."""
    for other in filled:
        a, b = field.box, other.box
        if alike(a, b) and (overlap_y(a, b) > 0.8 * height(b) or overlap_x(a, b) > 0.8 * width(b)):
            return True
    return False


def _spans(box: Box, scene: Scene) -> bool:
    high, wide = scene.pixels.shape[:2]
    return (box[0] <= 1 and box[2] >= wide - 1) or (box[1] <= 1 and box[3] >= high - 1)


def _can_bear(text: Text) -> bool:
    if is_moment(text.text) or is_clock(text.text):
        return False
    kinds = {token.kind for token in tokens_of(text, 0)}
    return says_press(text.text) or (can_label(text) and not kinds & {"value", "none", "unit", "other"})


def _edged(scene: Scene, seen: Sequence[Text], taken: frozenset[int]) -> list[tuple[int, Box]]:
    """Texts over the middle of a coloured edge, where there are several of them: tiles without a fill."""
    wide, high = scene.stats[:, 2], scene.stats[:, 3]
    thin = (high <= _EDGE_HIGH) & (high >= 2) & (wide >= _EDGE_LONG) & (wide >= 6 * high)
    thin[0] = False
    found: dict[int, Box] = {}
    for index in np.flatnonzero(thin)[:200].tolist():
        edge = scene.region(index)
        above = [i for i, text in enumerate(seen) if _over(text.box, edge.box)]
        if saturation(edge.color) < 0.4 or max(edge.color) < 90 or not above:
            continue
        i = max(above, key=lambda i: seen[i].box[3])
        if (
            i not in taken
            and _can_bear(seen[i])
            and abs(centre(seen[i].box)[0] - centre(edge.box)[0]) < 0.2 * width(edge.box)
        ):
            found.setdefault(i, (edge.box[0], seen[i].box[1], edge.box[2], edge.box[3]))
    return list(found.items()) if len(found) > 1 else []


def _over(text: Box, edge: Box) -> bool:
    gap = edge[1] - text[3]
    inside = text[0] >= edge[0] - 2 and text[2] <= edge[2] + 2
    return inside and -2 <= gap <= _EDGE_BELOW * height(text)


def _asks(text: Text, seen: Sequence[Text]) -> bool:
    """A command that stands alone: nothing in its line makes it a name or a state."""
    if not press_alone(text.text):
        return False
    tall = height(text.box)
    return not any(
        other is not text
        and overlap_y(other.box, text.box) > 0.5 * min(tall, height(other.box))
        and -overlap_x(other.box, text.box) < 2.0 * tall
        and not press_alone(other.text)
        for other in seen
    )


def _in_row(a: Text, b: Text) -> bool:
    """Another command in the same row, which is no word for a state: together they are buttons."""
    level = overlap_y(a.box, b.box) > 0.6 * min(height(a.box), height(b.box))
    return a is not b and level and not state_said(b.text) and -overlap_x(a.box, b.box) < _ROW * height(a.box)


def _blank(marks: Sequence[Mark], seen: Sequence[Text], taken: frozenset[int]) -> list[tuple[int, Box]]:
    """Blank fields of one size in a row, each with a name above or below it, of which one is a command."""
    blocks = [m for m in marks if m.shape == "block" and width(m.box) > _WIDER * height(m.box) >= _WIDER * _BLANK]
    free = [i for i, text in enumerate(seen) if i not in taken and can_label(text)]
    labels = labels_for([block.box for block in blocks], [seen[i] for i in free])
    named = [(free[i], block.box) for block, i in zip(blocks, labels, strict=True) if i is not None]
    found = {}
    for i, box in named:
        row = [j for j, other in named if alike(other, box) and overlap_y(other, box) > 0.8 * height(box)]
        apart = overlap_x(seen[i].box, box) > 0 and len(set(row)) == len(row) > 1
        if apart and any(press_alone(seen[j].text) and not state_said(seen[j].text) for j in row):
            found[i] = box
    return list(found.items())


def _state(n: int, fields: Sequence[Field], inks: Sequence[float]) -> str:
    mine = fields[n]
    kin = [inks[k] for k, other in enumerate(fields) if k != n and _one_kind(other, mine)]
    usual = float(np.median(kin)) if kin else 255.0
    if inks[n] >= _SIBLING * usual:
        return "enabled"
    return "greyed" if inks[n] < _FAINT or (kin and saturation(mine.color) < 0.2) else "enabled"


def _one_kind(a: Field, b: Field) -> bool:
    row = abs(height(a.box) - height(b.box)) <= 2 and overlap_y(a.box, b.box) > 0.8 * height(b.box)
    return row or alike(a.box, b.box)
