"""`watchkeeper screen run`, `screen procedure list|show|approve|runs`: each writing step is asked about before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from agent.api import Env, InputError, ToolCall, emit, photo_of, say
from agent.commands.approvals import login_name
from agent.commands.ask import build_agent
from agent.console import JSON_OPTION
from agent.hookspecs import PhotoReader
from agent.orders import Done, Order
from agent.turn import Agent
from plugins.screen.overlay import draw, write_overlay
from plugins.screen.procedures.actuator import ProcedureActuator
from plugins.screen.procedures.filling import Filled, checked_values, fill, range_of, stages, step_in_words
from plugins.screen.procedures.reading import read_procedure
from plugins.screen.procedures.runs import TOOL, Call
from plugins.screen.procedures.values import Procedure, ProcedureStep
from plugins.screen.screens import Screens
from plugins.screen.wording import stands

__all__ = ["add_procedure_commands"]

Procedures = Callable[[Env, PhotoReader], ProcedureActuator]
Opened = Callable[[Env, PhotoReader], Screens]
_WAITS, _NOT_DONE = 4, 1
_SHOWN_RUNS = 20
_KEY = typer.Argument(help="As `screen procedure list` shows it.", metavar="NAME")


def add_procedure_commands(screen: typer.Typer, opened: Opened, procedures: Procedures) -> None:
    """Add them beside the other commands of screens.

    :param opened: gives the screens of this box.
    :param procedures: gives what carries them out.
    """
    group = typer.Typer(help="What is done on a screen again and again.", no_args_is_help=True)
    _add_list(group, procedures)
    _add_approve(group, procedures)
    screen.add_typer(group, name="procedure")

    @screen.command("run", epilog="Example: watchkeeper screen run return-pressure-limit --set pressure=0.6")
    def run(
        context: typer.Context,
        name: str = _KEY,
        given: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE; the unit may follow.")] = None,
        dry_run: Annotated[
            Path | None, typer.Option(help="Draw what would be used first into this PNG, name the rest; send nothing.")
        ] = None,
        resume: Annotated[str, typer.Option(help="A run that was left: go on after its last step.")] = "",
        undo: Annotated[str, typer.Option(help="A run: take back what it did, step by step.")] = "",
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Carry out an approved procedure; each step that changes something is asked about first."""
        actuator = _actuator(context, procedures)
        procedure = actuator.shelf.read(name)
        if dry_run is not None:
            _dry(_screens(context, opened), procedure, _given(given), dry_run, as_json=as_json)
            return
        with closing(build_agent(context.obj, context.meta["plugins"])) as agent:
            agent.recover()
            call = _first(actuator, procedure, _given(given), resume=resume, undo=undo)
            raise typer.Exit(_drive(agent, actuator, call, as_json=as_json))


