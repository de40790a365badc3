"""The painter on the server and the command line: off unless wanted, behind the gate, kept, and soon back."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter

from agent.cli import run
from agent.env import Env
from agent.plugin_host import load_plugins
from agent.server.security.tokens import TokenBook
from agent.server.sites import site_routers
from agent.sites import Site
from plugins.painter.drawing.compose import Chosen
from plugins.painter.painter import Painter
from plugins.painter.wishes import wish_of
from tests.fakes import ScriptedModel
from tests.server_kit import served, wait_until
from tests.servers.debian import free_port
from tests.servers.process import listens
from tests.test_turn import agent_of

PICTURE = "/api/painter/picture?animal=cat&feature=boots&feature=hat:red&place=beach"
PLUGIN = EntryPoint("painter", "plugins.painter.plugin:plugin", "watchkeeper")
ROOT = Path(__file__).parent.parent
READY_SECONDS = 15.0


def wanted(env: Env, **values: object) -> Env:
    """A box where the painter is on."""
    painter = env.settings.painter.model_copy(update={"enabled": True, "side_px": 128, **values})
    return replace(env, settings=env.settings.model_copy(update={"painter": painter}))


@contextmanager
def painting(env: Env) -> Iterator[httpx.Client]:
    host = load_plugins(found=(PLUGIN,))
    agent = agent_of(env, ScriptedModel([""]), host)
    with served(agent) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def test_it_is_off_unless_it_is_wanted(env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """No page, no route, no command, no file."""
    with painting(env) as client:
        assert {client.get(path).status_code for path in ("/painter", "/api/painter/cards", PICTURE)} == {404}
    assert not (env.home.cache / "painter.db").exists()


def test_a_picture_is_made_once_and_then_kept(env: Env) -> None:
    """By its choices or by words; a browser that has it asks for no body."""
    with painting(wanted(env)) as client:
        told = client.post("/api/painter/wishes", json={"text": "穿雨靴 戴红帽子的小猫 在海边"}).json()
        assert told["picture"].startswith("/api/painter/picture?")
        assert told["said"]["zh"] == "戴红色帽子、穿雨靴的小猫,在海边"
        first = client.get(told["picture"]).raise_for_status()
        assert first.headers["content-type"] == "image/png" and first.content.startswith(b"\x89PNG")
        assert "小猫" in json.loads(first.headers["x-painter-said"])["zh"]
        assert client.get(PICTURE).content == first.content
        tag = first.headers["etag"]
        assert client.get(PICTURE, headers={"If-None-Match": tag}).status_code == 304
    with closing(sqlite3.connect(env.home.cache / "painter.db")) as db:
        assert db.execute("SELECT count(*) FROM replies").fetchone() == (1,)


@pytest.mark.parametrize(
    "path",
    [
        "?animal=cat&feature=boots&place=nowhere", "?animal=../cat&feature=boots&place=beach",
        "?animal=cat&place=beach",
        "?animal=cat&feature=hat&feature=crown&place=beach", "?animal=cat&feature=boots:plaid&place=beach",
        "?animal=cat&feature=big_ears:red&place=beach", "?animal=cat&feature=boots&place=beach'--",
        "?animal=cat&feature=&place=beach", "?animal=" + "c" * 500 + "&feature=boots&place=beach",
        "?animal=cat&place=beach" + "&feature=boots" * 50,
    ],
)  # fmt: skip
def test_what_is_not_on_the_cards_is_never_painted(env: Env, path: str) -> None:
    """The service checks again what the page has checked."""
    with painting(wanted(env)) as client:
        answer = client.get(f"/api/painter/picture{path}")
        assert answer.status_code == 422 and answer.json()["error"]["message"]["zh"]


def test_hints_come_in_both_languages_and_repeat_nothing(env: Env) -> None:
    """Whatever was typed; and a body that is none is refused."""
    with painting(wanted(env)) as client:
        for text in ("kill the cat", "<img src=x>", "小猫", "猫" * 5_000):
            answer = client.post("/api/painter/wishes", json={"text": text})
            assert answer.status_code == 422 and set(answer.json()["error"]["message"]) == {"zh", "en"}
            assert text[:40] not in answer.text or text == "小猫"
        assert client.post("/api/painter/wishes", json={"text": "猫" * 20_000}).status_code in (413, 422)
        assert client.post("/api/painter/wishes", json={"text": 1}).status_code == 422


def test_the_gate_stands_before_it_as_before_everything(env: Env) -> None:
    """Without a token nothing is painted; the page's files say the page's policy, and nothing else is served."""
    box = wanted(env)
    token = TokenBook(box.home.tokens).add("child", "ask")
    with painting(box) as client:
        assert client.get(PICTURE).status_code == client.get("/api/painter/cards").status_code == 401
        assert client.post("/api/painter/wishes", json={"text": "x"}).status_code == 401
        own = {"Authorization": f"Bearer {token}"}
        assert client.get(PICTURE, headers=own).status_code == 200
        foreign = {**own, "Origin": "http://elsewhere.example"}
        assert client.post("/api/painter/wishes", json={"text": "x"}, headers=foreign).status_code == 403
        page = client.get("/painter")
        assert page.status_code == 200 and "script-src 'self'" in page.headers["content-security-policy"]
        assert client.get("/painter/painter.js").headers["content-type"].startswith("text/javascript")
        for path in ("/painter/words.toml", "/painter/..%2fplugin.py", "/painter/index.html%00", "/painter/x/y"):
            assert client.get(path).status_code in (400, 404)


def test_a_site_never_stands_in_the_way_of_the_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is taken, or none, is left out and told."""
    (tmp_path / "index.html").write_text("x")
    sites = [Site(name, tmp_path, APIRouter) for name in ("api", "turns", "Painter", "a/b", "fine", "fine")]
    assert len(site_routers(sites, ["/api/turns", "/"])) == 1
    assert capsys.readouterr().err.count("left out") == 5


