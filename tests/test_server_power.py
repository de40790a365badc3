"""Power loss: whatever instant the server dies at, it is soon ready again, and says what became of everything."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from agent.audit import Trail
from agent.env import Env, load_env
from agent.journal import Journal
from agent.reports.schedules import ALL, Order, Schedules
from agent.server.supervisor import Supervisor
from tests.server_kit import wait_until

ROOT = Path(__file__).parent.parent
READY_SECONDS = 15.0


@contextmanager
def child(home: Path, port_file: Path, **environ: str) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """A server in a process of its own that takes questions."""
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.server_child", str(home), str(port_file)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ})
    try:
        wait_until(lambda: port_file.exists() and port_file.read_text() != "", 120)
        with httpx.Client(base_url=f"http://127.0.0.1:{port_file.read_text()}", timeout=30) as client:
            yield process, client
    finally:
        process.kill()
        process.wait(30)


def is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/api/health").status_code == 200
    except httpx.TransportError:
        return False


def test_after_kill_9_in_mid_turn_nothing_is_lost_and_nothing_begun_again(tmp_path: Path) -> None:
    """The turn that ran and the one that waited are told as interrupted, what was due is written once, and the server
    is ready within seconds of its start."""
    home, port_file = tmp_path / "home", tmp_path / "port"
    with child(home, port_file) as (process, client):
        wait_until(lambda: is_ready(client))
        turns = [client.post("/api/turns", json={"question": "过载跳闸是什么?"}).json()["turn"] for _ in range(2)]
        wait_until(lambda: client.get(f"/api/turns/{turns[0]}").json()["state"] == "running")
        wait_until(lambda: client.get(f"/api/turns/{turns[0]}").json()["steps"])
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    _add_schedule_of_last_week(load_env({"WATCHKEEPER_HOME": str(home)}))
    with child(home, port_file) as (process, client):
        began = time.monotonic()
        wait_until(lambda: is_ready(client), READY_SECONDS)
        print(f"ready {time.monotonic() - began:.2f} s after it listened")
        told = [client.get(f"/api/turns/{turn}").json() for turn in turns]
        assert [turn["state"] for turn in told] == ["interrupted", "interrupted"]
        assert told[0]["steps"] and told[0]["error"]["message"]["zh"] and told[0]["answer"] is None
        wait_until(lambda: len(client.get("/api/reports").json()["reports"]) == 1)
        process.terminate()
        assert process.wait(30) == 0
    env = load_env({"WATCHKEEPER_HOME": str(home)})
    with closing(Trail(env.home.watch_db, busy_seconds=2)) as trail:
        kinds = [row.kind for row in trail.rows()]
        assert trail.verify() == len(kinds)
    assert kinds.count("turn_interrupted") == 1 and kinds.count("turn_started") == 1
    assert kinds.count("report_due") == kinds.count("report_written") == 1


def _add_schedule_of_last_week(env: Env) -> None:
    order = Order((ALL,), 24.0, ("en",), ("html",), ())
    with closing(Trail(env.home.watch_db, busy_seconds=2)) as trail, closing(Journal(trail)) as journal:
        past = datetime.now().astimezone() - timedelta(days=7)
        Schedules(journal).add("nightly", "every day 6:00", "UTC", order, now=past)


def test_the_supervisor_hears_that_it_is_ready_lives_and_stops(tmp_path: Path) -> None:
    """READY once it takes questions, WATCHDOG while it lives, STOPPING when it ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(30)
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        with child(tmp_path / "home", tmp_path / "port", **told) as (process, _):
            assert ear.recv(100) == b"READY=1"
            assert [ear.recv(100) for _ in range(2)] == [b"WATCHDOG=1"] * 2
            process.terminate()
            heard = {ear.recv(100)}
            while b"STOPPING=1" not in heard:
                heard.add(ear.recv(100))
            assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("environ", "beat"),
    [
        ({}, None), ({"WATCHDOG_USEC": "3000000"}, 1.5), ({"WATCHDOG_USEC": "x"}, None),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
    ],
)  # fmt: skip
def test_a_watchdog_is_fed_only_where_it_asks_this_process(environ: dict[str, str], beat: float | None) -> None:
    """Twice as often as it wants; and nothing is sent where nobody supervises."""
    supervisor = Supervisor(environ)
    supervisor.ready()
    assert supervisor.beat_seconds == beat
