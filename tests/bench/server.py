"""`make bench-server`: what the server adds to a turn, and what it bears.

The server is a process of its own (`watchkeeper serve`) on the sample plant, with the rules as model unless another one
is named; what asks is this process. Its limits on rates are lifted, all others stay.

adds        the same question asked of the agent directly and over the socket, each time beyond the turn's own clock
photo       when a person with a photo sees what was read, a first part of the answer, and all of it
askers      so many clients at once, each asking again as soon as it has an answer
fair        answers of the client that got the fewest, as a share of those of the one that got the most
order       the most answers that anybody got between two of one client, which always asks again at once
streams     200 open streams of what changes, which say nothing
refused     requests without a token's right to be heard: all refused, the service as before
peer        llama.cpp's own server and ours on the same file and words: time to the first word about a photo
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles

from agent.weights.ladder import RULES
from tests.bench.plant import PANEL, plant_agent, plant_env
from tests.bench.server_peer import peer_rows
from tests.bench.server_process import CLIENT, Server, get, post, running
from tests.bench.table import Row, at_least, at_most, print_rows, told

QUESTION = "循环变频故障最近三天有没有类似记录?"
PHOTO_QUESTION = "循环变频故障这个报警灯代表什么?最近三天有没有类似记录?该怎么处理?"
MAX_ADDED_MS, MIN_FAIR, MAX_GROWTH_MB, MAX_STREAMS_MB = 10.0, 0.7, 60.0, 60.0
MAX_BETWEEN = 2
"""One that was being answered and one that was asked meanwhile."""
STREAMS = 200
MB = 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=RULES)
    parser.add_argument("--turns", type=int, default=60, help="of each side, where the server's own share is measured")
    parser.add_argument("--askers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=300.0, help="for which they ask")
    parser.add_argument("--requests", type=int, default=500, help="after which memory is looked at")
    parser.add_argument("--hostile", type=int, default=10_000)
    parser.add_argument("--photos", type=int, default=3, help="about which llama.cpp's server is asked too; 0: none")
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
        rows += peer_rows(home / "peer", options.photos) if options.photos else []
        print_rows(rows, model=options.model)


def own_extra_ms(home: Path, model: str, turns: int) -> list[float]:
    """What a turn costs beyond its own clock when the agent is asked directly: its first and last row of the trail."""
    agent, _ = plant_agent(plant_env(home, model=model))
    with closing(agent):
        agent.warm()
        extra = []
        for _ in range(turns):
            began = time.perf_counter()
            record = agent.ask(QUESTION)
            extra.append((time.perf_counter() - began) * 1000 - record.stages_ms["total"])
    return extra


def added_rows(server: Server, direct: Sequence[float], turns: int) -> list[Row]:
    """What the server adds to a turn, by its own API and by the one of OpenAI's clients.

    :param direct: milliseconds beyond a turn's own clock where the agent itself was asked, which is waiting for the
        disk: their median is taken off, and a tail of theirs is a tail of what is measured here.
    """
    direct_ms = median(direct)
    extra: dict[str, list[float]] = {"/api": [], "/v1": []}
    said = {"messages": [{"role": "user", "content": QUESTION}]}
    with closing(server.connect()) as wire:
        for _ in range(turns):
            began = time.perf_counter()
            ms = ask(wire)
            extra["/api"].append((time.perf_counter() - began) * 1000 - ms - direct_ms)
            began = time.perf_counter()
            answer = post(wire, "/v1/chat/completions", said)
            ms_all = (time.perf_counter() - began) * 1000
            own = get(wire, f"/api/turns/{answer['watchkeeper']['turn']}")["answer"]["ms"]["total"]
            extra["/v1"].append(ms_all - own - direct_ms)
    rows = [
        told("a turn's own rows in the trail, without a server, median (ms)", direct_ms),
        told("  p95 (ms)", quantiles(direct, n=20)[-1]),
    ]
    for way, many in extra.items():
        rows.append(at_most(f"added by the server to a turn, {way}, p95 (ms)", quantiles(many, n=20)[-1], MAX_ADDED_MS))
        rows.append(told("  median (ms)", median(many)))
    return rows


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
    answered, errors, before = list[str](), Counter[str](), server.bytes()
    until = time.monotonic() + seconds

    def work(name: str) -> None:
        with closing(server.connect()) as wire:
            while time.monotonic() < until:
                try:
                    ask(wire, name)
                    answered.append(name)
                except (OSError, http.client.HTTPException, KeyError) as error:
                    errors[type(error).__name__] += 1
                    wire.close()

    names = [f"asker{n}" for n in range(askers)]
    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = Counter(answered)
    return [
        at_most(f"errors, {askers} askers for {seconds:g} s", sum(errors.values()), 0),
        at_least("  fair: fewest answers to most", min(counts[n] for n in names) / max(counts.values()), MIN_FAIR),
        at_most("  order: answers of one between two of another", most_between(answered), MAX_BETWEEN),
        told("  answers a second", len(answered) / seconds),
        at_most("  memory grown (MB)", (server.bytes() - before) / MB, MAX_GROWTH_MB),
    ]


def most_between(answered: Sequence[str]) -> int:
    """Names in the order of their answers → the most that one has between two of another."""
    most, since = 0, dict[str, Counter[str]]()
    for name in answered:
        most = max([most, *since.get(name, Counter[str]()).values()])
        since[name] = Counter()
        for other, seen in since.items():
            if other != name:
                seen[name] += 1
    return most


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


def ask(wire: http.client.HTTPConnection, client: str = CLIENT) -> float:
    """Ask the question of these benchmarks; what the turn took by its own clock, in ms."""
    return float(post(wire, "/api/predict", {"question": QUESTION}, client)["ms"]["total"])


if __name__ == "__main__":
    main()
