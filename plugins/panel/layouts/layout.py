"""From texts to readings: tables first, then what one run says by itself, then units, then labels.

Order: reading order → tables → tokens → scales and charts set apart → units beside their value → states in lists →
labels by least cost over the whole panel → names of groups → readings. A bare number that no label is close to is no
reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.api import AlarmRow, Box, Reading, Text
from plugins.panel.geometry import centre, height, lines_of
from plugins.panel.grammar import Token, tokens_of
from plugins.panel.layouts.arcs import is_on_arc
from plugins.panel.layouts.axes import set_scales_apart
from plugins.panel.layouts.groups import group_names
from plugins.panel.layouts.matrix import Cell, find_cells
from plugins.panel.layouts.pairing import Choice, pair_labels
from plugins.panel.layouts.unit_places import unit_above, with_known_units, with_rings, with_units
from plugins.panel.layouts.word_values import (
    with_letters,
    with_spans,
    with_states,
    with_whole_labels,
    with_wrapped_labels,
)
from plugins.panel.tables.tables import alarm_rows, find_tables, value_readings

__all__ = ["Layout", "in_reading_order", "understand"]

_LOW_SCORE = 0.8
_FAR_CAPTION = 2.5
"""A caption further above or below than this, in text heights, may be that of a dial on whose scale a number stands."""
_EDGE_PX = 1
"""A value that ends this close to the edge of the photo may have lost digits."""


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
    gaps: tuple[Box, ...] = ()
    """Where short cells of tables seem to be empty."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A reading in the making."""

    reading: Reading
    source: int
    label: Token | None = None
    """None where the value's own run names it, or nothing does."""


def in_reading_order(texts: Sequence[Text]) -> tuple[Text, ...]:
    """From the top, each line from the left."""
    return tuple(text for line in lines_of([(text.box, text) for text in texts]) for _, text in line)


def understand(
    texts: Sequence[Text], size: tuple[int, int], *, areas: Sequence[Box] = (), taken: frozenset[int] = frozenset()
) -> Layout:
    """Pair everything on a panel.

    :param texts: in reading order.
    :param size: width and height of the image.
    :param areas: cards and boxes of the panel (`plugins.panel.layouts.areas`), the smallest first.
    :param taken: indices of texts that belong to instruments found before; they are paired with nothing.
    """
    tables = find_tables(texts)
    in_tables = frozenset(index for table in tables for index in table.sources)
    alarms = [row for table in tables if table.is_alarms for row in alarm_rows(table, texts)]
    listed = [pair for table in tables if not table.is_alarms for pair in value_readings(table, texts)]
    tokens = [token for i, text in enumerate(texts) if i not in in_tables for token in tokens_of(text, i)]
    tokens = [replace(token, kind="other") if token.source in taken else token for token in tokens]
    tokens = with_units(with_letters(set_scales_apart(tokens, areas)))
    tokens = with_wrapped_labels(with_whole_labels(tokens, areas))
    tokens = with_spans(with_states(tokens, areas))
    paired = _paired(tokens, areas)
    found = sorted([_Found(r, source) for r, source in listed if source not in taken] + paired, key=lambda f: f.source)
    units = with_known_units(with_rings([item.reading for item in found]))
    readings = tuple(_flagged(reading, size) for reading in units)
    label_sources = frozenset(item.label.source for item in paired if item.label is not None)
    gaps = tuple(gap for table in tables for gap in table.gaps)
    return Layout(readings, tuple(item.source for item in found), tuple(alarms), in_tables, label_sources, gaps)


def _paired(tokens: Sequence[Token], areas: Sequence[Box]) -> list[_Found]:
    """Values with the label that their run or their place gives them."""
    cells = find_cells(tokens)
    headings = {id(cell.column) for cell in cells.values()} | {id(cell.row) for cell in cells.values()}
    values = [t for t in tokens if t.kind in ("value", "none") and not t.label and id(t) not in cells]
    labels = [t for t in tokens if t.kind == "label" and id(t) not in headings]
    choices = pair_labels(values, labels, tokens, areas)
    found = [
        _Found(_reading(t, t.label, t.unit, "label and value stand in one run of text"), t.source)
        for t in tokens
        if t.kind in ("value", "none") and t.label
    ]
    found += [_of_cell(t, cells[id(t)]) for t in tokens if id(t) in cells]
    used = {id(labels[choice.pair.label]) for choice in choices.values()}
    for number, value in enumerate(values):
        choice = choices.get(number)
        if choice is not None and _is_of_dial(value, choice, tokens):
            continue
        if choice is not None and _believable(value, labels[choice.pair.label], choice):
            label = labels[choice.pair.label]
            bare = not (value.unit or label.unit) and value.text[-1:].isdigit()
            above = unit_above(value, tokens, used) if bare else ""
            flags = ("ambiguous",) if choice.ambiguous or _is_weak(choice) else ()
            unit = value.unit or label.unit or above
            found.append(
                _Found(_reading(value, label.text, unit, _why(choice, value, label), *flags), value.source, label)
            )
        elif value.kind == "value" and (value.unit or _has_unit_within(value)):
            why = "the number has a unit; no label is close to it"
            found.append(_Found(_reading(value, "", value.unit, why, "unlabelled"), value.source))
    return _named_by_group(found, labels)


