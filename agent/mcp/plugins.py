"""Tools of other servers of the protocol, each server as a plugin. None unless the settings name one.

What a server says of itself is not believed: names become plain, descriptions are cut, and a tool that it calls
harmless still needs a person's approval of each call, unless a person has named it in `reads`. Its tools are offered
only where a question names the server or one of its `cues`; what comes back is shown as what that server says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any, Protocol

from pydantic import TypeAdapter

from agent.env import Env
from agent.errors import InputError
from agent.hookspecs import Finding, hookimpl
from agent.server.openai.schemas import plain_schema
from agent.server.problems import Problem
from agent.settings import MCPServerSettings, MCPSettings
from agent.tools import Parameter, Risk, Tool
from agent.values import Json, ToolResult, say

__all__ = ["Connection", "MCPPlugin", "Offer", "mcp_plugins"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
_TOOL_NAME = re.compile(r"[A-Za-z0-9_./-]{1,64}")
_PARAMETER = re.compile(r"[A-Za-z_]\w{0,63}")
_ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)


class Offer(Protocol):
    """A tool as a server tells it."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def schema(self) -> Mapping[str, Any]: ...

    @property
    def destroys(self) -> bool: ...


class Connection(Protocol):
    """A server that is spoken to; `agent.mcp.client` has the one there is."""

    def offers(self) -> list[Any]:
        """:raises ToolUnavailable: it does not answer."""

    def call(self, tool: str, arguments: Mapping[str, Json]) -> str:
        """:raises ToolFailed: it could not do it."""

    def close(self) -> None: ...


def mcp_plugins(env: Env) -> Mapping[str, MCPPlugin]:
    """Plugins for `load_plugins`, by name. No server is started before its tools are wanted.

    :raises InputError: a server's name is none, or it has neither command nor address.
    """
    made: dict[str, MCPPlugin] = {}
    for name, settings in env.settings.mcp.servers.items():
        if not _NAME.fullmatch(name):
            raise InputError(f"mcp.servers: {name[:40]!r} is no name; take letters, digits, - and _, at most 32")
        if bool(settings.command) == bool(settings.url):
            raise InputError(f"mcp.servers.{name}: give either a command or a url")
        made[f"mcp-{name}"] = MCPPlugin(name, settings, env.settings.mcp)
    return made


class MCPPlugin:
    """One server as a plugin."""

    def __init__(
        self, name: str, settings: MCPServerSettings, bounds: MCPSettings, connection: Connection | None = None
    ) -> None:
        """
        :param connection: for tests; by default one is opened when it is needed.
        """
        self._name, self._settings, self._bounds = name, settings, bounds
        self._connection = connection
        self._left_out: list[str] = []

    @hookimpl
    def register_tools(self) -> Iterable[Tool]:
        """Its tools; those that cannot be used safely are left out and said."""
        self._left_out.clear()
        wanted = [one for one in self._open().offers() if not self._settings.tools or one.name in self._settings.tools]
        if len(wanted) > self._bounds.most_tools:
            self._left_out.append(f"{len(wanted) - self._bounds.most_tools} beyond mcp.most_tools")
        return [tool for one in wanted[: self._bounds.most_tools] if (tool := self._tool(one)) is not None]

    @hookimpl
    def check_health(self) -> Iterable[Finding]:
        """Which of its tools were left out, and why."""
        told = "; ".join(self._left_out)
        return [Finding(f"mcp server {self._name}", not told, told or "all tools that were asked for can be used")]

    @hookimpl
    def shutdown(self, env: Env | None = None) -> None:
        """End it."""
        if self._connection is not None:
            self._connection.close()

    def __str__(self) -> str:
        return f"MCP server {self._name}"

    def _open(self) -> Connection:
        if self._connection is None:
            try:
                client = import_module("agent.mcp.client")
            except ModuleNotFoundError as error:
                told = f"mcp.servers.{self._name} needs {error.name}; install it: pip install 'watchkeeper[server]'"
                raise InputError(told) from None
            self._connection = client.ServerConnection(self._name, self._settings, self._bounds)
        assert self._connection is not None
        return self._connection

    def _tool(self, offer: Offer) -> Tool | None:
        if not _TOOL_NAME.fullmatch(offer.name):
            self._left_out.append(f"{_plain(offer.name, 40)!r}: no plain name")
            return None
        try:
            schema: Any = plain_schema(offer.schema, offer.name)
        except Problem as problem:
            self._left_out.append(problem.message["en"])
            return None
        properties, required = schema.get("properties") or {}, schema.get("required") or []
        if not all(_PARAMETER.fullmatch(name) for name in properties):
            self._left_out.append(f"{offer.name}: an argument has no plain name")
            return None

        def function(**arguments: Json) -> ToolResult:
            said = self._open().call(offer.name, arguments)
            told = f"{self._name}: {_plain(said, self._bounds.result_chars) or '-'}"
            return ToolResult(notes=(say(told, told),))

        words = (self._name, *self._settings.cues)
        parameters = tuple(Parameter(n, s, n in required, (), _ANYTHING) for n, s in properties.items())
        made = Tool(
            re.sub(r"\W", "_", f"{self._name}_{offer.name}")[:64],
            f"(of {self._name}) {_plain(offer.description, self._bounds.description_chars)}",
            parameters,
            self._risk(offer),
            function,
        )
        return replace(made, asked=lambda part: any(word.casefold() in part.casefold() for word in words))

    def _risk(self, offer: Offer) -> Risk:
        if offer.name in self._settings.reads:
            return "read"
        return "dangerous" if offer.destroys else "write"


def _plain(text: str, most: int) -> str:
    """Without what would change how a line looks, and no longer than it may be."""
    shown = "".join(c if c.isprintable() else " " for c in text[: 4 * most])
    cut = " ".join(shown.split())
    return cut if len(cut) <= most else f"{cut[: most - 1]}…"
