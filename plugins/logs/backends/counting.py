"""Counting: by the sums where they hold what is asked, else by the rows; folded into hours, days, weeks and months."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from agent.api import DatabaseError
from plugins.logs.backends.conditions import conditions, plant_wall
from plugins.logs.backends.layout import Clock, EventTable, Reader, Values
from plugins.logs.backends.sums import DAY, DIMENSIONS, HOUR, Piece, choose_sums, cover
from plugins.logs.interface import BUCKETS, COLUMNS, Duration, Filter, Group, Groups

__all__ = ["count_groups", "measure_durations"]

_MAX_CELLS = 200_000
"""Of hours or days by values, before they are folded."""
_MAX_KEYS = 2


def count_groups(
    reader: Reader, table: EventTable, which: Filter, by: Sequence[str], clock: Clock, *, limit: int
) -> Groups:
    """Counts of the events that fit, by columns and buckets.

    :raises DatabaseError: a name in `by` is neither, or there are too many groups to count.
    """
    columns, bucket = _split(table, by)
    unit = None if bucket is None else HOUR if bucket.startswith("hour") else DAY
    found = _cells(reader, table, which, columns, unit, clock)
    folded: Counter[tuple[str, ...]] = Counter()
    for *key, at, count in found:
        names = iter("" if value is None else str(value) for value in key)
        label = "" if bucket is None else _label(bucket, int(str(at)) * (unit or 1))
        folded[tuple(label if name == bucket else next(names) for name in by)] += int(str(count))
    timed = bucket is not None
    order = sorted(folded.items(), key=lambda item: (0 if timed else -item[1], item[0]))
    groups = tuple(Group(key, count) for key, count in order[:limit])
    return Groups(groups, folded.total(), len(folded) if by else 0)


def measure_durations(reader: Reader, table: EventTable, which: Filter, clock: Clock) -> Duration:
    """How long the events that fit stood, of those that have cleared."""
    sources, values = _sources(table, which, (), None, clock, figures=True)
    sql = " UNION ALL ".join(sources)
    rows = reader.rows(f"SELECT sum(n), sum(lasted), max(longest) FROM ({sql}) AS parts", values) if sources else []
    count, total, longest = rows[0] if rows else (0, None, None)
    cleared = int(str(count or 0))
    if not cleared:
        return Duration(0, None, None)
    return Duration(cleared, float(str(total)) / cleared, float(str(longest)))


def _split(table: EventTable, by: Sequence[str]) -> tuple[list[str], str | None]:
    buckets = [name for name in by if name in BUCKETS]
    columns = [name for name in by if name not in BUCKETS]
    unknown = [name for name in columns if name not in COLUMNS and table.column(name) is None]
    if unknown or len(buckets) > 1 or len(by) > _MAX_KEYS:
        known = ", ".join((*table.columns, *table.more, *BUCKETS))
        raise DatabaseError(f"events cannot be counted by {' and '.join(by)}; one or two of: {known}")
    return columns, buckets[0] if buckets else None


def _cells(
    reader: Reader, table: EventTable, which: Filter, columns: list[str], unit: int | None, clock: Clock
) -> list[tuple[object, ...]]:
    """Rows of values, the number of the hour or day, and a count."""
    sources, values = _sources(table, which, columns, unit, clock, figures=False)
    if not sources:
        return []
    keys = "".join(f"k{i}, " for i in range(len(columns)))
    grouped = f" GROUP BY {keys}at" if columns or unit else ""
    limit = f" LIMIT {values.add(_MAX_CELLS + 1)}"
    at = "at" if columns or unit else "0"
    rows = reader.rows(
        f"SELECT {keys}{at}, sum(n) FROM ({' UNION ALL '.join(sources)}) AS parts{grouped}{limit}", values
    )
    if len(rows) > _MAX_CELLS:
        raise DatabaseError(
            f"more than {_MAX_CELLS:,} groups to count; ask for a shorter span of time or by fewer names"
        )
    return [row for row in rows if row[-1]]


def _sources(
    table: EventTable, which: Filter, columns: Sequence[str], unit: int | None, clock: Clock, *, figures: bool
) -> tuple[list[str], Values]:
    """SELECTs that together count every event that fits once."""
    values = Values()
    pieces = _pieces(table, which, columns, unit, clock)
    if pieces is None:
        return [_from_rows(table, which, columns, unit, clock, values, figures=figures)], values
    untimed = Filter(**{**{n: getattr(which, n) for n in which.__slots__}, "period": None})
    parts = [_from_piece(table, untimed, piece, columns, unit, values, clock, figures=figures) for piece in pieces]
    late = _from_rows(table, which, columns, unit, clock, values, figures=figures, late=True)
    return [*parts, late], values


def _pieces(
    table: EventTable, which: Filter, columns: Sequence[str], unit: int | None, clock: Clock
) -> list[Piece] | None:
    if table.mark is None or which.row is not None or which.states or which.standing:
        return None
    if not clock.is_wall(table.shifts):
        return None
    used = [*columns, *which.equal]
    used += [n for n, given in (("tag", which.tag or which.tags), ("text", which.texts), ("area", which.area),
                                ("priority", which.priorities)) if given]  # fmt: skip
    if not set(used) <= set(DIMENSIONS):
        return None
    sums = choose_sums(used, unit)
    if sums is None:
        return None
    if which.period is None:
        return [Piece(sums[0], None, None)]
    return cover(*clock.span(which.period), sums)


def _from_piece(
    table: EventTable, which: Filter, piece: Piece, columns: Sequence[str], unit: int | None, values: Values,
    clock: Clock, *, figures: bool,
) -> str:  # fmt: skip
    parts = conditions(table, which, clock, values)
    sums = piece.sums
    if sums is None:
        parts += [f"{table.raw} >= {values.add(piece.start)}", f"{table.raw} < {values.add(piece.end)}"]
        parts.append(f"+{table.row} <= {table.mark}")  # the sign keeps the index on time in use
        return _select(table, parts, columns, unit, table.raw, figures=figures)
    if piece.start is not None and piece.end is not None:
        parts.append(f"bucket >= {values.add(int(piece.start // sums.width))}")
        parts.append(f"bucket < {values.add(int(piece.end // sums.width))}")
    keys = [f"{name} AS k{i}" for i, name in enumerate(columns)]
    at = f"bucket * {sums.width} / {unit} AS at" if unit else "0 AS at"
    numbers = "cleared AS n, lasted, CASE WHEN cleared > 0 THEN longest END AS longest" if figures else "n"
    return f"SELECT {', '.join([*keys, at, numbers])} FROM {sums.name}{_where(parts)}"


def _from_rows(
    table: EventTable, which: Filter, columns: Sequence[str], unit: int | None, clock: Clock, values: Values, *,
    figures: bool, late: bool = False,
) -> str:  # fmt: skip
    """Of all rows, or of the few behind the mark, which are found by their number and no other way."""
    parts = conditions(table, which, clock, values)
    wall = plant_wall(table, clock, values) if unit else "0"
    if not late:
        return _select(table, parts, columns, unit, wall, figures=figures)
    late_table = replace(table, name=f"{table.name} NOT INDEXED")
    return _select(late_table, [*parts, f"{table.row} > {table.mark}"], columns, unit, wall, figures=figures)


def _select(
    table: EventTable, parts: Sequence[str], columns: Sequence[str], unit: int | None, wall: str, *, figures: bool
) -> str:
    """Counts of rows; grouped here already, so that few rows are handed on."""
    keys = [_key(table, name) for name in columns]
    at = table.whole.format(f"{wall} / {unit}") if unit else ""
    named = [f"{key} AS k{i}" for i, key in enumerate(keys)]
    lasted = table.lasted
    numbers = f"count({lasted}) AS n, sum({lasted}) AS lasted, max({lasted}) AS longest" if figures else "count(*) AS n"
    grouped = [*keys, at] if at else keys
    tail = f" GROUP BY {', '.join(grouped)}" if grouped else ""
    return f"SELECT {', '.join([*named, f'{at or 0} AS at', numbers])} FROM {table.name}{_where(parts)}{tail}"


def _key(table: EventTable, name: str) -> str:
    column = table.column(name)
    if table.stored == "own" and name in DIMENSIONS:
        return str(column)
    return f"COALESCE(CAST({column or 'NULL'} AS TEXT), '')"


def _where(parts: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(parts)}" if parts else ""


def _label(bucket: str, seconds: int) -> str:
    shown = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    match bucket:
        case "hour":
            return f"{shown:%Y-%m-%d %H}"
        case "day":
            return f"{shown:%Y-%m-%d}"
        case "week":
            return f"{shown - timedelta(days=shown.weekday()):%Y-%m-%d}"
        case "month":
            return f"{shown:%Y-%m}"
        case "hour of day":
            return f"{shown:%H}"
        case _:
            return str(shown.isoweekday())
