"""The name and the unit that are printed at a display.

A unit stands right of the digits or on the bezel beside them; a name stands above or below, or left on the line. A
quantity's name may be all there is: LITRES is the label, and its unit is L. One run may hold both: `SET °C`, of which
a reader often loses the ring.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from agent.api import Box, Text
from plugins.panel.geometry import centre, height, overlap_x, overlap_y
from plugins.panel.grammar import split_unit
from plugins.panel.words import QUANTITIES, UNITS

__all__ = ["caption_of"]

_QUANTITIES = {
    "LITRES": "L", "LITERS": "L", "LITRE": "L", "LITER": "L", "GALLONS": "gal", "VOLTS": "V", "VOLT": "V",
    "VOLTAGE": "V", "VOLTMETER": "V", "AMPS": "A", "AMP": "A", "AMPERE": "A", "AMPERES": "A", "AMPEREMETER": "A",
    "AMMETER": "A", "CURRENT": "A", "WATTS": "W", "WATT": "W", "KILOWATTS": "kW", "HERTZ": "Hz", "HOURS": "h",
    "MINUTES": "min", "SECONDS": "s", "PERCENT": "%", "CELSIUS": "°C", "FAHRENHEIT": "°F", "RPM": "rpm",
    "升": "L", "电压": "V", "电压表": "V", "电流": "A", "电流表": "A", "频率": "Hz", "转速": "rpm", "小时": "h",
    "分钟": "min", "摄氏度": "℃", "立方米": "m³", "吨": "t", "千克": "kg",
}  # fmt: skip
"""What a quantity is called → the unit that it is shown in where none is printed."""
_NAME_AND_UNIT = re.compile(r"(?P<name>.*[^\W\d_]{2}.*?)(?:\s+|(?<=[\u4e00-\u9fff]))(?P<unit>\S+)")
_LOST_RINGS = {"C": "°C", "oC": "°C", "0C": "°C", "F": "°F", "oF": "°F"}
_TARGETS = frozenset(
    ("set", "sp", "sv", "pv", "mv", "act", "actual", "setpoint", "设定", "设定值", "实测", "实测值", "测量值")
)
"""What displays are called that show a quantity and its target."""
_LETTERS = re.compile(r"[^\W\d_]")
_LEGIBLE = 0.8
_ALIKE, _LONG = 0.85, 6
"""A name of so many letters may have one that was not read."""
_FAR = 2.0
"""A name stands within this many heights of the digits."""


def caption_of(area: Box, texts: Sequence[Text], taken: frozenset[int]) -> tuple[str, str, frozenset[int]]:
    """Label, unit, and which texts they stand in; empty where nothing near is either.

    :param area: of the digits.
    :param taken: texts that belong to displays.
    """
    label, unit = "", ""
    used: set[int] = set()
    near = sorted(
        (_distance(area, text.box), i) for i, text in enumerate(texts) if i not in taken and text.score >= _LEGIBLE
    )
    for distance, index in near:
        if distance > _FAR * height(area):
            break
        text = texts[index].text.strip()
        if not unit and _is_unit(text) and _gap(area, texts[index].box) <= height(area):
            unit = text.strip("()[]")
            used.add(index)
        elif not label and _LETTERS.search(text) and _is_name(text, area, texts[index].box):
            label, printed = _parted(text.rstrip(":： "))
            unit = unit or printed
            used.add(index)
    if label and not unit:
        word = re.sub(r"[^\w]", "", label).upper()
        alike = get_close_matches(word, _QUANTITIES, 1, _ALIKE) if len(word) >= _LONG else []
        unit = _QUANTITIES.get(alike[0] if alike else word, "")
    return label, unit, frozenset(used)


def _parted(text: str) -> tuple[str, str]:
    """A caption as name and unit. A single letter is a unit only where the name tells that something is measured."""
    name, unit = split_unit(text)
    if unit:
        return name, unit
    found = _NAME_AND_UNIT.fullmatch(text)
    if found is None:
        return text, ""
    name, unit = found["name"].rstrip(":： "), found["unit"].strip("()[]（）")
    measured = name.lower() in _TARGETS or any(quantity in name.lower() for quantity in QUANTITIES)
    if unit in _LOST_RINGS:
        return (name, _LOST_RINGS[unit]) if measured else (text, "")
    return (name, unit) if unit in UNITS and unit.lower() != "ph" and (len(unit) > 1 or measured) else (text, "")


def _is_unit(text: str) -> bool:
    return text.strip("()[]") in UNITS


def _is_name(text: str, area: Box, box: Box) -> bool:
    """Above or below the digits, or on their line."""
    if len(text) > 40 or sum(character.isdigit() for character in text) > len(text) / 2:
        return False
    return overlap_x(area, box) > 0 or overlap_y(area, box) > 0.3 * min(height(area), height(box))


def _gap(area: Box, box: Box) -> int:
    return max(0, -overlap_x(area, box)) + max(0, -overlap_y(area, box))


def _distance(area: Box, box: Box) -> float:
    """Between edges; of two that stand equally far, the one nearer to the middle is nearer."""
    return _gap(area, box) + 0.15 * abs(centre(area)[0] - centre(box)[0])
