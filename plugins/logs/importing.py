"""A CSV export into `log.db`: alarms and events, lists of values, or files of signals with a column each.

Read twice in bounded memory: `survey` finds out what the file holds, then every row is written in one transaction: all
of it is in the log afterwards, or nothing. Rows that are there already are not doubled; an event that has cleared since
is brought up to date. A row that cannot be used is counted with its reason and its line, and the rest goes in.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.api import DatabaseError, InputError
from agent.settings import LogSettings
from plugins.logs.csv_text import CsvText
from plugins.logs.event_rows import EventRows
from plugins.logs.own_log import begin_writing, end_writing, make_indexes
from plugins.logs.series_rows import SeriesRows
from plugins.logs.stamps import DateOrder
from plugins.logs.survey import Kind, Survey, survey

__all__ = ["ImportReport", "ImportTold", "import_csv"]

_EXAMPLES = 3
_LOG_BYTES_FOR_EACH = 4
"""Bytes of log and of its journal, at most, for one byte of a CSV file."""


@dataclass(slots=True)
class ImportReport:
    """What an import did."""

    file: str
    encoding: str
    columns: dict[str, str]
    """Our name → the heading it was taken from."""
    order: DateOrder
    """How dates with two small numbers were read: ymd, mdy, dmy; `assumed` in `notes` where the file leaves it open."""
    kind: Kind = "events"
    added: int = 0
    updated: int = 0
    """Were there, and have cleared or changed state since."""
    known: int = 0
    """Were there already."""
    signals: list[str] = field(default_factory=list)
    """Series that were added to."""
    odd: Counter[str] = field(default_factory=Counter)
    """Reason → rows that were left out, or were taken with a doubt."""
    examples: dict[str, list[int]] = field(default_factory=dict)
    """Reason → the first few line numbers."""
    notes: list[str] = field(default_factory=list)

    def note_odd(self, reason: str, line: int) -> None:
        """Count a row that is odd."""
        self.odd[reason] += 1
        lines = self.examples.setdefault(reason, [])
        if len(lines) < _EXAMPLES:
            lines.append(line)

    def to_json(self) -> dict[str, object]:
        """For programs."""
        return {name: getattr(self, name) for name in self.__slots__}


ImportTold = Callable[[int, int, int], None]
"""Told the bytes that were read, those of the file, and the rows so far."""


def import_csv(
    source: Path, target: Path, settings: LogSettings, *, zone: str | None = None, told: ImportTold | None = None
) -> ImportReport:
    """Add the rows of a CSV file to the log.

    :param target: made where it is missing.
    :param zone: IANA name of the zone of times without offset; None keeps them as local times of the plant.
    :raises InputError: the file cannot be read, is too large, or its columns cannot be made out.
    :raises DatabaseError: the log is locked, damaged, or the plant's own, or the disk has no room.
    """
    place = _zone(zone)
    text = CsvText(source, settings)
    found = survey(text, settings)
    report = ImportReport(str(source), "", found.columns.headings(), found.order, found.kind, notes=list(found.notes))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _check_room(target, text.size)
        with closing(sqlite3.connect(target, timeout=settings.busy_seconds)) as log, log:
            _write(log, target, text, found, place, report, settings, told)
    except sqlite3.DatabaseError as error:
        raise DatabaseError(f"{target}: nothing was imported: {error}") from None
    except OSError as error:
        raise DatabaseError(f"{target}: nothing was imported: {error.strerror}") from None
    report.encoding = text.encoding
    return report


def _write(
    log: sqlite3.Connection, target: Path, text: CsvText, found: Survey, place: ZoneInfo | None,
    report: ImportReport, settings: LogSettings, told: ImportTold | None,
) -> None:  # fmt: skip
    table = "events" if found.kind == "events" else "readings"
    begin_writing(log, target, indexed=False)
    blank = log.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is None
    if not blank:
        make_indexes(log)
    writer = (
        EventRows(log, found, place, report, settings, blank=blank)
        if found.kind == "events"
        else SeriesRows(log, found, place, report, settings, source=text.source.name)
    )
    tell = None if told is None else lambda done, rows: told(done, text.size, rows)
    for line, cells in text.rows(report.note_odd, tell):
        writer.take(cells, line)
    writer.finish()
    end_writing(log)


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"--tz {name}: no such time zone here; write it like Asia/Shanghai") from None


def _check_room(target: Path, size: int) -> None:
    free = shutil.disk_usage(target.parent).free
    if free < size * _LOG_BYTES_FOR_EACH:
        raise DatabaseError(
            f"{target}: nothing was imported: {size * _LOG_BYTES_FOR_EACH / 1e9:.1f} GB may be needed on this disk,"
            f" {free / 1e9:.1f} GB are free"
        )
