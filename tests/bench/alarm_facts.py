"""What is so of a file of alarms, by plain Python over its rows; the answers of `tests/data/series_questions.jsonl`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from tests.bench.signal_facts import Fact, lengths, read_cells, stamp_of

__all__ = ["alarm_facts"]

_FLOOD, _WINDOW = 10, timedelta(minutes=10)


@dataclass(frozen=True)
class Alarm:
    """One row."""

    at: datetime
    cleared: datetime | None
    cells: Mapping[str, str]

    @property
    def lasted(self) -> float:
        return (self.cleared - self.at).total_seconds() if self.cleared else 0.0


Rows = Sequence[Alarm]


def alarm_facts(path: Path, want: Sequence[Sequence[Any]]) -> list[Fact]:
    """The facts that a question wants: each a name and what it takes."""
    alarms = _alarms(path)
    return [fact for name, *rest in want for fact in _FACTS[name](alarms, *rest)]


@cache
def _alarms(path: Path) -> tuple[Alarm, ...]:
    headings, *rows = read_cells(path)
    stamps = [i for i, cell in enumerate(rows[0]) if stamp_of(cell) is not None]
    begin = next(i for i in stamps if "lear" not in headings[i] and "恢复" not in headings[i])
    over = next(i for i in stamps if i != begin)
    made = [
        Alarm(at, stamp_of(row[over]), dict(zip(headings, row, strict=True)))
        for row in rows
        if (at := stamp_of(row[begin]))
    ]
    return tuple(sorted(made, key=lambda alarm: alarm.at))


def _where(alarms: Rows, equal: Mapping[str, str]) -> list[Alarm]:
    return [a for a in alarms if all(a.cells[name] == value for name, value in equal.items())]


def _ranked(alarms: Rows, column: str) -> list[tuple[str, int]]:
    return Counter(a.cells[column] for a in alarms).most_common()


def _by(alarms: Rows, form: str, pick: Callable[..., str] = max) -> list[Fact]:
    counts = Counter(f"{a.at:{form}}" for a in alarms)
    best = pick(counts, key=lambda key: counts[key])
    return [Fact(tuple(key for key in counts if counts[key] == counts[best])), Fact((counts[best],))]


def _weekday(alarms: Rows) -> list[Fact]:
    counts = Counter(a.at.weekday() for a in alarms)
    best = max(counts, key=lambda key: counts[key])
    names = "一二三四五六日"[best]
    return [Fact((f"{best + 1}", f"周{names}", f"星期{names}", f"{datetime(2024, 1, 1 + best):%A}"))]


def _floods(alarms: Rows) -> tuple[list[datetime], int]:
    starts, peak = [], 0
    for i, alarm in enumerate(alarms):
        inside = [a for a in alarms[max(0, i - 200) : i + 1] if alarm.at - a.at < _WINDOW]
        peak = max(peak, len(inside))
        if len(inside) > _FLOOD:
            starts.append(inside[0].at)
    return starts, peak


def _between(alarms: Rows, equal: Mapping[str, str]) -> list[Fact]:
    return [lengths(fmean((b.at - a.at).total_seconds() for a, b in pairwise(_where(alarms, equal))))]


def _clearing(alarms: Rows, equal: Mapping[str, str]) -> list[Fact]:
    return [lengths(fmean(a.lasted for a in _where(alarms, equal) if a.cleared))]


def _longest(alarms: Rows, equal: Mapping[str, str] | None = None) -> list[Fact]:
    best = max(_where(alarms, equal or {}), key=lambda a: a.lasted)
    return [Fact((f"{best.at}",)), lengths(best.lasted)]


def _counts(alarms: Rows, column: str) -> list[Fact]:
    return [Fact((part,)) for pair in _ranked(alarms, column) for part in pair]


def _span(alarms: Rows, begin: str, end: str) -> list[Alarm]:
    first, last = stamp_of(begin), stamp_of(end)
    return [a for a in alarms if first and last and first <= a.at < last]


def _day(alarms: Rows, day: str) -> list[Alarm]:
    return [a for a in alarms if f"{a.at:%Y-%m-%d}" == day]


def _fewest(alarms: Rows, column: str, equal: Mapping[str, str] | None = None) -> list[Fact]:
    name, count = _ranked(_where(alarms, equal or {}), column)[-1]
    return [Fact((name,)), Fact((count,))]


def _per_day(alarms: Rows) -> list[Fact]:
    days = (alarms[-1].at - alarms[0].at).total_seconds() / 86_400
    calendar = len({a.at.date() for a in alarms})
    return [Fact((len(alarms) / days, len(alarms) / calendar), 1e-3)]


def _first(facts: Iterable[object]) -> list[Fact]:
    return [Fact((fact,)) for fact in facts]


_FACTS: dict[str, Callable[..., list[Fact]]] = {
    "alarms": lambda a: [Fact((len(a),))],
    "most": lambda a, column: _first(_ranked(a, column)[0]),
    "fewest": _fewest,
    "top_counts": lambda a, column, n: _counts(a, column)[: 2 * n],
    "counts": _counts,
    "where": lambda a, equal: [Fact((len(_where(a, equal)),))],
    "where_day": lambda a, day: [Fact((len(_day(a, day)),))],
    "where_span": lambda a, begin, end, equal: [Fact((len(_where(_span(a, begin, end), equal)),))],
    "share": lambda a, equal: [Fact((100 * len(_where(a, equal)) / len(a),))],
    "best_hour": lambda a: _by(a, "%Y-%m-%d %H"),
    "busy_day": lambda a: _by(a, "%Y-%m-%d"),
    "busy_clock": lambda a: _by(a, "%H"),
    "busy_weekday": _weekday,
    "quiet_day": lambda a: _by(a, "%Y-%m-%d", min),
    "flood_from": lambda a: [Fact((f"{min(_floods(a)[0]):%Y-%m-%d %H:%M}",))],
    "flood_peak": lambda a: [Fact((_floods(a)[1],))],
    "standing": lambda a: [Fact((sum(one.cleared is None for one in a),))],
    "standing_tags": lambda a: _first(sorted({f"{one.at:%Y-%m-%d %H:%M}" for one in a if one.cleared is None})),
    "between": _between,
    "clearing": _clearing,
    "longest": _longest,
    "chatters": lambda a, name: [Fact((name,))],
    "first_alarm": lambda a: [Fact((f"{a[0].at}",))],
    "last_alarm": lambda a, equal: [Fact((f"{_where(a, equal)[-1].at}",))],
    "different": lambda a, column: [Fact((len(_ranked(a, column)),))],
    "per_day": _per_day,
    "per_hour": lambda a: [Fact((len(a) / ((a[-1].at - a[0].at).total_seconds() / 3600),), 1e-3)],
    "first_where": lambda a, equal: [Fact((f"{_where(a, equal)[0].at}",))],
    "most_in": lambda a, column, equal: _first(_ranked(_where(a, equal), column)[0]),
    "counts_on": lambda a, column, day: _counts(_day(a, day), column),
}
