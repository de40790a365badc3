"""Light-emitting diodes and pilot lamps on a photo of the real thing: which of them shine.

A lamp that shines is far brighter than what surrounds it: a small spot of strong light colour, or one that blinded the
camera, white in its middle with its colour around. Caps of the same colour and size in one row or column that do not
shine are its siblings at rest. A cap alone that does not clearly shine is not reported: it could be anything coloured.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from agent.api import Box, Lamp, Text
from plugins.panel.geometry import centre, height, overlap_x, overlap_y, width
from plugins.panel.grammar import is_moment
from plugins.panel.lights.colors import SIGNALS, Color, Pixels, color_name, difference, light
from plugins.panel.lights.marks import labels_for, tidy
from plugins.panel.lights.regions import Scene, clip, grown

__all__ = ["find_leds"]

_HUES = ((0, 12), (12, 30), (30, 85), (85, 130))
"""Families of colours in OpenCV's hue, 0 to 180: red, amber, yellow and green, blue; red also closes the circle."""
_RED_AGAIN = 165
_SATURATED, _VALUE = 110, 90
_BLINDED = 225
"""Luminance of the white middle of a lamp that shines."""
_MIN_SIDE = 6
_MAX_PART = 0.12
"""Largest side of a lamp, in parts of the picture's shorter side."""
_MAX_ASPECT = 1.9
_MIN_FILLED = 0.45
_SHINES, _ABOVE = 185, 60
"""Luminance of the brightest part of a lamp that shines, at least, and how far above its surroundings."""
_CLEAR = 90
"""Or how far its colour is from theirs."""
_GLOW = 70
"""Around a white middle, how far apart the channels of its glow are at least, and how far from the surroundings."""
_REACH = 2.6
_SIZE = 0.5
"""Caps of one kind differ by at most this in size: cables cover some."""
_ROW = 2.6
"""How far a row of digits may be, in heights of a lamp."""
_LARGE = 1_000_000
"""Pixels from which a picture is halved."""
_MAX_CAPS = 300
_INPUT = re.compile(r"[1Il|]\s?(\d{1,2}\.[0-7])")


@dataclass(frozen=True, slots=True)
class _Cap:
    box: Box
    color: Color
    lit: bool


def find_leds(scene: Scene, texts: Sequence[Text]) -> list[Lamp]:
    """Real lamps that shine, and their siblings at rest.

    :param texts: with boxes in pixels of the scene.
    """
    names = _inputs([text for text in texts if re.search(r"\w", text.text) and not is_moment(text.text)])
    if not names:
        return []
    half = _half(scene)
    blinded = _blinded(scene, half)
    caps = [*blinded, *(cap for cap in _caps(scene, half) if not any(_meet(cap.box, other.box) for other in blinded))]
    lit = [cap for cap in caps if cap.lit]
    chosen = lit + [cap for cap in caps if not cap.lit and any(_kin(cap, other) for other in lit)]
    found: dict[str, Lamp] = {}
    for cap, label in zip(chosen, _labels(chosen, names), strict=True):
        if label and label not in found:
            found[label] = Lamp(label, color_name(cap.color), "lit" if cap.lit else "unlit", cap.box)
    return list(found.values())


def _labels(caps: Sequence[_Cap], names: Sequence[Text]) -> list[str]:
    """The name of each; what a reader made of the lamps themselves is none."""
    boxes = [cap.box for cap in caps]
    names = [name for name in names if not any(_covers(name.box, box) for box in boxes)]
    nearest = labels_for(boxes, names, reach=_REACH)
    plain = [tidy(names[i].text) if i is not None else "" for i in nearest]
    return [_numbered(box, names) or label for box, label in zip(boxes, plain, strict=True)]


def _numbered(box: Box, names: Sequence[Text]) -> str:
    """Its number in a row of digits below or above it, of which a reader found some, with the name of the row."""
    at = centre(box)[0]
    row = [
        (centre(name.box)[0], int(name.text.strip(". ")), name)
        for name in names
        if re.fullmatch(r"[. ]*\d{1,2}", name.text.strip()) and -overlap_y(name.box, box) < _ROW * height(box)
    ]
    left = max((item for item in row if item[0] <= at), key=lambda item: item[0], default=None)
    right = min((item for item in row if item[0] >= at), key=lambda item: item[0], default=None)
    if left is None or right is None or right[1] <= left[1]:
        return ""
    step = (right[0] - left[0]) / (right[1] - left[1])
    number = left[1] + (at - left[0]) / step
    if step < width(box) or abs(number - round(number)) > 0.25:
        return ""
    groups = [name for name in names if any(c.isalpha() for c in name.text) and _heads(name.box, left[2].box)]
    group = min(groups, key=lambda name: abs(centre(name.box)[1] - centre(left[2].box)[1]), default=None)
    return f"{tidy(group.text)} .{round(number)}" if group is not None else f".{round(number)}"


def _heads(name: Box, first: Box) -> bool:
    """It stands above, below or left of a row, at its first digit."""
    tall = 2.5 * height(first)
    return -overlap_y(name, first) < tall and name[0] - first[2] < tall and first[0] - name[2] < tall


def _covers(text: Box, lamp: Box) -> bool:
    return overlap_x(text, lamp) > 2 and overlap_y(text, lamp) > 0.5 * height(lamp)


