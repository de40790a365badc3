"""Closer looks: units, digits and cells that the reader of the panel missed; silence where a look does not fit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from agent.api import AlarmRow, Box, Reading, Text
from agent.settings import Settings
from plugins.panel.displays.captions import caption_of
from plugins.panel.displays.tiles import find_tiles
from plugins.panel.grammar import Token, is_moment, split_unit, tokens_of
from plugins.panel.layouts.arcs import is_on_arc
from plugins.panel.layouts.field_looks import look_in_fields
from plugins.panel.layouts.label_repairs import repaired_label
from plugins.panel.layouts.layout import Layout, in_reading_order, understand
from plugins.panel.layouts.unit_looks import read_units
from plugins.panel.layouts.unit_places import with_told_units, with_unit_doubts
from plugins.panel.lights.regions import scene_of
from plugins.panel.numbers.strokes import pieces_of, strokes_of
from plugins.panel.tables.cell_looks import look_at_cells
from plugins.panel.tables.columns import heading_role
from plugins.panel.tables.moments import moment_in, unglued

Pixels = NDArray[np.uint8]
PANEL = Settings().panel
SIZE = (640, 360)


class Sees:
    """A fake reader that says what stands in a box by a rule."""

    name = "sees"

    def __init__(self, rule: Callable[[Box], str], score: float = 0.99) -> None:
        self.rule, self.score, self.asked = rule, score, 0

    def read(self, pixels: Pixels) -> tuple[Text, ...]:
        return ()

    def read_boxes(
        self, pixels: Pixels, boxes: Sequence[Box], *, margin: float, other: bool = False
    ) -> tuple[Text, ...]:
        self.asked += len(boxes)
        return tuple(Text(self.rule(box), box, self.score) for box in boxes)

    def close(self) -> None:
        pass


def canvas(ground: int = 30) -> Pixels:
    return np.full((SIZE[1], SIZE[0], 3), ground, np.uint8)


def write(pixels: Pixels, text: str, left: int, base: int, tall: int = 20, ink: int = 230) -> Box:
    """Draw a text and say where it stands."""
    scale = tall / 21.0
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)
    cv2.putText(pixels, text, (left, base), cv2.FONT_HERSHEY_SIMPLEX, scale, (ink, ink, ink), 2, cv2.LINE_AA)
    return left - 2, base - high - 3, left + wide + 2, base + 4


def value(label: str, number: str, box: Box, unit: str = "") -> Reading:
    return Reading(label, number, unit, "printed", box, 0.99)


def closer(pixels: Pixels, texts: Sequence[Text], reading: Reading, source: int, sees: Sees) -> Reading:
    (found,) = read_units(pixels, sees, texts, [reading], [source], PANEL)
    return found


@pytest.mark.parametrize(("seen", "unit"), [("%", "%"), ("°C", "°C"), ("mWh", "MWh"), ("°P", "°P"), ("96", "%")])
@pytest.mark.parametrize("ground", [30, 220])
def test_a_unit_behind_its_number_is_read_again(seen: str, unit: str, ground: int) -> None:
    """Small print right of a number that nothing covers is looked at, on light and on dark."""
    pixels = canvas(ground)
    ink = 250 - ground
    box = write(pixels, "30.4", 100, 100, ink=ink)
    write(pixels, "Ab", box[2] + 8, 100, 12, ink=ink)
    found = closer(pixels, [Text("30.4", box, 1.0)], value("Humidity", "30.4", box), 0, Sees(lambda _: seen))
    assert found.unit == unit


def test_words_behind_a_number_are_no_unit() -> None:
    """Only what the table of units knows is taken."""
    pixels = canvas()
    box = write(pixels, "30.4", 100, 100)
    write(pixels, "Ab", box[2] + 8, 100)
    found = closer(pixels, [Text("30.4", box, 1.0)], value("Humidity", "30.4", box), 0, Sees(lambda _: "Ok"))
    assert found.unit == ""


def test_nothing_behind_a_number_costs_no_look() -> None:
    """Where no strokes stand behind a number, or another text does, or a frame, no time is spent."""
    pixels = canvas()
    box = write(pixels, "30.4", 100, 100)
    other = write(pixels, "Fan", box[2] + 10, 100)
    sees = Sees(lambda _: "%")
    texts = [Text("30.4", box, 1.0), Text("Pump", other, 1.0)]
    assert closer(pixels, texts, value("Humidity", "30.4", box), 0, sees).unit == ""
    pixels = canvas()
    write(pixels, "30.4", 100, 100)
    cv2.line(pixels, (box[2] + 9, 0), (box[2] + 9, SIZE[1]), (230, 230, 230), 2)
    assert closer(pixels, texts[:1], value("Humidity", "30.4", box), 0, sees).unit == ""
    assert sees.asked == 0


def test_an_arrow_is_no_volt() -> None:
    """The arrow of a list to choose from looks like a V, but is wider than tall."""
    pixels = canvas()
    box = write(pixels, "230", 100, 100)
    arrow = np.array([[box[2] + 8, 88], [box[2] + 18, 96], [box[2] + 28, 88]])
    cv2.polylines(pixels, [arrow], False, (230, 230, 230), 2)
    found = closer(pixels, [Text("230", box, 1.0)], value("Voltage", "230", box), 0, Sees(lambda _: "V"))
    assert found.unit == ""


def test_a_message_tells_the_unit() -> None:
    """A row of alarms that names a reading may say its unit; where messages differ, they say nothing."""
    reading = value("Humidity (room 2)", "30.4", (10, 10, 50, 30))
    rows = [AlarmRow({"Channel": "Humidity (room 2)", "Text": "Low: 31.7 %"}, (0, 0, 1, 1))]
    assert with_told_units([reading], [], rows)[0].unit == "%"
    lines = [Text("Plant - Humidity (room 2): high, 80.1 %RH", (0, 0, 9, 9), 1.0)]
    assert with_told_units([reading], lines, [])[0].unit == "%RH"
    assert with_told_units([reading], lines, rows)[0].unit == ""
    assert with_told_units([value("Humidity", "30.4", (10, 10, 50, 30))], lines, rows)[0].unit == ""


def test_a_value_alone_without_a_unit_is_flagged() -> None:
    """Of values laid out alike, one without a unit says so; a number that has none by nature does not."""
    column = [value(f"T{n}", f"{n}0.5", (100, 40 * n, 150, 40 * n + 20), "°C") for n in range(4)]
    odd = value("Inlet", "7.5", (100, 200, 150, 220))
    assert with_unit_doubts([*column, odd])[-1].flags == ("no-unit",)
    assert with_unit_doubts([*column, value("Power factor", "0.82", odd.box)])[-1].flags == ()
    assert with_unit_doubts([*column[:2], odd])[-1].flags == ()


@pytest.mark.parametrize(
    ("caption", "label", "unit"),
    [
        ("TEMP °C", "TEMP", "°C"),
        ("SET C", "SET", "°C"),
        ("设定 kPa", "设定", "kPa"),
        ("压力kPa", "压力", "kPa"),
        ("SV℃", "SV", "℃"),
        ("MOTOR CURRENT A", "MOTOR CURRENT", "A"),
        ("ZONE A", "ZONE A", ""),
        ("Tank C", "Tank C", ""),
        ("反应釜A", "反应釜A", ""),
    ],
)
def test_a_caption_is_parted_from_its_unit(caption: str, label: str, unit: str) -> None:
    """A display's caption may end with the unit; a letter that names the machine is none."""
    found = caption_of((100, 100, 220, 150), [Text(caption, (100, 70, 200, 90), 1.0)], frozenset())
    assert found[:2] == (label, unit)


