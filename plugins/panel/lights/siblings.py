"""Lamps at rest that hardly stand out, such as a dark diode on a dark front, found by where their siblings are.

Where one lamp stands beside its name, others of its kind stand in the same place beside names of the same size. What
is looked for there is a disc of the known size: even inside, even around, and different in all directions.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Lamp, Text
from plugins.panel.geometry import centre, height, overlap_x, overlap_y, width
from plugins.panel.lights.colors import Pixels, color_name
from plugins.panel.lights.marks import tidy
from plugins.panel.lights.regions import Scene, clip
from plugins.panel.lights.words import press_alone, says_state

__all__ = ["find_siblings"]

_ANGLES = 16
_INSIDE, _AROUND = (0.2, 0.5), (1.3, 1.4)
"""Where a disc is looked at, in parts of its radius. Around it, the corners of a square would still be seen."""
_AT_REST = frozenset({"dark", "grey", "white"})
_USUAL = int(0.8 * 2 * _ANGLES)
_DIFFERS = 2.5
"""How far the inside is from what is around it, in grey levels."""
_EVEN = 0.5
"""How far single points may stray, in parts of that difference."""
_SIZE = 0.2
"""Names of one kind differ by at most this in height."""
_SHIFT = 3
_MAX_LABEL = 16
_MOST = 60
_REACH = 3.0
"""How far a lamp is from its name at most, in text heights."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a lamp stands beside its name."""

    side: str
    """above | below | left | right"""
    away: float
    """From the nearest edge of its name to its middle."""
    radius: float
    tall: int
    """Height of its name."""


def find_siblings(scene: Scene, lamps: Sequence[Lamp], round_ones: Set[Box], names: Sequence[Text]) -> list[Lamp]:
    """Lamps at rest, with boxes in pixels of the scene.

    :param lamps: what was found, with names.
    :param round_ones: where discs are.
    :param names: texts that can name a lamp.
    """
    places = _places([lamp for lamp in lamps if lamp.box in round_ones], names)
    found: list[Lamp] = []
    for name in names[:_MOST] if places else ():
        command = press_alone(name.text) and not says_state(name.text)
        if command or len(name.text.strip()) > _MAX_LABEL or any(_is_of(lamp, name) for lamp in lamps):
            continue
        for place in places:
            box = _disc_at(scene, name.box, place) if _fits(name, place) else None
            if box is not None and not any(_meet(box, lamp.box) for lamp in (*lamps, *found)):
                color = color_name(_inner(scene, box))
                if color in _AT_REST:
                    found.append(Lamp(tidy(name.text), color, "unlit", box))
                    break
    return found


def _places(lamps: Sequence[Lamp], names: Sequence[Text]) -> list[_Place]:
    """The places of all lamps, each kind once."""
    kept: list[_Place] = []
    for lamp in lamps:
        own = [name for name in names if _is_of(lamp, name)]
        if len(own) != 1:
            continue
        place = _place(lamp.box, own[0].box)
        if not any(p.side == place.side and abs(p.radius - place.radius) < 2 and p.tall == place.tall for p in kept):
            kept.append(place)
    return kept[:8]


def _place(lamp: Box, name: Box) -> _Place:
    (x, y), radius = centre(lamp), (width(lamp) + height(lamp)) / 4
    if overlap_x(lamp, name) > 0:
        side, away = ("above", name[1] - y) if y < centre(name)[1] else ("below", y - name[3])
    else:
        side, away = ("left", name[0] - x) if x < centre(name)[0] else ("right", x - name[2])
    return _Place(side, away, radius, height(name))


def _is_of(lamp: Lamp, name: Text) -> bool:
    reach = _REACH * height(name.box)
    close = -overlap_x(lamp.box, name.box) < reach and -overlap_y(lamp.box, name.box) < reach
    return close and tidy(name.text) == lamp.label


