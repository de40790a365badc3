"""The plant's log, read only and bounded in rows and seconds, whichever database holds it: SQLite, or a server.

Times are kept as they are stored and compared as instants; `plugins.logs.interface` says what may be asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zlib import crc32

from agent.api import Period
from agent.settings import LogSettings
from plugins.logs.backends.conditions import branches, conditions
from plugins.logs.backends.counting import count_groups, measure_durations
from plugins.logs.backends.layout import Backend, Clock, EventTable, Reader, Shift, Values
from plugins.logs.backends.readings import list_signals, read_points
from plugins.logs.backends.server import ServerBackend
from plugins.logs.backends.sqlite import SqliteBackend
from plugins.logs.interface import (
    COLUMNS,
    Duration,
    Event,
    Filter,
    Groups,
    Moment,
    Order,
    Points,
    Signal,
)

__all__ = ["COLUMNS", "Event", "Filter", "LogDatabase", "backend_of", "offset_seconds"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_MAX_MORE = 40
"""Columns beyond ours that an event carries."""
_SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(.+)")


class LogDatabase:
    """The log. Making one touches nothing. Every method raises `DatabaseError` with one clear line.

    :param path: the SQLite file, unless the settings name a `url`.
    """

    def __init__(self, path: Path, settings: LogSettings) -> None:
        self.settings = settings
        self.backend = backend_of(path, settings)
        self._names: dict[str, tuple[object, list[str]]] = {}

    @property
    def name(self) -> str:
        """Where it lies, without a password."""
        return self.backend.name

    def events(self, which: Filter, *, now: datetime, limit: int, order: Order = "newest") -> tuple[list[Event], int]:
        """Events that fit, and how many fit in all.

        :param now: the plant's clock; its offset is that of times stored without one.
        """
        clock = Clock(now, self.settings)
        with self._reading() as (reader, table):
            total = count_groups(reader, table, which, (), clock, limit=0).total
            more = list(table.more.items())[:_MAX_MORE]
            values = Values()
            found = _selected(table, which, clock, values, order, limit)
            wanted = [f"{table.columns.get(name, 'NULL')}" for name in COLUMNS]
            extra = ["more"] if table.stored == "own" else [column for _, column in more]
            rows = reader.rows(
                f"SELECT {', '.join([table.row, table.raw, table.shift, table.lasted, *wanted, *extra])}"
                f" FROM {table.name}{found}",
                values,
            )
        return [self._event(row, table, [name for name, _ in more], clock) for row in rows], total

    def count(self, which: Filter, *, now: datetime) -> int:
        """How many events fit."""
        return self.groups(which, by=(), now=now, limit=0).total

    def groups(self, which: Filter, *, by: Sequence[str], now: datetime, limit: int) -> Groups:
        """Counts by columns and buckets of time; `by` holds one or two of COLUMNS, `more_columns()` and BUCKETS."""
        clock = Clock(now, self.settings)
        with self._reading() as (reader, table):
            return count_groups(reader, table, which, by, clock, limit=min(limit, self.settings.max_groups))

    def durations(self, which: Filter, *, now: datetime) -> Duration:
        """How long the events that fit stood."""
        with self._reading() as (reader, table):
            return measure_durations(reader, table, which, Clock(now, self.settings))

    def moments(self, which: Filter, *, now: datetime, limit: int) -> list[Moment]:
        """The newest `limit` events that fit, oldest of them first; `count` tells whether there are more."""
        clock = Clock(now, self.settings)
        with self._reading() as (reader, table):
            values = Values()
            found = _selected(table, which, clock, values, "newest", limit)
            wanted = [table.row, table.raw, table.shift, table.columns["tag"], table.columns["text"]]
            rows = reader.rows(f"SELECT {', '.join(wanted)} FROM {table.name}{found}", values)
        shown = {name: self._shown(name) for name in {name for row in rows for name in row[3:]}}
        return [
            Moment(_id(row, (raw, tag, text)), clock.instant(_number(raw), _shift(shift)), shown[tag], shown[text])
            for row, raw, shift, tag, text in reversed(rows)
            if raw is not None
        ]

    def names(self, column: str) -> list[str]:
        """The different values of a column; where an index begins with it one step each, however long the log is.

        One question looks at them several times: they are kept until the log is written to.
        """
        state = self.backend.state()
        held = self._names.get(column)
        if state is None or held is None or held[0] != state:
            held = self._names[column] = state, self._read_names(column)
        return list(held[1])

    def _read_names(self, column: str) -> list[str]:
        with self._reading() as (reader, table):
            name = table.column(column)
            if name is None:
                return []
            sql = _different(table, name) if name in table.indexed else _distinct(table, name)
            rows = reader.rows(sql, {"most": self.settings.max_names})
        return [str(row[0]) for row in rows if row[0] is not None and str(row[0]).strip()]

    def known_names(self, column: str, wanted: Sequence[str]) -> list[str]:
        """Those of the wanted values that a column holds, exactly as stored: also beyond what `names` lists."""
        with self._reading() as (reader, table):
            name = table.column(column)
            if name is None or not wanted:
                return []
            values = Values(most=len(wanted))
            sql = f"SELECT DISTINCT {name} FROM {table.name} WHERE {name} IN ({values.add_all(wanted)}) LIMIT :most"
            return [str(row[0]) for row in reader.rows(sql, values)]

    def more_columns(self) -> list[str]:
        """Headings beyond ours that events can be counted and chosen by."""
        with self._reading() as (_, table):
            return list(table.more)

    def texts_by_tag(self, texts: Sequence[str]) -> dict[str, set[str]]:
        """The tags that carry any of these texts, each with all its texts."""
        if not texts:
            return {}
        with self._reading() as (reader, table):
            values = Values(most=self.settings.max_names)
            tag, text = table.columns["tag"], table.columns["text"]
            late = table.mark is not None
            source = (
                f"(SELECT tag, text FROM event_ages UNION SELECT tag, text FROM {table.name} WHERE id > {table.mark})"
                if late
                else table.name
            )
            rows = reader.rows(
                f"SELECT DISTINCT {tag}, {text} FROM {source} AS named WHERE {tag} IN"
                f" (SELECT {tag} FROM {source} AS listed WHERE {text} IN ({values.add_all(texts)})) LIMIT :most",
                values,
            )
        found: dict[str, set[str]] = {}
        for row in rows:
            found.setdefault(str(row[0]), set()).add(str(row[1]))
        return found

    def span(self) -> tuple[str, str, int]:
        """First and last time as stored, and the number of rows; empty texts where there are none."""
        with self._reading() as (reader, table):
            name = table.columns["time"]
            lead = "wall" if table.stored == "own" else name
            ends = [
                reader.rows(
                    f"SELECT {name} FROM {table.name} WHERE {lead} IS NOT NULL ORDER BY {lead} {way} LIMIT 1", {}
                )
                for way in ("ASC", "DESC")
            ]
            total = count_groups(reader, table, Filter(), (), Clock(datetime.now(), self.settings), limit=0).total
        first, last = (self._shown(rows[0][0]) if rows else "" for rows in ends)
        return first, last, total

    def signals(self) -> list[Signal]:
        """The series, by tag; empty where the log has none."""
        with self.backend.reading() as reader:
            table = reader.series()
            clock = Clock(datetime.now().astimezone(), self.settings)
            return [] if table is None else list_signals(reader, table, clock, self.settings)

    def points(self, tag: str, period: Period | None, *, now: datetime) -> Points:
        """The values of a series, at most `[logs] max_points`."""
        with self.backend.reading() as reader:
            table = reader.series()
            return read_points(reader, table, tag, period, Clock(now, self.settings), self.settings)

    @contextmanager
    def _reading(self) -> Iterator[tuple[Reader, EventTable]]:
        with self.backend.reading() as reader:
            yield reader, reader.events()

    def _event(self, row: Sequence[object], table: EventTable, more: Sequence[str], clock: Clock) -> Event:
        number, raw, shift, lasted, *rest = row
        time, tag, text, priority, state, area, cleared = map(self._shown, rest[: len(COLUMNS)])
        at = None if raw is None else clock.instant(float(str(raw)), _shift(shift))
        stood = None if lasted is None else float(str(lasted))
        if at is not None and shift is not None and table.stored in ("number", "stamp"):
            time, cleared = clock.written(at), clock.written(at + stood) if stood is not None else cleared
        extra = rest[len(COLUMNS) :]
        further: Mapping[str, object] = (
            json.loads(str(extra[0] or "{}")) if table.stored == "own" else dict(zip(more, extra, strict=True))
        )
        shown = {name: self._shown(value) for name, value in further.items() if value not in (None, "")}
        return Event(_id(number, rest), time, tag, text, priority, state, area, cleared or None, at, stood, shown)

    def _shown(self, value: object) -> str:
        return "" if value is None else _CONTROL.sub(" ", str(value)).strip()[: self.settings.max_text_chars]


def backend_of(path: Path, settings: LogSettings) -> Backend:
    """The database that the settings name. Nothing is opened.

    :raises DatabaseError: the address cannot be read.
    """
    local = _SQLITE.fullmatch(settings.url)
    if local:
        return SqliteBackend(Path(local[1]).expanduser(), settings)
    return ServerBackend(settings) if settings.url else SqliteBackend(path, settings)


def offset_seconds(now: datetime) -> float:
    """The plant's distance from UTC; a clock without offset is local time of this machine."""
    shift = now.astimezone().utcoffset() if now.tzinfo is None else now.utcoffset()
    return (shift or timedelta()).total_seconds()


