"""What the log says: /api/events, /api/readings/latest; and what changes on the box: /api/stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from agent.server.routes.depend import AskCaller, TheService
from agent.server.routes.turns import STREAM_HEADERS
from agent.server.service import Service
from agent.values import Record

__all__ = ["router"]

router = APIRouter(tags=["log"])
_MOST = 500


@router.get("/api/events")
def events(
    service: TheService,
    caller: AskCaller,
    around: Annotated[str, Query(max_length=40)] = "",
    tag: Annotated[str, Query(max_length=200)] = "",
    since: datetime | None = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 50,
) -> dict[str, object]:
    """Events of the log: the latest first, or with `around` (an id as E17) the one with its neighbours in order."""
    moment = None if since is None else since if since.tzinfo else since.astimezone()
    found = service.agent.plugins.list_events(service.env, around=around, tag=tag, since=moment, limit=limit)
    return {"events": [_told(record) for record in found], "around": around}


@router.get("/api/readings/latest")
def readings(
    service: TheService, caller: AskCaller, limit: Annotated[int, Query(ge=1, le=_MOST)] = 100
) -> dict[str, object]:
    """What each series of the log says now."""
    found = service.agent.plugins.latest_readings(service.env, limit=limit)
    return {"readings": [{**record.fields, "id": record.id} for record in found]}


@router.get("/api/stream")
async def stream(
    service: TheService, caller: AskCaller, last_event_id: Annotated[str, Header()] = ""
) -> StreamingResponse:
    """What changes on the box from now on, or since `Last-Event-ID`, as server-sent events `changed` {kind, at}; pages
    then look anew.
    """
    last = service.changes.seen(last_event_id) if last_event_id else service.changes.newest()
    return StreamingResponse(_texts(service, last), media_type="text/event-stream", headers=STREAM_HEADERS)


async def _texts(service: Service, last: int) -> AsyncIterator[str]:
    yield ": here\n\n"
    async for event in service.changes.follow(last, beat_seconds=service.settings.beat_seconds):
        yield ": beat\n\n" if event is None else event.to_text()


def _told(record: Record) -> dict[str, object]:
    return {"id": record.id, "line": dict(record.line), "fields": dict(record.fields)}