def test_the_cards_cross_once(env: Env) -> None:
    """Compressed, and not at all where the browser has them."""
    with painting(wanted(env)) as client:
        first = client.get("/api/painter/cards", headers={"Accept-Encoding": "gzip"}).raise_for_status()
        assert first.headers["content-encoding"] == "gzip" and int(first.headers["content-length"]) < 80_000
        assert len(first.json()["animals"]) >= 12
        again = client.get("/api/painter/cards", headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304 and not again.content


def test_doctor_says_whether_it_can_paint(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing where it is off; what to install, or which file is missing, where it is on."""
    host = load_plugins(found=(PLUGIN,))
    assert not [one for one in host.own_health(env) if one.name == "painter"]
    assert [one.ok for one in host.own_health(wanted(env))] == [True]
    lacking = wanted(env, model_file="sd.gguf", model_sha256="0" * 64)
    assert "no such file" in host.own_health(lacking)[0].text
    monkeypatch.setattr("plugins.painter.plugin.can_draw", lambda: False)
    assert "watchkeeper[painter]" in host.own_health(wanted(env))[0].text


def test_many_children_at_once(env: Env) -> None:
    """Each gets its picture; the same one is drawn once."""
    paths = [PICTURE.replace("animal=cat", f"animal={name}") for name in ("dog", "owl", "pig")] * 4
    with painting(wanted(env)) as client, ThreadPoolExecutor(6) as children:
        assert len(set(children.map(lambda path: client.get(path).raise_for_status().content, paths))) == 3


def test_the_store_is_bounded_and_a_picture_that_was_tampered_with_is_drawn_again(env: Env) -> None:
    """The longest unused go first, and no foreign picture is ever shown."""
    box = wanted(env, cache_rows=3)
    wishes = [wish_of([animal], [Chosen("hat")], ["snow"]) for animal in ("cat", "dog", "owl", "fox", "pig")]
    with closing(Painter(box)) as painter:
        drawn = [painter.paint(wish).png for wish in wishes]
        assert [painter.paint(wish).kept for wish in wishes[2:]] == [True] * 3
    with closing(sqlite3.connect(box.home.cache / "painter.db")) as db, db:
        assert db.execute("SELECT count(*) FROM replies").fetchone() == (3,)
        db.execute("UPDATE replies SET body = ?", (b"\x89PNG something else",))
    with closing(Painter(box)) as painter:
        again = painter.paint(wishes[4])
        assert again.png == drawn[4] and not again.kept


def test_a_spoiled_store_costs_nothing_but_time(env: Env) -> None:
    """It is set aside, and the picture drawn."""
    box = wanted(env)
    (box.home.cache / "painter.db").write_bytes(b"no database at all" * 100)
    wish = wish_of(["cow"], [Chosen("wings")], ["sky"])
    with closing(Painter(box)) as painter:
        first = painter.paint(wish)
        assert first.png.startswith(b"\x89PNG")
        assert painter.paint(wish).png == first.png


def test_paint_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wish and a file; off, a hint, or a folder that is not there: one line that says so."""
    out = tmp_path / "cat.png"
    monkeypatch.setenv("WATCHKEEPER_HOME", str(tmp_path / "home"))
    assert run(["paint", "穿雨靴的小猫 在海边", "--out", str(out)]) == 2
    assert "[painter]" in capsys.readouterr().err and not out.exists()
    monkeypatch.setenv("WATCHKEEPER_PAINTER__ENABLED", "true")
    assert run(["paint", "穿雨靴的小猫 在海边", "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"\x89PNG") and "穿雨靴的小猫,在海边" in capsys.readouterr().out
    assert run(["paint", "a ghost at the beach", "--out", str(out)]) == 2
    assert "cards" in capsys.readouterr().err
    assert run(["paint", "穿雨靴的小猫 在海边", "--out", str(tmp_path / "no" / "cat.png")]) == 2


@contextmanager
def serving(home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`watchkeeper serve` as a process of its own."""
    environ = {
        **os.environ, "WATCHKEEPER_HOME": str(home), "WATCHKEEPER_SERVER__PORT": str(port),
        "WATCHKEEPER_PAINTER__ENABLED": "true", "WATCHKEEPER_MODEL__NAME": "rules",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "agent", "serve"], cwd=ROOT, env=environ)
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


def paints(client: httpx.Client, path: str) -> bytes:
    try:
        return client.get(path).raise_for_status().content
    except httpx.TransportError:
        return b""


def test_after_kill_9_it_paints_again_and_has_what_it_painted(tmp_path: Path) -> None:
    """Killed while it paints: within 15 s of its start the same picture comes, and what was kept is whole."""
    port = free_port()
    more = [PICTURE.replace("animal=cat", f"animal={name}") for name in ("dog", "owl", "pig", "fox", "cow")]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        with serving(tmp_path, port) as process:
            wait_until(lambda: paints(client, PICTURE))
            first = paints(client, PICTURE)
            for path in more[:3]:
                paints(client, path)
            os.kill(process.pid, signal.SIGKILL)
        began = time.monotonic()
        with serving(tmp_path, port):
            wait_until(lambda: listens(port), 60)  # Python itself takes its time on a busy box
            wait_until(lambda: paints(client, PICTURE), READY_SECONDS)
            print(f"paints {time.monotonic() - began:.2f} s after its start")
            assert paints(client, PICTURE) == first
            assert all(paints(client, path) for path in more)
    with closing(sqlite3.connect(tmp_path / "cache" / "painter.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
