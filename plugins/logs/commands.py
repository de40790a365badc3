"""`watchkeeper logs`: look at the alarm log, ask it, fill it from a CSV export."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta
from pathlib import Path

import typer

from agent.api import Env, InputError, Period, emit, resolve_period
from agent.console import JSON_OPTION
from plugins.logs.connecting import Guess, guess_mapping, keep_mapping
from plugins.logs.database import Event, Filter, LogDatabase
from plugins.logs.importing import ImportReport, import_csv
from plugins.logs.matching import meant_by
from plugins.logs.progress import choose_progress
from plugins.logs.sql_tool import run_sql
from plugins.logs.tools import event_record

__all__ = ["add_commands"]

_SHORT = re.compile(r"(\d{1,5})\s*([mhdw])")
_SHORT_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LATEST = 20
_OLDEST_YEAR = 1900
FILE = typer.Argument(help="A CSV export, separated by commas, semicolons or tabs.")
SINCE = typer.Option(None, "--since", help="3d, 12h, 2w, 最近三天, last week, or a date such as 2024-12-01.")


def add_commands(cli: typer.Typer) -> None:
    """Add `logs` to the root application."""
    logs = typer.Typer()
    logs.callback(invoke_without_command=True)(show_latest)
    logs.command("recent")(show_recent)
    logs.command("similar")(show_similar)
    logs.command("count")(show_count)
    logs.command("import")(import_file)
    logs.command("connect")(connect)
    logs.command("sql")(ask_sql)
    cli.add_typer(logs, name="logs")


def show_latest(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
    """Show the alarm log: without a command the latest 20 events.

    Example: watchkeeper logs similar 循环变频故障 --since 3d
    """
    if context.invoked_subcommand is None:
        _show(context.obj, Filter(), as_json=as_json, limit=_LATEST)


def show_recent(
    context: typer.Context,
    since: str | None = SINCE,
    area: str | None = typer.Option(None, help="Only this area, as the log writes it."),
    tag: str | None = typer.Option(None, help="Only this tag, as the log writes it."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Show the events of a span of time, newest first.

    Example: watchkeeper logs recent --since 最近三天 --area 循环泵间
    """
    env: Env = context.obj
    which = Filter(area=area, tag=tag, period=parse_since(since, env.now()))
    _show(env, which, as_json=as_json, limit=env.settings.logs.max_rows)


def show_similar(
    context: typer.Context,
    text: str = typer.Argument(help="An alarm text or a tag."),
    since: str | None = SINCE,
    as_json: bool = JSON_OPTION,
) -> None:
    """Show the events with the same tag, text or symptom.

    Example: watchkeeper logs similar 循环变频故障 --since 3d
    """
    env: Env = context.obj
    which = _alike(env, text, since)
    if which is None:
        _none_alike(text, as_json=as_json)
    else:
        _show(env, which, as_json=as_json, limit=env.settings.logs.max_rows)


def show_count(
    context: typer.Context,
    text: str = typer.Argument(help="An alarm text or a tag."),
    since: str | None = SINCE,
    as_json: bool = JSON_OPTION,
) -> None:
    """Count the events with the same tag, text or symptom.

    Example: watchkeeper logs count VFD-P1 --since 2w
    """
    env: Env = context.obj
    which = _alike(env, text, since)
    if which is None:
        _none_alike(text, as_json=as_json)
        return
    total = _log(env).count(which, now=env.now())
    value = {
        "like": text,
        "texts": list(which.texts),
        "tags": list(which.tags),
        **_window(which.period),
        "total": total,
    }
    emit(value, as_json=as_json, human=lambda: f"{text}{_said(which.period)}: {total}")


