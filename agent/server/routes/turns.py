"""Questions and what becomes of them: /api/turns."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from agent.perception import Perception
from agent.photo import load_photo
from agent.server.live import LiveTurn
from agent.server.problems import Problem
from agent.server.routes.depend import AskCaller, TheService
from agent.server.security.caller import Caller
from agent.server.service import Service
from agent.upright import upright_photo
from agent.values import say

__all__ = ["STREAM_HEADERS", "decoded_photo", "follow", "own_turn", "router"]

router = APIRouter(prefix="/api/turns", tags=["turns"])
_QUALITY = 90
_MOST_LISTED = 200
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Question(BaseModel):
    """A question, and a photo of a panel where there is one."""

    model_config = ConfigDict(extra="forbid")

    question: str
    photo: str | None = Field(default=None, description="A JPEG, PNG, WebP or HEIC file as base64, or as a data URI.")
    conversation: str = Field(default="", max_length=64, description="A name of your own; questions under it go on.")
    keep: bool = Field(default=True, description="False: the turn ends when its stream of events is closed.")
    key: str = Field(default="", max_length=64, description="Of your own; asked again under it, it is the same turn.")


@router.post("", status_code=202)
async def ask(asked: Question, service: TheService, caller: AskCaller) -> dict[str, object]:
    """Ask; the answer is at the turn that is given back."""
    photo = decoded_photo(asked.photo)
    turn = await run_in_threadpool(
        service.ask,
        asked.question,
        client=caller.client,
        photo=photo,
        conversation=asked.conversation,
        keep=asked.keep,
        key=asked.key,
    )
    return {"turn": turn.asked.id, "position": turn.position, "estimate_s": turn.estimate_s}


@router.get("")
def history(
    service: TheService, caller: AskCaller, limit: Annotated[int, Query(ge=1, le=_MOST_LISTED)] = 50
) -> dict[str, object]:
    """Your own turns, newest first."""
    return {"turns": service.history(caller.client, limit)}


@router.get("/{turn}")
def look(turn: str, service: TheService, caller: AskCaller) -> dict[str, object]:
    """Where a turn stands."""
    return service.told(own_turn(turn, service, caller))


@router.get("/{turn}/events")
async def events(
    turn: str,
    request: Request,
    service: TheService,
    caller: AskCaller,
    last_event_id: Annotated[str, Header()] = "",
) -> StreamingResponse:
    """What happens in a turn, as server-sent events: position, step, token, answer, error; from `Last-Event-ID` on."""
    found = await run_in_threadpool(own_turn, turn, service, caller)
    return StreamingResponse(
        _texts(found, service, found.log.seen(last_event_id)), media_type="text/event-stream", headers=STREAM_HEADERS
    )


@router.delete("/{turn}", status_code=202)
def cancel(turn: str, service: TheService, caller: AskCaller) -> dict[str, object]:
    """Do not go on with a turn."""
    found = own_turn(turn, service, caller)
    service.cancel(found)
    return {"turn": turn, "state": found.state}


@router.get("/{turn}/photo", responses={200: {"content": {"image/jpeg": {}}}}, response_class=Response)
def photo(turn: str, service: TheService, caller: AskCaller) -> Response:
    """The photo, upright and straight, as the boxes of its perception have it."""
    own_turn(turn, service, caller)
    data, perception = service.store.photo(turn), service.store.perception(turn)
    if data is None:
        raise Problem(404, "no_photo", say("没有照片,或照片已清理。", "there is no photo, or it is not kept any more"))
    loaded = load_photo(data, service.env.settings.photo)
    upright = upright_photo(loaded, _geometry(perception)) if perception else loaded
    out = BytesIO()
    Image.fromarray(upright.pixels).save(out, "JPEG", quality=_QUALITY)
    return Response(out.getvalue(), media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})


@router.get("/{turn}/perception")
def perception(turn: str, service: TheService, caller: AskCaller) -> dict[str, object]:
    """What was read from the photo: texts, readings, lamps and alarms, boxes in pixels of that image."""
    own_turn(turn, service, caller)
    found = service.store.perception(turn)
    if found is None:
        raise Problem(404, "no_perception", say("还没有读取照片。", "no photo of it was read, or not yet"))
    return found


def own_turn(turn: str, service: Service, caller: Caller) -> LiveTurn:
    """A turn that this caller may see: its own; an administrator's is every one.

    :raises Problem: there is none.
    """
    found = service.find(turn) if len(turn) <= 40 else None
    if found is None or (found.asked.client != caller.client and not caller.may("admin")):
        raise Problem(404, "no_turn", say("没有这次提问。", "there is no such turn"), "GET /api/turns lists yours")
    return found


def decoded_photo(text: str | None) -> bytes | None:
    """The file in base64, with or without the head of a data URI.

    :raises Problem: it is none.
    """
    if not text:
        return None
    body = text.partition(",")[2] if text[:5].lower() == "data:" else text
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        told = say("照片不是 base64 编码。", "the photo is not base64; encode the bytes of its file")
        raise Problem(422, "bad_photo", told) from None


def _geometry(found: dict[str, Any]) -> Perception:
    """Of a perception that was kept as JSON, what says how its photo was turned."""
    width, height = found["size"]
    matrix = found["matrix"]
    return Perception(
        (), (), (), (), (int(width), int(height)), 0.0,
        turned=int(found["turned"]), matrix=None if matrix is None else tuple(map(float, matrix)),
    )  # fmt: skip


async def _texts(turn: LiveTurn, service: Service, last: int) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    async for event in follow(turn, service, last):
        yield event


async def follow(turn: LiveTurn, service: Service, last: int) -> AsyncIterator[str]:
    """Events as text; a turn that is not to be kept ends when whoever listens goes."""
    try:
        async for event in turn.log.follow(last, beat_seconds=service.settings.beat_seconds):
            yield ": beat\n\n" if event is None else event.to_text()
    finally:
        if not turn.keep and not turn.log.ended:
            service.cancel(turn)
