"""Which label, value and unit belong together, on panels drawn from boxes alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.perception import Reading, Text
from plugins.panel.layouts.layout import Layout, in_reading_order, understand
from plugins.panel.layouts.pairing import _assign

SIZE = (1000, 600)


def at(text: str, left: int, top: int, tall: int = 16, score: float = 1.0) -> Text:
    """A text whose width follows from its glyphs."""
    wide = sum(tall if ord(c) > 0x2E80 else round(tall * 0.55) for c in text)
    return Text(text, (left, top, left + max(4, wide), top + tall), score)


def look(*texts: Text) -> Layout:
    return understand(in_reading_order(texts), SIZE)


def triples(layout: Layout) -> set[tuple[str, str | None, str]]:
    return {(r.label, r.value, r.unit) for r in layout.readings}


def only(layout: Layout) -> Reading:
    (reading,) = layout.readings
    return reading


def test_label_left_and_unit_right() -> None:
    """The plainest form: label, value and unit on one line."""
    assert triples(look(at("水箱液位", 100, 100), at("80", 190, 100), at("%", 220, 100))) == {("水箱液位", "80", "%")}


def test_a_unit_belongs_to_one_value() -> None:
    """Two values in one line each keep their own unit."""
    layout = look(
        at("Flow", 50, 50),
        at("12.5", 100, 50),
        at("m³/h", 145, 50),
        at("Heat", 300, 50),
        at("7.1", 350, 50),
        at("GJ", 385, 50),
    )
    assert triples(layout) == {("Flow", "12.5", "m³/h"), ("Heat", "7.1", "GJ")}


def test_captions_above() -> None:
    """A stack of caption over value over caption over value is not shifted by one."""
    texts = [at(f"Tank {n}", 100, 100 + 60 * n) for n in (1, 2, 3)]
    texts += [at(f"{n}5.0 °C", 100, 125 + 60 * n) for n in (1, 2, 3)]
    assert triples(look(*texts)) == {(f"Tank {n}", f"{n}5.0", "°C") for n in (1, 2, 3)}


def test_captions_below() -> None:
    """A row of values with captions beneath is read by the style of the whole row."""
    names = ("Total", "Running", "Stopped")
    texts = [at(f"05{n}", 100 + 200 * n, 100, tall=30) for n in range(3)]
    texts += [at(name, 100 + 200 * n, 145) for n, name in enumerate(names)]
    assert triples(look(*texts)) == {(name, f"05{n}", "") for n, name in enumerate(names)}


def test_a_label_serves_one_value() -> None:
    """The nearer value takes the label; the other is reported without one."""
    layout = look(at("Pressure", 100, 100), at("2.5 bar", 190, 100), at("3.5 bar", 190, 180))
    assert triples(layout) == {("Pressure", "2.5", "bar"), ("", "3.5", "bar")}
    assert {r.flags for r in layout.readings} == {(), ("unlabelled",)}


def test_a_list_with_values_far_to_the_right() -> None:
    """Columns that repeat hold together over a distance that a single pair does not."""
    rows = [("Alpha", "20700"), ("Beta", "18730"), ("Gamma", "12343")]
    texts = [t for n, (a, b) in enumerate(rows) for t in (at(a, 50, 100 + 40 * n), at(b, 500, 100 + 40 * n))]
    assert triples(look(*texts)) == {(a, b, "") for a, b in rows}


def test_a_menu_beside_a_drawing_names_nothing() -> None:
    """Menu entries that happen to be level with a value do not become its label."""
    menu = [at(name, 20, 100 + 28 * n) for n, name in enumerate(("Overview", "Trends", "Symbols", "Setpoints", "Maps"))]
    assert triples(look(*menu, at("24.1 °C", 420, 101))) == {("", "24.1", "°C")}


def test_placeholders_are_readings_without_value() -> None:
    """`##.##` is reported as no value, never as a number."""
    reading = only(look(at("Temperatur A1", 100, 100), at("##.##", 120, 125)))
    assert (reading.label, reading.value, reading.flags) == ("Temperatur A1", None, ("no-value",))


def test_scales_and_axes_are_no_readings() -> None:
    """Numbers that climb in equal steps are a scale, in a column, a row or around a dial."""
    column = [at(str(100 - 10 * n), 500, 100 + 30 * n) for n in range(11)]
    row = [at(str(50 * n), 100 + 60 * n, 560) for n in range(5)]
    angles = [(at(str(20 * n), int(300 - 90 * np.cos(n * 0.8)), int(300 - 90 * np.sin(n * 0.8)))) for n in range(5)]
    assert not look(
        at("Temperature", 470, 70), at("Trend", 100, 585), at("Gauge", 290, 310), *column, *row, *angles
    ).readings


def test_bare_numbers_alone_are_no_readings() -> None:
    """A number with neither label nor unit near it is left out."""
    assert not look(at("7", 700, 300), at("2", 100, 500), at("20:49", 50, 20)).readings


def test_the_value_column_of_a_table_is_read() -> None:
    """Raw counts and an hourly history are not taken for the present value."""
    head = [at(h, x, 50) for h, x in (("Item", 100), ("Raw", 250), ("Current", 350), ("00:00", 450), ("01:00", 550))]
    rows = [
        ("Speed", "8218", "82.18", "80.1", "79.9"),
        ("Fan", "1", "On", "On", "Off"),
        ("Temp", "9", "26.78", "---", "25"),
    ]
    cells = [
        at(cell, 100 + 100 * c + 50 * (c > 0), 80 + 25 * r) for r, row in enumerate(rows) for c, cell in enumerate(row)
    ]
    assert triples(look(*head, *cells)) == {("Speed", "82.18", ""), ("Fan", "On", ""), ("Temp", "26.78", "")}


def test_the_unit_column_and_heading_units() -> None:
    """A unit may stand in its own column or in the heading."""
    head = [at(h, x, 50) for h, x in (("名称", 100), ("当前值", 300), ("单位", 450))]
    assert triples(look(*head, at("压力", 100, 80), at("0.62", 300, 80), at("MPa", 450, 80))) == {
        ("压力", "0.62", "MPa")
    }
    assert triples(look(at("Temp (°C)", 187, 50), at("Extruder", 80, 90), at("20.4", 203, 90))) == {
        ("Extruder", "20.4", "°C")
    }


def test_alarm_rows() -> None:
    """A list with a time column gives its rows, headings as printed, and no readings."""
    head = [at(h, x, 400) for h, x in (("Date and Time", 100), ("Channel", 350), ("Description", 500), ("Ack", 700))]
    row = [at("21/11/2016 16:33:17", 90, 430), at("t3", 355, 430), at("High: 27.6 °C", 495, 430), at("No", 705, 430)]
    layout = look(*head, *row)
    assert [dict(alarm.cells) for alarm in layout.alarms] == [
        {"Date and Time": "21/11/2016 16:33:17", "Channel": "t3", "Description": "High: 27.6 °C", "Ack": "No"}
    ]
    assert not layout.readings


def test_a_screen_full_of_texts_is_parsed() -> None:
    """As many texts as the limit admits, all alike, end in readings and not in a stall."""
    words = ("Pump A", "5.0", "bar", "70")
    texts = [at(words[n % 4], 20 + n % 24 * 40, 10 + n // 24 * 9, tall=8) for n in range(1500)]
    assert look(*texts).sources


def test_clipped_and_unsure_values_are_flagged() -> None:
    """A value at the edge of the photo may have lost digits, and a weak score is said."""
    assert only(look(at("Flow", 900, 50), at("12.5", 970, 50))).flags == ("clipped",)
    assert only(look(at("Flow", 100, 50), at("12.5", 150, 50, score=0.6))).flags == ("low-score",)


def test_assignment_is_the_cheapest() -> None:
    """The pairing that is chosen costs no more than any other."""
    random = np.random.default_rng(7)
    for rows, extra in itertools.product(range(1, 5), range(3)):
        costs = random.normal(size=(rows, rows + extra))
        chosen = _assign(costs)
        best = min(
            sum(costs[i, order[i]] for i in range(rows)) for order in itertools.permutations(range(rows + extra), rows)
        )
        assert len(set(chosen)) == rows
        assert abs(sum(costs[i, chosen[i]] for i in range(rows)) - best) < 1e-9


def test_a_card_holds_its_label_and_value() -> None:
    """Of two captions equally close, the one in the same card is the value's."""
    texts = [at("Inlet", 100, 100), at("41.5 bar", 100, 126), at("Outlet", 100, 152), at("39.0 bar", 100, 178)]
    cards = [(90, 122, 220, 170), (90, 172, 220, 230)]
    below = in_reading_order([at("41.5 bar", 100, 126), at("Inlet", 100, 150), at("39.0 bar", 100, 178)])
    assert triples(look(*texts)) == {("Inlet", "41.5", "bar"), ("Outlet", "39.0", "bar")}
    found = understand(below, SIZE, areas=cards)
    assert ("Inlet", "41.5", "bar") in triples(found) and ("Inlet", "39.0", "bar") not in triples(found)


