"""One server of the protocol, spoken to from ordinary code: its own event loop lives in a thread.

It is started when its tools are first wanted, and once more for a call after it has died; a call that was sent is never
sent again. Everything that it sends is bounded in time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import mcp_types as types
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from agent.errors import ToolFailed, ToolUnavailable
from agent.settings import MCPServerSettings, MCPSettings
from agent.values import Json

__all__ = ["ServerConnection", "ToolOffer"]


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """A tool as the server tells it."""

    name: str
    description: str
    schema: Mapping[str, Any]
    destroys: bool
    """What the protocol takes for granted where a server says nothing."""


class ServerConnection:
    """Safe for use from several threads."""

    def __init__(self, name: str, settings: MCPServerSettings, bounds: MCPSettings) -> None:
        """Starts nothing."""
        self._name, self._settings, self._bounds = name, settings, bounds
        self._lock = threading.Lock()
        self._live: _Live | None = None

    def offers(self) -> list[ToolOffer]:
        """Its tools.

        :raises ToolUnavailable: it does not start, or does not answer in time.
        """
        return [_offer(tool) for tool in self._opened().tools]

    def call(self, tool: str, arguments: Mapping[str, Json]) -> str:
        """What a tool says.

        :raises ToolUnavailable: the server is not there.
        :raises ToolFailed: it said that it failed, or did not answer in time.
        """
        live = self._opened()
        waits = asyncio.run_coroutine_threadsafe(live.client.call_tool(tool, dict(arguments)), live.loop)
        try:
            result = waits.result(self._bounds.call_seconds)
        except TookTooLong:
            waits.cancel()
            raise ToolFailed(f"{self._name} {tool}: no answer within {self._bounds.call_seconds:g} s") from None
        except Exception as error:
            self.close()
            raise ToolFailed(f"{self._name} {tool}: {type(error).__name__}: {str(error)[:200]}") from None
        said = "\n".join(part.text for part in result.content if isinstance(part, types.TextContent))
        if result.is_error:
            raise ToolFailed(f"{self._name} {tool}: {said[:500]}")
        return said

    def close(self) -> None:
        """End it. Calling it twice is fine."""
        with self._lock:
            live, self._live = self._live, None
        if live is not None:
            live.close(self._bounds.start_seconds)

    def _opened(self) -> _Live:
        with self._lock:
            if self._live is None or not self._live.alive:
                self._live = None
                live = _Live(self._name, self._settings)
                try:
                    live.ready.result(self._bounds.start_seconds)
                except Exception as error:
                    live.close(0.0)
                    why = "did not start in time" if isinstance(error, TookTooLong) else str(error)[:200]
                    raise ToolUnavailable(f"mcp.servers.{self._name}: {why}; see its command or url") from None
                self._live = live
            return self._live


class _Live:
    """A connection that stands, in a thread of its own."""

    client: Client
    tools: list[types.Tool]

    def __init__(self, name: str, settings: MCPServerSettings) -> None:
        self._settings = settings
        self.ready: Future[None] = Future()
        self.loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._work, name=f"mcp {name}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def close(self, seconds: float) -> None:
        if self.alive:
            self.loop.call_soon_threadsafe(self._end.set)
            self._thread.join(seconds)

    def _work(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._stand())

    async def _stand(self) -> None:
        try:
            async with _server(self._settings) as server, Client(server) as client:
                self.tools = (await client.list_tools()).tools
                self.client = client
                self.ready.set_result(None)
                await self._end.wait()
        except Exception as error:
            if not self.ready.done():
                self.ready.set_exception(_first(error))


@asynccontextmanager
async def _server(settings: MCPServerSettings) -> AsyncIterator[Any]:
    """What the SDK's client takes: a command, or a connection that follows no proxy and no redirect."""
    if settings.command:
        program, *arguments = settings.command
        yield StdioServerParameters(command=program, args=arguments, env=dict(settings.environment))
        return
    async with httpx2.AsyncClient(headers=settings.headers, trust_env=False, follow_redirects=False) as client:
        yield streamable_http_client(settings.url, http_client=client)


def _first(error: BaseException) -> BaseException:
    """What went wrong, out of the group that it comes in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _offer(tool: types.Tool) -> ToolOffer:
    hints = tool.annotations or types.ToolAnnotations()
    harmless = hints.read_only_hint is True or hints.destructive_hint is False
    return ToolOffer(tool.name, tool.description or "", tool.input_schema, not harmless)
