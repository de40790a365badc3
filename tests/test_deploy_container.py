"""Container, compose file and scripts: no engine runs here, so linters and parsers look at them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.settings_file import load_settings
from tests.deploy_kit import DEPLOY, REPOSITORY

CONTAINER = DEPLOY / "container"
SCRIPTS = sorted(path.name for path in DEPLOY.glob("*.sh"))
MADE_BY_A_PERSON = {"passwords", "prometheus_token", "grafana_password"}


def linter(name: str) -> str:
    """Where it is, beside this Python or on the path."""
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here")
    return found


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file, parsed."""
    found = yaml.safe_load((CONTAINER / "compose.yaml").read_text())
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck_finds_nothing(script: str) -> None:
    """Every script of deploy/, with what it reads."""
    command = [linter("shellcheck"), "--external-sources", f"deploy/{script}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert done.returncode == 0, done.stdout


def test_hadolint_finds_nothing() -> None:
    """The Containerfile follows the rules for images."""
    command = [linter("hadolint"), "--no-color", str(CONTAINER / "Containerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_image_holds_what_settings_switch_on() -> None:
    """Nothing can be added to an image in use: drivers, databases and the painter are in it, screens are not."""
    named = re.search(r"'\.\[(.+)\]'", (CONTAINER / "Containerfile").read_text())
    known = set(tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    assert named is not None
    elsewhere = {"dev", "release", "voice", "microphone", "screen", "diffusion", "heic"}
    assert set(named[1].split(",")) == known - elsewhere


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    """Each file that the Containerfile takes exists, and the ignore file lets it in."""
    let_in = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (CONTAINER / "Containerfile").read_text(), re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    assert names and set(names) == let_in
    assert all((REPOSITORY / name).exists() for name in names)


def test_no_service_runs_as_it_likes(compose: dict[str, Any]) -> None:
    """Pinned images, read-only roots, no capabilities, bounds on memory, processes and logs, and all come back."""
    assert set(compose["services"]) == {"watchkeeper", "mosquitto", "prometheus", "grafana"}
    for name, service in compose["services"].items():
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]), name
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["restart"] == "unless-stopped"
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"] and service["pids_limit"] and service["logging"]["options"]["max-size"]


def test_only_this_box_reaches_the_ports(compose: dict[str, Any]) -> None:
    """Nothing is open to the network until a person says so; the broker not at all."""
    ports = {name: service.get("ports", []) for name, service in compose["services"].items()}
    assert all(port.startswith("127.0.0.1:") for some in ports.values() for port in some)
    assert not ports["mosquitto"] and not ports["prometheus"]


def test_every_file_volume_and_secret_is_known(compose: dict[str, Any]) -> None:
    """What is mounted lies in the repository, is a declared volume, or is one of the files that a person makes."""
    for service in compose["services"].values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("./"):
                assert (CONTAINER / source).exists() or source[2:] in MADE_BY_A_PERSON, mount
            else:
                assert source in compose["volumes"]
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
    assert {Path(secret["file"]).name for secret in compose["secrets"].values()} <= MADE_BY_A_PERSON
    ignored = (CONTAINER / ".gitignore").read_text().split()
    assert {f"/{name}" for name in MADE_BY_A_PERSON} <= set(ignored), "a secret must never be committed"


def test_the_settings_of_the_container_are_settings(compose: dict[str, Any]) -> None:
    """Each variable is a setting of its right kind, and the networks are those that compose makes."""
    environment = compose["services"]["watchkeeper"]["environment"]
    server = load_settings(None, environment).server
    assert server.host == "0.0.0.0" and "watchkeeper" in server.names
    assert compose["networks"]["plant"]["ipam"]["config"][0]["subnet"] in server.networks


def test_the_shipped_settings_are_settings(tmp_path: Path) -> None:
    """The file that the installer writes can be read, also with every example in it switched on."""
    text = (DEPLOY / "watchkeeper.toml").read_text()
    load_settings(DEPLOY / "watchkeeper.toml", {})
    (tmp_path / "all.toml").write_text(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE))
    assert load_settings(tmp_path / "all.toml", {}).server.host == "0.0.0.0"


def test_the_broker_knows_everybody() -> None:
    """No guests, and everybody who may say something says it in few places."""
    lines = (CONTAINER / "mosquitto.conf").read_text().splitlines()
    assert "allow_anonymous false" in lines and "acl_file /mosquitto/config/access" in lines
    assert "topic write watchkeeper/approvals/answer/#" in (CONTAINER / "access").read_text()
