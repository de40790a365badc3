"""A photo is brought into the position it is read in: turned, straightened, and left alone where neither is sure."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from agent.api import Box, Env, Text
from agent.settings import Settings
from plugins.panel.photos.rectify import find_screen, mapped_box, straighten
from plugins.panel.photos.slope import find_slope, text_slopes
from plugins.panel.photos.upright import find_turn, turned, upright
from plugins.panel.texts.ocr import OcrEngine, open_engine
from tests.photo_scenes import Damage, Shot, photograph

Pixels = NDArray[np.uint8]
PANELS = Path(__file__).parent / "data" / "panels"
SHOTS = sorted(PANELS.glob("*.png"))
SETTINGS = Settings().panel


def shot(name: str) -> Pixels:
    with Image.open(next(path for path in SHOTS if name in path.name)) as image:
        return np.asarray(image.convert("RGB"))


class Silent:
    """An engine that reads nothing, and counts how often it looked."""

    name = "silent"

    def __init__(self) -> None:
        self.looks: list[tuple[int, ...]] = []

    def read(self, pixels: Pixels) -> tuple[Text, ...]:
        self.looks.append(pixels.shape)
        return ()

    def read_boxes(
        self, pixels: Pixels, boxes: Sequence[Box], *, margin: float, other: bool = False
    ) -> tuple[Text, ...]:
        return tuple(Text("", box, 0.0) for box in boxes)

    def close(self) -> None:
        return


@pytest.fixture
def engine(weights_env: Env) -> Iterator[OcrEngine]:
    opened, _ = open_engine(weights_env)
    assert opened is not None
    yield opened
    opened.close()


def words(texts: Sequence[Text]) -> set[str]:
    return {"".join(unicodedata.normalize("NFKC", text.text).split()) for text in texts}


@pytest.mark.parametrize("path", SHOTS, ids=lambda path: path.stem)
def test_a_screenshot_has_no_outline(path: Path) -> None:
    """What is straight already is not warped."""
    assert find_screen(shot(path.name)) is None


@pytest.mark.parametrize("path", SHOTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("seed", range(5))
def test_a_slanted_screen_is_found_and_straightened(path: Path, seed: int) -> None:
    """The outline of a screen lies on its frame, and after the warp its sides are level and upright."""
    chance = np.random.default_rng(seed)
    damage = Damage(tilt=0.05, roll=float(chance.uniform(3, 9)), fill=float(chance.uniform(0.6, 0.85)), blur=0.8)
    taken = photograph(shot(path.name), seed, damage)
    corners = find_screen(taken.pixels)
    assert corners is not None
    away = np.linalg.norm(corners - taken.corners, axis=1)
    assert away.max() <= 0.06 * np.linalg.norm(taken.corners[2] - taken.corners[0])
    _, matrix = straighten(taken.pixels, corners)
    assert _slant(taken, matrix) <= 1.0


def _slant(taken: Shot, matrix: NDArray[np.float64]) -> float:
    """Degrees that the panel's upper and left sides are off level and upright after the warp."""
    ends = np.array([matrix @ [x, y, 1] for x, y in taken.corners])
    flat = ends[:, :2] / ends[:, 2:]
    across, down = flat[1] - flat[0], flat[3] - flat[0]
    return float(np.degrees(max(abs(np.arctan2(across[1], across[0])), abs(np.arctan2(down[0], down[1])))))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_any_picture_can_be_brought_upright(rows: int, columns: int, seed: int, larger: int) -> None:
    """Noise, blocks and slivers of any size come back as a picture."""
    chance = np.random.default_rng(seed)
    pixels = np.repeat(chance.integers(0, 256, (rows, columns, 3), np.uint8), larger, axis=0)
    found = upright(pixels, Silent(), SETTINGS)
    assert found.turned == 0 and min(found.pixels.shape[:2]) >= 1
    assert found.view.shape == found.pixels.shape


@pytest.mark.parametrize("shape", [(1, 20_000), (20_000, 1), (1, 1), (2, 3)])
def test_slivers_are_upright(shape: tuple[int, int]) -> None:
    """The thinnest picture that the decoder lets through is no reason to fail."""
    assert upright(np.full((*shape, 3), 90, np.uint8), Silent(), SETTINGS).corners is None


