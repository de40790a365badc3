"""`watchkeeper weights list|pull|verify|where`.

Results go to stdout, progress and remarks to stderr. Exit codes: 2 where a pull fails, 3 where weights are missing or
bad.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import typer

from agent.console import JSON_OPTION, emit
from agent.env import Env
from agent.errors import WeightsBad, WeightsError
from agent.weights.catalogue import Entry
from agent.weights.ladder import look_at_machine, recommended
from agent.weights.progress import choose_reporter, megabytes
from agent.weights.pull import PulledFile, pull
from agent.weights.store import EntryStatus, FileStatus

__all__ = ["commands"]

_NAMES = typer.Argument(None, metavar="NAME", help="Names of the catalogue; see `watchkeeper weights list`.")
_OPTIONAL = typer.Option(False, "--optional", help="Also files that only stand for others.")


def commands() -> typer.Typer:
    """The sub-application."""
    app = typer.Typer(no_args_is_help=True, help="Model files: what there is, fetch, verify, where they lie.")
    app.command("list")(list_weights)
    app.command("pull")(pull_weights)
    app.command("verify")(verify_weights)
    app.command("where")(where_weights)
    return app


def list_weights(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
    """Show what the catalogue has and what of it is here.

    Example: watchkeeper weights list
    """
    env: Env = context.obj
    entries = env.weights.catalogue.entries
    statuses = [env.weights.status(entry.name) for entry in entries]
    values = [_listed(env, entry, status) for entry, status in zip(entries, statuses, strict=True)]
    for value in values:
        emit(value, as_json=as_json, human=partial(_listed_line, value))


def pull_weights(
    context: typer.Context,
    names: list[str] | None = _NAMES,
    optional: bool = _OPTIONAL,
    as_json: bool = JSON_OPTION,
) -> None:
    """Fetch weights and verify them; without NAME the model for this box and the reader of panels.

    A pull that was stopped goes on where it was.

    Example: watchkeeper weights pull qwen2.5-1.5b ocr-small
    """
    env: Env = context.obj
    begun = time.monotonic()
    machine = look_at_machine(env.weights.folder)
    chosen = names or list(recommended(machine, spare_bytes=env.settings.weights.spare_bytes))
    with choose_reporter() as reporter:
        files = pull(env.weights, chosen, reporter, optional=optional)
        seconds = time.monotonic() - begun
        reporter.note(f"{', '.join(dict.fromkeys(chosen))}: here and verified after {seconds:.1f} s")
    value = {"names": chosen, "files": [_pulled(file) for file in files], "seconds": round(seconds, 2)}
    emit(value, as_json=as_json, human=lambda: "\n".join(_pulled_line(file) for file in files))


def verify_weights(context: typer.Context, names: list[str] | None = _NAMES, as_json: bool = JSON_OPTION) -> None:
    """Read weights to their last byte and compare; without NAME all that are here. Bad ones are set aside.

    Example: watchkeeper weights verify qwen2.5-1.5b
    """
    env: Env = context.obj
    problems: list[WeightsError] = []
    for name in names or _with_files(env):
        begun, error = time.monotonic(), None
        files: dict[str, str] = {}
        try:
            files = {role: str(path) for role, path in env.weights.verified(name).items()}
        except WeightsError as caught:
            error = caught
            problems.append(caught)
        seconds = round(time.monotonic() - begun, 2)
        value = {"name": name, "ok": error is None, "files": files, "problem": str(error or ""), "seconds": seconds}
        text = f"{name}: {'good' if error is None else 'NOT good'}, {seconds:.1f} s"
        emit(value, as_json=as_json, human=partial(str, text))
    if problems:
        kind = WeightsBad if any(isinstance(problem, WeightsBad) for problem in problems) else type(problems[0])
        raise kind(" | ".join(str(problem) for problem in problems))


def where_weights(context: typer.Context, names: list[str] | None = _NAMES, as_json: bool = JSON_OPTION) -> None:
    """Print where weights lie, or would lie; without NAME the folder of all.

    Example: watchkeeper weights where ocr-small --json
    """
    env: Env = context.obj
    if not names:
        emit({"folder": str(env.weights.folder)}, as_json=as_json, human=lambda: str(env.weights.folder))
    for name in names or ():
        files = env.weights.status(name).files
        value = {"name": name, "files": {file.role: _placed(file) for file in files}}
        emit(value, as_json=as_json, human=partial(_placed_lines, files))


def _with_files(env: Env) -> list[str]:
    """Entries of which any file is here, at whatever size."""
    statuses = [env.weights.status(entry.name) for entry in env.weights.catalogue.entries]
    return [status.name for status in statuses if any(file.state != "missing" for file in status.files)]


def _listed(env: Env, entry: Entry, status: EntryStatus) -> dict[str, Any]:
    return {
        "name": entry.name,
        "kind": entry.kind,
        "title": entry.title,
        "license": entry.license,
        "bytes": sum(file.size for file in entry.required),
        "present": status.present,
        "files": {file.role: _placed(file) for file in status.files},
        "set_aside": [
            {"file": item.file, "reason": item.reason, "when": item.when} for item in env.weights.set_aside(entry.name)
        ],
    }


def _listed_line(value: dict[str, Any]) -> str:
    states = {
        role: file["state"] for role, file in value["files"].items() if file["state"] not in ("present", "missing")
    }
    remarks = [f"{role} is {state}" for role, state in states.items()]
    remarks += [f"{role} pinned by its first pull" for role, file in value["files"].items() if file["pinned_at"]]
    remarks += [f"{item['file']} set aside: {item['reason']}" for item in value["set_aside"]]
    state = "here" if value["present"] else "-"
    line = f"{value['name']:<14} {value['kind']:<10} {megabytes(value['bytes']):>9}  {state:<5} {value['title']}"
    return line + (f" ({'; '.join(remarks)})" if remarks else "")


def _placed(file: FileStatus) -> dict[str, Any]:
    pinned_at = file.pin.pinned_at if file.pin else None
    return {"path": str(file.path), "state": file.state, "bytes": file.bytes, "pinned_at": pinned_at}


def _placed_lines(files: tuple[FileStatus, ...]) -> str:
    return "\n".join(f"{file.role:<12} {file.state:<11} {file.path}" for file in files)


def _pulled(file: PulledFile) -> dict[str, Any]:
    return {
        "name": file.entry,
        "role": file.role,
        "path": str(file.path),
        "bytes": file.bytes,
        "source": file.source,
        "seconds": round(file.seconds, 2),
    }


def _pulled_line(file: PulledFile) -> str:
    source = "was here" if file.source == "here" else f"from {file.source}"
    return f"{file.entry:<14} {file.role:<12} {megabytes(file.bytes):>9}  {source}, {file.seconds:.1f} s"
