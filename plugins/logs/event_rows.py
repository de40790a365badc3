"""The rows of an export of alarms and events, written to `log.db` once each.

Into an empty log they are written as they come, and doubles are found afterwards along an index; into one that has
events each is looked up first.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

from agent.settings import LogSettings
from plugins.logs.backends.sums import clear_later
from plugins.logs.own_log import EVENT_COLUMNS, insert_into, keep_shifts, make_indexes
from plugins.logs.stamps import StampReader, seconds_of
from plugins.logs.survey import Survey

__all__ = ["EventRows", "Report"]

_BATCH = 20_000
_MAX_MORE = 40
_KEY = ("tag", "wall", "text", "shift")
_REST = ("priority", "state", "area", "cleared", "more")
_INSERT = insert_into("events", EVENT_COLUMNS)

Row = tuple[str | float | None, ...]


class Report(Protocol):
    """What is counted of an import."""

    added: int
    updated: int
    known: int
    signals: list[str]
    notes: list[str]

    def note_odd(self, reason: str, line: int) -> None:
        """Count a row that is odd."""
        ...


class EventRows:
    """Writes events.

    :param blank: the log has no event yet.
    """

    def __init__(
        self, log: sqlite3.Connection, found: Survey, place: ZoneInfo | None, report: Report, settings: LogSettings, *,
        blank: bool,
    ) -> None:  # fmt: skip
        self._log, self._found, self._report, self._blank = log, found, report, blank
        self._cut = settings.max_text_chars
        self._time, self._cleared = (StampReader(found.order, place) for _ in range(2))
        self._shifts: set[int | None] = set()
        self._batch: list[Row] = []
        self._more = [(_key(name), at) for name, at in list(found.more.items())[:_MAX_MORE]]

    def take(self, cells: list[str], line: int) -> None:
        """One row of the file."""
        row = self._read(cells, line)
        if row is None:
            return
        if not self._blank:
            self._write(row)
            return
        self._batch.append(row)
        if len(self._batch) >= _BATCH:
            self._flush()

    def finish(self) -> None:
        """Write what is left, and what is to be known about all rows."""
        self._flush()
        keep_shifts(self._log, "event_shifts", self._shifts)
        known = {row[0] for row in self._log.execute("SELECT name FROM event_columns")}
        self._log.executemany(
            "INSERT INTO event_columns VALUES (?)",
            [(name,) for name in dict.fromkeys(n for n, _ in self._more) if name not in known],
        )
        if self._blank:
            make_indexes(self._log)
            self._merge_doubles()

    def _read(self, cells: list[str], line: int) -> Row | None:
        picked, report = self._found.columns.pick(cells), self._report
        time = self._time.read(self._found.time_of(cells))
        tag, text = picked["tag"][: self._cut], picked["text"][: self._cut]
        if time is None:
            report.note_odd("time missing or not understood", line)
            return None
        if not (tag or text):
            report.note_odd("neither tag nor text", line)
            return None
        if time.fold:
            report.note_odd(FOLDS[time.fold], line)
        cleared = self._cleared.read(picked["cleared"]) if picked["cleared"] else None
        if picked["cleared"] and cleared is None:
            report.note_odd("time of clearing not understood; the event was kept", line)
        lasted = seconds_of(time, cleared)
        if cleared is not None and lasted is None:
            report.note_odd("cleared before it began; the event was kept", line)
        self._shifts.add(time.shift)
        more = {
            name: cells[at].strip()[: self._cut] for name, at in self._more if at < len(cells) and cells[at].strip()
        }
        rest = tuple(picked[name][: self._cut] for name in ("priority", "state", "area"))
        written = json.dumps(more, ensure_ascii=False) if more else None
        end = cleared.text if cleared else None
        return (time.text, tag, text, *rest, end, time.wall, time.shift, lasted, written)

    def _flush(self) -> None:
        self._log.executemany(_INSERT, self._batch)
        self._report.added += len(self._batch)
        self._batch.clear()

    def _write(self, row: Row) -> None:
        """Add an event unless it is there; one that has cleared since is brought up to date."""
        new = dict(zip(EVENT_COLUMNS, row, strict=True))
        there = self._log.execute(
            f"SELECT id, {', '.join(_REST)} FROM events INDEXED BY events_by_tag"
            " WHERE tag = ? AND wall = ? AND text = ? AND shift IS ?",
            [new[name] for name in _KEY],
        ).fetchall()
        if any(_same(known[1:], new) for known in there):
            self._report.known += 1
            return
        standing = next((known[0] for known in there if known[4] is None and new["cleared"] is not None), None)
        if standing is None:
            self._log.execute(_INSERT, row)
            self._report.added += 1
        else:
            self._clear(standing, new)
            self._report.updated += 1

    def _merge_doubles(self) -> None:
        """Rows of one file that are the same, or the end of an earlier one, become one."""
        self._log.execute(
            "CREATE TEMP TABLE doubled AS SELECT tag, wall FROM events GROUP BY tag, wall HAVING count(*) > 1"
        )
        for key in self._log.execute("SELECT tag, wall FROM doubled"):
            rows = self._log.execute(
                f"SELECT id, {', '.join(EVENT_COLUMNS)} FROM events INDEXED BY events_by_tag"
                " WHERE tag = ? AND wall = ? ORDER BY id",
                key,
            ).fetchall()
            self._merge([(row[0], dict(zip(EVENT_COLUMNS, row[1:], strict=True))) for row in rows])
        self._log.execute("DROP TABLE doubled")

    def _merge(self, rows: Sequence[tuple[int, dict[str, str | float | None]]]) -> None:
        kept: list[tuple[int, dict[str, str | float | None]]] = []
        for number, row in rows:
            alike = [k for k in kept if all(k[1][name] == row[name] for name in _KEY)]
            if any(_same([k[1][name] for name in _REST], row) for k in alike):
                self._report.known += 1
            else:
                standing = next((k for k in alike if k[1]["cleared"] is None and row["cleared"] is not None), None)
                if standing is None:
                    kept.append((number, row))
                    continue
                self._clear(standing[0], row)
                standing[1].update(state=row["state"], cleared=row["cleared"])
                self._report.updated += 1
            self._log.execute("DELETE FROM events WHERE id = ?", (number,))
            self._report.added -= 1

    def _clear(self, number: int, row: dict[str, str | float | None]) -> None:
        self._log.execute(
            "UPDATE events SET state = ?, cleared = ?, lasted = ? WHERE id = ?",
            (row["state"], row["cleared"], row["lasted"], number),
        )
        clear_later(self._log, number, None if row["lasted"] is None else float(row["lasted"]))


FOLDS = {
    "twice": "in the hour that the clock showed twice as summer time ended; the first, after a step back the second",
    "never": "in an hour that the clock left out when summer time began; taken as if it had not",
}


def _same(known: Sequence[object], new: dict[str, str | float | None]) -> bool:
    """Whether a row is there; of one from before further columns were kept, these are not asked for."""
    return list(known[:4]) == [new[name] for name in _REST[:4]] and known[4] in (None, new["more"])


def _key(heading: str) -> str:
    """A heading as a JSON key that a path can name."""
    return heading.replace('"', "'").replace("\\", "/")[:80]
