"""What the box does, for Prometheus: /metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool

from agent.server.measures import Measures
from agent.server.routes.depend import AskCaller

__all__ = ["router"]


@asynccontextmanager
async def _counting(app: FastAPI) -> AsyncIterator[None]:
    """Turns are counted from the start, also before anybody asks."""
    app.state.measures = Measures(app.state.service, app.state.answers)
    yield


router = APIRouter(tags=["metrics"], lifespan=_counting)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request, caller: AskCaller) -> Response:
    """Turns, stages, tokens, requests, queue, rungs, workers, disk, heat, approvals, commands, outbox and schedules."""
    measures: Measures = request.app.state.measures
    return Response(await run_in_threadpool(measures.text), media_type=CONTENT_TYPE_LATEST)
