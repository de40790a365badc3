"""`watchkeeper screen list|look|find|do`: screens read and operated from the command line.

Who types a step exactly stands for it, as with an approval; the screen has to be writable by the settings besides.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.api import Env, InputError, Json, ToolCall, ToolFailed, emit, say
from agent.commands.approvals import login_name
from agent.commands.ask import build_agent
from agent.console import JSON_OPTION
from agent.hookspecs import PhotoReader
from agent.orders import Order
from plugins.screen.actuator import ScreenActuator
from plugins.screen.overlay import write_overlay
from plugins.screen.screens import Screens
from plugins.screen.steps import step_of
from plugins.screen.values import Control, Found, Sight
from plugins.screen.wording import role_word, stands, step_said

__all__ = ["add_commands"]

Opened = Callable[[Env, PhotoReader], Screens]
_WAITS, _NOT_DONE, _NOT_FOUND = 4, 1, 1
_NAME = typer.Argument(help="As the settings call it.", metavar="NAME")
_TEXT = typer.Argument("", help="The name on it, in Chinese or English; alternatives between |.", metavar="[TEXT]")
_ROLE = typer.Option("", help="button, field, tab, item, row, checkbox …")
_NEAR = typer.Option("", help="A text that it stands beside.")
_WITHIN = typer.Option("", help="The title of its window or group.")
_FIELD = typer.Option("", help="A field of the screen's panel profile, in place of TEXT.")
_OVERLAY = Annotated[Path | None, typer.Option(help="Draw what was found into this PNG.")]


def add_commands(cli: typer.Typer, opened: Opened) -> typer.Typer:
    """Add them to the root application.

    :param opened: gives the screens of this box.
    :return: `screen`, for commands that belong beside them.
    """
    screen = typer.Typer(help="Screens that this box reads and operates.", no_args_is_help=True)

    @screen.command("list")
    def list_screens(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
        """Show the screens of the settings."""
        for name, settings in context.obj.settings.screen.items():
            may = "writable" if settings.writable else "read-only"
            told = {"name": name, "kind": settings.kind, "address": settings.address, "writable": settings.writable}
            emit(told, as_json=as_json, human=f"{name}: {settings.kind} {settings.address}, {may}")

    @screen.command("look", epilog="Example: watchkeeper screen look boiler --overlay boiler.png")
    def look(context: typer.Context, name: str = _NAME, overlay: _OVERLAY = None, as_json: bool = JSON_OPTION) -> None:
        """Read a screen, and name what can be used on it."""
        with _screens(context, opened).use(name) as operator:
            sight = operator.looker.look()
        if overlay is not None:
            write_overlay(overlay, sight)
        emit(sight_json(sight), as_json=as_json, human="\n".join(_sight_lines(sight)))

    @screen.command("find", epilog="Example: watchkeeper screen find boiler 保存 --overlay save.png")
    def find_one(
        context: typer.Context,
        name: str = _NAME,
        text: str = _TEXT,
        role: str = _ROLE,
        near: str = _NEAR,
        within: str = _WITHIN,
        field: str = _FIELD,
        overlay: _OVERLAY = None,
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Say which control a name means; nothing is clicked."""
        given = {"verb": "click", "text": text, "role": role, "near": near, "within": within, "field": field}
        _dry(_screens(context, opened), {"screen": name, **given}, overlay, as_json=as_json)

    screen.command("do", epilog="Example: watchkeeper screen do boiler set 回水压力上限 --value 0.6 --unit MPa")(
        _do_command(opened)
    )
    cli.add_typer(screen, name="screen")
    return screen


