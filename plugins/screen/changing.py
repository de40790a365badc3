"""What changed between two looks at a screen: whether a control still stands there, something came up, or a click did
anything.
"""

from __future__ import annotations

from agent.api import Photo
from plugins.screen.likeness import plain
from plugins.screen.pictures import area, centre, changes, grown, overlap, same_there
from plugins.screen.values import Control, Sight

__all__ = ["AROUND_PX", "came_up", "changed", "drop_place", "still"]

AROUND_PX = 5
_TICKING = 0.0012
"""Of the screen: a change that is smaller is a clock or a value."""
_OF_CONTROLS = 0.75
"""A change so far within controls is one of theirs: the focus that goes from one to the next."""


def still(sight: Sight, now: Photo, control: Control) -> bool:
    """Whether the control stands there as it did, and nothing else came up."""
    box = grown(control.box, AROUND_PX, sight.photo.size)
    return same_there(sight.photo.pixels, now.pixels, box) and not came_up(sight, now, control)


def came_up(sight: Sight, now: Photo, control: Control | None) -> bool:
    """Whether more changed than a clock, a value, or a single control that gets or loses the focus; or the size did."""
    if sight.photo.size != now.size:
        return True
    whole = now.size[0] * now.size[1]
    own = grown(control.box, AROUND_PX * 2, now.size) if control is not None else (0, 0, 0, 0)
    found = changes(sight.photo.pixels, now.pixels)
    others = [grown(c.box, AROUND_PX * 2, now.size) for c in sight.controls if c.role not in ("text", "row", "value")]
    return any(
        area(one) > _TICKING * whole and sum(overlap(box, one) for box in (own, *others)) < _OF_CONTROLS * area(one)
        for one in found
    )


def changed(before: Sight, after: Sight, control: Control | None) -> bool:
    """Whether a click did anything: a tick, a window, other controls, or a change elsewhere than under the pointer."""
    if before.photo.size != after.photo.size or before.dialog != after.dialog:
        return True
    own = grown(control.box, AROUND_PX * 2, after.photo.size) if control is not None else (0, 0, 0, 0)
    if control is not None and control.role in ("checkbox", "switch"):
        return [c.value for c in before.controls if c.box == control.box] != [
            c.value for c in after.controls if overlap(c.box, control.box) * 2 > area(control.box)
        ]
    if _usable(before) != _usable(after):
        return True
    found = changes(before.photo.pixels, after.photo.pixels)
    whole = after.photo.size[0] * after.photo.size[1]
    if any(area(one) > _TICKING * whole and overlap(own, one) < area(one) for one in found):
        return True
    is_listed = control is not None and control.role in ("row", "item", "text", "field")
    return is_listed and any(overlap(own, one) for one in found)


def _usable(sight: Sight) -> set[tuple[object, ...]]:
    """What can be used, and where, as far as a reader of print tells it the same way twice."""
    return {
        (plain(c.name), c.role, c.enabled, c.box[0] // 24, c.box[1] // 24)
        for c in sight.controls
        if c.role not in ("text", "value", "lamp", "row")
    }


def drop_place(end: Control, moved: Control, sight: Sight) -> tuple[int, int]:
    """In the middle of what it is dragged to; where that is the title of a frame, in the frame below it."""
    title = end.box
    high = title[3] - title[1]
    for frame in sight.frames:
        x, y = centre(title)
        if frame[0] <= x < frame[2] and frame[1] - 1.2 * high <= y <= frame[1] + 2.2 * high and frame != title:
            return centre(frame)
    return centre(title)
