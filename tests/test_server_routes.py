"""What the page and programs get beside turns: approvals, reports, schedules, events, modules; TLS where wanted."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi.routing import APIRoute

from agent.env import Env
from agent.plugin_host import load_plugins
from agent.reports.files import reports_folder
from agent.server.app import _routers
from agent.server.security.gate import guards
from agent.server.security.tokens import TokenBook
from agent.settings import Settings
from agent.tools import Binds, TurnView, tool
from agent.values import ToolResult, say
from plugins.logs.importing import import_csv
from tests.fakes import ScriptedModel, call
from tests.server_kit import asked, served, wait_until
from tests.servers.certificates import make_certificates
from tests.test_server import Held, look
from tests.test_server_security import with_server
from tests.test_turn import PANEL, SEEN, Bench, agent_of

ORDER = "打开循环变频故障的阀门"
PHOTO = base64.b64encode(PANEL.read_bytes()).decode()
PLANT = Path(__file__).parent.parent / "deploy" / "example"


class Valve:
    """A valve and what it was told."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def bench(self, env: Env) -> Bench:
        @tool(risk="write", name="open_valve", read_back=lambda valve: bool(self.opened))
        def open_valve(turn: TurnView, valve: Annotated[str, Binds("label", "alarm")]) -> ToolResult:
            """Open a valve."""
            self.opened.append(valve)
            return ToolResult(notes=(say("已打开", "opened"),))

        script: list[object] = ["", (call("open_valve", valve="循环变频故障"),)]
        return Bench(env, open_valve, script=script, perception=SEEN)


@contextmanager
def as_people(env: Env, address: str, *roles: str) -> Iterator[list[httpx.Client]]:
    """A client with a token of its own for each role."""
    book = TokenBook(env.home.tokens)
    clients = [
        httpx.Client(base_url=address, timeout=30, headers={"Authorization": f"Bearer {book.add(role, role)}"})
        for role in roles
    ]
    try:
        yield clients
    finally:
        for client in clients:
            client.close()


def test_a_call_waits_is_shown_exactly_and_runs_when_a_person_has_approved_it(env: Env) -> None:
    """Who asks may not approve; who approves is named; it runs once, is read back, and cannot be approved again."""
    valve = Valve()
    with (
        served(valve.bench(env).agent) as address,
        as_people(env, address, "ask", "approve") as (asker, approver),
    ):
        turn = asked(asker, ORDER, photo=PHOTO)
        assert (turn["state"], turn["error"]["code"]) == ("failed", "needs_person"), turn
        (waits,) = asker.get("/api/approvals").json()["approvals"]
        assert waits["arguments"] == {"valve": "循环变频故障"} and waits["question"] == ORDER
        path = f"/api/approvals/{waits['id']}"
        assert asker.post(path, json={"approve": True}).status_code == 403 and valve.opened == []
        wrong = approver.post(path, json={"approve": True, "digest": "0" * 64})
        assert wrong.status_code == 422 and valve.opened == []
        told = approver.post(path, json={"approve": True, "digest": waits["digest"]}).raise_for_status().json()
        assert told["person"] == "approve" and told["done"]["came"] == "confirmed", told
        assert valve.opened == ["循环变频故障"]
        assert approver.post(path, json={"approve": True}).status_code == 422 and len(valve.opened) == 1


def test_a_refused_call_never_runs(env: Env) -> None:
    """A no is a no."""
    valve = Valve()
    with served(valve.bench(env).agent) as address, httpx.Client(base_url=address, timeout=30) as client:
        asked(client, ORDER, photo=PHOTO)
        (waits,) = client.get("/api/approvals").json()["approvals"]
        told = client.post(f"/api/approvals/{waits['id']}", json={"approve": False}).json()
        assert told["state"] == "refused" and valve.opened == []
        assert client.get("/api/approvals").json()["approvals"] == []


