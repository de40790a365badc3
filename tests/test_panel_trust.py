"""Numbers that can be trusted or are flagged: ink, further looks, format, range, and what confidence is worth."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent.perception import Box, Reading, Text, number_of
from agent.settings import PanelSettings
from plugins.panel.layouts.layout import Layout
from plugins.panel.numbers.calibration import Features, confidence, reliability
from plugins.panel.numbers.formats import format_doubts
from plugins.panel.numbers.ink import Ink, look_at
from plugins.panel.numbers.trust import Checked, check_numbers, marked

Pixels = NDArray[np.uint8]
FONT = cv2.FONT_HERSHEY_SIMPLEX
SURE = Features(
    score=0.999,
    second=None,
    second_score=0.0,
    third=None,
    supported=True,
    contradicted=False,
    lead=0.0,
    stretch=0.0,
    hidden=False,
    bare=False,
    digit_px=14.0,
    characters=4,
)


class Looks:
    """A reader whose further looks are written down; it remembers what it was asked."""

    name = "looks"

    def __init__(self, *looks: Sequence[str]) -> None:
        self._looks = list(looks)
        self.asked: list[int] = []

    def read(self, pixels: Pixels) -> tuple[Text, ...]:
        return ()

    def read_boxes(
        self, pixels: Pixels, boxes: Sequence[Box], *, margin: float, other: bool = False
    ) -> tuple[Text, ...]:
        self.asked.append(len(boxes))
        return tuple(Text(text, box, 0.95) for text, box in zip(self._looks.pop(0), boxes, strict=True))

    def close(self) -> None:
        pass


def drawn(text: str, *, scale: float = 0.7, frame: bool = False) -> tuple[Pixels, Box]:
    """Black strokes on white, and the box a detector would give."""
    pixels = np.full((60, 320, 3), 255, np.uint8)
    (wide, tall), base = cv2.getTextSize(text, FONT, scale, 2)
    cv2.putText(pixels, text, (60, 40), FONT, scale, (0, 0, 0), 2, cv2.LINE_AA)
    if frame:
        cv2.rectangle(pixels, (48, 36 - tall), (72 + wide, 52), (90, 90, 90), 1)
    return pixels, (57, 40 - tall - 3, 62 + wide, 40 + base // 2)


def ink_of(text: str, *, digits: int, frame: bool = False) -> Ink:
    pixels, box = drawn(text, frame=frame)
    return look_at(pixels, box, (box[0], box[2]), digits, [])


def check(pixels: Pixels, read: Text, *looks: Sequence[str]) -> tuple[Checked, Looks]:
    engine = Looks(*looks)
    layout = Layout((), (0,), (), frozenset())
    return check_numbers(pixels, engine, (read,), layout, PanelSettings()), engine


@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize(
    ("text", "points", "sign"), [("62.7", 1, ""), ("-124", 0, "-"), ("8.05", 1, ""), ("530", 0, "")]
)
def test_ink_shows_points_and_signs(text: str, points: int, sign: str, frame: bool) -> None:
    """A point on the baseline and a minus before the digits are seen, also inside a frame."""
    ink = ink_of(text, digits=sum(c.isdigit() for c in text), frame=frame)
    assert ink.clear and ink.points == points
    assert (ink.sign or ("-" if ink.leads >= 0.35 else "")) == sign


@pytest.mark.parametrize(("printed", "read"), [("62.7", "627"), ("-124", "124"), ("8.05", "805")])
def test_a_sign_or_point_that_every_look_lost_is_flagged(printed: str, read: str) -> None:
    """All looks agree on the wrong number with full confidence; its ink does not."""
    pixels, box = drawn(printed)
    checked, _ = check(pixels, Text(read, box, 1.0), [read], [read])
    assert checked.texts[0].text == read
    assert checked.doubts[0] == ("disagrees",)


def test_a_look_that_has_what_the_ink_shows_is_taken() -> None:
    """Two looks lost the point, the third has it, and so has the ink."""
    pixels, box = drawn("62.7")
    checked, _ = check(pixels, Text("627", box, 1.0), ["627"], ["62.7"])
    assert (checked.texts[0].text, checked.doubts[0]) == ("62.7", ("disagrees",))


def test_what_is_plain_is_not_read_again() -> None:
    """Large digits whose ink shows exactly what was read cost no second look."""
    pixels, box = drawn("62.7")
    checked, engine = check(pixels, Text("62.7", box, 0.999))
    assert not checked.doubts and not engine.asked and checked.scores[0] > 0.95


def test_letters_among_digits_are_repaired_only_when_looks_agree() -> None:
    """`1O5` becomes 105 where another look reads digits, with a flag; otherwise it stays a word."""
    pixels, box = drawn("105")
    agreed, _ = check(pixels, Text("1O5", box, 0.9), ["105"], ["105"])
    assert agreed.texts[0].text == "105" and "bad-format" in agreed.doubts[0]
    alone, _ = check(pixels, Text("1O5", box, 0.9), ["IDS"], ["xyz"])
    assert alone.texts[0].text == "1O5"


def of(value: str, unit: str = "", label: str = "x", *, top: int = 0) -> Reading:
    return Reading(label, value, unit, "printed", (100, top, 150, top + 16), 0.99)


@pytest.mark.parametrize(
    ("value", "unit", "possible"),
    [
        ("101", "%", True),
        ("-20", "%", False),
        ("627", "%", False),
        ("-273", "°C", True),
        ("-274", "℃", False),
        ("7.2", "pH", True),
        ("72", "pH", False),
        ("-50", "Hz", False),
        ("-3", "rpm", False),
        ("-3", "kW", True),
        ("-12.5", "mm", True),
    ],
)
def test_what_a_unit_allows(value: str, unit: str, possible: bool) -> None:
    """No percentage of hundreds, no temperature below absolute zero, no negative frequency."""
    (flags,) = format_doubts([of(value, unit)], last={}, limits={})
    assert ("out-of-range" in flags) is not possible


def test_one_value_without_decimals_in_a_column_that_has_them() -> None:
    """Ten times as large as its neighbours and without their decimal: a point was lost."""
    column = [of(value, "bar", top=30 * n) for n, value in enumerate(("4.2", "436", "4.1", "3.9", "4.4"))]
    assert [bool(flags) for flags in format_doubts(column, last={}, limits={})] == [False, True, False, False, False]
    plain = [of(value, "bar", top=30 * n) for n, value in enumerate(("42", "436", "41", "39", "44"))]
    assert not any(format_doubts(plain, last={}, limits={}))


@pytest.mark.parametrize(
    ("value", "last", "flags"),
    [("436", 4.36, ("disagrees",)), ("124", -124.0, ("disagrees",)), ("4.5", 4.36, ()), ("0", 4.36, ())],
)
def test_the_last_value_of_the_tag(value: str, last: float, flags: tuple[str, ...]) -> None:
    """A jump by a power of ten, or to the mirror value, is what a lost point or sign looks like."""
    assert format_doubts([of(value)], last={"x": last}, limits={}) == [flags]


def test_the_range_of_the_tag() -> None:
    """A value outside its tag's range is flagged, and its score says that it is doubted."""
    layout = Layout((of("95", "℃"),), (0,), (), frozenset())
    (reading,) = marked(layout, Checked((), {}, {0: 0.99}), limits={"x": (0.0, 80.0)})
    assert reading.flags == ("out-of-range",) and reading.score <= 0.5


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234.5", 1234.5),
        ("12,5", 12.5),
        ("-0.25", -0.25),
        ("1,234", 1234.0),
        ("abc", None),
        (None, None),
        ("nan", None),
    ],
)
def test_numbers_as_people_print_them(text: str | None, number: float | None) -> None:
    """Commas part thousands or decimals; what is no number is none."""
    assert number_of(text) == number


