"""The text engine: what the detectors add to each other, what recognisers get wrong and how it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from agent.env import Env
from agent.errors import ModelError
from agent.settings import PanelSettings
from plugins.panel.texts import lines as text_lines
from plugins.panel.texts.crops import bounds, clockwise, ink_of, runs, straightened, unstacked
from plugins.panel.texts.finder import Place, joined
from plugins.panel.texts.lines import NOTHING, Line
from plugins.panel.texts.ocr import open_engine
from plugins.panel.texts.ppocr import PpOcr
from plugins.panel.texts.repairs import clearer, cut_sides, goes_on, repaired, with_its_point

Pixels = NDArray[np.uint8]
CROPS = arrays.arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60), st.just(3)))


def corners(left: float, top: float, right: float, bottom: float) -> NDArray[np.float32]:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def drawn(
    *texts: tuple[int, int, str], size: tuple[int, int], px: int = 20, ink: str = "white", ground: str = "black"
) -> Pixels:
    """Texts at places, in Pillow's own font."""
    image = Image.new("RGB", size, ground)
    pen = ImageDraw.Draw(image)
    for left, top, text in texts:
        pen.text((left, top), text, fill=ink, font=ImageFont.load_default(px))
    return np.asarray(image)


@pytest.fixture
def engine(weights_env: Env) -> Iterator[PpOcr]:
    """The real reader on one thread."""
    settings = weights_env.settings.model_copy(update={"panel": PanelSettings(threads=1)})
    reader, _ = open_engine(replace(weights_env, settings=settings))
    assert isinstance(reader, PpOcr)
    yield reader
    reader.close()


def seen(engine: PpOcr, pixels: Pixels) -> set[str]:
    return {text.text for text in engine.read(pixels)}


def test_what_two_detectors_see_is_each_text_once() -> None:
    """The same box is kept, a cut one becomes whole, a missed one is added; who saw it alone is known."""
    first = [corners(0, 0, 50, 10), corners(100, 0, 150, 10), corners(0, 50, 40, 60)]
    second = [corners(1, 0, 51, 10), corners(100, 0, 180, 10), corners(200, 50, 240, 60)]
    found = joined(first, second)
    boxes = [(bounds(place.corners, (100, 300)), place.agreed) for place in found]
    assert boxes == [
        ((0, 0, 50, 10), True),
        ((100, 0, 180, 10), True),
        ((0, 50, 40, 60), False),
        ((200, 50, 240, 60), False),
    ]


def test_a_box_over_two_texts_does_not_replace_them() -> None:
    """Where one detector sees two texts and the other one long one, the two stay apart."""
    apart = [corners(0, 0, 50, 10), corners(70, 0, 120, 10)]
    assert [place.corners.tolist() for place in joined(apart, [corners(0, 0, 120, 10)])] == [c.tolist() for c in apart]
    assert joined([], apart) == [Place(c, False) for c in apart] and joined([], []) == []


@pytest.mark.parametrize(
    ("read", "printed"),
    [
        ("Dl a", "DI a"), ("Al 3", "AI 3"), ("HMl", "HMI"), ("lP address", "IP address"), ("DlSPLAY", "DISPLAY"),
        ("Al2O3", "Al2O3"), ("Nl/min", "Nl/min"), ("Cl 0.5 mg/l", "Cl 0.5 mg/l"), ("Oil level", "Oil level"),
    ],
)  # fmt: skip
def test_a_small_l_between_capitals_is_an_i(read: str, printed: str) -> None:
    """And nowhere else: normal litres and chlorine stay what they are."""
    assert repaired(Line(read, 0.98), np.zeros((20, 60, 3), np.uint8)).text == printed


def bars(*widths: int, gap: int, flag: bool = False) -> Pixels:
    """White strokes on black, 20 pixels tall, the first followed by a gap; with a flag it is a one."""
    image = np.zeros((28, 120, 3), np.uint8)
    left = 8
    for index, width in enumerate(widths):
        image[4:24, left : left + width] = 255
        if index == 0 and flag:
            image[6:10, left - 4 : left] = 255
        left += width + (gap if index == 0 else 4)
    return image