@pytest.fixture
def plant(env: Env) -> Iterator[tuple[Env, str]]:
    """A server with the example plant's log and the real plugins."""
    import_csv(PLANT / "alarms.csv", env.log_path, env.settings.logs)
    agent = agent_of(env, ScriptedModel([""]), load_plugins())
    with served(agent) as address:
        yield env, address


def test_events_of_the_log_the_latest_and_around_one(plant: tuple[Env, str]) -> None:
    """Newest first; around one its neighbours in order; by tag and since; what is not there is told."""
    with httpx.Client(base_url=plant[1], timeout=30) as client:
        latest = client.get("/api/events?limit=5").json()["events"]
        assert len(latest) == 5 and latest[0]["fields"]["time"] >= latest[-1]["fields"]["time"]
        middle = client.get("/api/events?limit=40").json()["events"][20]
        near = client.get(f"/api/events?around={middle['id']}&limit=7").raise_for_status().json()["events"]
        times = [event["fields"]["time"] for event in near]
        assert times == sorted(times) and middle["id"] in [event["id"] for event in near] and len(near) >= 5
        tag = middle["fields"]["tag"]
        alike = client.get("/api/events", params={"tag": tag}).json()["events"]
        assert {event["fields"]["tag"] for event in alike} == {tag}
        since = client.get("/api/events", params={"since": times[-1]}).json()["events"]
        assert all(event["fields"]["time"] >= times[-1] for event in since)
        for odd in ("E999999999", "x", "E1' OR 1=1"):
            answer = client.get("/api/events", params={"around": odd})
            assert answer.status_code == 422 and answer.json()["error"]["code"] == "bad_input"
        assert client.get("/api/readings/latest").status_code == 200


def test_schedules_are_kept_by_an_administrator(plant: tuple[Env, str]) -> None:
    """Added, listed, removed; what is not understood is told; who only asks may look."""
    env, address = plant
    with as_people(env, address, "ask", "admin") as (asker, admin):
        plan = {"name": "monday", "when": "every Monday 6:00", "machines": ["VFD-P1"]}
        assert asker.post("/api/schedules", json=plan).status_code == 403
        made = admin.post("/api/schedules", json=plan)
        assert made.status_code == 201 and made.json()["cron"] == "0 6 * * 1"
        assert admin.post("/api/schedules", json={**plan, "name": "x", "when": "sometimes"}).status_code == 422
        assert [one["id"] for one in asker.get("/api/schedules").json()["schedules"]] == ["monday"]
        assert admin.delete("/api/schedules/monday").status_code == 200
        assert admin.delete("/api/schedules/monday").status_code == 422


def test_reports_are_listed_and_shown_and_nothing_else_is(plant: tuple[Env, str]) -> None:
    """A report runs no script; a name that leads elsewhere, or a link that does, is not served."""
    env, address = plant
    folder = reports_folder(env) / "2024-12-16"
    folder.mkdir(parents=True)
    (folder / "VFD-P1-20241209-20241216.html").write_text("<p>fine</p>", encoding="utf-8")
    (folder / "secret-20241209-20241216.html").symlink_to(env.home.watch_db)
    for name in ("Pumpe-1-20241201-20241208.html", "Pumpe-1-20241201-20241208.pdf", "notes.html"):
        (folder.parent / name).write_text("<p>by hand</p>", encoding="utf-8")
    with httpx.Client(base_url=address, timeout=30) as client:
        found = {one["machine"]: one for one in client.get("/api/reports").json()["reports"]}
        report = client.get(f"/api/reports/{found['VFD-P1']['id']}.html")
        assert report.text == "<p>fine</p>" and "sandbox" in report.headers["content-security-policy"]
        assert set(found) == {"VFD-P1", "Pumpe-1"} and found["Pumpe-1"]["formats"] == ["html", "pdf"]
        assert client.get(f"/api/reports/{found['Pumpe-1']['id']}.html").text == "<p>by hand</p>"
        for odd in (
            "notes.html",
            "..~x-20241209-20241216.html",
            "2024-12-16~secret-20241209-20241216.html",
            "2024-12-16~nothing.pdf",
            "watch.db",
        ):
            assert client.get(f"/api/reports/{odd}").json()["error"]["code"] == "no_report"


