"""`watchkeeper serve` and `watchkeeper tokens`: the server, and who may use it.

What the server needs beyond the base install is imported when it is started.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Annotated, Any

import typer

from agent.commands.ask import build_agent
from agent.console import JSON_OPTION, emit
from agent.env import Env
from agent.errors import InputError
from agent.plugin_host import PluginHost
from agent.server.security.tokens import TokenBook
from agent.turn import Agent

__all__ = ["add_to", "token_commands"]

_OWN = "agent"


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def serve(
        context: typer.Context,
        host: Annotated[str | None, typer.Option(help="Address to listen on; by default server.host.")] = None,
        port: Annotated[int | None, typer.Option(help="By default server.port; 0 takes a free one.")] = None,
    ) -> None:
        """Serve the page and the API, and write reports on schedule. Ends by SIGTERM or Ctrl-C.

        Example: watchkeeper serve
        """
        plugins: PluginHost = context.meta["plugins"]
        run: Callable[[Agent], None] = _server().run_server
        run(build_agent(_with(context.obj, host, port), plugins))


def token_commands() -> typer.Typer:
    """The sub-application."""
    app = typer.Typer(help="Tokens: who may use the server.", no_args_is_help=True)

    @app.command()
    def add(
        context: typer.Context,
        name: Annotated[str, typer.Argument(help="The person or program that it is for.")],
        role: Annotated[str, typer.Option(help="ask, approve (also answers requests) or admin (all).")] = "ask",
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Make a token. It is shown this once.

        Example: watchkeeper tokens add wang --role approve
        """
        token = TokenBook(context.obj.home.tokens).add(name, role)
        emit({"name": name, "role": role, "token": token}, as_json=as_json, human=token)

    @app.command("list")
    def list_(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
        """Whose tokens there are."""
        found = TokenBook(context.obj.home.tokens).all()
        for token in found:
            told = {"name": token.name, "role": token.role, "made": token.made}
            emit(told, as_json=as_json, human=f"{token.name}  {token.role}  {token.made}")
        if not found and not as_json:
            emit(None, as_json=False, human="none; make one: watchkeeper tokens add NAME --role ask")

    @app.command()
    def revoke(context: typer.Context, name: str, as_json: bool = JSON_OPTION) -> None:
        """Let a token in no more; a server that runs heeds it at once."""
        TokenBook(context.obj.home.tokens).revoke(name)
        emit({"revoked": name}, as_json=as_json, human=f"{name}: revoked")

    return app


def _server() -> Any:
    try:
        return import_module("agent.server.run")
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == _OWN:
            raise
        lacking = f"the server needs {error.name}, which is not installed"
        raise InputError(f"{lacking}; install it: pip install 'watchkeeper[server]'") from None


def _with(env: Env, host: str | None, port: int | None) -> Env:
    """The box with what the command line says in place of the settings."""
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    if port is not None and not 0 <= port <= 65_535:
        raise InputError(f"{port}: no port; take one from 1 to 65535, or 0 for a free one")
    server = env.settings.server.model_copy(update=given)
    return replace(env, settings=env.settings.model_copy(update={"server": server}))
