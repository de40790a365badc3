"""`watchkeeper update` and `watchkeeper update trust`: signed weights and modules from an address or a stick.

Exit codes: 0 done or nothing to do, 2 it could not be fetched or put in use, 5 what is offered is not to be trusted.
Whatever happens, the last good version stays in use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from agent.console import JSON_OPTION, emit
from agent.env import Env
from agent.errors import UpdateError, UpdateOffline
from agent.modules.host import ModuleHost
from agent.updates.health import try_weights
from agent.updates.items import Kind, Outcome
from agent.updates.modules import ModuleReceiver
from agent.updates.receivers import Receiver
from agent.updates.trust import Pinned, pin_root
from agent.updates.update import Updates
from agent.updates.weights import WeightsReceiver
from agent.weights.progress import Reporter, SilentReporter, choose_reporter, megabytes

__all__ = ["check_quietly", "commands", "open_updates"]

_SAYS = {
    "here": "in use",
    "available": "can be had",
    "not chosen": "not used on this box; name it to get it",
    "held back": "held back",
    "installed": "is in use now",
    "kept": "did not work, so the last good version stays",
    "failed": "could not be put in use; the last good version stays",
}


def commands() -> typer.Typer:
    """The sub-application."""
    app = typer.Typer(help="Signed updates of weights and modules, from an address or a stick.")

    @app.callback(invoke_without_command=True)
    def update(
        context: typer.Context,
        source: Annotated[str, typer.Option("--from", metavar="URL|FOLDER", help="Else `updates.source`.")] = "",
        only: Annotated[
            list[str] | None, typer.Option("--only", metavar="NAME", help="Also what is not here yet.")
        ] = None,
        check: Annotated[bool, typer.Option("--check", help="Say what there is; silent when nobody answers.")] = False,
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Fetch what is newer, put it in use, and keep the last good version of what does not work.

        Example: watchkeeper update --from /media/usb
        """
        if context.invoked_subcommand is None:
            _update(context.obj, source, only or (), check=check, as_json=as_json)

    @app.command()
    def trust(
        context: typer.Context,
        file: Annotated[Path, typer.Argument(metavar="FILE", help="The root.json of your repository.")],
        replace: Annotated[bool, typer.Option("--replace", help="In place of another root.")] = False,
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Believe a repository from now on. Compare the keys with those on the sheet that came with it.

        Example: watchkeeper update trust /media/usb/root.json
        """
        env: Env = context.obj
        most = env.settings.updates.max_root_bytes
        pinned = pin_root(file, env.home.updates, replace=replace, max_bytes=most)
        emit(asdict(pinned), as_json=as_json, human=lambda: _pinned_text(pinned))

    return app


@contextmanager
def open_updates(env: Env, reporter: Reporter) -> Iterator[Updates]:
    """The updates of this box, with who receives them."""
    weights = WeightsReceiver(env.weights, env.home.updates, env.home.box_key, partial(try_weights, env), reporter)
    with closing(ModuleHost(env)) as host:
        receivers: dict[Kind, Receiver] = {"weights": weights, "module": ModuleReceiver(host)}
        yield Updates(env.home.updates, env.settings, receivers)


def check_quietly(env: Env) -> list[Outcome] | None:
    """For a timer: what `updates.source` offers; None where there is no source or nobody answers.

    :raises UpdateRefused: what is offered is not to be trusted.
    :raises UpdateError: the place or the disk fails.
    """
    if not env.settings.updates.source:
        return None
    try:
        with open_updates(env, SilentReporter()) as updates:
            return updates.check(env.settings.updates.source)
    except UpdateOffline:
        return None


def _update(env: Env, source: str, names: Sequence[str], *, check: bool, as_json: bool) -> None:
    where = source or env.settings.updates.source
    if not where:
        raise UpdateError("no place to update from; add --from URL or --from FOLDER, or set updates.source")
    if check:
        try:
            with open_updates(env, SilentReporter()) as updates:
                outcomes = updates.check(where, names)
        except UpdateOffline:
            return
    else:
        with choose_reporter() as reporter, open_updates(env, reporter) as updates:
            outcomes = updates.update(where, reporter, names)
    for outcome in outcomes:
        emit(asdict(outcome), as_json=as_json, human=partial(_line, outcome))
    kept = [outcome for outcome in outcomes if outcome.state in ("kept", "failed")]
    if kept:
        raise UpdateError(
            " | ".join(f"{outcome.kind} {outcome.name} {outcome.version}: {outcome.problem}" for outcome in kept)
        )


def _line(outcome: Outcome) -> str:
    was = f", before {outcome.was}" if outcome.was and outcome.state != "here" else ""
    problem = f": {outcome.problem}; name it with --only to try again" if outcome.state == "held back" else ""
    said = f"{_SAYS[outcome.state]}{problem}"
    if outcome.kind == "weights" and outcome.state == "installed":
        said = "is in use from the agent's next start"
    return f"{outcome.kind:<8} {outcome.name:<20} {outcome.version:<14} {megabytes(outcome.bytes):>9}  {said}{was}"


def _pinned_text(pinned: Pinned) -> str:
    keys = "\n".join(f"  {key}" for key in pinned.keys)
    return (
        f"root {pinned.version} is trusted until {pinned.expires:%Y-%m-%d}; {pinned.threshold} of these keys sign the "
        f"next one:\n{keys}"
    )
