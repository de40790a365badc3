"""From texts to readings: tables first, then what one run says by itself, then units, then labels.

Order: reading order → tables → tokens → numbers of scales and axes set aside → units to the right of their value →
labels by least cost over the whole panel → readings. A bare number that no label is close to is no reading.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agent.api import AlarmRow, Reading, Text
from plugins.panel.geometry import centre, height, lines_of, overlap_x, overlap_y, same_line
from plugins.panel.grammar import Token, tokens_of
from plugins.panel.pairing import Pair, pair_labels
from plugins.panel.tables import alarm_rows, find_tables, value_readings

__all__ = ["Layout", "in_reading_order", "understand"]

_LOW_SCORE = 0.8
_UNIT_REACH = 2.6
"""How far right of its value a unit may stand, in text heights."""
_TICK_REACH = 14.0
"""How far apart two neighbours of a scale may stand, in text heights."""
_NEIGHBOURS = 8
_MAX_TICKS = 60


@dataclass(frozen=True, slots=True)
class Layout:
    """What the texts of a panel say."""

    readings: tuple[Reading, ...]
    sources: tuple[int, ...]
    """For each reading, the index of the text that its value stands in."""
    alarms: tuple[AlarmRow, ...]
    in_tables: frozenset[int]
    """Texts that belong to a table."""
    label_sources: frozenset[int] = frozenset()
    """Texts that only name a reading, so that their colour is no lamp."""


def in_reading_order(texts: Sequence[Text]) -> tuple[Text, ...]:
    """From the top, each line from the left."""
    return tuple(text for line in lines_of([(text.box, text) for text in texts]) for _, text in line)


def understand(texts: Sequence[Text], size: tuple[int, int]) -> Layout:
    """Pair everything on a panel.

    :param texts: in reading order.
    :param size: width and height of the image.
    """
    tables = find_tables(texts)
    in_tables = frozenset(index for table in tables for index in table.sources)
    alarms = [row for table in tables if table.is_alarms for row in alarm_rows(table, texts)]
    found = [pair for table in tables if not table.is_alarms for pair in value_readings(table, texts)]
    tokens = [token for i, text in enumerate(texts) if i not in in_tables for token in tokens_of(text, i)]
    tokens = _without_scales(tokens)
    paired, label_sources = _paired(_with_units(tokens))
    found = sorted(found + paired, key=lambda pair: pair[1])
    readings = tuple(_flagged(reading, size) for reading, _ in found)
    return Layout(readings, tuple(source for _, source in found), tuple(alarms), in_tables, label_sources)


def _paired(tokens: Sequence[Token]) -> tuple[list[tuple[Reading, int]], frozenset[int]]:
    """Values with the label that their run or their place gives them, and the texts those labels stand in."""
    open_values = [t for t in tokens if t.kind in ("value", "none") and not t.label]
    labels = [t for t in tokens if t.kind == "label"]
    pairs = pair_labels(open_values, labels, tokens)
    found = [_reading(t, t.label, t.unit) for t in tokens if t.kind in ("value", "none") and t.label]
    used: set[int] = set()
    for number, value in enumerate(open_values):
        pair = pairs.get(number)
        if pair is not None and _believable(value, labels[pair.label], pair):
            label = labels[pair.label]
            unit = value.unit or label.unit or _unit_above(value, labels)
            found.append(_reading(value, label.text, unit))
            used.add(label.source)
        elif value.kind == "value" and value.unit:
            found.append(_reading(value, "", value.unit, "unlabelled"))
    return found, frozenset(used)


def _reading(token: Token, label: str, unit: str, *flags: str) -> tuple[Reading, int]:
    number = None if token.kind == "none" else token.text
    if number is None:
        flags = (*flags, "no-value")
    return Reading(label, number, unit, "printed", token.box, token.score, flags), token.source


def _believable(value: Token, label: Token, pair: Pair) -> bool:
    """A bare number needs more than a label somewhere near, or every page number becomes a reading."""
    if value.kind == "none" or value.unit or label.unit or label.colon or pair.listed:
        return True
    if label.score < _LOW_SCORE:
        return False
    ratio = height(value.box) / max(1, height(label.box))
    if ratio > 2.2 and len(value.text) == 1:
        return False
    gap = value.box[0] - label.box[2] if pair.side == "left" else -overlap_y(value.box, label.box)
    near = gap <= 5 * height(value.box) if pair.side == "left" else gap <= 1.6 * height(value.box)
    if value.sure:
        return near
    if pair.side == "left":
        return len(value.text) > 1 and near
    middles = abs(centre(value.box)[0] - centre(label.box)[0])
    return len(value.text) > 1 and near and middles <= 1.2 * height(value.box)


def _with_units(tokens: Sequence[Token]) -> list[Token]:
    """Give every unit that stands alone to the value left of it; the rest are no labels either."""
    result = list(tokens)
    units = [t for t in tokens if t.kind == "unit"]
    taken: set[int] = set()
    for number, token in enumerate(result):
        if token.kind not in ("value", "none") or token.unit:
            continue
        reach = [
            (unit.box[0] - token.box[2], index)
            for index, unit in enumerate(units)
            if index not in taken
            and same_line(unit.box, token.box)
            and -0.6 * height(token.box) <= unit.box[0] - token.box[2] <= _UNIT_REACH * height(token.box)
        ]
        if reach:
            index = min(reach)[1]
            taken.add(index)
            result[number] = replace(token, unit=units[index].text)
    return [token for token in result if token.kind != "unit"]


def _unit_above(value: Token, labels: Sequence[Token]) -> str:
    """The unit of a column: a heading over the value that ends with one."""
    over = [
        label
        for label in labels
        if label.unit
        and label.box[3] <= value.box[1] + 2
        and overlap_x(label.box, value.box) > 0
        and value.box[1] - label.box[3] < 12 * height(value.box)
    ]
    return max(over, key=lambda label: label.box[3]).unit if over else ""


def _without_scales(tokens: Sequence[Token]) -> list[Token]:
    """Drop bare numbers that climb in equal steps from neighbour to neighbour: scales, dials, rulers, row numbers."""
    bare = [t for t in tokens if t.kind == "value" and not (t.unit or t.label or _has_leading_zero(t))]
    if len(bare) < 3:
        return list(tokens)
    numbers = [_number(token) for token in bare]
    places = np.array([centre(token.box) for token in bare])
    by_number: dict[float, list[int]] = {}
    for index, number in enumerate(numbers):
        by_number.setdefault(round(number, 6), []).append(index)
    scale: set[int] = set()
    for first in range(len(bare)):
        distances = np.hypot(*(places - places[first]).T)
        for second in np.argsort(distances)[1 : _NEIGHBOURS + 1].tolist():
            near = distances[second] <= _TICK_REACH * height(bare[first].box)
            if near and numbers[second] > numbers[first] and not {first, second} <= scale:
                run = _run(numbers, by_number, places, [first, second])
                if len(run) >= (3 if _straight([bare[i] for i in run]) else 4):
                    scale.update(run)
    dropped = {id(bare[index]) for index in scale}
    return [token for token in tokens if id(token) not in dropped]


def _run(
    numbers: Sequence[float], by_number: Mapping[float, Sequence[int]], places: NDArray[np.float64], run: list[int]
) -> list[int]:
    """Follow a scale upwards: the next number is one step more, and about as far away as the one before."""
    step = numbers[run[1]] - numbers[run[0]]
    reach = 1.6 * math.dist(places[run[0]], places[run[1]])
    while len(run) < _MAX_TICKS:
        candidates = by_number.get(round(numbers[run[-1]] + step, 6), ())
        near = [(distance, i) for i in candidates if (distance := math.dist(places[run[-1]], places[i])) <= reach]
        if not near:
            break
        run = [*run, min(near)[1]]
    return run


def _straight(run: Sequence[Token]) -> bool:
    """All in one row or one column, evenly spread."""
    middles = [centre(token.box) for token in run]
    tall = max(height(token.box) for token in run)
    for axis in (0, 1):
        if max(m[1 - axis] for m in middles) - min(m[1 - axis] for m in middles) > 0.7 * tall:
            continue
        gaps = [b[axis] - a[axis] for a, b in itertools.pairwise(middles)]
        return max(gaps) * min(gaps) > 0 and max(map(abs, gaps)) <= 1.3 * min(map(abs, gaps)) + 2
    return False


def _has_leading_zero(token: Token) -> bool:
    """Counters and displays pad with zeros; scales do not."""
    return len(token.text) > 1 and token.text[0] == "0" and token.text[1].isdigit()


def _number(token: Token) -> float:
    text = token.text
    comma_is_point = "." not in text and text.count(",") == 1 and len(text.rsplit(",", 1)[1]) != 3
    return float(text.replace(",", "." if comma_is_point else ""))


def _flagged(reading: Reading, size: tuple[int, int]) -> Reading:
    flags = list(reading.flags)
    left, _, right, _ = reading.box
    if reading.value is not None and (left <= 0 or right >= size[0]):
        flags.append("clipped")
    if reading.score < _LOW_SCORE:
        flags.append("low-score")
    return replace(reading, flags=tuple(flags))
