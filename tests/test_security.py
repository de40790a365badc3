"""`doctor --security`: whatever is open on a box is on the screen."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from agent.cli import run
from agent.commands import security
from agent.commands.security import examine_security
from agent.env import Env
from agent.hookspecs import Finding
from agent.plugin_host import load_plugins
from agent.server.security.tokens import TokenBook
from agent.settings import Settings
from tests.test_approval import ORDER, PANEL, Device, abandon, approve_what_waits, bench_of


def look(env: Env, **sections: dict[str, object]) -> dict[str, Finding]:
    settings = Settings.model_validate({**env.settings.model_dump(), **sections})
    found = list(examine_security(replace(env, settings=settings), load_plugins(found=())))
    return {f"{f.name}{'' if f.ok else '!'}": f for f in found}


@pytest.fixture
def closed(env: Env, monkeypatch: pytest.MonkeyPatch) -> Env:
    """A box as it should be."""
    monkeypatch.setattr(security.os, "geteuid", lambda: env.home.folder.stat().st_uid or 1000)
    env.home.folder.chmod(0o700)
    return env


def test_a_closed_box_has_nothing_to_show(closed: Env) -> None:
    """Every line is well."""
    found = look(closed)
    assert not [line for line in found.values() if not line.ok and line.name != "confinement"]
    assert {"home", "keys", "listens", "leaves the box", "approvals", "audit trail", "weights", "updates"} <= set(found)


def test_open_files_are_named(closed: Env) -> None:
    """A home that others read, a database and a key that others reach."""
    closed.home.folder.chmod(0o755)
    look(closed)
    closed.home.watch_db.chmod(0o666)
    closed.home.box_key.chmod(0o644)
    found = look(closed)
    assert "chmod 700" in found["home!"].text and "watch.db" in found["files!"].text
    assert "box.key" in found["keys!"].text and "keys" not in found


@pytest.mark.parametrize("url", ["http://10.0.0.5:8000/v1", "http://plant.example/v1"])
def test_what_leaves_the_box_is_named(closed: Env, url: str) -> None:
    """The server, photos, and a way that can be read; an api key in a file that others read."""
    closed.home.config.write_text("")
    closed.home.config.chmod(0o644)
    found = look(closed, remote={"enabled": True, "url": url, "model": "m", "send_photos": True, "api_key": "k"})
    assert "PHOTOS" in found["leaves the box!"].text and "https" in found["remote!"].text
    assert "watchkeeper.toml" in found["keys!"].text
    found = look(closed, remote={"enabled": True, "url": "http://127.0.0.1:8000/v1", "model": "m"})
    assert "no photos" in found["leaves the box"].text and "remote!" not in found


def test_a_socket_that_listens_is_named(closed: Env) -> None:
    """With its address."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert str(server.getsockname()[1]) in look(closed)["listens!"].text
    assert look(closed)["listens"].text == "on nothing"


def test_people_and_records(closed: Env) -> None:
    """Approvals that can be used, commands of which nobody knows, a spoiled journal, an edited trail."""
    with pytest.raises(Exception, match="approvals approve"):
        bench_of(closed, Device()).ask(ORDER, photo=PANEL)
    approve_what_waits(closed)
    abandon(closed, "sent")
    agent = bench_of(closed, Device(sees=None)).agent
    agent.recover()
    found = look(closed)
    assert found["approvals"].text == "0 wait for a person, 1 can be used now"
    assert "1 were sent" in found["commands!"].text
    agent.trail._db.execute("UPDATE journal SET body = '' WHERE kind = 'turn'")
    assert "journal!" in look(closed)
    agent.trail._db.execute("UPDATE audit SET body = '{}' WHERE seq = 1")
    assert "row 1" in look(closed)["audit trail!"].text


def test_what_the_kernel_does_not_enforce_is_said(closed: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is pretended."""
    monkeypatch.setattr(security, "enforceable", lambda: {"files": "not enforced: no Landlock", "network": "seccomp"})
    assert look(closed)["confinement!"].text == "files: not enforced: no Landlock"


def test_the_command_line(environ: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One screen; as JSON, one object a line."""
    assert run(["doctor", "--security"]) in (0, 3)
    assert 8 <= len(capsys.readouterr().out.splitlines()) <= 24
    assert run(["doctor", "--security", "--json"]) in (0, 3)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"name", "ok", "text"} == set(lines[0])


def test_what_the_server_opens_is_told(closed: Env) -> None:
    """Where it would listen, whom it serves, who has tokens, and what can be read on the way."""
    found = look(closed)
    assert "127.0.0.1:8765; serves this machine alone" in found["server"].text and "nobody may" in found["tokens"].text
    assert "does not start" in look(closed, server={"host": "0.0.0.0"})["tokens!"].text
    token = TokenBook(closed.home.tokens).add("wang", "approve")
    open_to_all = look(closed, server={"host": "0.0.0.0", "networks": ("0.0.0.0/0",)})
    assert open_to_all["tokens"].text == "wang (approve)" and token not in str(open_to_all)
    assert "every address" in open_to_all["networks!"].text and "without TLS" in open_to_all["TLS!"].text
    closed.home.tokens.write_text("{", encoding="utf-8")
    assert "nobody is let in" in look(closed)["server!"].text
