"""From one reading of a panel to its profile.

A field's box gets room for a longer value, up to what stands beside it. Anchors are texts without digits, because
those stay: a clock or a value would not.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Perception, Reading
from plugins.panel.geometry import height, overlap_y
from plugins.panel.profiles.profile import Field, KnownLamp, Profile, ProfileError

__all__ = ["learn"]

_ROOM = 0.7
"""On either side of a value, in its heights."""
_MAX_ANCHORS = 60
_MIN_ANCHORS = 3
_MIN_ANCHOR_SCORE = 0.8


def learn(name: str, pixels: NDArray[np.uint8], seen: Perception) -> Profile:
    """Make a profile.

    :param pixels: the upright image that `seen` speaks of, height × width × 3, RGB.
    :raises ProfileError: there is too little on it to be known again.
    """
    fields = [_field(r, seen) for r in seen.readings if r.label or (r.kind != "printed" and r.value is not None)]
    anchors = [
        _inside(text.box, seen.size)
        for text in seen.texts
        if text.score >= _MIN_ANCHOR_SCORE and len(text.text) > 1 and not any(c.isdigit() for c in text.text)
    ]
    if not fields and not seen.lamps:
        raise ProfileError(f"{name}: no reading or lamp with a label was found; take a closer or sharper photo")
    if len(anchors) < _MIN_ANCHORS:
        raise ProfileError(f"{name}: only {len(anchors)} fixed texts were found, and the panel is known by them")
    step = max(1, -(-len(anchors) // _MAX_ANCHORS))
    lamps = tuple(KnownLamp(x.label, _inside(x.box, seen.size), x.color, x.state) for x in seen.lamps if x.label)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    return Profile(name, tuple(fields), lamps, tuple(anchors[::step]), grey)


def _field(reading: Reading, seen: Perception) -> Field:
    box = _with_room(reading.box, seen) if reading.kind == "printed" else _inside(reading.box, seen.size)
    decimals = _decimals(reading.value) if reading.uncertainty is None else None
    return Field(reading.label, reading.unit, reading.kind, box, decimals)


def _with_room(box: Box, seen: Perception) -> Box:
    """Wider by about a digit on either side, but not into a neighbour."""
    left, top, right, bottom = box
    room = round(_ROOM * height(box))
    lefts = [t.box[2] for t in seen.texts if t.box[2] <= left + 2 and overlap_y(t.box, box) > 0]
    rights = [t.box[0] for t in seen.texts if t.box[0] >= right - 2 and overlap_y(t.box, box) > 0]
    return _inside(
        (max(left - room, max(lefts, default=0)), top, min(right + room, min(rights, default=right + room)), bottom),
        seen.size,
    )


def _inside(box: Box, size: tuple[int, int]) -> Box:
    left, top = min(max(0, box[0]), size[0] - 1), min(max(0, box[1]), size[1] - 1)
    return left, top, max(left + 1, min(box[2], size[0])), max(top + 1, min(box[3], size[1]))


def _decimals(value: str | None) -> int | None:
    """Of a number as printed; None for a state."""
    if value is None or not any(c.isdigit() for c in value) or not value.lstrip("+-−").replace(".", "").isdigit():
        return None
    return len(value.partition(".")[2])
