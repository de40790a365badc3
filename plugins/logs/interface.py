"""What typed queries may ask of the plant's log, whichever database holds it. `plugins.logs.database` answers.

Times: `Period`s are resolved against the plant's clock; every instant that is returned is seconds since 1970 UTC. A
time stored without offset is wall-clock time of the plant: of the zone in the settings, else at the offset of `now`.
Nothing here writes; every call is bounded in rows and seconds and raises `DatabaseError` with one clear line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.api import Period

__all__ = [
    "BUCKETS",
    "COLUMNS",
    "Bucket",
    "Duration",
    "Event",
    "EventLog",
    "Filter",
    "Group",
    "Groups",
    "Moment",
    "Order",
    "Points",
    "Signal",
]

COLUMNS = ("time", "tag", "text", "priority", "state", "area", "cleared")
"""Our columns of an event. A plant's table, or an imported file, may have more; they are asked for by their heading."""
Bucket = Literal["hour", "day", "week", "month", "hour of day", "weekday"]
BUCKETS: tuple[Bucket, ...] = ("hour", "day", "week", "month", "hour of day", "weekday")
"""What events can be counted by besides columns, in wall-clock time of the plant. Keys: `2024-12-14 03`, `2024-12-14`,
the Monday `2024-12-09`, `2024-12`, `03`, `1` (Monday) to `7`."""
Order = Literal["newest", "oldest", "longest"]
"""`longest`: of the events that have cleared, by how long they stood."""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the log."""

    row: int
    time: str
    """As stored."""
    tag: str
    text: str
    priority: str
    state: str
    area: str
    cleared: str | None
    """As stored; None while it stands, or where the log does not keep it."""
    at: float | None = None
    """Instant of `time`."""
    lasted_seconds: float | None = None
    """From `time` to `cleared`; None while it stands, or where the stored times contradict each other."""
    more: Mapping[str, str] = field(default_factory=dict)
    """Heading → value of the columns that are none of ours."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events. What is None or empty does not restrict; all that is given must fit."""

    texts: tuple[str, ...] = ()
    """Any of these or any of `tags`, exactly as stored."""
    tags: tuple[str, ...] = ()
    area: str | None = None
    tag: str | None = None
    period: Period | None = None
    priorities: tuple[str, ...] = ()
    """Any of these, exactly as stored."""
    states: tuple[str, ...] = ()
    standing: bool = False
    """Only events without a time of clearing."""
    row: int | None = None
    """Only the one of this number."""
    equal: Mapping[str, str] = field(default_factory=dict)
    """Column (ours or a further heading) → value, exactly as stored."""


@dataclass(frozen=True, slots=True)
class Group:
    """The events that share the same values."""

    key: tuple[str, ...]
    """In the order of `by`; an empty text where the row has none."""
    count: int


@dataclass(frozen=True, slots=True)
class Groups:
    """Counts of the events that fit."""

    groups: tuple[Group, ...]
    """Buckets of time in order (empty ones are left out); otherwise the largest first, equal ones by key."""
    total: int
    """All events that fit, also those of groups beyond the limit."""
    different: int
    """How many groups there are in all."""


@dataclass(frozen=True, slots=True)
class Duration:
    """How long events stood, of those that have cleared."""

    count: int
    mean_seconds: float | None
    """None where none has cleared."""
    longest_seconds: float | None


@dataclass(frozen=True, slots=True)
class Moment:
    """An event as little more than an instant, for floods, chattering and what goes before what."""

    row: int
    at: float
    tag: str
    text: str


@dataclass(frozen=True, slots=True)
class Signal:
    """A series of the log."""

    tag: str
    unit: str
    """Of its latest value; empty where none is stored."""
    source: str
    """The file or panel that its latest value is from."""
    count: int
    first: float
    """Instants of the earliest and the latest value."""
    last: float


@dataclass(frozen=True, slots=True)
class Points:
    """Values of a series in order of time; equal stamps stay, in the order in which they were stored."""

    rows: NDArray[np.int64]
    """Ids; positions where the table has none."""
    at: NDArray[np.float64]
    """Instants."""
    wall: NDArray[np.float64]
    """The plant's wall clock as if it were UTC, for showing: `datetime.fromtimestamp(x, UTC)`."""
    values: NDArray[np.float64]
    """Never NaN or infinite: readings without a number are left out."""
    total: int
    """How many there are; more than `values` where the limit of the settings cut the end off."""


class EventLog(Protocol):
    """The plant's log, read only."""

    def events(self, which: Filter, *, now: datetime, limit: int, order: Order = "newest") -> tuple[list[Event], int]:
        """Events that fit, and how many fit in all.

        :param now: the plant's clock; its offset is that of times stored without one.
        """
        ...

    def count(self, which: Filter, *, now: datetime) -> int:
        """How many events fit."""
        ...

    def groups(self, which: Filter, *, by: Sequence[str], now: datetime, limit: int) -> Groups:
        """Counts by columns and buckets of time; `by` holds one or two of COLUMNS, `more_columns()` and BUCKETS."""
        ...

    def durations(self, which: Filter, *, now: datetime) -> Duration:
        """How long the events that fit stood."""
        ...

    def moments(self, which: Filter, *, now: datetime, limit: int) -> list[Moment]:
        """The newest `limit` events that fit, oldest of them first; `count` tells whether there are more."""
        ...

    def names(self, column: str) -> list[str]:
        """The different values of a column (ours or a further heading), bounded by `[logs] max_names`."""
        ...

    def known_names(self, column: str, wanted: Sequence[str]) -> list[str]:
        """Those of the wanted values that a column holds, exactly as stored: also beyond what `names` lists."""
        ...

    def more_columns(self) -> list[str]:
        """Headings beyond ours that events can be counted and chosen by."""
        ...

    def texts_by_tag(self, texts: Sequence[str]) -> dict[str, set[str]]:
        """The tags that carry any of these texts, each with all its texts."""
        ...

    def span(self) -> tuple[str, str, int]:
        """First and last time as stored, and the number of rows; empty texts where there are none."""
        ...

    def signals(self) -> list[Signal]:
        """The series, by tag; empty where the log has none."""
        ...

    def points(self, tag: str, period: Period | None, *, now: datetime) -> Points:
        """The values of a series, at most `[logs] max_points`."""
        ...
