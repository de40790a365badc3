"""The application: routes, errors as the API tells them, and the gate that every request passes first."""

from __future__ import annotations

import sys
import traceback
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from agent.due import DueKeeper, run_due, say_on_console
from agent.errors import WatchkeeperError
from agent.server.problems import INTERNAL, Problem, problem_of
from agent.server.scheduled import Scheduler
from agent.server.security.answers import Answers
from agent.server.security.gate import Gate
from agent.server.security.rates import Rate
from agent.server.security.tokens import TokenBook
from agent.server.service import Service
from agent.server.sites import site_routers
from agent.server.trail_check import TrailCheck
from agent.values import say
from knowledge.errors import KnowledgeError

__all__ = ["make_app"]

_ROUTES = "agent.server.routes"
_NAMES = (
    "health", "turns", "predict", "approvals", "reports", "schedules", "events", "modules", "openai", "metrics", "mcp",
    "session", "files", "page",
)  # fmt: skip
"""Those that are there; the page last, since it takes what no other one does."""


def make_app(service: Service) -> FastAPI:
    """The application of a service; it starts the service with itself and stops it at its end."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(service.start)
        scheduler.start()
        check.start()
        due.start()
        yield
        check.close()
        await run_in_threadpool(due.close)
        await run_in_threadpool(scheduler.close, service.settings.stop_seconds)
        await run_in_threadpool(service.close)

    scheduler, check = Scheduler(service), TrailCheck(service.env)
    due = DueKeeper(
        lambda: service.run_approved(lambda: run_due(service.agent, say_on_console)),
        seconds=service.env.settings.devices.timer_poll_seconds,
    )
    app = FastAPI(title="Watchkeeper", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.service, app.state.scheduler, app.state.trail_check = service, scheduler, check
    for router in _routers():
        app.include_router(router)
    for router in site_routers(
        service.agent.plugins.sites(service.env), [getattr(route, "path", "") for route in app.routes]
    ):
        app.include_router(router)
    _add_errors(app)
    settings, tokens = service.settings, TokenBook(service.env.home.tokens)
    app.state.wrong_tokens = Rate(settings.wrong_tokens_a_minute)
    app.state.answers = Answers(settings.max_all_answers_bytes)
    app.add_middleware(
        Gate, settings=settings, tokens=tokens, wrong_tokens=app.state.wrong_tokens, answers=app.state.answers
    )
    return app


def _routers() -> Sequence[APIRouter]:
    found = [name for name in _NAMES if find_spec(f"{_ROUTES}.{name}")]
    return [import_module(f"{_ROUTES}.{name}").router for name in found]


def _add_errors(app: FastAPI) -> None:
    async def known(request: Request, error: Exception) -> JSONResponse:
        return _answer(problem_of(error))

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        told = say("请求格式不对。", f"{where}: {first['msg']}")
        return _answer(Problem(422, "bad_request", told, "GET /openapi.json has the form"))

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        code = {404: "not_found", 405: "method"}.get(error.status_code, "http")
        return _answer(Problem(error.status_code, code, say("没有这个地址或方法。", str(error.detail))))

    async def bug(request: Request, error: Exception) -> JSONResponse:
        traceback.print_exception(error, file=sys.stderr)
        return _answer(INTERNAL)

    for kind in (Problem, WatchkeeperError, KnowledgeError):
        app.add_exception_handler(kind, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, bug)


def _answer(problem: Problem) -> JSONResponse:
    headers = {"Retry-After": "5"} if problem.status in (429, 503) else {}
    return JSONResponse(problem.to_json(), problem.status, headers=headers)
