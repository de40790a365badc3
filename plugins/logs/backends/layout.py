"""How a table of the log is stored: its quoted names, and what its times mean.

A time is read as two expressions: `raw` seconds and `shift`, the row's own offset from UTC in seconds, NULL for
wall-clock time of the plant. The instant is `raw - shift`; where `shift` is NULL, the plant's clock showed `raw`.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.api import DatabaseError, Period
from agent.settings import LogSettings

__all__ = ["Backend", "Clock", "EventTable", "Reader", "SeriesTable", "Shift", "Stored", "Values", "quoted"]

Stored = Literal["own", "text", "number", "stamp"]
"""Own columns `wall` and `shift`; ISO 8601 text; seconds or milliseconds since 1970; a server's timestamp."""
Shift = int | None
_EPOCH = datetime(1970, 1, 1)


class Values(dict[str, object]):
    """Parameters of one statement."""

    def add(self, value: object) -> str:
        """Keep a value; gives the placeholder that stands for it."""
        name = f"v{len(self)}"
        self[name] = value
        return f":{name}"

    def add_all(self, values: Iterable[object]) -> str:
        """The same for a list, as it stands inside IN ()."""
        return ", ".join(self.add(value) for value in values)


class Reader(Protocol):
    """One open, read-only connection, bounded in seconds."""

    dialect: str
    """`sqlite` or `postgres`."""

    def rows(self, sql: str, values: Mapping[str, object]) -> list[tuple[object, ...]]:
        """Run one SELECT."""
        ...

    def answer(self, before: str, checked: str, after: str) -> tuple[list[str], list[tuple[object, ...]]]:
        """Run a statement that a person or a model wrote, between two parts of ours; names and rows.

        :param checked: as `plugins.logs.sql_check` gave it back.
        :raises ToolFailed: the database refuses it.
        """
        ...

    def tables(self) -> dict[str, dict[str, str]]:
        """Table or view → column → its declared type, for finding out which is which."""
        ...

    def events(self) -> EventTable:
        """The table of events, checked against the settings.

        :raises DatabaseError: it is not there, or has another shape.
        """
        ...

    def series(self) -> SeriesTable | None:
        """The table of series; None where there is none."""
        ...


class Backend(Protocol):
    """A database that holds the log."""

    @property
    def name(self) -> str:
        """As it is shown: a path or an address, never with a password."""
        ...

    def reading(self) -> AbstractContextManager[Reader]:
        """Open it.

        :raises DatabaseError: missing, locked, damaged, gone, or too slow.
        """
        ...

    def state(self) -> object:
        """What differs once the log was written to, found without opening it; None where that cannot be told."""
        ...

    def guarded(self) -> tuple[bool, str]:
        """Whether nothing can be written, and how that is made sure, as `doctor` says it."""
        ...


@dataclass(frozen=True, slots=True)
class EventTable:
    """The table of events."""

    name: str
    """Quoted, as all names here."""
    columns: Mapping[str, str]
    """Our name → its column."""
    row: str
    """What identifies a row, by a number; `NULL` where nothing does."""
    stored: Stored
    raw: str
    shift: str
    """SQL for the seconds of a time, and for its offset."""
    shifts: frozenset[Shift] = frozenset({None})
    """The offsets that occur; of a table that is not ours `{None}`, `{0}` or both."""
    more: Mapping[str, str] = field(default_factory=dict)
    """Heading → SQL of the columns that are none of ours."""
    lasted: str = "NULL"
    """SQL for the seconds that an event stood."""
    stamped: str = ""
    """SQL of the time column where the server compares timestamps itself; empty elsewhere."""
    indexed: frozenset[str] = frozenset()
    """Columns that an index begins with."""
    whole: str = "CAST({} AS INTEGER)"
    """SQL that rounds down."""
    mark: int | None = None
    """Rows up to this id are in the sums that are kept beside the table; None where none are kept."""

    def column(self, name: str) -> str | None:
        """SQL of one of our columns or a further one; None where there is none."""
        return self.columns.get(name) or self.more.get(name)


