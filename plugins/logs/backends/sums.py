"""Counts kept beside the events of `log.db`, so that ten million rows are counted in milliseconds.

A few tables hold, for every hour, day, week, block of 28 days and age of 448 days of the times as written, how many
events there were, how many of them have cleared, and how long those stood, by some of our columns. Rows are only ever
added to a log, so the sums hold for all ids up to a mark, and a question adds the few that came later. A span of time
is covered by whole ages and blocks, then weeks, days or hours, and by the rows themselves at its ends: it is exact.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = [
    "DIMENSIONS",
    "SCHEMA",
    "SUMS",
    "Piece",
    "Sums",
    "add_up",
    "choose_sums",
    "clear_later",
    "cover",
    "read_mark",
]

DIMENSIONS = ("tag", "text", "area", "priority")
HOUR, DAY = 3600, 86_400


@dataclass(frozen=True, slots=True)
class Sums:
    """One table of sums."""

    name: str
    width: int
    """Seconds of one bucket."""
    columns: tuple[str, ...]


AGES = Sums("event_ages", 448 * DAY, DIMENSIONS)
BLOCKS = Sums("event_blocks", 28 * DAY, DIMENSIONS)
WEEKS = Sums("event_weeks", 7 * DAY, DIMENSIONS)
DAYS = Sums("event_days", DAY, DIMENSIONS)
KIND_DAYS = Sums("event_kind_days", DAY, ("area", "priority"))
KINDS = Sums("event_hours", HOUR, ("area", "priority"))
TOTALS = Sums("event_totals", HOUR, ())
TOTAL_DAYS = Sums("event_total_days", DAY, ())
SUMS = (AGES, BLOCKS, WEEKS, DAYS, KIND_DAYS, KINDS, TOTAL_DAYS, TOTALS)

SCHEMA = "".join(
    f"CREATE TABLE IF NOT EXISTS {sums.name} ({''.join(f'{c} TEXT NOT NULL, ' for c in sums.columns)}"
    "bucket INTEGER NOT NULL, n INTEGER NOT NULL, cleared INTEGER NOT NULL, lasted REAL NOT NULL,"
    f" longest REAL NOT NULL, PRIMARY KEY ({''.join(f'{c}, ' for c in sums.columns)}bucket)) WITHOUT ROWID;"
    for sums in SUMS
) + (
    "CREATE INDEX IF NOT EXISTS event_days_bucket ON event_days (bucket, n);"
    "CREATE INDEX IF NOT EXISTS event_weeks_bucket ON event_weeks (bucket, n);"
    "CREATE INDEX IF NOT EXISTS event_days_text ON event_days (text, bucket);"
    "CREATE INDEX IF NOT EXISTS event_hours_area ON event_hours (area, bucket, n);"
    "CREATE INDEX IF NOT EXISTS event_hours_bucket ON event_hours (bucket, n);"
    "CREATE INDEX IF NOT EXISTS event_kind_days_bucket ON event_kind_days (bucket);"
    "CREATE INDEX IF NOT EXISTS event_blocks_bucket ON event_blocks (bucket, n);"
    "CREATE TABLE IF NOT EXISTS reading_counts (tag TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS log_marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A span of time, and the sums that hold it; None for the rows themselves."""

    sums: Sums | None
    start: float | None
    """Seconds as written; None without bound."""
    end: float | None


def choose_sums(needed: Iterable[str], bucket: int | None) -> tuple[Sums, ...] | None:
    """The tables that hold these columns, coarsest first; None where only the rows do.

    :param bucket: seconds that the result is split into; None for none.
    """
    wanted = set(needed)
    if not wanted <= set(DIMENSIONS):
        return None
    if wanted <= set(KINDS.columns):
        days, hours = (KIND_DAYS, KINDS) if wanted else (TOTAL_DAYS, TOTALS)
        return (hours,) if bucket is not None and bucket < DAY else (days, hours)
    if bucket is None:
        return (AGES, BLOCKS, WEEKS, DAYS)
    return (DAYS,) if bucket >= DAY else None


