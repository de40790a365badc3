"""The server's promise: a question is taken, waits its turn, is answered step by step, and is found again."""

from __future__ import annotations

import base64
import json
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.bound import CallBound
from agent.env import Env
from agent.messages import Reply, Usage
from agent.server.service import Service
from agent.tools import TurnView, tool
from agent.values import ToolResult
from tests.fakes import call
from tests.server_kit import asked, events_of, served, wait_until
from tests.test_turn import EVENT, LOOK_UP, PANEL, QUESTION, SEEN, Bench, agent_of, search_manuals, similar_events

PHOTO = base64.b64encode(PANEL.read_bytes()).decode()
SCRIPT: list[object] = ["", LOOK_UP, ("循环泵", "处理:")]


@pytest.fixture
def server(env: Env) -> Iterator[httpx.Client]:
    """A server whose model has one answer to give."""
    bench = Bench(env, search_manuals, similar_events, script=list(SCRIPT), perception=SEEN)
    with served(bench.agent) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def test_a_question_is_answered_and_found_again(server: httpx.Client) -> None:
    """A turn is taken at once, ends with the answer that `ask --json` gives, and stands in the client's history."""
    found = asked(server, QUESTION, photo=PHOTO)
    assert found["state"] == "finished", found
    answer = found["answer"]
    assert answer["turn"] == found["turn"] and answer["citations"] == ["M1 §6.2", "L1", "E17"]
    (told,) = server.get("/api/turns").json()["turns"]
    assert (told["turn"], told["state"], told["question"]) == (found["turn"], "finished", QUESTION)


def test_steps_arrive_as_they_are_made_and_what_is_found_before_the_answer(server: httpx.Client) -> None:
    """The stream tells place, steps, parts as they are found, the answer's words and the answer, in both languages."""
    turn = asked(server, QUESTION, photo=PHOTO)["turn"]
    events = events_of(server, str(turn))
    kinds = [event["event"] for event in events]
    numbers = [event["data"]["n"] for event in events]
    assert numbers == sorted(set(numbers)) and len({event["id"] for event in events}) == len(events)
    assert kinds[-1] == "answer" and kinds.count("answer") == 1 and "position" in kinds
    steps = [event["data"] for event in events if event["event"] == "step"]
    assert {"photo_read", "perception", "tool_called", "tool_returned", "found"} <= {s["kind"] for s in steps}
    assert all(step["text"]["zh"] and step["text"]["en"] and step["at"] for step in steps)
    first = next(step for step in steps if step["kind"] == "found")
    assert any("E17" in line for part in first["parts"] for line in part["lines"])
    said = "".join(event["data"]["token"] for event in events if event["event"] == "token")
    assert said == events[-1]["data"]["answer"]["answer"]


def test_a_stream_goes_on_where_it_broke_off(server: httpx.Client) -> None:
    """Whoever says which event it saw last gets what came after, and nothing twice."""
    turn = str(asked(server, QUESTION, photo=PHOTO)["turn"])
    whole = events_of(server, turn)
    middle = len(whole) // 2
    assert events_of(server, turn, last=whole[middle]["id"]) == whole[middle + 1 :]
    for foreign in ("3", "deadbeef.3", f"{whole[0]['id']}9999999999", ".", "x.1"):
        assert events_of(server, turn, last=foreign) == whole


def test_photo_and_what_was_read_of_it_are_there(server: httpx.Client) -> None:
    """The photo comes upright as JPEG, and the boxes of its perception are in its pixels."""
    turn = asked(server, QUESTION, photo=f"data:image/png;base64,{PHOTO}")["turn"]
    photo = server.get(f"/api/turns/{turn}/photo")
    assert photo.headers["content-type"] == "image/jpeg" and photo.content[:2] == b"\xff\xd8"
    seen = server.get(f"/api/turns/{turn}/perception").json()
    assert seen["readings"][0]["label"] == "供水温度" and seen["size"] == [100, 100]


