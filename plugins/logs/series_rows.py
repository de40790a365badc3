"""The rows of a file of values or signals, written to the `readings` of `log.db`.

Equal stamps are kept, as the file has them; a value that an earlier import brought already is not doubled.
"""

from __future__ import annotations

import sqlite3
from zoneinfo import ZoneInfo

from agent.settings import LogSettings
from plugins.logs.event_rows import FOLDS, Report
from plugins.logs.figures import is_nothing, read_number
from plugins.logs.own_log import READING_COLUMNS, insert_into, keep_shifts, make_indexes
from plugins.logs.stamps import Stamp, StampReader
from plugins.logs.survey import Survey

__all__ = ["SeriesRows"]

_BATCH = 20_000
_INSERT = insert_into("readings", READING_COLUMNS)


class SeriesRows:
    """Writes values.

    :param source: name of the file.
    """

    def __init__(
        self, log: sqlite3.Connection, found: Survey, place: ZoneInfo | None, report: Report, settings: LogSettings, *,
        source: str,
    ) -> None:  # fmt: skip
        self._log, self._found, self._report = log, found, report
        self._cut = settings.max_text_chars
        self._source = source[: self._cut]
        self._time = StampReader(found.order, place)
        self._shifts: set[int | None] = set()
        self._batch: list[tuple[str | float | None, ...]] = []
        self._before = int(log.execute("SELECT COALESCE(max(id), 0) FROM readings").fetchone()[0])
        self._last: float | None = None
        self._tags: set[str] = set()

    def take(self, cells: list[str], line: int) -> None:
        """One row of the file."""
        stamp = self._time.read(self._found.time_of(cells))
        if stamp is None:
            self._report.note_odd("time missing or not understood", line)
            return
        if stamp.fold:
            self._report.note_odd(FOLDS[stamp.fold], line)
        if self._last is not None and stamp.wall < self._last and self._found.kind == "signals":
            self._report.note_odd("before the row above it; rows are put in order of time", line)
        self._last = stamp.wall
        self._shifts.add(stamp.shift)
        if self._found.kind == "signals":
            for signal in self._found.signals:
                cell = cells[signal.place] if signal.place < len(cells) else ""
                self._add(stamp, signal.tag, cell, signal.unit, line)
        else:
            self._take_value(stamp, cells, line)
        if len(self._batch) >= _BATCH:
            self._flush()

    def finish(self) -> None:
        """Write what is left, take out what was there before, and say what is odd about all rows."""
        self._flush()
        keep_shifts(self._log, "reading_shifts", self._shifts)
        make_indexes(self._log)
        if self._before:
            self._report.known = self._log.execute(
                "DELETE FROM readings WHERE id > ?1 AND EXISTS (SELECT 1 FROM readings AS old"
                " WHERE old.tag = readings.tag AND old.wall = readings.wall AND old.value = readings.value"
                " AND old.id <= ?1)",
                (self._before,),
            ).rowcount
            self._report.added -= self._report.known
        self._report.signals = sorted(self._tags)
        doubled = self._log.execute(
            "SELECT count(*) FROM (SELECT DISTINCT wall FROM readings WHERE tag = ? AND id > ?"
            " GROUP BY wall HAVING count(*) > 1)",
            (min(self._tags, default=""), self._before),
        ).fetchone()[0]
        if doubled:
            self._report.notes.append(f"{doubled} times stand in more than one row; every row was kept")

    def _take_value(self, stamp: Stamp, cells: list[str], line: int) -> None:
        found = self._found
        tag = found.columns.pick(cells)["tag"][: self._cut]
        if not tag:
            self._report.note_odd("no tag", line)
            return
        unit = cells[found.unit].strip()[: self._cut] if 0 <= found.unit < len(cells) else ""
        self._add(stamp, tag, cells[found.value] if found.value < len(cells) else "", unit, line)

    def _add(self, stamp: Stamp, tag: str, cell: str, unit: str, line: int) -> None:
        value = read_number(cell, self._found.point)
        if value is None:
            self._report.note_odd("value missing" if is_nothing(cell) else "value is no number", line)
            return
        self._tags.add(tag)
        self._batch.append((stamp.text, self._source, tag, value, "", unit, "", stamp.wall, stamp.shift))

    def _flush(self) -> None:
        self._log.executemany(_INSERT, self._batch)
        self._report.added += len(self._batch)
        self._batch.clear()