def test_two_displays_above_each_other_keep_their_captions() -> None:
    """Each takes what stands on its line, with its unit."""
    texts = [Text("PV ℃", (20, 60, 80, 90), 1.0), Text("SV ℃", (20, 150, 80, 180), 1.0)]
    areas = ((100, 50, 260, 110), (100, 140, 260, 200))
    assert [caption_of(area, texts, frozenset())[:2] for area in areas] == [("PV", "℃"), ("SV", "℃")]


@pytest.mark.parametrize(
    ("text", "parts"),
    [("回水温度℃", ("回水温度", "℃")), ("频率Hz", ("频率", "Hz")), ("进水pH", ("进水pH", "")), ("Unit", ("Unit", ""))],
)
def test_a_unit_may_stick_to_its_label(text: str, parts: tuple[str, str]) -> None:
    """Chinese names and degrees need no space."""
    assert split_unit(text) == parts


PIECES = (
    "1h ",
    "1d 1h ",
    "Jan 1 ",
    "1:",
    "a:",
    "-",
    "1,",
    "°",
    " ",
    "x",
    "1",
    "温",
    "12:00",
    "1m2s",
    ".",
    "=",
    "[",
    "/",
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PIECES), st.integers(1, 400)), min_size=1, max_size=4))
def test_no_text_takes_long(pieces: list[tuple[str, int]]) -> None:
    """However a text is made, taking it apart costs a few milliseconds of the processor and no more."""
    text = "".join(piece * count for piece, count in pieces)
    started = time.process_time()
    tokens_of(Text(text, (0, 0, 500, 20), 1.0), 0)
    moment_in(text)
    unglued(text)
    heading_role(text)
    split_unit(text)
    is_moment(text)
    assert time.process_time() - started < 0.5


