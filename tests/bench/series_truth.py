"""What is so of a file of signals or alarms, found by plain Python over its rows: nothing of ours but the questions.

Rows are taken as they stand, in order of time; a stamp that stands twice counts twice.
"""

from __future__ import annotations

import csv
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

__all__ = ["Alarms", "Series", "read_alarms", "read_series"]

_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M:%S")


@dataclass(frozen=True)
class Series:
    """One column of numbers."""

    name: str
    points: tuple[tuple[datetime, float], ...]
    """In order of time."""

    def values(self, keep: Callable[[datetime], bool] = lambda at: True) -> list[float]:
        return [value for at, value in self.points if keep(at)]

    def extreme(self, pick: Callable[..., tuple[datetime, float]]) -> tuple[float, str]:
        """The value and its first stamp."""
        best = pick(self.points, key=lambda point: point[1])[1]
        return best, f"{next(at for at, value in self.points if value == best)}"

    def step(self) -> timedelta:
        """The most frequent time between stamps that differ."""
        stamps = sorted({at for at, _ in self.points})
        return Counter(b - a for a, b in pairwise(stamps)).most_common(1)[0][0]

    def gaps(self) -> list[tuple[datetime, datetime]]:
        limit = self.step() * 1.5
        stamps = [at for at, _ in self.points]
        return [(a, b) for a, b in pairwise(stamps) if b - a > limit]

    def doubled(self) -> int:
        return sum(1 for count in Counter(at for at, _ in self.points).values() if count > 1)

    def best_day(self) -> tuple[str, float]:
        """The day with the highest mean, and that mean."""
        days: dict[str, list[float]] = {}
        for at, value in self.points:
            days.setdefault(f"{at:%Y-%m-%d}", []).append(value)
        return max(((day, statistics.fmean(values)) for day, values in days.items()), key=lambda d: d[1])


@dataclass(frozen=True)
class Alarms:
    """A history of alarms: rows as the file has them, with `time` and, where it has it, `cleared` read."""

    rows: tuple[dict[str, str], ...]
    times: tuple[datetime, ...]

    def top(self, column: str) -> tuple[str, int] | None:
        """The value that stands most often; None where two do."""
        first, second = [*Counter(row[column] for row in self.rows).most_common(2), ("", 0)][:2]
        return None if first[1] == second[1] else first


def read_series(path: Path) -> list[Series]:
    """All columns of numbers of a CSV file whose first column of times is read by one of the usual formats."""
    rows, headings = _rows(path)
    clock = next(i for i, cell in enumerate(rows[0]) if _stamp(cell) is not None)
    found = []
    for i, heading in enumerate(headings):
        points = [(at, float(r[i])) for r in rows if (at := _stamp(r[clock])) and i != clock and _is_number(r[i])]
        if points:
            found.append(Series(heading, tuple(sorted(points, key=lambda p: p[0]))))
    return found


def read_alarms(path: Path) -> Alarms:
    """Rows of an alarm history."""
    rows, headings = _rows(path)
    clock = next(i for i, cell in enumerate(rows[0]) if _stamp(cell) is not None)
    made = [(at, dict(zip(headings, row, strict=False))) for row in rows if (at := _stamp(row[clock]))]
    made.sort(key=lambda m: m[0])
    return Alarms(tuple(row for _, row in made), tuple(at for at, _ in made))


def _rows(path: Path) -> tuple[list[list[str]], list[str]]:
    text = path.read_text(encoding="utf-8-sig")
    mark = max((",", ";", "\t"), key=text.partition("\n")[0].count)
    rows: Sequence[list[str]] = list(csv.reader(text.splitlines(), delimiter=mark))
    return [row for row in rows[1:] if row], rows[0]


def _stamp(cell: str) -> datetime | None:
    for form in _FORMATS:
        try:
            return datetime.strptime(cell.strip(), form)
        except ValueError:
            continue
    return None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