def _add_list(group: typer.Typer, procedures: Procedures) -> None:
    @group.command("list")
    def list_all(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
        """Show the procedures of this box, and who approved each."""
        shelf = _actuator(context, procedures).shelf
        for key in shelf.names():
            try:
                one = shelf.read(key)
            except InputError as error:
                emit({"procedure": key, "problem": str(error)}, as_json=as_json, human=f"{key}: {error}")
                continue
            person = shelf.approved_by(one)
            told = {"procedure": key, "name": dict(one.name), "screen": one.screen, "digest": one.digest}
            state = f"approved by {person}" if person else "NOT approved as it is now"
            emit(
                {**told, "approved_by": person},
                as_json=as_json,
                human=f"{key}: {one.name['zh']}, {one.name['en']} (screen {one.screen}), {state}",
            )

    @group.command("show", epilog="Example: watchkeeper screen procedure show return-pressure-limit")
    def show(context: typer.Context, name: str = _KEY) -> None:
        """Show what a procedure does, step by step, in both languages."""
        emit(None, as_json=False, human="\n".join(_review(_actuator(context, procedures).shelf.read(name))))

    @group.command("runs")
    def list_runs(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
        """Show the last runs, and where each stands."""
        runs = _actuator(context, procedures).runs
        for run in runs.latest(_SHOWN_RUNS):
            for call, entry in runs.commands(run):
                told = {"run": run, "procedure": call.procedure, "stage": call.stage, "undo": call.undo}
                human = f"{run}  {entry.state:<9} {call.procedure} {call.does}  approved by {entry.person}"
                emit({**told, "state": entry.state, "does": call.does}, as_json=as_json, human=human)


def _add_approve(group: typer.Typer, procedures: Procedures) -> None:
    @group.command("approve", epilog="Example: watchkeeper screen procedure approve return-pressure-limit.yaml")
    def approve(
        context: typer.Context,
        file: Annotated[Path, typer.Argument(help="The file that you have reviewed.")],
        digest: Annotated[
            str, typer.Option(help="Its digest, where you reviewed it elsewhere; else it is shown.")
        ] = "",
        by: Annotated[str | None, typer.Option("--by", help="Who approves; else the user who is logged in.")] = None,
    ) -> None:
        """Review a procedure and approve exactly this text; it is copied to the procedures of this box."""
        actuator = _actuator(context, procedures)
        procedure = read_procedure(file, context.obj.settings.procedures)
        if not digest:
            emit(None, as_json=False, human="\n".join(_review(procedure)))
            if not _said_yes("批准这些步骤吗? Approve exactly these steps?"):
                raise typer.Exit(_NOT_DONE)
        person = login_name(by)
        kept = actuator.shelf.approve(file, digest=digest or procedure.digest, person=person)
        told = {"procedure": kept.key, "digest": kept.digest, "person": person}
        actuator.runs.journal.trail.add(f"p{kept.digest[:12]}", "procedure_approved", told)
        emit(None, as_json=False, human=f"{kept.key}: approved by {person}, {kept.digest}")


def _first(
    actuator: ProcedureActuator, procedure: Procedure, given: Mapping[str, str], *, resume: str, undo: str
) -> Call:
    """The stage to begin with.

    :raises InputError: a value is wrong, there is no such run, or it is of another procedure.
    """
    if not (resume or undo):
        values = checked_values(procedure, given)
        return actuator.worded(Call(procedure.key, procedure.digest, actuator.runs.fresh(), 1, values))
    run = resume or undo
    known = [(call, entry) for call, entry in actuator.runs.commands(run) if call.procedure == procedure.key]
    if not known:
        raise InputError(f"{run[:20]}: no run of {procedure.key}; see: watchkeeper screen procedure runs")
    if given:
        raise InputError("--set: a run that was begun keeps its values; leave it out")
    first = replace(known[0][0], undo=0, before={}, does="")
    if undo:
        reached = max((call.stage for call, entry in known if not call.undo and actuator.runs.begun(call)), default=0)
        if not reached:
            raise InputError(f"{run}: nothing was sent in it, so there is nothing to take back")
        first = replace(first, undo=reached, before=actuator.runs.held(run))
    done = [c.stage for c, entry in known if entry.state == "confirmed" and (c.undo > 0) == bool(undo)]
    return actuator.worded(replace(first, stage=max(done, default=0) + 1))


def _drive(agent: Agent, actuator: ProcedureActuator, call: Call, *, as_json: bool) -> int:
    """One stage after another, each asked about; the exit code."""
    emit({"run": call.run}, as_json=as_json, human=f"run {call.run}")
    following: Call | None = call
    while following is not None:
        order = Order(say(following.does, following.does), ToolCall(TOOL, following.to_json()))
        (done,) = agent.order([order], by="", words=f"screen run {following.procedure}")
        if done.came == "waits":
            answered = _asked(agent, done, following)
            if answered is None:
                emit(done.to_json(), as_json=as_json, human=f"{done.line['zh']}\n{done.line['en']}")
                return _WAITS
            done = answered
        emit(done.to_json(), as_json=as_json, human=f"{done.line['zh']}\n{done.line['en']}")
        if done.came not in ("confirmed", "told"):
            if done.came == "unsure" or following.stage > 1:
                hint = f"watchkeeper screen run {following.procedure} --undo {following.run}"
                emit({"undo": hint}, as_json=as_json, human=f"撤销 to take back: {hint}")
            return _NOT_DONE
        following = actuator.following(following)
    return 0


def _asked(agent: Agent, waits: Done, call: Call) -> Done | None:
    """What became of it once the person has answered; None where nobody did."""
    try:
        yes = _said_yes(call.does)
    except typer.Abort:
        return None
    request = agent.approvals.answer(waits.request, approve=yes, person=login_name())
    if yes:
        return agent.run_approved(request)
    no = say(f"没有批准:{call.does}", f"not approved: {call.does}")
    return Done(waits.order, "refused", no, request=waits.request)


def _said_yes(question: str) -> bool:
    return typer.confirm(question, default=False)


def _dry(screens: Screens, procedure: Procedure, given: Mapping[str, str], out: Path, *, as_json: bool) -> None:
    """What would be used first, drawn; the rest named. Nothing is sent."""
    values = checked_values(procedure, given)
    steps = [fill(step, values, {}) for step in procedure.steps]
    with screens.use(procedure.screen) as operator:
        looked = [operator.dry(one.step) for one in _on_first_screen(steps)]
    sight, found = looked[0]
    for one, named in looked[:-1]:
        sight = replace(sight, photo=photo_of(draw(replace(one, photo=sight.photo), named), "dry run"))
    write_overlay(out, sight, looked[-1][1])
    why = found.why if found is not None else stands(sight)
    numbers = _stage_numbers(procedure)
    lines = [_line(number, filled) for number, filled in zip(numbers, steps, strict=True)]
    told = {
        "digest": procedure.digest, "found": found is not None and found.control is not None, "why": dict(why),
        "steps": [dict(step_in_words(one.step)) for one in steps],
    }  # fmt: skip
    emit(told, as_json=as_json, human="\n".join([why["zh"], why["en"], *lines]))
    if found is not None and found.control is None:
        raise typer.Exit(_NOT_DONE)


def _on_first_screen(steps: Sequence[Filled]) -> Sequence[Filled]:
    """Up to the first click: what it opens nobody has seen yet."""
    clicks = [n for n, one in enumerate(steps) if one.step.verb not in ("set", "type", "look")]
    return steps[: clicks[0] + 1] if clicks else steps


def _review(procedure: Procedure) -> list[str]:
    """For a person who decides whether it may be run."""
    lines = [f"{procedure.key}: {procedure.name['zh']}, {procedure.name['en']}", f"screen {procedure.screen}"]
    lines += [f"  {{{p.key}}} {p.name['zh']}, {p.name['en']}: {range_of(p)}" for p in procedure.parameters]
    shown = {one.key: f"{{{one.key}}}" for one in procedure.parameters}
    held = {one.key: f"{{{one.key} before}}" for one in procedure.parameters}
    for number, step in zip(_stage_numbers(procedure), procedure.steps, strict=True):
        lines.append(_line(number, fill(step, shown, held)))
        lines += [f"      undo  {_said(fill(back, shown, held))}" for back in step.undo]
    return [*lines, f"digest {procedure.digest}"]


def _stage_numbers(procedure: Procedure) -> Sequence[int]:
    return [number for number, stage in enumerate(stages(procedure.steps), start=1) for _ in stage]


def _line(number: int, filled: Filled) -> str:
    mark = "asked " if filled.step.writes else "      "
    return f"{number:>3} {mark}{_said(filled)}"


def _said(filled: Filled) -> str:
    said, expected = step_in_words(filled.step), _expected(filled.source)
    return f"{said['zh']} | {said['en']}{expected}"


def _expected(step: ProcedureStep) -> str:
    told = {"shows": "有", "hides": "没有", "holds": "为"}
    found = [f"{word} {name} “{step.arguments[name]}”" for name, word in told.items() if step.arguments.get(name)]
    return f"  → {', '.join(found)}" if found else ""


def _given(given: Sequence[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given or ():
        key, sign, value = one.partition("=")
        if not sign or key.strip() in found:
            raise InputError(f"--set {one[:60]}: write NAME=VALUE, each name once")
        found[key.strip()] = value.strip()
    return found


def _actuator(context: typer.Context, procedures: Procedures) -> ProcedureActuator:
    env: Env = context.obj
    plugins = context.meta["plugins"]
    return procedures(env, lambda photo: plugins.perceive(photo, env))


def _screens(context: typer.Context, opened: Opened) -> Screens:
    env: Env = context.obj
    plugins = context.meta["plugins"]
    return opened(env, lambda photo: plugins.perceive(photo, env))
