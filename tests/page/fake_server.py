"""A server for the page that follows a script: turns stop where a test wants them to, and streams break on demand.

It serves the real page by the real route, and the API's shapes with made-up content; no model, no database.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from agent.server.routes.page import router as page_router
from tests.page import script
from tests.servers.debian import free_port

BEFORE_ANSWER: tuple[tuple[str, dict[str, Any]], ...] = (
    ("position", {"position": 0, "estimate_s": 0}),
    (
        "step",
        {"kind": "photo_read", "text": {"zh": "照片上读到 135 处文字、35 个读数", "en": "The photo shows 135 texts"}},
    ),
    ("step", {"kind": "perception", "text": {"zh": "可以看识别结果", "en": "What was read can be seen"}}),
    ("step", {"kind": "tool_called", "text": {"zh": "查询 find_events:循环变频故障", "en": "Looks up find_events"}}),
    ("step", {"kind": "found", "text": {"zh": "已查到一部分", "en": "A part was found"}, "parts": script.PARTS[:1]}),
)


@dataclass
class FakeTurn:
    """One scripted turn."""

    id: str
    body: dict[str, Any]
    at: float = field(default_factory=time.time)
    cancelled: bool = False


class FakeServer:
    """The script. A turn stays before its answer until `answering` is set."""

    def __init__(self) -> None:
        self.turns: dict[str, FakeTurn] = {}
        self.keys: dict[str, str] = {}
        self.calls = [dict(script.CALL)]
        self.decisions: list[dict[str, Any]] = []
        self.changes: list[str] = []
        self.answering = threading.Event()
        self.answering.set()
        self.breaks = 0
        """How many more streams break before their end."""
        self.was_killed = False
        self.starts = 0
        """How often it was started: each start numbers the events of a turn anew."""
        self.stream_starts: list[str] = []
        """`Last-Event-ID` of each stream that was opened."""
        self.token = ""
        """Where set, every request of the API needs it."""
        self.port = free_port()
        self.app = _make_app(self)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve, on the same port each time."""
        self.starts += 1
        config = uvicorn.Config(
            self.app, "127.0.0.1", self.port, log_level="error", ws="none", lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        try:
            yield
        finally:
            server.should_exit = server.force_exit = True
            thread.join(10)

    def events(self, turn: FakeTurn) -> list[tuple[str, dict[str, Any]]]:
        """What has happened in a turn until now; a server that was killed tells no more than that it was cut off."""
        if self.was_killed:
            return [
                ("error", _error("interrupted", "处理中断", "it was cut off; ask again") | {"state": "interrupted"})
            ]
        told = list(BEFORE_ANSWER)
        if turn.cancelled:
            return [*told, ("error", _error("cancelled", "已取消", "it was cancelled") | {"state": "interrupted"})]
        if not self.answering.is_set():
            return told
        answer = script.record(turn.id, turn.body["question"])
        return [*told, ("token", {"token": answer["answer"]}), ("answer", {"answer": answer})]

    def told(self, turn: FakeTurn) -> dict[str, Any]:
        """A turn as the API gives it."""
        events = self.events(turn)
        kind, last = events[-1]
        state = {"answer": "finished", "error": "interrupted"}.get(kind, "running")
        steps = [data for name, data in events if name == "step"]
        return {
            **self.short(turn), "state": state, "position": 0, "estimate_s": 0, "steps": steps,
            "parts": script.PARTS[:1], "answer": last.get("answer"), "error": last.get("error"),
        }  # fmt: skip

    def short(self, turn: FakeTurn) -> dict[str, Any]:
        body = turn.body
        return {"turn": turn.id, "question": body["question"], "conversation": body["conversation"], "at": turn.at,
                "photo": bool(body.get("photo")), "state": "running"}  # fmt: skip


def _error(code: str, zh: str, en: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": {"zh": zh, "en": en}, "hint": ""}}


def _make_app(fake: FakeServer) -> FastAPI:
    app = FastAPI()
    app.include_router(page_router)
    _add_gate(app, fake)
    _add_turns(app, fake)
    _add_rest(app, fake)
    return app


def _add_gate(app: FastAPI, fake: FakeServer) -> None:
    @app.middleware("http")
    async def gate(request: Request, go_on: Any) -> Response:
        given = request.cookies.get("watchkeeper", "")
        path = request.url.path
        if fake.token and path.startswith("/api/") and path != "/api/session" and given != fake.token:
            return JSONResponse(_error("token", "需要令牌。", "a token is needed"), 401)
        response: Response = await go_on(request)
        return response


def _add_turns(app: FastAPI, fake: FakeServer) -> None:
    @app.post("/api/turns", status_code=202)
    async def ask(request: Request) -> dict[str, Any]:
        body = await request.json()
        known = fake.keys.get(body["key"])
        turn = fake.turns[known] if known else FakeTurn(f"t{len(fake.turns) + 1}", body)
        fake.turns[turn.id] = turn
        fake.keys[body["key"]] = turn.id
        return {"turn": turn.id, "position": 0, "estimate_s": 0}

    @app.get("/api/turns")
    async def history() -> dict[str, Any]:
        return {"turns": [fake.short(turn) for turn in reversed(fake.turns.values())]}

    @app.get("/api/turns/{turn}")
    async def look(turn: str) -> dict[str, Any]:
        return fake.told(fake.turns[turn])

    @app.delete("/api/turns/{turn}", status_code=202)
    async def cancel(turn: str) -> dict[str, Any]:
        fake.turns[turn].cancelled = True
        return {"turn": turn, "state": "interrupted"}

    @app.get("/api/turns/{turn}/events")
    async def stream(turn: str, request: Request) -> StreamingResponse:
        last = request.headers.get("last-event-id", "")
        fake.stream_starts.append(last)
        log, _, number = last.rpartition(".")
        seen = int(number) if log == f"log{fake.starts}" else 0
        return StreamingResponse(_stream(fake, fake.turns[turn], seen), media_type="text/event-stream")

    @app.get("/api/turns/{turn}/photo")
    async def photo(turn: str) -> Response:
        sent = fake.turns[turn].body.get("photo") or base64.b64encode(script.PHOTO.read_bytes()).decode()
        return Response(base64.b64decode(sent), media_type="image/png")

    @app.get("/api/turns/{turn}/perception")
    async def perception(turn: str) -> dict[str, Any]:
        return script.PERCEPTION


async def _stream(fake: FakeServer, turn: FakeTurn, last: int) -> AsyncIterator[str]:
    breaks = fake.breaks > 0
    fake.breaks -= breaks
    while True:
        events = fake.events(turn)
        for number, (kind, data) in enumerate(events, 1):
            if number <= last:
                continue
            last = number
            yield f"id: log{fake.starts}.{number}\nevent: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
            if breaks and number == 3:
                return
        if events[-1][0] in ("answer", "error"):
            return
        await asyncio.sleep(0.05)


def _add_rest(app: FastAPI, fake: FakeServer) -> None:
    @app.get("/api/approvals")
    async def approvals() -> dict[str, Any]:
        return {"approvals": fake.calls, "unsure": []}

    @app.post("/api/approvals/{call}")
    async def decide(call: str, request: Request) -> dict[str, Any]:
        body = await request.json()
        fake.decisions.append({"id": call, **body})
        fake.calls = [one for one in fake.calls if one["id"] != call]
        if not body["approve"]:
            return {"id": call, "state": "refused"}
        return {
            "id": call,
            "done": {"came": "confirmed"},
            "line": {"zh": "VFD-P2 为 25 Hz(已回读)", "en": "VFD-P2 is at 25 Hz, read back"},
        }

    @app.get("/api/citations/{document}/{place}")
    async def citation(document: str, place: str, quote: str = "") -> dict[str, Any]:
        found = [[script.SECTION.index(line), script.SECTION.index(line) + len(line)] for line in quote.split("\n")]
        printed = place.endswith("p.2")
        return {
            "document": document,
            "title": "热力站运行手册",
            "section": "6.2",
            "heading": "循环变频故障",
            "page": 2 if printed else None,
            "language": "zh",
            "text": script.SECTION,
            "quotes": found,
            "boxes": [[0.6, 0.7, 0.9, 0.72]] if printed else [],
            "image": "/api/manuals/M1/pages/2" if printed else None,
        }

    @app.get("/api/manuals/{document}/pages/{page}")
    async def manual_page(document: str, page: int) -> Response:
        return Response(script.PHOTO.read_bytes(), media_type="image/png")

    @app.get("/api/events")
    async def events() -> dict[str, Any]:
        return {"events": script.EVENTS}

    @app.post("/api/modules/{name}/{act}")
    async def change(name: str, act: str) -> dict[str, Any]:
        fake.changes.append(f"{name} {act}")
        return {"name": name, "version": "1.2.0"}

    @app.get("/api/session")
    async def who(request: Request) -> dict[str, Any]:
        known = request.cookies.get("watchkeeper", "") == fake.token
        return {"name": "wang" if known else "", "role": "approve" if known else None}

    @app.post("/api/session")
    async def begin(request: Request, response: Response) -> Any:
        token = (await request.json())["token"]
        if token != fake.token:
            return JSONResponse(_error("token", "令牌不对。", "a wrong token"), 401)
        response.set_cookie("watchkeeper", token, httponly=True, samesite="strict")
        return {"name": "wang", "role": "approve"}

    tables: dict[str, Any] = {
        "/api/readings/latest": {"readings": script.READINGS},
        "/api/reports": {"reports": script.REPORTS},
        "/api/schedules": {"schedules": [{"id": "monday", "said": "每周一 6:00", "next": "2024-12-23T06:00:00+08:00"}]},
        "/api/health": script.HEALTH,
        "/api/modules": {"modules": script.MODULES},
        "/api/weights": {"weights": script.WEIGHTS},
    }
    for path, value in tables.items():
        app.add_api_route(path, lambda value=value: value)
