"""A CSV export of an alarm system into `log.db`.

Two passes over the file, never the whole of it in memory: the first finds encoding, columns and the order of day and
month, the second writes, in one transaction. Rows that are there already are not doubled; one that has cleared since is
brought up to date. A row that cannot be used is counted with its reason and its line, and the rest goes in.
"""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.api import DatabaseError, InputError
from agent.settings import LogSettings
from plugins.logs.database import COLUMNS
from plugins.logs.headings import Columns, delimiter_of, guess_columns
from plugins.logs.own_log import begin_writing
from plugins.logs.stamps import DateOrder, find_date_order, read_stamp

__all__ = ["ImportReport", "import_csv"]

_ENCODINGS = ("utf-8-sig", "gb18030")
_EXAMPLES = 3


@dataclass(slots=True)
class ImportReport:
    """What an import did."""

    file: str
    encoding: str
    columns: dict[str, str]
    """Our name → the heading it was taken from."""
    order: DateOrder
    """How dates with two small numbers were read: ymd, mdy, dmy; `assumed` in `notes` where the file leaves it open."""
    added: int = 0
    updated: int = 0
    """Were there, and have cleared or changed state since."""
    known: int = 0
    """Were there already."""
    odd: Counter[str] = field(default_factory=Counter)
    """Reason → rows that were left out."""
    examples: dict[str, list[int]] = field(default_factory=dict)
    """Reason → the first few line numbers."""
    notes: list[str] = field(default_factory=list)

    def note_odd(self, reason: str, line: int) -> None:
        """Count a row that was left out."""
        self.odd[reason] += 1
        lines = self.examples.setdefault(reason, [])
        if len(lines) < _EXAMPLES:
            lines.append(line)

    def to_json(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__slots__}


def import_csv(source: Path, target: Path, settings: LogSettings, *, zone: str | None = None) -> ImportReport:
    """Add the rows of a CSV file to the log.

    :param target: made where it is missing.
    :param zone: IANA name of the zone of times without offset; None keeps them as local times of the plant.
    :raises InputError: the file cannot be read, is too large, or its columns cannot be made out.
    :raises DatabaseError: the log is locked, damaged, or the plant's own.
    """
    place = _zone(zone)
    encoding = _encoding(source, settings)
    csv.field_size_limit(settings.max_line_chars)
    delimiter, columns, order, notes = _survey(source, encoding, settings)
    report = ImportReport(str(source), encoding, columns.headings(), order, notes=notes)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(target, timeout=settings.busy_seconds)) as log, log:
            begin_writing(log, target)
            for line, cells in _rows(source, encoding, delimiter, settings, report):
                _take(log, columns.pick(cells), line, order, place, report, settings)
    except sqlite3.DatabaseError as error:
        raise DatabaseError(f"{target}: nothing was imported: {error}") from None
    except OSError as error:
        raise DatabaseError(f"{target}: nothing was imported: {error.strerror}") from None
    return report


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"--tz {name}: no such time zone here; write it like Asia/Shanghai") from None


def _encoding(source: Path, settings: LogSettings) -> str:
    try:
        size = source.stat().st_size
        if size > settings.max_import_bytes:
            raise InputError(
                f"{source}: {size:,} bytes, more than the {settings.max_import_bytes:,} of [logs] max_import_bytes"
            )
        with source.open("rb") as file:
            if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
                return "utf-16"
        for encoding in _ENCODINGS:
            if _decodes(source, encoding):
                return encoding
    except OSError as error:
        raise InputError(f"{source}: cannot be read: {error.strerror}") from None
    raise InputError(f"{source}: its text is neither UTF-8 nor GB18030; save it as UTF-8")


def _decodes(source: Path, encoding: str) -> bool:
    try:
        with source.open(encoding=encoding) as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _survey(source: Path, encoding: str, settings: LogSettings) -> tuple[str, Columns, DateOrder, list[str]]:
    with source.open(encoding=encoding, newline="") as file:
        head = next((line for line in _lines(file, settings.max_line_chars) if line.strip()), "")
    if not head:
        raise InputError(f"{source}: it is empty")
    delimiter = delimiter_of(head)
    columns, notes = guess_columns(next(csv.reader([head], delimiter=delimiter)), str(source))
    unused = ImportReport(str(source), encoding, {}, "ymd")
    stamps = (columns.pick(cells)["time"] for _, cells in _rows(source, encoding, delimiter, settings, unused))
    order, assumed = find_date_order(stamps)
    if assumed:
        notes.append(f"dates such as 3/4/2025 leave day and month open; read as {order}")
    return delimiter, columns, order, notes


def _lines(file: TextIO, limit: int) -> Iterator[str]:
    """Lines without NUL; one that is too long comes as a lone NUL, so that it is counted and not kept."""
    while line := file.readline(limit):
        whole = line
        while not whole.endswith("\n") and len(whole) >= limit:
            whole = file.readline(limit) or "\n"
            line = "\x00\n"
        yield line if line == "\x00\n" else line.replace("\x00", "")


def _rows(
    source: Path, encoding: str, delimiter: str, settings: LogSettings, report: ImportReport
) -> Iterator[tuple[int, list[str]]]:
    """Rows under the headings, with their line; what is no row is reported."""
    with source.open(encoding=encoding, newline="") as file:
        reader = csv.reader(_lines(file, settings.max_line_chars), delimiter=delimiter)
        headed = False
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                report.note_odd(str(error), reader.line_num)
                continue
            if not any(cell.strip() for cell in cells):
                continue
            if not headed:
                headed = True
            elif cells == ["\x00"]:
                report.note_odd("line too long", reader.line_num)
            else:
                yield reader.line_num, cells


def _take(
    log: sqlite3.Connection,
    cells: dict[str, str],
    line: int,
    order: DateOrder,
    place: ZoneInfo | None,
    report: ImportReport,
    settings: LogSettings,
) -> None:
    time = read_stamp(cells["time"], order, place)
    tag, text = (cells[name][: settings.max_text_chars] for name in ("tag", "text"))
    if time is None:
        report.note_odd("time missing or not understood", line)
    elif not (tag or text):
        report.note_odd("neither tag nor text", line)
    else:
        if cells["cleared"] and read_stamp(cells["cleared"], order, place) is None:
            report.note_odd("time of clearing not understood; the event was kept", line)
        cleared = read_stamp(cells["cleared"], order, place)
        rest = tuple(cells[name][: settings.max_text_chars] for name in ("priority", "state", "area"))
        _write(log, (time, tag, text, *rest, cleared), report)


def _write(log: sqlite3.Connection, row: Sequence[str | None], report: ImportReport) -> None:
    time, tag, text, priority, state, area, cleared = row
    there = log.execute(
        "SELECT id, priority, state, area, cleared FROM events WHERE tag = ? AND text = ? AND time = ?",
        (tag, text, time),
    ).fetchall()
    if any(tuple(known[1:]) == (priority, state, area, cleared) for known in there):
        report.known += 1
        return
    open_one = next((known[0] for known in there if known[4] is None and cleared is not None), None)
    if open_one is not None:
        log.execute("UPDATE events SET state = ?, cleared = ? WHERE id = ?", (state, cleared, open_one))
        report.updated += 1
        return
    log.execute(f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?)", tuple(row))
    report.added += 1
