"""Words and values whose own colour carries a state: `Off` in red, `On` in green, one value in orange among black ones.

The state of a word is what it says; a coloured value is an active signal. Screens whose values all share one colour
say nothing with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.api import Lamp, Text
from plugins.panel.geometry import centre, height, overlap_x, overlap_y, same_line
from plugins.panel.grammar import tokens_of
from plugins.panel.lights.colors import Color, color_name, difference, saturation
from plugins.panel.lights.fields import ink_of
from plugins.panel.lights.marks import can_label, tidy
from plugins.panel.lights.regions import Scene
from plugins.panel.lights.rows import name_in_row
from plugins.panel.lights.words import state_said

__all__ = ["tinted_texts"]

_STRONG = 0.5
_WARNS = frozenset({"red", "amber", "yellow", "magenta"})
_SAME = 60
_MOST = 0.34
"""A colour that more than this part of the values have is the style of the screen."""
_ORANGE = 0.43
_COUNT = re.compile(r"\d[\d ]*")
_MAX_VALUES = 60
_REACH, _ROW_REACH = 2.5, 22.0
"""How far left the name of a value may be, and in a table, in text heights."""


def tinted_texts(
    scene: Scene,
    texts: Sequence[Text],
    *,
    skip: frozenset[int] = frozenset(),
    buttons: frozenset[int] = frozenset(),
) -> list[Lamp]:
    """Coloured states and coloured values.

    :param texts: with boxes in pixels of the scene.
    :param skip: values that belong to tables; a state in a table's first column of values still counts.
    :param buttons: texts that stand on buttons.
    """
    words = [i for i, text in enumerate(texts) if i not in buttons and state_said(text.text)]
    values = [i for i, text in enumerate(texts) if i not in skip and _is_value(text)][:_MAX_VALUES]
    return _states(scene, texts, words, skip) + _values(scene, texts, values)


def _states(scene: Scene, texts: Sequence[Text], words: Sequence[int], skip: frozenset[int]) -> list[Lamp]:
    lamps, lines = [], list[float]()
    for i in sorted(words, key=lambda i: texts[i].box[0]):
        text = texts[i]
        middle = centre(text.box)[1]
        told = any(_counts(texts[j], texts) for j in words if same_line(texts[j].box, text.box))
        if i in skip and not told:
            if any(abs(middle - y) < 0.5 * height(text.box) for y in lines):
                continue
            lines.append(middle)
        ink = _ink(scene, text)
        if ink is not None and color_name(ink) in _WARNS | {"green"}:
            counted = i not in skip and _counts(text, texts)
            label = "" if counted else _row_name(text, texts, _ROW_REACH if i in skip else _REACH)
            in_row = name_in_row(text.box, texts, skip, label or text.text) if i in skip else label or tidy(text.text)
            if told:
                in_row = tidy(text.text)
            if in_row is not None:
                lamps.append(Lamp(in_row, _named(ink), state_said(text.text), text.box))
    return lamps


def _values(scene: Scene, texts: Sequence[Text], values: Sequence[int]) -> list[Lamp]:
    inks = [(i, _ink(scene, texts[i])) for i in values]
    lamps = []
    for i, ink in inks:
        if ink is None or color_name(ink) not in _WARNS:
            continue
        alike = sum(other is not None and difference(ink, other) <= _SAME for _, other in inks)
        if len(inks) >= 4 and alike <= max(1, _MOST * len(inks)):
            lamps.append(
                Lamp(_row_name(texts[i], texts, _REACH) or texts[i].text.strip(), color_name(ink), "lit", texts[i].box)
            )
    return lamps


def _ink(scene: Scene, text: Text) -> Color | None:
    """The colour of the print where it is a strong one on a plain ground."""
    ground = scene.region(scene.under(text.box)).color if scene.under(text.box) else (0, 0, 0)
    if saturation(ground) > 0.45 and max(ground) > 90:
        return None
    ink = ink_of(scene, text.box, ground)
    return ink if saturation(ink) >= _STRONG and max(ink) > 90 else None


def _named(ink: Color) -> str:
    """Its name; thin red print on white looks a little orange."""
    name = color_name(ink)
    return "red" if name == "amber" and ink[1] < _ORANGE * ink[0] else name


def _counts(text: Text, texts: Sequence[Text]) -> bool:
    """It names the number above or below it: so many are running."""
    tall = height(text.box)
    return any(
        _COUNT.fullmatch(other.text.strip()) is not None
        and overlap_x(other.box, text.box) > 0
        and -overlap_y(other.box, text.box) < 2 * tall
        for other in texts
    )


def _is_value(text: Text) -> bool:
    tokens = tokens_of(text, 0)
    return len(tokens) == 1 and tokens[0].kind == "value" and not state_said(text.text) and tokens[0].sure


def _row_name(text: Text, texts: Sequence[Text], reach: float) -> str:
    """The nearest name to the left in the same line; empty where none is close."""
    tall = height(text.box)
    left = [
        other
        for other in texts
        if other.box[2] <= text.box[0] + tall // 2
        and overlap_y(other.box, text.box) > 0.5 * min(tall, height(other.box))
        and text.box[0] - other.box[2] < reach * tall
        and can_label(other)
        and not state_said(other.text)
    ]
    return tidy(max(left, key=lambda other: other.box[2]).text) if left else ""