@dataclass(frozen=True, slots=True)
class SeriesTable:
    """The table of series: a row a value, or (wide) a column a signal."""

    name: str
    row: str
    """As of `EventTable`."""
    raw: str
    shift: str
    shifts: frozenset[Shift]
    time: str = "NULL"
    tag: str = ""
    """Empty where the table is wide."""
    value: str = ""
    unit: str = "''"
    source: str = "''"
    wide: Mapping[str, str] = field(default_factory=dict)
    """Signal → its column."""
    number: str = "CASE WHEN typeof({0}) IN ('integer', 'real') THEN {0} END"
    """How a value is read so that it is a number or NULL."""
    mark: int | None = None
    """Rows up to this id are in `reading_counts`; None where nothing is counted beside the table."""
    stamped: str = ""


class Clock:
    """The plant's clock against which times without offset are read.

    :param now: its offset holds unless the settings name a zone; without offset it is local time of this machine.
    :raises DatabaseError: the settings name a zone that is not known here.
    """

    def __init__(self, now: datetime, settings: LogSettings) -> None:
        self._zone = _zone(settings.zone)
        shift = now.astimezone().utcoffset() if now.tzinfo is None else now.utcoffset()
        self.offset = round((shift or timedelta()).total_seconds())

    def wall(self, moment: datetime) -> float:
        """What the plant's clock shows at a moment, in seconds as if it were UTC; one without offset is shown as is."""
        if moment.tzinfo is None:
            return (moment - _EPOCH).total_seconds()
        if self._zone is not None:
            return (moment.astimezone(self._zone).replace(tzinfo=None) - _EPOCH).total_seconds()
        return moment.timestamp() + self.offset

    def instant(self, wall: float, shift: Shift = None) -> float:
        """Seconds since 1970 of a stored time. Of an hour that the clock showed twice, the first."""
        if shift is not None:
            return wall - shift
        if self._zone is None:
            return wall - self.offset
        shown = _EPOCH + timedelta(seconds=wall)
        return shown.replace(tzinfo=self._zone).timestamp()

    def shown(self, instant: float) -> float:
        """What the plant's clock showed at an instant."""
        return self.wall(datetime.fromtimestamp(instant, UTC))

    def written(self, instant: float) -> str:
        """An instant as the plant writes it, with its offset."""
        offset = timedelta(seconds=round(self.shown(instant) - instant))
        return datetime.fromtimestamp(instant, timezone(offset)).isoformat(sep=" ", timespec="seconds")

    def span(self, period: Period) -> tuple[float, float]:
        """Start and end on the plant's clock."""
        return self.wall(period.start), self.wall(period.end)

    def instants(self, period: Period) -> tuple[float, float]:
        """Start and end as instants."""
        return self._epoch(period.start), self._epoch(period.end)

    def is_wall(self, shifts: Iterable[Shift]) -> bool:
        """Whether rows with these offsets, read as written, show the plant's clock."""
        known = {None, self.offset} if self._zone is None else {None, *_offsets(self._zone)}
        return set(shifts) <= known

    def _epoch(self, moment: datetime) -> float:
        if moment.tzinfo is not None:
            return moment.timestamp()
        return self.instant(calendar.timegm(moment.timetuple()) + moment.microsecond / 1e6)


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""').replace("\x00", "") + '"'


def _zone(name: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DatabaseError(f"[logs] zone {name}: no such time zone here; write it like Asia/Shanghai") from None


def _offsets(zone: ZoneInfo) -> Iterator[int]:
    """The offsets of this zone in winter and in summer."""
    year = datetime.now(UTC).year
    for month in (1, 7):
        shift = datetime(year, month, 1, tzinfo=zone).utcoffset()
        yield round((shift or timedelta()).total_seconds())