def cover(start: float, end: float, sums: Sequence[Sums]) -> list[Piece]:
    """A span of time in pieces, in order, without gap or overlap; none of them empty."""
    if start >= end:
        return []
    if not sums:
        return [Piece(None, start, end)]
    width = sums[0].width
    first, last = math.ceil(start / width) * width, math.floor(end / width) * width
    if first >= last:
        return cover(start, end, sums[1:])
    middle = Piece(sums[0], first, last)
    return [*cover(start, first, sums[1:]), middle, *cover(last, end, sums[1:])]


def read_mark(log: sqlite3.Connection, name: str = "summed") -> int:
    """The id up to which events are in the sums (`summed`), or readings counted (`counted`)."""
    row = log.execute("SELECT value FROM log_marks WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def add_up(log: sqlite3.Connection) -> None:
    """Add the rows behind the mark to the sums, and move the mark; part of the caller's transaction."""
    _count_readings(log)
    mark = read_mark(log)
    last = int(log.execute("SELECT COALESCE(max(id), 0) FROM events").fetchone()[0])
    if last <= mark:
        return
    for fine, *coarse in ((DAYS, WEEKS, BLOCKS, AGES), (KINDS, KIND_DAYS, TOTAL_DAYS, TOTALS)):
        keys = "".join(f"{column}, " for column in fine.columns)
        log.execute(
            f"CREATE TEMP TABLE added AS SELECT {keys}CAST(wall / {fine.width} AS INTEGER) AS bucket, count(*) AS n,"
            " count(lasted) AS cleared, total(lasted) AS lasted, COALESCE(max(lasted), 0) AS longest"
            f" FROM events WHERE id > ? AND id <= ? GROUP BY {keys}bucket",
            (mark, last),
        )
        for sums in (fine, *coarse):
            keys = "".join(f"{column}, " for column in sums.columns)
            log.execute(
                f"INSERT INTO {sums.name} ({keys}bucket, n, cleared, lasted, longest)"
                f" SELECT {keys}bucket * {fine.width} / {sums.width} AS at, sum(n), sum(cleared), sum(lasted),"
                f" max(longest) FROM added WHERE true GROUP BY {keys}at"
                " ON CONFLICT DO UPDATE SET n = n + excluded.n, cleared = cleared + excluded.cleared,"
                " lasted = lasted + excluded.lasted, longest = max(longest, excluded.longest)"
            )
        log.execute("DROP TABLE added")
    log.execute("INSERT OR REPLACE INTO log_marks VALUES ('summed', ?)", (last,))


def _count_readings(log: sqlite3.Connection) -> None:
    mark = read_mark(log, "counted")
    last = int(log.execute("SELECT COALESCE(max(id), 0) FROM readings").fetchone()[0])
    if last > mark:
        log.execute(
            "INSERT INTO reading_counts (tag, n) SELECT tag, count(value) FROM readings WHERE id > ? AND id <= ?"
            " GROUP BY tag ON CONFLICT DO UPDATE SET n = n + excluded.n",
            (mark, last),
        )
        log.execute("INSERT OR REPLACE INTO log_marks VALUES ('counted', ?)", (last,))


def clear_later(log: sqlite3.Connection, row: int, lasted: float | None) -> None:
    """Put into the sums that an event has cleared which stood when it was added."""
    if lasted is None or row > read_mark(log):
        return
    found = log.execute("SELECT tag, text, area, priority, wall FROM events WHERE id = ?", (row,)).fetchone()
    place = dict(zip((*DIMENSIONS, "wall"), found, strict=True))
    for sums in SUMS:
        where = "".join(f"{column} = ? AND " for column in sums.columns)
        log.execute(
            f"UPDATE {sums.name} SET cleared = cleared + 1, lasted = lasted + ?, longest = max(longest, ?)"
            f" WHERE {where}bucket = ?",
            (lasted, lasted, *(place[column] for column in sums.columns), int(place["wall"] // sums.width)),
        )
