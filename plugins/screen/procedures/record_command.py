"""`watchkeeper screen record`: a procedure written down from one showing.

In a browser the person uses the page, and it is heard what they use. Over VNC nothing tells what another person does on
the screen, so there the person names each step here; it is done, and recorded is what was read before and after it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
import yaml

from agent.api import Env, InputError, Json, ToolCall, ToolFailed, emit
from agent.commands.approvals import login_name
from agent.commands.ask import build_agent
from agent.hookspecs import PhotoReader
from agent.orders import Order
from plugins.screen.links.opening import make_link
from plugins.screen.procedures.filling import step_in_words
from plugins.screen.procedures.reading import NAME, read_step
from plugins.screen.procedures.recording import Recorded, expected, file_text
from plugins.screen.procedures.showing import Showing, ShownLink
from plugins.screen.screens import Screens
from plugins.screen.steps import step_of

__all__ = ["add_record_command"]

Opened = Callable[[Env, PhotoReader], Screens]
_NOT_DONE = 1
_HINT = (
    "请在页面上操作,每一步等这里写出来再做下一步;按回车结束。\n"
    "Show it on the page, each step once the last one is written here; press Enter here to end."
)


def add_record_command(screen: typer.Typer, opened: Opened) -> None:
    """Add it beside the other commands of screens.

    :param opened: gives the screens of this box.
    """

    @screen.command("record", epilog="Example: watchkeeper screen record hmi limit.yaml --parameter pressure=0.6")
    def record(
        context: typer.Context,
        name: Annotated[str, typer.Argument(help="The screen.", metavar="SCREEN")],
        out: Annotated[Path, typer.Argument(help="The file to be written.")],
        parameter: Annotated[
            list[str] | None, typer.Option(help="NAME=VALUE: a value that is shown and will be another each time.")
        ] = None,
        by_name: Annotated[
            bool, typer.Option("--by-name", help="Name each step here; over VNC there is no other way.")
        ] = False,
        zh: Annotated[str, typer.Option(help="Its name in Chinese.")] = "",
        en: Annotated[str, typer.Option(help="Its name in English.")] = "",
    ) -> None:
        """Write a procedure down by being shown it once; it is reviewed and approved afterwards."""
        if not NAME.fullmatch(out.stem) or out.suffix != ".yaml":
            raise InputError(f"{out}: write NAME.yaml, with letters, digits, - and _ only")
        if out.exists():
            raise InputError(f"{out}: is there already; choose another name")
        parameters = _parameters(parameter or [])
        plugins, env = context.meta["plugins"], context.obj
        screens = opened(env, lambda photo: plugins.perceive(photo, env))
        if by_name or screens.settings(name).kind != "browser":
            recorded = _named(context, screens, name)
        else:
            recorded = _watched(context, screens, name)
        if not recorded.steps:
            raise InputError(f"{name}: nothing was recorded ({'; '.join(recorded.problems) or 'nothing was shown'})")
        called = {"zh": zh or out.stem, "en": en or out.stem}
        try:
            out.write_text(file_text(called, name, recorded, parameters), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{out}: cannot be written: {error.strerror}") from None
        for problem in recorded.problems:
            emit(None, as_json=False, human=f"没有记录 not recorded, {problem}")
        human = f"{out}: {len(recorded.steps)} steps; review it, then: watchkeeper screen procedure approve {out}"
        emit(None, as_json=False, human=human)
        raise typer.Exit(_NOT_DONE if recorded.problems else 0)


def _watched(context: typer.Context, screens: Screens, name: str) -> Recorded:
    """What a person does on a page, until they press Enter here."""
    env, plugins = context.obj, context.meta["plugins"]
    settings, limits = screens.settings(name), env.settings.procedures
    if not settings.endpoint:
        raise InputError(
            f"screen {name}: it is shown in a browser that you use yourself: start that with "
            f'--remote-debugging-port=9222 and set [screen.{name}] endpoint = "http://127.0.0.1:9222"; or name each '
            "step with --by-name"
        )
    ended = threading.Event()
    with closing(make_link(name, settings)) as link:
        if not isinstance(link, ShownLink):
            raise InputError(f"screen {name}: nothing tells what a person does on it; name each step with --by-name")
        showing = Showing(link, lambda photo: plugins.perceive(photo, env), settings, limits, env.now)
        showing.begin()
        emit(None, as_json=False, human=_HINT)
        threading.Thread(target=_await_line, args=(ended,), daemon=True).start()
        until, told = time.monotonic() + limits.most_record_seconds, 0
        recorded = Recorded()
        while not ended.wait(settings.poll_seconds) and time.monotonic() < until:
            recorded = showing.go_on()
            for step in recorded.steps[told:]:
                emit(None, as_json=False, human=_line(step))
            told = len(recorded.steps)
        return showing.go_on()


def _await_line(ended: threading.Event) -> None:
    sys.stdin.readline()
    ended.set()


def _named(context: typer.Context, screens: Screens, name: str) -> Recorded:
    """Steps that a person types, each done as it is typed, with what was read before and after it."""
    steps: list[Mapping[str, Json]] = []
    units: dict[str, str] = {}
    problems: list[str] = []
    with closing(build_agent(context.obj, context.meta["plugins"])) as agent:
        for line in _lines(context.obj.settings.procedures.max_recorded_steps):
            try:
                arguments = {**read_step(line).arguments, "screen": name}
                said = step_in_words(step_of(arguments))
                with screens.use(name) as operator:
                    before = operator.looker.look()
            except (InputError, ToolFailed) as error:
                emit(None, as_json=False, human=str(error))
                continue
            order = Order(said, ToolCall("screen_step", arguments))
            (done,) = agent.order([order], by=login_name(), words=f"screen record {name}")
            emit(None, as_json=False, human=f"{done.line['zh']}\n{done.line['en']}")
            if done.came not in ("confirmed", "told"):
                problems.append(f"“{line[:60]}”: {done.line['en']}"[:300].replace("\n", " "))
                continue
            with screens.use(name) as operator:
                after = operator.looker.look()
            told = _as_written(arguments)
            changed = {} if "shows" in told or "hides" in told or "set" in told else expected(before, after)
            steps.append({**told, **changed})
            if "set" in told:
                units[str(told["value"])] = str(told.get("unit", ""))
    return Recorded(tuple(steps), units, tuple(problems))


def _lines(most: int) -> Iterator[str]:
    hint = (
        "每行一步 one step a line, as in a file: `click: 保存` or `set: 上限, within: 回水压力, value: 0.6, unit: MPa`"
    )
    emit(None, as_json=False, human=f"{hint}; an empty line ends.")
    for _ in range(most):
        line = sys.stdin.readline().strip()
        if not line:
            return
        yield line


def _line(step: Mapping[str, Json]) -> str:
    """As it will stand in the file."""
    return yaml.safe_dump(dict(step), allow_unicode=True, sort_keys=False, width=1_000, default_flow_style=True).strip()


def _as_written(arguments: Mapping[str, Json]) -> dict[str, Json]:
    """A step as a file has it."""
    told = {key: value for key, value in arguments.items() if key not in ("verb", "screen", "text")}
    verb = str(arguments["verb"])
    return {verb: told.pop("value") if verb == "press" else arguments.get("text", ""), **told}


def _parameters(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        key, sign, value = one.partition("=")
        if not sign or not key.isidentifier() or not key.islower() or value in found.values():
            raise InputError(f"--parameter {one[:60]}: write name=VALUE in small letters, each value once")
        found[key] = value
    return found
