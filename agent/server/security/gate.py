"""The gate: everything that can be said about a request before its body is read, then its body within bounds.

    network    is this address served at all
    form       nothing that two readers could understand differently; no coded bodies
    host       by an address or a name of this box, so that no foreign name leads here
    token      who asks; on loopback, as long as no token exists, whoever sits at the box
    origin     what changes something comes from our own page or from a program, not from another site
    rate       so many a minute
    body       so many bytes, within so many seconds, and of all requests together no more than memory bears

It believes the connection alone: headers in which a proxy says who asked are not read, but for the fact that there is
a proxy, behind which nobody counts as sitting at the box.
"""

from __future__ import annotations

import asyncio
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.commands.approvals import login_name
from agent.server.problems import Problem
from agent.server.security.answers import Answer, Answers
from agent.server.security.caller import NOBODY, Caller
from agent.server.security.headers import (
    Headers,
    cookie_token,
    is_forwarded,
    names_of_box,
    refuse_foreign_host,
    refuse_foreign_origin,
    refuse_malformed,
)
from agent.server.security.networks import Networks, is_loopback
from agent.server.security.rates import Rate
from agent.server.security.tokens import TokenBook
from agent.settings import ServerSettings
from agent.values import say

__all__ = ["Gate", "guards"]

_GUARDED = re.compile(r"/(?:api|v1|metrics|mcp|openapi\.json)(?:/|$)")
_OPEN = frozenset({"/api/health", "/api/session"})
"""Of those, what says that it lives, and where a token is given."""
_TAKES_PHOTOS = re.compile(r"/(?:api/(?:turns|predict|ocr)|v1/chat/completions|mcp/?)")
_CLIENT = re.compile(r"[A-Za-z0-9_-]{1,40}")
_WRONG = say("令牌不对或缺少令牌。", "no token, or a wrong one; send Authorization: Bearer …")


def guards(path: str) -> bool:
    """Whether nobody gets there without a token where tokens are needed."""
    return _GUARDED.match(path) is not None and path not in _OPEN


class Gate:
    """ASGI: what passes has `scope["caller"]`, and a body that is here."""

    def __init__(
        self, app: ASGIApp, settings: ServerSettings, tokens: TokenBook, wrong_tokens: Rate, answers: Answers
    ) -> None:
        """
        :raises SettingsError: `server.networks` holds something else than networks.
        """
        self._app = app
        self._settings = settings
        self._tokens = tokens
        self._networks = Networks(settings.networks)
        self._names = names_of_box(settings.names)
        self._at_home = is_loopback(settings.host)
        self._requests = Rate(settings.requests_a_minute)
        self._wrong = wrong_tokens
        self._answers = answers
        self._body_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # nothing here speaks websocket
        held, answer = 0, Answer(self._answers, scope, send)
        try:
            headers = Headers(scope["headers"])
            scope["caller"] = self._admit(scope, headers)
            most = self._most_bytes(scope["path"])
            held = self._reserve(headers, most)
            body = await _body(receive, headers, most, self._settings.body_seconds)
        except Problem as problem:
            await answer.refuse(problem)
        except ConnectionError:
            return  # it has gone
        else:
            await self._app(scope, _replayed(body, receive), answer.send)
        finally:
            self._body_bytes -= held
            answer.end()

    def _admit(self, scope: Scope, headers: Headers) -> Caller:
        """Who asks.

        :raises Problem: it is not let in.
        """
        address = str(scope["client"][0]) if scope.get("client") else ""
        if address not in self._networks:
            told = say("这个网络不允许访问。", "this network is not served; see server.networks")
            raise Problem(403, "network", told)
        refuse_malformed(scope["method"], scope["path"], headers)
        refuse_foreign_host(headers, self._names)
        caller = self._caller(address, headers)
        if caller.role is None and guards(scope["path"]):
            raise Problem(401, "token", _WRONG, "watchkeeper tokens add NAME --role ask")
        refuse_foreign_origin(scope["method"], scope["scheme"], headers)
        if not self._requests.take(caller.client or address):
            told = say("请求太频繁,请稍后再试。", "too many requests within a minute (server.requests_a_minute)")
            raise Problem(429, "too_often", told)
        return caller

    def _caller(self, address: str, headers: Headers) -> Caller:
        scheme, _, bearer = headers.text(b"authorization").partition(" ")
        given = bearer.strip() if scheme.lower() == "bearer" else cookie_token(headers)
        if self._at_home and self._tokens.is_empty and is_loopback(address) and not is_forwarded(headers):
            named = headers.text(b"x-watchkeeper-client")
            return Caller(login_name(), "approve", f"local:{named}" if _CLIENT.fullmatch(named) else "local")
        if not given:
            return NOBODY
        if not self._wrong.has(address):
            told = say("错误的令牌太多,请稍后再试。", "too many wrong tokens from this address; wait a minute")
            raise Problem(429, "wrong_tokens", told)
        token = self._tokens.find(given)
        if token is None:
            self._wrong.take(address)
            return NOBODY
        return Caller(token.name, token.role, f"token:{token.name}")

    def _most_bytes(self, path: str) -> int:
        takes = _TAKES_PHOTOS.fullmatch(path) is not None
        return self._settings.max_body_bytes if takes else self._settings.max_small_body_bytes

    def _reserve(self, headers: Headers, most: int) -> int:
        """Memory for a body; how many bytes were set aside.

        :raises Problem: it is larger than may be, or there is no room for it now.
        """
        text = headers.text(b"content-length")
        if text and (not text.isascii() or not text.isdigit()):
            raise Problem(400, "bad_headers", say("长度不对。", "Content-Length is no number"))
        size = int(text[:20]) if text else most if headers.all(b"transfer-encoding") else 0
        if size > most:
            raise _too_large(most)
        if self._body_bytes + size > self._settings.max_all_bodies_bytes and self._body_bytes:
            raise Problem(503, "busy", say("正在接收的内容太多。", "too much is being received; try again in a moment"))
        self._body_bytes += size
        return size


async def _body(receive: Receive, headers: Headers, most: int, seconds: float) -> bytes:
    """The whole body.

    :raises Problem: too large, or too slow.
    :raises ConnectionError: whoever sent it has gone.
    """
    if not headers.all(b"content-length") and not headers.all(b"transfer-encoding"):
        return b""
    parts, size = list[bytes](), 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ConnectionError
                size += len(message.get("body", b""))
                if size > most:
                    raise _too_large(most)
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        told = say("发送太慢。", f"the body was not here within {seconds:g} s (server.body_seconds)")
        raise Problem(408, "too_slow", told) from None


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body as one message; after it, what the connection says."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return left.pop() if left else await receive()

    return replay


def _too_large(most: int) -> Problem:
    return Problem(
        413, "too_many_bytes", say("内容太大。", f"the body is larger than {most} bytes (server.max_body_bytes)")
    )
