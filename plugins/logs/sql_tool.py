"""The `sql` tool, for what the typed ones don't cover: one SELECT over `events` and `readings`, and what it gives.

Both are views of the log in our own columns, whatever the plant's are called. A statement that stands in the question
itself is offered to every rung, and then alone. With `[logs] sql` the model may write one too: then the tool stands
in the prompt, with the columns, and without a cue that would prefer it to any other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from agent.api import Binds, DatabaseError, Env, Record, Term, Tool, ToolResult, say, tool
from plugins.logs.backends.layout import EventTable, Reader, SeriesTable
from plugins.logs.database import COLUMNS, LogDatabase
from plugins.logs.sql_check import check_sql

__all__ = ["SqlTool", "find_sql", "run_sql"]

_STATEMENT = re.compile(r"\b(?:SELECT\b|WITH\s+\w+\s+AS\s*\().*", re.IGNORECASE | re.DOTALL)
_FROM = re.compile(r"\bFROM\s+\(?\s*(?:events|readings)\b", re.IGNORECASE)
_READINGS = ("time", "tag", "value", "unit")
_MAX_MORE = 12
_MAX_CHARS = 420
"""Of the columns as the model is told them; with the rest of the description some 150 tokens."""
_NAME = re.compile(r"[^\W\d]\w*")


class SqlTool:
    """The tool over one plant's log."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._log = LogDatabase(env.log_path, env.settings.logs)

    def tools(self) -> list[Tool]:
        """One tool: for the person's own statement, or for the model's."""
        if not self._env.settings.logs.sql:
            return [tool(risk="read", name="sql", asked=_holds_sql)(self.sql)]
        made = tool(risk="read", name="sql")(self.written_sql)
        try:
            told = describe(self._log)
        except DatabaseError:
            return []
        return [_described(made, f"{made.description} {told}")]

    def sql(self, query: Annotated[str, Binds("sql")]) -> ToolResult:
        """Run the SELECT that stands in the question on the alarm log."""
        return run_sql(self._log, query)

    def written_sql(self, query: str) -> ToolResult:
        """Ask the log with one SQL SELECT; only where no other tool can answer."""
        return run_sql(self._log, query)


def find_sql(question: str) -> list[Term]:
    """The SELECT that stands in a question."""
    match = _STATEMENT.search(question)
    if match is None or not _FROM.search(match.group()):
        return []
    return [Term("sql", match.group().strip().strip("`").rstrip("?？。"), "question", match.start())]


def run_sql(log: LogDatabase, query: str) -> ToolResult:
    """Check a statement, run it, and give its rows.

    :raises ToolFailed: it is refused, or the database cannot run it; says why.
    :raises DatabaseError: the log cannot be read.
    """
    settings = log.settings
    with log.backend.reading() as reader:
        views = _views(reader)
        tables = {name: list(columns) for name, (columns, _) in views.items()}
        checked = check_sql(query, dialect=reader.dialect, tables=tables, max_chars=settings.max_sql_chars)
        used = ", ".join(f"{name} AS ({_view(*view)})" for name, view in views.items())
        names, rows = reader.answer(
            f"WITH {used} SELECT * FROM (", checked, f") AS answer LIMIT {settings.max_sql_rows + 1}"
        )
    shown = rows[: settings.max_sql_rows]
    records = tuple(_record(number, names, row, settings.max_text_chars) for number, row in enumerate(shown, 1))
    more = len(rows) > len(shown)
    notes = [say(f"查询:{checked},{len(shown)} 行", f"query: {checked}; {len(shown)} rows")]
    if more:
        notes.append(say(f"只列出前 {len(shown)} 行", f"only the first {len(shown)} rows are listed"))
    return ToolResult(records, notes=tuple(notes), truncated=more)


def describe(log: LogDatabase) -> str:
    """The tables and columns as the model is told them.

    :raises DatabaseError: the log cannot be read.
    """
    with log.backend.reading() as reader:
        views, dialect = _views(reader), reader.dialect
    told = "; ".join(
        f"{name}({', '.join(_alias(column) for column in columns)})" for name, (columns, _) in views.items()
    )
    name = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[dialect]
    return f"{name}: {told[:_MAX_CHARS]}; time and cleared are local ISO 8601, seconds is how long an event stood."


def _views(reader: Reader) -> dict[str, tuple[dict[str, str], str]]:
    """Name → (column → SQL, table) of what can be asked."""
    views: dict[str, tuple[dict[str, str], str]] = {}
    events = _or_none(reader)
    if events is not None:
        columns = {name: events.columns.get(name, "NULL") for name in COLUMNS} | {"seconds": events.lasted}
        free = [name for name in events.more if name.lower() not in columns][:_MAX_MORE]
        views["events"] = ({**columns, **{name: events.more[name] for name in free}}, _from(events, reader))
    series = reader.series()
    if series is not None and not series.wide:
        value = series.number.format(series.value)
        sql = dict(zip(_READINGS, (series.time, series.tag, value, series.unit), strict=True))
        views["readings"] = (sql, _from(series, reader))
    return views


def _view(columns: Mapping[str, str], source: str) -> str:
    return f"SELECT {', '.join(f'{sql} AS {_alias(column)}' for column, sql in columns.items())} FROM {source}"


def _or_none(reader: Reader) -> EventTable | None:
    """A log may hold series alone."""
    try:
        return reader.events()
    except DatabaseError:
        if reader.series() is None:
            raise
        return None


def _from(table: EventTable | SeriesTable, reader: Reader) -> str:
    return f"main.{table.name}" if reader.dialect == "sqlite" else table.name


def _alias(column: str) -> str:
    plain = column.replace('"', "'").replace(":", " ")
    return plain if _NAME.fullmatch(plain) and plain.isascii() and plain.islower() else f'"{plain}"'


def _described(made: Tool, description: str) -> Tool:
    return replace(made, description=description)


def _holds_sql(part: str) -> bool:
    return bool(find_sql(part))


def _record(number: int, names: Sequence[str], row: Sequence[object], most: int) -> Record:
    cells: Mapping[str, str | int | float | None] = {
        name: value if isinstance(value, int | float) or value is None else " ".join(str(value).split())[:most]
        for name, value in zip(names, row, strict=True)
    }
    line = ", ".join(f"{name} = {'–' if value is None else value}" for name, value in cells.items())
    return Record(f"Q{number}", "row", say(line, line), dict(cells))
