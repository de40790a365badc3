"""Looking for something that is not to be seen, in a list or page that scrolls: down to its end, then up to its top.

The wheel is turned only over a list, or over the free ground of a browser's page, never over a field: there it would
change a value. Where nothing moves, there is nothing to scroll.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from agent.api import Box
from agent.settings import ScreenSettings
from plugins.screen.looking import Looker
from plugins.screen.pictures import area, centre, changes, grown, holds, overlap
from plugins.screen.values import Found, Role, Sight

__all__ = ["free_place", "scroll_to"]

_LEAST_LINES = 4
_RASTER = 16
_CLEAR_PX = 6
_HEEDS_WHEEL: frozenset[Role] = frozenset({"field", "checkbox", "switch", "menu"})


def scroll_to(
    looker: Looker, sight: Sight, wanted: Callable[[Sight], Found], settings: ScreenSettings
) -> tuple[Found, Sight]:
    """Scroll until what is wanted is found, at most as often as the settings say.

    :param wanted: finds it in a sight.
    :return: it, or why there is none; and the last sight.
    """
    found = wanted(sight)
    for frame in _scrollable(sight):
        place = free_place(sight, frame)
        if place is None:
            continue
        for notches in (settings.scroll_notches, -settings.scroll_notches):
            for _ in range(settings.most_scrolls):
                before = sight
                looker.link.scroll(*place, notches=notches)
                looker.pointer = place
                _await_move(looker, before, frame, settings)
                sight = looker.look()
                found = wanted(sight)
                if found.control is not None or sight.dialog != before.dialog:
                    return found, sight
                if not any(overlap(frame, one) for one in changes(before.photo.pixels, sight.photo.pixels)):
                    break
    return found, sight


def _await_move(looker: Looker, before: Sight, frame: Box, settings: ScreenSettings) -> None:
    """Until something in the frame moves, or a screen that is busy had the time for it."""
    deadline = time.monotonic() + settings.react_seconds
    while time.monotonic() < deadline:
        if any(overlap(frame, one) for one in changes(before.photo.pixels, looker.glance().pixels)):
            return
        time.sleep(settings.poll_seconds / 2)


def _scrollable(sight: Sight) -> Iterator[Box]:
    """A list, and the page itself where a browser shows it: there the wheel changes nothing but what is in view."""
    listed = _list_in(sight)
    if listed is not None:
        yield listed
    if any(control.source == "said" for control in sight.controls):
        yield 0, 0, *sight.photo.size


def _list_in(sight: Sight) -> Box | None:
    """The frame that holds most lines of rows, items or texts, one below the other."""
    best: tuple[int, int, Box] | None = None
    lines = [c for c in sight.controls if c.role in ("row", "item", "text")]
    for frame in sight.frames:
        inside = [c.box for c in lines if holds(frame, centre(c.box))]
        columns: dict[int, int] = {}
        for box in inside:
            columns[box[0] // 24] = columns.get(box[0] // 24, 0) + 1
        most = max(columns.values(), default=0)
        fields = sum(1 for c in sight.controls if c.role == "field" and holds(frame, centre(c.box)))
        if most >= _LEAST_LINES and not fields and (best is None or (most, -area(frame)) > best[:2]):
            best = most, -area(frame), frame
    return best[2] if best else None


def free_place(sight: Sight, frame: Box, *, bare: bool = False) -> tuple[int, int] | None:
    """A point of it that lies on nothing that can be used, the nearest to its middle.

    :param bare: nor on anything that has a name or is printed.
    """
    size = sight.photo.size
    used = [grown(c.box, _CLEAR_PX, size) for c in sight.controls if bare or c.role in _HEEDS_WHEEL]
    used += [grown(text.box, _CLEAR_PX, size) for text in sight.seen.texts if bare]
    middle = centre(frame)
    points = [
        (frame[0] + (frame[2] - frame[0]) * across // _RASTER, frame[1] + (frame[3] - frame[1]) * down // _RASTER)
        for across in range(1, _RASTER)
        for down in range(1, _RASTER)
    ]
    free = [point for point in points if not any(holds(box, point) for box in used)]
    return min(free, key=lambda point: abs(point[0] - middle[0]) + abs(point[1] - middle[1]), default=None)
