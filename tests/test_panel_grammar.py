"""What one run of text on a panel can be: a reading's parts, or nothing that is paired."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.perception import Text
from plugins.panel.grammar import ending_unit, is_moment, split_unit, tokens_of, unit_key


def parsed(text: str) -> list[tuple[str, str, str, str]]:
    return [(t.kind, t.text, t.unit, t.label) for t in tokens_of(Text(text, (0, 0, 200, 16), 1.0), 0)]


@pytest.mark.parametrize(
    ("text", "label", "value", "unit"),
    [
        ("进水压力 0.62MPa", "进水压力", "0.62", "MPa"),
        ("进水压力0.62 MPa", "进水压力", "0.62", "MPa"),
        ("温度：22.5℃", "温度", "22.5", "℃"),
        ("NO.3风机频率 32.7 Hz", "NO.3风机频率", "32.7", "Hz"),
        ("1#泵 35.2Hz", "1#泵", "35.2", "Hz"),
        ("转速1450rpm", "转速", "1450", "rpm"),
        ("Speed: 1,450 rpm", "Speed", "1,450", "rpm"),
        ("Oil temp. -12.5 °C", "Oil temp.", "-12.5", "°C"),
        ("Level 45 %", "Level", "45", "%"),
        ("核心数:4", "核心数", "4", ""),
        ("出口压力(MPa): 0.62", "出口压力", "0.62", "MPa"),
        ("Burner: Running", "Burner", "Running", ""),
        ("循环泵：停止", "循环泵", "停止", ""),
        ("Dew point 4.36", "Dew point", "4.36", ""),
        ("Extruder: 20.4 / 60 °C", "Extruder", "20.4", "°C"),
        ("Memory: 2.1G/7.2G", "Memory", "2.1G/7.2G", ""),
        ("运行时间 01:23:45", "运行时间", "01:23:45", ""),
        ("设定 kPa: 394", "设定", "394", "kPa"),
    ],
)
def test_label_value_and_unit_in_one_run(text: str, label: str, value: str, unit: str) -> None:
    """A run that says all three is taken apart, with sign, decimals and unit as printed."""
    assert parsed(text) == [("value", value, unit, label)]


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("27.5 °C", "27.5", "°C"),
        ("8°℃", "8", "℃"),
        ("+00.0", "+00.0", ""),
        ("20.4 / 60 °C", "20.4", "°C"),
        ("72.5G/ 98.3G", "72.5G/ 98.3G", ""),
        ("2h 15m", "2h 15m", ""),
        ("49 hL/h", "49", "hL/h"),
    ],
)
def test_a_value_alone(text: str, value: str, unit: str) -> None:
    """A number with or without unit waits for its label."""
    assert parsed(text) == [("value", value, unit, "")]


@pytest.mark.parametrize(
    "text",
    ["Pump 1", "NO.2补水泵", "1线换热器", "Array[0]", "TK1", "0-100模拟值", "Control 1 > 10", "Zone A", "No.2 河南"],
)
def test_a_number_within_a_name_is_no_value(text: str) -> None:
    """Names of machines keep their numbers."""
    assert parsed(text) == [("label", text, "", "")]


@pytest.mark.parametrize(
    "text",
    [
        "20:49", "12/15/2024 20:49", "2024年12月15日", "21 November 2016", "v0.4.0-35", "v1.2.3 -> v1.3.0",
        "192.168.1.10", "localhost:1881/home", "https://plant.example.com/view/12", ":24.000",
    ],
)  # fmt: skip
def test_times_addresses_and_versions_are_set_apart(text: str) -> None:
    """Digits of a clock, a date, an address or a version are never a reading."""
    assert [kind for kind, *_ in parsed(text)] in (["other"], ["clock"])


@pytest.mark.parametrize("text", ["##.##", "---", "--", "--.- ", "***", "N/A"])
def test_placeholders_hold_no_value(text: str) -> None:
    """What a panel shows for "no value" is known as that."""
    assert [kind for kind, *_ in parsed(text)] == ["none"]


def test_two_values_in_one_run() -> None:
    """A run with two labels and two values gives both."""
    assert parsed("电流 3.2 A 电压 220 V") == [("value", "3.2", "A", "电流"), ("value", "220", "V", "电压")]


def test_a_message_about_a_value_is_no_reading() -> None:
    """A line of an alarm list is not the present value of anything."""
    assert [kind for kind, *_ in parsed("Boiler - Drum: High high, 21.000 mA")] == ["other"]


def test_units_of_headings_are_split_off() -> None:
    """A heading's unit is not a part of its name."""
    assert split_unit("Temp (°C)") == ("Temp", "°C")
    assert split_unit("Max Velocity (mm/s)") == ("Max Velocity", "mm/s")
    assert split_unit("Status") == ("Status", "")


@pytest.mark.parametrize("text", ["4-20 mA", "0...100 %", "(10 ~ 35) °C", "Ver 2.1", "版本号: 3.0"])
def test_ranges_and_versions_are_no_values(text: str) -> None:
    """What a value may be, and what a program is called, is not what was measured."""
    assert "value" not in [kind for kind, *_ in parsed(text)]


def test_look_alike_units_are_one() -> None:
    """For comparison a unit has one spelling, whatever the reader or the panel makes of it."""
    assert unit_key("℃") == unit_key("°C") == unit_key("oC") == unit_key("C")
    assert unit_key("m³/h") == unit_key("M3/H") == unit_key("m²/h")
    assert unit_key("μS/cm") == unit_key("µS/cm") and unit_key("Mpa") == unit_key("MPa")
    assert unit_key("kW") != unit_key("kWh")


def test_a_cell_of_units() -> None:
    """Digits that were read into a cell of units are no part of the unit."""
    assert [ending_unit(cell) for cell in ("MPa", "1 ℃", "96", "m³/h", "m3/h", "")] == [
        "MPa",
        "℃",
        "",
        "m³/h",
        "m3/h",
        "",
    ]


def test_moments() -> None:
    """Dates and times of both languages are known as such."""
    assert all(is_moment(t) for t in ("21/11/2016 16:33:17", "2023年6月10日11:24:21", "16:04", "2024-01-02"))
    assert not is_moment("Enterprise")


@given(st.text(max_size=80))
def test_any_text_is_taken_apart(text: str) -> None:
    """Whatever a reader returns is split without failing, and nothing lies outside its box."""
    for token in tokens_of(Text(text, (10, 5, 210, 25), 0.9), 3):
        assert token.source == 3
        assert 10 <= token.box[0] < token.box[2] <= 211
