"""Rectangles of a panel, on pictures drawn here."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.perception import Box, Text
from plugins.panel.layouts.areas import find_areas, holders


def panel(ground: int, card: int, *, border: bool, radius: int = 0) -> tuple[np.ndarray, Box]:
    """A card at a known place, filled or only bordered, with two texts in it."""
    image = np.full((400, 600, 3), ground, np.uint8)
    box = (100, 80, 340, 240)
    if border:
        cv2.rectangle(image, box[:2], (box[2] - 1, box[3] - 1), (card, card, card), 1)
    else:
        cv2.rectangle(image, (box[0] + radius, box[1]), (box[2] - radius, box[3]), (card,) * 3, -1)
        cv2.rectangle(image, (box[0], box[1] + radius), (box[2], box[3] - radius), (card,) * 3, -1)
    return image, box


TEXTS = (Text("Flow", (120, 100, 160, 116), 1.0), Text("12.5", (120, 140, 190, 170), 1.0))


@pytest.mark.parametrize(("ground", "card"), [(255, 235), (20, 45), (200, 255), (0, 90)])
@pytest.mark.parametrize("border", [True, False])
@pytest.mark.parametrize("radius", [0, 6])
def test_a_card_is_found(ground: int, card: int, border: bool, radius: int) -> None:
    """Cards of light and dark themes, drawn by a line or by their ground, are found to a few pixels."""
    image, box = panel(ground, card, border=border, radius=radius)
    found = find_areas(image, TEXTS)
    assert any(max(abs(a - b) for a, b in zip(area, box, strict=True)) <= 6 for area in found)


def test_a_plain_picture_has_none() -> None:
    """Nothing is enclosed where nothing is drawn, and nothing is looked for where no text is."""
    plain = np.full((300, 400, 3), 128, np.uint8)
    assert find_areas(plain, TEXTS) == ()
    assert find_areas(panel(255, 200, border=True)[0], ()) == ()


def test_the_smallest_comes_first() -> None:
    """A box within a card stands before the card."""
    image, _ = panel(255, 225, border=False)
    cv2.rectangle(image, (115, 132), (220, 178), (90, 90, 90), 1)
    found = find_areas(image, TEXTS)
    sizes = [(a[2] - a[0]) * (a[3] - a[1]) for a in found]
    assert sizes == sorted(sizes) and len(found) >= 2
    assert holders(np.array([t.box for t in TEXTS]), np.array(found))[1].sum() >= 2


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(*[st.integers(0, 80)] * 4), max_size=5),
)
def test_any_picture(tall: int, wide: int, seed: int, boxes: list[Box]) -> None:
    """Whatever the picture, rectangles lie within it and hold a text."""
    image = np.random.default_rng(seed).integers(0, 256, (tall, wide, 3), np.uint8)
    texts = [Text("x", (min(a, c), min(b, d), max(a, c) + 1, max(b, d) + 1), 1.0) for a, b, c, d in boxes]
    for left, top, right, bottom in find_areas(image, texts):
        assert 0 <= left < right <= wide and 0 <= top < bottom <= tall
