"""`watchkeeper modules install|list|swap|rollback|pin|remove`.

A bundle is installed beside what is there; which version answers is changed by swap and rollback alone. Agents that run
follow within a second or two.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import typer

from agent.console import JSON_OPTION, emit
from agent.errors import ModuleError
from agent.modules.host import ModuleHost
from agent.modules.module import Swapped
from agent.modules.notes import Choice
from agent.modules.store import Installed

__all__ = ["commands"]

_NAME = typer.Argument(metavar="NAME", help="A module; see `watchkeeper modules list`.")
_FILE = typer.Argument(metavar="FILE", help="The bundle: a wheel with a watchkeeper_module.toml.")
_VERSION = typer.Argument(metavar="VERSION", help="One of its versions that are installed.")


def commands() -> typer.Typer:
    """The sub-application."""
    app = typer.Typer(no_args_is_help=True, help="Modules: install, try, swap and take back while the agent runs.")
    app.command("install")(install_module)
    app.command("list")(list_modules)
    app.command("swap")(swap_module)
    app.command("rollback")(roll_back_module)
    app.command("pin")(pin_module)
    app.command("remove")(remove_module)
    return app


def install_module(
    context: typer.Context,
    file: Path = _FILE,
    agree: bool = typer.Option(False, "--agree", help="Let it use what it asks for beyond its own folder."),
    swap: bool = typer.Option(False, "--swap", help="Try it at once, and let it answer if it proves itself."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Check a bundle and put it beside the versions that are here. Nothing of it is run.

    Example: watchkeeper modules install tally-1.2.0-py3-none-any.whl --swap
    """
    host = ModuleHost(context.obj)
    made = host.store.install(file, agreed=agree)
    done = host.swap(made.name, made.version) if swap else None
    value = {**_version(made), "swapped": asdict(done) if done else None}
    nextly = f"; to let it answer: watchkeeper modules swap {made.name} {made.version}"
    told = _swapped_line(made.name, done) if done else f"{made.name} {made.version}: installed{nextly}"
    emit(value, as_json=as_json, human=told)


def list_modules(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
    """Show modules, their versions, which one answers, and what did not prove itself.

    Example: watchkeeper modules list --json
    """
    store = ModuleHost(context.obj).store
    for name in store.names():
        choice = store.choice(name)
        versions = [_listed(store.installed, name, version, choice) for version in store.versions(name)]
        value = {"name": name, **asdict(choice), "versions": versions}
        emit(value, as_json=as_json, human=partial(_lines, value))


def swap_module(
    context: typer.Context,
    name: str = _NAME,
    version: str = _VERSION,
    hand_over: bool = typer.Option(
        False, "--hand-over", help="Try it in the agent that runs, which stops the old one first if memory is short."
    ),
    as_json: bool = JSON_OPTION,
) -> None:
    """Start a version beside the one that answers, try it, and let it answer if it proves itself.

    Example: watchkeeper modules swap tally 1.2.0
    """
    host = ModuleHost(context.obj)
    if hand_over:
        host.hand_over(name, version)
        told = f"{name}: {version} is chosen; whoever runs it tries it, and takes it back if it fails"
        emit({"name": name, "version": version, "swapped": None}, as_json=as_json, human=told)
        return
    done = host.swap(name, version)
    emit({"name": name, "version": version, "swapped": asdict(done)}, as_json=as_json, human=_swapped_line(name, done))


def roll_back_module(context: typer.Context, name: str = _NAME, as_json: bool = JSON_OPTION) -> None:
    """Let the version before answer again.

    Example: watchkeeper modules rollback tally
    """
    done = ModuleHost(context.obj).rollback(name)
    value = {"name": name, "version": done.version, "swapped": asdict(done)}
    emit(value, as_json=as_json, human=_swapped_line(name, done))


def pin_module(
    context: typer.Context,
    name: str = _NAME,
    version: str = typer.Argument("", metavar="[VERSION]", help="Swap to this one first."),
    off: bool = typer.Option(False, "--off", help="Let it be swapped and updated again."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Keep a module at one version, whatever is installed or comes as an update.

    Example: watchkeeper modules pin tally 1.2.0
    """
    host = ModuleHost(context.obj)
    store = host.store
    current = store.choice(name).current
    if version and version != current:
        host.swap(name, version)
    elif not current:
        raise ModuleError(f"{name}: no version answers yet; watchkeeper modules swap {name} VERSION")
    with store.locked(name):
        choice = store.choose(name, lambda before: replace(before, pinned=not off))
    told = f"{name}: {'pinned to' if choice.pinned else 'no longer pinned; now'} {choice.current}"
    emit({"name": name, "version": choice.current, "pinned": choice.pinned}, as_json=as_json, human=told)


def remove_module(
    context: typer.Context,
    name: str = _NAME,
    version: str = typer.Argument("", metavar="[VERSION]", help="Without it, all versions and the module's state."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Delete a version that does not answer, or a module with all that it keeps.

    Example: watchkeeper modules remove tally 1.1.0
    """
    store = ModuleHost(context.obj).store
    if version:
        store.remove(name, version)
    else:
        store.remove_all(name)
    emit({"name": name, "version": version or None}, as_json=as_json, human=f"{name} {version or '(all)'}: removed")


def _version(made: Installed) -> dict[str, Any]:
    module = made.manifest.module
    return {
        "name": made.name, "version": made.version, "kind": module.kind, "about": module.about,
        "asked": list(made.manifest.needs.asked()), "sha256": made.sha256, "folder": str(made.folder),
    }  # fmt: skip


def _listed(installed: Any, name: str, version: str, choice: Choice) -> dict[str, Any]:
    answers = "answers" if version == choice.current else "before" if version == choice.previous else ""
    value: dict[str, Any] = {"version": version, "state": answers, "rejected": choice.rejected.get(version, "")}
    try:
        return {**_version(installed(name, version)), **value, "problem": ""}
    except ModuleError as error:
        return {**value, "problem": str(error)}


def _lines(value: dict[str, Any]) -> str:
    remarks = (" (pinned)" if value["pinned"] else "") + (" (not tried yet)" if value["unproved"] else "")
    lines = [f"{value['name']}{remarks}"]
    for one in value["versions"]:
        asked = f", may use {', '.join(one['asked'])}" if one.get("asked") else ""
        told = one["problem"] or f"{one['kind']}{asked}" + (f"; {one['rejected']}" if one["rejected"] else "")
        lines.append(f"    {one['version']:<12} {one['state'] or '-':<8} {told}")
    return "\n".join(lines)


def _swapped_line(name: str, done: Swapped) -> str:
    instead = f" instead of {done.before}" if done.before else ""
    took = (
        f"started in {done.start_ms:.0f} ms, tried in {done.trial_ms:.0f} ms, nobody answered for {done.gap_ms:.0f} ms"
    )
    return f"{name}: {done.version} answers{instead}; {took}"
