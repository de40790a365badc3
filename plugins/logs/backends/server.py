"""A log on a PostgreSQL server (or TimescaleDB, which speaks the same), through SQLAlchemy and psycopg.

Every session is read only by `default_transaction_read_only`, every transaction is begun READ ONLY, and the
server stops a statement after `[logs] max_seconds`. A role that could write all the same is named by `watchkeeper
doctor`. The packages come with `pip install 'watchkeeper[postgres]'` and are loaded when a server is first asked.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.api import DatabaseError, ToolFailed
from agent.settings import LogSettings
from plugins.logs.backends.layout import EventTable, SeriesTable, Shift, Stored, quoted
from plugins.logs.interface import COLUMNS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["ServerBackend", "ServerReader", "password_of"]

NEEDED = ("time", "tag", "text")
_INTEGERS = ("smallint", "integer", "bigint")
_NUMBERS = (*_INTEGERS, "real", "double precision", "numeric")
_TEXTS = ("text", "character varying", "character", "name")
_STATEMENT_ERRORS = frozenset(
    (
        *("UndefinedFunction", "UndefinedColumn", "GroupingError", "DatatypeMismatch", "InvalidTextRepresentation"),
        *("SyntaxError", "AmbiguousColumn", "DivisionByZero", "InvalidDatetimeFormat", "DatetimeFieldOverflow"),
        *("NumericValueOutOfRange", "WindowingError", "AmbiguousFunction", "InvalidParameterValue"),
    )
)
_WHOLE = "CAST(floor({}) AS bigint)"
_COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, NULL),
           EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum),
           EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary
                   AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)
    FROM pg_attribute a WHERE a.attrelid = to_regclass(:name) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""
_TABLES = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1 LIMIT 30
"""
_EVERY_COLUMN = """
    SELECT table_schema, table_name, column_name, data_type, table_schema = ANY (current_schemas(false))
    FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
    ORDER BY table_schema, table_name, ordinal_position LIMIT 5000
"""
_RIGHTS = """
    SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
           has_table_privilege(to_regclass(:name), 'INSERT, UPDATE, DELETE, TRUNCATE'),
           current_setting('transaction_read_only'), current_user
"""


