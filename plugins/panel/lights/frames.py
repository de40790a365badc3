"""Coloured frames: the outline or glow around a value, a card or an equipment box whose colour is its state.

A frame is a coloured shape that is hollow and has four sides. It says something where frames of its size differ in
colour, or where it alone warns. Frames that share one colour are the style of the screen; around a command it is that
of a button.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Lamp, Text
from plugins.panel.geometry import centre, height, overlap_x, overlap_y, width
from plugins.panel.grammar import tokens_of
from plugins.panel.lights.colors import SIGNALS, Color, Pixels, bright, color_name
from plugins.panel.lights.marks import can_label, tidy
from plugins.panel.lights.regions import Scene
from plugins.panel.lights.rows import name_in_row
from plugins.panel.lights.words import press_alone, says_state

__all__ = ["find_frames"]

_WARNS = frozenset({"red", "amber", "yellow"})
_MIN_WIDE, _MIN_HIGH = 30, 16
_MAX_PART = 0.6
_HOLLOW = 0.5
"""Share of its box that a frame covers at most."""
_INNER = 0.25
"""And of the inner half of its box."""
_SIDE, _COVERED = 0.12, 0.78
"""A side is looked for in this part of the shorter side of the box, and covered to this share at least."""
_BROKEN, _BROKEN_MEAN = 0.45, 0.7
"""The same of a frame whose siblings are whole, and of its four sides on average."""
_NEAR = 2
_GAP = 5
"""A glow is white where it is strongest: gaps of up to this are closed, at half the size."""
_SAME_SIZE = 0.08
_STYLE = 3
_HUES = 12
_SHARED = 0.22
"""A hue that has at least this share of a frame counts."""
_MOST = 200


def find_frames(scene: Scene, strong: Pixels, texts: Sequence[Text], skip: frozenset[int]) -> list[Lamp]:
    """Frames with the name in them, or else the value, as lamps with boxes in pixels of the scene.

    :param strong: 255 where a pixel is strongly coloured.
    :param skip: indices of texts that belong to tables, or name readings.
    """
    frames = [(box, _color(scene, strong, box)) for box in _hollow(strong)]
    lamps = []
    for box, color in frames:
        inside = [text for text in texts if _within(text.box, box)]
        kin = [color_name(other) for other_box, other in frames if other_box != box and _alike(other_box, box)]
        if inside and _says_something(color_name(color), kin, inside):
            label = _label(inside) if len(inside) > 1 else name_in_row(box, texts, skip, inside[0].text)
            if label is not None:
                lamps.append(Lamp(label, color_name(color), "lit" if bright(color) else "unsure", box))
    return lamps


def _says_something(name: str, kin: Sequence[str], inside: Sequence[Text]) -> bool:
    if any(press_alone(text.text) for text in inside):
        return False
    names = {name, *kin}
    if len(names) > 1:
        return bool(names & SIGNALS)
    says = any(says_state(text.text) or any(token.kind == "value" for token in tokens_of(text, 0)) for text in inside)
    return name in _WARNS and says and len(kin) + 1 < _STYLE


def _label(inside: Sequence[Text]) -> str:
    """The first name within, or else the first text."""
    ordered = sorted(inside, key=lambda text: (text.box[1] // max(1, height(text.box)), text.box[0]))
    return tidy(next((text for text in ordered if can_label(text)), ordered[0]).text)


def _hollow(strong: Pixels) -> list[Box]:
    """Boxes of hollow shapes with four sides, looked for at half the size."""
    rows, columns = strong.shape
    if min(rows, columns) < 2 * _MIN_HIGH:
        return []
    half = np.asarray(cv2.resize(strong, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA), np.uint8)
    closed = cv2.morphologyEx(np.minimum(half, 1), cv2.MORPH_CLOSE, np.ones((_GAP, _GAP), np.uint8))
    joined = np.asarray(closed, np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8, ltype=cv2.CV_32S)
    _, _, wide, high, area = np.asarray(stats, np.int64).T
    fits = (2 * wide >= _MIN_WIDE) & (2 * high >= _MIN_HIGH) & (2 * wide <= _MAX_PART * columns)
    fits &= (2 * high <= _MAX_PART * rows) & (area <= _HOLLOW * wide * high) & (area >= 2 * (wide + high) * _COVERED)
    fits[0] = False
    found = []
    for index in np.flatnonzero(fits)[:_MOST].tolist():
        left, top, w, h = (int(n) for n in stats[index, :4])
        if _has_sides(labels[top : top + h, left : left + w] == index):
            found.append((left, top, left + w, top + h))
    found += _broken(joined, found, np.asarray(stats[1:], np.int64))
    return [(2 * left, 2 * top, 2 * right, 2 * bottom) for left, top, right, bottom in found]


def _broken(mask: Pixels, found: Sequence[Box], stats: NDArray[np.int64]) -> list[Box]:
    """Frames of the size of others whose glow is broken, or joined with a text: where their rows and columns cross."""
    more: list[Box] = []
    for first in [box for n, box in enumerate(found) if any(_alike(box, other) for other in found[:n])][:1]:
        wide, high = width(first), height(first)
        kin = [box for box in found if _alike(box, first)]
        lefts = {box[0] for box in kin} | set(stats[np.abs(stats[:, 2] - wide) <= _NEAR, 0].tolist())
        tops = {box[1] for box in kin} | set(stats[np.abs(stats[:, 3] - high) <= _NEAR, 1].tolist())
        for left, top in itertools.islice(itertools.product(sorted(lefts), sorted(tops)), _MOST):
            box = (left, top, left + wide, top + high)
            free = not any(overlap_x(box, other) > 0 and overlap_y(box, other) > 0 for other in (*found, *more))
            if free and _has_sides(mask[top : top + high, left : left + wide] > 0, whole=False):
                more.append(box)
    return more


def _has_sides(part: NDArray[np.bool_], *, whole: bool = True) -> bool:
    high, wide = part.shape
    if min(high, wide) < _MIN_HIGH // 2:
        return False
    by = max(2, round(_SIDE * min(high, wide)))
    sides = (part[:by].any(axis=0), part[-by:].any(axis=0), part[:, :by].any(axis=1), part[:, -by:].any(axis=1))
    covered = [float(side.mean()) for side in sides]
    inner = part[high // 4 : -(high // 4), wide // 4 : -(wide // 4)]
    enough = min(covered) >= (_COVERED if whole else _BROKEN) and sum(covered) >= 4 * _BROKEN_MEAN
    return bool(enough and inner.mean() <= _INNER)


def _color(scene: Scene, strong: Pixels, box: Box) -> Color:
    """That of its commonest hue, by strength of colour; of two that share it, the one that is a signal."""
    left, top, right, bottom = box
    by = max(3, round(_SIDE * min(width(box), height(box))))
    edge = np.zeros((bottom - top, right - left), np.bool_)
    edge[:by], edge[-by:], edge[:, :by], edge[:, -by:] = True, True, True, True
    own = scene.pixels[top:bottom, left:right][: edge.shape[0], : edge.shape[1]]
    chosen = own[edge[: own.shape[0], : own.shape[1]] & (strong[top:bottom, left:right] > 0)]
    if not len(chosen):
        return scene.ring(box, 0)
    hues = cv2.cvtColor(chosen[None], cv2.COLOR_RGB2HSV)[0, :, 0].astype(np.intp)
    weights = np.ptp(chosen, axis=1).astype(np.float64)
    places = ((hues + 180 // _HUES // 2) % 180) * _HUES // 180
    share = np.bincount(places, weights, _HUES) / weights.sum()
    colors = [_middle(chosen[places == place]) for place in np.argsort(-share) if share[place] >= _SHARED]
    return next((color for color in colors if color_name(color) in SIGNALS), colors[0] if colors else _middle(chosen))


def _middle(pixels: Pixels) -> Color:
    """Of the more strongly coloured half."""
    spread = np.ptp(pixels, axis=1)
    red, green, blue = np.median(pixels[spread >= np.median(spread)], axis=0)
    return int(red), int(green), int(blue)


def _within(inner: Box, outer: Box) -> bool:
    x, y = centre(inner)
    return outer[0] < x < outer[2] and outer[1] < y < outer[3]


def _alike(a: Box, b: Box) -> bool:
    sizes = ((width(a), width(b)), (height(a), height(b)))
    return all(abs(x - y) <= max(4, _SAME_SIZE * y) for x, y in sizes)