def table(times: Sequence[str], numbers: Sequence[str], *, heading: str = "Message") -> tuple[Text, ...]:
    """A list of alarms with a number, a time and a text in each row."""
    texts = [Text(head, (left, 20, left + 60, 40), 1.0) for head, left in (("No.", 20), ("Time", 80), (heading, 300))]
    for row, (moment, number) in enumerate(zip(times, numbers, strict=True)):
        top = 60 + 30 * row
        texts += [Text(moment, (80, top, 250, top + 20), 1.0), Text("Pump 1 fault", (300, top, 420, top + 20), 1.0)]
        texts += [Text(number, (22, top, 40, top + 20), 1.0)] if number else []
    return in_reading_order(texts)


def looked(pixels: Pixels, texts: tuple[Text, ...], sees: Sees) -> Layout:
    return understand(look_at_cells(pixels, sees, texts, understand(texts, SIZE), PANEL), SIZE)


def test_single_digits_of_rows_are_found() -> None:
    """A number of a row that was missed is looked for in its cell; an empty cell stays empty."""
    texts = table(["2025-01-02 10:11:12"] * 4, ["", "", "", "10"])
    pixels = canvas()
    for row in (0, 1):
        write(pixels, "7", 24, 78 + 30 * row, 14)
    rows = looked(pixels, texts, Sees(lambda _: "7")).alarms
    assert [row.roles.get("number", "") for row in rows] == ["7", "7", "", "10"]
    rows = looked(pixels, texts, Sees(lambda _: "Q")).alarms
    assert [row.roles.get("number", "") for row in rows] == ["", "", "", "10"]


def test_a_time_that_lost_its_colon_takes_the_form_of_the_others() -> None:
    """Separators come back where the same digits fit; what lost a digit is read again, or stays as it is."""
    good = [f"05/1{n}/2025 04:36:31 AM" for n in range(4)]
    texts = table([*good, "05/19/2025 0436:31 AM"], ["1"] * 5)
    assert looked(canvas(), texts, Sees(lambda _: "")).alarms[-1].roles["time"] == "05/19/2025 04:36:31 AM"
    texts = table([*good, "05/19/2025 12:4:56 PM"], ["1"] * 5)
    again = Sees(lambda _: "05/19/2025 12:44:56 PM")
    assert looked(canvas(), texts, again).alarms[-1].roles["time"] == "05/19/2025 12:44:56 PM"
    other = Sees(lambda _: "07/19/2025 12:44:56 PM")
    assert looked(canvas(), texts, other).alarms[-1].roles["time"] == "05/19/2025 12:4:56 PM"


def test_a_per_cent_sign_read_as_digits() -> None:
    """`31.7 96` is 31.7 % only where other looks see the sign."""
    texts = (Text("Low: 31.7 96", (10, 10, 90, 30), 0.95),)
    layout = understand(texts, SIZE)
    assert look_at_cells(canvas(), Sees(lambda _: "Low: 31.7 %"), texts, layout, PANEL)[0].text == "Low: 31.7 %"
    assert look_at_cells(canvas(), Sees(lambda _: "Low: 31.7 96"), texts, layout, PANEL) == texts


def test_a_wide_column_does_not_cut_a_table() -> None:
    """A heading that is not known, far from the one before it, is still one of the table."""
    heads = (("State", 10), ("Time", 120), ("Was it bad", 520), ("Tag", 700), ("Severity", 900))
    texts = [Text(head, (left, 20, left + 60, 36), 1.0) for head, left in heads]
    for row in range(3):
        cells = ("ACK", "2025-01-02 10:11:12", "Pump fault", f"P-{row}", "High")
        texts += [
            Text(cell, (left, 60 + 30 * row, left + 8 * len(cell), 76 + 30 * row), 1.0)
            for cell, (_, left) in zip(cells, heads, strict=True)
        ]
    rows = understand(in_reading_order(texts), (1000, 300)).alarms
    assert [(row.roles["tag"], row.roles["priority"]) for row in rows] == [(f"P-{n}", "High") for n in range(3)]


