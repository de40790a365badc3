"""Buttons and pop-ups: reported where several signs agree, greyed where the text hardly stands out."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.perception import Text
from plugins.panel.lights.buttons import find_buttons
from plugins.panel.lights.popups import find_popups

LIGHT, DARK = (240, 242, 245), (26, 28, 34)


def screen(ground: tuple[int, int, int] = LIGHT) -> np.ndarray:
    return np.full((480, 800, 3), ground, np.uint8)


def put(pixels: np.ndarray, label: str, box: tuple[int, int, int, int], *, ink: tuple[int, int, int]) -> Text:
    """A text in the middle of a box."""
    (wide, high), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    left, low = (box[0] + box[2] - wide) // 2, (box[1] + box[3] + high) // 2
    cv2.putText(pixels, label, (left, low), cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, 1, cv2.LINE_AA)
    return Text(label, (left - 2, low - high - 3, left + wide + 2, low + 4), 1.0)


def button(
    pixels: np.ndarray, label: str, left: int, top: int, *, fill: tuple[int, int, int], ink: tuple[int, int, int]
) -> Text:
    box = (left, top, left + 110, top + 36)
    cv2.rectangle(pixels, box[:2], (box[2] - 1, box[3] - 1), fill, -1)
    return put(pixels, label, box, ink=ink)


@pytest.mark.parametrize("ground", [LIGHT, DARK])
def test_a_row_of_buttons_is_found(ground: tuple[int, int, int]) -> None:
    """Each with its label and the box of its field."""
    pixels = screen(ground)
    names = ("Start", "Recipe", "Trends")
    texts = [button(pixels, n, 40 + 150 * k, 60, fill=(60, 90, 160), ink=(255, 255, 255)) for k, n in enumerate(names)]
    found = find_buttons(pixels, texts)
    assert [(b.label, b.state) for b in found] == [(name, "enabled") for name in names]
    assert found[0].box == (40, 60, 150, 96)


def test_a_button_whose_text_hardly_shows_is_greyed() -> None:
    """Beside buttons of its kind that can be read well."""
    pixels = screen()
    texts = [button(pixels, n, 40 + 150 * k, 60, fill=(205, 208, 212), ink=(20, 20, 20)) for k, n in enumerate("ABC")]
    texts = [Text(f"Pump {t.text}", t.box, 1.0) for t in texts]
    texts.append(button(pixels, "Reset", 490, 60, fill=(205, 208, 212), ink=(170, 172, 176)))
    states = {b.label: b.state for b in find_buttons(pixels, texts)}
    assert states == {"Pump A": "enabled", "Pump B": "enabled", "Pump C": "enabled", "Reset": "greyed"}


def test_an_outline_is_a_button_beside_a_filled_one() -> None:
    """The pressed one of a row is filled, the others are outlines; an outline alone may be anything."""
    pixels = screen(DARK)
    texts = [button(pixels, "Auto", 40, 60, fill=(250, 190, 10), ink=(10, 10, 10))]
    cv2.rectangle(pixels, (170, 60), (279, 95), (150, 150, 150), 1)
    texts.append(put(pixels, "Purge", (170, 60, 280, 96), ink=(255, 255, 255)))
    assert [b.label for b in find_buttons(pixels, texts)] == ["Auto", "Purge"]
    alone = screen(DARK)
    cv2.rectangle(alone, (170, 60), (279, 95), (150, 150, 150), 1)
    assert not find_buttons(alone, [put(alone, "Purge", (170, 60, 280, 96), ink=(255, 255, 255))])


def test_tiles_with_a_coloured_edge_are_buttons() -> None:
    """Several texts, each over the middle of a coloured line."""
    pixels = screen(DARK)
    texts = []
    for n, name in enumerate(("Homing", "Actions")):
        cv2.rectangle(pixels, (40 + 160 * n, 120), (160 + 160 * n, 124), (230, 110, 10), -1)
        texts.append(put(pixels, name, (40 + 160 * n, 80, 161 + 160 * n, 110), ink=(240, 240, 240)))
    assert [b.label for b in find_buttons(pixels, texts)] == ["Homing", "Actions"]


def test_values_and_cells_are_no_buttons() -> None:
    """A value in a box is a value; rows that touch are a list."""
    pixels = screen()
    texts = [button(pixels, "23.5 C", 40, 60, fill=(255, 255, 255), ink=(0, 0, 0))]
    for n, name in enumerate(("Boiler", "Furnace", "Chiller", "Mixer")):
        cv2.rectangle(pixels, (300, 60 + 36 * n), (440, 96 + 36 * n), (120, 120, 120), 1)
        cv2.rectangle(pixels, (301, 61 + 36 * n), (439, 95 + 36 * n), (255, 255, 255), -1)
        texts.append(put(pixels, name, (300, 60 + 36 * n, 440, 96 + 36 * n), ink=(0, 0, 0)))
    assert not find_buttons(pixels, texts)


def test_a_command_without_a_field_is_told_by_its_word() -> None:
    """`Ack All` asks to be pressed; `Pressure` does not."""
    pixels = screen()
    texts = [
        put(pixels, "Ack All", (40, 40, 140, 70), ink=(0, 0, 0)),
        put(pixels, "Pressure", (40, 90, 140, 120), ink=(0, 0, 0)),
    ]
    assert [(b.label, b.state) for b in find_buttons(pixels, texts)] == [("Ack All", "unsure")]


def test_a_bar_of_equal_tabs_is_buttons() -> None:
    """They touch as cells do, but one asks to be pressed and none is in a table."""
    pixels = screen(DARK)
    names = ("Home", "Boiler", "Pumps", "Settings")
    texts = []
    for n, name in enumerate(names):
        box = (200 * n, 430, 200 * n + 199, 479)
        cv2.rectangle(pixels, box[:2], box[2:], (70, 80, 100) if n == 0 else (44, 50, 62), -1)
        cv2.rectangle(pixels, box[:2], box[2:], (110, 120, 140), 1)
        texts.append(put(pixels, name, box, ink=(240, 240, 240)))
    assert [b.label for b in find_buttons(pixels, texts)] == list(names)
    assert not find_buttons(pixels, [replace(text, text=f"Column {text.text}") for text in texts])


def test_blank_keys_are_named_below() -> None:
    """Coloured keys of one size in a row; one of the names is a command."""
    pixels = screen()
    texts = []
    for n, (name, color) in enumerate(
        (("START", (30, 150, 60)), ("STOP", (200, 40, 40)), ("LAMP TEST", (190, 192, 196)))
    ):
        cv2.rectangle(pixels, (40 + 110 * n, 300), (110 + 110 * n, 336), color, -1)
        texts.append(put(pixels, name, (40 + 110 * n, 342, 110 + 110 * n, 362), ink=(20, 20, 20)))
    assert {b.label for b in find_buttons(pixels, texts)} == {"START", "STOP", "LAMP TEST"}


def test_a_title_on_a_field_of_its_own_is_no_button() -> None:
    """Nothing like it stands beside it, and it is no command."""
    pixels = screen()
    assert not find_buttons(pixels, [button(pixels, "Zone A", 300, 40, fill=(60, 90, 160), ink=(255, 255, 255))])


def dialog(pixels: np.ndarray, box: tuple[int, int, int, int], *, shadow: bool) -> list[Text]:
    if shadow:
        dark = np.zeros(pixels.shape[:2], np.float32)
        cv2.rectangle(dark, (box[0] - 2, box[1] - 2), (box[2] + 2, box[3] + 2), 1.0, -1)
        dark = cv2.GaussianBlur(dark, (0, 0), 6) * 0.5
        pixels[:] = (pixels * (1 - dark[..., None])).astype(np.uint8)
    cv2.rectangle(pixels, box[:2], (box[2] - 1, box[3] - 1), (252, 252, 252), -1)
    title = put(pixels, "Confirm shutdown", (box[0], box[1] + 10, box[2], box[1] + 40), ink=(0, 0, 0))
    return [title, button(pixels, "Cancel", box[0] + 30, box[3] - 50, fill=(200, 200, 205), ink=(0, 0, 0))]


def test_a_dialog_with_a_shadow_is_a_popup() -> None:
    """A shadow all around and a command inside."""
    pixels = screen()
    (popup,) = find_popups(pixels, dialog(pixels, (250, 150, 550, 330), shadow=True))
    assert popup.title == "Confirm shutdown"
    assert np.abs(np.subtract(popup.box, (250, 150, 550, 330))).max() <= 3


def test_a_dialog_over_a_dimmed_screen_is_a_popup() -> None:
    """Everything around it is darker than anything on it."""
    pixels = screen((110, 112, 115))
    (popup,) = find_popups(pixels, dialog(pixels, (250, 150, 550, 330), shadow=False))
    assert popup.title == "Confirm shutdown"


def test_cards_of_a_dashboard_are_no_popups() -> None:
    """Several of one style, side by side, each with its shadow."""
    pixels = screen()
    texts = dialog(pixels, (60, 100, 360, 260), shadow=True) + dialog(pixels, (420, 100, 720, 260), shadow=True)
    assert not find_popups(pixels, texts)


def test_a_box_without_signs_is_no_popup() -> None:
    """A plain panel with a button in it belongs to the screen."""
    pixels = screen()
    assert not find_popups(pixels, dialog(pixels, (40, 150, 340, 330), shadow=False))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**32 - 1), st.data())
def test_any_pixels_are_looked_at(width: int, height: int, seed: int, data: st.DataObject) -> None:
    """Noise and flat colour of any size, with texts anywhere in or outside it, never fail."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
    if data.draw(st.booleans()):
        pixels[:] = rng.integers(0, 256, 3, np.uint8)
        pixels[height // 4 : height // 2, width // 4 : width // 2] = 255
    texts = []
    for word in data.draw(st.lists(st.sampled_from(["OK", "Pump 1", "x", "12.5", "确认"]), max_size=4)):
        left, top = data.draw(st.integers(-20, 90)), data.draw(st.integers(-20, 90))
        texts.append(Text(word, (left, top, left + data.draw(st.integers(1, 40)), top + 8), 1.0))
    find_buttons(pixels, texts)
    find_popups(pixels, texts)