def _caps(scene: Scene, half: Pixels) -> list[_Cap]:
    """Compact spots of a strong colour."""
    hsv = cv2.cvtColor(half, cv2.COLOR_RGB2HSV)
    caps: list[_Cap] = []
    for low, high in _HUES:
        mask = cv2.inRange(hsv, (low, _SATURATED, _VALUE), (high - 1, 255, 255))
        if low == 0:
            mask = cv2.bitwise_or(mask, cv2.inRange(hsv, (_RED_AGAIN, _SATURATED, _VALUE), (180, 255, 255)))
        for box in _spots(scene, np.asarray(mask, np.uint8)):
            inside = scene.pixels[box[1] : box[3], box[0] : box[2]]
            color, around = _strong(inside), scene.ring(box, max(3, height(box) // 3))
            if color_name(color) in SIGNALS | {"blue"} and difference(color, around) > _ABOVE:
                caps.append(_Cap(box, color, _shines(scene, box)))
    return caps[:_MAX_CAPS]


def _blinded(scene: Scene, half: Pixels) -> list[_Cap]:
    """White spots with a coloured glow around them."""
    grey = cv2.cvtColor(half, cv2.COLOR_RGB2GRAY)
    _, mask = cv2.threshold(grey, _BLINDED, 255, cv2.THRESH_BINARY)
    found = []
    for box in _spots(scene, np.asarray(mask, np.uint8)):
        by = max(3, height(box) // 4)
        left, top, right, bottom = clip(grown(box, by), scene.pixels)
        area = scene.pixels[top:bottom, left:right]
        frame = np.concatenate([area[0], area[-1], area[:, 0], area[:, -1]])
        glowing = np.ptp(frame, axis=1) >= _GLOW
        if glowing.mean() < 0.4:
            continue
        red, green, blue = (int(n) for n in np.median(frame[glowing], axis=0))
        far = scene.ring(box, height(box) + by)
        if color_name((red, green, blue)) in SIGNALS and difference((red, green, blue), far) >= _GLOW:
            found.append(_Cap(box, (red, green, blue), True))
    return found


def _half(scene: Scene) -> Pixels:
    """A large picture at half its size: lamps are found there, and looked at in full."""
    high, wide = scene.pixels.shape[:2]
    if high * wide < _LARGE:
        return scene.pixels
    return np.asarray(cv2.resize(scene.pixels, (wide // 2, high // 2), interpolation=cv2.INTER_AREA), np.uint8)


def _spots(scene: Scene, mask: Pixels) -> list[Box]:
    times = 2 if mask.shape[0] < scene.pixels.shape[0] else 1
    most = max(12.0, _MAX_PART * min(scene.pixels.shape[:2])) / times
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4, ltype=cv2.CV_32S)
    left, top, wide, high, area = np.asarray(stats, np.int64).T
    short, long = np.minimum(wide, high), np.maximum(wide, high)
    fits = (
        (short >= max(3, _MIN_SIDE // times))
        & (long <= most)
        & (long <= _MAX_ASPECT * short)
        & (area >= _MIN_FILLED * wide * high)
    )
    fits[0] = False
    chosen = np.flatnonzero(fits)[:_MAX_CAPS]
    boxes = np.stack([left, top, left + wide, top + high], axis=1)[chosen] * times
    return [(int(a), int(b), int(c), int(d)) for a, b, c, d in boxes.tolist()]


def _shines(scene: Scene, box: Box) -> bool:
    by_x, by_y = width(box) // 4, height(box) // 4
    inside = scene.pixels[box[1] + by_y : box[3] - by_y, box[0] + by_x : box[2] - by_x]
    red, green, blue = (int(n) for n in np.median(inside.reshape(-1, 3), axis=0))
    around = scene.ring(box, max(3, height(box) // 3))
    far = light((red, green, blue)) - light(around) >= _ABOVE or difference((red, green, blue), around) >= _CLEAR
    return light((red, green, blue)) >= _SHINES and far


def _strong(inside: Pixels) -> Color:
    """The colour of the strongly coloured part."""
    flat = inside.reshape(-1, 3)
    strong = flat[np.ptp(flat, axis=1) >= 70]
    red, green, blue = np.median(strong if len(strong) else flat, axis=0)
    return int(red), int(green), int(blue)


def _kin(a: _Cap, b: _Cap) -> bool:
    """Of one size and colour, in one row or column."""
    level = overlap_y(a.box, b.box) > 0 or overlap_x(a.box, b.box) > 0
    sizes = ((width(a.box), width(b.box)), (height(a.box), height(b.box)))
    return level and all(abs(x - y) <= _SIZE * y for x, y in sizes) and color_name(a.color) == color_name(b.color)


def _inputs(names: Sequence[Text]) -> list[Text]:
    """Addresses of inputs such as `I 0.2`, whose letter a reader takes for a one: rows of `1` and an octal number."""
    found = {i: match for i, text in enumerate(names) if (match := _INPUT.fullmatch(text.text.strip()))}
    kept = list(names)
    for i, match in found.items():
        row = [j for j in found if abs(centre(names[j].box)[1] - centre(names[i].box)[1]) < 3 * height(names[i].box)]
        digits = {found[j][1] for j in row}
        if len(digits) >= 4 and len(digits) == len(row):
            kept[i] = replace(names[i], text=f"I{match[1]}")
    return kept


def _meet(a: Box, b: Box) -> bool:
    return overlap_x(a, b) > 0 and overlap_y(a, b) > 0
