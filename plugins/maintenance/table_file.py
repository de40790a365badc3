"""Series from a table of text: CSV in whatever encoding, separator and kind of date it was exported with.

    sniff (encoding, separator, columns, order of day and month) → read line by line → one `Signal` a column or tag

A wide table has a column for each signal, a long one the columns tag and value. The unit stands in the heading in
brackets. Times are taken as the wall clock that was written. Where day and month cannot be told apart, nothing is read.
Untrusted: lines, columns and rows are bounded; of a longer table the last rows are taken.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import nan
from pathlib import Path

import numpy as np

from agent.api import InputError
from agent.settings import MaintenanceSettings
from plugins.maintenance.values import Signal

__all__ = ["read_table", "uniform_rate"]

_SNIFFED_LINES = 400
_HEADING = re.compile(r"^(?P<name>.*?)\s*[\[(（【](?P<unit>[^\])）】]{1,16})[\])）】]\s*$")
_DATE = re.compile(
    r"^(\d{1,4})[-./年](\d{1,2})[-./月](\d{1,4})日?(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp][Mm])?)?"
    r"(?:Z|[+-]\d{2}:?\d{2})?$"
)
_TAG_NAMES = {"tag", "tagname", "point", "signal", "sensor", "channel", "位号", "测点", "点名", "标签"}
_VALUE_NAMES = {"value", "val", "reading", "数值", "值", "读数"}
_ELAPSED_NAMES = {"t", "time", "seconds", "sec", "s", "elapsed", "时间", "秒"}
_EPOCH = datetime(1970, 1, 1)
_UNIFORM = 0.02
"""Steps of a uniform recording differ by no more than this part."""


@dataclass(frozen=True, slots=True)
class _Form:
    """What a table looks like."""

    encoding: str
    separator: str
    header: list[str]
    time: int
    """Column; -1 where there is none."""
    clock: Callable[[str], float]
    """Seconds of a cell; nan where it is no time."""
    dated: bool
    tag: int
    values: list[int]


def read_table(path: Path, settings: MaintenanceSettings, *, unit: str = "", rate: float = 0.0) -> list[Signal]:
    """All signals of a table.

    :param unit: of columns whose heading gives none.
    :param rate: samples a second, for a table without times; 0 counts rows.
    :raises InputError: it is missing, too large, no table, holds no numbers, or its dates have two meanings.
    """
    if rate < 0 or rate != rate or rate == float("inf"):
        raise InputError(f"--rate {rate}: give samples a second, more than 0")
    try:
        size = path.stat().st_size
        if size > settings.max_file_bytes:
            raise InputError(f"{path}: {size} bytes; at most {settings.max_file_bytes} are read ([maintenance])")
        form = _sniff(path, settings)
        return _collect(path, form, settings, unit, rate)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def uniform_rate(signal: Signal) -> float:
    """Samples a second where all steps are alike; 0 elsewhere."""
    steps = np.diff(signal.times)
    if len(steps) < 64 or not np.isfinite(steps).all() or steps.min() <= 0:
        return 0.0
    usual = float(np.median(steps))
    return 1 / usual if float(np.abs(steps - usual).max()) <= _UNIFORM * usual else 0.0


def _lines(path: Path, encoding: str, settings: MaintenanceSettings) -> Iterator[str]:
    with path.open(encoding=encoding, errors="replace", newline=None) as file:
        while line := file.readline(settings.max_line_chars):
            if len(line) == settings.max_line_chars and not line.endswith("\n"):
                while (more := file.readline(settings.max_line_chars)) and not more.endswith("\n"):
                    pass
                yield "\x00"  # counted as a row that cannot be read
            elif line.strip():
                yield line.rstrip("\n")


def _sniff(path: Path, settings: MaintenanceSettings) -> _Form:
    with path.open("rb") as raw:
        head = raw.read(65_536)
    encoding = _encoding(head)
    lines = []
    for line in _lines(path, encoding, settings):
        lines.append(line)
        if len(lines) > _SNIFFED_LINES:
            break
    separator = max(";\t,|", key=lambda mark: min((line.count(mark) for line in lines[:20]), default=0))
    rows = [_cells(line, separator) for line in lines]
    if not rows:
        raise InputError(f"{path}: is empty")
    header = [] if all(_number(cell, separator) == _number(cell, separator) for cell in rows[0] if cell) else rows[0]
    body = rows[1:] if header else rows
    width = max((len(row) for row in body), default=0)
    if not body or width == 0:
        raise InputError(f"{path}: holds no rows of numbers")
    header = header or [f"column {i + 1}" for i in range(width)]
    columns = [[row[i] if i < len(row) else "" for row in body] for i in range(min(width, len(header)))]
    time, clock, dated = _time_column(columns, header, separator, path)
    names = [re.sub(r"[\s_]", "", name.casefold()) for name in header]
    tag = next((i for i, name in enumerate(names[: len(columns)]) if name in _TAG_NAMES), -1)
    values = [i for i, cells in enumerate(columns) if i not in (time, tag) and _is_numbers(cells, separator)]
    if tag >= 0:
        values = [i for i in values if names[i] in _VALUE_NAMES][:1]
    if not values:
        raise InputError(f"{path}: has no column of numbers; a table needs a time column and columns of values")
    return _Form(encoding, separator, header, time, clock, dated, tag, values[: settings.max_signals])


def _encoding(head: bytes) -> str:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        # The last character may be cut.
        head[: max(0, len(head) - 4)].decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8-sig"


def _cells(line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return []


def _number(cell: str, separator: str) -> float:
    """NaN for what is no number; a decimal comma where the comma does not separate cells."""
    try:
        return float(cell)
    except ValueError:
        pass
    if separator != "," and re.fullmatch(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?", cell):
        return float(cell.replace(",", "."))
    return nan


def _is_numbers(cells: Sequence[str], separator: str) -> bool:
    filled = [cell for cell in cells if cell]
    numbers = sum(
        1
        for cell in filled
        if (value := _number(cell, separator)) == value or cell.casefold() in ("nan", "null", "none")
    )
    return bool(filled) and numbers >= 0.6 * len(filled)


def _time_column(
    columns: list[list[str]], header: list[str], separator: str, path: Path
) -> tuple[int, Callable[[str], float], bool]:
    for i, cells in enumerate(columns):
        dates = [match for cell in cells if (match := _DATE.match(cell))]
        if len(dates) >= max(1, 0.6 * len([cell for cell in cells if cell])):
            return i, _date_clock(dates, path), True
    for i, cells in enumerate(columns):
        numbers = np.array([_number(cell, separator) for cell in cells if cell])
        name = header[i].casefold()
        bare = re.sub(r"[\s\[\](){}_]*(?:s|sec|seconds|秒)?[\s\[\](){}]*$", "", name) or name
        known = numbers[np.isfinite(numbers)]
        if not len(known) or len(known) < 0.6 * len(numbers):
            continue
        if float(known.min()) > 1e8 and ("time" in name or bare in ("timestamp", "epoch", "时间")):
            return i, _count_clock(separator, 1000.0 if float(known.min()) > 1e11 else 1.0), True
        if bare in _ELAPSED_NAMES or name in _ELAPSED_NAMES:
            return i, _count_clock(separator, 1.0), False
    return -1, lambda cell: nan, False


def _count_clock(separator: str, scale: float) -> Callable[[str], float]:
    return lambda cell: _number(cell, separator) / scale


def _date_clock(dates: list[re.Match[str]], path: Path) -> Callable[[str], float]:
    """How dates are written here: year, day or month first."""
    firsts, seconds = [int(m[1]) for m in dates], [int(m[2]) for m in dates]
    if max(firsts) > 31:
        order = "ymd"
    elif max(firsts) > 12:
        order = "dmy"
    elif max(seconds) > 12:
        order = "mdy"
    elif all("." in m[0][:6] for m in dates):
        order = "dmy"
    else:
        fitting = [o for o in ("mdy", "dmy") if _rising([_seconds(m, o) for m in dates])]
        if len(fitting) != 1:
            raise InputError(f"{path}: {dates[0][0]!r}: day or month first? Export dates as 2024-12-31")
        order = fitting[0]

    def clock(cell: str) -> float:
        match = _DATE.match(cell)
        return _seconds(match, order) if match else nan

    return clock


def _rising(seconds: list[float]) -> bool:
    steps = np.diff(np.array(seconds))
    return (
        bool(len(steps)) and bool(np.isfinite(steps).all()) and bool((steps >= 0).all() and steps.max() < 40 * 86_400)
    )


def _seconds(match: re.Match[str], order: str) -> float:
    places = {mark: int(match[i + 1]) for i, mark in enumerate(order)}
    year = places["y"] + 2000 if places["y"] < 100 else places["y"]
    hour, half = int(match[4] or 0), (match[8] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        day = datetime(year, places["m"], places["d"], hour, int(match[5] or 0), int(match[6] or 0))
    except ValueError:
        return nan
    return (day - _EPOCH) / timedelta(seconds=1) + float(f"0.{match[7] or 0}")


def _collect(path: Path, form: _Form, settings: MaintenanceSettings, unit: str, rate: float) -> list[Signal]:
    """One pass; arrays are cut back whenever they hold twice what may stay."""
    most = max(1_000, settings.series_rows // max(1, len(form.values)))
    kept: dict[str, tuple[array[float], array[float]]] = {}
    skipped: dict[str, int] = {}
    lines = _lines(path, form.encoding, settings)
    first = next(lines, "")
    if _cells(first, form.separator) != form.header:
        lines = _lines(path, form.encoding, settings)
    for number, line in enumerate(lines):
        row = _cells(line, form.separator)
        at = _time_of(row, form, number, rate)
        for column in form.values:
            name = form.header[column] if form.tag < 0 else (row[form.tag] if form.tag < len(row) else "")
            if name not in kept:
                if len(kept) >= settings.max_signals:
                    continue
                kept[name], skipped[name] = (array("d"), array("d")), 0
            cell = row[column] if column < len(row) else None
            if cell == "":  # not measured at this time
                continue
            value = _number(cell, form.separator) if cell is not None else nan
            if at != at or (value != value and (cell or "").casefold() != "nan"):
                skipped[name] += 1
                continue
            times, values = kept[name]
            times.append(at)
            values.append(value)
            if len(values) > 2 * most:
                del times[:most], values[:most]
    return [_signal(name, pair, form, path, unit, skipped[name], most) for name, pair in kept.items()]


def _time_of(row: list[str], form: _Form, number: int, rate: float) -> float:
    if form.time < 0:
        return number / rate if rate > 0 else float(number)
    return form.clock(row[form.time]) if form.time < len(row) else nan


def _signal(
    name: str,
    pair: tuple[array[float], array[float]],
    form: _Form,
    path: Path,
    unit: str,
    skipped: int,
    most: int,
) -> Signal:
    times, values = (np.array(part[-most:], dtype=np.float64) for part in pair)
    heading = _HEADING.match(name)
    title, own = (heading["name"], heading["unit"]) if heading else (name, unit)
    return Signal(title[:120] or path.stem, own, times, values, source=str(path), skipped=skipped, dated=form.dated)
