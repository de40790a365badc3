"""A log in a SQLite file: opened with mode=ro and query_only, stopped by its own clock.

The table may be the box's own or the plant's. Its times are ISO 8601 text, or seconds or milliseconds since 1970.
"""

from __future__ import annotations

import os
import sqlite3
import time as clock
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from agent.api import DatabaseError, ToolFailed
from agent.settings import LogSettings
from plugins.logs.backends.layout import EventTable, SeriesTable, Shift, Stored, quoted
from plugins.logs.backends.sums import read_mark
from plugins.logs.interface import COLUMNS
from plugins.logs.sql_check import FUNCTIONS

__all__ = ["SqliteBackend", "open_read_only"]

NEEDED = ("time", "tag", "text")
_STEPS_BETWEEN_LOOKS = 20_000
_CACHE_KIB = 16_384
_SCALES = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (0, 1.0))
"""Numbers from the first on are nano-, micro- or milliseconds since 1970; smaller ones are seconds."""


_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 10,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 8,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
}
"""Of a statement that a person or a model wrote."""
_OURS = frozenset(("json_extract", "like", "glob", "typeof"))
"""Functions of our own views, and of operators."""


class SqliteReader:
    """An open connection."""

    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection, path: Path, settings: LogSettings) -> None:
        self.connection = connection
        self._path = path
        self._settings = settings

    def rows(self, sql: str, values: Mapping[str, object]) -> list[tuple[object, ...]]:
        """Run one SELECT."""
        return self.connection.execute(sql, values).fetchall()

    def answer(self, before: str, checked: str, after: str) -> tuple[list[str], list[tuple[object, ...]]]:
        """Run a checked statement; SQLite itself then refuses everything but reading these tables."""
        for limit, most in _LIMITS.items():
            self.connection.setlimit(limit, most)
        self.connection.set_authorizer(_only_reading)
        try:
            cursor = self.connection.execute(f"{before}{checked}{after}")
            return [column[0] for column in cursor.description], cursor.fetchall()
        except sqlite3.DatabaseError as error:
            if _of_the_file(error):
                raise
            raise ToolFailed(f"sql: {error}") from None
        finally:
            self.connection.set_authorizer(None)

    def tables(self) -> dict[str, dict[str, str]]:
        """Table or view → column → its declared type."""
        names = self.rows("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY 1 LIMIT 200", {})
        return {str(name): _columns(self.connection, str(name)) for (name,) in names}

    def events(self) -> EventTable:
        """The table of events, checked against the settings."""
        return _find_events(self.connection, self._path, self._settings)

    def series(self) -> SeriesTable | None:
        """The table of series; None where there is none."""
        return _find_series(self.connection, self._path, self._settings)