def test_a_restarted_server_tells_its_turns_from_the_trail(env: Env) -> None:
    """After a restart state, steps, words and answer are what they were; the photo is still there."""
    first = Bench(env, search_manuals, similar_events, script=list(SCRIPT), perception=SEEN)
    with served(first.agent) as address, httpx.Client(base_url=address) as client:
        before = asked(client, QUESTION, photo=PHOTO)
        seen = events_of(client, str(before["turn"]))[2]["id"]
    with served(Bench(env, search_manuals, script=[""]).agent) as address, httpx.Client(base_url=address) as client:
        after = client.get(f"/api/turns/{before['turn']}").json()
        events = events_of(client, str(before["turn"]), last=seen)
        assert events == events_of(client, str(before["turn"])), "an id of the server before means another event"
        assert events_of(client, str(before["turn"]), last=events[1]["id"]) == events[2:]
        photo = client.get(f"/api/turns/{before['turn']}/photo")
    assert after["state"] == "finished" and after["answer"] == before["answer"]
    kinds = ("perception", "found")
    assert [s["kind"] for s in after["steps"]] == [s["kind"] for s in before["steps"] if s["kind"] not in kinds]
    assert events[-1]["event"] == "answer" and photo.status_code == 200


def test_programs_get_the_same_turn_in_one_answer_or_in_lines(env: Env) -> None:
    """predict answers when it is through; streamed, its tokens are the answer and the last line has all the rest."""
    script = [*SCRIPT, *SCRIPT[1:]]
    bench = Bench(env, search_manuals, similar_events, script=script, perception=SEEN)
    with served(bench.agent) as address, httpx.Client(base_url=address, timeout=30) as client:
        whole = client.post("/api/predict", json={"question": QUESTION, "photo": PHOTO}).raise_for_status().json()
        files = {"photo": ("panel.png", PANEL.read_bytes(), "image/png")}
        form = {"question": QUESTION, "stream": "true"}
        lines = client.post("/api/predict", data=form, files=files).raise_for_status().text.splitlines()
    told = [json.loads(line) for line in lines]
    assert [line["done"] for line in told] == [False] * (len(told) - 1) + [True]
    assert "".join(line["token"] for line in told) == whole["answer"]
    assert told[-1]["citations"] == whole["citations"] == ["M1 §6.2", "L1", "E17"] and told[-1]["actions"] == []


def test_two_clients_at_once_each_get_their_own(env: Env) -> None:
    """Turns run one after another; each client sees its own history and no other's turn."""
    script = ["", *[reply for _ in range(6) for reply in SCRIPT[1:]]]
    bench = Bench(env, search_manuals, similar_events, script=script, perception=SEEN)
    found: dict[str, list[Any]] = {"a": [], "b": []}
    with served(bench.agent) as address:

        def work(name: str) -> None:
            with httpx.Client(base_url=address, headers={"X-Watchkeeper-Client": name}, timeout=60) as client:
                found[name] = [asked(client, QUESTION, photo=PHOTO) for _ in range(3)]

        threads = [threading.Thread(target=work, args=(name,)) for name in found]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        with httpx.Client(base_url=address, headers={"X-Watchkeeper-Client": "a"}) as client:
            own = {turn["turn"] for turn in client.get("/api/turns").json()["turns"]}
            assert own == {turn["turn"] for turn in found["a"]}
            assert client.get(f"/api/turns/{found['b'][0]['turn']}").status_code == 404
    assert all(turn["state"] == "finished" for turns in found.values() for turn in turns)


class Held:
    """A model that answers when it is let."""

    name, sees = "held", False

    def __init__(self) -> None:
        self.let = threading.Event()
        self.asked = 0

    def reply(self, *_: object, bound: object, limits: Any, **__: object) -> Reply:
        self.asked += 1
        while self.asked > 1 and not self.let.wait(0.01):
            if limits.cancelled():
                return Reply("", "aborted", Usage())
        calls = bound.write((call("look"),)) if isinstance(bound, CallBound) else ""
        return Reply(calls, "done", Usage())

    def close(self) -> None:
        self.let.set()


@tool(risk="read", cues=("什么",))
def look(turn: TurnView) -> ToolResult:
    """Look."""
    return ToolResult(records=(EVENT,))


@pytest.fixture
def held(env: Env) -> Iterator[tuple[Held, httpx.Client]]:
    """A server whose model waits to be let."""
    model = Held()
    agent = agent_of(env, model, Bench(env, look, script=[]).host)
    with served(agent) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield model, client


