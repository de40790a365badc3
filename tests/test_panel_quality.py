"""A photo's faults are named, a screenshot has none, and what is done about them lets the reader see more."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from agent.env import Env
from plugins.panel.photos.quality import clear_view, is_drawn, measure_quality
from plugins.panel.texts.ocr import open_engine
from tests.photo_scenes import Damage, photograph

SHOTS = sorted(Path(__file__).parent.glob("data/panels/*.png"))


def shot(name: str) -> NDArray[np.uint8]:
    with Image.open(next(path for path in SHOTS if name in path.name)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("path", SHOTS, ids=lambda path: path.stem)
def test_a_screenshot_is_perfect(path: Path) -> None:
    """Nobody is told to move closer to a screenshot, and its pixels go to the reader as they are."""
    pixels = shot(path.name)
    quality = measure_quality(pixels)
    assert is_drawn(pixels)
    assert (quality.sharpness, quality.light, quality.glare, quality.moire) == (1, 1, 1, 1)
    assert quality.advice == ()
    assert clear_view(pixels, quality) is pixels


@pytest.mark.parametrize("path", SHOTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("seed", range(3))
def test_a_good_photo_gets_no_advice(path: Path, seed: int) -> None:
    """A photo in good light is a photo, and there is nothing to be done better."""
    photo = photograph(shot(path.name), seed, Damage(tilt=0.04, roll=3, gradient=0.2)).pixels
    assert not is_drawn(photo)
    assert measure_quality(photo).advice == ()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (Damage(blur=4), "blurred"),
        (Damage(light=0.15, noise=3), "dark"),
        (Damage(moire=0.8, fill=0.9, roll=2), "pattern"),
        (Damage(glare=0.14), "reflection"),
    ],
    ids=["blur", "dark", "moire", "glare"],
)
def test_what_is_wrong_is_said_first(damage: Damage, said: str) -> None:
    """The worst fault of a photo leads the advice, in both languages."""
    advice = measure_quality(photograph(shot("HMI"), 12, damage).pixels).advice
    assert advice and said in advice[0]["en"]
    assert all(word["zh"] and not word["zh"].isascii() for word in advice)


def test_sharpness_falls_with_blur() -> None:
    """More blur never looks sharper."""
    measured = [measure_quality(photograph(shot("HMI"), 1, Damage(blur=b)).pixels).sharpness for b in (0, 1.5, 3, 6)]
    assert measured == sorted(measured, reverse=True)
    assert measured[0] > 0.9 and measured[-1] < 0.3


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))), st.integers(1, 9))
def test_any_picture_can_be_measured(pixels: NDArray[np.uint8], larger: int) -> None:
    """Whatever the size and content, every measure lies between 0 and 1, and the view keeps the shape."""
    pixels = np.repeat(pixels, larger, axis=1)
    quality = measure_quality(pixels)
    assert all(0 <= value <= 1 for value in (quality.sharpness, quality.light, quality.glare, quality.moire))
    assert clear_view(pixels, quality).shape == pixels.shape


@pytest.mark.weights
@pytest.mark.parametrize(
    "damage",
    [Damage(moire=1.0, fill=0.95, roll=1), Damage(light=0.08, noise=2)],
    ids=["moire", "dark"],
)
def test_more_is_read_after_the_view_was_cleared(weights_env: Env, damage: Damage) -> None:
    """Taking out the screen's pattern, or lifting a dark photo, brings texts back that the reader did not find."""
    engine, _ = open_engine(weights_env)
    assert engine is not None
    panel = shot("web_table")
    there = _words(engine.read(panel))
    photo = photograph(panel, 1, damage).pixels
    before = _words(engine.read(photo)) & there
    after = _words(engine.read(clear_view(photo, measure_quality(photo)))) & there
    engine.close()
    assert len(after) >= len(before) + 2


def _words(texts: object) -> set[str]:
    assert isinstance(texts, tuple)
    return {"".join(unicodedata.normalize("NFKC", text.text).split()) for text in texts}