def test_edges_of_dense_lattices_cost_no_memory() -> None:
    """Edges are found on any lattice in a process that lives on; OpenCV's own way through IPP ends it."""
    work = (
        "import cv2, numpy as np; from plugins.panel.photos.edges import find_edges\n"
        "cv2.setNumThreads(1)\n"
        "for step in range(2, 32):\n"
        "    lattice = np.full((377, 800), 250, np.uint8)\n"
        "    lattice[::step] = lattice[:, :: 33 - step] = 5\n"
        "    blurred = cv2.GaussianBlur(lattice, (3, 3), 0)\n"
        "    for _ in range(3): find_edges(blurred, 40, 110)\n"
    )
    done = subprocess.run([sys.executable, "-c", work], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_turns_are_clockwise_and_lossless() -> None:
    """Four quarter turns give the picture back."""
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert np.array_equal(turned(pixels, 90)[0, 0], pixels[1, 0])
    assert np.array_equal(turned(turned(pixels, 270), 90), pixels)
    assert turned(pixels, 0) is pixels


def test_a_picture_without_words_is_not_turned() -> None:
    """Where no word says which way is up, the photo stays as it is."""
    chance = np.random.default_rng(0)
    pixels = chance.integers(0, 256, (200, 300, 3), np.uint8)
    digits = [Text("888", (10, 10, 80, 40), 0.99), Text("0 1 0", (10, 60, 90, 90), 0.98)]
    assert find_turn(pixels, Silent(), digits) == 0


def test_lines_that_disagree_have_no_slope() -> None:
    """A few texts, level ones, or texts at odds with each other do not tilt the picture; those that agree do."""
    assert find_slope([5.0, 5.0]) == 0.0
    assert find_slope([0.4, 0.5, 0.6, 0.2]) == 0.0
    assert find_slope([5.0, -6.0, 11.0, -2.0]) == 0.0
    assert find_slope([5.2, 5.0, 4.8, 30.0]) == pytest.approx(5.1)


@pytest.mark.parametrize("degrees", [-12.0, -3.0, 0.0, 4.5, 15.0])
def test_the_slope_of_a_line_is_measured(degrees: float) -> None:
    """A line of text tells how far it falls to within half a degree."""
    canvas = np.full((300, 640, 3), 230, np.uint8)
    cv2.putText(canvas, "Pump 3 outlet", (120, 160), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (20, 30, 40), 3, cv2.LINE_AA)
    matrix = cv2.getRotationMatrix2D((320, 150), -degrees, 1.0)
    tilted = cv2.warpAffine(canvas, matrix, (640, 300), borderValue=(230, 230, 230))
    ink = cv2.boundingRect((tilted.min(axis=2) < 128).astype(np.uint8))
    box = ink[0], ink[1], ink[0] + ink[2], ink[1] + ink[3]
    slopes = text_slopes(tilted, [Text("Pump 3 outlet", box, 0.9)])
    assert slopes == [pytest.approx(degrees, abs=0.5)]


@pytest.mark.weights
def test_a_screenshot_is_looked_at_once(engine: OcrEngine) -> None:
    """Nothing is paid for photos where there is none."""

    class Counted(Silent):
        def read(self, pixels: Pixels) -> tuple[Text, ...]:
            super().read(pixels)
            return engine.read(pixels)

    for path in SHOTS:
        counted, pixels = Counted(), shot(path.name)
        found = upright(pixels, counted, SETTINGS)
        assert len(counted.looks) == 1
        assert found.pixels is pixels and found.view is pixels
        assert (found.turned, found.corners, found.matrix) == (0, None, None)


@pytest.mark.weights
@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_photo_that_was_taken_the_wrong_way_up_is_turned(engine: OcrEngine, degrees: int) -> None:
    """A panel on its side or head is turned back, whatever stands on it."""
    for path in SHOTS:
        wrong = turned(shot(path.name), 360 - degrees)
        assert find_turn(wrong, engine, engine.read(wrong)) == degrees


@pytest.mark.weights
def test_a_slanted_photo_reads_as_the_screen_does(engine: OcrEngine) -> None:
    """Texts of a screen are found again in a photo of it, where its geometry says they are."""
    panel = shot("web_table")
    there = engine.read(panel)
    taken = photograph(panel, 5, Damage(tilt=0.05, roll=8, fill=0.85, gradient=0.3, blur=0.5))
    found = upright(taken.pixels, engine, SETTINGS)
    assert found.matrix is not None
    again = words(found.texts) & words(there)
    assert len(again) >= 0.8 * len(words(there))
    assert len(again) >= len(words(engine.read(taken.pixels)) & words(there)) - 2
    _assert_places(found.texts, there, found.matrix @ taken.matrix)


def _assert_places(texts: Sequence[Text], there: Sequence[Text], matrix: NDArray[np.float64]) -> None:
    once = {text.text: text for text in there if len(text.text) >= 6 and sum(t.text == text.text for t in there) == 1}
    off = []
    for text in texts:
        if text.text in once:
            left, top, right, bottom = mapped_box(once[text.text].box, matrix)
            off.append(abs((left + right) / 2 - (text.box[0] + text.box[2]) / 2) / (bottom - top))
            off.append(abs((top + bottom) / 2 - (text.box[1] + text.box[3]) / 2) / (bottom - top))
    assert len(off) >= 20
    assert np.median(off) <= 0.2
