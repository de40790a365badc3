"""`watchkeeper doctor`: one look over the box. What is not well says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from agent.commands.audit import open_trail
from agent.console import emit
from agent.env import Env
from agent.errors import WatchkeeperError
from agent.hookspecs import Finding
from agent.plugin_host import PluginHost
from agent.weights.ladder import RULES, choose_rungs, look_at_machine

__all__ = ["add_to", "examine"]

_GIB = 1024**3


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def doctor(
        context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
    ) -> None:
        """Check settings, weights, ladder, plugins and trail.

        Example: watchkeeper doctor
        """
        findings = list(examine(context.obj, context.meta["plugins"]))
        for finding in findings:
            value = {"name": finding.name, "ok": finding.ok, "text": finding.text}
            emit(value, as_json=as_json, human=f"{'ok  ' if finding.ok else 'look'}  {finding.name}: {finding.text}")
        raise typer.Exit(0 if all(finding.ok for finding in findings) else 3)


def examine(env: Env, plugins: PluginHost) -> Iterator[Finding]:
    """Look at everything once, without changing anything."""
    yield Finding("home", True, str(env.home.folder))
    yield from _weights(env)
    yield from plugins.health(env)
    yield _trail(env)


def _weights(env: Env) -> Iterator[Finding]:
    machine = look_at_machine(env.weights.folder)
    rungs = choose_rungs(machine, env.weights.present(), wanted=env.settings.model.name)
    box = f"{machine.cores} cores, {machine.free_ram_bytes / _GIB:.1f} GiB free memory"
    best = rungs[0]
    told = f"{' → '.join(rungs)} ({box})"
    hint = (
        ""
        if best != RULES or env.settings.model.name == RULES
        else "; no model is here, get one: watchkeeper weights pull"
    )
    yield Finding("ladder", not hint, told + hint)
    for item in env.weights.set_aside():
        name = item.file.split("/")[0]
        yield Finding(f"weights {item.file}", False, f"{item.reason}; get it again: watchkeeper weights pull {name}")


def _trail(env: Env) -> Finding:
    try:
        with open_trail(env) as trail:
            count = trail.verify()
    except WatchkeeperError as error:
        return Finding("audit trail", False, str(error))
    return Finding("audit trail", True, f"{count} rows, intact")
