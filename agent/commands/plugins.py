"""`watchkeeper plugins`: what is loaded and which tools it brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from agent.console import emit
from agent.plugin_host import PluginHost

__all__ = ["commands"]


def commands() -> typer.Typer:
    """The sub-application."""
    app = typer.Typer(help="Plugins and their tools.", no_args_is_help=True)

    @app.command("list")
    def list_plugins(
        context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
    ) -> None:
        """Show plugins, whether they work, and their tools.

        Example: watchkeeper plugins list
        """
        host: PluginHost = context.meta["plugins"]
        tools = host.tools(context.obj)
        for plugin in host.plugins:
            value = {
                "plugin": plugin.name,
                "module": plugin.module,
                "problem": plugin.problem,
                "tools": [
                    {"name": t.name, "risk": t.risk, "description": t.description}
                    for t in tools
                    if t.plugin == plugin.name
                ],
            }
            emit(value, as_json=as_json, human=_text(value))

    return app


def _text(value: Mapping[str, object]) -> str:
    lines = [f"{value['plugin']}  {value['problem'] or 'works'}  ({value['module']})"]
    tools = value["tools"]
    assert isinstance(tools, list)
    lines += [f"    {tool['name']} ({tool['risk']}): {tool['description']}" for tool in tools]
    return "\n".join(lines)