def _is_of_dial(value: Token, choice: Choice, tokens: Sequence[Token]) -> bool:
    """A number at the top of a dial stands far over its caption."""
    far = choice.pair.side in ("above", "below") and choice.pair.gap > _FAR_CAPTION
    return far and is_on_arc(value, tokens)


def _is_weak(choice: Choice) -> bool:
    """A label in an unusual place that nothing else on the panel speaks for."""
    pair = choice.pair
    unusual = pair.side in ("below", "right", "near") or pair.crossings > 0
    return unusual and pair.repeats < 2 and not pair.together


def _has_unit_within(value: Token) -> bool:
    """A part and its whole, or a duration, with units between the digits."""
    return any(c.isdigit() for c in value.text) and any(c.isalpha() for c in value.text)


def _of_cell(value: Token, cell: Cell) -> _Found:
    unit = value.unit or cell.column.unit or cell.row.unit or cell.unit
    why = "a table: named by its row and by the heading of its column"
    return _Found(_reading(value, f"{cell.row.text} {cell.column.text}", unit, why), value.source)


def _named_by_group(found: Sequence[_Found], labels: Sequence[Token]) -> list[_Found]:
    """A label that repeats under different headings carries its heading."""
    used = {id(item.label) for item in found}
    names = group_names([item.label for item in found], [label for label in labels if id(label) not in used])
    result = []
    for item, name in zip(found, names, strict=True):
        if name:
            why = f"{item.reading.why}; the label repeats, and here it stands under {name!r}"
            item = replace(item, reading=replace(item.reading, label=f"{name} {item.reading.label}", why=why))
        result.append(item)
    return result


def _reading(token: Token, label: str, unit: str, why: str, *flags: str) -> Reading:
    number = None if token.kind == "none" else token.text
    if number is None:
        flags = (*flags, "no-value")
    return Reading(label, number, unit, "printed", token.box, token.score, flags, why=why)


def _why(choice: Choice, value: Token, label: Token) -> str:
    pair = choice.pair
    place = {"left": "left of the value", "right": "right of the value", "near": "close by"}.get(pair.side, pair.side)
    parts = [f"label {place}, {max(pair.gap, 0.0):.1f} heights away"]
    if choice.shared:
        parts.append(choice.shared)
    if pair.together:
        parts.append("in the same card")
    if pair.listed:
        parts.append("the same two columns repeat")
    elif pair.repeats > 1:
        parts.append(f"laid out alike {pair.repeats} times")
    if value.unit or label.unit:
        parts.append("unit with the value" if value.unit else "unit in the label")
    return "; ".join(parts)


def _believable(value: Token, label: Token, choice: Choice) -> bool:
    """A bare number needs more than a label somewhere near, or every page number becomes a reading."""
    pair = choice.pair
    follows = label.colon and pair.side == "left"
    if label.colon and not follows and abs(value.box[0] - label.box[0]) > height(label.box) and pair.repeats < 3:
        return False
    if value.kind == "none" or value.unit or label.unit or follows or pair.listed:
        return True
    if label.score < _LOW_SCORE or pair.crossings > 1 or _is_pager(value):
        return False
    ratio = height(value.box) / max(1, height(label.box))
    if ratio > 2.2 and len(value.text) == 1:
        return False
    near = pair.gap <= 5 if pair.side in ("left", "right") else pair.gap <= 1.6 or pair.repeats > 2
    backed = pair.repeats > 1 or pair.together or pair.framed
    if value.sure:
        return near and (backed or pair.side in ("left", "above"))
    if len(value.text) == 1 and not (pair.repeats > 2 or pair.framed):
        return False
    if pair.side == "left":
        return near
    middles = min(abs(centre(value.box)[0] - centre(label.box)[0]), abs(value.box[0] - label.box[0]))
    return near and (middles <= 1.2 * height(value.box) or pair.repeats > 2)


def _is_pager(value: Token) -> bool:
    """`1/12`: a page of pages, unless a list or a colon says what it counts."""
    return "/" in value.text and not any(c.isalpha() or c == "." for c in value.text)


def _flagged(reading: Reading, size: tuple[int, int]) -> Reading:
    flags = list(reading.flags)
    left, top, right, bottom = reading.box
    cut = left < _EDGE_PX or top < _EDGE_PX or right > size[0] - _EDGE_PX or bottom > size[1] - _EDGE_PX
    if reading.value is not None and cut:
        flags.append("clipped")
    if reading.score < _LOW_SCORE:
        flags.append("low-score")
    return replace(reading, flags=tuple(flags))
