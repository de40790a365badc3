"""Lamps: a colour is a state only where it can be told from the screen's own style, and lit only where it is bright."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.perception import Popup, Text
from plugins.panel.lights.lamps import color_name, find_lamps

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


def name(label: str, left: int, top: int, *, tall: int = 16) -> Text:
    return Text(label, (left, top, left + 9 * len(label), top + tall), 1.0)


def test_siblings_tell_which_lamp_is_dark() -> None:
    """Round lamps of one colour, one of them much darker; a grey one beside them is off as well."""
    pixels, _ = screen([])
    for n, color in enumerate([(230, 20, 30), (80, 8, 12), (120, 120, 122)]):
        cv2.circle(pixels, (100 + 120 * n, 150), 15, color, -1, cv2.LINE_AA)
    lamps = find_lamps(pixels, [name(f"Pump {n + 1}", 75 + 120 * n, 176) for n in range(3)])
    assert [(lamp.label, lamp.state) for lamp in lamps] == [("Pump 1", "lit"), ("Pump 2", "unlit"), ("Pump 3", "unlit")]


def test_names_are_taken_from_one_side() -> None:
    """Lamps in a column with their names above them: no lamp takes the name of the next one."""
    pixels, _ = screen([])
    colors = [(230, 20, 30), (20, 200, 60), (250, 160, 10)]
    texts = [name("Panel", 300, 20)]
    for n, color in enumerate(colors):
        cv2.circle(pixels, (100, 80 + 70 * n), 14, color, -1, cv2.LINE_AA)
        texts.append(name(f"M{n}0", 88, 44 + 70 * n))
    found = {lamp.label: lamp.color for lamp in find_lamps(pixels, texts)}
    assert found == {"M00": "red", "M10": "green", "M20": "amber"}


def test_the_legend_of_a_chart_is_no_lamp() -> None:
    """Small discs left of texts, each of another colour, or whose colour fills bars."""
    pixels, _ = screen([])
    texts = []
    for n, color in enumerate([(230, 20, 30), (20, 200, 60), (40, 110, 240)]):
        cv2.circle(pixels, (60 + 120 * n, 360), 6, color, -1, cv2.LINE_AA)
        texts.append(name(f"Line {n}", 74 + 120 * n, 352))
        cv2.rectangle(pixels, (80 + 60 * n, 200), (110 + 60 * n, 320), color, -1)
    assert not find_lamps(pixels, texts)


def test_a_badge_counts_notifications() -> None:
    """A small red disc with a number on it."""
    pixels, _ = screen([])
    cv2.circle(pixels, (500, 40), 10, (210, 20, 30), -1, cv2.LINE_AA)
    cv2.putText(pixels, "3", (496, 45), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
    (lamp,) = find_lamps(pixels, [Text("3", (494, 33, 506, 47), 1.0)])
    assert (lamp.label, lamp.color, lamp.state) == ("notification badge 3", "red", "lit")


def test_segments_of_a_stack_light_share_its_name() -> None:
    """Red, amber and green on top of each other; only the bright one is lit."""
    pixels, _ = screen([])
    for n, color in enumerate([(90, 6, 10), (255, 150, 0), (6, 80, 24)]):
        cv2.rectangle(pixels, (300, 60 + 32 * n), (329, 90 + 32 * n), color, -1)
    lamps = find_lamps(pixels, [name("Line 2", 288, 162)])
    assert [(lamp.label, lamp.color, lamp.state) for lamp in lamps] == [
        ("Line 2", "red", "unlit"), ("Line 2", "amber", "lit"), ("Line 2", "green", "unlit"),
    ]  # fmt: skip


def test_the_fill_of_a_symbol_is_reported_and_its_meaning_is_not() -> None:
    """Whether a green valve is open is the plant's convention; the grey one of its kind is reported too."""
    pixels = np.full((400, 700, 3), 250, np.uint8)
    texts = []
    for n, color in enumerate([(230, 20, 30), (0, 170, 80), (0, 170, 80), (125, 125, 125)]):
        x, y = 100 + 150 * n, 200
        shape = np.array([(x - 16, y - 11), (x + 16, y + 11), (x + 16, y - 11), (x - 16, y + 11)])
        cv2.fillPoly(pixels, [shape], color)
        texts.append(name(f"XV10{n}", x - 20, y - 40))
    found = {lamp.label: (lamp.color, lamp.state) for lamp in find_lamps(pixels, texts)}
    assert found == {
        "XV100": ("red", "unsure"), "XV101": ("green", "unsure"),
        "XV102": ("green", "unsure"), "XV103": ("grey", "unsure"),
    }  # fmt: skip


