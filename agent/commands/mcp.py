"""`watchkeeper mcp`: this box's tools for other programs, over the Model Context Protocol."""

from __future__ import annotations

from contextlib import closing
from importlib import import_module
from typing import Annotated, Any

import typer

from agent.commands.ask import build_agent
from agent.errors import InputError

__all__ = ["add_to"]

_OWN = "agent"


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def mcp(
        context: typer.Context,
        http: Annotated[bool, typer.Option("--http", help="Serve it at /mcp, with all of `serve`.")] = False,
        name: Annotated[str, typer.Option(help="What the trail calls the program that asks.")] = "mcp",
    ) -> None:
        """Serve the tools of this box to the program that starts this one, over its standard streams.

        What reads is run; what changes something is refused until a person has approved exactly this call.

        Example: watchkeeper mcp
        """
        if http:
            run = _needed("agent.server.run").run_server
            run(build_agent(context.obj, context.meta["plugins"]))
            return
        anyio, desks, server = _needed("anyio"), _needed("agent.mcp.desks"), _needed("agent.mcp.server")
        with closing(build_agent(context.obj, context.meta["plugins"])) as agent:
            anyio.run(server.serve_stdio, desks.AgentDesk(agent, name[:40]))


def _needed(module: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == _OWN:
            raise
        lacking = f"the Model Context Protocol needs {error.name}, which is not installed"
        raise InputError(f"{lacking}; install it: pip install 'watchkeeper[server]'") from None
