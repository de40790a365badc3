"""Answers on their way out: with what keeps browsers safe, in pieces, counted, and of all together no more than memory
bears.

A large answer goes out piece by piece, each when whoever asked has taken most of the one before, so that what waits in
a connection is small, and what all of them hold is known: beyond the bound the next large answer is refused. Who takes
nothing at all is the matter of `connections`.
"""

from __future__ import annotations

import json
from collections import Counter

from starlette.types import Message, Scope, Send

from agent.server.problems import Problem
from agent.server.security.headers import Headers, with_safe_headers
from agent.values import say

__all__ = ["Answer", "Answers"]

_PIECE_BYTES = 65_536
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "DELETE", "PUT", "PATCH"})
_REFUSED, _OTHER = "refused", "other"
_BUSY = Problem(503, "busy", say("正在发送的内容太多,请稍后再试。", "too much is being sent; try again in a moment"))


class Answers:
    """Those of one server. Changed by its event loop alone."""

    def __init__(self, most_bytes: int) -> None:
        """
        :param most_bytes: of large answers that are on their way.
        """
        self.most_bytes = most_bytes
        self.held_bytes = 0
        self._counts: Counter[tuple[str, str, str]] = Counter({("GET", _REFUSED, "4xx"): 0})  # what alerts look for

    def counts(self) -> dict[tuple[str, str, str], int]:
        """How many there were: (method, route, class of the status as 2xx) → number. Routes are the templates of this
        program, or `refused` before one was sought, or `other`.
        """
        return dict(self._counts)

    def count(self, scope: Scope, status: int) -> None:
        """One begins."""
        method = scope["method"] if scope["method"] in _METHODS else _OTHER
        route = _REFUSED if "caller" not in scope else str(getattr(scope.get("route"), "path", _OTHER))
        self._counts[method, route, f"{status // 100}xx"] += 1


class Answer:
    """One of them; `send` is ASGI's."""

    def __init__(self, answers: Answers, scope: Scope, send: Send) -> None:
        self._answers = answers
        self._scope = scope
        self._send = send
        self._held_bytes = 0
        self._dropped = False

    async def send(self, message: Message) -> None:
        """What an application sends."""
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif not self._dropped:
            await self._go_on(message)

    async def refuse(self, problem: Problem) -> None:
        """Answer and close: what is left of the body is not read."""
        body = json.dumps(problem.to_json(), ensure_ascii=False).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        headers.append((b"connection", b"close"))
        if problem.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        if problem.status in (429, 503):
            headers.append((b"retry-after", b"5"))
        await self.send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    def end(self) -> None:
        """It is out, or nobody takes it any more."""
        self._answers.held_bytes -= self._held_bytes
        self._held_bytes = 0

    async def _begin(self, message: Message) -> None:
        headers = message.get("headers", ())
        size = int(Headers(headers).text(b"content-length") or 0)
        held = self._answers.held_bytes
        if size > _PIECE_BYTES and held and held + size > self._answers.most_bytes:
            await self.refuse(_BUSY)
            self._dropped = True
            return
        if size > _PIECE_BYTES:
            self._held_bytes = size
            self._answers.held_bytes += size
        self._answers.count(self._scope, message["status"])
        safe = with_safe_headers(headers, tls=self._scope["scheme"] == "https")
        await self._send({**message, "headers": safe})

    async def _go_on(self, message: Message) -> None:
        body, more = message.get("body", b""), message.get("more_body", False)
        for at in range(0, max(len(body), 1), _PIECE_BYTES):
            is_last = at + _PIECE_BYTES >= len(body)
            piece = body[at : at + _PIECE_BYTES]
            await self._send({"type": "http.response.body", "body": piece, "more_body": more or not is_last})