def _fits(name: Text, place: _Place) -> bool:
    return abs(height(name.box) - place.tall) <= max(2, _SIZE * place.tall)


def _disc_at(scene: Scene, name: Box, place: _Place) -> Box | None:
    """The disc in this place beside a name, as far as it can be seen."""
    (x, y), away = centre(name), place.away
    at = {"above": (x, name[1] - away), "below": (x, name[3] + away), "left": (name[0] - away, y)}
    cx, cy = at.get(place.side, (name[2] + away, y))
    clear = _clear(scene, (cx, cy), place.radius)
    if clear is None:
        return None
    (x, y), radius = clear, place.radius
    return round(x - radius), round(y - radius), round(x + radius), round(y + radius)


def _clear(scene: Scene, middle: tuple[float, float], radius: float) -> tuple[float, float] | None:
    """Where, close to this place, the inside of a circle is farthest from what is around it; None without a disc."""
    crop, left, top = _crop(scene, middle, _AROUND[1] * radius + _SHIFT + 1)
    steps = np.arange(-_SHIFT, _SHIFT + 1)
    xs, ys = (grid.ravel() for grid in np.meshgrid(middle[0] - left + steps, middle[1] - top + steps))
    inside, around = _points(crop, xs, ys, radius, _INSIDE), _points(crop, xs, ys, radius, _AROUND)
    if inside is None or around is None:
        return None
    core, ground = np.median(inside, axis=1), np.median(around, axis=1)
    away = np.abs(core - ground).max(axis=1)
    stray = np.maximum(_stray(inside, core), _stray(around, ground))
    score = np.where((away >= _DIFFERS) & (stray <= _EVEN * away), away - stray, -1.0)
    best = int(score.argmax())
    return (float(xs[best]) + left, float(ys[best]) + top) if score[best] >= 0 else None


def _crop(scene: Scene, middle: tuple[float, float], by: float) -> tuple[Pixels, int, int]:
    """What is around a place, and where it begins; without the noise of a camera."""
    box = round(middle[0] - by), round(middle[1] - by), round(middle[0] + by), round(middle[1] + by)
    left, top, right, bottom = clip(box, scene.pixels)
    crop = scene.pixels[top:bottom, left:right]
    return (np.asarray(cv2.GaussianBlur(crop, (5, 5), 1.5), np.uint8) if scene.camera else crop), left, top


def _stray(points: NDArray[np.float64], middle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of most points: the name may touch the circle around a lamp. The corners of a square are a quarter of it."""
    strays: NDArray[np.float64] = np.partition(np.abs(points - middle[:, None]).max(axis=2), _USUAL, axis=1)[:, _USUAL]
    return strays


def _points(
    pixels: Pixels, xs: NDArray[np.float64], ys: NDArray[np.float64], radius: float, parts: tuple[float, float]
) -> NDArray[np.float64] | None:
    """Colours on two circles around each place: places × points × 3; None where they leave the picture."""
    angles = np.tile(np.arange(_ANGLES) * 2 * np.pi / _ANGLES, 2)
    far = radius * np.repeat(np.asarray(parts), _ANGLES)
    rows = np.rint(ys[:, None] + far * np.sin(angles)).astype(np.intp)
    columns = np.rint(xs[:, None] + far * np.cos(angles)).astype(np.intp)
    high, wide = pixels.shape[:2]
    if rows.min() < 0 or columns.min() < 0 or rows.max() >= high or columns.max() >= wide:
        return None
    return pixels[rows, columns].astype(np.float64)


def _inner(scene: Scene, box: Box) -> tuple[int, int, int]:
    by = width(box) // 4
    inside = scene.pixels[box[1] + by : box[3] - by, box[0] + by : box[2] - by].reshape(-1, 3)
    red, green, blue = np.median(inside, axis=0)
    return int(red), int(green), int(blue)


def _meet(a: Box, b: Box) -> bool:
    return overlap_x(a, b) > 0 and overlap_y(a, b) > 0
