"""What is so of a file of signals, by numpy over its cells; the answers of `tests/data/series_questions.jsonl`.

A fact is one of several spellings of the same answer (a length of time in seconds, minutes, hours or days), each a
number, an instant or a word; a question is answered where one spelling of each of its facts stands in the answer.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fact", "lengths", "read_cells", "signal_facts", "stamp_of"]

Array = NDArray[np.float64]
Options = Mapping[str, Any]
_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M", "%m/%d/%Y %H:%M",
          "%Y-%m-%d %H:%M", "%Y-%m-%d")  # fmt: skip
_UNITS = (1.0, 60.0, 3600.0, 86_400.0)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = 86_400


@dataclass(frozen=True)
class Fact:
    """Spellings, any of which will do, and by how much a number may differ, as a share of it."""

    spellings: tuple[object, ...]
    share: float = 1e-5


@dataclass(frozen=True)
class Column:
    """A column in order of time, cells without a number left out."""

    at: Array
    values: Array
    every: Array
    """All stamps of the file."""

    def within(self, options: Options) -> Column:
        if "from" not in options:
            return self
        kept = (self.at >= _seconds(options["from"])) & (self.at < _seconds(options["to"]))
        return Column(self.at[kept], self.values[kept], self.every)

    def step(self) -> float:
        steps, counts = np.unique(np.diff(np.unique(self.every)), return_counts=True)
        return float(steps[counts.argmax()])


def signal_facts(path: Path, want: Sequence[Sequence[Any]]) -> list[Fact]:
    """The facts that a question wants: each a name, a column (from 1) and options."""
    found: list[Fact] = []
    for name, *rest in want:
        options: Options = rest[1] if len(rest) > 1 else {}
        if name == "names":
            found += [Fact((heading.split("(")[0],)) for heading in _cells(path)[0][1:]]
        elif name == "name":
            found.append(Fact((_cells(path)[0][rest[0]].split("(")[0],)))
        else:
            column = _column(path, rest[0])
            found.append(_FACTS[name](column.within(options), {**options, "path": path}))
    return found


def lengths(*seconds: float) -> Fact:
    """A length of time in any unit; several where more than one reading of the question is fair."""
    return Fact(tuple(length / unit for length in seconds for unit in _UNITS), 6e-4)


def stamp_of(cell: str) -> datetime | None:
    """A time as the files write it."""
    for form in _FORMS:
        try:
            return datetime.strptime(cell, form)
        except ValueError:
            continue
    return None


def read_cells(path: Path) -> list[list[str]]:
    """Headings and rows."""
    text = path.read_text(encoding="utf-8")
    mark = ";" if ";" in text.partition("\n")[0] else ","
    return [row for row in csv.reader(text.splitlines(), delimiter=mark) if row]


@cache
def _cells(path: Path) -> list[list[str]]:
    return read_cells(path)


@cache
def _column(path: Path, number: int) -> Column:
    rows = _cells(path)[1:]
    stamps = np.array([_seconds(row[0]) for row in rows])
    values = np.array([float(row[number].replace(",", ".")) if row[number] else np.nan for row in rows])
    order = np.argsort(stamps, kind="stable")
    stamps, values = stamps[order], values[order]
    kept = ~np.isnan(values)
    return Column(stamps[kept], values[kept], stamps)


def _seconds(cell: str) -> float:
    at = stamp_of(cell)
    if at is None:
        raise ValueError(cell)
    return at.replace(tzinfo=UTC).timestamp()


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def _at(mask: NDArray[np.bool_], which: int) -> Callable[[Column], Fact]:
    return lambda column: Fact((_moment(column.at[np.flatnonzero(mask)[which]]),))


def _side(column: Column, options: Options, name: str) -> NDArray[np.bool_]:
    limit = options["limit"]
    if name.endswith("_from"):
        return np.asarray(column.values >= limit)
    return np.asarray(column.values > limit if "above" in name else column.values < limit)


def _held(column: Column, mask: NDArray[np.bool_]) -> Fact:
    step = column.step()
    steps = np.minimum(np.append(np.diff(column.at), step), 1.5 * step)
    return lengths(float(steps[mask].sum()), float(mask.sum() * step))


def _stretches(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(int)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _longest(column: Column, mask: NDArray[np.bool_]) -> Fact:
    best = max(column.at[b] - column.at[a] for a, b in _stretches(mask))
    return lengths(float(best), float(best) + column.step())


def _holes(column: Column) -> list[tuple[float, float]]:
    steps = np.diff(column.at)
    return [(float(column.at[i]), float(steps[i])) for i in np.flatnonzero(steps > 1.5 * column.step())]


def _missing(column: Column) -> int:
    grid = np.arange(column.every[0], column.every[-1] + 1, column.step())
    return len(grid) - len(np.intersect1d(grid, column.at))


def _grouped(column: Column, key: Array, of: Callable[[Array], float]) -> dict[int, float]:
    return {int(k): of(column.values[key == k]) for k in np.unique(key)}


def _best(groups: Mapping[int, float], pick: Callable[..., int] = max) -> int:
    return pick(groups, key=lambda k: groups[k])


def _day_name(key: int) -> Fact:
    return Fact((_moment(key * _DAY)[:10],))


def _days(column: Column) -> Array:
    return np.asarray(column.at // _DAY)


def _clock(column: Column) -> Array:
    return np.asarray(column.at // 3600 % 24)


def _monday(column: Column) -> Array:
    return np.asarray((column.at - 4 * _DAY) // (7 * _DAY))


def _weekday(column: Column) -> Fact:
    best = _best(_grouped(column, (column.at // _DAY + 3) % 7, np.mean))
    return Fact((_WEEKDAYS[best], f"星期{'一二三四五六日'[best]}", f"周{'一二三四五六日'[best]}"))


def _pair(column: Column, options: Options) -> tuple[Array, Array]:
    other = _column(options["path"], options["other"])
    _, mine, theirs = np.intersect1d(column.at, other.at, return_indices=True)
    return column.values[mine], other.values[theirs]


def _mean_difference(column: Column, options: Options) -> Fact:
    a, b = (column.within({"from": options[k][0], "to": options[k][1]}).values.mean() for k in ("first", "second"))
    return Fact((abs(a - b), -abs(a - b)), 1e-4)


def _mean_apart(column: Column, options: Options) -> Fact:
    apart = float(np.subtract(*_pair(column, options)).mean())
    return Fact((apart, -apart))


def _marked(column: Column, options: Options) -> NDArray[np.bool_]:
    label = _column(options["path"], len(_cells(options["path"])[0]) - 1)
    return np.asarray(label.values > 0)


def _slope(column: Column) -> Fact:
    hours = (column.at - column.at[0]) / 3600
    simple = (column.values[-1] - column.values[0]) / hours[-1]
    return Fact((float(np.polyfit(hours, column.values, 1)[0]), float(simple)), 1e-3)


def _ends(column: Column) -> Fact:
    return Fact((float(column.values[-1] - column.values[0]),), 1e-4)


_NEVER = Fact(("never", "从未", "没有", ": 0 of", " 0 个值"))
_FACTS: dict[str, Callable[[Column, Options], Fact]] = {
    "maximum": lambda c, o: Fact((float(c.values.max()),)),
    "maximum_at": lambda c, o: Fact((_moment(c.at[c.values.argmax()]),)),
    "minimum_at": lambda c, o: Fact((_moment(c.at[c.values.argmin()]),)),
    "minimum": lambda c, o: Fact((float(c.values.min()),)),
    "mean": lambda c, o: Fact((float(c.values.mean()),)),
    "median": lambda c, o: Fact((float(np.median(c.values)),)),
    "deviation": lambda c, o: Fact((float(c.values.std(ddof=1)), float(c.values.std())), 1e-6),
    "range": lambda c, o: Fact((float(np.ptp(c.values)),)),
    "total": lambda c, o: Fact((float(c.values.sum()),)),
    "percentile": lambda c, o: Fact((float(np.percentile(c.values, o["percent"])),)),
    "count": lambda c, o: Fact((len(c.values),)),
    "first": lambda c, o: Fact((float(c.values[0]),)),
    "last": lambda c, o: Fact((float(c.values[-1]),)),
    "first_at": lambda c, o: Fact((_moment(c.at[0])[:10],)),
    "last_at": lambda c, o: Fact((_moment(c.at[-1])[:10],)),
    "value": lambda c, o: Fact((float(c.values[0]),)),
    "top": lambda c, o: Fact((float(np.sort(c.values)[-o["n"]]),)),
    "above": lambda c, o: Fact((int(_side(c, o, "above").sum()),)),
    "below": lambda c, o: Fact((int(_side(c, o, "below").sum()),)),
    "between": lambda c, o: Fact((int(((c.values >= o["low"]) & (c.values <= o["high"])).sum()),)),
    "share_above": lambda c, o: Fact((float(100 * _side(c, o, "above").mean()),)),
    "share_below": lambda c, o: Fact((float(100 * _side(c, o, "below").mean()),)),
    "first_from": lambda c, o: _at(_side(c, o, "_from"), 0)(c),
    "first_above": lambda c, o: _at(_side(c, o, "above"), 0)(c),
    "first_below": lambda c, o: _at(_side(c, o, "below"), 0)(c),
    "last_above": lambda c, o: _at(_side(c, o, "above"), -1)(c),
    "last_below": lambda c, o: _at(_side(c, o, "below"), -1)(c),
    "ever_above": lambda c, o: Fact((int(_side(c, o, "above").sum()), *_at(_side(c, o, "above"), 0)(c).spellings)),
    "ever_below_or_never": lambda c, o: (
        Fact((int(_side(c, o, "below").sum()), *_at(_side(c, o, "below"), 0)(c).spellings))
        if _side(c, o, "below").any()
        else _NEVER
    ),
    "never": lambda c, o: _NEVER,
    "never_below": lambda c, o: _NEVER,
    "duration_above": lambda c, o: _held(c, _side(c, o, "above")),
    "duration_below": lambda c, o: _held(c, _side(c, o, "below")),
    "longest_above": lambda c, o: _longest(c, _side(c, o, "above")),
    "crossings_above": lambda c, o: Fact((sum(a > 0 for a, _ in _stretches(_side(c, o, "above"))),)),
    "days_above": lambda c, o: Fact((len(np.unique(_days(c)[_side(c, o, "above")])),)),
    "gaps": lambda c, o: Fact((len(_holes(c)),)),
    "longest_gap": lambda c, o: lengths(max(length for _, length in _holes(c)), sum(
        length - c.step() for _, length in sorted(_holes(c), key=lambda h: -h[1])[:1])),
    "longest_gap_from": lambda c, o: Fact((_moment(max(_holes(c), key=lambda h: h[1])[0]),)),
    "missing": lambda c, o: Fact((_missing(c),)),
    "step_minutes": lambda c, o: lengths(c.step()),
    "step_seconds": lambda c, o: lengths(c.step()),
    "length": lambda c, o: lengths(float(c.at[-1] - c.at[0])),
    "best_day": lambda c, o: _day_name(_best(_grouped(c, _days(c), np.mean))),
    "worst_day": lambda c, o: _day_name(_best(_grouped(c, _days(c), np.mean), min)),
    "best_day_total": lambda c, o: _day_name(_best(_grouped(c, _days(c), np.sum))),
    "best_week_total": lambda c, o: Fact((_moment(_best(_grouped(c, _monday(c), np.sum)) * 7 * _DAY + 4 * _DAY)[:10],)),
    "best_weekday": lambda c, o: _weekday(c),
    "best_clock": lambda c, o: Fact((f"{_best(_grouped(c, _clock(c), np.mean)):02}:00",)),
    "worst_clock": lambda c, o: Fact((f"{_best(_grouped(c, _clock(c), np.mean), min):02}:00",)),
    "mean_day_total": lambda c, o: Fact((
        float(np.mean(list(_grouped(c, _days(c), np.sum).values()))), float(c.values.mean() * 24))),
    "mean_difference": _mean_difference,
    "mean_apart": _mean_apart,
    "correlation": lambda c, o: Fact((float(np.corrcoef(*_pair(c, o))[0, 1]),), 1e-4),
    "fastest_rise": lambda c, o: Fact((float(np.diff(c.values).max()),)),
    "fastest_fall": lambda c, o: Fact((float(np.diff(c.values).min()), float(-np.diff(c.values).min()))),
    "slope_hour": lambda c, o: _slope(c),
    "change": lambda c, o: _ends(c),
    "mean_marked": lambda c, o: Fact((float(c.values[_marked(c, o)].mean()),)),
    "mean_unmarked": lambda c, o: Fact((float(c.values[~_marked(c, o)].mean()),)),
    "mean_inside": lambda c, o: Fact((float(c.values[_marked(c, o)].mean()),)),
    "mean_weekend": lambda c, o: Fact((float(c.values[(c.at // _DAY + 3) % 7 >= 5].mean()),)),
    "mean_head": lambda c, o: Fact((float(c.values[: o["n"]].mean()),)),
    "slope_minute": lambda c, o: Fact(tuple(one / 60 for one in _slope(c).spellings if isinstance(one, float)), 1e-3),
    "best_weekday_any": lambda c, o: _weekday(c),
    "mean_before": lambda c, o: Fact((float(c.values[: int(_marked(c, o).argmax())].mean()),)),
    "mean_after": lambda c, o: Fact((float(c.values[np.flatnonzero(_marked(c, o))[-1] + 1 :].mean()),)),
    "marked_minutes": lambda c, o: lengths(*(float(c.values.sum() - k) for k in (0, 1))),
    "marked_from": lambda c, o: Fact((_moment(c.at[c.values > 0][0]),)),
    "marked_to": lambda c, o: Fact((_moment(c.at[c.values > 0][-1]),)),
}  # fmt: skip
