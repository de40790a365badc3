"""The picture of what was read: everything is marked, nothing is hidden that need not be, any photo can be drawn on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.perception import AlarmRow, Button, Lamp, Perception, Popup, Reading, Text
from plugins.panel.overlay import draw_overlay

TRUSTED = Reading("供水温度", "90.0", "℃", "printed", (400, 300, 460, 320), 0.99)
SEEN = Perception(
    texts=(Text("供水温度", (300, 300, 380, 320), 0.99),),
    readings=(
        TRUSTED,
        replace(TRUSTED, value="9.00", box=(400, 400, 460, 420), flags=("bad-format",)),
        Reading("", None, "bar", "gauge", (600, 100, 800, 300), 0.0, ("no-value",)),
        replace(TRUSTED, value="41", kind="gauge", uncertainty=1.5, box=(100, 100, 200, 200)),
    ),
    lamps=(Lamp("FAULT", "red", "lit", (50, 400, 70, 420)),),
    alarms=(AlarmRow({"t": "8:00"}, (50, 500, 900, 520)),),
    size=(1000, 700),
    ms=1.0,
    buttons=(Button("OK", (700, 600, 760, 630), "enabled"),),
    popups=(Popup("", (650, 550, 900, 690)),),
)


def colored(picture: np.ndarray, box: tuple[int, int, int, int]) -> tuple[int, ...]:
    """The colour of a frame, in the middle of its lower edge."""
    return tuple(int(v) for v in picture[box[3], (box[0] + box[2]) // 2])


def test_what_can_be_trusted_is_told_by_colour() -> None:
    """Green, amber, red: the frame of a value says at a glance what to do with it."""
    picture = draw_overlay(np.full((700, 1000, 3), 30, np.uint8), SEEN)
    assert picture.shape == (700, 1000, 3)
    frames = [colored(picture, reading.box) for reading in SEEN.readings]
    assert frames[0] == (0, 140, 60) == frames[3] and frames[1] == (214, 120, 0) and frames[2] == (205, 30, 40)


def test_a_small_photo_is_drawn_larger() -> None:
    """Marks must not cover a 480-pixel touch panel."""
    small = replace(SEEN, size=(480, 320), readings=(replace(TRUSTED, box=(100, 100, 140, 120)),), texts=())
    assert draw_overlay(np.zeros((320, 480, 3), np.uint8), small).shape == (640, 960, 3)


@pytest.mark.parametrize("size", [(1, 1), (2000, 1), (1, 2000), (7, 5)])
def test_any_photo_can_be_drawn_on(size: tuple[int, int]) -> None:
    """Boxes at the edge and beyond, signs larger than the photo."""
    seen = replace(SEEN, size=size)
    assert draw_overlay(np.zeros((size[1], size[0], 3), np.uint8), seen).size > 0


def test_what_stands_on_the_photo_is_never_markup() -> None:
    """Characters that the font lacks are replaced, whatever a label holds."""
    odd = replace(TRUSTED, unit="\x00\U0001f525<b>", value="1\n2")
    assert draw_overlay(np.zeros((700, 1000, 3), np.uint8), replace(SEEN, readings=(odd,))).any()