def test_places_are_told_and_whoever_asks_once_is_not_behind_ten(held: tuple[Held, httpx.Client]) -> None:
    """Clients take turns: the one question of a second client runs before the second of the first."""
    model, client = held
    mine = [client.post("/api/turns", json={"question": "这是什么?"}).json()["turn"] for _ in range(4)]
    other = {"X-Watchkeeper-Client": "b"}
    theirs = client.post("/api/turns", json={"question": "这是什么?"}, headers=other).json()
    wait_until(lambda: model.asked > 1)
    places = [client.get(f"/api/turns/{turn}").json()["position"] for turn in mine]
    found = client.get(f"/api/turns/{theirs['turn']}", headers=other).json()
    assert sorted([*places, found["position"]]) == [0, 1, 2, 3, 4] and found["position"] <= 2
    assert found["estimate_s"] > 0
    model.let.set()


def test_one_too_many_is_refused_and_told_when_to_come_again(held: tuple[Held, httpx.Client]) -> None:
    """A client may have so many questions wait; one more is refused with 429, and nothing of it is kept."""
    model, client = held
    answers = [client.post("/api/turns", json={"question": "这是什么?"}) for _ in range(13)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and refused[0].json()["error"]["code"] == "queue_full" and refused[0].headers["retry-after"]
    assert len(client.get("/api/turns").json()["turns"]) == 13 - len(refused)
    model.let.set()


def test_a_turn_is_cancelled_while_it_waits_and_while_it_runs(held: tuple[Held, httpx.Client]) -> None:
    """What waits never begins; what runs ends between two passes of the model; both are told as interrupted."""
    model, client = held
    runs, waits = (client.post("/api/turns", json={"question": "这是什么?"}).json()["turn"] for _ in range(2))
    wait_until(lambda: model.asked > 1)
    for turn in (waits, runs):
        client.delete(f"/api/turns/{turn}").raise_for_status()
    for turn in (waits, runs):
        assert events_of(client, turn)[-1]["event"] == "error"
        found = client.get(f"/api/turns/{turn}").json()
        assert (found["state"], found["error"]["code"]) == ("interrupted", "cancelled")
    assert model.asked == 2


def test_whoever_goes_without_keeping_is_not_answered_and_a_page_that_goes_is(
    held: tuple[Held, httpx.Client],
) -> None:
    """predict ends when its caller hangs up; a turn that is kept goes on and is found again."""
    model, client = held
    kept = client.post("/api/turns", json={"question": "这是什么?"}).json()["turn"]
    wait_until(lambda: model.asked > 1)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/api/predict", json={"question": "这是什么?"}, timeout=1.5)
    with client.stream("GET", f"/api/turns/{kept}/events") as stream:
        next(stream.iter_lines())
    wait_until(lambda: len(client.get("/api/turns").json()["turns"]) == 2)
    gone = client.get("/api/turns").json()["turns"][0]["turn"]
    wait_until(lambda: client.get(f"/api/turns/{gone}").json()["state"] == "interrupted", 10)
    model.let.set()
    wait_until(lambda: client.get(f"/api/turns/{kept}").json()["state"] == "finished")


def test_the_same_key_is_the_same_turn(held: tuple[Held, httpx.Client]) -> None:
    """A page that lost the answer to its question asks again under its key, and nothing is begun twice."""
    model, client = held
    turns = {client.post("/api/turns", json={"question": "这是什么?", "key": "k1"}).json()["turn"] for _ in range(3)}
    assert len(turns) == 1
    model.let.set()
    wait_until(lambda: client.get(f"/api/turns/{turns.copy().pop()}").json()["state"] == "finished")
    assert client.post("/api/turns", json={"question": "这是什么?", "key": "k1"}).json()["turn"] in turns


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"question": "  "}, 422, "bad_question"),
        ({"question": "好" * 5000}, 422, "bad_question"),
        ({"question": "?", "photo": "!!"}, 422, "bad_photo"),
        ({"question": "?", "photo": base64.b64encode(b"no picture").decode()}, 422, "bad_photo"),
        ({"question": "?", "extra": 1}, 422, "bad_request"),
        ({}, 422, "bad_request"),
    ],
)
def test_what_cannot_be_used_is_said_in_both_languages(
    server: httpx.Client, body: dict[str, object], status: int, code: str
) -> None:
    """One shape for every error, and nothing of it waits in the queue."""
    answer = server.post("/api/turns", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["message"]["zh"] and error["message"]["en"]
    assert server.get("/api/turns").json()["turns"] == []


def test_a_photo_of_too_many_pixels_is_refused_by_its_header(server: httpx.Client, tmp_path: Path) -> None:
    """A file of a few bytes that unpacks to gigabytes is not unpacked."""
    bomb = bomb_png(60_000, 60_000)
    answer = server.post("/api/turns", json={"question": "?", "photo": base64.b64encode(bomb).decode()})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_many_pixels")


def bomb_png(width: int, height: int) -> bytes:
    """A PNG whose header says so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def test_health_says_who_answers(server: httpx.Client) -> None:
    """Rung, queue, disk, heat; of what is down the reason, in both languages."""
    told = server.get("/api/health").raise_for_status().json()
    assert (told["status"], told["rung"]) == ("ok", "scripted") and told["disk"]["free_bytes"] > 0
    assert told["heat"]["zh"] and told["heat"]["en"]


def test_a_service_that_stops_lets_go_of_streams_and_says_what_became_of_what_waited(env: Env) -> None:
    """A stop does not wait for those who listen; what waits is interrupted and never begins."""
    model, seen = Held(), list[list[Any]]()
    agent = agent_of(env, model, Bench(env, look, script=[]).host)

    def listen(address: str, turn: str) -> None:
        with httpx.Client(base_url=address, timeout=60) as client:
            seen.append(events_of(client, turn))

    with served(agent) as address:
        with httpx.Client(base_url=address, timeout=60) as client:
            turns = [client.post("/api/turns", json={"question": "这是什么?"}).json()["turn"] for _ in range(2)]
        wait_until(lambda: model.asked > 1)
        listener = threading.Thread(target=listen, args=(address, turns[1]))
        listener.start()
        time.sleep(1.0)
        began = time.monotonic()
    listener.join(10)
    assert seen and time.monotonic() - began < 25
    service = Service(agent_of(env, Held(), Bench(env, look, script=[]).host))
    found = [service.find(turn) for turn in turns]
    assert {turn.state for turn in found if turn is not None} <= {"finished", "interrupted"}
    service.agent.close()


def test_pages_hear_what_changes(env: Env) -> None:
    """A stream tells which kind of thing has changed, and nothing of its content."""
    bench = Bench(env, search_manuals, similar_events, script=list(SCRIPT), perception=SEEN)
    with served(bench.agent) as address, httpx.Client(base_url=address, timeout=30) as client:
        with client.stream("GET", "/api/stream") as stream:
            lines = stream.iter_lines()
            assert next(lines) == ": here"
            asked(client, QUESTION, photo=PHOTO)
            heard = [json.loads(line[6:]) for line in (next(lines) for _ in range(8)) if line.startswith("data: ")]
        assert [one["kind"] for one in heard] == ["turn_started", "turn_finished"]
        assert QUESTION not in str(heard)
        wait_until(lambda: client.get("/api/health").json()["trail"] is not None)
        assert client.get("/api/health").json()["trail"]["ok"]


def test_a_conversation_goes_on_under_its_name_and_for_its_client_alone(env: Env) -> None:
    """A second question sees the first; another client's conversation of the same name does not."""
    script = ["", *[reply for _ in range(3) for reply in SCRIPT[1:]]]
    bench = Bench(env, search_manuals, similar_events, script=script, perception=SEEN)
    with served(bench.agent) as address, httpx.Client(base_url=address, timeout=30) as client:
        for name in ("a", "a", "b"):
            client.headers["X-Watchkeeper-Client"] = name
            assert asked(client, QUESTION, photo=PHOTO, conversation="shift")["state"] == "finished"
    seen = [messages for messages in bench.model.seen if "系统" not in messages[-1].text]
    first, second, other = (seen[at] for at in (1, 3, 5))
    assert len(first) == len(other) < len(second)


def test_a_photo_alone_is_read(server: httpx.Client) -> None:
    """What it shows, in pixels of the upright image; what is no photo is told."""
    seen = server.post("/api/ocr", json={"photo": PHOTO}).raise_for_status().json()
    assert seen["lamps"][0]["label"] == "循环变频故障"
    assert server.post("/api/ocr", json={"photo": ""}).json()["error"]["code"] == "bad_photo"


def test_a_turn_that_is_not_to_be_kept_ends_with_its_listener(held: tuple[Held, httpx.Client]) -> None:
    """`keep: false` ties a turn to its stream of events."""
    model, client = held
    turn = client.post("/api/turns", json={"question": "这是什么?", "keep": False}).json()["turn"]
    wait_until(lambda: model.asked > 1)
    with client.stream("GET", f"/api/turns/{turn}/events") as stream:
        next(stream.iter_lines())
    wait_until(lambda: client.get(f"/api/turns/{turn}").json()["state"] == "interrupted", 20)
