"""Looking at a screen: a picture that has settled, read by the panel parser, and named.

    glance     the picture alone
    settled    pictures until two in a row are alike, or the time for that is over: then it is busy
    look       settled, read (only what changed since the last look), the window on top, its controls named

The reader is handed in (`perceive`), so whichever plugin reads photos reads screens too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import cv2
import numpy as np

from agent.api import Box, Perception, Photo, ToolFailed, photo_of
from agent.settings import ScreenSettings
from plugins.screen.naming import name_controls, named_frames
from plugins.screen.parting import part_merged
from plugins.screen.patching import Perceive, read_changed
from plugins.screen.pictures import Region, centre, changes, find_regions, grown, holds, same_there
from plugins.screen.values import Control, Link, Sight
from plugins.screen.windows import Windows, title_of

__all__ = ["Looker"]

_EDGE_PX = 24
"""Around what is read closer, in its own colour: a text at the edge of a picture is read badly."""
_INSET_PX, _INK, _CARET_PX = 3, 60, 5
"""From the edge of a field, levels of grey that are ink, and how wide a caret is at most."""
_RING_PX = (4, 7)
"""Around a field, beyond the line that shows the focus."""
_BAR = 0.8
"""Of the width of a window: what is wider, and on top, is its bar."""


class Looker:
    """Looks at one screen, and remembers the last look. Not safe for use from several threads."""

    def __init__(self, link: Link, perceive: Perceive, settings: ScreenSettings, now: Callable[[], datetime]) -> None:
        """
        :param perceive: reads a photo; None where nothing on this box can.
        """
        self.link = link
        self.last: Sight | None = None
        self.pointer: tuple[int, int] | None = None
        """Where the last click was."""
        self._perceive = perceive
        self._settings = settings
        self._now = now
        self._windows = Windows()
        self._regions: tuple[Region, ...] = ()
        """Of the last look."""

    def glance(self) -> Photo:
        """The picture as it is now.

        :raises ToolFailed: the screen cannot be reached.
        """
        return self.link.look()

    def settled(self, first: Photo | None = None) -> tuple[Photo, bool]:
        """A picture, and whether the screen still moves.

        :raises ToolFailed: the screen cannot be reached.
        """
        photo = first if first is not None else self.link.look()
        deadline = time.monotonic() + self._settings.settle_seconds
        while True:
            time.sleep(self._settings.poll_seconds)
            again = self.link.look()
            if not changes(photo.pixels, again.pixels):
                return again, False
            photo = again
            if time.monotonic() > deadline:
                return photo, True

    def look(self, first: Photo | None = None, *, whole: bool = False) -> Sight:
        """What is on the screen once it has settled.

        :param first: a picture that was taken just now.
        :param whole: read all of it anew, whatever was read before.
        :raises ToolFailed: the screen cannot be reached, or nothing on this box can read it.
        """
        now = first if first is not None else self.link.look()
        if not whole and self._is_known(now):
            return self._known(now)
        photo, busy = self.settled(now)
        if not (whole or busy) and self._is_known(photo):
            return self._known(photo)
        before = self.last
        said = self.link.named()
        seen = part_merged(self._read(photo, None if whole else before), said, lambda box: self._printed(box, photo))
        regions = find_regions(photo.pixels)
        box = self._windows.top(before, photo.pixels, seen, regions, self._regions, said, self.pointer)
        fields = _still_fields(before, photo)
        controls = name_controls(
            photo.pixels, seen, regions, said, least_score=self._settings.least_score, fields=fields, above=box
        )
        frames = named_frames(regions, photo.size)
        if box is not None:
            controls, frames = _within(controls, box), tuple(frame for frame in frames if _is_in(frame, box))
        self._regions = regions
        self.last = Sight(
            self._now(),
            photo,
            seen,
            tuple(controls[: self._settings.most_controls]),
            title_of(box, seen.texts) if box is not None else "",
            busy,
            frames,
        )
        return self.last

    def _is_known(self, photo: Photo) -> bool:
        """Whether a picture shows what the last look showed, once it had settled."""
        return self.last is not None and not self.last.busy and not changes(self.last.photo.pixels, photo.pixels)

    def _known(self, photo: Photo) -> Sight:
        assert self.last is not None
        self.last = replace(self.last, at=self._now(), photo=photo)
        return self.last

    def read_again(self, controls: Sequence[Control]) -> Sight:
        """Look closer at names that came close to what is wanted: each is read once more, at twice its size.

        :return: the last look, with these controls named as they read now.
        :raises ToolFailed: nothing was looked at yet.
        """
        if self.last is None:
            raise ToolFailed(f"screen {self.link.name}: nothing was looked at yet")
        named = {id(control): self._closer(control) for control in controls}
        self.last = replace(self.last, controls=tuple(named.get(id(c), c) for c in self.last.controls))
        return self.last

    def text_in(self, box: Box) -> str:
        """What is printed in a box of the last look, read once more at twice its size; empty where nothing is."""
        return "" if self.last is None else self._printed(box, self.last.photo)

    def has_ink(self, box: Box) -> bool:
        """Whether anything but a caret stands in a box of the last look."""
        if self.last is None:
            return False
        left, top, right, bottom = grown(box, -_INSET_PX, self.last.photo.size)
        part = cv2.cvtColor(self.last.photo.pixels[top:bottom, left:right], cv2.COLOR_RGB2GRAY).astype(int)
        return part.size > 0 and int((np.abs(part - np.median(part)) > _INK).any(axis=0).sum()) > _CARET_PX

    def _closer(self, control: Control) -> Control:
        return replace(control, name=self.text_in(control.box) or control.name)

    def _printed(self, box: Box, photo: Photo) -> str:
        """What stands in a box, read by itself at twice its size; empty where nothing can be read."""
        left, top, right, bottom = box
        part = photo.pixels[top:bottom, left:right]
        edge = cv2.copyMakeBorder(part, _EDGE_PX, _EDGE_PX, _EDGE_PX, _EDGE_PX, cv2.BORDER_REPLICATE)
        twice = cv2.resize(edge, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        seen = self._perceive(photo_of(np.asarray(twice, np.uint8), f"{photo.name} [{left},{top}]"))
        if seen is None or seen.turned or seen.matrix is not None:
            return ""
        texts = sorted(seen.texts, key=lambda text: (text.box[1] // 24, text.box[0]))
        return " ".join(text.text.strip() for text in texts if text.score >= self._settings.least_score)

    def forget(self) -> None:
        """What was seen is no longer believed: the next look reads everything."""
        self.last, self._regions, self._windows = None, (), Windows()

    def _read(self, photo: Photo, before: Sight | None) -> Perception:
        seen = None
        if before is not None:
            seen = read_changed(photo, before, self._perceive, most_share=self._settings.partial_share)
        if seen is None:
            seen = self._perceive(photo)
        if seen is None:
            raise ToolFailed(f"screen {self.link.name}: no plugin on this box reads pictures; turn `panel` on")
        if seen.unread:
            raise ToolFailed(f"screen {self.link.name}: its texts cannot be read: {seen.unread}")
        if seen.turned or seen.matrix is not None:
            raise ToolFailed(
                f"screen {self.link.name}: its picture reads as a slanted photo, so no place on it is sure"
            )
        return seen


def _still_fields(before: Sight | None, photo: Photo) -> list[Box]:
    """Fields of the last look whose surroundings are as they were: a caret parts what is in a field, not the field."""
    if before is None or before.photo.size != photo.size:
        return []
    old, new, size = before.photo.pixels, photo.pixels, photo.size
    kept = []
    for control in before.controls:
        (left, top, right, bottom), (inner_left, inner_top, inner_right, inner_bottom) = (
            grown(control.box, by, size) for by in (_RING_PX[1], _RING_PX[0])
        )
        ring = (
            (left, top, right, inner_top),
            (left, inner_bottom, right, bottom),
            (left, top, inner_left, bottom),
            (inner_right, top, right, bottom),
        )
        if control.role == "field" and all(same_there(old, new, side) for side in ring):
            kept.append(control.box)
    return kept


def _within(controls: Sequence[Control], box: Box) -> tuple[Control, ...]:
    """What is in a window; its bar is no button."""
    inside = [control for control in controls if holds(box, centre(control.box))]
    bar = next((c for c in inside if c.role == "button" and c.box[2] - c.box[0] >= _BAR * (box[2] - box[0])), None)
    return tuple(replace(c, role="text") if c is bar and c.box[1] - box[1] < c.box[3] - c.box[1] else c for c in inside)


def _is_in(frame: Box, box: Box) -> bool:
    return box[0] <= frame[0] and box[1] <= frame[1] and frame[2] <= box[2] and frame[3] <= box[3]
