"""`watchkeeper signals`: what is in a recording or a table of readings, without asking anybody."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import typer

from agent.api import Env, InputError, Language, emit
from agent.console import JSON_OPTION
from plugins.maintenance.analysis import analyse
from plugins.maintenance.machines import Sheet
from plugins.maintenance.sources import Source, read_file
from plugins.maintenance.tools import sheets_of
from plugins.maintenance.values import Analysis, Signal
from plugins.maintenance.wording import number, with_unit
from plugins.maintenance.zones import load_zones

__all__ = ["add_commands"]

_FILE = typer.Argument(..., help="A .wav recording, a .csv table or a SQLite log.")
_EVER = timedelta(days=36_500)


def add_commands(cli: typer.Typer) -> None:
    """Add `signals check`."""
    group = typer.Typer(no_args_is_help=True, help="Machine signals: recordings and series.")
    group.command("check")(check)
    group.callback()(lambda: None)
    cli.add_typer(group, name="signals")


def check(
    context: typer.Context,
    file: Path = _FILE,
    machine: str = typer.Option("", "--machine", help="Name in machines.toml: its speed, bearing and zone are used."),
    unit: str = typer.Option("", "--unit", help="Of the values, such as g, m/s2 or mm/s."),
    full_scale: float = typer.Option(1.0, "--full-scale", help="What a full-scale sample of a WAV file is, in --unit."),
    rpm: float = typer.Option(0.0, "--rpm", help="Speed of the shaft."),
    rate: float = typer.Option(0.0, "--rate", help="Samples a second, for a table without times."),
    lang: Literal["zh", "en"] = typer.Option("en", "--lang", help="Language of the text."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Say whether signals can be trusted, what they measure, and when they stood out.

    Example: watchkeeper signals check pump.wav --unit g --full-scale 50 --rpm 1480
    """
    env: Env = context.obj
    for name, value in (("--full-scale", full_scale), ("--rpm", rpm), ("--rate", rate)):
        if not 0 <= value < float("inf") or (name == "--full-scale" and value == 0):
            raise InputError(f"{name} {value}: give a number above 0")
    sheet = _sheet(machine, env, rpm)
    signals = read_file(file, env, unit=unit, full_scale=full_scale, rate=rate)
    settings = env.settings.maintenance
    end = _last(list(signals))
    sources = [Source(signal) for signal in signals[: settings.max_signals]]
    found = analyse(sheet, sources, (), end, zones=load_zones(settings), settings=settings, period=_EVER)
    names = [signal.name for signal in signals]
    emit(_json(found, names), as_json=as_json, human=lambda: _text(found, names, lang))


def _sheet(machine: str, env: Env, rpm: float) -> Sheet:
    if not machine:
        return Sheet(name="file", speed_rpm=rpm)
    known = {sheet.name: sheet for sheet in sheets_of(env)}
    if machine not in known:
        listed = ", ".join(known) or "none"
        raise InputError(f"machine {machine!r} is not in machines.toml; it has {listed}")
    return known[machine].model_copy(update={"speed_rpm": rpm}) if rpm else known[machine]


def _last(signals: list[object]) -> datetime:
    """The file's own end is its now."""
    stamps = [
        float(signal.times[signal.times == signal.times].max(initial=0.0))
        for signal in signals
        if isinstance(signal, Signal) and signal.dated and len(signal.times)
    ]
    latest = max(stamps, default=0.0)
    return datetime.fromtimestamp(min(max(latest, 0.0), 2e11), UTC)


def _json(found: Analysis, names: list[str]) -> dict[str, object]:
    return {
        "signals": [
            {
                "id": features.signal,
                "name": names[int(features.signal[1:]) - 1],
                "figures": {f.key: {"value": f.value, "unit": f.unit} for f in features.figures},
                "tones": [asdict(tone) for tone in features.tones],
            }
            for features in found.features
        ],
        "findings": [
            {
                "key": f.key,
                "severity": f.severity,
                "present": f.present,
                "zh": f.line["zh"],
                "en": f.line["en"],
                "figures": dict(f.figures),
                "evidence": list(f.evidence),
            }
            for f in found.findings
        ],
        "episodes": {sid: [asdict(episode) for episode in episodes] for sid, episodes in found.episodes.items()},
        "missing": [dict(said) for said in found.missing],
    }


def _text(found: Analysis, names: list[str], lang: Language) -> str:
    lines = []
    for features in found.features:
        shown = ", ".join(f"{f.name[lang]} {with_unit(f.value, f.unit)}" for f in features.figures)
        lines.append(f"{features.signal}  {names[int(features.signal[1:]) - 1]}: {shown or '–'}")
        for tone in features.tones:
            amplitude = "" if tone.envelope else f", {with_unit(tone.amplitude, tone.unit)}"
            lines.append(f"      {tone.order}× {tone.key} {number(tone.hz)} Hz{amplitude}, ×{number(tone.prominence)}")
    marks = {0: "·", 1: "!", 2: "!!", 3: "!!!"}
    lines += [f"{marks[f.severity] if f.present else '–':>3}  {f.line[lang]}" for f in found.findings]
    lines += [f"  ?  {said[lang]}" for said in found.missing]
    return "\n".join(lines)