def _selected(table: EventTable, which: Filter, clock: Clock, values: Values, order: Order, limit: int) -> str:
    """The WHERE, ORDER BY and LIMIT of the rows that are shown."""
    way = "ASC" if order == "oldest" else "DESC"
    lead = table.lasted if order == "longest" else _lead(table, clock)
    tie = "" if table.row == "NULL" else f", {table.row} {way}"
    ordered = f" ORDER BY {lead} {way}{tie} LIMIT {values.add(limit)}"
    only = [f"{table.lasted} IS NOT NULL"] if order == "longest" else []
    ones = branches(table, which)
    parts = [conditions(table, one, clock, values) + only for one in ones]
    where = [f" WHERE {' AND '.join(part)}" if part else "" for part in parts]
    if len(ones) == 1:
        return f"{where[0]}{ordered}"
    picked = " UNION ".join(f"SELECT * FROM (SELECT {table.row} FROM {table.name}{one}{ordered})" for one in where)
    return f" WHERE {table.row} IN ({picked}){ordered}"


def _lead(table: EventTable, clock: Clock) -> str:
    """What brings rows into the order of their instants, an index of the table where that is the same."""
    if table.stored == "own" and not clock.is_wall(table.shifts):
        return f"({table.raw} - COALESCE({table.shift}, {clock.offset}))"
    return table.raw if table.stored == "own" else table.columns["time"]


def _different(table: EventTable, name: str) -> str:
    step = f"SELECT min({name}) FROM {table.name} WHERE {name} > "
    return (
        f"WITH RECURSIVE v (x) AS (SELECT min({name}) FROM {table.name} UNION ALL"
        f" SELECT ({step} v.x) FROM v WHERE v.x IS NOT NULL) SELECT x FROM v WHERE x IS NOT NULL LIMIT :most"
    )


def _distinct(table: EventTable, name: str) -> str:
    return f"SELECT DISTINCT {name} AS x FROM {table.name} WHERE {name} IS NOT NULL ORDER BY x LIMIT :most"


def _number(value: object) -> float:
    return value if isinstance(value, float) else float(str(value))


def _id(value: object, row: Sequence[object]) -> int:
    """A row without a number is known by what is in it."""
    if isinstance(value, int):
        return value
    return int(str(value)) if value is not None else crc32(repr(row).encode())


def _shift(value: object) -> Shift:
    return None if value is None else int(str(value))
