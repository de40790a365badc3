"""Pop-ups: windows, dialogs and slide-in panels that cover a part of the screen.

A rectangle of one colour counts where several signs agree: a shadow around it, a dimmed screen behind it, texts that
its edges cut, a mark to close it, a command such as OK, an alarm colour. Cards of a dashboard have shadows too, so
rectangles of one style that stand side by side are none. Without enough signs there is no pop-up.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from agent.api import Box, Popup, Text
from plugins.panel.geometry import centre, height, overlap_x, overlap_y, width
from plugins.panel.lights.colors import Pixels, difference
from plugins.panel.lights.lit_fields import is_signal
from plugins.panel.lights.marks import tidy
from plugins.panel.lights.regions import Region, Scene, scene_of
from plugins.panel.lights.words import press_alone

__all__ = ["find_popups"]

_AREA = (0.02, 0.75)
"""Area of a pop-up, in parts of the picture."""
_MIN_WIDE, _MIN_HIGH = 0.12, 0.06
_FILLED = 0.5
_SHADOW = 5
"""How much darker the screen is beside a window with a shadow, in luminance."""
_NEAR, _BETWEEN, _FAR = 2, 5, 14
"""Where a shadow is dark, and where it has ended, in pixels from the window."""
_DIMMED = 0.72
"""A dimmed screen is at most this bright, in parts of the window's brightest."""
_CUT = 5
"""A text that ends so close to an edge, in pixels, is cut by it."""
_ENOUGH = 3
_CLOSING = frozenset({"x", "×", "✕", "✖", "╳", "关闭", "close"})


def find_popups(pixels: Pixels, texts: Sequence[Text], *, scene: Scene | None = None) -> tuple[Popup, ...]:
    """Windows over the panel, the largest first.

    :param pixels: height × width × 3, RGB, at least one pixel.
    :param scene: of these pixels, where it is at hand.
    """
    scene = scene_of(pixels) if scene is None else scene
    if scene.camera:
        return ()
    seen = scene.seen(texts)
    windows = _windows(scene)
    if not windows:
        return ()
    grey = np.asarray(cv2.cvtColor(scene.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    found = [window for window in windows if _signs(scene, grey, window, windows, seen) >= _ENOUGH]
    kept: list[Region] = []
    for window in sorted(found, key=lambda region: -width(region.box) * height(region.box)):
        if not any(_within(window.box, other.box) for other in kept):
            kept.append(window)
    return tuple(Popup(_title(window.box, seen), scene.whole(window.box)) for window in kept)


def _windows(scene: Scene) -> list[Region]:
    """Large boxy areas that are not the whole screen, nor a bar across it."""
    rows, columns = scene.labels.shape
    _, _, wide, high, area = scene.stats.T.astype(np.int64)
    whole = rows * columns
    fits = (wide * high >= _AREA[0] * whole) & (wide * high <= _AREA[1] * whole) & (area >= _FILLED * wide * high)
    fits &= (wide >= _MIN_WIDE * columns) & (high >= _MIN_HIGH * rows) & (wide < 0.96 * columns)
    fits[0] = False
    return [scene.region(index) for index in np.flatnonzero(fits)[:40].tolist()]


def _signs(scene: Scene, grey: Pixels, window: Region, windows: Sequence[Region], seen: Sequence[Text]) -> int:
    box = window.box
    inside = [text for text in seen if _within(text.box, box)]
    if not inside:
        return 0
    style = [
        w for w in windows if w is not window and difference(w.color, window.color) <= 6 and not _within(w.box, box)
    ]
    cut = sum(_is_cut(text, box) for text in seen)
    shadow = not style and _has_shadow(grey, box)
    dimmed = _is_dimmed(grey, box)
    if not (shadow or dimmed or cut >= 2) or not (shadow or _differs(scene, window)):
        return 0
    top = box[1] + 0.3 * height(box)
    closing = any(t.text.strip().lower() in _CLOSING and t.box[0] > centre(box)[0] and t.box[3] < top for t in inside)
    command = any(press_alone(text.text) for text in inside)
    return 2 * shadow + 2 * dimmed + min(2, cut) + closing + command + is_signal(window.color)


def _differs(scene: Scene, window: Region) -> bool:
    """It is no part of the ground that lines enclose."""
    return difference(window.color, scene.ring(window.box, _FAR)) > 8


def _has_shadow(grey: Pixels, box: Box) -> bool:
    """It grows lighter away from the window, on all but one of the sides that are not the picture's own edge."""
    left, top, right, bottom = box
    middle_x = slice(left + width(box) // 4, right - width(box) // 4)
    middle_y = slice(top + height(box) // 4, bottom - height(box) // 4)
    turned = grey.T
    sides = [
        _grows_light(turned, left, -1, middle_y),
        _grows_light(turned, right - 1, 1, middle_y),
        _grows_light(grey, top, -1, middle_x),
        _grows_light(grey, bottom - 1, 1, middle_x),
    ]
    known = [side for side in sides if side is not None]
    return len(known) >= 3 and sum(known) >= len(known) - 1


def _grows_light(lines: Pixels, edge: int, way: int, part: slice) -> bool | None:
    """None where the picture ends before a shadow could.

    :param lines: grey, with the lines that run along the edge as rows.
    """
    if not 0 <= edge + way * _FAR < len(lines):
        return None
    near, between, far = (float(np.median(lines[edge + way * away, part])) for away in (_NEAR, _BETWEEN, _FAR))
    return far - near >= _SHADOW and far - between >= 2 and between >= near


def _is_dimmed(grey: Pixels, box: Box) -> bool:
    """Nothing around the window is as bright as what it shows, and it stands in the middle."""
    rows, columns = grey.shape
    x, y = centre(box)
    if abs(x - columns / 2) > 0.12 * columns or abs(y - rows / 2) > 0.25 * rows:
        return False
    around = grey[::3, ::3].copy()
    around[box[1] // 3 : -(-box[3] // 3), box[0] // 3 : -(-box[2] // 3)] = 0
    own = float(np.quantile(grey[box[1] : box[3] : 3, box[0] : box[2] : 3], 0.9))
    return own >= 140 and float(np.quantile(around, 0.997)) <= _DIMMED * own


def _is_cut(text: Text, box: Box) -> bool:
    """It stands outside and ends at an edge, or it runs across one."""
    down, across = overlap_y(text.box, box), overlap_x(text.box, box)
    if down < 0.8 * height(text.box):
        return False
    return -_CUT <= across <= 0 or (0 < across < 0.7 * width(text.box) and width(text.box) > 2 * height(text.box))


def _within(inner: Box, outer: Box) -> bool:
    x, y = centre(inner)
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3] and width(inner) <= width(outer)


def _title(box: Box, seen: Sequence[Text]) -> str:
    inside = [t for t in seen if _within(t.box, box) and t.text.strip().lower() not in _CLOSING]
    return tidy(min(inside, key=lambda text: (text.box[1], text.box[0])).text) if inside else ""
