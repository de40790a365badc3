"""Bars and sliders: read by the numbers beside them, or not at all."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.perception import Text
from plugins.panel.bars.bars import find_bars
from plugins.panel.bars.scales import find_scales

LEFT, TOP, LONG, THICK = 200, 60, 300, 24
LIGHT, DARK = (248, 248, 248), (28, 30, 36)


def scale(low: float, high: float, count: int, *, upright: bool = True, reverse: bool = False) -> list[Text]:
    """Numbers beside a track, the high one above or right unless reversed."""
    texts = []
    for n in range(count + 1):
        part = n / count
        value = low + (high - low) * part
        place = (TOP if upright else LEFT) + LONG * ((1 - part) if upright != reverse else part)
        x, y = (LEFT + THICK + 34, place) if upright else (place, TOP + THICK + 26)
        texts.append(Text(f"{value:g}", (int(x) - 14, round(y) - 8, int(x) + 14, round(y) + 8), 1.0))
    return texts


def bar(part: float, *, upright: bool = True, ground: tuple[int, int, int] = LIGHT) -> np.ndarray:
    """A bar that is filled from below or from the left."""
    pixels = np.full((460, 640, 3), ground, np.uint8)
    end = round(LONG * part)
    if upright:
        cv2.rectangle(pixels, (LEFT, TOP), (LEFT + THICK, TOP + LONG), (150, 150, 156), -1)
        cv2.rectangle(pixels, (LEFT, TOP + LONG - end), (LEFT + THICK, TOP + LONG), (20, 120, 220), -1)
    else:
        cv2.rectangle(pixels, (LEFT, TOP), (LEFT + LONG, TOP + THICK), (150, 150, 156), -1)
        cv2.rectangle(pixels, (LEFT, TOP), (LEFT + end, TOP + THICK), (20, 120, 220), -1)
    return pixels


def with_handle(pixels: np.ndarray, part: float, color: tuple[int, int, int] = (240, 120, 20)) -> np.ndarray:
    middle = TOP + round(LONG * (1 - part))
    cv2.rectangle(pixels, (LEFT - 6, middle - 9), (LEFT + THICK + 6, middle + 9), color, -1)
    return pixels


@pytest.mark.parametrize("ground", [LIGHT, DARK])
@pytest.mark.parametrize("part", [0.12, 0.5, 0.83])
@pytest.mark.parametrize("upright", [True, False])
def test_a_bar_is_read_by_its_scale(part: float, upright: bool, ground: tuple[int, int, int]) -> None:
    """The value lies within the uncertainty that is reported, upright or level, on light and dark screens."""
    name = Text("Level (m)", (LEFT - 20, 20, LEFT + 60, 40), 1.0)
    (found,) = find_bars(bar(part, upright=upright, ground=ground), [*scale(0, 6, 6, upright=upright), name])
    reading = found.reading
    assert reading.value is not None and reading.uncertainty is not None
    assert abs(float(reading.value) - 6 * part) <= 2 * reading.uncertainty <= 0.2
    assert (reading.kind, reading.label, reading.unit, reading.read_by) == ("bar", "Level", "m", "geometry")
    assert found.sources == frozenset(range(8))


def test_a_scale_may_run_downwards() -> None:
    """Where the numbers grow downwards, so does the value."""
    (found,) = find_bars(bar(0.25), scale(-50, 50, 4, reverse=True))
    assert found.reading.value is not None and abs(float(found.reading.value) - 25) < 1.5


@pytest.mark.parametrize("color", [(240, 120, 20), (20, 120, 220)])
def test_a_slider_stands_where_the_middle_of_its_handle_is(color: tuple[int, int, int]) -> None:
    """Whether the handle has a colour of its own or that of the fill."""
    (found,) = find_bars(with_handle(bar(0.4), 0.4, color), scale(0, 100, 5))
    assert found.reading.kind == "slider"
    assert found.reading.value is not None and abs(float(found.reading.value) - 40) <= 1.5


def test_a_number_that_agrees_is_what_is_reported() -> None:
    """The printed value is exact, the measured one is not; one that disagrees is flagged and kept apart."""
    pixels, numbers = with_handle(bar(0.4), 0.4), scale(0, 100, 5)
    beside = (LEFT - 60, TOP + 170, LEFT - 30, TOP + 190)
    (found,) = find_bars(pixels, [*numbers, Text("40.3", beside, 1.0)])
    assert (found.reading.value, found.reading.flags) == ("40.3", ("unlabelled",))
    assert 6 in found.sources
    (found,) = find_bars(pixels, [*numbers, Text("85", beside, 1.0)])
    assert found.reading.flags == ("needle-disagrees",) and 6 not in found.sources


def test_ticks_behind_numbers_are_no_signs() -> None:
    """A reader takes a tick for a dash."""
    texts = [replace(text, text=f"{text.text} -") for text in scale(0, 100, 4)]
    (found,) = find_bars(bar(0.5), texts)
    assert found.reading.value is not None and abs(float(found.reading.value) - 50) < 1


def test_ticks_before_numbers_are_not_taken_for_signs() -> None:
    """Below zero upwards from nothing: what the signs are cannot be told."""
    texts = [replace(text, text=f"-{text.text}") for text in scale(0, 100, 4)]
    assert not find_bars(bar(0.5), texts)


def test_an_outline_parts_an_empty_track_from_a_ground_that_looks_like_it() -> None:
    """A white bar in a thin frame on a white screen, with its name before it and its unit behind it."""
    pixels = np.full((460, 640, 3), LIGHT, np.uint8)
    cv2.rectangle(pixels, (LEFT, TOP), (LEFT + LONG, TOP + THICK), (255, 255, 255), -1)
    cv2.rectangle(pixels, (LEFT, TOP), (LEFT + 120, TOP + THICK), (20, 120, 220), -1)
    cv2.rectangle(pixels, (LEFT, TOP), (LEFT + LONG, TOP + THICK), (20, 20, 20), 1)
    texts = [*scale(0, 20, 4, upright=False), Text("Supply air", (60, TOP + 4, 150, TOP + 20), 1.0)]
    texts.append(Text("kPa", (LEFT + LONG + 8, TOP + 4, LEFT + LONG + 38, TOP + 20), 1.0))
    (found,) = find_bars(pixels, texts)
    assert found.reading.value is not None and abs(float(found.reading.value) - 8) < 0.2
    assert (found.reading.label, found.reading.unit) == ("Supply air", "kPa")


def test_a_misread_number_does_not_bend_the_scale() -> None:
    """Most of the numbers decide."""
    numbers = scale(0, 100, 5)
    numbers[2] = Text("46", numbers[2].box, 0.9)
    (found,) = find_bars(bar(0.7), numbers)
    assert found.reading.value is not None and abs(float(found.reading.value) - 70) < 1.5
    assert 2 not in found.sources


def test_two_numbers_are_enough_where_the_track_ends_at_round_values() -> None:
    """50 and 100 beside a track that goes on to where 0 would stand."""
    (found,) = find_bars(bar(0.3), scale(0, 100, 2)[1:])
    assert found.reading.value is not None and abs(float(found.reading.value) - 30) < 2


def test_without_numbers_nothing_is_read() -> None:
    """Nobody knows what the frame of a bar stands for."""
    assert not find_bars(bar(0.5), [Text("Level", (200, 20, 260, 40), 1.0)])


def test_a_chart_is_no_bar() -> None:
    """Columns over an axis with numbers, and a curve between grid lines, are not read."""
    pixels = np.full((460, 640, 3), LIGHT, np.uint8)
    numbers = scale(0, 100, 5)
    for n, part in enumerate((0.3, 0.8, 0.55, 0.9)):
        left = LEFT + 90 + 40 * n
        cv2.rectangle(pixels, (left, TOP + round(LONG * (1 - part))), (left + 24, TOP + LONG), (20, 120, 220), -1)
    for text in numbers:
        middle = (text.box[1] + text.box[3]) // 2
        cv2.line(pixels, (LEFT + 80, middle), (600, middle), (200, 200, 200))
    assert not find_bars(pixels, numbers)


def test_an_empty_and_a_full_bar_are_not_guessed() -> None:
    """One colour alone does not say which end it stands for."""
    assert not find_bars(bar(0.0), scale(0, 100, 5)[:0] + scale(0, 100, 5))


def test_numbers_of_a_table_are_no_scale() -> None:
    """Texts that are left out are no part of a scale; a list of even numbers without a track measures nothing."""
    numbers = scale(0, 100, 5)
    assert find_scales(numbers) and not find_scales(numbers, skip=frozenset(range(6)))
    assert not find_bars(np.full((460, 640, 3), LIGHT, np.uint8), numbers)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 80), st.integers(1, 80), st.integers(0, 2**32 - 1), st.data())
def test_any_pixels_are_looked_at(width: int, height: int, seed: int, data: st.DataObject) -> None:
    """Noise of any size, with numbers anywhere in or outside it, never fails."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    texts = []
    for n in range(data.draw(st.integers(0, 8))):
        left, top = data.draw(st.integers(-20, 99)), data.draw(st.integers(-20, 99))
        texts.append(Text(str(n * 10), (left, top, left + data.draw(st.integers(1, 30)), top + 9), 1.0))
    find_bars(pixels, texts)
