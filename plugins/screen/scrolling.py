"""Looking for something that is not to be seen, in a list that can be scrolled: down to its end, then up to its top.

The wheel is turned only over a list, never over a field: there it would change a value. Where nothing moves, there is
nothing to scroll.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.api import Box
from agent.settings import ScreenSettings
from plugins.screen.looking import Looker
from plugins.screen.pictures import area, centre, changes, holds, overlap
from plugins.screen.values import Found, Sight

__all__ = ["scroll_to"]

_LEAST_LINES = 4


def scroll_to(
    looker: Looker, sight: Sight, wanted: Callable[[Sight], Found], settings: ScreenSettings
) -> tuple[Found, Sight]:
    """Scroll until what is wanted is found, at most as often as the settings say.

    :param wanted: finds it in a sight.
    :return: it, or why there is none; and the last sight.
    """
    found = wanted(sight)
    frame = _list_in(sight)
    if frame is None:
        return found, sight
    place = _free_place(sight, frame)
    if place is None:
        return found, sight
    for notches in (settings.scroll_notches, -settings.scroll_notches):
        for _ in range(settings.most_scrolls):
            before = sight
            looker.link.scroll(*place, notches=notches)
            looker.pointer = place
            sight = looker.look()
            found = wanted(sight)
            if found.control is not None:
                return found, sight
            if not any(overlap(frame, one) for one in changes(before.photo.pixels, sight.photo.pixels)):
                break
    return found, sight


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


def _free_place(sight: Sight, frame: Box) -> tuple[int, int] | None:
    """A point of the list that lies on no field."""
    x, middle = centre(frame)
    for y in (middle, (frame[1] + middle) // 2, (frame[3] + middle) // 2):
        if not any(c.role == "field" and holds(c.box, (x, y)) for c in sight.controls):
            return x, y
    return None
