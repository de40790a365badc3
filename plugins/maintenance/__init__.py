"""Machines and their signals: can they be trusted, what do they measure, when did they stand out, what speaks for what.

Machines come from `machines.toml`; what was found of one of them goes into its maintenance report. Start at `analysis`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import typer

from agent.api import (
    Env,
    Evidence,
    Finding,
    InputError,
    Machine,
    Period,
    Series,
    SeriesReader,
    Sign,
    Term,
    Tool,
    hookimpl,
)
from plugins.maintenance.analysis import wall_seconds
from plugins.maintenance.commands import add_commands
from plugins.maintenance.sources import series_in_files
from plugins.maintenance.tools import MachineTools, analysis_of, machines_in, sheets_of
from plugins.maintenance.zones import load_zones

__all__ = [
    "check_health",
    "find_terms",
    "read_series",
    "register_commands",
    "register_tools",
    "report_evidence",
    "report_machines",
]

_COUNTED_ELSEWHERE = ("trend.", "limit.")
"""The report counts these itself, from the series."""


@hookimpl
def register_tools(env: Env, series: SeriesReader | None) -> Iterable[Tool]:
    """`machine_condition`, where a machine is known: a tool for nothing costs every question time."""
    try:
        return MachineTools(env, series).tools() if sheets_of(env) else []
    except InputError:
        return []  # `doctor` says what is wrong with the file


@hookimpl
def register_commands(cli: typer.Typer) -> None:
    """`watchkeeper signals`."""
    add_commands(cli)


@hookimpl
def find_terms(question: str, env: Env) -> Iterable[Term]:
    """Machines that stand in a question, by name or title."""
    return [Term("machine", name, "question", place) for name, place in machines_in(question, env).items()]


@hookimpl
def report_machines(env: Env) -> Iterable[Machine]:
    """The machines of `machines.toml`."""
    return [sheet.machine() for sheet in sheets_of(env)]


@hookimpl
def report_evidence(machine: Machine, period: Period, env: Env, series: SeriesReader | None) -> Evidence | None:
    """What the signals say; None for a machine that has no data sheet."""
    sheet = next((s for s in sheets_of(env) if s.name == machine.name), None)
    if sheet is None:
        return None
    found = analysis_of(sheet, env, period.start, period.end, series)
    told = [finding for finding in found.findings if not finding.key.startswith(_COUNTED_ELSEWHERE)]
    signs = tuple(Sign(f"F{n}", f.key, f.line, f.severity, f.present) for n, f in enumerate(told, start=1))
    return Evidence(trends=found.trends, spectra=found.spectra, signs=signs, missing=found.missing)


@hookimpl
def read_series(tags: Sequence[str], start: datetime, end: datetime, env: Env) -> Iterable[Series]:
    """Series of the tables that data sheets name: those of a weather station, of a logger in a store."""
    return series_in_files(sheets_of(env), tags, wall_seconds(start), wall_seconds(end), env)


@hookimpl
def check_health(env: Env) -> Iterable[Finding]:
    """Whether the data sheets and the table of zones can be read."""
    try:
        sheets = sheets_of(env)
        zones = load_zones(env.settings.maintenance)
    except InputError as error:
        return [Finding("machines", False, str(error))]
    unknown = [sheet.name for sheet in sheets if sheet.zone_class and zones.of(sheet.zone_class) is None]
    if unknown:
        known = ", ".join(c.id for c in zones.classes)
        return [Finding("machines", False, f"{unknown[0]}: zone_class is none of {known}")]
    return [Finding("machines", True, f"{len(sheets)} machines" if sheets else "none; write machines.toml for reports")]
