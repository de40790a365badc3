"""Symbols of equipment on a mimic, such as a valve, a pump or a tank, whose fill carries a state.

A coloured shape beside a name is a symbol where the name speaks of equipment, or where shapes of the same form and
size stand elsewhere with names of their own and another colour. Whether a colour means running is the plant's
convention, so the state of a symbol is `unsure`; its colour is what is reported.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.api import Lamp, Text
from plugins.panel.geometry import centre, height, width
from plugins.panel.lights.colors import SIGNALS, saturation
from plugins.panel.lights.marks import Mark, labels_for, same_size, tidy
from plugins.panel.lights.words import names_equipment

__all__ = ["find_symbols"]

_STRONG = 0.4
_MIN_TALL, _MAX_TALL = 1.0, 5.0
"""Size of a symbol, in heights of its name."""
_REACH = 0.8
"""How far a name may be, in heights of the symbol."""
_SAME_FILL = 0.12


def find_symbols(marks: Sequence[Mark], names: Sequence[Text]) -> list[Lamp]:
    """Coloured symbols with their names, and grey ones of the same form.

    :param names: texts that can name a symbol, with boxes in pixels of the scene.
    """
    strong = [mark for mark in marks if mark.shape == "other" and _colored(mark)]
    grey = [mark for mark in marks if mark.shape == "other" and mark.name == "grey"]
    shapes = strong + [mark for mark in grey if any(_same_form(mark, other) for other in strong)]
    named = [(mark, names[i]) for mark, i in zip(shapes, _names_of(shapes, names), strict=True) if i is not None]
    named = [(mark, name) for mark, name in named if _sized(mark, name)]
    colored = [(mark, name) for mark, name in named if _colored(mark)]
    found: dict[str, Lamp] = {}
    for mark, name in sorted(named, key=lambda pair: (not _colored(pair[0]), _gap(pair[0], pair[1]))):
        kin = [other for other, _ in colored if other is not mark and _same_form(other, mark)]
        varied = len({mark.name, *(other.name for other in kin)}) > 1 and len(kin) >= 2
        proper = varied or (mark.name in SIGNALS and _colored(mark) and names_equipment(name.text))
        key = f"{name.text}{name.box}"
        if proper and key not in found:
            found[key] = Lamp(tidy(name.text), mark.name, "unsure", mark.box)
    return list(found.values())


def _names_of(shapes: Sequence[Mark], names: Sequence[Text]) -> list[int | None]:
    return labels_for([shape.box for shape in shapes], names, reach=_REACH)


def _colored(mark: Mark) -> bool:
    return saturation(mark.color) >= _STRONG and mark.name != "dark"


def _sized(mark: Mark, name: Text) -> bool:
    return _MIN_TALL * height(name.box) <= max(width(mark.box), height(mark.box)) <= _MAX_TALL * height(name.box)


def _same_form(a: Mark, b: Mark) -> bool:
    fill_a, fill_b = (mark.area / (width(mark.box) * height(mark.box)) for mark in (a, b))
    return a.shape == b.shape and same_size(a.box, b.box) and abs(fill_a - fill_b) <= _SAME_FILL


def _gap(mark: Mark, name: Text) -> float:
    (ax, ay), (bx, by) = centre(mark.box), centre(name.box)
    return abs(ax - bx) + abs(ay - by)
