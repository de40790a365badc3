"""What lamps and buttons both look at: the fields, marks and discs of a scene, worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.api import Text
from plugins.panel.geometry import overlap_x, overlap_y
from plugins.panel.lights.discs import Standing, find_discs, standing_out
from plugins.panel.lights.fields import Field, find_fields
from plugins.panel.lights.marks import Mark, find_marks
from plugins.panel.lights.regions import Scene

__all__ = ["Sight", "sight_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A scene with what stands on it; all boxes in pixels of the scene."""

    scene: Scene
    texts: tuple[Text, ...]
    fields: tuple[Field, ...]
    standing: Standing
    discs: tuple[Mark, ...]
    marks: tuple[Mark, ...]
    """The discs first, then every other compact shape."""


def sight_of(scene: Scene, texts: Sequence[Text]) -> Sight:
    """Look at a scene.

    :param texts: with boxes in pixels of the photo.
    """
    seen = tuple(scene.seen(texts))
    standing = standing_out(scene)
    discs = find_discs(scene, standing)
    others = [mark for mark in find_marks(scene, seen) if not any(_meet(mark, disc) for disc in discs)]
    return Sight(scene, seen, tuple(find_fields(scene, seen)), standing, tuple(discs), (*discs, *others))


def _meet(a: Mark, b: Mark) -> bool:
    return overlap_x(a.box, b.box) > 0 and overlap_y(a.box, b.box) > 0
