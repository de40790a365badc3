"""`make bench-server`: what the server adds to a turn, and what it bears.

The server is a process of its own (`watchkeeper serve`) on the sample plant, with the rules as model unless another one
is named; what asks is this process. Its limits on rates are lifted, all others stay.

photo       when a person with a photo sees what was read, a first part of the answer, and all of it
adds        the same question asked of the agent directly and over the socket, each time beyond the turn's own clock
askers      so many clients at once, each asking again as soon as it has an answer
fair        answers of the client that got the fewest, as a share of those of the one that got the most
streams     200 open streams of what changes, which say nothing
refused     requests without a token's right to be heard: all refused, the service as before
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil

from agent.weights.ladder import RULES
from tests.bench.plant import EXAMPLE, PANEL, plant_agent, plant_env, weights_folder
from tests.bench.table import Row, at_least, at_most, print_rows, told

QUESTION = "循环变频故障最近三天有没有类似记录?"
PHOTO_QUESTION = "循环变频故障这个报警灯代表什么?最近三天有没有类似记录?该怎么处理?"
MAX_ADDED_MS, MIN_FAIR, MAX_GROWTH_MB, MAX_STREAMS_MB = 10.0, 0.7, 60.0, 60.0
STREAMS = 200
MB = 1e6
LIFTED = {"REQUESTS_A_MINUTE": "100000000", "WRONG_TOKENS_A_MINUTE": "100000000", "MOST_CONNECTIONS_EACH": "512"}


class Server:
    """The server that is measured."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = psutil.Process(process.pid)
        self.port = port

    def connect(self) -> http.client.HTTPConnection:
        """A connection of one client."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)

    def bytes(self) -> int:
        """Resident memory, of its children too."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(one.memory_info().rss for one in family)

    def is_well(self) -> bool:
        """Whether it answers."""
        with closing(self.connect()) as wire:
            wire.request("GET", "/api/health")
            return wire.getresponse().status == 200


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=RULES)
    parser.add_argument("--turns", type=int, default=60, help="of each side, where the server's own share is measured")
    parser.add_argument("--askers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30.0, help="for which they ask")
    parser.add_argument("--requests", type=int, default=500, help="after which memory is looked at")
    parser.add_argument("--hostile", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        direct = own_extra_ms(home, options.model, options.turns)
        with running(home, options.model) as server:
            rows = [*added_rows(server, direct, options.turns), *first_rows(server)]
            rows += memory_rows(server, options.requests)
            rows += asker_rows(server, options.askers, options.seconds)
            rows += stream_rows(server)
            rows += hostile_rows(server, options.hostile)
        print_rows(rows, model=options.model)


@contextmanager
def running(home: Path, model: str) -> Iterator[Server]:
    """A server on the plant in this home."""
    environ = {
        **os.environ,
        "WATCHKEEPER_HOME": str(home),
        "WATCHKEEPER_CONFIG": str(EXAMPLE / "watchkeeper.toml"),
        "WATCHKEEPER_WEIGHTS__FOLDER": str(weights_folder()),
        "WATCHKEEPER_MODEL__NAME": model,
        "WATCHKEEPER_MODEL__RESULT_CACHE_ROWS": "0",
        **{f"WATCHKEEPER_SERVER__{name}": value for name, value in LIFTED.items()},
    }
    command = [sys.executable, "-m", "agent", "serve", "--port", "0"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r":(\d+);", process.stdout.readline())
        if found is None:
            raise SystemExit("bench-server: the server did not start")
        server = Server(process, int(found[1]))
        began = time.monotonic()
        while not server.is_well():
            if time.monotonic() > began + 120:
                raise SystemExit("bench-server: the model was not loaded within two minutes")
            time.sleep(0.1)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def own_extra_ms(home: Path, model: str, turns: int) -> float:
    """What a turn costs beyond its own clock when the agent is asked directly: its first and last row of the trail."""
    agent, _ = plant_agent(plant_env(home, model=model))
    with closing(agent):
        agent.warm()
        extra = []
        for _ in range(turns):
            began = time.perf_counter()
            record = agent.ask(QUESTION)
            extra.append((time.perf_counter() - began) * 1000 - record.stages_ms["total"])
    return median(extra)


def added_rows(server: Server, direct_ms: float, turns: int) -> list[Row]:
    """What the server adds to a turn."""
    extra = []
    with closing(server.connect()) as wire:
        for _ in range(turns):
            began = time.perf_counter()
            answer = ask(wire)
            extra.append((time.perf_counter() - began) * 1000 - answer["ms"]["total"] - direct_ms)
    return [
        at_most("added by the server to a turn, p95 (ms)", quantiles(extra, n=20)[-1], MAX_ADDED_MS),
        told("  median (ms)", median(extra)),
        told("  a turn's own rows in the trail, without a server (ms)", direct_ms),
    ]


def first_rows(server: Server) -> list[Row]:
    """When a person with a photo sees something, asked twice."""
    rows = []
    for asked in ("first asked", "asked again"):
        seen = moments(server)
        named = {"perception": "what was read", "found": "a first part of the answer", "answer": "the answer"}
        rows += [told(f"photo {asked}: {what} (s)", seen[kind]) for kind, what in named.items() if kind in seen]
    return rows


def moments(server: Server) -> dict[str, float]:
    """Seconds until each kind of event or step of the demo's turn is first heard."""
    seen: dict[str, float] = {}
    body = json.dumps({"question": PHOTO_QUESTION, "photo": base64.b64encode(PANEL.read_bytes()).decode()})
    began = time.perf_counter()
    with closing(server.connect()) as wire:
        wire.request("POST", "/api/turns", body, {"Content-Type": "application/json"})
        turn = json.loads(wire.getresponse().read())["turn"]
        wire.request("GET", f"/api/turns/{turn}/events")
        answer, kind = wire.getresponse(), ""
        for line in answer:
            name, _, value = line.decode().strip().partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                step = json.loads(value).get("kind", "") if kind == "step" else kind
                seen.setdefault(step, time.perf_counter() - began)
    return seen


def memory_rows(server: Server, requests: int) -> list[Row]:
    """How much memory so many turns leave behind."""
    with closing(server.connect()) as wire:
        for _ in range(50):
            ask(wire)
        before = server.bytes()
        for _ in range(requests):
            ask(wire)
    grown = (server.bytes() - before) / MB
    return [
        at_most(f"memory grown after {requests} turns (MB)", grown, MAX_GROWTH_MB),
        told("  resident before (MB)", before / MB),
    ]


def asker_rows(server: Server, askers: int, seconds: float) -> list[Row]:
    """Many clients at once."""
    answers, errors, before = Counter[str](), Counter[str](), server.bytes()
    until = time.monotonic() + seconds

    def work(name: str) -> None:
        with closing(server.connect()) as wire:
            while time.monotonic() < until:
                try:
                    ask(wire, name)
                    answers[name] += 1
                except (OSError, http.client.HTTPException, KeyError) as error:
                    errors[type(error).__name__] += 1
                    wire.close()

    threads = [threading.Thread(target=work, args=(f"asker{n}",)) for n in range(askers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = [answers[f"asker{n}"] for n in range(askers)]
    return [
        at_most(f"errors, {askers} askers for {seconds:g} s", sum(errors.values()), 0),
        at_least("  fair: fewest answers to most", min(counts) / max(counts), MIN_FAIR),
        told("  answers a second", sum(counts) / seconds),
        at_most("  memory grown (MB)", (server.bytes() - before) / MB, MAX_GROWTH_MB),
    ]


def stream_rows(server: Server) -> list[Row]:
    """Streams of what changes on the box, which stay open and say nothing."""
    before, wires = server.bytes(), list[socket.socket]()
    try:
        for _ in range(STREAMS):
            wires.append(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            wires[-1].sendall(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for one in wires:
            one.recv(100)
        grown = (server.bytes() - before) / MB
    finally:
        for one in wires:
            one.close()
    return [at_most(f"memory of {STREAMS} idle streams (MB)", grown, MAX_STREAMS_MB)]


def hostile_rows(server: Server, requests: int) -> list[Row]:
    """What must not be served: foreign origins and names, contradictions, oversize, nonsense, slow heads."""
    heads = [
        "POST /api/turns HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nContent-Length: 2\r\n\r\n{}",
        "GET /api/turns HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "GET /api/turns HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 10.0.0.1\r\nAuthorization: Bearer x\r\n\r\n",
        "POST /api/turns HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n",
        "POST /api/turns HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        "\x00\x01 nonsense\r\n\r\n",
        "GET /../watch.db HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ]
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
    for wire in slow:
        wire.sendall(b"GET /api/health HT")
    served, took = 0, []
    for number in range(requests):
        began = time.perf_counter()
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as wire:
            wire.sendall(heads[number % len(heads)].encode())
            try:
                answer = wire.recv(4_096)
            except ConnectionResetError:
                answer = b""
        took.append((time.perf_counter() - began) * 1000)
        served += answer.startswith(b"HTTP/1.1 2")
    for wire in slow:
        wire.close()
    return [
        at_most(f"served of {requests} hostile requests, beside 100 slow ones", served, 0),
        told("  refused within, p95 (ms)", quantiles(took, n=20)[-1]),
        at_least("  the service answers afterwards", float(server.is_well()), 1),
    ]


def ask(wire: http.client.HTTPConnection, client: str = "bench") -> dict[str, Any]:
    """A question and its answer."""
    headers = {"Content-Type": "application/json", "X-Watchkeeper-Client": client}
    wire.request("POST", "/api/predict", json.dumps({"question": QUESTION}), headers)
    answer = wire.getresponse()
    body = json.loads(answer.read())
    if answer.status != 200:
        raise OSError(body["error"]["code"])
    return dict(body)


if __name__ == "__main__":
    main()