def test_a_coloured_word_says_its_state() -> None:
    """`Off` in red belongs to the name left of it; the word says the state, not the colour."""
    pixels = np.full((200, 500, 3), 255, np.uint8)
    texts = [Text("Aeration", (20, 40, 90, 58), 1.0), Text("Off", (110, 40, 140, 58), 1.0)]
    cv2.putText(pixels, "Aeration", (20, 54), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (30, 30, 30), 1, cv2.LINE_AA)
    cv2.putText(pixels, "Off", (111, 54), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (235, 20, 20), 1, cv2.LINE_AA)
    (lamp,) = find_lamps(pixels, texts)
    assert (lamp.label, lamp.color, lamp.state) == ("Aeration", "red", "unlit")


def test_a_window_in_an_alarm_colour_is_a_lamp() -> None:
    """Its title is the label."""
    pixels = np.full((400, 700, 3), 250, np.uint8)
    pixels[100:300, 200:500] = (250, 70, 70)
    (lamp,) = find_lamps(pixels, (), popups=[Popup("Overpressure", (200, 100, 500, 300))])
    assert (lamp.label, lamp.color, lamp.state) == ("Overpressure", "red", "lit")


def photo(lit: int) -> tuple[np.ndarray, list[Text]]:
    """A row of red lamps as a camera sees it: caps with highlights, one of them shining, and sensor noise."""
    rng = np.random.default_rng(5)
    pixels = np.full((300, 700, 3), (52, 60, 96), np.uint8)
    texts = []
    for n in range(6):
        x = 80 + 100 * n
        if n == lit:
            glow = np.zeros((300, 700), np.float32)
            cv2.circle(glow, (x, 120), 24, 1.0, -1)
            part = cv2.GaussianBlur(glow, (0, 0), 8)[..., None]
            pixels = (pixels * (1 - part) + np.array((250, 40, 40)) * part).astype(np.uint8)
            cv2.circle(pixels, (x, 120), 13, (255, 252, 225), -1, cv2.LINE_AA)
        else:
            cv2.circle(pixels, (x, 120), 15, (190, 36, 40), -1, cv2.LINE_AA)
            cv2.circle(pixels, (x - 4, 114), 3, (240, 150, 150), -1, cv2.LINE_AA)
        texts.append(name(f"Zone {n}", x - 28, 150))
    noisy = pixels.astype(np.float32) + rng.normal(0, 4, pixels.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), texts


@pytest.mark.parametrize("lit", [0, 3])
def test_on_a_photo_the_lamp_that_shines_is_lit(lit: int) -> None:
    """White in its middle with a glow around it; its siblings are at rest."""
    states = {lamp.label: lamp.state for lamp in find_lamps(*photo(lit))}
    assert states.pop(f"Zone {lit}") == "lit"
    assert set(states.values()) <= {"unlit"}


def test_on_a_photo_caps_that_do_not_shine_are_not_lit() -> None:
    """Red plastic is not red light."""
    assert not [lamp for lamp in find_lamps(*photo(-1)) if lamp.state == "lit"]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1), st.data())
def test_any_pixels_are_looked_at(width: int, height: int, seed: int, data: st.DataObject) -> None:
    """Noise of any size, with boxes anywhere in it, never fails."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right, bottom = data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height))
    find_lamps(pixels, [Text("FAULT", (left, top, right, bottom), 1.0)])