def import_file(
    context: typer.Context,
    file: Path = FILE,
    tz: str | None = typer.Option(None, "--tz", help="Zone of times without offset, such as Asia/Shanghai."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Add the rows of a CSV export to the log; rows that are there already are not doubled.

    Example: watchkeeper logs import alarms.csv --tz Asia/Shanghai
    """
    env: Env = context.obj
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    with choose_progress(file) as told:
        report = import_csv(file, env.log_path, env.settings.logs, zone=tz, told=told)
    emit(report.to_json(), as_json=as_json, human=lambda: _import_text(report))


def connect(
    context: typer.Context,
    where: str = typer.Argument(metavar="URL|FILE", help="postgresql://ROLE@HOST/DATABASE, or a SQLite file."),
    table: str | None = typer.Option(None, help="The table of events, where the guess is wrong."),
    yes: bool = typer.Option(False, "--yes", help="Write the mapping into the settings file."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Find the plant's own log in a database: shows which columns it takes for what, and keeps that with --yes.

    Example: watchkeeper logs connect postgresql://reader@historian/plant --yes
    """
    env: Env = context.obj
    config = Path(os.environ.get("WATCHKEEPER_CONFIG") or env.home.config)
    guess = guess_mapping(where, env.settings.logs, table=table)
    if yes:
        keep_mapping(guess, config)
    value = {"database": guess.name, **guess.settings, "events": guess.events, "values": guess.values, "kept": yes}
    emit(value, as_json=as_json, human=lambda: _guess_text(guess, config if yes else None))


def ask_sql(
    context: typer.Context,
    query: str = typer.Argument(help="One SELECT over events and readings."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Ask the log with one SELECT; nothing is ever written.

    Example: watchkeeper logs sql "SELECT tag, count(*) AS n FROM events GROUP BY tag ORDER BY n DESC"
    """
    result = run_sql(_log(context.obj), query)
    value = {"rows": [dict(record.fields) for record in result.records], "more": result.truncated}
    lines = [record.line["en"] for record in result.records] + [note["en"] for note in result.notes]
    emit(value, as_json=as_json, human="\n".join(lines))


def parse_since(since: str | None, now: datetime) -> Period | None:
    """The span that `--since` means, up to now; None where it was not given.

    :raises InputError: it is no span of time.
    """
    if since is None:
        return None
    short = _SHORT.fullmatch(since.strip())
    if short:
        return Period(since, now - timedelta(**{_SHORT_UNITS[short[2]]: int(short[1])}), now)
    try:
        start = datetime.fromisoformat(since.strip())
    except ValueError:
        period = resolve_period(since.strip(), now)
        if period is not None:
            return period
        raise InputError(
            f"--since {since}: write 3d, 12h, 2w, 最近三天, last week, or a date such as 2024-12-01"
        ) from None
    if (start.tzinfo is None) != (now.tzinfo is None):
        start = start.replace(tzinfo=now.tzinfo)
    if start.year < _OLDEST_YEAR or start > now:
        raise InputError(f"--since {since}: write a date from {_OLDEST_YEAR} up to now ({now:%Y-%m-%d %H:%M})")
    return Period(since, start, now)


def _log(env: Env) -> LogDatabase:
    return LogDatabase(env.log_path, env.settings.logs)


def _none_alike(text: str, *, as_json: bool) -> None:
    value = {"like": text, "texts": [], "tags": [], "total": 0, "events": []}
    emit(value, as_json=as_json, human=lambda: f"0 events: no alarm text or tag of the log is like {text}")


def _alike(env: Env, text: str, since: str | None) -> Filter | None:
    """The events like a name; None where the log has nothing like it."""
    if not text.strip():
        raise InputError("the name is empty; write an alarm text or a tag of the log")
    meant = meant_by(text, _log(env))
    if not (meant.texts or meant.tags):
        return None
    return Filter(texts=meant.texts, tags=meant.tags, period=parse_since(since, env.now()))


def _show(env: Env, which: Filter, *, as_json: bool, limit: int) -> None:
    events, total = _log(env).events(which, now=env.now(), limit=limit)
    records = [event_record(event, env.now()) for event in events]
    value = {**_window(which.period), "total": total, "events": [{"id": r.id, **r.fields} for r in records]}

    def human() -> str:
        lines = [f"{record.id:>6}  {record.line['zh' if _speaks_chinese(events) else 'en']}" for record in records]
        shown = f", {len(events)} shown" if total > len(events) else ""
        word = "event" if total == 1 else "events"
        return "\n".join([*lines, f"{total} {word}{_said(which.period)}{shown}"])

    emit(value, as_json=as_json, human=human)


def _speaks_chinese(events: list[Event]) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for event in events for c in event.text)


def _window(period: Period | None) -> dict[str, str]:
    return {"start": period.start.isoformat(), "end": period.end.isoformat()} if period else {}


def _said(period: Period | None) -> str:
    return f" ({period.stated()})" if period else ""


def _guess_text(guess: Guess, kept: Path | None) -> str:
    lines = [guess.name]
    for title, table, columns, rows in (
        ("events", "table", "columns", guess.events),
        ("series", "series_table", "series_columns", guess.values),
    ):
        if table in guess.settings:
            mapping = ", ".join(f"{ours} = {theirs}" for ours, theirs in guess.settings[columns].items())
            lines.append(f"{title}: table {guess.settings[table]}: {mapping or 'no column is known'}")
            lines += [f"    {' | '.join(row.values())}" for row in rows]
    if guess.others:
        lines.append(f"not used: {', '.join(guess.others)[:300]}")
    if guess.note:
        lines.append(guess.note)
    where = (
        f"written to {kept}"
        if kept
        else "if this is right, run the same with --yes; if not, add --table, or edit [logs]"
    )
    return "\n".join([*lines, where])


def _import_text(report: ImportReport) -> str:
    lines = [f"{report.file}: {report.added} added, {report.updated} brought up to date, {report.known} known already"]
    if report.signals:
        lines.append(f"series: {', '.join(report.signals)[:300]}")
    lines.append("columns: " + ", ".join(f"{ours} = {theirs}" for ours, theirs in report.columns.items()))
    for reason, count in report.odd.most_common():
        lines.append(f"odd: {count} × {reason} (line {', '.join(map(str, report.examples[reason]))})")
    return "\n".join([*lines, *report.notes])