@pytest.mark.parametrize(("heading", "role"), [("報警內容", "text"), ("發生時間", "time"), ("等級", "priority")])
def test_traditional_headings(heading: str, role: str) -> None:
    """Headings in traditional characters mean the same."""
    assert heading_role(heading) == role


def tiled(digits: str, *, left: int = 100, top: int = 100, hinge: bool = False, dark: bool = True) -> Pixels:
    pixels = canvas(20 if dark else 240)
    for number, digit in enumerate(digits):
        x = left + 40 * number
        cv2.rectangle(pixels, (x, top), (x + 30, top + 46), (60, 60, 60) if dark else (180, 180, 180), -1)
        write(pixels, digit, x + 7, top + 33, 22, 240 if dark else 10)
        if hinge:
            cv2.line(pixels, (x, top + 23), (x + 30, top + 23), (20, 20, 20) if dark else (240, 240, 240), 2)
    return pixels


@pytest.mark.parametrize("hinge", [False, True])
@pytest.mark.parametrize("dark", [False, True])
def test_digits_in_tiles_are_one_number(hinge: bool, dark: bool) -> None:
    """Every tile gives one digit; the caption beneath names the number."""
    pixels = tiled("0583", hinge=hinge, dark=dark)
    sees = Sees(lambda box: "0583"[round((box[0] - 100) / 40)])
    texts = [Text("Parts today", (110, 160, 240, 180), 1.0)]
    (found,) = find_tiles(scene_of(pixels), texts, sees)
    assert (found.reading.label, found.reading.value, found.reading.kind) == ("Parts today", "0583", "counter")


def test_a_tile_in_doubt_silences_the_number() -> None:
    """One digit that looks do not agree on, and nothing is told."""
    pixels = tiled("0583")
    assert find_tiles(scene_of(pixels), [], Sees(lambda box: "5" if box[0] < 200 else "B")) == ()


def test_keys_and_pages_are_no_number() -> None:
    """A keypad has rows above each other; pages to choose from count up."""
    keys = np.maximum(np.maximum(tiled("789", top=60), tiled("456", top=116)), tiled("123", top=172))
    assert find_tiles(scene_of(keys), [], Sees(lambda _: "5")) == ()
    pages = tiled("1234")
    assert find_tiles(scene_of(pages), [], Sees(lambda box: str(1 + round((box[0] - 100) / 40)))) == ()


def fields(*, second: str = "0", frame: int = 255) -> tuple[Pixels, list[Text]]:
    """Two labelled fields, of which the first one's number is known."""
    pixels = canvas(60)
    cv2.rectangle(pixels, (150, 80), (200, 110), (255, 255, 255), -1)
    cv2.rectangle(pixels, (150, 140), (200, 170), (frame, frame, frame), -1)
    box = write(pixels, "25", 155, 103, 16, 0)
    write(pixels, second, 168, 163, 16, 0)
    texts = [Text("Set point", (50, 85, 130, 105), 1.0), Text("Dead band", (50, 145, 130, 165), 1.0)]
    return pixels, [*texts, Text("25", box, 1.0)]


def test_a_digit_alone_in_a_field_is_found() -> None:
    """A field like another one that holds a number is looked into."""
    pixels, texts = fields()
    (found,) = look_in_fields(pixels, Sees(lambda _: "0"), scene_of(pixels), texts, PANEL)
    assert found.text == "0" and 150 <= found.box[0] < found.box[2] <= 201
    (reading,) = (r for r in understand([*texts, found], SIZE, areas=[(150, 140, 201, 171)]).readings if r.value == "0")
    assert reading.label == "Dead band"


