"""Symbols of equipment on a mimic, such as a valve, a pump or a tank, whose fill carries a state, and warning signs.

A coloured shape beside a name is a symbol where the name speaks of equipment, or where shapes of the same form and
size stand elsewhere with names of their own and another colour. Whether a colour means running is the plant's
convention, so the state of a symbol is `unsure`; its colour is what is reported.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.api import Lamp, Text
from plugins.panel.colors import SIGNALS, Pixels, light, saturation
from plugins.panel.geometry import centre, height, width
from plugins.panel.lamp_words import names_equipment
from plugins.panel.marks import Mark, labels_for, same_size, tidy
from plugins.panel.regions import Scene, clip, grown

__all__ = ["find_signs", "find_symbols"]

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


def find_signs(scene: Scene, marks: Sequence[Mark], names: Sequence[Text]) -> list[Lamp]:
    """Red and amber signs with a light or dark mark inside, such as a disc or a triangle with an exclamation mark."""
    signs = [m for m in marks if m.name in ("red", "amber") and saturation(m.color) >= 0.6 and _is_sign(scene, m)]
    signs = [sign for sign in signs if not any(_part_of(sign, other) for other in marks)]
    return [Lamp(_meaning(scene, sign, names), sign.name, "lit", sign.box) for sign in signs]


def _part_of(sign: Mark, other: Mark) -> bool:
    """It is drawn on a larger shape, as a part of an icon."""
    (left, top, right, bottom), (x, y) = other.box, centre(sign.box)
    return left < x < right and top < y < bottom and width(other.box) > 1.5 * width(sign.box)


def _meaning(scene: Scene, sign: Mark, names: Sequence[Text]) -> str:
    """The message right of a sign, the name around it, or what kind of sign it is."""
    tall = height(sign.box)
    messages = [
        text
        for text in names
        if 0 <= text.box[0] - sign.box[2] < 1.5 * tall and abs(centre(text.box)[1] - centre(sign.box)[1]) < 2 * tall
    ]
    if messages:
        return tidy(min(messages, key=lambda text: abs(centre(text.box)[1] - centre(sign.box)[1])).text)
    if _on_icon(scene, sign):
        return "notification badge"
    (label,) = labels_for([sign.box], names, reach=0.5)
    return tidy(names[label].text) if label is not None else "warning sign"


def _on_icon(scene: Scene, sign: Mark) -> bool:
    """It covers the corner of an icon, whose rest stands around it."""
    by = max(3, width(sign.box) // 2)
    left, top, right, bottom = clip(grown(sign.box, by), scene.pixels)
    around = scene.pixels[top:bottom, left:right].astype(np.int16)
    ground = np.asarray(scene.ring(sign.box, by), np.int16)
    other = np.abs(around - ground).max(axis=2) > 60
    inner_top, inner_left = sign.box[1] - top, sign.box[0] - left
    other[
        max(0, inner_top - 1) : inner_top + height(sign.box) + 1,
        max(0, inner_left - 1) : inner_left + width(sign.box) + 1,
    ] = False
    return bool(other.mean() > 0.04)


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


def _is_sign(scene: Scene, mark: Mark) -> bool:
    """As wide as high, and an upright stroke of another brightness in its middle."""
    wide, high = width(mark.box), height(mark.box)
    if not 0.8 <= wide / high <= 1.3 or min(wide, high) < 10 or max(wide, high) > 64:
        return False
    left, top, right, bottom = mark.box
    inside: Pixels = scene.pixels[top:bottom, left:right]
    away = np.abs(inside.astype(np.int16) - np.asarray(mark.color, np.int16)).max(axis=2) > 90
    core = away[
        round(0.22 * high) : round(0.88 * high), round(0.36 * wide) : max(round(0.36 * wide) + 1, round(0.64 * wide))
    ]
    foot = away[round(0.55 * high) : round(0.85 * high)]
    beside = [foot[:, round(part * wide)].mean() for part in (0.27, 0.73)]
    middle = float(core.any(axis=1).mean())
    return bool(middle > 0.5 and max(beside) < 0.35) and light(mark.color) < 190
