"""Clients that take their time: who reads nothing is let go of, who reads slowly is served, memory is bounded."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Message

from agent.audit import Trail
from agent.env import Env
from agent.server.problems import Problem
from agent.server.security.answers import Answer, Answers
from agent.values import say
from tests.server_kit import served, wait_until
from tests.test_server_metrics import read
from tests.test_server_security import lives, served_with, with_server
from tests.test_turn import Bench, search_manuals

UNREAD_SECONDS = 0.5
LARGE = "/page/words.js"
MANY = 1_500
"""Answers that no buffer of a system holds."""


@contextmanager
def unread(address: str, requests: bytes) -> Iterator[socket.socket]:
    """A connection with a small buffer that has asked and reads nothing."""
    parts = urlsplit(address)
    with closing(socket.socket()) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        wire.settimeout(20)
        wire.connect((parts.hostname, parts.port))
        wire.setblocking(False)
        try:
            wire.send(requests)
        finally:
            wire.setblocking(True)
        yield wire


def head(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def ends(wire: socket.socket, *, every_s: float = 0.0) -> int:
    """Read to the end: how many bytes there were."""
    size = 0
    wire.settimeout(20)
    try:
        while part := wire.recv(32_768):
            size += len(part)
            time.sleep(every_s)
    except ConnectionResetError:
        pass
    return size


def is_closed(wire: socket.socket) -> bool:
    """Whether the other side has let go, without reading what waits."""
    info = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
    return info[0] != 1  # TCP_ESTABLISHED


def test_who_reads_no_answer_is_let_go_of(env: Env) -> None:
    """Requests one after another and no look at their answers: the connection ends, others are served meanwhile."""
    with served_with(env, unread_seconds=UNREAD_SECONDS, requests_a_minute=1_000_000) as client:
        whole = MANY * len(client.get(LARGE, headers={"Accept-Encoding": "identity"}).content)
        with unread(str(client.base_url), head(LARGE) * MANY) as wire:
            wait_until(lambda: is_closed(wire), 20)
            assert lives(client)
            assert ends(wire) < whole / 2


def test_who_reads_no_events_is_let_go_of(env: Env) -> None:
    """A stream of what changes that nobody reads ends once its buffers are full, and keeps no more than they hold."""
    bench = Bench(with_server(env, unread_seconds=UNREAD_SECONDS), search_manuals, script=[""])
    with served(bench.agent) as address, unread(address, head("/api/stream")) as wire:
        listening = httpx.get(f"{address}/api/health").status_code
        assert listening == 200

        def told_more() -> bool:
            for _ in range(50):
                bench.agent.trail.add("", f"report_{'x' * 20_000}", {})
            return is_closed(wire)

        wait_until(told_more, 60)
        assert httpx.get(f"{address}/api/health").status_code == 200


def test_who_reads_slowly_is_served(env: Env) -> None:
    """As long as something is taken between two looks nobody is sent away."""
    with served_with(env, unread_seconds=UNREAD_SECONDS, requests_a_minute=1_000_000) as client:
        size = len(client.get(LARGE, headers={"Accept-Encoding": "identity"}).content)
        many = 30
        last = head(LARGE).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        with unread(str(client.base_url), head(LARGE) * (many - 1) + last) as wire:
            assert ends(wire, every_s=0.05) > many * size


def test_an_idle_stream_stays(env: Env) -> None:
    """Nothing to read is no reason to go."""
    with served_with(env, unread_seconds=0.2, beat_seconds=0.3) as client:
        with client.stream("GET", "/api/stream") as answer:
            beats = 0
            for line in answer.iter_lines():
                beats += line == ": beat"
                if beats == 4:
                    break
        assert beats == 4


class Sent:
    """What an answer sends, kept."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def body(self) -> bytes:
        assert [one.get("more_body") for one in self.messages[1:]] == [True] * (len(self.messages) - 2) + [False]
        return b"".join(one["body"] for one in self.messages[1:])


def start(size: int) -> dict[str, Any]:
    return {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(size).encode())]}


def scope(method: str = "GET", **more: Any) -> dict[str, Any]:
    return {"type": "http", "method": method, "scheme": "http", "path": "/", **more}


@pytest.mark.anyio
async def test_large_answers_go_out_in_pieces_and_no_more_than_memory_bears() -> None:
    """What comes together is the same; beyond the bound the next large one is refused, small ones never."""
    answers, body = Answers(300_000), b"0123456789" * 20_000
    first, second, small, later = Sent(), Sent(), Sent(), Sent()
    held = Answer(answers, scope(), first)
    await held.send(start(len(body)))
    for size, sent, status in ((len(body), second, 503), (100, small, 200)):
        answer = Answer(answers, scope(), sent)
        await answer.send(start(size))
        await answer.send({"type": "http.response.body", "body": body[:size]})
        answer.end()
        assert sent.status == status
    assert b'"busy"' in second.body and small.body == body[:100]
    await held.send({"type": "http.response.body", "body": body})
    assert first.body == body and max(len(one["body"]) for one in first.messages[1:]) <= 65_536
    held.end()
    await Answer(answers, scope(), later).send(start(len(body)))
    assert later.status == 200


@pytest.mark.anyio
async def test_requests_are_counted_by_what_the_program_knows() -> None:
    """Nothing that a client makes up becomes a label."""
    answers = Answers(1)
    for odd in (scope("BREW"), scope("GET", caller=None), scope("X" * 5_000)):
        await Answer(answers, odd, Sent()).refuse(Problem(418, "odd", say("怪", "odd")))
    counted = {labels: count for labels, count in answers.counts().items() if count}
    assert counted == {("other", "refused", "4xx"): 2, ("GET", "other", "4xx"): 1}


def test_every_request_is_counted_by_its_route(env: Env) -> None:
    """By the route's template, whatever stands in its place; what is not let in counts as refused."""
    with served_with(env) as client:
        for path in ("/api/turns/abc", "/api/turns/def", "/nothing/at/all", "/page/app.js"):
            client.get(path)
        client.get("/api/turns", headers={"Host": "evil.example"})
        found = read(client)
    name = "watchkeeper_http_requests_total"
    assert found[name, "GET", "/api/turns/{turn}", "4xx"] == 2
    assert found[name, "GET", "/page/{name}", "2xx"] == found[name, "GET", "refused", "4xx"] == 1
    assert not any("abc" in label or "nothing" in label for labels in found for label in labels)


def test_what_waits_for_its_answer_is_written_without_the_disk_and_all_else_with_it(env: Env) -> None:
    """A transaction that may come later leaves the next one as durable as ever."""
    with closing(Trail(env.home.watch_db, busy_seconds=1.0)) as trail:
        with trail.writing(durable=False) as writing:
            writing.db.execute("INSERT INTO asked VALUES ('t1', 'local', 1.0, '?', '', 0)")
            assert writing.db.execute("PRAGMA synchronous").fetchone() == (1,)
        with trail.writing() as writing:
            assert writing.db.execute("PRAGMA synchronous").fetchone() == (2,)
            assert writing.db.execute("SELECT id FROM asked").fetchall() == [("t1",)]
