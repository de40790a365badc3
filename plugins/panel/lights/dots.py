"""Coloured dots in rows: before a word that says the state, before a name in a list, alone in a cell of a table.

A dot is named by what its row is about, which is the first name in its line. Dots of a legend explain colours, and
those of one plain colour are the style of a list: both are none.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.api import Box, Lamp, Text
from plugins.panel.geometry import centre, height, width
from plugins.panel.lights.colors import SIGNALS, saturation
from plugins.panel.lights.marks import Mark, same_size
from plugins.panel.lights.pilots import in_legend, state_of
from plugins.panel.lights.regions import Scene
from plugins.panel.lights.rows import name_in_row
from plugins.panel.lights.words import says_state

__all__ = ["find_dots"]

_STRONG = 0.4
_SIZE = (0.35, 1.5)
"""Size of a dot, in heights of the text beside it."""
_GAP = 1.2
"""How far right of a dot its text begins at most, in text heights."""


def find_dots(scene: Scene, discs: Sequence[Mark], texts: Sequence[Text], skip: frozenset[int]) -> list[Lamp]:
    """Dots with the names of their rows.

    :param texts: with boxes in pixels of the scene.
    :param skip: indices of texts that belong to tables, or name readings.
    """
    dots = [(disc, line) for disc in discs if disc.shape == "disc" and (line := _line_of(disc, texts))]
    named = [(disc, texts[_beside(disc, line, texts)]) for disc, line in dots]
    lamps = []
    for (disc, line), (_, beside) in zip(dots, named, strict=True):
        kin = [other for other, _ in dots if other is not disc and same_size(other.box, disc.box)]
        column = [other for other in kin if abs(centre(other.box)[0] - centre(disc.box)[0]) < 0.5 * width(disc.box)]
        explains = skip.isdisjoint(line) and in_legend(scene, disc, beside, named, discs)
        if explains or not _says_something(disc, column, beside):
            continue
        name = name_in_row(disc.box, texts, skip, beside.text)
        if name is not None:
            lamps.append(Lamp(name, disc.name, state_of(disc, kin), disc.box))
    return lamps


def _line_of(disc: Mark, texts: Sequence[Text]) -> list[int]:
    """Texts in its line, where it stands just before one of them, or alone with some left of it."""
    level = [i for i, text in enumerate(texts) if _is_level(disc.box, text.box)]
    if not level or _covered(disc.box, [texts[i] for i in level]):
        return []
    return level


def _is_level(dot: Box, text: Box) -> bool:
    tall = height(text)
    return abs(centre(text)[1] - centre(dot)[1]) < 0.35 * tall and _SIZE[0] * tall <= height(dot) <= _SIZE[1] * tall


def _covered(dot: Box, level: Sequence[Text]) -> bool:
    """It is within a text, and not at its beginning: the dot of a letter or a part of a digit."""
    x = centre(dot)[0]
    return any(text.box[0] + 1.1 * height(text.box) < x < text.box[2] for text in level)


def _beside(disc: Mark, line: Sequence[int], texts: Sequence[Text]) -> int:
    """The text that begins right behind a dot, or else the nearest one."""

    def cost(i: int) -> float:
        box = texts[i].box
        after = box[2] > disc.box[2] and box[0] - disc.box[2] <= _GAP * height(box)
        return (0.0 if after else 1e6) + abs(box[0] - disc.box[2])

    return min(line, key=cost)


def _says_something(disc: Mark, column: Sequence[Mark], beside: Text) -> bool:
    strong = saturation(disc.color) >= _STRONG
    others = {other.name for other in column if saturation(other.color) >= _STRONG}
    if strong and disc.name in SIGNALS:
        alone = disc.name in ("red", "amber") or bool(others - {disc.name}) or says_state(beside.text)
        return alone and not _explains(disc, column)
    return bool(others & SIGNALS) and (strong or disc.name in ("grey", "dark", "white")) and not _explains(disc, column)


def _explains(disc: Mark, column: Sequence[Mark]) -> bool:
    """Three or more that all differ, in more than signal colours, are a legend."""
    names = [disc.name, *(other.name for other in column)]
    return len(names) >= 3 and len(set(names)) == len(names) and not set(names) <= SIGNALS | {"grey"}