def test_a_lost_ring_is_a_degree() -> None:
    """C behind a number is a degree Celsius, spelled as elsewhere on the panel."""
    assert only(look(at("Dew point", 50, 50), at("-43.5C", 150, 50))).unit == "°C"
    layout = look(at("Dew point", 50, 50), at("-43.5 C", 150, 50), at("Oil", 50, 90), at("78.1 ℃", 150, 90))
    assert {reading.unit for reading in layout.readings} == {"℃"}


def test_a_unit_that_was_not_read() -> None:
    """Two namesakes that agree lend their unit, and the reading says so; one alone, or two that differ, do not, nor
    does a name that does not tell what is measured.
    """

    def three(name: str, *units: str) -> list[Reading]:
        texts = [at(name, 50 + 300 * n, 50 + 40 * n) for n in range(3)]
        texts += [at(f"{n}1.5 {unit}".strip(), 180 + 300 * n, 50 + 40 * n) for n, unit in enumerate(units)]
        return [reading for reading in look(*texts).readings if reading.value == "21.5"]

    assert three("Pressure", "bar", "bar", "")[0].unit == "bar"
    assert "elsewhere" in three("Pressure", "bar", "bar", "")[0].why
    assert [r.unit for r in three("Pressure", "bar", "", "") + three("Pressure", "bar", "Pa", "")] == ["", ""]
    assert three("Setpoint", "bar", "bar", "")[0].unit == ""


