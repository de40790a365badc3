"""Whether a name is printed a second time where nothing was read: then it is not the only one, whatever was read."""

from __future__ import annotations

import cv2
import numpy as np

from agent.api import Box
from plugins.screen.pictures import area, centre, grown, holds, overlap
from plugins.screen.values import Control, Sight

__all__ = ["unread_copies"]

_ALIKE = 0.93
"""Correlation of two prints of one name; that of two names of as many characters stays below 0.8."""
_LEAST_PX = (18, 9)
_ROOM_PX = 6
_MOST = 20


def unread_copies(sight: Sight, control: Control) -> list[Box]:
    """Places that look as a control's name does, and of which nothing was read.

    :return: empty where there is none, or the print is too small to be told from others.
    """
    texts = [text.box for text in sight.seen.texts]
    own = max((box for box in texts if holds(control.box, centre(box))), key=area, default=control.box)
    left, top, right, bottom = own
    wide, high = right - left, bottom - top
    picture = cv2.cvtColor(sight.photo.pixels, cv2.COLOR_RGB2GRAY)
    if wide < _LEAST_PX[0] or high < _LEAST_PX[1] or not picture[top:bottom, left:right].std() > 1:
        return []
    alike = cv2.matchTemplate(picture, picture[top:bottom, left:right], cv2.TM_CCOEFF_NORMED)
    known = [grown(box, _ROOM_PX, sight.photo.size) for box in (*texts, *(c.box for c in sight.controls))]
    found: list[Box] = []
    for _ in range(_MOST):
        y, x = (int(place) for place in np.unravel_index(int(np.argmax(alike)), alike.shape))
        if not alike[y, x] >= _ALIKE:
            break
        box = x, y, x + wide, y + high
        if not any(holds(place, centre(box)) for place in known) and not overlap(box, own):
            found.append(box)
        alike[max(0, y - high // 2) : y + high // 2 + 1, max(0, x - wide // 2) : x + wide // 2 + 1] = -1
    return found