def test_modules_and_weights_are_told_and_changed_by_an_administrator_alone(plant: tuple[Env, str]) -> None:
    """Without a module there is nothing to swap, which is said; the models of the catalogue are listed."""
    env, address = plant
    with as_people(env, address, "approve", "admin") as (approver, admin):
        assert approver.get("/api/modules").json() == {"modules": []}
        assert "ocr-small" in {one["name"] for one in approver.get("/api/weights").json()["weights"]}
        assert approver.post("/api/modules/x/rollback").status_code == 403
        assert admin.post("/api/modules/x/swap", json={"version": "1.0"}).json()["error"]["code"] == "module"


def test_over_tls_by_certificate_files(env: Env, tmp_path: Path) -> None:
    """Whoever checks the authority is served, and is told to come by TLS alone from then on."""
    made = make_certificates(tmp_path / "tls")
    secured = with_server(env, certificate_file=made.server, key_file=made.server_key)
    trusted = ssl.create_default_context(cafile=str(made.ca))
    bench = Bench(secured, script=[""])
    with served(bench.agent) as address, httpx.Client(verify=trusted, timeout=30) as client:
        answer = client.get(f"{address.replace('http:', 'https:')}/api/health")
        assert answer.status_code == 200 and "max-age" in answer.headers["strict-transport-security"]


def test_the_interface_describes_itself(plant: tuple[Env, str]) -> None:
    """Every route of the API stands in /openapi.json."""
    with httpx.Client(base_url=plant[1], timeout=30) as client:
        paths = client.get("/openapi.json").json()["paths"]
    assert {"/api/turns", "/api/turns/{turn}/events", "/api/predict", "/api/ocr", "/api/approvals/{request}"} <= set(
        paths
    )


def test_every_route_asks_for_a_role_but_those_that_are_open() -> None:
    """Behind the gate too: the page, the life sign and the session alone may be had by nobody in particular."""
    free = set()
    for route in (route for router in _routers() for route in router.routes):
        if not isinstance(route, APIRoute):  # it has no roles of its own: the gate lets nobody in without a token
            assert guards(getattr(route, "path", "/"))
            continue
        asked_for = {str(getattr(one.call, "__name__", "")) for one in route.dependant.dependencies}
        if not asked_for & {"asker", "_approver", "_admin"}:
            free.add(route.path)
    assert free == {"/", "/sw.js", "/page/{name}", "/api/health", "/api/session"}


def test_those_who_wait_for_the_model_leave_the_others_served(env: Env) -> None:
    """A hundred photos that wait to be read hold no thread that anybody else needs."""
    model = Held()
    agent = agent_of(with_server(env, waiting_turns_each=80), model, Bench(env, look, script=[], perception=SEEN).host)
    with served(agent) as address, httpx.Client(base_url=address, timeout=30) as client:
        client.post("/api/turns", json={"question": "这是什么?"})
        wait_until(lambda: model.asked > 1)

        def read() -> None:
            with httpx.Client(base_url=address, timeout=60) as other:
                assert other.post("/api/ocr", json={"photo": PHOTO}).status_code == 200

        threads = [threading.Thread(target=read) for _ in range(60)]
        for thread in threads:
            thread.start()
        wait_until(lambda: client.get("/api/health").json()["queue"]["waiting"] == 60)
        assert client.get("/api/approvals").status_code == 200
        model.let.set()
        for thread in threads:
            thread.join()


def test_limits_of_the_server_are_settings() -> None:
    """Loopback alone, until somebody says otherwise."""
    server = Settings().server
    assert server.host == "127.0.0.1" and all(n in ("127.0.0.0/8", "::1/128") for n in server.networks)
