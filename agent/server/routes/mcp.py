"""The Model Context Protocol over HTTP: POST /mcp, behind the same gate, queue and approvals as everything here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from agent.errors import ToolDenied
from agent.mcp.desks import decoded
from agent.mcp.program_calls import Called, offered, run_call
from agent.mcp.server import make_server
from agent.server.problems import INTERNAL
from agent.server.security.caller import Caller
from agent.server.service import Service
from agent.tools import Tool
from agent.values import Json

__all__ = ["router"]


class ServiceDesk:
    """The agent of the server; calls and questions wait in its queue."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def tools(self) -> Mapping[str, Tool]:
        """Those that can be called, by name."""
        return offered(self._service.agent)

    async def call(self, request: Any, name: str, arguments: Mapping[str, Json]) -> Called:
        """As `Desk.call`."""
        caller, agent = _caller(request), self._service.agent
        waits = self._service.submit(
            lambda: run_call(agent, name, arguments, who=f"mcp {caller.client}"), client=caller.client
        )
        return await asyncio.wrap_future(waits)

    async def ask(self, request: Any, question: str, photo: str | None) -> Mapping[str, Any]:
        """As `Desk.ask`."""
        service, picture = self._service, decoded(photo)
        client = _caller(request).client
        turn = await run_in_threadpool(
            lambda: service.ask(question, client=client, photo=picture, keep=False, relayed=True)
        )
        try:
            async for _ in turn.log.follow(0, beat_seconds=service.settings.beat_seconds):
                pass
        finally:
            if not turn.log.ended:
                service.cancel(turn)
        if turn.answer is None:
            problem = turn.error or INTERNAL
            raise ToolDenied(problem.message["en"])
        return turn.answer


class _Endpoint:
    """The protocol's own application; each request stands alone, so that nothing is kept for clients that go."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        manager: StreamableHTTPSessionManager = scope["app"].state.mcp
        await manager.handle_request(scope, receive, send)


@asynccontextmanager
async def _sessions(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    app.state.mcp = StreamableHTTPSessionManager(
        make_server(ServiceDesk(service)),
        json_response=True,
        stateless=True,
        max_request_body_size=service.settings.max_body_bytes,
    )
    async with app.state.mcp.run():
        yield


def _caller(request: Any) -> Caller:
    """Who asks, as the gate found out.

    :raises ToolDenied: somebody who may not.
    """
    caller = request.scope.get("caller") if request is not None else None
    if not isinstance(caller, Caller) or not caller.may("ask"):
        raise ToolDenied("a token of the role 'ask' is needed: watchkeeper tokens add NAME --role ask")
    return caller


router = APIRouter(lifespan=_sessions)
router.routes.append(Route("/mcp", endpoint=_Endpoint(), methods=["POST"], include_in_schema=False))
