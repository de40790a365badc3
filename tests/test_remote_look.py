"""`watchkeeper doctor` on the plant's model server, against a real one on loopback, in health and in every failure."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from agent.cli import run
from agent.env import Env
from agent.hookspecs import Finding
from agent.model.remote_look import remote_findings
from tests.test_remote import Handler, Server


class Lister(Server):
    """Also lists what it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: object = {"data": [{"id": "qwen3-32b"}]}
        self.RequestHandlerClass = ListHandler


class ListHandler(Handler):
    """See `Lister`."""

    server: Lister

    def do_GET(self) -> None:  # noqa: N802
        self.begin(kind="application/json")
        self.wfile.write(json.dumps(self.server.listed).encode())


@pytest.fixture
def server() -> Iterator[Lister]:
    running = Lister()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def looked(env: Env, port: int, **more: Any) -> Finding:
    """What is found with these settings."""
    values = {"enabled": True, "url": f"http://127.0.0.1:{port}/v1", "model": "qwen3-32b", **more}
    remote = env.settings.remote.model_validate(values)
    (found,) = remote_findings(replace(env, settings=env.settings.model_copy(update={"remote": remote})))
    assert found.name == "remote server" and "\n" not in found.text
    return found


def test_a_box_without_one_says_nothing(env: Env) -> None:
    """Nothing is asked, and there is nothing to look at."""
    assert list(remote_findings(env)) == []


def test_one_that_answers_is_told_with_its_time(env: Env, server: Lister) -> None:
    """It is asked for one word, in the way that a turn asks."""
    found = looked(env, server.server_port)
    assert found.ok and found.text.startswith(f"http://127.0.0.1:{server.server_port}/v1: qwen3-32b answered after 0.")
    assert [(asked["max_tokens"], asked["model"]) for asked in server.asked] == [(1, "qwen3-32b")]


def test_one_that_runs_something_else_is_told(env: Env, server: Lister) -> None:
    """Some servers answer to any name; others refuse, and what they have is named."""
    server.listed = {"data": [{"id": f"m{number}\n"} for number in range(9)]}
    assert looked(env, server.server_port).text.endswith("it says that it runs m0, m1, m2, m3, m4")
    server.script = lambda handler: handler.begin(404, "application/json")
    found = looked(env, server.server_port)
    assert not found.ok and "answered 404" in found.text and "name one of them in remote.model" in found.text


@pytest.mark.parametrize("listed", [None, {}, {"data": 3}, {"data": ["x"]}, {"data": [{"id": "x" * 300_000}]}])
def test_a_strange_list_changes_nothing(env: Env, server: Lister, listed: object) -> None:
    """Only its word counts."""
    server.listed = listed
    found = looked(env, server.server_port)
    assert found.ok and "runs" not in found.text


def test_one_that_is_gone_is_told_with_what_answers_instead(env: Env) -> None:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    found = looked(env, port)
    assert not found.ok and str(port) in found.text and "until then the box's own models answer" in found.text


def test_one_that_is_silent_is_not_waited_for(env: Env, server: Lister) -> None:
    """It takes the connection and says nothing, or a byte now and then for ever: the look ends in its time."""
    over = threading.Event()

    def drip(handler: Handler) -> None:
        handler.begin()
        while not over.wait(0.02):
            handler.wfile.write(b".")

    for script in (lambda _: over.wait(20), drip):
        server.script = script
        begun = time.monotonic()
        found = looked(env, server.server_port, look_seconds=0.3)
        assert not found.ok and "within 0.3 s" in found.text
        assert time.monotonic() - begun < 3
    over.set()


def test_a_wrong_address_is_one_line(env: Env) -> None:
    """It names the setting."""
    assert "remote.url" in looked(env, 1, url="10.0.0.5:8000").text
    assert "remote.model" in looked(env, 1, model="").text


def test_doctor_says_it(
    environ: object, server: Lister, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one line among the others."""
    monkeypatch.setenv("WATCHKEEPER_REMOTE__ENABLED", "true")
    monkeypatch.setenv("WATCHKEEPER_REMOTE__MODEL", "qwen3-32b")
    monkeypatch.setenv("WATCHKEEPER_REMOTE__URL", f"http://127.0.0.1:{server.server_port}/v1")
    run(["doctor", "--json"])
    found = {line["name"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert found["remote server"]["ok"] and "qwen3-32b answered" in found["remote server"]["text"]