def test_two_values_of_one_machine() -> None:
    """A name serves two values of different units that stand beneath it, and says that it is shared."""
    layout = look(at("Chiller A", 100, 100), at("7.5 °C", 100, 122), at("2.1 bar", 100, 144))
    assert triples(layout) == {("Chiller A", "7.5", "°C"), ("Chiller A", "2.1", "bar")}
    assert any("shared" in reading.why for reading in layout.readings)


def test_a_repeated_label_carries_its_group() -> None:
    """What differs at the same place over each repeat names the group."""
    texts = []
    for number, zone in enumerate(("North", "South", "West")):
        left = 50 + 300 * number
        texts += [at(zone, left + 40, 60, tall=20), at("Setpoint", left, 110), at(f"{number}1.5 °C", left + 120, 110)]
        texts += [at("Fan", left, 140), at(f"{number}4.0 Hz", left + 120, 140)]
    assert ("South Setpoint", "11.5", "°C") in triples(look(*texts))
    assert ("West Fan", "24.0", "Hz") in triples(look(*texts))


def test_a_table_of_machines_and_quantities() -> None:
    """A value under a heading and beside a name is named by both; the unit may stand in the heading."""
    head = [at(h, x, 50) for h, x in (("Speed (rpm)", 300), ("Current", 450))]
    rows = [("Pump 1", "1450", "12.5 A"), ("Pump 2", "1390", "11.0 A"), ("Pump 3", "0", "0.0 A")]
    cells = [at(c, x, 80 + 28 * n) for n, row in enumerate(rows) for c, x in zip(row, (100, 300, 450), strict=True)]
    assert triples(look(*head, *cells)) == {
        (f"{name} {quantity}", value, unit)
        for name, speed, current in rows
        for quantity, value, unit in (("Speed", speed, "rpm"), ("Current", current.split()[0], "A"))
    }