def test_a_bar_and_a_gap_before_a_bit_address_is_an_input() -> None:
    """`I 0.4` is read as 10.4; a one has a flag, a number has no gap, and neither is changed."""
    assert repaired(Line("10.4", 0.99), bars(4, 10, 3, 10, gap=12)).text == "I 0.4"
    assert repaired(Line("1 0.4", 0.99), bars(4, 10, 3, 10, gap=12)).text == "I 0.4"
    assert repaired(Line("10.4", 0.99), bars(4, 10, 3, 10, gap=12, flag=True)).text == "10.4"
    assert repaired(Line("10.4", 0.99), bars(4, 10, 3, 10, gap=4)).text == "10.4"
    assert repaired(Line("10.9", 0.99), bars(4, 10, 3, 10, gap=12)).text == "10.9"


def test_of_two_readers_the_one_that_saw_the_point_is_believed_with_the_lower_score() -> None:
    """Points and signs get lost, and are not invented; other differences are not decided here."""
    assert with_its_point(Line("436", 0.99), Line("4.36", 0.9)) == Line("4.36", 0.9)
    assert with_its_point(Line("-124", 0.9), Line("124", 0.99)) == Line("-124", 0.9)
    assert with_its_point(Line("437", 0.8), Line("4.36", 0.9)) == Line("437", 0.8)


def test_a_number_that_its_box_cuts_is_known() -> None:
    """Ink at an edge says so, a frame does not; more digits in a wider crop settle it, a tick mark does not."""
    crop = bars(4, 10, 3, 10, gap=12)
    assert cut_sides(crop) == (False, False)
    assert cut_sides(crop[:, 10:]) == (True, False)
    framed = crop.copy()
    framed[:, 0] = 255
    assert cut_sides(framed) == (False, False)
    assert goes_on(Line("22", 0.99), Line("221.0", 0.9)) and goes_on(Line("60", 0.99), Line("160", 0.9))
    assert not goes_on(Line("50", 0.99), Line("50-", 0.9)) and not goes_on(Line("7", 0.99), Line("1", 0.9))


@given(CROPS)
def test_no_crop_is_too_odd_to_be_looked_at(crop: Pixels) -> None:
    """Ink is a share, stacks are lines or none, whatever the pixels are."""
    ink = ink_of(crop)
    assert ink.shape == crop.shape[:2] and ink.min() >= 0 and ink.max() <= 1
    line = unstacked(crop)
    assert line is None or (line.dtype == np.uint8 and min(line.shape) > 0)
    clear = clearer(crop)
    assert clear is None or clear.shape == crop.shape
    assert len(cut_sides(crop)) == 2
    assert repaired(Line("10.4", 0.9), crop).text in ("10.4", "I 0.4")


@given(arrays.arrays(np.float32, (4, 2), elements=st.floats(0, 40, width=32)))
def test_any_four_points_give_a_crop(points: NDArray[np.float32]) -> None:
    """Corners that lie on each other, too."""
    image = np.zeros((40, 40, 3), np.uint8)
    assert min(straightened(image, clockwise(points)).shape) > 0


@given(st.lists(st.booleans()))
def test_runs_are_exactly_what_is_marked(marked: list[bool]) -> None:
    """Start and end of each, in order."""
    again = np.zeros(len(marked), bool)
    for start, end in runs(np.array(marked, bool)):
        assert start < end and not again[start:end].any()
        again[start:end] = True
    assert again.tolist() == marked


def test_glyphs_below_each_other_are_laid_side_by_side() -> None:
    """Three squares with gaps become one line; one tall stroke is no stack."""
    image = np.zeros((80, 20, 3), np.uint8)
    for top in (4, 30, 56):
        image[top : top + 16, 2:18] = 255
    line = unstacked(image)
    assert line is not None and line.shape[1] == 3 * line.shape[0]
    image[4:72, 2:18] = 255
    assert unstacked(image) is None


@pytest.mark.weights
@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (3, 2000), (33, 31)])
def test_any_shape_is_read(engine: PpOcr, shape: tuple[int, int]) -> None:
    """A photo of one pixel has no text, and that is no error."""
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    engine.read(noise)
    assert len(engine.read_boxes(noise, [(0, 0, 1, 1)], margin=0.2)) == 1
    assert engine.read(np.zeros((*shape, 3), np.uint8)) == ()