def test_other_boxes_are_not_looked_into() -> None:
    """A box of another colour, or one without strokes, is no field that was missed; letters are no number."""
    sees = Sees(lambda _: "0")
    pixels, texts = fields(frame=190)
    assert look_in_fields(pixels, sees, scene_of(pixels), texts, PANEL) == ()
    pixels, texts = fields(second="")
    assert look_in_fields(pixels, sees, scene_of(pixels), texts, PANEL) == () and sees.asked == 0
    pixels, texts = fields()
    assert look_in_fields(pixels, Sees(lambda _: "OK"), scene_of(pixels), texts, PANEL) == ()


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 60), st.just(3))), st.integers(1, 60))
def test_strange_pictures_are_survived(pixels: Pixels, tall: int) -> None:
    """Any array is looked at without failing, and strokes lie within it."""
    strokes = strokes_of(pixels, tall, 1.0)
    assert all(p[2] <= pixels.shape[1] and p[3] <= pixels.shape[0] for p in pieces_of(strokes, 20.0))
    box = (0, 0, pixels.shape[1], pixels.shape[0])
    texts = [Text("Level", box, 1.0), Text("3.5", (0, 0, max(1, box[2] // 2), box[3]), 1.0)]
    sees = Sees(lambda _: "1")
    find_tiles(scene_of(pixels), texts, sees)
    look_in_fields(pixels, sees, scene_of(pixels), texts, PANEL)
    read_units(pixels, sees, texts, [value("Level", "3.5", texts[1].box)], [1], PANEL)
    gaps = Layout((), (), (), frozenset(), gaps=(box, (5, 5, 5, 9)))
    look_at_cells(pixels, sees, tuple(texts), gaps, PANEL)


@pytest.mark.parametrize(
    ("label", "unit", "meant"),
    [
        ("Flue gas 02", "%", "Flue gas O2"),
        ("C02", "ppm", "CO2"),
        ("F.0. viscosity", "cSt", "F.O. viscosity"),
        ("va1ve position", "%", "valve position"),
        ("Pump 02", "%", "Pump 02"),
        ("C02", "℃", "C02"),
        ("PT1A", "bar", "PT1A"),
        ("ROOM1A", "", "ROOM1A"),
    ],
)
def test_letters_read_as_digits(label: str, unit: str, meant: str) -> None:
    """A label gets its letters back where nothing else makes sense; names of machines keep their numbers."""
    assert repaired_label(label, unit) == meant


def around(numbers: Sequence[str], *, turn: float = np.pi) -> list[Token]:
    """Numbers around a dial, from the left over the top."""
    tokens = []
    for place, number in enumerate(numbers):
        angle = np.pi + turn * place / (len(numbers) - 1)
        x, y = round(300 + 120 * np.cos(angle)), round(300 + 120 * np.sin(angle))
        tokens.append(Token("value", number, (x - 10, y - 8, x + 10, y + 8), place, 1.0))
    return tokens


def test_numbers_around_a_dial() -> None:
    """A scale bent around a dial is known by three of its numbers; numbers in line or out of step are none."""
    dial = around(["0", "20", "40", "60", "80"])
    assert all(is_on_arc(token, dial) for token in dial)
    assert is_on_arc(dial[2], [dial[0], dial[1], dial[2]])
    assert not is_on_arc(dial[2], dial[1:3])
    odd = around(["3.1", "17", "40.5", "52", "81"])
    assert not any(is_on_arc(token, odd) for token in odd)
    line = [Token("value", str(10 * n), (100, 50 * n, 120, 50 * n + 16), n, 1.0) for n in range(5)]
    assert not any(is_on_arc(token, line) for token in line)


def test_the_top_of_a_dial_is_no_value() -> None:
    """A dial that could not be read gives nothing, not the number that stands over its caption."""
    texts = [Text(t.text, t.box, 1.0) for t in around(["0", "5", "10", "15", "20"])]
    texts.append(Text("Water temperature ℃", (230, 330, 370, 350), 1.0))
    assert understand(in_reading_order(texts), SIZE).readings == ()


@pytest.mark.parametrize(
    ("label", "seen", "unit"),
    [("Voltage L1", "V", "V"), ("Zone", "V", ""), ("Angle", "°", ""), ("Flow", "m³/h", "m³/h")],
)
def test_one_letter_needs_a_label_that_measures(label: str, seen: str, unit: str) -> None:
    """A tick looks like a V, and a degree alone may be what is left of °F."""
    pixels = canvas()
    box = write(pixels, "30.4", 100, 100)
    write(pixels, "A", box[2] + 8, 100, 14)
    found = closer(pixels, [Text("30.4", box, 1.0)], value(label, "30.4", box), 0, Sees(lambda _: seen))
    assert found.unit == unit