class SqliteBackend:
    """One file. Making one touches nothing."""

    def __init__(self, path: Path, settings: LogSettings) -> None:
        self.path = path
        self.settings = settings

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def state(self) -> object:
        """When the file, and what was written beside it, were last changed, and how long they are."""
        return tuple(_changed(self.path.with_name(f"{self.path.name}{end}")) for end in ("", "-wal"))

    def guarded(self) -> tuple[bool, str]:
        """Whether nothing can be written, and how that is made sure: a write is tried, and must fail."""
        with self.reading() as reader:
            try:
                reader.connection.execute("CREATE TABLE watchkeeper_may_write (x)")
            except sqlite3.OperationalError:
                return True, "SQLite, opened with mode=ro and query_only"
        return False, f"{self.path}: could be written through a read-only connection; stop and report this"

    @contextmanager
    def reading(self) -> Iterator[SqliteReader]:
        """Open the file.

        :raises DatabaseError: missing, locked, damaged, or too slow.
        """
        if not self.path.is_file():
            raise DatabaseError(
                f"{self.path}: no alarm log here; run `watchkeeper logs import FILE.csv`, or set [logs] path"
            )
        deadline = clock.monotonic() + self.settings.max_seconds
        try:
            with closing(open_read_only(self.path, self.settings.busy_seconds)) as connection:
                connection.set_progress_handler(lambda: clock.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
                yield SqliteReader(connection, self.path, self.settings)
        except sqlite3.Error as error:
            raise DatabaseError(self._told(error)) from None

    def _told(self, error: sqlite3.Error) -> str:
        said = str(error)
        if "interrupted" in said:
            return f"{self.path}: no answer within {self.settings.max_seconds:g} s; ask for a shorter span of time"
        if "locked" in said or "busy" in said:
            return f"{self.path}: locked by another program for {self.settings.busy_seconds:g} s; try again"
        if "not a database" in said or "malformed" in said:
            return f"{self.path}: damaged or not a SQLite file ({said}); restore it, or import the log again"
        return f"{self.path}: cannot be read: {said}"


def _changed(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _only_reading(action: int, first: str | None, second: str | None, place: str | None, inner: str | None) -> int:
    if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ):
        return sqlite3.SQLITE_OK if not (first or "").startswith("sqlite_") else sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FUNCTIONS | _OURS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _of_the_file(error: sqlite3.DatabaseError) -> bool:
    """Whether the file or the clock is to blame, and not the statement."""
    return any(word in str(error) for word in ("interrupted", "locked", "busy", "malformed", "disk", "not a database"))


def open_read_only(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """Open a file so that nothing can be written through it.

    A database in WAL mode wants to write beside itself; in a read-only folder it is read as it stands.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=busy_seconds)
    try:
        connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if os.access(path.parent, os.W_OK) or path.with_name(f"{path.name}-wal").exists():
            raise
        connection = sqlite3.connect(f"{uri}&immutable=1", uri=True)
    except sqlite3.Error:
        connection.close()
        raise
    connection.execute("PRAGMA query_only = 1")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return connection


def _find_events(connection: sqlite3.Connection, path: Path, settings: LogSettings) -> EventTable:
    """Check the table of events against the settings.

    :raises DatabaseError: names the tables or columns found and the key to write.
    """
    found = _columns(connection, settings.table)
    if not found:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        raise DatabaseError(
            f'{path}: no table {settings.table}; found {", ".join(tables) or "none"}; write table = "NAME" under [logs]'
        )
    columns: dict[str, str] = {}
    for ours in COLUMNS:
        theirs = settings.columns.get(ours, ours)
        if theirs in found:
            columns[ours] = quoted(theirs)
        elif ours in NEEDED or ours in settings.columns:
            raise DatabaseError(
                f"{path}: table {settings.table} has no column {theirs} for {ours}; found {', '.join(found)};"
                f' write {ours} = "COLUMN" under [logs.columns]'
            )
    if not settings.columns and {"wall", "shift", "lasted", "more"} <= set(found):
        return _own(connection, quoted(settings.table), columns)
    table = quoted(settings.table)
    raw, shift, stored, shifts = _times(connection, table, columns["time"], f"{path}: the times of {settings.table}")
    cleared = columns.get("cleared")
    lasted = "NULL"
    if cleared:
        seconds = f"({raw.replace(columns['time'], cleared)} - {raw})"
        lasted = f"(CASE WHEN {seconds} >= 0 THEN {seconds} END)"
    more = {name: quoted(name) for name in found if quoted(name) not in columns.values() and name != "id"}
    row = "rowid" if _has_rowid(connection, table) else "NULL"
    indexed = _indexed(connection, settings.table)
    return EventTable(table, columns, row, stored, raw, shift, shifts, more, lasted, indexed=indexed)


def _own(connection: sqlite3.Connection, table: str, columns: Mapping[str, str]) -> EventTable:
    shifts = frozenset(row[0] for row in connection.execute("SELECT shift FROM event_shifts"))
    names = [row[0] for row in connection.execute("SELECT name FROM event_columns ORDER BY rowid")]
    more = {name: f"json_extract(more, {_json_path(name)})" for name in names}
    mark, indexed = read_mark(connection), frozenset(map(quoted, ("time", "tag", "text", "priority", "area")))
    return EventTable(table, columns, "id", "own", "wall", "shift", shifts, more, "lasted", indexed=indexed, mark=mark)


def _json_path(name: str) -> str:
    """A literal path to one key; a heading with a quotation mark cannot be written as one and finds nothing."""
    key = name.replace('"', "").replace("'", "''")
    return f"""'$."{key}"'"""


def _has_rowid(connection: sqlite3.Connection, table: str) -> bool:
    try:
        connection.execute(f"SELECT rowid FROM {table} LIMIT 1")
    except sqlite3.OperationalError:
        return False
    return True


def _times(
    connection: sqlite3.Connection, table: str, name: str, whose: str
) -> tuple[str, str, Stored, frozenset[Shift]]:
    """How the times of a table are stored, by its first one."""
    row = connection.execute(
        f"SELECT {name}, typeof({name}), strftime('%s', {name}) FROM {table} WHERE {name} IS NOT NULL LIMIT 1"
    ).fetchone()
    if row is not None and row[1] in ("integer", "real"):
        unit = next(unit for least, unit in _SCALES if abs(row[0]) >= least)
        return f"({name} / {unit})", "0", "number", frozenset({0})
    if row is not None and row[2] is None:
        raise DatabaseError(
            f"{whose} are not ISO 8601 ({str(row[0])[:40]!r}); export them to CSV and run `watchkeeper logs import`"
        )
    zoned = f"({name} GLOB '*[-+][0-9][0-9]:[0-9][0-9]' OR {name} LIKE '%Z')"
    seconds = f"CAST(strftime('%s', {name}) AS INTEGER)"
    return seconds, f"(CASE WHEN {zoned} THEN 0 END)", "text", frozenset({None, 0})


def _indexed(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    names = [row[1] for row in connection.execute(f"PRAGMA index_list({quoted(table)})")]
    leading = [connection.execute(f"PRAGMA index_info({quoted(name)})").fetchone() for name in names]
    return frozenset(quoted(row[2]) for row in leading if row and row[2])


def _find_series(connection: sqlite3.Connection, path: Path, settings: LogSettings) -> SeriesTable | None:
    found = _columns(connection, settings.series_table)
    if not found:
        return None
    names = {ours: settings.series_columns.get(ours, ours) for ours in ("time", "tag", "value", "unit", "source")}
    table = quoted(settings.series_table)
    wide = "time" in settings.series_columns and not {"tag", "value"} & set(settings.series_columns)
    for ours in ("time",) if wide else ("time", "tag", "value"):
        if names[ours] not in found:
            raise DatabaseError(
                f"{path}: table {settings.series_table} has no column {names[ours]} for {ours}; found"
                f' {", ".join(found)}; write {ours} = "COLUMN" under [logs.series_columns]'
            )
    raw, shift, shifts = "wall", "shift", frozenset[Shift]()
    if not settings.series_columns and {"wall", "shift"} <= set(found):
        shifts = frozenset(row[0] for row in connection.execute("SELECT shift FROM reading_shifts"))
    else:
        whose = f"{path}: the times of {settings.series_table}"
        raw, shift, _, shifts = _times(connection, table, quoted(names["time"]), whose)
    row = "rowid" if _has_rowid(connection, table) else "NULL"
    if wide:
        signals = {name: quoted(name) for name in found if name != names["time"] and _is_number(found[name])}
        return SeriesTable(table, row, raw, shift, shifts, wide=signals)
    unit, source = (quoted(names[o]) if names[o] in found else "''" for o in ("unit", "source"))
    mark = read_mark(connection, "counted") if raw == "wall" else None
    time, tag, value = (quoted(names[ours]) for ours in ("time", "tag", "value"))
    return SeriesTable(table, row, raw, shift, shifts, time, tag, value, unit, source, mark=mark)


def _columns(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """Name → declared type."""
    return {row[1]: str(row[2]) for row in connection.execute(f"PRAGMA table_info({quoted(table)})")}


def _is_number(declared: str) -> bool:
    kinds: Sequence[str] = ("INT", "REAL", "FLOA", "DOUB", "NUM", "DEC")
    return any(kind in declared.upper() for kind in kinds) or not declared
