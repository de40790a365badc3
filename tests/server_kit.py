"""A server on a real loopback socket around an agent whose model is scripted or follows rules."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from agent.server.app import make_app
from agent.server.run import BoxServer, server_config
from agent.server.service import Service
from agent.server.supervisor import Supervisor
from agent.turn import Agent


@contextmanager
def served(agent: Agent) -> Iterator[str]:
    """Its address; the server is stopped, and the agent closed, at the end of the block."""
    service = Service(agent)
    app = make_app(service)
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        server = BoxServer(server_config(app, service.settings), service, Supervisor({}))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        host, port = listening.getsockname()
        try:
            wait_until(lambda: server.started)
            wait_until(lambda: service.ready)
            yield f"http://{host}:{port}"
        finally:
            server.should_exit = True
            thread.join(30)


def wait_until(done: object, seconds: float = 60.0) -> None:
    """Wait until something is so."""
    assert callable(done)
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not come to be in time"
        time.sleep(0.05)


def asked(client: httpx.Client, question: str, **more: object) -> dict[str, Any]:
    """Ask, and wait until the turn has ended."""
    turn = client.post("/api/turns", json={"question": question, **more}).raise_for_status().json()["turn"]
    found: dict[str, Any] = {}

    def ended() -> bool:
        found.update(client.get(f"/api/turns/{turn}").raise_for_status().json())
        return found["state"] in ("finished", "failed", "interrupted")

    wait_until(ended)
    return found


def events_of(client: httpx.Client, turn: str, *, last: str = "") -> list[dict[str, Any]]:
    """The events of a turn up to its end."""
    events: list[dict[str, Any]] = []
    headers = {"Last-Event-ID": last} if last else {}
    with client.stream("GET", f"/api/turns/{turn}/events", headers=headers, timeout=60) as answer:
        assert answer.status_code == 200
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "data" in fields:
                events.append({"id": fields["id"], "event": fields["event"], "data": json.loads(fields["data"])})
                fields = {}
    return events