def _do_command(opened: Opened) -> Callable[..., None]:
    def do(
        context: typer.Context,
        name: str = _NAME,
        verb: str = typer.Argument(help="click, double_click, type, set, press, drag, scroll, wait or look."),
        text: str = _TEXT,
        value: str = typer.Option("", help="What is typed, or secret:NAME; the key of press; notches to scroll."),
        unit: str = typer.Option("", help="Of the value; another one on the screen stops the step."),
        role: str = _ROLE,
        near: str = _NEAR,
        within: str = _WITHIN,
        field: str = _FIELD,
        to: str = typer.Option("", help="What a drag ends on."),
        shows: str = typer.Option("", help="A text that has to stand there afterwards."),
        hides: str = typer.Option("", help="A text that must not."),
        holds: str = typer.Option("", help="What the target has to hold afterwards."),
        seconds: float = typer.Option(0.0, help="How long that may take."),
        dry_run: bool = typer.Option(False, "--dry-run", help="Say and draw what would be used; send nothing."),
        overlay: _OVERLAY = None,
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Do one thing on a screen, and confirm by a second look what came of it."""
        given: dict[str, Json] = {
            "screen": name, "verb": verb, "text": text, "value": value, "unit": unit, "role": role, "near": near,
            "within": within, "field": field, "to": to, "shows": shows, "hides": hides, "holds": holds,
        }  # fmt: skip
        arguments: dict[str, Json] = {key: told for key, told in given.items() if told}
        if seconds:
            arguments["seconds"] = seconds
        if dry_run:
            _dry(_screens(context, opened), arguments, overlay, as_json=as_json)
            return
        _order(context, arguments, as_json=as_json)

    return do


def _order(context: typer.Context, arguments: dict[str, Json], *, as_json: bool) -> None:
    """Have it done as a command of the box: judged, journalled, sent once."""
    step = _step(arguments)
    said = step_said(step)
    words = " ".join(["screen do", *(str(value) for value in arguments.values())])
    with closing(build_agent(context.obj, context.meta["plugins"])) as agent:
        (done,) = agent.order(
            [Order(say(said["zh"], said["en"]), ToolCall("screen_step", arguments))], by=login_name(), words=words
        )
    emit(done.to_json(), as_json=as_json, human=f"{done.line['zh']}\n{done.line['en']}")
    code = _WAITS if done.came == "waits" else 0 if done.came in ("confirmed", "told", "repeated") else _NOT_DONE
    raise typer.Exit(code)


def _dry(screens: Screens, arguments: dict[str, Any], overlay: Path | None, *, as_json: bool) -> None:
    """What would be used, what is against it; nothing is sent."""
    name = str(arguments["screen"])
    step = _step({key: value for key, value in arguments.items() if value})
    with screens.use(name) as operator:
        sight, found = operator.dry(step)
    if overlay is not None:
        write_overlay(overlay, sight, found)
    refusal = ScreenActuator(screens).refusal(arguments)
    control = found.control if found is not None else None
    told = {
        "found": control_json(control) if control is not None else None,
        "why": dict(found.why) if found is not None else None,
        "others": [control_json(other) for other in found.others] if found is not None else [],
        "refused": dict(refusal) if refusal is not None else None,
        "dialog": sight.dialog,
    }
    emit(told, as_json=as_json, human="\n".join(_found_lines(found, sight)))
    if found is not None and control is None:
        raise typer.Exit(_NOT_FOUND)


def control_json(control: Control) -> dict[str, object]:
    """One control, for programs."""
    return {
        "name": control.name,
        "role": control.role,
        "box": list(control.box),
        "enabled": control.enabled,
        "value": control.value,
        "unit": control.unit,
        "source": control.source,
        "score": round(control.score, 3),
    }


def sight_json(sight: Sight) -> dict[str, object]:
    """A look, for programs."""
    return {
        "at": sight.at.isoformat(timespec="seconds"),
        "size": list(sight.photo.size),
        "dialog": sight.dialog,
        "busy": sight.busy,
        "controls": [control_json(control) for control in sight.controls],
    }


def _screens(context: typer.Context, opened: Opened) -> Screens:
    env: Env = context.obj
    plugins = context.meta["plugins"]
    return opened(env, lambda photo: plugins.perceive(photo, env))


def _step(arguments: dict[str, Json]) -> Any:
    try:
        return step_of(arguments)
    except ToolFailed as error:
        raise InputError(str(error)) from None


def _sight_lines(sight: Sight) -> list[str]:
    lines = [f"{sight.photo.size[0]}×{sight.photo.size[1]} at {sight.at:%H:%M:%S}, {len(sight.controls)} controls"]
    if sight.dialog:
        lines.append(f"window on top: {sight.dialog}")
    return lines + [_control_line(control) for control in sight.controls]


def _found_lines(found: Found | None, sight: Sight) -> list[str]:
    if found is None:
        return [stands(sight)["zh"], stands(sight)["en"]]
    lines = [found.why["zh"], found.why["en"]]
    if found.control is not None:
        lines.append(_control_line(found.control))
    return lines + [f"  not meant: {_control_line(other).strip()}" for other in found.others]


def _control_line(control: Control) -> str:
    state = "" if control.enabled is not False else "  greyed"
    value = "" if control.value is None else f" = {control.value} {control.unit}".rstrip()
    where = f"{control.box[0]},{control.box[1]} – {control.box[2]},{control.box[3]}"
    return f"  {role_word(control.role)['en']:<9} {control.name}{value}  ({where}){state}"
