"""A bundle made here is installed into an empty folder without a network, serves, survives a kill, and goes again.

The first run on a machine compiles llama.cpp, if nobody has before.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.deploy_kit import DEPLOY, bash

pytestmark = [pytest.mark.weights, pytest.mark.timeout(1800)]

READY_SECONDS = 15.0
"""From a crash until questions are taken, on a box that has nothing else to do."""
UNITS_RESTART_SECONDS = 2.0


@pytest.fixture(scope="module")
def bundle(real_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For exactly this machine; with the small model and the reader of panels."""
    place = tmp_path_factory.mktemp("stick") / "bundle"
    code, said = bash(DEPLOY / "bundle.sh", "--native", "--weights", "qwen2.5-0.5b ocr-small", place, seconds=1500)
    if code and any(line in said for line in ("No matching distribution", "Temporary failure in name resolution")):
        pytest.skip(f"the packages cannot be had here: {said[-300:]}")
    assert code == 0, said
    return place


@pytest.fixture(scope="module")
def installed(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of what was installed from it, without a network, where a first run was cut off."""
    root = tmp_path_factory.mktemp("box") / "root"
    half = root / "opt/watchkeeper/releases" / release(bundle) / "bin"
    half.mkdir(parents=True)
    (half / "python").write_text("half a file")
    (root / "opt/watchkeeper/current.new").symlink_to("releases/nothing")
    code, said = bash(bundle / "install.sh", "--root", root, seconds=600, alone=True)
    assert code == 0, said
    return root


def release(bundle: Path) -> str:
    """How the installer calls the version in a bundle."""
    facts = dict(line.split("=", 1) for line in (bundle / "MANIFEST").read_text().splitlines())
    return f"{facts['version']}-{hashlib.sha256((bundle / 'SHA256SUMS').read_bytes()).hexdigest()[:12]}"


@contextmanager
def serving(root: Path) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """The installed server, once it says that it is well."""
    environment = {"PATH": os.environ["PATH"], "WATCHKEEPER_SERVER__PORT": "0"}
    command = [str(root / "usr/local/bin/watchkeeper"), "serve"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split()[2].rstrip(";")
        with httpx.Client(base_url=address, timeout=60) as client:
            end = time.monotonic() + 120
            while client.get("/api/health").status_code != 200:
                assert time.monotonic() < end, "it did not become healthy"
                time.sleep(0.1)
            yield client, process
    finally:
        process.terminate()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()


def test_the_program_finds_everything(installed: Path) -> None:
    """The doctor of the installed program sees the weights of the bundle, verified, and all plugins."""
    command = [str(installed / "usr/local/bin/watchkeeper"), "doctor", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    found = {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert found["ladder"]["ok"] and "qwen2.5-0.5b" in found["ladder"]["text"]
    assert found["panel"]["ok"] and found["plugin panel"]["ok"] and found["home"]["text"].startswith(str(installed))


def test_it_serves_and_survives_a_kill(installed: Path) -> None:
    """A question that is being answered when the power goes is interrupted, said so, and the server is back in time."""
    with serving(installed) as (client, process):
        assert client.get("/api/health").json()["rung"] == "qwen2.5-0.5b"
        turn = client.post("/api/turns", json={"question": "最近三天有没有报警?"}).raise_for_status().json()["turn"]
        process.send_signal(signal.SIGKILL)
        process.wait()
    begun = time.monotonic()
    with serving(installed) as (client, _):
        taken = time.monotonic() - begun + UNITS_RESTART_SECONDS
        state = client.get(f"/api/turns/{turn}").raise_for_status().json()["state"]
    assert state in ("interrupted", "finished", "failed")
    assert taken < READY_SECONDS * _slowness(), f"{taken:.1f} s"


def test_it_can_be_installed_again(installed: Path, bundle: Path) -> None:
    """Nothing is built or copied twice, and settings that a person changed stay as they are."""
    settings = installed / "etc/watchkeeper/watchkeeper.toml"
    settings.write_text('[plant]\nname = "line 1"\n')
    before = (installed / "opt/watchkeeper/current").readlink()
    assert before == Path("releases") / release(bundle)
    code, said = bash(bundle / "install.sh", "--root", installed, seconds=300)
    assert code == 0 and "it answers already" in said
    assert (installed / "opt/watchkeeper/current").readlink() == before
    assert "line 1" in settings.read_text()


def test_uninstalling_keeps_the_data_unless_asked(installed: Path, bundle: Path) -> None:
    """The program goes; what people asked and set goes only with --purge."""
    assert bash(bundle / "install.sh", "--root", installed, "--uninstall")[0] == 0
    left = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert left and all(path.startswith(("var/lib/watchkeeper/", "etc/watchkeeper/")) for path in left)
    assert "var/lib/watchkeeper/watch.db" in left and "etc/watchkeeper/watchkeeper.toml" in left
    assert bash(bundle / "install.sh", "--root", installed, "--uninstall", "--purge")[0] == 0
    assert not [path for path in installed.rglob("*") if path.is_file()]


def _slowness() -> float:
    """How much of these cores others take: the promise is for a box that has nothing else to do."""
    return max(1.0, 1.5 * os.getloadavg()[0] / (os.cpu_count() or 1))
