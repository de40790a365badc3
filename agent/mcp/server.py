"""This box as a server of the protocol: its tools, and `ask`. Where its requests come from is the transport's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server

from agent.errors import WatchkeeperError
from agent.mcp.described import ASK, ASK_TOOL, called_result, refused_result, tool_of, turn_result
from agent.mcp.program_calls import Called
from agent.tools import Tool
from agent.values import Json
from knowledge.errors import KnowledgeError

__all__ = ["Desk", "make_server", "serve_stdio"]

_INSTRUCTIONS = (
    "Watchkeeper stands watch over machines: it reads panels from photos, knows the plant's alarm log and its manuals. "
    "Every fact comes with its source as [E17] or [M1 §6.2]; pass these on. What moves a device needs a person."
)


class Desk(Protocol):
    """Who answers."""

    def tools(self) -> Mapping[str, Tool]:
        """Those that can be called, by name."""

    async def call(self, request: Any, name: str, arguments: Mapping[str, Json]) -> Called:
        """Make a call.

        :param request: as the transport has it.
        :raises WatchkeeperError: it could not be made.
        """

    async def ask(self, request: Any, question: str, photo: str | None) -> Mapping[str, Any]:
        """Ask; the answer as `TurnRecord.to_json` has it.

        :param photo: a file as base64.
        :raises WatchkeeperError: there is no answer.
        """


def make_server(desk: Desk) -> Server[Any]:
    """The server."""

    async def list_tools(
        context: ServerRequestContext[Any], parameters: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[ASK_TOOL, *map(tool_of, desk.tools().values())])

    async def call_tool(
        context: ServerRequestContext[Any], parameters: types.CallToolRequestParams
    ) -> types.CallToolResult:
        arguments = dict(parameters.arguments or {})
        try:
            if parameters.name == ASK:
                return turn_result(await desk.ask(context.request, *_asked(arguments)))
            return called_result(await desk.call(context.request, parameters.name, arguments))
        except (WatchkeeperError, KnowledgeError, _Wrong) as error:
            return refused_result(str(error))

    return Server("watchkeeper", instructions=_INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool)


async def serve_stdio(desk: Desk) -> None:
    """Serve whoever started this process, over its standard streams, until they close."""
    server = make_server(desk)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


class _Wrong(Exception):
    """Arguments of `ask` that are none."""


def _asked(arguments: Mapping[str, Any]) -> tuple[str, str | None]:
    """:raises _Wrong: no question, or something else."""
    question, photo = arguments.get("question"), arguments.get("photo")
    unknown = sorted(set(arguments) - {"question", "photo"})
    if not isinstance(question, str) or not isinstance(photo, str | None) or unknown:
        raise _Wrong("ask takes a question, and a photo as base64 where there is one")
    return question, photo
