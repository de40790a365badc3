"""A module bundle of an update is handed to whoever installs modules; what that says decides."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from pathlib import Path

import pytest

from agent.cli import run
from agent.env import load_env
from agent.errors import ModuleError, NeedsPerson
from agent.modules.host import ModuleHost
from agent.updates.items import Outcome
from agent.updates.modules import ModuleReceiver
from deploy.release.repository import NewTarget
from tests.modules_kit import tally
from tests.updates_kit import Box, Maker


class Host:
    """Installs whatever it is given, unless it is told otherwise."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.installed: dict[str, tuple[str, str]] = {"vibration": ("1", "0" * 64)}
        self.called = "vibration"

    def version(self, name: str) -> str:
        return self.installed.get(name, ("", ""))[0]

    def bundle_sha256(self, name: str) -> str:
        return self.installed.get(name, ("", ""))[1]

    def install_bundle(self, path: Path) -> None:
        if self.problem:
            raise self.problem
        self.installed[self.called] = ("2", hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture
def desk(tmp_path: Path) -> Maker:
    desk = Maker(tmp_path / "repo")
    desk.offer("vibration", "2", b"bundle")
    return desk


def updated(tmp_path: Path, desk: Maker, host: Host) -> Outcome:
    box = Box(tmp_path / "updates", desk.folder / "root.json", ModuleReceiver(host))
    (done,) = box.updates.update(str(desk.folder), box.reporter)
    return done


def test_a_bundle_is_installed_once(tmp_path: Path, desk: Maker) -> None:
    """The digest of the bundle in use tells whether there is anything to do."""
    host = Host()
    done = updated(tmp_path, desk, host)
    assert (done.state, done.was) == ("installed", "1")
    assert updated(tmp_path, desk, host).state == "here"


def test_a_bundle_that_does_not_prove_itself_is_kept_out(tmp_path: Path, desk: Maker) -> None:
    """The old version stays, and the line says which."""
    host = Host()
    host.problem = ModuleError("vibration 2: golden call 1 fails")
    done = updated(tmp_path, desk, host)
    assert (done.state, done.problem) == ("kept", "vibration 2: golden call 1 fails; 1 stays in use")
    assert updated(tmp_path, desk, host).state == "held back"


def test_a_bundle_that_needs_a_person_waits_in_staging(tmp_path: Path, desk: Maker) -> None:
    """It is no failure: once somebody agreed, the next update ends it without fetching again."""
    host = Host()
    host.problem = NeedsPerson("vibration asks for the network; agree with …")
    done = updated(tmp_path, desk, host)
    assert done.state == "failed"
    assert Path(done.problem.partition("waits in ")[2].rstrip(")")).read_bytes() == b"bundle"
    host.problem = None
    assert updated(tmp_path, desk, host).state == "installed"


def test_a_bundle_of_another_module_is_not_taken_for_it(tmp_path: Path, desk: Maker) -> None:
    """Signed under the wrong name: said, and not tried for ever."""
    host = Host()
    host.called = "other"
    assert "another module" in updated(tmp_path, desk, host).problem
    assert updated(tmp_path, desk, host).state == "held back"


def test_a_real_module_is_brought_up_to_date(
    environ: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the release desk to the version that answers: the new one proves itself, a sick one leaves it in place."""
    monkeypatch.setenv("WATCHKEEPER_MODULES__SPARE_RAM_BYTES", "0")
    assert run(["modules", "install", str(tally(tmp_path)), "--swap"]) == 0
    desk = Maker(tmp_path / "repo")
    assert run(["update", "trust", str(desk.folder / "root.json")]) == 0
    told = []
    for version, well in (("1.1", True), ("1.2", False)):
        custom = {"kind": "module", "name": "tally", "version": version}
        made = tally(tmp_path, version, well=well)
        desk.at().publish(desk.signers, add=[NewTarget(made, f"modules/tally/{made.name}", custom)], drop=["modules/"])
        capsys.readouterr()
        code = run(["update", "--from", str(desk.folder), "--json"])
        told.append((code, json.loads(capsys.readouterr().out)["state"]))
    assert told == [(0, "installed"), (2, "kept")]
    with closing(ModuleHost(load_env({"WATCHKEEPER_HOME": str(environ)}))) as host:
        assert host.version("tally") == "1.1"
