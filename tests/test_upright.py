"""The upright image: from what was read back to the pixels that the boxes speak of."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.perception import Perception
from agent.photo import photo_of
from agent.upright import from_thousandths, upright_photo

PLAIN = Perception((), (), (), (), (40, 30), 1.0)
PHOTO = photo_of(np.random.default_rng(1).integers(0, 255, (30, 40, 3), dtype=np.uint8), "p.png")


def test_what_is_upright_already_stays_the_very_same() -> None:
    """No copy, no new digest: everything cached by it is found again."""
    assert upright_photo(PHOTO, PLAIN) is PHOTO


@pytest.mark.parametrize(("degrees", "times"), [(90, 3), (180, 2), (270, 1)])
def test_a_turned_photo_is_turned_clockwise(degrees: int, times: int) -> None:
    """The very pixels, moved."""
    upright = upright_photo(PHOTO, replace(PLAIN, turned=degrees))
    assert np.array_equal(upright.pixels, np.rot90(PHOTO.pixels, times))
    assert upright.digest != PHOTO.digest and upright.name == PHOTO.name


def test_a_straightened_photo_has_the_size_that_was_read() -> None:
    """The matrix of the perception is used as it is."""
    matrix = np.array([[2.0, 0, 0], [0, 2, 0], [0, 0, 1]])
    upright = upright_photo(PHOTO, replace(PLAIN, size=(80, 60), matrix=tuple(matrix.ravel().tolist())))
    wanted = cv2.warpPerspective(PHOTO.pixels, matrix, (80, 60), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    assert upright.size == (80, 60) and np.array_equal(upright.pixels, wanted)


def test_a_box_in_thousandths_is_brought_to_pixels() -> None:
    """Qwen3-VL counts from 0 to 1000 whatever the size of the image."""
    assert from_thousandths((0, 0, 1000, 1000), (640, 480)) == (0, 0, 640, 480)
    assert from_thousandths((250, 500, 500, 750), (640, 480)) == (160, 240, 320, 360)
    assert from_thousandths((500, 500, 250, 250), (640, 480)) == (160, 120, 320, 240)


@given(st.tuples(*[st.floats(-1e9, 1e9)] * 4), st.tuples(st.integers(1, 5000), st.integers(1, 5000)))
def test_any_box_in_thousandths_holds_a_pixel(box: tuple[float, ...], size: tuple[int, int]) -> None:
    """A model may say anything."""
    left, top, right, bottom = from_thousandths(box, size)
    assert 0 <= left < right <= size[0] + 1 and 0 <= top < bottom <= size[1] + 1
