"""`watchkeeper doctor`: one look over the box. What is not well says what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Annotated

import psutil
import typer

from agent.boxes import choose_profile, describe_profile, profile_named
from agent.commands.approvals import open_approvals
from agent.commands.audit import open_trail
from agent.commands.bench import notes_of, sha256_of
from agent.commands.security import examine_security
from agent.console import emit
from agent.env import Env
from agent.errors import ModelError, WatchkeeperError
from agent.hookspecs import Finding
from agent.model.box_ladder import rungs_of
from agent.model.cores import count_cores
from agent.model.heat import Governor, describe, read_heat
from agent.model.machine import settle
from agent.model.remote_look import remote_findings
from agent.modules.findings import module_findings
from agent.plugin_host import PluginHost
from agent.voice.findings import voice_findings
from agent.weights.ladder import RULES, Machine, choose_rungs, look_at_machine
from agent.weights.slots import rejection

__all__ = ["add_to", "examine"]

_GIB = 1024**3


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def doctor(
        context: typer.Context,
        security: Annotated[bool, typer.Option("--security", help="Show what of this box is open instead.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    ) -> None:
        """Check settings, weights, ladder, threads, memory, plugins and trail.

        Example: watchkeeper doctor
        """
        look = examine_security if security else examine
        findings = list(look(context.obj, context.meta["plugins"]))
        for finding in findings:
            value = {"name": finding.name, "ok": finding.ok, "text": finding.text}
            emit(value, as_json=as_json, human=f"{'ok  ' if finding.ok else 'look'}  {finding.name}: {finding.text}")
        raise typer.Exit(0 if all(finding.ok for finding in findings) else 3)


def examine(env: Env, plugins: PluginHost) -> Iterator[Finding]:
    """Look at everything once, without changing anything."""
    yield Finding("home", True, str(env.home.folder))
    machine = look_at_machine(env.weights.folder)
    bounded = machine.within(env.settings.model.max_ram_bytes)
    rungs = choose_rungs(bounded, env.weights.present(), wanted=env.settings.model.name)
    yield _box(env, bounded)
    yield from _weights(env, machine, rungs)
    if rungs[0] != RULES:
        yield from _model(env, machine, rungs[0])
    yield from remote_findings(env)
    yield from plugins.health(env)
    yield from module_findings(env)
    yield from voice_findings(env)
    yield _trail(env)
    yield from _commands(env)


def _box(env: Env, machine: Machine) -> Finding:
    """What this box is run with, and whether a person asked for more than it has."""
    box = env.box
    everything = [model.name for model in env.weights.catalogue.chat_models]
    models = choose_rungs(machine, everything, wanted=env.settings.model.name, catalogue=env.weights.catalogue)
    threads = env.settings.model.threads or count_cores().useful
    told = f"{box.profile}, {box.why}: {describe_profile(env.settings, models, threads=threads)}"
    total = psutil.virtual_memory().total
    pinned = profile_named(box.profile) if box.pinned else None
    if pinned is not None and pinned.least_free_bytes > total:
        suits = choose_profile(total).name
        return Finding("box", False, f"{told}; it has {total / 1e9:.1f} GB in all: set box.profile to {suits} or auto")
    return Finding("box", True, told)


def _weights(env: Env, machine: Machine, rungs: Sequence[str]) -> Iterator[Finding]:
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
        yield Finding(f"weights {item.file}", False, f"{item.reason}; get it again: watchkeeper weights repair {name}")
    for status in map(env.weights.status, env.weights.present()):
        if reason := rejection(env.weights.folder / status.name, env.weights.catalogue.entry(status.name)):
            text = f"its present version was rejected ({reason}); the one before answers until another is pulled"
            yield Finding(f"rung {status.name}", False, text)
        if any(file.state == "earlier version" for file in status.files):
            text = f"the version before answers; get the present one: watchkeeper weights pull {status.name}"
            yield Finding(f"weights {status.name}", False, text)
    yield from _rungs(env)


def _rungs(env: Env) -> Iterator[Finding]:
    """What is not as it was, beyond files that were set aside."""
    rungs, down = rungs_of(env)
    aside = {item.file.split("/")[0] for item in env.weights.set_aside()}
    for fall in down:
        if fall.rung not in aside:
            yield Finding(f"rung {fall.rung}", False, fall.reason)
    lost = {fall.rung for fall in down}
    for name in rungs[:-1]:
        if name not in lost and _is_blind(env, name):
            text = f"its vision half is not here, so it reads text alone; get it: watchkeeper weights pull {name}"
            yield Finding(f"rung {name}", False, text)


def _is_blind(env: Env, name: str) -> bool:
    """The language half of a model that sees is here, the other is not."""
    found = env.weights.status(name)
    return not found.present and any(file.role == "model" and file.state == "present" for file in found.files)


def _model(env: Env, machine: Machine, name: str) -> Iterator[Finding]:
    """What the best rung would be loaded with, and why."""
    files = {role: path for role, path in env.weights.where(name).items() if path.is_file()}
    if "model" not in files:
        return  # the ladder says so
    known = notes_of(env).recall(sha256_of(env, name))
    try:
        settled = settle(env.settings.model, files, free_bytes=machine.free_ram_bytes, remembered=known)
    except ModelError as error:
        yield Finding("memory", False, f"{name}: {error}")
        return
    governor = Governor(settled.settings, settled.settings.threads)
    governor.threads()
    heat = describe(read_heat(limit_c=env.settings.model.heat_limit_c))
    yield Finding("threads", not governor.why, governor.why or f"{settled.why_threads}; {heat}")
    yield Finding("memory", True, f"{name}: {settled.plan.reason}")
    told = f"{known.measured}: reads {known.read_tok_s:.0f}, writes {known.write_tok_s:.1f} tok/s"
    never = f"{name} was not measured on this box; to find its best settings: watchkeeper bench model"
    yield Finding("bench", True, told if known.measured else never)


def _trail(env: Env) -> Finding:
    try:
        with open_trail(env) as trail:
            count = trail.verify()
    except WatchkeeperError as error:
        return Finding("audit trail", False, str(error))
    return Finding("audit trail", True, f"{count} rows, intact")


def _commands(env: Env) -> Iterator[Finding]:
    with suppress(WatchkeeperError), open_approvals(env) as (_, commands):  # the trail's finding says why
        if unsure := commands.unsure():
            text = f"{len(unsure)} were sent, nobody knows whether they arrived; see: watchkeeper approvals list"
            yield Finding("commands", False, text)