def test_confidence_falls_with_every_doubt() -> None:
    """What speaks against a number never makes it more likely."""
    worse = [
        Features(**{**_fields(SURE), **change})
        for change in (
            {"score": 0.7},
            {"second": False, "third": False, "supported": False},
            {"lead": 0.4},
            {"stretch": 0.6},
            {"digit_px": 5.0, "supported": False},
        )
    ]
    assert confidence(SURE) > 0.97
    assert all(confidence(features) < confidence(SURE) for features in worse)


def _fields(features: Features) -> dict[str, object]:
    return {name: getattr(features, name) for name in Features.__slots__}


def test_the_reliability_table() -> None:
    """Every row is counted once, in its bin, with the share that was right."""
    table = reliability([(0.99, True), (1.0, True), (0.99, False), (0.1, False)])
    assert [(line.count, line.right) for line in table] == [(1, 0.0), (3, pytest.approx(2 / 3))]
    assert reliability([]) == ()


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 40),
    st.integers(1, 60),
    st.integers(0, 255),
    st.data(),
    st.sampled_from(["1", "-2.5", "12 kW", "0.0"]),
)
def test_any_pixels_are_harmless(tall: int, wide: int, seed: int, data: st.DataObject, text: str) -> None:
    """Whatever the crop holds, and wherever the box lies in it, a number is checked without an error."""
    pixels = np.random.default_rng(seed).integers(0, 256, (tall, wide, 3), dtype=np.uint8)
    left, top = data.draw(st.integers(0, wide - 1)), data.draw(st.integers(0, tall - 1))
    box = (left, top, data.draw(st.integers(left + 1, wide)), data.draw(st.integers(top + 1, tall)))
    checked, _ = check(pixels, Text(text, box, 0.9), [text], [text])
    assert 0.0 <= checked.scores.get(0, 0.0) <= 1.0