def test_a_column_of_units() -> None:
    """Units that stand in a column of their own, far behind their values, belong to them."""
    rows = (("Alpha", "12.5", "bar"), ("Beta", "8.1", "kW"), ("Gamma", "77", "%"))
    texts = [at(c, x, 100 + 30 * n) for n, row in enumerate(rows) for c, x in zip(row, (50, 200, 350), strict=True)]
    assert triples(look(*texts)) == set(rows)


def test_points_of_a_chart_are_no_readings() -> None:
    """Numbers between an upright axis and the end of the axis beneath are points, a list right of it is not."""
    axis = [at(str(100 - 20 * n), 40, 100 + 40 * n, tall=12) for n in range(6)]
    times = [at(f"{10 + n}:00", 70 + 60 * n, 320, tall=12) for n in range(5)]
    points = [at(p, x, y, tall=12) for p, x, y in (("55", 110, 180), ("72", 170, 140), ("31", 260, 240))]
    listed = [
        t
        for n, (a, b) in enumerate((("Flow", "18.5"), ("Heat", "7.1")))
        for t in (at(a, 600, 150 + 60 * n), at(b, 660, 150 + 60 * n))
    ]
    assert triples(look(at("Trend", 150, 70), *axis, *times, *points, *listed)) == {
        ("Flow", "18.5", ""),
        ("Heat", "7.1", ""),
    }


def test_states_in_a_list_and_on_buttons() -> None:
    """A word such as Off is a value in a column with numbers, and no value on a row of buttons."""
    rows = (("Heater", "Off"), ("Fan", "On"), ("Flow", "12.5"), ("Lamp", "Off"))
    texts = [t for n, (a, b) in enumerate(rows) for t in (at(a, 50, 100 + 30 * n), at(b, 200, 100 + 30 * n))]
    buttons = [at(b, 500 + 100 * n, 400) for n, b in enumerate(("Start", "Stop", "Auto"))]
    assert triples(look(*texts, *buttons)) == {(a, b, "") for a, b in rows}


def test_durations_are_told_by_their_labels() -> None:
    """`16m` behind Elapsed is a duration, as is what stands in its column; `16m` behind Level is metres."""
    texts = [at("Elapsed:", 50, 100), at("1m", 160, 100), at("Slicer:", 50, 130), at("16m", 160, 130)]
    assert triples(look(*texts)) == {("Elapsed", "1m", ""), ("Slicer", "16m", "")}
    assert triples(look(at("Runtime", 50, 100), at("01:23:45", 160, 100))) == {("Runtime", "01:23:45", "")}
    assert triples(look(at("Level", 50, 100), at("16m", 130, 100))) == {("Level", "16", "m")}
    assert not look(at("Time", 50, 100), at("12:30", 130, 100)).readings


def test_a_list_that_may_be_one_line_off_is_doubted() -> None:
    """On a slanted photo a label is left over at one end and a value at the other: no pairing of it is sure."""
    names = ("Alpha", "Beta", "Gamma", "Delta", "Omega")
    texts = [at(name, 50, 100 + 40 * n) for n, name in enumerate(names)]
    texts += [at(f"{n}1.5 bar", 600, 140 + 40 * n) for n in range(5)]
    readings = look(*texts).readings
    assert readings and all({"ambiguous", "unlabelled"} & set(reading.flags) for reading in readings)


def test_texts_of_instruments_are_left_alone() -> None:
    """What belongs to a gauge or display is neither label nor value of anything else."""
    texts = in_reading_order([at("Flow", 50, 50), at("12.5", 100, 50)])
    assert not understand(texts, SIZE, taken=frozenset([1])).readings


