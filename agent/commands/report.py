"""`watchkeeper report`: a maintenance report of one machine, now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from agent.audit import Trail
from agent.console import JSON_OPTION, emit
from agent.env import Env
from agent.errors import InputError
from agent.model.box_ladder import build_ladder
from agent.model.ladder import Ladder
from agent.plugin_host import PluginHost
from agent.reports.compose import ReportWriter
from agent.reports.files import FORMATS, reports_folder, write_files
from agent.reports.report import Report
from agent.reports.schedules import parse_span
from agent.times import Period
from agent.values import Language

__all__ = ["add_to", "formats_of", "languages_of", "opened_ladder"]

_LANGUAGES: dict[str, tuple[Language, ...]] = {"zh": ("zh",), "en": ("en",), "both": ("zh", "en")}


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def report(
        context: typer.Context,
        machine: Annotated[str, typer.Argument(help="A machine, or a tag of the log.")],
        since: Annotated[str, typer.Option(help="How far back: 24h, 7d, 2w.")] = "7d",
        lang: Annotated[str, typer.Option(help="zh, en or both.")] = "zh",
        kind: Annotated[str, typer.Option("--format", help="html, pdf or both.")] = "html",
        out: Annotated[Path | None, typer.Option(help="Folder; by default the reports folder.")] = None,
        rules: Annotated[bool, typer.Option("--rules", help="Without a language model.")] = False,
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Write what was seen of a machine, why, how bad it is and what the manuals say to do.

        Example: watchkeeper report VFD-P1 --since 7d --lang both --format pdf
        """
        env: Env = context.obj
        now = env.now()
        period = Period(since, now - timedelta(hours=parse_span(since)), now)
        languages, formats = languages_of(lang), formats_of(kind)
        plugins: PluginHost = context.meta["plugins"]
        with closing(Trail(env.home.watch_db, busy_seconds=env.settings.watch.busy_seconds)) as trail:
            with opened_ladder(env, rules=rules) as ladder:
                writer = ReportWriter(env, plugins, ladder, note=lambda kind, said: _note(trail, kind, said))
                made = writer.write(machine, period, languages)
            files = write_files(made, out or reports_folder(env), formats, env.settings.reports)
            told = {"machine": made.machine.name, "files": [str(file) for file in files], "risk": made.risk.level}
            trail.add("", "report_written", told)
        emit(_told(made, files), as_json=as_json, human=lambda: _human(made, files))


@contextmanager
def opened_ladder(env: Env, *, rules: bool = False) -> Iterator[Ladder | None]:
    """The ladder of this box while reports are written; None where rules are enough."""
    if rules:
        yield None
        return
    ladder = build_ladder(env)
    try:
        ladder.begin_turn()
        yield ladder
        ladder.settle()
    finally:
        ladder.close()


def languages_of(said: str) -> tuple[Language, ...]:
    """The languages of an option.

    :raises InputError: it is none of them.
    """
    if said not in _LANGUAGES:
        raise InputError(f"--lang {said[:40]}: no such language; write zh, en or both")
    return _LANGUAGES[said]


def formats_of(said: str) -> tuple[str, ...]:
    """The formats of an option.

    :raises InputError: it is none of them.
    """
    if said == "both":
        return FORMATS
    if said not in FORMATS:
        raise InputError(f"--format {said[:40]}: no such format; write html, pdf or both")
    return (said,)


def _note(trail: Trail, kind: str, said: dict[str, object]) -> None:
    trail.add("", kind, said)


def _told(report: Report, files: tuple[Path, ...]) -> dict[str, object]:
    return {
        "machine": report.machine.name,
        "start": report.start,
        "end": report.end,
        "risk": report.risk.level if report.risk.known else None,
        "alarms": report.alarms.count if report.has_log else None,
        "causes": [{"id": cause.id, "probability": round(cause.probability, 3)} for cause in report.causes],
        "summary": {language: report.summary[language] for language in report.languages},
        "worded_by": report.worded_by,
        "missing": [dict(line) for line in report.missing],
        "files": [str(file) for file in files],
    }


def _human(report: Report, files: tuple[Path, ...]) -> str:
    language = report.languages[0]
    risk = report.risk.word[language]
    return "\n".join([f"[{risk}] {report.summary[language]}", *(str(file) for file in files)])
