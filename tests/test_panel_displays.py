"""Displays: what segments show, or a flag, or silence; and nothing where numbers are merely printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw, ImageFont

from agent.api import Box, Reading, Text
from agent.env import Env
from plugins.panel.displays import find_displays
from plugins.panel.displays.glyphs import CHARACTERS, is_number, unit_within
from plugins.panel.texts.ocr import open_engine
from tests.display_drawings import Drawn, Pixels, Shape, draw_counter, draw_display, ink_of

SHAPE = Shape(width=0.55, thick=0.13, gap=0.025, slant=0.08, space=0.35, blunt=False)


class Reads:
    """Reads the same in every place: a fake of the text reader."""

    name = "reads"

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, pixels: Pixels) -> tuple[Text, ...]:
        return ()

    def read_boxes(
        self, pixels: Pixels, boxes: Sequence[Box], *, margin: float, other: bool = False
    ) -> tuple[Text, ...]:
        return tuple(Text(self.text, box, 0.99) for box in boxes)

    def close(self) -> None:
        pass


def shows(text: str, *, height: int = 60, ghost: float = 0.0, light: bool = False, shape: Shape = SHAPE) -> Pixels:
    """A clean display that shows a text, on a case."""
    ink = ink_of(text, shape, height, ghost)
    ground, lit = ((15, 10, 10), (250, 40, 40)) if light else ((160, 170, 150), (30, 35, 30))
    face = np.asarray(ground) + ink[:, :, None] * (np.asarray(lit) - np.asarray(ground))
    scene = np.full((face.shape[0] + 120, face.shape[1] + 160, 3), 205, np.float32)
    scene[60:-60, 80:-80] = face
    return np.asarray(np.clip(scene, 0, 255), np.uint8)


def only(pixels: Pixels, texts: Sequence[Text] = (), engine: Reads | None = None) -> Reading:
    (found,) = find_displays(pixels, texts, engine)
    return found.reading


@pytest.mark.parametrize("text", ["58.78", "-12.5", "0.125", "220", "31415", "1.7", "99.9", "-40"])
@pytest.mark.parametrize("light", [False, True])
def test_a_clean_display_is_read_without_a_reader(text: str, light: bool) -> None:
    """Sign, digits and point are exact, on LCD and on LED; an edge close by may raise a doubt, nothing else does."""
    reading = only(shows(text, light=light))
    assert (reading.value, reading.kind, reading.read_by) == (text, "display", "segments")
    assert set(reading.flags) <= {"unlabelled", "low-score"}


def test_unlit_segments_of_an_lcd_do_not_count() -> None:
    """Ghosts of segments that are not lit are no segments."""
    assert only(shows("14.07", ghost=0.2)).value == "14.07"


@pytest.mark.parametrize("word", ["Err", "-E-", "HELP"])
def test_a_word_is_no_value(word: str) -> None:
    """An error on a display is told as a display without a value, and why."""
    found = find_displays(shows(word), ())
    assert all(instrument.reading.value is None for instrument in found)
    assert all("no-value" in instrument.reading.flags for instrument in found)


def test_a_reader_that_sees_other_digits_raises_a_flag() -> None:
    """Two looks that differ are never one value without a flag."""
    reading = only(shows("58.78"), engine=Reads("56.78"))
    assert "disagrees" in reading.flags
    assert reading.score <= 0.5


def test_a_reader_that_agrees_makes_it_surer() -> None:
    """The same value from the decoder and from the reader of texts has a high score."""
    reading = only(shows("58.78"), engine=Reads("58.78"))
    assert reading.value == "58.78"
    assert reading.score > 0.9


def test_a_name_of_a_quantity_gives_label_and_unit() -> None:
    """What is printed at a display names it; its own digits, read as text, belong to it."""
    pixels = shows("58.78")
    high, wide = pixels.shape[:2]
    own = Text("5878", (115, 95, wide - 115, high - 95), 0.8)
    name = Text("LITRES", (120, high - 45, 220, high - 20), 0.99)
    (found,) = find_displays(pixels, [own, name])
    assert (found.reading.label, found.reading.unit) == ("LITRES", "L")
    assert found.sources == {0, 1}


def test_a_unit_beside_the_digits_is_the_unit() -> None:
    """A printed unit comes before what the name implies."""
    pixels = shows("58.7")
    high, wide = pixels.shape[:2]
    texts = [Text("mV", (wide - 78, 90, wide - 50, 120), 0.99), Text("VOLTS", (90, high - 45, 180, high - 20), 0.99)]
    assert only(pixels, texts).unit == "mV"


def test_a_digit_at_the_edge_of_the_photo_is_flagged() -> None:
    """Where a photo cuts off a display, digits may be missing."""
    pixels = shows("58.78")[:, 112:]
    for instrument in find_displays(pixels, ()):
        assert {"clipped", "no-value", "low-score"} & set(instrument.reading.flags)


@pytest.mark.parametrize("size", [18, 26, 40, 64, 110])
@pytest.mark.parametrize("dark", [False, True])
def test_printed_numbers_are_no_display(size: int, dark: bool) -> None:
    """Numbers in a normal font on a screen belong to the rest of the parser."""
    back, front = ((25, 28, 32), (240, 240, 240)) if dark else ((245, 245, 245), (30, 30, 30))
    picture = Image.new("RGB", (900, 420), back)
    font = ImageFont.load_default(size)
    for row, text in enumerate(["0123456789", "26.78", "100 80 60", "88.0 kPa"]):
        ImageDraw.Draw(picture).text((30, 10 + row * 1.3 * size), text, font=font, fill=front)
    assert find_displays(np.asarray(picture, np.uint8), (), Reads("")) == ()


def test_random_displays_are_read_or_flagged() -> None:
    """Photos of displays of many makes: most exact, and what is wrong carries a flag, without a reader too."""
    outcomes = Counter(outcome(draw_display(seed)) for seed in range(300, 340))
    assert outcomes["exact"] >= 30, outcomes
    assert outcomes["wrong"] <= 1, outcomes


def outcome(drawn: Drawn, texts: Sequence[Text] = (), engine: Reads | None = None) -> str:
    found = [instrument.reading for instrument in find_displays(drawn.pixels, texts, engine)]
    values = [reading for reading in found if reading.value is not None]
    if any(reading.value == drawn.shown for reading in values):
        return "exact"
    return "wrong" if any(set(reading.flags) <= {"unlabelled"} for reading in values) else "silent"


@given(arrays(np.uint8, st.tuples(st.integers(1, 90), st.integers(1, 120), st.just(3))))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_image_is_survived(pixels: Pixels) -> None:
    """No size and no noise makes the finder raise, and what it finds lies within the image."""
    for instrument in find_displays(pixels, (), Reads("1")):
        left, top, right, bottom = instrument.area
        assert 0 <= left < right <= pixels.shape[1]
        assert 0 <= top < bottom <= pixels.shape[0]


@pytest.mark.parametrize("seed", range(6))
def test_stripes_and_noise_are_no_display(seed: int) -> None:
    """Patterns of strokes do not become values without a flag."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 2, (40, 60), dtype=np.uint8) * 200
    pixels = np.repeat(cv2.resize(coarse, (600, 400), interpolation=cv2.INTER_NEAREST)[:, :, None], 3, axis=2)
    for instrument in find_displays(np.ascontiguousarray(pixels), ()):
        assert instrument.reading.value is None or set(instrument.reading.flags) - {"unlabelled"}


def test_every_digit_has_one_pattern_of_its_own() -> None:
    """No two characters share segments, and all ten digits are known."""
    assert set("0123456789-") <= set(CHARACTERS.values())


def test_numbers_words_and_units_are_told_apart() -> None:
    """What a display spells is a number, a time, a number with degrees, or a word."""
    assert is_number("-12.5") and is_number("12:30") and not is_number("Err") and not is_number("1.2.3")
    assert unit_within("21.5°C") == ("21.5", "°C")
    assert unit_within("21C") == ("21", "°C")
    assert unit_within("12A") == ("12A", "")


@pytest.mark.weights
def test_with_the_real_reader_values_agree(weights_env: Env) -> None:
    """Displays and counters of many makes, read with the real weights: exact, flagged or silent."""
    engine, _ = open_engine(weights_env)
    assert engine is not None
    drawn = [*(draw_display(seed) for seed in range(400, 406)), *(draw_counter(seed) for seed in range(400, 406))]
    outcomes = Counter(outcome(one, engine.read(one.pixels), engine) for one in drawn)  # type: ignore[arg-type]
    assert outcomes["wrong"] == 0, outcomes
    assert outcomes["exact"] >= 8, outcomes
