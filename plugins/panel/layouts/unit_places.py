"""Where the unit of a value stands: behind it, under it, in a column of units, or in the heading of its column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.api import AlarmRow, Reading, Text
from agent.perception import number_of
from plugins.panel.geometry import centre, height, overlap_x, same_line
from plugins.panel.grammar import Token, amounts_in, ending_unit, unit_key
from plugins.panel.words import DIMENSIONLESS, QUANTITIES

__all__ = ["unit_above", "with_known_units", "with_rings", "with_told_units", "with_unit_doubts", "with_units"]

_UNIT_REACH = 2.6
"""How far right of its value a unit may stand, in text heights."""
_UNIT_COLUMN_REACH = 12.0
"""The same where units and values stand in columns."""
_UNIT_BELOW = 0.9
"""How far beneath its value a unit may stand, in text heights."""
_COLUMN_REACH = 14.0
"""How far beneath its heading a value takes the heading's unit, in text heights."""


_MATES = 3
"""So many values laid out alike must have units before one without is doubted."""
_TOLD_CHARS = 6
"""The shortest label that is looked for in messages."""
_LONE_RINGS = frozenset("àáâäåòóôöº˚。")
"""What a reader makes of a degree that stands alone."""


def with_units(tokens: Sequence[Token]) -> list[Token]:
    """Give every unit that stands alone to the value left of it or above it; the rest are no labels either."""
    result = list(tokens)
    units = [t for t in tokens if t.kind == "unit"]
    free = set(range(len(units)))
    for reach in (_unit_right, _unit_beneath, _unit_of_column):
        open_values = [i for i, t in enumerate(result) if t.kind in ("value", "none") and not t.unit]
        for number in open_values:
            near = [(gap, i) for i in free if (gap := reach(result[number], units[i], tokens)) is not None]
            if near:
                index = min(near)[1]
                free.discard(index)
                result[number] = replace(result[number], unit=units[index].text)
    return [token for token in result if token.kind != "unit"]


def with_rings(readings: Sequence[Reading]) -> list[Reading]:
    """Units as they are meant: C behind a number is a degree whose ring was not read, and digits are no unit."""
    fahrenheit = any(reading.unit in ("°F", "℉") for reading in readings)
    celsius = next((r.unit for r in readings if r.unit in ("°C", "℃")), "°C")
    meant = {"C": celsius, "oC": celsius, "F": "°F" if fahrenheit else "F"} | dict.fromkeys(_LONE_RINGS, "°")
    return [replace(r, unit=meant.get(unit := ending_unit(r.unit), unit)) for r in readings]


def with_known_units(readings: Sequence[Reading]) -> list[Reading]:
    """A reading whose unit was not read has that of its namesakes, where the name tells what is measured and at least
    two of these agree.
    """
    known: dict[str, list[str]] = {}
    for reading in readings:
        if reading.label and reading.unit:
            known.setdefault(reading.label, []).append(reading.unit)
    result = []
    for reading in readings:
        units = known.get(reading.label, [])
        told = any(quantity in reading.label.lower() for quantity in QUANTITIES)
        if told and not reading.unit and len(units) >= 2 and len({unit_key(unit) for unit in units}) == 1:
            reading = replace(reading, unit=units[0], why=f"{reading.why}; unit as with the same label elsewhere")
        result.append(reading)
    return result


def with_told_units(readings: Sequence[Reading], texts: Sequence[Text], alarms: Sequence[AlarmRow]) -> list[Reading]:
    """A reading without a unit has the one in which messages on the same panel speak of it: `Humidity: low, 31.7 %`.

    All messages that name it must agree.
    """
    result = []
    for reading in readings:
        if not reading.unit and number_of(reading.value) is not None and len(reading.label) >= _TOLD_CHARS:
            told = [unit for line in _messages_about(reading.label, texts, alarms) for unit in amounts_in(line)]
            if told and len({unit_key(unit) for unit in told}) == 1:
                reading = replace(reading, unit=told[0], why=f"{reading.why}; unit as in a message about it")
        result.append(reading)
    return result


def _messages_about(label: str, texts: Sequence[Text], alarms: Sequence[AlarmRow]) -> list[str]:
    """Messages and rows of alarms that name exactly this label; an icon before it may have become a letter."""
    names = {label.lower(), label.lower()[2:] if label[1:2] == " " else label.lower()}
    rows = [" ".join(row.cells.values()) for row in alarms if {c.strip().lower() for c in row.cells.values()} & names]
    lines = [text.text for text in texts if _is_about(text.text.lower(), names)]
    return rows + lines


