"""The same turn for programs: /api/predict answers when it is through, or streams; /api/ocr reads a photo alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from agent.photo import check_photo, load_photo
from agent.server.live import LiveTurn
from agent.server.problems import INTERNAL, Problem
from agent.server.routes.depend import AskCaller, TheService
from agent.server.routes.turns import decoded_photo
from agent.server.service import Service
from agent.values import say

__all__ = ["router"]

router = APIRouter(tags=["predict"])
_FORM_PARTS = 8


class Prediction(BaseModel):
    """A question, and a photo of a panel where there is one."""

    model_config = ConfigDict(extra="forbid")

    question: str
    photo: str | None = Field(default=None, description="A file as base64; in a multipart form the file itself.")
    conversation: str = Field(default="", max_length=64)
    stream: bool = Field(default=False, description="Lines of JSON: {token, done}; the last one has all the rest.")


class Picture(BaseModel):
    """A photo."""

    model_config = ConfigDict(extra="forbid")

    photo: str


_SHAPES: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": Prediction.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["question"],
                    "properties": {
                        "question": {"type": "string"},
                        "photo": {"type": "string", "format": "binary"},
                        "conversation": {"type": "string"},
                        "stream": {"type": "boolean"},
                    },
                }
            },
        },
    }
}


@router.post("/api/predict", openapi_extra=dict(_SHAPES))
async def predict(request: Request, service: TheService, caller: AskCaller) -> Response:
    """Ask, and wait for the answer; whoever goes before it is there does not want it."""
    wanted, photo = await _read(request)
    turn = await run_in_threadpool(
        service.ask,
        wanted.question,
        client=caller.client,
        photo=photo,
        conversation=wanted.conversation,
        keep=False,
    )
    if wanted.stream:
        return StreamingResponse(_lines(turn, service), media_type="application/x-ndjson")
    return await _whole(request, turn, service)


@router.post("/api/ocr")
async def ocr(picture: Picture, service: TheService, caller: AskCaller) -> dict[str, object]:
    """What a photo shows: texts, readings, lamps and alarms, boxes in pixels of the upright image."""
    data = decoded_photo(picture.photo) or b""
    env, plugins = service.env, service.agent.plugins
    await run_in_threadpool(check_photo, data, env.settings.photo)
    # awaited, and not waited for in a thread: those who wait would leave none for anybody else
    seen = await asyncio.wrap_future(
        service.submit(lambda: plugins.perceive(load_photo(data, env.settings.photo), env), client=caller.client)
    )
    if seen is None:
        raise Problem(503, "no_reader", say("没有可以读取照片的插件。", "no plugin here reads photos"))
    return seen.to_json()


async def _read(request: Request) -> tuple[Prediction, bytes | None]:
    """What is asked, from JSON or a form.

    :raises Problem: it is neither.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "multipart/form-data":
            return await _form(request)
        wanted = Prediction.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise Problem(422, "bad_request", say("请求格式不对。", f"{where}: {first['msg']}")) from None
    return wanted, decoded_photo(wanted.photo)


async def _form(request: Request) -> tuple[Prediction, bytes | None]:
    async with request.form(max_files=1, max_fields=_FORM_PARTS) as form:
        file = form.get("photo")
        fields = {name: value for name, value in form.items() if name != "photo"}
        photo = await file.read() if isinstance(file, UploadFile) else decoded_photo(file)
        return Prediction.model_validate(fields), photo or None


async def _whole(request: Request, turn: LiveTurn, service: Service) -> Response:
    """The answer, or the error with its status; a turn whose asker goes is cancelled."""
    try:
        async for _ in turn.log.follow(0, beat_seconds=1.0):
            if await request.is_disconnected():
                break
    finally:
        if not turn.log.ended:
            service.cancel(turn)
    if turn.answer is not None:
        return JSONResponse(json.loads(json.dumps({**turn.answer, "actions": _actions(turn)}, default=str)))
    raise turn.error or INTERNAL


async def _lines(turn: LiveTurn, service: Service) -> AsyncIterator[str]:
    try:
        async for event in turn.log.follow(0, beat_seconds=service.settings.beat_seconds):
            if event is None:
                yield _line({"token": "", "done": False})
            elif event.kind == "token":
                yield _line({**event.data, "done": False})
            elif event.kind == "answer":
                answer = event.data["answer"]
                end = {"turn": turn.asked.id, "citations": answer["citations"], "actions": _actions(turn)}
                yield _line({"token": "", "done": True, **end, "answer": answer})
            elif event.kind == "error":
                yield _line({"token": "", "done": True, "turn": turn.asked.id, **event.data})
    finally:
        if not turn.log.ended:
            service.cancel(turn)


def _actions(turn: LiveTurn) -> list[object]:
    """What was done or waits for a person."""
    return list((turn.answer or {}).get("done", ()))


def _line(told: Mapping[str, object]) -> str:
    return json.dumps(told, ensure_ascii=False, default=str) + "\n"