class ServerReader:
    """One open transaction, read only."""

    dialect = "postgres"

    def __init__(self, connection: Connection, name: str, settings: LogSettings) -> None:
        self.connection = connection
        self._name = name
        self._settings = settings

    def rows(self, sql: str, values: Mapping[str, object]) -> list[tuple[object, ...]]:
        """Run one SELECT; its values always go apart from it, so the server takes one statement and no more."""
        from sqlalchemy import text

        return [tuple(row) for row in self.connection.execute(text(sql), dict(values))]

    def answer(self, before: str, checked: str, after: str) -> tuple[list[str], list[tuple[object, ...]]]:
        """Run a checked statement; a colon in it is no parameter."""
        from sqlalchemy import text
        from sqlalchemy.exc import DBAPIError

        statement = text(f"{before}{checked.replace(':', chr(92) + ':')}{after} OFFSET :none")
        try:
            result = self.connection.execute(statement, {"none": 0})
            return list(result.keys()), [tuple(row) for row in result]
        except DBAPIError as error:
            if type(error.orig).__name__ not in _STATEMENT_ERRORS:
                raise
            said = " ".join(str(error.orig).split())
            raise ToolFailed(f"sql: {said[:200]}") from None

    def tables(self) -> dict[str, dict[str, str]]:
        """Table or view → column → its type; those of the search path by their name alone."""
        found: dict[str, dict[str, str]] = {}
        for schema, table, column, kind, near in self.rows(_EVERY_COLUMN, {}):
            found.setdefault(str(table) if near else f"{schema}.{table}", {})[str(column)] = str(kind)
        return found

    def series(self) -> SeriesTable | None:
        """The table of series; None where there is none."""
        settings = self._settings
        found = _columns(self, settings.series_table)
        if not found:
            return None
        names = {ours: settings.series_columns.get(ours, ours) for ours in ("time", "tag", "value", "unit", "source")}
        wide = "time" in settings.series_columns and not {"tag", "value"} & set(settings.series_columns)
        for ours in ("time",) if wide else ("time", "tag", "value"):
            if names[ours] not in found:
                raise DatabaseError(self._no_column(settings.series_table, names[ours], ours, found, "series_columns"))
        raw, shift, _, shifts, stamped = self._times(settings.series_table, names["time"], found[names["time"]].kind)
        number = "NULLIF(CAST({0} AS double precision), 'NaN')"
        row = _key_of(found)
        table = _qualified(settings.series_table)
        if wide:
            signals = {
                n: quoted(n) for n, c in found.items() if n != names["time"] and c.kind in _NUMBERS and not c.key
            }
            return SeriesTable(table, row, raw, shift, shifts, wide=signals, number=number, stamped=stamped)
        unit, source = (quoted(names[o]) if names[o] in found else "''" for o in ("unit", "source"))
        time, tag, value = (quoted(names[ours]) for ours in ("time", "tag", "value"))
        return SeriesTable(
            table, row, raw, shift, shifts, time, tag, value, unit, source, number=number, stamped=stamped
        )

    def events(self) -> EventTable:
        """The table of events, checked against the settings."""
        settings = self._settings
        found = _columns(self, settings.table)
        if not found:
            tables = ", ".join(str(row[0]) for row in self.rows(_TABLES, {}))
            raise DatabaseError(
                f"{self._name}: no table {settings.table} that this role may see; found {tables or 'none'};"
                ' write table = "NAME" under [logs]'
            )
        columns: dict[str, str] = {}
        for ours in COLUMNS:
            theirs = settings.columns.get(ours, ours)
            if theirs in found:
                timed = ours in ("time", "cleared")
                columns[ours] = quoted(theirs) if timed else _as_text(theirs, found[theirs].kind)
            elif ours in NEEDED or ours in settings.columns:
                raise DatabaseError(self._no_column(settings.table, theirs, ours, found, "columns"))
        time = settings.columns.get("time", "time")
        raw, shift, stored, shifts, stamped = self._times(settings.table, time, found[time].kind)
        used = {settings.columns.get(ours, ours) for ours in columns}
        more = {n: _as_text(n, c.kind) for n, c in found.items() if n not in used and not c.key}
        lasted = "NULL"
        if "cleared" in columns:
            seconds = f"({raw.replace(columns['time'], columns['cleared'])} - {raw})"
            lasted = f"(CASE WHEN {seconds} >= 0 THEN {seconds} END)"
        row = _key_of(found)
        indexed = frozenset(quoted(name) for name, column in found.items() if column.indexed)
        table = _qualified(settings.table)
        return EventTable(table, columns, row, stored, raw, shift, shifts, more, lasted, stamped, indexed, whole=_WHOLE)

    def _times(self, table: str, name: str, kind: str) -> tuple[str, str, Stored, frozenset[Shift], str]:
        column = quoted(name)
        seconds = f"CAST(EXTRACT(EPOCH FROM {column}) AS double precision)"
        if kind == "timestamp with time zone":
            return seconds, "0", "stamp", frozenset({0}), column
        if kind == "timestamp without time zone":
            return seconds, "CAST(NULL AS integer)", "stamp", frozenset({None}), column
        if kind in _NUMBERS:
            unit = f"(CASE WHEN {column} > 100000000000 THEN 1000.0 ELSE 1.0 END)"
            return f"CAST({column} / {unit} AS double precision)", "0", "number", frozenset({0}), ""
        raise DatabaseError(
            f"{self._name}: column {name} of {table} is {kind}; a time must be a timestamp or seconds since 1970:"
            " make a view that says so"
        )

    def _no_column(self, table: str, theirs: str, ours: str, found: Mapping[str, _Column], section: str) -> str:
        return (
            f"{self._name}: table {table} has no column {theirs} for {ours}; found {', '.join(found)};"
            f' write {ours} = "COLUMN" under [logs.{section}]'
        )


