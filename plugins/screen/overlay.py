"""A picture of a screen with what would be used on it drawn over it: green what is meant, amber what came close, grey
what else can be used.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from agent.api import InputError
from plugins.screen.pictures import Pixels, centre
from plugins.screen.values import Found, Sight

__all__ = ["draw", "write_overlay"]

_GREEN, _AMBER, _GREY = (0, 150, 60), (230, 130, 0), (130, 130, 130)
_READ_ONLY = frozenset({"text", "value", "lamp"})


def draw(sight: Sight, found: Found | None) -> Pixels:
    """The picture with its controls; what is meant with a cross where it would be clicked."""
    picture = np.array(sight.photo.pixels)
    for control in sight.controls:
        left, top, right, bottom = control.box
        if control.role not in _READ_ONLY:
            cv2.rectangle(picture, (left, top), (right - 1, bottom - 1), _GREY, 1)
    for control in found.others if found is not None else ():
        left, top, right, bottom = control.box
        cv2.rectangle(picture, (left - 1, top - 1), (right, bottom), _AMBER, 2)
    if found is not None and found.control is not None:
        left, top, right, bottom = found.control.box
        cv2.rectangle(picture, (left - 2, top - 2), (right + 1, bottom + 1), _GREEN, 3)
        cv2.drawMarker(picture, centre(found.control.box), _GREEN, cv2.MARKER_CROSS, 18, 2)
    return picture


def write_overlay(path: Path, sight: Sight, found: Found | None = None) -> None:
    """Write it as PNG.

    :raises InputError: the file cannot be written.
    """
    done, data = cv2.imencode(".png", cv2.cvtColor(draw(sight, found), cv2.COLOR_RGB2BGR))
    try:
        if done:
            path.write_bytes(data.tobytes())
    except OSError as error:
        raise InputError(f"--overlay {path}: cannot be written: {error.strerror}") from None