def _is_about(line: str, names: set[str]) -> bool:
    for name in names:
        start = line.find(name)
        before, after = line[:start].rstrip(), line[start + len(name) :].lstrip()
        if start >= 0 and (not before or before[-1] in "-:：|,，/") and after[:1] in (":", "：", ",", "，"):
            return True
    return False


def with_unit_doubts(readings: Sequence[Reading]) -> list[Reading]:
    """A value without a unit among values laid out like it that all have one carries the flag `no-unit`."""
    numbers = [r for r in readings if r.kind == "printed" and number_of(r.value) is not None]
    result = []
    for reading in readings:
        mates = [r for r in numbers if r is not reading and _is_mate(r, reading)]
        lacks = reading in numbers and not reading.unit and "." in (reading.value or "")
        if lacks and not _is_dimensionless(reading.label) and len(mates) >= _MATES and all(r.unit for r in mates):
            reading = replace(reading, flags=(*reading.flags, "no-unit"))
        result.append(reading)
    return result


def _is_mate(a: Reading, b: Reading) -> bool:
    """In one column or on one line, in one size."""
    tall = min(height(a.box), height(b.box))
    edges = abs(a.box[0] - b.box[0]), abs(a.box[2] - b.box[2]), abs(centre(a.box)[0] - centre(b.box)[0])
    level = abs(centre(a.box)[1] - centre(b.box)[1]) <= 0.4 * tall
    return max(height(a.box), height(b.box)) <= 1.3 * tall and (level or min(edges) <= 0.7 * tall)


def _is_dimensionless(label: str) -> bool:
    return any(word in label.lower() for word in DIMENSIONLESS)


def _unit_right(value: Token, unit: Token, _tokens: Sequence[Token]) -> float | None:
    gap = (unit.box[0] - value.box[2]) / max(1, height(value.box))
    return gap if same_line(unit.box, value.box) and -0.6 <= gap <= _UNIT_REACH else None


def _unit_beneath(value: Token, unit: Token, _tokens: Sequence[Token]) -> float | None:
    """Only a small unit under its number, its middle or start aligned with it: `rpm` in a dial."""
    tall = height(value.box)
    gap = (unit.box[1] - value.box[3]) / max(1, tall)
    off = min(abs(centre(value.box)[0] - centre(unit.box)[0]), abs(value.box[0] - unit.box[0]))
    fits = off <= 0.8 * tall and height(unit.box) <= 1.1 * tall and centre(unit.box)[1] > value.box[3]
    return gap if fits and gap <= _UNIT_BELOW else None


def _unit_of_column(value: Token, unit: Token, tokens: Sequence[Token]) -> float | None:
    """A unit further right, where values in a column each have one behind them."""
    gap = _gap_behind(value, unit, tokens)
    if gap is None:
        return None
    tall = max(1, height(value.box))
    column = [
        t
        for t in tokens
        if t.kind in ("value", "none") and t is not value and min(abs(t.box[e] - value.box[e]) for e in (0, 2)) <= tall
    ]
    others = [t for t in tokens if t.kind == "unit" and t is not unit and abs(t.box[0] - unit.box[0]) <= 6 * tall]
    repeated = any(_gap_behind(mate, other, tokens) is not None for mate in column for other in others)
    return gap if repeated else None


def _gap_behind(value: Token, unit: Token, tokens: Sequence[Token]) -> float | None:
    """How far behind a value on its line a unit stands, in text heights; None where it does not, or not alone."""
    gap = (unit.box[0] - value.box[2]) / max(1, height(value.box))
    if not same_line(unit.box, value.box) or not 0 <= gap <= _UNIT_COLUMN_REACH:
        return None
    between = [
        t for t in tokens if t is not unit and same_line(t.box, value.box) and value.box[2] < t.box[0] < unit.box[0]
    ]
    return None if between else gap


def unit_above(value: Token, tokens: Sequence[Token], used: set[int]) -> str:
    """The unit of a column: a heading with a unit, and nothing but numbers between it and the value."""
    column = [
        token
        for token in tokens
        if token is not value and overlap_x(token.box, value.box) > 0 and token.box[3] <= value.box[1] + 2
    ]
    for token in sorted(column, key=lambda token: -token.box[3]):
        if value.box[1] - token.box[3] > _COLUMN_REACH * height(value.box):
            break
        if token.kind == "label":
            return token.unit if id(token) not in used else ""
    return ""