class ServerBackend:
    """One server. Making one connects to nobody."""

    def __init__(self, settings: LogSettings) -> None:
        self.settings = settings

    @cached_property
    def name(self) -> str:
        """The address without password.

        :raises DatabaseError: it is none.
        """
        return str(self._url().render_as_string(hide_password=True))

    def state(self) -> object:
        """A server does not tell."""
        return None

    def guarded(self) -> tuple[bool, str]:
        """Whether nothing can be written, and how that is made sure."""
        held = "PostgreSQL, read only by default_transaction_read_only and READ ONLY transactions"
        with self._transaction() as connection:
            rows = ServerReader(connection, self.name, self.settings).rows(
                _RIGHTS, {"name": _regclass(self.settings.table)}
            )
        superuser, writes, read_only, role = rows[0]
        if read_only != "on":
            return False, f"{self.name}: the server does not keep the session read only; use a server that does"
        if superuser or writes:
            what = "is a superuser" if superuser else f"may write to {self.settings.table}"
            return False, f"{held}; but the role {role} {what}: give the agent a role with SELECT alone"
        return True, f"{held}; the role {role} has no right to write"

    @contextmanager
    def reading(self) -> Iterator[ServerReader]:
        """Begin a transaction.

        :raises DatabaseError: the server is not reached or lost, refuses, or is too slow.
        """
        with self._transaction() as connection:
            yield ServerReader(connection, self.name, self.settings)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise DatabaseError(self._told(error)) from None

    @cached_property
    def _engine(self) -> Engine:
        from sqlalchemy import create_engine

        settings = self.settings
        milliseconds = max(1, round(settings.max_seconds * 1000))
        options = (
            f"-c default_transaction_read_only=on -c statement_timeout={milliseconds} -c timezone=UTC"
            f" -c lock_timeout={max(1, round(settings.busy_seconds * 1000))}"
            f" -c idle_in_transaction_session_timeout={2 * milliseconds}"
        )
        arguments: dict[str, Any] = {
            "options": options,
            "connect_timeout": max(2, round(settings.connect_seconds)),
            "tcp_user_timeout": 2 * milliseconds,
            "application_name": "watchkeeper",
        }
        try:
            made = create_engine(self._url(), connect_args=arguments, pool_size=1, max_overflow=1, pool_pre_ping=True)
        except ImportError:
            raise DatabaseError(_NOT_INSTALLED) from None
        weakref.finalize(self, made.dispose)
        return made.execution_options(postgresql_readonly=True)

    def _url(self) -> Any:
        try:
            from sqlalchemy.engine import make_url
            from sqlalchemy.exc import ArgumentError
        except ImportError:
            raise DatabaseError(_NOT_INSTALLED) from None
        try:
            url = make_url(self.settings.url)
        except (ArgumentError, ValueError):
            raise DatabaseError("[logs] url is no address; write postgresql://ROLE@HOST/DATABASE") from None
        if url.get_backend_name() != "postgresql":
            raise DatabaseError(
                f"[logs] url: {url.get_backend_name()} is not read here; a SQLite file or a PostgreSQL server is,"
                " and a CSV export of anything with `watchkeeper logs import`"
            )
        secret = password_of(self.settings)
        return (url.set(password=secret) if secret else url).set(drivername="postgresql+psycopg")

    def _told(self, error: Exception) -> str:
        said = " ".join(str(getattr(error, "orig", None) or error).split())
        kind = type(getattr(error, "orig", error)).__name__
        if kind == "QueryCanceled":
            return f"{self.name}: no answer within {self.settings.max_seconds:g} s; ask for a shorter span of time"
        if kind == "LockNotAvailable":
            return f"{self.name}: locked by another program for {self.settings.busy_seconds:g} s; try again"
        if "password" in said and ("failed" in said or "no password" in said):
            return f"{self.name}: refused; set WATCHKEEPER_LOGS__PASSWORD, or [logs] password_file"
        if kind == "InsufficientPrivilege":
            return f"{self.name}: the role may not read it: {said[:200]}; grant it SELECT"
        if getattr(error, "connection_invalidated", False) or "closed" in said or "terminat" in said:
            return f"{self.name}: the connection was lost; ask again when the server is back"
        if "connection" in said or kind == "ConnectionTimeout":
            return f"{self.name}: the server is not reached: {said[:200]}; check [logs] url and the network"
        return f"{self.name}: cannot be read: {said[:300]}"


_NOT_INSTALLED = "[logs] url: a database server needs further packages: pip install 'watchkeeper[postgres]'"


class _Column:
    def __init__(self, kind: str, indexed: bool, key: bool) -> None:
        self.kind, self.indexed, self.key = kind, indexed, key


def password_of(settings: LogSettings) -> str:
    """The password for the server; empty where there is none.

    :raises DatabaseError: the file that should hold it cannot be read.
    """
    if settings.password or settings.password_file is None:
        return settings.password
    path = Path(settings.password_file).expanduser()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatabaseError(f"{path}: [logs] password_file cannot be read: {error}") from None
    return lines[0].strip() if lines else ""


def _columns(reader: ServerReader, table: str) -> dict[str, _Column]:
    rows = reader.rows(_COLUMNS, {"name": _regclass(table)})
    return {str(name): _Column(str(kind), bool(indexed), bool(key)) for name, kind, indexed, key in rows}


def _key_of(columns: Mapping[str, _Column]) -> str:
    return next((quoted(name) for name, c in columns.items() if c.key and c.kind in _INTEGERS), "NULL")


def _regclass(table: str) -> str:
    return ".".join(quoted(part) for part in table.split("."))


def _qualified(table: str) -> str:
    return _regclass(table).replace(":", "\\:")


def _as_text(name: str, kind: str) -> str:
    column = quoted(name).replace(":", "\\:")
    return column if kind in _TEXTS else f"CAST({column} AS text)"
