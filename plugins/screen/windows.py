"""Which window lies above the rest of a screen: a dialog, a message, an opened menu. What is under it cannot be used.

A window is known by signs that a page has not: the screen says so, the panel parser finds a shadow or a dimmed ground,
it appeared as one new frame while all around it stayed, or it has a bar with a title and words to close it by. One that
appeared is remembered until its frame is gone.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.api import Box, Perception, Text
from plugins.screen.likeness import plain
from plugins.screen.pictures import Pixels, Region, area, centre, changes, grown, holds, overlap, union
from plugins.screen.values import Control, Sight
from plugins.screen.words import CLOSING

__all__ = ["Windows", "title_of"]

_MOST = 0.75
"""Of the screen: what is larger is a page."""
_LEAST = 0.004
_MENU = 0.15
_ALIKE = 0.8
"""Share of what two boxes hold together that makes them one."""
_OTHER_CHANGE = 0.0012
"""Of the screen: a change elsewhere that is larger than this is no ticking clock or value."""
_BAR_PX = (14, 64)
_GAP_PX = 8
_MIDDLE = 0.2
"""How far from the middle of the screen a window may stand that only its title and words tell."""


class Windows:
    """The windows of one screen, from look to look."""

    def __init__(self) -> None:
        self._known: list[Box] = []

    def top(
        self,
        before: Sight | None,
        pixels: Pixels,
        seen: Perception,
        regions: Sequence[Region],
        old_regions: Sequence[Region],
        said: Sequence[Control],
        pointer: tuple[int, int] | None,
    ) -> Box | None:
        """The window that lies above all; None where none does.

        :param before: the look before this one.
        :param regions: rectangles of these pixels, and `old_regions` of those before.
        :param pointer: where the pointer stands: what changes under it is no sign.
        """
        size = pixels.shape[1], pixels.shape[0]
        self._known = [box for box in self._known if _still_there(box, regions)]
        if before is not None and before.photo.pixels.shape == pixels.shape:
            new = _appeared(before.photo.pixels, pixels, seen, regions, old_regions, pointer)
            if new is not None and not any(_same(new, box) for box in self._known):
                self._known.append(new)
        told = [c.box for c in said if c.role == "dialog" and any(holds(c.box, centre(t.box)) for t in seen.texts)]
        if told:
            return told[-1]
        if self._known:
            return _with_bar(self._known[-1], regions, seen.texts)
        whole = size[0] * size[1]
        shaded = [p.box for p in seen.popups if _LEAST * whole <= area(p.box) <= _MOST * whole]
        closing = [box for box in shaded if _closes(box, seen.texts)]
        titled = None if closing else _titled(regions, seen.texts, size)
        if titled is None and shaded:  # a group that a window covers in part looks like one: words to close it tell
            return _with_bar(min(closing or shaded, key=area), regions, seen.texts)
        return titled


def title_of(box: Box, texts: Sequence[Text]) -> str:
    """The first line in a window."""
    inside = [text for text in texts if holds(box, centre(text.box))]
    first = min(inside, key=lambda text: (text.box[1] // 12, text.box[0]), default=None)
    return first.text.strip() if first else ""


def _appeared(
    old: Pixels,
    pixels: Pixels,
    seen: Perception,
    regions: Sequence[Region],
    old_regions: Sequence[Region],
    pointer: tuple[int, int] | None,
) -> Box | None:
    """A frame that is new, while nothing else changed but what ticks, and what is under the pointer."""
    size = pixels.shape[1], pixels.shape[0]
    whole = size[0] * size[1]
    found = changes(old, pixels)
    if not found or not _LEAST * whole <= area(found[0]) <= _MOST * whole:
        return None
    window, others = found[0], found[1:]
    under = next((r.box for r in regions if pointer and holds(grown(r.box, _GAP_PX, size), pointer)), None)
    for other in others:
        hovered = under is not None and overlap(grown(under, _GAP_PX, size), other) == area(other)
        if area(other) > _OTHER_CHANGE * whole and not hovered:
            return None
    new = [
        region.box
        for region in regions
        if overlap(region.box, window) >= 0.95 * area(region.box)
        and not any(_same(region.box, old.box) and region.color == old.color for old in old_regions)
    ]
    if not new or not _same(union(new), window):
        return None
    lines = [text for text in seen.texts if holds(window, centre(text.box))]
    closes = any(plain(text.text) in CLOSING for text in lines)
    largest = max(new, key=area)
    if closes and area(largest) >= 0.3 * area(window):
        return window
    return window if len(lines) >= 2 and area(window) <= _MENU * whole and area(largest) * 2 > area(window) else None


def _with_bar(box: Box, regions: Sequence[Region], texts: Sequence[Text]) -> Box:
    """A window with the bar that lies on it and holds its title, where it has one."""
    body = next((region for region in regions if _same(region.box, box)), None)
    if body is None:
        return box
    for bar in regions:
        if _is_bar_of(bar, body) and any(holds(bar.box, centre(text.box)) for text in texts):
            return union([bar.box, box])
    return box


def _titled(regions: Sequence[Region], texts: Sequence[Text], size: tuple[int, int]) -> Box | None:
    """A frame in the middle with a bar above it that holds a title, and words to close it by."""
    whole = size[0] * size[1]
    for body in regions:
        if not 0.01 * whole <= area(body.box) <= 0.5 * whole:
            continue
        if abs(body.box[0] + body.box[2] - size[0]) > 2 * _MIDDLE * size[0]:
            continue
        bar = next((bar for bar in regions if _is_bar_of(bar, body)), None)
        if bar is None or not any(holds(bar.box, centre(text.box)) for text in texts):
            continue
        if _closes(body.box, texts):
            return union([bar.box, body.box])
    return None


def _closes(box: Box, texts: Sequence[Text]) -> bool:
    """Whether words to close it by stand in a box."""
    return any(plain(text.text) in CLOSING for text in texts if holds(box, centre(text.box)))


def _is_bar_of(bar: Region, body: Region) -> bool:
    high = bar.box[3] - bar.box[1]
    return (
        _BAR_PX[0] <= high <= _BAR_PX[1]
        and 0 <= body.box[1] - bar.box[3] + 2 <= _GAP_PX
        and abs(bar.box[0] - body.box[0]) <= _GAP_PX
        and abs(bar.box[2] - body.box[2]) <= _GAP_PX
        and max(abs(a - b) for a, b in zip(bar.color, body.color, strict=True)) > 24
    )


def _still_there(box: Box, regions: Sequence[Region]) -> bool:
    """Whether rectangles of the picture still make up the window."""
    inside = [region.box for region in regions if overlap(region.box, box) >= 0.95 * area(region.box)]
    return bool(inside) and _same(union(inside), box)


def _same(one: Box, other: Box) -> bool:
    both = overlap(one, other)
    return both >= _ALIKE * (area(one) + area(other) - both)
