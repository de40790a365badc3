"""Bands that are filled to a value, and dials on coloured bands: the value, or nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.api import Env, Text
from plugins.panel.gauges import find_gauges
from plugins.panel.texts.ocr import open_engine
from tests.band_drawings import Band, draw_band, random_band

TOLERANCE = 0.02
"""Of the span."""
GREEN, YELLOW, RED = (40, 180, 90), (250, 220, 0), (230, 60, 60)
ZONED = Band(value=35, steps=4, zones=((0.6, GREEN), (0.8, YELLOW), (1.0, RED)), needle=True, sweep=220, start=160)


def off(band: Band, value: str | None) -> float:
    """Error in parts of the span."""
    assert value is not None
    return abs(float(value) - band.value) / (band.high - band.low)


def test_fill_between_two_numbers() -> None:
    """A band with a number at each end is read from how far it is filled, with its name and unit."""
    band = Band()
    pixels, texts = draw_band(band)
    (found,) = find_gauges(pixels, texts)
    assert off(band, found.reading.value) <= TOLERANCE
    assert (found.reading.label, found.reading.unit, found.reading.kind) == ("Feed pressure", "%", "gauge")
    assert found.reading.flags == ()
    assert {texts[i].text for i in found.sources} == {"0", "100"}


def test_many_looks() -> None:
    """Of bands of many sizes, colours and sweeps most are read, and none is wrong."""
    read = 0
    for seed in range(40):
        band = random_band(seed)
        for found in find_gauges(*draw_band(band)):
            read += 1
            assert off(band, found.reading.value) <= TOLERANCE, f"seed {seed}: {found.reading}"
    assert read >= 32


def test_value_in_the_middle_stays_free() -> None:
    """A value that is printed in the band is no number of its scale."""
    pixels, texts = draw_band(Band(printed="60"))
    (found,) = find_gauges(pixels, texts)
    assert off(Band(), found.reading.value) <= TOLERANCE
    assert "60" not in {texts[i].text for i in found.sources}


def test_fill_that_the_printed_value_denies() -> None:
    """Where fill and printed value differ, one of them was misread: the band says nothing, and why."""
    pixels, texts = draw_band(Band(printed="35"))
    (found,) = find_gauges(pixels, texts)
    assert found.reading.value is None
    assert "35 is printed" in found.reading.why
    assert {texts[i].text for i in found.sources} == {"0", "100"}


@pytest.mark.parametrize("value", [0.0, 100.0])
def test_empty_and_full_bands_are_not_guessed(value: float) -> None:
    """Of one colour alone it cannot be told whether it is the fill or the track."""
    assert find_gauges(*draw_band(Band(value=value))) == ()


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_zone_behind_a_needle_is_no_fill(share: float) -> None:
    """A band of a colour and a pale rest is a zone where a needle stands before it."""
    band = replace(ZONED, zones=((share, GREEN), (1.0, (232, 232, 232))), value=80)
    for found in find_gauges(*draw_band(band)):
        assert off(band, found.reading.value) <= TOLERANCE


def test_needle_on_a_coloured_band() -> None:
    """A dial without a case and without ticks is found by its band, and read by its needle."""
    (found,) = find_gauges(*draw_band(ZONED))
    assert off(ZONED, found.reading.value) <= TOLERANCE


def test_end_of_the_band_is_the_end_of_the_scale() -> None:
    """Where the first number was not read, the band tells that the scale goes on for one step."""
    band = replace(ZONED, value=12)
    pixels, texts = draw_band(band)
    (found,) = find_gauges(pixels, [text for text in texts if text.text != "0"])
    assert off(band, found.reading.value) <= TOLERANCE


def test_nothing_in_plain_places() -> None:
    """A ring without numbers, and numbers without a ring, are no gauge."""
    pixels, texts = draw_band(Band())
    assert find_gauges(pixels, [text for text in texts if not text.text.isdigit()]) == ()
    assert find_gauges(np.full_like(pixels, 240), texts) == ()


def test_misread_end_is_not_believed_against_the_middle() -> None:
    """`100` read as `700` contradicts the value in the middle, and nothing is said."""
    pixels, texts = draw_band(Band(printed="60"))
    wrong = [replace(text, text="700") if text.text == "100" else text for text in texts]
    for found in find_gauges(pixels, wrong):
        assert found.reading.value is None


@pytest.mark.weights
def test_turned_numbers_are_read_on_a_strip(weights_env: Env) -> None:
    """Numbers that are turned with the dial, of which a reader sees only the upper ones, are read all around."""
    band = replace(ZONED, turned=True, value=90)
    pixels, _ = draw_band(band)
    engine, _ = open_engine(weights_env)
    assert engine is not None
    texts: tuple[Text, ...] = engine.read(pixels)
    (found,) = find_gauges(pixels, texts, engine)
    assert off(band, found.reading.value) <= TOLERANCE
