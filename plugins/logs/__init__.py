"""The plant's alarm and event history: what happened, whether it happened before, how often.

Strictly read-only for questions; only `watchkeeper logs import` and `watchkeeper watch` write, into the box's own
`log.db`. Start at `tools`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import typer

from agent.api import (
    DatabaseError,
    Env,
    Evidence,
    Finding,
    Machine,
    Observation,
    Period,
    Record,
    Series,
    Term,
    Tool,
    hookimpl,
)
from plugins.logs.commands import add_commands
from plugins.logs.database import LogDatabase
from plugins.logs.looking import latest_events, neighbours, readings_of
from plugins.logs.recording import record_observation
from plugins.logs.remembered import RememberedNames
from plugins.logs.report import evidence_of
from plugins.logs.series.reader import series_of
from plugins.logs.sql_tool import SqlTool, find_sql
from plugins.logs.tools import LogTools

__all__ = [
    "check_health",
    "find_terms",
    "latest_readings",
    "list_events",
    "observed",
    "read_series",
    "register_commands",
    "register_tools",
    "report_evidence",
]

_names = RememberedNames()


@hookimpl
def register_tools(env: Env) -> Iterable[Tool]:
    """What happened, whether it happened before, how often; and `sql` for a SELECT."""
    return [*LogTools(env).tools(), *SqlTool(env).tools()]


@hookimpl
def register_commands(cli: typer.Typer) -> None:
    """`watchkeeper logs`."""
    add_commands(cli)


@hookimpl
def find_terms(question: str, env: Env) -> Iterable[Term]:
    """Alarm texts, tags and areas of the log that stand in a question, and a SELECT; no names where there is no log.
    Where it cannot be read now, the tool that is called next says what is wrong with it.
    """
    settings = env.settings.logs
    named = _names.find_terms(question, LogDatabase(env.log_path, settings), on_server=bool(settings.url))
    return [*named, *find_sql(question)]


@hookimpl
def observed(observation: Observation, env: Env) -> None:
    """Keep what a watch saw."""
    record_observation(observation, env.home.log_db, env.settings.logs)


@hookimpl
def read_series(tags: Sequence[str], start: datetime, end: datetime, env: Env) -> Iterable[Series]:
    """Series of the log, on the box or on a server."""
    return series_of(LogDatabase(env.log_path, env.settings.logs), tags, start, end, now=env.now())


@hookimpl
def list_events(around: str, tag: str, since: datetime | None, limit: int, env: Env) -> Iterable[Record]:
    """Events of the log, the latest or those around one."""
    log, now = LogDatabase(env.log_path, env.settings.logs), env.now()
    return neighbours(log, around, limit, now=now) if around else latest_events(log, tag, since, limit, now=now)


@hookimpl
def latest_readings(limit: int, env: Env) -> Iterable[Record]:
    """What each series of the log says now."""
    return readings_of(LogDatabase(env.log_path, env.settings.logs), limit, now=env.now())


@hookimpl
def report_evidence(machine: Machine, period: Period, env: Env) -> Evidence:
    """Events and series of a machine's tags."""
    return evidence_of(machine, period, env)


@hookimpl
def check_health(env: Env) -> Iterable[Finding]:
    """Whether the log can be read, what is in it, and that nothing can be written to it."""
    try:
        log = LogDatabase(env.log_path, env.settings.logs)
        first, last, count = log.span()
        held, how = log.backend.guarded()
    except DatabaseError as error:
        return [Finding("alarm log", False, str(error))]
    guard = Finding("alarm log, read only", held, how)
    if not count:
        return [Finding("alarm log", False, f"{log.name}: no events; run `watchkeeper logs import FILE.csv`"), guard]
    return [Finding("alarm log", True, f"{count} events, {first[:16]} – {last[:16]}, {log.name}"), guard]
