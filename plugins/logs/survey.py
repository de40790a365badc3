"""What an export holds, found from its headings and first rows before anything is written: events, or series.

Events have a column that says what happened, or where; a list of values has a tag and a value in every row; what has
neither, but a time and columns of numbers, is a file of signals, a column each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from agent.api import InputError
from agent.settings import LogSettings
from plugins.logs.csv_text import CsvText
from plugins.logs.figures import Point, find_point, is_nothing, read_number, unit_of
from plugins.logs.headings import Columns, find_columns, guess_columns, plain_heading
from plugins.logs.stamps import DateOrder, StampReader, find_date_order

__all__ = ["Kind", "SignalColumn", "Survey", "survey"]

Kind = Literal["events", "values", "signals"]
_SAMPLE = 500
_MOST = 0.8
"""Share of a column's cells that must be of a kind."""
_VALUE = ("value", "values", "reading", "val", "measured value", "数值", "值", "测量值", "实时值", "采样值")
_UNIT = ("unit", "units", "单位")
_DATE, _CLOCK = ("date", "日期"), ("time", "时间", "clock", "time of day")


@dataclass(frozen=True, slots=True)
class SignalColumn:
    """A column of numbers."""

    place: int
    tag: str
    unit: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What an export holds."""

    kind: Kind
    columns: Columns
    time: tuple[int, ...]
    """Where the time stands; two places where the date has a column of its own."""
    order: DateOrder
    point: Point
    signals: tuple[SignalColumn, ...] = ()
    """Of `signals`."""
    value: int = -1
    """Of `values`: where the number and its unit stand; -1 for no such column."""
    unit: int = -1
    more: Mapping[str, int] = field(default_factory=dict)
    """Of `events`: heading → place of the columns that are none of ours."""
    notes: tuple[str, ...] = ()

    def time_of(self, cells: list[str]) -> str:
        """The time as the row writes it."""
        if len(self.time) == 1:
            return cells[self.time[0]] if self.time[0] < len(cells) else ""
        return " ".join(cells[at].strip() for at in self.time if at < len(cells))


def survey(text: CsvText, settings: LogSettings) -> Survey:
    """Find out.

    :raises InputError: no column is the time, or none says what happened; names the headings found.
    """
    sample = [cells for _, cells in islice(text.rows(_ignore), _SAMPLE)]
    if not sample and text.encodings:
        _refuse_no_text(text)
    places = find_columns(text.headings)
    if not sample and "time" in places:
        raise InputError(f"{text.source}: no row stands under its headings; export it again, with data")
    time = _time_places(text.headings, places, sample)
    kind, value = _kind(text.headings, places, sample, time)
    if kind == "events":
        columns, notes = guess_columns(text.headings, str(text.source))
    else:
        columns, notes = _columns_of_series(text.headings, places, time, kind), []
    order, assumed = find_date_order(_times(text, time))
    if assumed:
        notes.append(f"dates such as 3/4/2025 leave day and month open; read as {order}")
    numbers = _numeric(sample, len(text.headings), {*time})
    point, guessed = find_point((c[at] for c in sample for at in numbers if at < len(c)), text.delimiter)
    if guessed and kind != "events":
        notes.append(f"numbers such as 1,234 leave the decimals open; read with the decimal point {point!r}")
    taken = {plain_heading(h): i for i, h in enumerate(text.headings)}
    unit = next((taken[word] for word in _UNIT if word in taken), -1)
    signals = _signals(text, numbers, settings, notes) if kind == "signals" else ()
    more = {} if kind != "events" else {n: at for n, at in columns.further(text.headings).items() if at not in time}
    if more:
        notes.append(f"kept as further columns: {', '.join(more)}")
    return Survey(kind, columns, time, order, point, signals, value, unit, more, tuple(notes))


def _ignore(reason: str, line: int) -> None:
    """What is odd is told when the rows are written."""


def _refuse_no_text(text: CsvText) -> None:
    bad: list[str] = []
    for _ in text.rows(lambda reason, line: bad.append(reason)):
        return
    if bad and all("neither" in reason for reason in bad):
        raise InputError(f"{text.source}: its text is neither UTF-8 nor GB18030; save it as UTF-8")


def _time_places(headings: list[str], places: Mapping[str, int], sample: list[list[str]]) -> tuple[int, ...]:
    """By heading; else by what stands in the columns; a date and a time of day side by side are one time."""
    known = [plain_heading(heading) for heading in headings]
    date = next((known.index(word) for word in _DATE if word in known), None)
    hour = next((known.index(word) for word in _CLOCK if word in known), None)
    if date is not None and hour is not None and not _stamped(sample, (hour,)) and _stamped(sample, (date, hour)):
        return date, hour
    if "time" in places:
        return (places["time"],)
    return next(((at,) for at in range(len(headings)) if _stamped(sample, (at,))), ())


def _stamped(sample: list[list[str]], places: tuple[int, ...]) -> bool:
    texts = [" ".join(cells[at].strip() for at in places if at < len(cells)) for cells in sample]
    filled = [text for text in texts if text.strip()]
    order, _ = find_date_order(filled)
    reader = StampReader(order, None)
    good = sum(reader.read(text) is not None for text in filled)
    return bool(filled) and good >= _MOST * len(filled)


def _kind(
    headings: list[str], places: Mapping[str, int], sample: list[list[str]], time: tuple[int, ...]
) -> tuple[Kind, int]:
    known = [plain_heading(heading) for heading in headings]
    numbers = _numeric(sample, len(headings), {*time})
    value = next((at for at, name in enumerate(known) if name in _VALUE and at in numbers), -1)
    said = [places[name] for name in ("text", "tag") if name in places and places[name] not in numbers]
    if "tag" in places and "text" not in places and value >= 0:
        return "values", value
    if time and numbers and not said:
        return "signals", -1
    return "events", -1


def _numeric(sample: list[list[str]], width: int, besides: set[int]) -> list[int]:
    """Columns whose filled cells are numbers, under either decimal point."""
    found = []
    for at in range(width):
        cells = [c[at] for c in sample if at < len(c) and not is_nothing(c[at])]
        good = sum(read_number(cell, ".") is not None or read_number(cell, ",") is not None for cell in cells)
        if at not in besides and cells and good >= _MOST * len(cells):
            found.append(at)
    return found


def _columns_of_series(headings: list[str], places: Mapping[str, int], time: tuple[int, ...], kind: Kind) -> Columns:
    wanted = {"time": time[0], **({"tag": places["tag"]} if kind == "values" else {})}
    return Columns(wanted, {ours: headings[at] for ours, at in wanted.items()})


def _signals(text: CsvText, numbers: list[int], settings: LogSettings, notes: list[str]) -> tuple[SignalColumn, ...]:
    """A column each; one that is only called `value` is named after its file."""
    split = [unit_of(text.headings[at]) for at in numbers]
    names = [name for name, _ in split]
    made = []
    for at, (name, unit) in zip(numbers, split, strict=True):
        if names.count(name) > 1 or not name:
            name, unit = text.headings[at] or f"column {at + 1}", ""
        if len(numbers) == 1 and plain_heading(name) in _VALUE:
            name = text.source.stem
        made.append(SignalColumn(at, name[: settings.max_text_chars], unit))
    if len(made) > settings.max_signals:
        notes.append(f"only the first {settings.max_signals} of {len(made)} signals were taken: [logs] max_signals")
    return tuple(made[: settings.max_signals])


def _times(text: CsvText, time: tuple[int, ...]) -> Iterator[str]:
    for _, cells in text.rows(_ignore):
        yield " ".join(cells[at].strip() for at in time if at < len(cells))
