"""Gauges: what a dial shows is read from geometry, or nothing is said and why."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from agent.api import Env, Text
from plugins.panel.gauges import find_gauges
from plugins.panel.instruments import Instrument
from plugins.panel.texts.ocr import open_engine
from tests.gauge_drawings import Drawn, Style, draw, random_style

TOLERANCE = 0.02
"""Of the span."""
ROUND = Style(value=6.3, captions=("EN 837-1",))
SECTOR = Style(
    high=450, step=150, value=410, unit="V", start=180, sweep=90, pivot=(0.7, 0.7), radius=0.5, bend=1.3, case="square"
)
DARK = replace(ROUND, face=(20, 22, 25), ink=(240, 240, 240), needle=(230, 230, 230))


def read(drawn: Drawn) -> Instrument:
    """The one gauge of a drawing, without a reader for closer looks."""
    (found,) = find_gauges(drawn.pixels, drawn.texts)
    return found


def off(drawn: Drawn, found: Instrument) -> float:
    """Error in parts of the span."""
    assert found.reading.value is not None
    return abs(float(found.reading.value) - drawn.style.value) / drawn.span


@pytest.mark.parametrize("style", [ROUND, SECTOR, DARK])
def test_value_unit_and_uncertainty(style: Style) -> None:
    """A plain dial, round or sector, dark or light, is read within 2 % of its span, with its unit, and how sure."""
    drawn = draw(style)
    found = read(drawn)
    assert off(drawn, found) <= TOLERANCE
    assert found.reading.unit == style.unit
    assert found.reading.kind == "gauge"
    assert found.reading.read_by == "geometry"
    assert found.reading.flags == ()
    assert found.reading.uncertainty is not None
    assert abs(float(found.reading.value or 0) - style.value) <= 2 * found.reading.uncertainty


def test_many_photos_of_many_dials() -> None:
    """Of random dials on bad photos most are read within 2 % of the span, and none is wrong without a flag."""
    right = said = 0
    for seed in range(300, 324):
        drawn = draw(random_style(seed))
        for found in find_gauges(drawn.pixels, drawn.texts):
            if found.reading.value is None or found.reading.flags:
                continue
            said += 1
            right += off(drawn, found) <= TOLERANCE
            bound = max(0.03, 2 * (found.reading.uncertainty or 0) / drawn.span)
            assert off(drawn, found) <= bound, f"seed {seed}: {found.reading}"
    assert said >= 18
    assert right >= 0.9 * said


def test_misread_number_is_outvoted() -> None:
    """One number that the reader got wrong does not move the value."""
    drawn = draw(ROUND)
    texts = tuple(replace(t, text="48") if t.text == "4" else t for t in drawn.texts)
    assert off(drawn, read(replace(drawn, texts=texts))) <= TOLERANCE


def test_lost_point_is_found_by_the_others() -> None:
    """`08` between 0.6 and 1 is 0.8."""
    drawn = draw(replace(ROUND, high=1.0, step=0.2, value=0.72))
    texts = tuple(replace(t, text=t.text.replace("0.8", "08")) for t in drawn.texts)
    assert off(drawn, read(replace(drawn, texts=texts))) <= TOLERANCE


def test_zero_that_the_needle_hides() -> None:
    """A needle at rest hides the zero; the ticks tell where it is."""
    drawn = draw(replace(ROUND, value=0.15))
    texts = tuple(t for t in drawn.texts if t.text != "0")
    assert off(drawn, read(replace(drawn, texts=texts))) <= TOLERANCE


def test_hidden_zero_of_a_bent_scale() -> None:
    """How the first division of a bent scale is bent is not known: a needle in it has no value while zero is unread."""
    drawn = draw(replace(SECTOR, value=40, bend=1.6))
    texts = tuple(t for t in drawn.texts if t.text != "0")
    for found in find_gauges(drawn.pixels, texts):
        assert found.reading.value is None or found.reading.flags


def test_two_needles_are_not_chosen_between() -> None:
    """Two lines that are equally plain: no value, and the reason."""
    reading = read(draw(replace(ROUND, second_needle=2.2))).reading
    assert reading.value is None
    assert "no-value" in reading.flags
    assert "more than one line" in reading.why


def test_no_needle() -> None:
    """A dial without a needle has no value."""
    reading = read(draw(replace(ROUND, reach=0.1, tail=0.0))).reading
    assert reading.value is None
    assert "no line" in reading.why


def test_set_point_mark_is_no_needle() -> None:
    """A red mark at the rim does not move the value."""
    drawn = draw(replace(ROUND, marker=True))
    assert off(drawn, read(drawn)) <= TOLERANCE


def test_beyond_the_last_number() -> None:
    """A needle over the end of the scale is told as over-range, or not at all."""
    reading = read(draw(replace(ROUND, value=10.35))).reading
    assert reading.value is None or "over-range" in reading.flags


def test_two_scales() -> None:
    """Of two scales the one in larger print is read."""
    drawn = draw(replace(ROUND, second_scale=14.5))
    assert off(drawn, read(drawn)) <= TOLERANCE


def test_printed_value_that_disagrees() -> None:
    """A value printed in the dial that the needle does not show is told."""
    drawn = draw(replace(ROUND, captions=(), unit=""))
    below = (180, 255, 220, 275)
    agreeing = replace(drawn, texts=(*drawn.texts, Text("6.3", below, 0.99)))
    differing = replace(drawn, texts=(*drawn.texts, Text("3.9 bar", below, 0.99)))
    assert "needle-disagrees" not in read(agreeing).reading.flags
    assert "needle-disagrees" in read(differing).reading.flags


def test_numbers_of_the_scale_are_taken() -> None:
    """Nothing else may pair the numbers of a scale, or a standard printed on it."""
    drawn = draw(ROUND)
    taken = {drawn.texts[i].text for i in read(drawn).sources}
    assert taken == {"0", "2", "4", "6", "8", "10", "bar", "EN 837-1"}


@pytest.mark.parametrize("step", [1, 5])
def test_table_is_no_gauge(step: int) -> None:
    """Numbers in rows and columns are no scale."""
    pixels = np.full((400, 600, 3), 255, np.uint8)
    pixels[::40] = 0
    pixels[:, ::80] = 0
    texts = [
        Text(str(step * (row + column)), (80 * column + 25, 40 * row + 10, 80 * column + 55, 40 * row + 30), 1.0)
        for row in range(10)
        for column in range(7)
    ]
    assert find_gauges(pixels, texts) == ()


def test_clock_is_no_gauge() -> None:
    """Twelve hours around a clock are no scale."""
    clock = draw(replace(ROUND, low=0, high=12, step=1, start=270, sweep=360, value=4, unit=""))
    assert find_gauges(clock.pixels, clock.texts[1:]) == ()


numbers = st.sampled_from(["0", "1", "2", "3", "4", "10", "-5", "0.5", "05", "bar", "x100", "", "٣", "1e9", "6 7"])
boxes = st.tuples(*[st.integers(-20, 400)] * 2, *[st.integers(0, 60)] * 2)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 160), st.integers(1, 160)),
    texts=st.lists(st.tuples(numbers, boxes), max_size=12),
    data=st.data(),
)
def test_any_picture_and_texts(
    shape: tuple[int, int], texts: list[tuple[str, tuple[int, int, int, int]]], data: st.DataObject
) -> None:
    """Nothing that comes from outside makes it fail, and what it says is finite."""
    seed = data.draw(hnp.arrays(np.uint8, (8, 8, 3)))
    pixels: NDArray[np.uint8] = np.resize(seed, (*shape, 3))
    given_texts = [Text(text, (x, y, x + wide, y + tall), 0.9) for text, (x, y, wide, tall) in texts]
    for found in find_gauges(pixels, given_texts):
        assert found.reading.value is None or math.isfinite(float(found.reading.value))


@pytest.mark.weights
def test_with_the_real_reader(weights_env: Env) -> None:
    """With the real reader, numbers and all, most photos are read and none is wrong without a flag."""
    engine, _ = open_engine(weights_env)
    assert engine is not None
    right = 0
    for seed in range(400, 406):
        drawn = draw(random_style(seed))
        for found in find_gauges(drawn.pixels, engine.read(drawn.pixels), engine):
            if found.reading.value is not None and not found.reading.flags:
                assert off(drawn, found) <= max(0.03, 2 * (found.reading.uncertainty or 0) / drawn.span)
                right += 1
    engine.close()
    assert right >= 4


@pytest.mark.parametrize("shape", [(1, 20_000, 3), (20_000, 1, 3), (1, 1, 3), (2, 5_000, 3)])
def test_slivers_hold_no_gauge(shape: tuple[int, int, int]) -> None:
    """A picture that is nearly a line is looked at like any other, and nothing fails."""
    assert find_gauges(np.zeros(shape, np.uint8), ()) == ()
