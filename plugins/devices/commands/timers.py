"""`watchkeeper timers`: what runs, what is ordered for later, what became of it; and to cancel one."""

from __future__ import annotations

from collections.abc import Callable

import typer

from agent.api import Env, InputError, emit
from agent.console import JSON_OPTION
from plugins.devices.opened import OpenHouse
from plugins.devices.timer_words import list_line

__all__ = ["add_timers"]

_ENDED = typer.Option(False, "--all", help="Also those that have ended.")
_CANCEL = typer.Option("", "--cancel", metavar="ID", help="Cancel this one.")


def add_timers(cli: typer.Typer, opened: Callable[[Env], OpenHouse]) -> None:
    """Add `timers` to the root application.

    :param opened: gives what is open for this box.
    """

    @cli.command()
    def timers(
        context: typer.Context, cancel: str = _CANCEL, ended: bool = _ENDED, as_json: bool = JSON_OPTION
    ) -> None:
        """Show timers and orders for later. `serve` and `voice serve` fire them.

        Example: watchkeeper timers
        """
        env: Env = context.obj
        kept = opened(env).timers()
        if cancel:
            found = kept.get(cancel)
            if found is None or not kept.cancel([found]):
                raise InputError(f"{cancel[:40]}: no timer of that id runs; see: watchkeeper timers")
        for timer in [*kept.open(), *(kept.ended() if ended else [])]:
            told = {
                "timer": timer.id, "state": timer.state, "said": timer.said, "name": timer.name, "due": timer.due,
                "seconds": timer.seconds, "left": timer.left(env.now().timestamp()),
                "orders": [dict(order) for order in timer.orders], "outcome": timer.outcome,
            }  # fmt: skip
            emit(told, as_json=as_json, human=f"{timer.id}  {list_line(timer, env.now())['en']}")