def test_a_label_read_in_pieces_is_whole() -> None:
    """Two pieces of one label are joined; two buttons side by side are not."""
    whole = look(at("Engine", 50, 50), at("speed", 107, 50), at("1505 rpm", 200, 50))
    assert triples(whole) == {("Engine speed", "1505", "rpm")}


def test_a_label_of_two_lines_is_whole() -> None:
    """Two lines over a value are one label; lines of a list each keep their own value."""
    layout = look(at("Mean bearing", 100, 100), at("temperature", 104, 119), at("61.5 °C", 110, 142))
    assert triples(layout) == {("Mean bearing temperature", "61.5", "°C")}


def test_a_title_at_the_edge_of_a_card() -> None:
    """A value alone in its card is named by the card's title, wherever in the card it stands."""
    texts = in_reading_order([at("Net power", 108, 106), at("431.7", 230, 190, tall=40), at("kW", 330, 210, tall=18)])
    assert triples(understand(texts, SIZE, areas=[(100, 100, 460, 300)])) == {("Net power", "431.7", "kW")}
    assert triples(understand(texts, SIZE)) == {("", "431.7", "kW")}


def test_axes_of_a_machine_are_letters() -> None:
    """Single capitals in a column, each with a number behind it, are labels; one letter alone is an icon."""
    texts = [t for n, x in enumerate("XYZ") for t in (at(x, 50, 50 + 30 * n), at(f"{n}2.345", 90, 50 + 30 * n))]
    assert triples(look(*texts)) == {("X", "02.345", ""), ("Y", "12.345", ""), ("Z", "22.345", "")}
    assert not look(at("V", 50, 50), at("12.345", 90, 50)).readings


def test_a_header_strip_belongs_to_its_card() -> None:
    """The title in the strip over a card goes before a tag beside the value."""
    texts = in_reading_order(
        [at("给水流量", 112, 108), at("62.4", 112, 160, tall=24), at("FT-2104", 190, 165, tall=13)]
    )
    areas = [(180, 160, 250, 184), (100, 100, 400, 140), (100, 140, 400, 210)]
    assert {r.label for r in understand(texts, SIZE, areas=areas).readings} == {"给水流量"}


@pytest.mark.parametrize("page", ["1/12", "3"])
def test_pages_are_no_readings(page: str) -> None:
    """The number of a page near a word is no reading."""
    assert not look(at("Page", 50, 500), at(page, 120, 500)).readings


def test_every_reading_says_why() -> None:
    """The reason of a pairing is one line of English."""
    layout = look(at("水箱液位", 100, 100), at("80", 190, 100), at("%", 220, 100), at("3.5 bar", 500, 400))
    assert layout.readings and all(reading.why and "\n" not in reading.why for reading in layout.readings)


PIECES = st.sampled_from(
    ["温度", "22.5 ℃", "7", "100", "##", "Time", "Value", "Name", "bar", "12:00", "Pump 1", "On", "-3.5", ""]
)
TEXTS = st.builds(
    lambda text, x, y, w, h, s: Text(text, (x, y, x + w, y + h), s),
    st.one_of(PIECES, st.text(max_size=12)),
    *(st.integers(0, 990), st.integers(0, 590), st.integers(1, 300), st.integers(1, 90)),
    st.floats(0, 1),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, max_size=25), st.lists(TEXTS, max_size=6), st.sets(st.integers(0, 30), max_size=5))
def test_any_layout_is_understood(texts: list[Text], cards: list[Text], taken: set[int]) -> None:
    """Whatever a reader returns, parsing ends, and every reading comes from a text on the photo."""
    ordered = in_reading_order(texts)
    layout = understand(ordered, SIZE, areas=[card.box for card in cards], taken=frozenset(taken))
    assert not taken & set(layout.sources)
    assert len(ordered) == len(texts) and len(layout.sources) == len(layout.readings)
    for reading in layout.readings:
        assert reading.value is None or reading.value
