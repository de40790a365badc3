"""Whether a screen shows what has to be so after a step. What cannot be read is not so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.api import Said, say
from agent.perception import number_of
from plugins.screen.finding import READ, find
from plugins.screen.known_fields import KnownField
from plugins.screen.likeness import likeness, names_of, plain
from plugins.screen.values import Control, Expect, Sight
from plugins.screen.wording import named

__all__ = ["Checked", "check", "holds_value", "same_unit"]

_SURE = 0.85
_UNITS = {"c": "°c", "celsius": "°c", "f": "°f", "kpa": "kpa", "s": "s", "sec": "s", "秒": "s", "度": "°c"}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was expected, and what stands there."""

    is_so: bool
    shows: dict[str, str]
    """What was expected → what stands there."""
    lacks: Said
    """What is not so; empty where all is."""


def check(sight: Sight, expected: Sequence[Expect], fields: Sequence[KnownField] = ()) -> Checked:
    """Hold a sight against all that is expected."""
    shows: dict[str, str] = {}
    lacks: list[Said] = []
    for one in expected:
        if one.shows:
            found = _text_like(sight, one.shows)
            shows[one.shows] = found
            if not found:
                lacks.append(say(f"没有看到“{one.shows}”", f"“{one.shows}” is not to be seen"))
        if one.hides and (found := _text_like(sight, one.hides)):
            shows[one.hides] = found
            lacks.append(say(f"“{one.hides}”还在屏幕上", f"“{one.hides}” still stands there"))
        if one.target is not None:
            name = named(one.target)
            held = find(sight, one.target, READ, fields=fields)
            shows[name["en"]] = _shown(held.control)
            if held.control is None:
                lacks.append(held.why)
            elif (one.value or one.unit) and not holds_value(held.control, one.value, one.unit):
                lacks.append(_differs(name, one, held.control))
    text = say(";".join(x["zh"] for x in lacks), "; ".join(x["en"] for x in lacks))
    return Checked(not lacks, shows, text)


def holds_value(control: Control, value: str, unit: str = "") -> bool:
    """Whether a control holds a value: numbers as numbers, words as words, the unit where both have one."""
    if not same_unit(unit, control.unit):
        return False
    if not value:
        return True
    held = control.value if control.value is not None else ""
    one, other = number_of(value.strip()), number_of(held.strip())
    if one is not None and other is not None:
        return abs(one - other) <= 1e-9 * max(1.0, abs(one))
    if one is not None or other is not None:
        return False
    return plain(held) == plain(value) and bool(plain(held) or not value.strip())


def same_unit(one: str, other: str) -> bool:
    """Whether two units are the same; one that is not there says nothing."""
    first, second = _unit(one), _unit(other)
    return not first or not second or first == second


def _unit(text: str) -> str:
    folded = "".join(text.replace("℃", "°C").replace("℉", "°F").split()).casefold()
    return _UNITS.get(folded, folded)


def _text_like(sight: Sight, wanted: str) -> str:
    """A text on the screen that is the wanted one, or holds it; empty where none does."""
    names = names_of(wanted)
    printed = [text.text for text in sight.seen.texts] + [control.name for control in sight.controls]
    for text in printed:
        if likeness(names, text) >= _SURE or any(_contains(plain(text), plain(name)) for name in names):
            return text
    return ""


def _contains(text: str, name: str) -> bool:
    """Whether a name stands in a text, and no digit or Latin letter goes on where it ends."""
    at = text.find(name) if len(name) > 1 else -1
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
        if not (_goes_on(before, name[0]) or _goes_on(name[-1], after)):
            return True
        at = text.find(name, at + 1)
    return False


def _goes_on(left: str, right: str) -> bool:
    both = left + right
    return len(both) == 2 and both.isascii() and both.isdigit()


def _shown(control: Control | None) -> str:
    return "" if control is None else f"{control.value if control.value is not None else ''} {control.unit}".strip()


def _differs(name: Said, one: Expect, control: Control) -> Said:
    wanted, shown = f"{one.value} {one.unit}".strip(), _shown(control)
    return say(
        f"{name['zh']}显示 {shown or '读不出'},应为 {wanted}",
        f"{name['en']} shows {shown or 'nothing that can be read'}, not {wanted}",
    )
