"""OpenAI's chat completions: /v1/models and /v1/chat/completions, so that its clients work unchanged."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from agent.errors import WatchkeeperError
from agent.server.openai.answering import Piece, Pieces, answer_directly, answer_turn, is_direct
from agent.server.openai.request import ChatRequest, body_schema, parse_request
from agent.server.openai.threads import Threads
from agent.server.openai.wire import DONE, Answered, Completion, error_body
from agent.server.problems import INTERNAL, Problem, problem_of
from agent.server.routes.depend import AskCaller, TheService
from agent.server.security.caller import Caller
from agent.server.service import Service
from agent.values import say

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["openai"])
_MODEL = "watchkeeper"
_STREAM = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_GONE = Problem(499, "gone", say("请求方已断开。", "whoever asked has gone"))
_BODY: Mapping[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": body_schema()}}}
}


@router.get("/models")
def models(service: TheService, caller: AskCaller) -> dict[str, object]:
    """The one model there is: this box, whichever of its rungs answers."""
    began = int(service.began)
    rung = service.agent.ladder.name if service.ready else ""
    told = {"id": _MODEL, "object": "model", "created": began, "owned_by": "watchkeeper", "rung": rung}
    return {"object": "list", "data": [told]}


@router.get("/models/{model}")
def model(model: str, service: TheService, caller: AskCaller) -> dict[str, object]:
    """The same by its name."""
    if model != _MODEL:
        raise Problem(404, "model_not_found", say("没有这个模型。", f"the one model here is {_MODEL}"))
    return {"id": _MODEL, "object": "model", "created": int(service.began), "owned_by": "watchkeeper"}


@router.post("/chat/completions", openapi_extra=dict(_BODY))
async def complete(request: Request, service: TheService, caller: AskCaller) -> Response:
    """Answer the last message: with sources as a turn does, or by the client's own functions and form."""
    try:
        wanted = parse_request(await request.body(), service.settings.openai)
        pieces = _pieces(wanted, service, caller, _threads(request))
        if wanted.stream:
            first = await anext(pieces)  # what is refused at once is refused with its status
            return StreamingResponse(_events(wanted, first, pieces), media_type="text/event-stream", headers=_STREAM)
        return JSONResponse(Completion(_MODEL).whole(await _last(request, pieces)))
    except (Problem, WatchkeeperError) as error:
        return _refused(problem_of(error))


def _threads(request: Request) -> Threads:
    """Of this application."""
    state = request.app.state
    if not hasattr(state, "chat_threads"):
        state.chat_threads = Threads(state.service.settings.conversations)
    threads: Threads = state.chat_threads
    return threads


def _pieces(wanted: ChatRequest, service: Service, caller: Caller, threads: Threads) -> Pieces:
    if is_direct(wanted):
        return answer_directly(wanted, service, caller)
    return answer_turn(wanted, service, caller, threads)


async def _last(request: Request, pieces: Pieces) -> Answered:
    """What was answered in the end.

    :raises Problem: whoever asked has gone.
    """
    async with aclosing(pieces):
        async for piece in pieces:
            if isinstance(piece, Answered):
                return piece
            if piece is None and await request.is_disconnected():
                break
    raise _GONE


async def _events(wanted: ChatRequest, first: Piece, pieces: Pieces) -> AsyncIterator[str]:
    completion = Completion(_MODEL)
    yield completion.opening()
    try:
        async with aclosing(pieces):
            for text in _told(wanted, completion, first):
                yield text
            async for piece in pieces:
                for text in _told(wanted, completion, piece):
                    yield text
    except Exception as error:
        yield f"data: {json.dumps(error_body(_known(error)), ensure_ascii=False)}\n\n{DONE}"


def _told(wanted: ChatRequest, completion: Completion, piece: Piece) -> list[str]:
    if piece is None:
        return [": beat\n\n"]
    if isinstance(piece, str):
        return [completion.text(piece)]
    return completion.ending(piece, include_usage=wanted.stream_options.include_usage)


def _known(error: Exception) -> Problem:
    return problem_of(error) if isinstance(error, Problem | WatchkeeperError) else INTERNAL


def _refused(problem: Problem) -> JSONResponse:
    headers = {"Retry-After": "5"} if problem.status in (429, 503) else {}
    return JSONResponse(error_body(problem), problem.status, headers=headers)
