"""Lamps that bear their label: a field whose colour carries a state.

A colour says something where the label speaks of a state, or where a field of the same size close by has another
colour. Fields that share one colour are the style of the screen. A photo shows that a field is lit only where it is
bright; a dim field of a strong colour may be an alarm or the same lamp at rest: its state is `unsure`.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.api import Lamp, Text
from plugins.panel.grammar import is_moment, tokens_of
from plugins.panel.lights.colors import SIGNALS, Color, bright, color_name, difference, saturation
from plugins.panel.lights.fields import Field, alike, near
from plugins.panel.lights.words import says_press, says_state

__all__ = ["is_signal", "lit_fields"]

_STRONG = 0.4
_FAINT = 0.25
_STYLE_COUNT = 3
"""This many fields of one colour are the screen's style, not states."""
_SAME = 18
_DARKER = 60
"""A field whose strongest channel is this much below that of its sibling of the same hue is the one at rest."""


def lit_fields(fields: Sequence[Field], texts: Sequence[Text], *, skip: frozenset[int] = frozenset()) -> list[Lamp]:
    """Lamps among the fields, with boxes in pixels of the scene.

    :param texts: those that the fields name by index.
    :param skip: texts whose colour says nothing by itself, such as cells of tables.
    """
    open_to = [field for field in fields if _can_be_lamp(field, texts)]
    lit = [f for f in open_to if not skip.issuperset(f.texts) and _says_something(f, open_to)]
    lamps = [_lamp(field, _state(field, lit)) for field in lit]
    rest = [field for field in open_to if field not in lit and any(_at_rest(field, other) for other in lit)]
    return lamps + [_lamp(field, "unlit") for field in rest]


def is_signal(color: Color) -> bool:
    """A colour that states something by itself, and is strong."""
    return color_name(color) in SIGNALS and saturation(color) >= _STRONG


def _can_be_lamp(field: Field, texts: Sequence[Text]) -> bool:
    if len(field.label) > 40 or is_moment(field.label):
        return False
    kinds = {token.kind for i in field.texts for token in tokens_of(texts[i], i)}
    command = says_press(field.label) and not says_state(field.label)
    return "label" in kinds and not kinds & {"value", "none", "other"} and not command


def _says_something(field: Field, fields: Sequence[Field]) -> bool:
    if not is_signal(field.color):
        return False
    if says_state(field.label) and difference(field.color, field.around) > _SAME:
        return True
    kin = [other for other in fields if other is not field and alike(other.box, field.box)]
    if any(near(other.box, field.box) and _differs(other.color, field.color) for other in kin):
        return True
    if sum(difference(field.color, other.color) <= _SAME for other in fields) >= 2:
        return False
    return color_name(field.color) == "red" and difference(field.color, field.around) > 2 * _SAME


def _differs(a: Color, b: Color) -> bool:
    """Another signal, or none: a second shade of plain colours is no difference of state."""
    return color_name(a) != color_name(b) and (is_signal(a) or saturation(a) <= _FAINT)


def _state(field: Field, lit: Sequence[Field]) -> str:
    top = max(field.color)
    for other in lit:
        same_hue = color_name(other.color) == color_name(field.color) and alike(other.box, field.box)
        if same_hue and max(other.color) - top > _DARKER:
            return "unlit"
    return "lit" if bright(field.color) else "unsure"


def _at_rest(field: Field, lit: Field) -> bool:
    """The same shape in the same row or column close by, without colour: the lamp beside the lit one."""
    return saturation(field.color) <= _FAINT and alike(field.box, lit.box) and near(field.box, lit.box)


def _lamp(field: Field, state: str) -> Lamp:
    return Lamp(field.label, color_name(field.color), state, field.box)
