"""`watchkeeper weights list|pull|verify|repair|rollback|where`.

Results go to stdout, progress and remarks to stderr. Exit codes: 2 where a pull fails, 3 where weights are missing or
bad.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any

import typer

from agent.boxes import profile_named
from agent.console import JSON_OPTION, emit
from agent.env import Env
from agent.errors import WeightsBad, WeightsError
from agent.weights.catalogue import Entry
from agent.weights.chunks import OnBytes
from agent.weights.ladder import look_at_machine, recommended
from agent.weights.progress import Reporter, choose_reporter, megabytes
from agent.weights.pull import PulledFile, pull
from agent.weights.status import EntryStatus, FileStatus

__all__ = ["commands"]

_NAMES = typer.Argument(None, metavar="NAME", help="Names of the catalogue; see `watchkeeper weights list`.")
_SHOWN_BYTES = 100_000_000
"""Reading less than this takes no time worth a bar."""
_OPTIONAL = typer.Option(False, "--optional", help="Also files that only stand for others.")


def commands() -> typer.Typer:
    """The sub-application."""
    app = typer.Typer(no_args_is_help=True, help="Model files: what there is, fetch, verify, where they lie.")
    app.command("list")(list_weights)
    app.command("pull")(pull_weights)
    app.command("verify")(verify_weights)
    app.command("repair")(repair_weights)
    app.command("rollback")(roll_back_weights)
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
    """Fetch weights and verify them; without NAME what suits this box: model, readers of panels, and what
    finds manuals by meaning.

    A pull that was stopped goes on where it was.

    Example: watchkeeper weights pull qwen2.5-1.5b ocr-small
    """
    env: Env = context.obj
    begun = time.monotonic()
    profile = profile_named(env.settings.box.profile)
    # A server that runs has loaded a model already, and this is no smaller box for that.
    seen = look_at_machine(env.weights.folder).having(profile.least_free_bytes if profile else 0)
    machine = seen.within(env.settings.model.max_ram_bytes)
    reader, spare = f"ocr-{env.settings.panel.ocr}", env.settings.weights.spare_bytes
    catalogue = env.weights.catalogue
    chosen = names or list(recommended(machine, spare_bytes=spare, reader=reader, catalogue=catalogue))
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
        previous = ""
        try:
            with choose_reporter() as reporter:
                found = env.weights.verified(name, on_bytes=_show_reading(env, name, reporter))
            files, previous = {role: str(path) for role, path in found.items()}, found.previous
        except WeightsError as caught:
            error = caught
            problems.append(caught)
        seconds = round(time.monotonic() - begun, 2)
        value = {"name": name, "ok": error is None, "files": files, "problem": str(error or previous)}
        good = "NOT good" if error else f"the version before is good; {previous}" if previous else "good"
        text = f"{name}: {good}, {seconds:.1f} s"
        emit({**value, "previous": bool(previous), "seconds": seconds}, as_json=as_json, human=partial(str, text))
    if problems:
        kind = WeightsBad if any(isinstance(problem, WeightsBad) for problem in problems) else type(problems[0])
        raise kind(" | ".join(str(problem) for problem in problems))


def repair_weights(context: typer.Context, names: list[str] | None = _NAMES, as_json: bool = JSON_OPTION) -> None:
    """Bring damaged weights back, fetching only what is damaged of them; without NAME all that were set aside.

    Example: watchkeeper weights repair qwen2.5-1.5b
    """
    env: Env = context.obj
    begun = time.monotonic()
    chosen = names or list(dict.fromkeys(item.file.split("/")[0] for item in env.weights.set_aside()))
    with choose_reporter() as reporter:
        files = pull(env.weights, chosen, reporter)
        told = f"{', '.join(chosen)}: here and verified" if chosen else "nothing was set aside"
        reporter.note(f"{told} after {time.monotonic() - begun:.1f} s")
    value = {"names": chosen, "files": [_pulled(file) for file in files], "seconds": round(time.monotonic() - begun, 2)}
    emit(value, as_json=as_json, human=lambda: "\n".join(_pulled_line(file) for file in files))


def roll_back_weights(
    context: typer.Context,
    name: str = typer.Argument(metavar="NAME", help="A name of the catalogue."),
    reason: str = typer.Option("a person went back", "--reason", help="Kept, and shown by list and doctor."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Let the version before answer, until another one is pulled.

    Example: watchkeeper weights rollback qwen2.5-1.5b --reason "answers in Latin"
    """
    env: Env = context.obj
    env.weights.reject(name, reason)
    files = {role: str(path) for role, path in env.weights.verified(name).items()}
    emit({"name": name, "reason": reason, "files": files}, as_json=as_json, human="\n".join(files.values()))


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


def _show_reading(env: Env, name: str, reporter: Reporter) -> OnBytes | None:
    """How far the reading is; None where it is over before anybody looks."""
    total = sum(file.bytes for file in env.weights.status(name).files)
    if total < _SHOWN_BYTES:
        return None
    reporter.started(name, total, 0, doing="to read")
    counted, lock = [0], threading.Lock()

    def count(more: int) -> None:
        with lock:
            counted[0] += more
            reporter.moved(counted[0])

    return count


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
        "mended_chunks": file.mended_chunks,
        "seconds": round(file.seconds, 2),
    }


def _pulled_line(file: PulledFile) -> str:
    source = "was here" if file.source == "here" else f"from {file.source}"
    source += f", {file.mended_chunks} chunks repaired" if file.mended_chunks else ""
    return f"{file.entry:<14} {file.role:<12} {megabytes(file.bytes):>9}  {source}, {file.seconds:.1f} s"
