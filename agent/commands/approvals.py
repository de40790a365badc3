"""`watchkeeper approvals`: a person says yes or no to calls that change something."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated

import typer

from agent.approval import Approvals, Request, call_text
from agent.box_key import box_secret
from agent.commands.ask import build_agent
from agent.commands.audit import open_trail
from agent.console import emit
from agent.device_commands import DeviceCommands
from agent.env import Env
from agent.journal import Entry, Journal

__all__ = ["commands", "login_name", "open_approvals"]

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
PersonOption = Annotated[str | None, typer.Option("--by", help="Who decides; else the user who is logged in.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `approvals list` shows it.")]


def commands() -> typer.Typer:
    """The sub-application."""
    app = typer.Typer(help="Calls that change something and wait for a person.", no_args_is_help=True)

    @app.command("list")
    def list_open(context: typer.Context, as_json: JsonFlag = False) -> None:
        """Show what waits for an answer, and commands of which nobody knows whether they arrived.

        Example: watchkeeper approvals list
        """
        with open_approvals(context.obj) as (approvals, devices):
            waiting, unsure = approvals.waiting(), devices.unsure()
        for request in waiting:
            emit(request.to_json(), as_json=as_json, human=_line(request))
        for command in unsure:
            emit(_command(command), as_json=as_json, human=_unsure_line(command))
        if not waiting and not unsure and not as_json:
            emit(None, as_json=False, human="nothing waits")

    @app.command()
    def approve(
        context: typer.Context,
        request: IdArgument,
        by: PersonOption = None,
        run: Annotated[bool, typer.Option("--run", help="Carry it out at once, and read back.")] = False,
        as_json: JsonFlag = False,
    ) -> None:
        """Allow exactly this call, once, until its time is over.

        Example: watchkeeper approvals approve 3f2a91bc
        """
        answered = _answer(context.obj, request, approve=True, by=by, as_json=as_json and not run)
        if run:
            with closing(build_agent(context.obj, context.meta["plugins"])) as agent:
                done = agent.run_approved(answered)
            emit(done.to_json(), as_json=as_json, human=done.line["en"])
            raise typer.Exit(0 if done.came == "confirmed" else 1)

    @app.command()
    def refuse(context: typer.Context, request: IdArgument, by: PersonOption = None, as_json: JsonFlag = False) -> None:
        """Refuse a call, or take back an approval that was not used yet.

        Example: watchkeeper approvals refuse 3f2a91bc
        """
        _answer(context.obj, request, approve=False, by=by, as_json=as_json)

    @app.command()
    def settle(
        context: typer.Context,
        command: IdArgument,
        done: Annotated[bool, typer.Option("--done/--not-done", help="What you saw on the device.")],
        by: PersonOption = None,
        as_json: JsonFlag = False,
    ) -> None:
        """Close a command of which the box cannot tell whether it arrived, after a look at the device.

        Example: watchkeeper approvals settle 3f2a91bc --done
        """
        with open_approvals(context.obj) as (_, devices):
            entry = devices.close_by_hand(command, done=done, person=login_name(by))
        emit(_command(entry), as_json=as_json, human=f"{entry.id}  {entry.state}")

    return app


@contextmanager
def open_approvals(env: Env) -> Iterator[tuple[Approvals, DeviceCommands]]:
    """Approvals and commands of this box, closed again at the end of the block.

    :raises DatabaseError: `watch.db` cannot be used.
    """
    with open_trail(env) as trail, closing(Journal(trail)) as journal:
        key = box_secret(env.home.box_key)
        yield Approvals(journal, env.settings.approvals, key=key), DeviceCommands(journal)


def _answer(env: Env, request_id: str, *, approve: bool, by: str | None, as_json: bool) -> Request:
    with open_approvals(env) as (approvals, _):
        request = approvals.answer(request_id, approve=approve, person=login_name(by))
    emit(request.to_json(), as_json=as_json, human=_line(request))
    return request


def login_name(by: str | None = None) -> str:
    """Who decides: as given, else who is logged in; printable and short."""
    if by is None:
        try:
            by = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:  # a container's user without a name
            by = f"user {os.getuid()}"
    return "".join(c if c.isprintable() else " " for c in by).strip()[:100]


def _line(request: Request) -> str:
    until = f"{request.until.astimezone():%Y-%m-%d %H:%M}"
    return f"{request.id}  {request.state:<8}  until {until}  {call_text(request.tool, request.arguments)}"


def _command(entry: Entry) -> dict[str, object]:
    return {"command": entry.id, "state": entry.state, **entry.body, "approved_by": entry.person}


def _unsure_line(entry: Entry) -> str:
    called = call_text(str(entry.body.get("tool")), entry.body.get("arguments") or {})
    return f"{entry.id}  unsure    sent, nobody knows whether it arrived: look, then `approvals settle`  {called}"
