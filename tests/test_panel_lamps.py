"""Lamps: a colour is a state only where it can be told from the screen's own style, and lit only where it is bright."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.perception import Text
from plugins.panel.lamps import color_name, find_lamps

GROUND = (24, 26, 34)


def screen(fields: list[tuple[str, tuple[int, int, int], int, int]]) -> tuple[np.ndarray, list[Text]]:
    """A dark screen with labelled fields of 120×40 pixels, each as (label, colour, left, top)."""
    pixels = np.full((400, 700, 3), GROUND, np.uint8)
    texts = []
    for label, color, left, top in fields:
        cv2.rectangle(pixels, (left, top), (left + 119, top + 39), color, -1)
        cv2.putText(pixels, label, (left + 10, top + 26), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (10, 10, 10), 1)
        texts.append(Text(label, (left + 8, top + 12, left + 100, top + 30), 1.0))
    return pixels, texts


@pytest.mark.parametrize(
    ("color", "name"),
    [
        ((230, 20, 30), "red"), ((255, 150, 0), "amber"), ((250, 230, 20), "yellow"), ((20, 200, 60), "green"),
        ((30, 90, 250), "blue"), ((250, 250, 250), "white"), ((120, 120, 120), "grey"), ((90, 5, 60), "magenta"),
        ((12, 12, 16), "dark"),
    ],
)  # fmt: skip
def test_colours_have_their_usual_names(color: tuple[int, int, int], name: str) -> None:
    """The words are those of the JSON contract."""
    assert color_name(color) == name


def test_a_bright_field_is_lit() -> None:
    """A bright signal colour around a label is a lit lamp with that label."""
    (lamp,) = find_lamps(*screen([("FAULT", (230, 20, 30), 200, 100)]))
    assert (lamp.label, lamp.color, lamp.state) == ("FAULT", "red", "lit")
    assert lamp.box == (200, 100, 320, 140)


def test_a_dim_field_is_not_guessed() -> None:
    """A dark field of a strong colour may be an alarm or the lamp at rest: the state says that nobody can tell."""
    (lamp,) = find_lamps(*screen([("PUMP FAULT", (75, 5, 45), 200, 100)]))
    assert (lamp.color, lamp.state) == ("magenta", "unsure")


def test_the_dark_sibling_of_a_lit_lamp_is_unlit() -> None:
    """Of two equal fields side by side, the grey one is the lamp that is off."""
    lamps = find_lamps(*screen([("DC1", (255, 190, 10), 100, 100), ("AFR", (90, 90, 92), 240, 100)]))
    assert [(lamp.label, lamp.state) for lamp in lamps] == [("DC1", "lit"), ("AFR", "unlit")]


def test_the_style_of_the_screen_is_no_lamp() -> None:
    """Buttons that all share one colour state nothing."""
    buttons = [(name, (20, 150, 120), 40 + 160 * n, 100) for n, name in enumerate(("Home", "Trend", "Setup", "Help"))]
    assert not find_lamps(*screen(buttons))


def test_text_on_the_background_is_no_lamp() -> None:
    """A label without a field of its own is not reported, whatever the colour of the whole screen."""
    pixels = np.full((300, 400, 3), (200, 20, 20), np.uint8)
    assert not find_lamps(pixels, [Text("FAULT", (100, 100, 200, 120), 1.0)])


def test_a_round_lamp_takes_the_label_beside_it() -> None:
    """A round spot of a signal colour is a pilot lamp; one far from any label is not."""
    pixels, _ = screen([])
    cv2.circle(pixels, (200, 150), 18, (20, 210, 60), -1)
    cv2.circle(pixels, (600, 350), 18, (20, 210, 60), -1)
    (lamp,) = find_lamps(pixels, [Text("RUN", (182, 174, 218, 190), 1.0)])
    assert (lamp.label, lamp.color, lamp.state) == ("RUN", "green", "lit")


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1), st.data())
def test_any_pixels_are_looked_at(width: int, height: int, seed: int, data: st.DataObject) -> None:
    """Noise of any size, with boxes anywhere in it, never fails."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right, bottom = data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height))
    find_lamps(pixels, [Text("FAULT", (left, top, right, bottom), 1.0)])