@pytest.mark.weights
def test_short_numbers_keep_sign_and_point(engine: PpOcr) -> None:
    """On light and dark ground, at the sizes that panels have."""
    numbers = ["4.36", "-12.4", "0.05", "7", "-3", "98.6", "100.0", "1.1"]
    for px in (12, 16, 24, 40):
        places = [(12 + 160 * (i % 4), 12 + 70 * (i // 4), number) for i, number in enumerate(numbers)]
        for ink, ground in (("white", "navy"), ("black", "lightgrey")):
            assert seen(engine, drawn(*places, size=(660, 150), px=px, ink=ink, ground=ground)) >= set(numbers)


@pytest.mark.weights
def test_text_that_runs_upwards_or_downwards_is_read(engine: PpOcr) -> None:
    """A pipe's name is written along it."""
    for turns in (1, 3):
        assert "RETURN LINE" in seen(engine, np.rot90(drawn((20, 20, "RETURN LINE"), size=(200, 60)), turns).copy())


@pytest.mark.weights
def test_faint_text_is_read(engine: PpOcr) -> None:
    """A greyed label is a label."""
    assert "Feed pump" in seen(engine, drawn((20, 20, "Feed pump"), size=(200, 60), ink="#3c4450", ground="#20262e"))


@pytest.mark.weights
def test_a_thin_stroke_between_words_is_not_lost(engine: PpOcr) -> None:
    """Two spaces in a row say that a glyph stood between them."""
    assert not any(
        "  " in text for text in seen(engine, drawn((8, 8, "Plant | Boiler 2 | Feed"), size=(260, 40), px=14))
    )


@pytest.mark.weights
def test_a_line_is_read_once(engine: PpOcr, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same screen again costs the search for text alone; what was forgotten is read again, and alike."""
    screen = drawn((20, 20, "Supply 62.5 °C"), (20, 60, "Return 41.0 °C"), size=(300, 100))
    first = engine.read(screen)
    with monkeypatch.context() as patch:
        patch.setattr(text_lines, "run", lambda *_: pytest.fail("a line was read twice"))
        assert engine.read(screen) == first
    engine.forget()
    assert engine.read(screen) == first and first


@pytest.mark.weights
def test_threads_change_the_time_alone(weights_env: Env) -> None:
    """One thread and several read the same."""
    screen = drawn(*((20 + 150 * (i % 3), 10 + 40 * (i // 3), f"{i * 7.5} kW") for i in range(12)), size=(480, 180))
    looks = []
    for threads in (1, 3):
        settings = weights_env.settings.model_copy(update={"panel": PanelSettings(threads=threads)})
        reader, _ = open_engine(replace(weights_env, settings=settings))
        assert reader is not None
        texts = reader.read(screen)
        looks.append((texts, reader.read_boxes(screen, [text.box for text in texts], margin=0.2, other=True)))
        reader.close()
    assert looks[0] == looks[1] and len(looks[0][0]) == 12


@pytest.mark.weights
def test_a_second_look_is_given_for_each_box_in_order(engine: PpOcr) -> None:
    """One text for each box, empty where nothing stands, also for a box outside of the image."""
    screen = drawn((20, 20, "12.5"), (200, 20, "Pump"), size=(300, 60))
    boxes = [(196, 18, 256, 44), (100, 50, 110, 58), (16, 18, 66, 44), (900, 900, 950, 950)]
    for other in (False, True):
        looks = engine.read_boxes(screen, boxes, margin=0.1, other=other)
        assert [look.box for look in looks] == boxes
        assert [look.text for look in looks] == ["Pump", "", "12.5", ""]


@pytest.mark.weights
def test_the_tiny_reader_alone_and_the_small_one_alone_read(weights_env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever sizes a box has, one of them reads, and its name says which."""
    screen = drawn((20, 20, "Level 45 %"), size=(200, 60))
    names = set()
    for size in ("tiny", "small"):
        settings = weights_env.settings.model_copy(update={"panel": PanelSettings(threads=1, ocr=size)})
        with monkeypatch.context() as patch:
            patch.setattr("plugins.panel.texts.ocr._screen", lambda *_: None)
            reader, _ = open_engine(replace(weights_env, settings=settings))
        assert isinstance(reader, PpOcr) and seen(reader, screen) == {"Level 45 %"}
        names.add(reader.name)
        reader.close()
        with pytest.raises(ModelError, match="closed"):
            reader.read(screen)
    assert len(names) == 2 and NOTHING.text == ""
