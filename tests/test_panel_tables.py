"""Lists of alarms and tables of values, drawn from boxes alone, as many makers print them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.perception import AlarmRow, Text
from plugins.panel.layouts.layout import in_reading_order
from plugins.panel.tables.moments import moment_in, unglued
from plugins.panel.tables.row_marks import find_row_marks
from plugins.panel.tables.tables import find_tables, value_readings


def at(text: str, left: int, top: int, tall: int = 16) -> Text:
    """A text whose width follows from its glyphs."""
    wide = sum(tall if ord(c) > 0x2E80 else round(tall * 0.5) for c in text)
    return Text(text, (left, top, left + max(4, wide), top + tall), 1.0)


def drawn(lines: Sequence[Sequence[str]], lefts: Sequence[int], *, top: int = 100, step: int = 30) -> list[Text]:
    """Lines of cells at fixed columns; an empty cell is left out."""
    return [
        at(cell, left, top + step * row)
        for row, line in enumerate(lines)
        for cell, left in zip(line, lefts, strict=True)
        if cell
    ]


def alarms(*texts: Text) -> list[AlarmRow]:
    return [row for table in find_tables(in_reading_order(texts)) for row in table.alarms]


def roles(*texts: Text) -> list[dict[str, str]]:
    return [dict(row.roles) for row in alarms(*texts)]


@pytest.mark.parametrize(
    ("lines", "lefts", "expected"),
    [
        (
            [["Time", "Tag", "Message", "Priority", "State"]]
            + [[f"2024-03-0{n} 08:15:2{n}", f"TT-10{n}", "Temperature too high", "High", "UNACK"] for n in (1, 2, 3)],
            [20, 260, 360, 600, 720],
            {"time": "2024-03-01 08:15:21", "tag": "TT-101", "text": "Temperature too high", "priority": "High"},
        ),
        (
            [["序号", "报警时间", "位号", "报警内容", "等级", "确认状态"]]
            + [[str(n), f"2023年6月1{n}日 09:30:0{n}", f"PT20{n}", "回水压力过低", "紧急", "未确认"] for n in (1, 2)],
            [20, 90, 330, 430, 620, 720],
            {"time": "2023年6月11日 09:30:01", "tag": "PT201", "text": "回水压力过低", "ack": "未确认", "number": "1"},
        ),
        (
            [["Date", "Time", "Alarm text", "Ack"]]
            + [["03/14/24", f"1:0{n}:55 PM", f"Pump {n} motor overload", "No"] for n in (1, 2, 3)],
            [20, 120, 280, 600],
            {"time": "03/14/24 1:01:55 PM", "text": "Pump 1 motor overload", "ack": "No"},
        ),
        (
            [["Severity", "Source", "Active time", "Event description", "Area"]]
            + [["Major", f"AHU-{n}", f"14.03.2024 10:0{n}", "Supply fan failure", "Roof"] for n in (1, 2)],
            [20, 140, 250, 460, 700],
            {"priority": "Major", "tag": "AHU-1", "time": "14.03.2024 10:01", "area": "Roof"},
        ),
    ],
)
def test_headings_in_any_order(lines: list[list[str]], lefts: list[int], expected: dict[str, str] | None) -> None:
    """Whatever the language and order of the headings, cells get their meaning."""
    found = roles(*drawn(lines, lefts))
    assert len(found) == len(lines) - 1
    assert expected.items() <= found[0].items()


def test_a_centred_heading_over_cells_at_the_left() -> None:
    """A short cell at the left edge of a wide column is not given to the column before it."""
    heads = [at("Time", 60, 100), at("Device", 300, 100), at("Channel", 520, 100), at("Description", 760, 100)]
    rows = [
        text
        for n in range(3)
        for text in drawn(
            [[f"10:0{n}:00", "ADAM-6015 Server room", f"t{n}", "High: 27.6 °C"]], [20, 200, 440, 640], top=140 + 30 * n
        )
    ]
    assert [dict(row.cells)["Channel"] for row in alarms(*heads, *rows)] == ["t0", "t1", "t2"]


def test_cells_of_several_lines() -> None:
    """A message that runs on in a second line is one cell, wherever in the row its time stands."""
    head = drawn([["Time", "Message", "State"]], [20, 200, 600])
    under = [
        text
        for n in range(3)
        for text in (
            at(f"12:0{n}:00", 20, 140 + 60 * n),
            at("Conveyor 4 emergency stop", 200, 140 + 60 * n),
            at("pressed at the outlet", 200, 160 + 60 * n),
            at("Active", 600, 140 + 60 * n),
        )
    ]
    around = [
        text
        for n in range(3)
        for text in (
            at("Conveyor 4 emergency stop", 200, 130 + 60 * n),
            at(f"12:0{n}:00", 20, 140 + 60 * n),
            at("pressed at the outlet", 200, 150 + 60 * n),
            at("Active", 600, 140 + 60 * n),
        )
    ]
    for rows in (under, around):
        found = roles(*head, *rows)
        assert [row["text"] for row in found] == ["Conveyor 4 emergency stop pressed at the outlet"] * 3


def test_headings_of_two_lines() -> None:
    """`Alarm` over `time` is one heading."""
    texts = [at("Alarm", 20, 80), at("Alarm", 200, 80), at("Ack", 500, 80)]
    texts += [at("time", 20, 98), at("text", 200, 98), at("state", 500, 98)]
    texts += drawn([[f"0{n}:00:00", "Low water level", "No"] for n in (1, 2, 3)], [20, 200, 500], top=130)
    found = alarms(*texts)
    assert next(dict(row.cells) for row in found) == {
        "Alarm time": "01:00:00",
        "Alarm text": "Low water level",
        "Ack state": "No",
    }


def test_a_menu_beside_the_table_is_no_cell() -> None:
    """Texts at the same height that are no column of the table belong to no row."""
    menu = [at(word, 10, 96 + 47 * n) for n, word in enumerate(("Overview", "Alarms", "Trends", "Setup"))]
    table = drawn(
        [["Time", "Message", "Level"]] + [[f"0{n}:00:00", "Low water level", "High"] for n in range(5)],
        [300, 480, 760],
    )
    found = alarms(*menu, *table)
    assert len(found) == 5
    assert all(set(row.cells.values()) == {f"0{n}:00:00", "Low water level", "High"} for n, row in enumerate(found))


def test_what_the_reader_ran_together_is_taken_apart() -> None:
    """A number before its time, and a date glued to its time, come out as they are printed."""
    table = drawn(
        [["No", "Time", "Text"], ["", "", ""]] + [["", "", "Over temperature"]] * 2,
        [20, 80, 400],
    )
    table += [at("7 21/11/201616:33:17", 20, 160), at("8 21/11/201616:34:17", 20, 190)]
    found = roles(*table)
    assert [(row["number"], row["time"]) for row in found] == [
        ("7", "21/11/2016 16:33:17"),
        ("8", "21/11/2016 16:34:17"),
    ]


def test_a_log_without_headings() -> None:
    """Columns are told by what stands in them."""
    rows = [[f"2024-01-0{n} 10:00:0{n}", f"PT-10{n}", "Suction pressure low", "High"] for n in range(1, 6)]
    found = roles(*drawn(rows, [20, 260, 380, 640]))
    assert len(found) == 5
    assert found[0] == {
        "time": "2024-01-01 10:00:01",
        "tag": "PT-101",
        "text": "Suction pressure low",
        "priority": "High",
    }


def test_notifications() -> None:
    """A time with a line of words under it is a row; the buttons under those are none of it."""
    texts = []
    for n in range(3):
        texts += [at(f"27/01/2025 13:0{n}:02", 800, 100 + 80 * n), at(f"Boiler {n}: pressure high", 800, 120 + 80 * n)]
        texts += [at("Info", 800, 142 + 80 * n), at("Ack", 860, 142 + 80 * n)]
    assert [row["text"] for row in roles(*texts)] == [f"Boiler {n}: pressure high" for n in range(3)]


def test_moments_that_are_no_alarms() -> None:
    """The clock of a screen, the axis of a trend and a list of orders make no rows."""
    clock = [at("2024-03-01", 900, 10), at("08:15:20", 900, 30), at("Pump fault", 100, 30)]
    axis = [at(f"{n:02d}:00", 100 + 90 * n, 500) for n in range(8)]
    orders = drawn([[f"0{n}:00:00", f"Order {n} for Miller", "Paint"] for n in range(1, 6)], [20, 160, 420])
    for texts in (clock, axis, orders):
        assert alarms(*texts) == []


def test_an_empty_list_has_no_rows() -> None:
    """Headings alone are a list of nothing, and its notice is no alarm."""
    texts = [*drawn([["Time", "Tag", "Message", "Priority"]], [20, 200, 330, 600]), at("No active alarms", 250, 160)]
    assert alarms(*texts) == []


def test_a_row_that_the_edge_cuts_is_left_out() -> None:
    """Half a line of text at the end of a scrolled list is not read as a row."""
    rows = drawn([["Time", "Message"]] + [[f"0{n}:00:00", "Door open alarm"] for n in range(4)], [20, 200])
    cut = [Text("04:00:00", (20, 250, 84, 258), 0.7), Text("Door open alarm", (200, 250, 320, 258), 0.7)]
    assert len(alarms(at("Level", 500, 100), *rows, *cut)) == 4


def test_only_the_present_value_of_a_value_table_is_read() -> None:
    """Raw counts, limits, units and times beside a value are none of it."""
    lines = [["参数名称", "原始值", "当前值", "单位", "更新时间"]]
    lines += [[f"温度{n}", f"82{n}0", f"8{n}.2", "℃", f"10:0{n}:00"] for n in range(3)]
    texts = in_reading_order(drawn(lines, [20, 150, 260, 360, 440]))
    (table,) = find_tables(texts)
    assert not table.is_alarms
    assert [(r.label, r.value, r.unit) for r, _ in value_readings(table, texts)] == [
        (f"温度{n}", f"8{n}.2", "℃") for n in range(3)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "2023-06-10 11:24:21",
        "2023/6/10 11:24",
        "2023年6月10日11:24:21",
        "21/11/2016 16:33:17",
        "21.11.16 16:33",
        "11/21/2016 4:33:17 PM",
        "21 Nov 2016 16:33",
        "2024-06-01T12:00:00Z",
        "16:33:17.250",
    ],
)
def test_moments_of_many_countries(text: str) -> None:
    """The whole text is the moment."""
    moment = moment_in(text)
    assert moment is not None and text[moment.start : moment.end] == text


@pytest.mark.parametrize("text", ["192.168.1.10", "v2.10.11", "10-20 bar", "3.5", "Zone 3-4", "ADAM-6015", "1:500"])
def test_what_is_no_moment(text: str) -> None:
    """Addresses, versions, ranges and ratios are not."""
    assert moment_in(text) is None


def test_a_lost_space_is_put_back() -> None:
    """Between date and time only."""
    assert unglued("21/11/201616:33:17") == "21/11/2016 16:33:17"
    assert unglued("2023年6月10日11:24:21") == "2023年6月10日11:24:21"


def test_the_colour_of_a_row() -> None:
    """Red words on white, and white words on a red row, are both a red row; black on white is none."""
    pixels = np.full((120, 300, 3), 255, np.uint8)
    pixels[12:18, 20:200:3] = (220, 20, 20)
    pixels[40:60] = (220, 20, 20)
    pixels[46:54, 20:200:3] = 255
    pixels[92:98, 20:200:3] = 0
    rows = [AlarmRow({"time": "1"}, (10, top, 290, top + 20)) for top in (5, 40, 85)]
    assert [row.roles.get("color") for row in find_row_marks(pixels, rows)] == ["red", "red", None]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.text("0123456789:-/. 报警时间Time Alarm", max_size=14), st.integers(0, 400), st.integers(0, 300)),
        max_size=25,
    )
)
def test_any_texts_are_harmless(items: list[tuple[str, int, int]]) -> None:
    """Whatever stands wherever, looking for tables ends without an error and cells hold only what was there."""
    texts = in_reading_order([at(text, left, top) for text, left, top in items])
    for row in [row for table in find_tables(texts) for row in table.alarms]:
        assert row.box[0] < row.box[2] and row.box[1] < row.box[3]
