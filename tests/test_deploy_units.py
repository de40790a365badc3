"""The services: what systemd itself says of them, where it is here, and what every one of them must have."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.settings_file import NOT_SETTINGS
from tests.deploy_kit import DEPLOY

SYSTEMD = DEPLOY / "systemd"
SERVICES = sorted(path.name for path in SYSTEMD.glob("*.service"))
LEAST_EXPOSED = 2.0
"""By systemd's own scale from 0 to 10, on which an ordinary service has 9.6."""
HARDENING = (
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "PrivateTmp=yes",
    "ProtectHome=yes",
    "CapabilityBoundingSet=",
)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a system that has the services and a program for them to start."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    root = tmp_path_factory.mktemp("box")
    units = root / "etc" / "systemd" / "system"
    shutil.copytree(SYSTEMD, units)
    program = root / "watchkeeper"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in units.glob("*.service"):
        unit.write_text(unit.read_text().replace("/opt/watchkeeper/current/bin/watchkeeper", str(program)))
    (units / "watchkeeper-.service.d" / "90-user.conf").write_text("[Service]\nUser=root\nGroup=root\n")
    return root


def test_systemd_finds_no_fault(box: Path) -> None:
    """No unknown key, no section in the wrong place, no program that is not there."""
    units = [str(path) for path in (box / "etc" / "systemd" / "system").glob("watchkeeper-*.*") if path.is_file()]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    faults = [line for line in done.stderr.splitlines() if "watchkeeper-" in line]
    assert done.returncode == 0 and not faults, done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_little_exposed(box: Path, service: str) -> None:
    """By systemd's own count of what a service that was taken over could reach."""
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", f"--root={box}", service]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert found, said
    worse_by_root = 0.5  # this box has no user for them
    assert float(found[1]) <= LEAST_EXPOSED + worse_by_root, said


def test_what_all_services_have() -> None:
    """One user, one folder that may be written, bounds on memory and processes, a log of its own."""
    common = (SYSTEMD / "watchkeeper-.service.d" / "50-box.conf").read_text().splitlines()
    for line in (*HARDENING, "User=watchkeeper", "StateDirectory=watchkeeper", "LogNamespace=watchkeeper"):
        assert line in common
    assert {line.split("=")[0] for line in common} >= {"MemoryHigh", "MemoryMax", "TasksMax", "SystemCallFilter"}
    for service in SERVICES:
        assert service.startswith("watchkeeper-"), "else what all have does not reach it"
        assert not any(line.startswith(HARDENING[:3]) for line in (SYSTEMD / service).read_text().splitlines())


@pytest.mark.parametrize("service", [name for name in SERVICES if "Type=oneshot" not in (SYSTEMD / name).read_text()])
def test_a_service_comes_back(service: str) -> None:
    """After a crash, a kill and a power cut, and it is never given up."""
    lines = (SYSTEMD / service).read_text().splitlines()
    assert "Restart=always" in lines and "WantedBy=multi-user.target" in lines
    assert "StartLimitIntervalSec=0" in (SYSTEMD / "watchkeeper-.service.d" / "50-box.conf").read_text()


def test_the_server_is_watched() -> None:
    """It says that it is ready and that it lives; where it does not, it is started again."""
    lines = (SYSTEMD / "watchkeeper-server.service").read_text().splitlines()
    assert "Type=notify" in lines and "WatchdogSec=60" in lines


def test_only_cameras_and_microphones_are_opened() -> None:
    """Devices are closed to all, and each service opens its own kind."""
    opened = {
        service: [line for line in (SYSTEMD / service).read_text().splitlines() if line.startswith("DeviceAllow=")]
        for service in SERVICES
    }
    assert {service: lines for service, lines in opened.items() if lines} == {
        "watchkeeper-voice.service": ["DeviceAllow=char-alsa rw"],
        "watchkeeper-watch@.service": ["DeviceAllow=char-video4linux rw"],
    }


def test_no_variable_is_taken_for_a_setting() -> None:
    """Whatever begins with WATCHKEEPER_ is read as a setting, so a service may set only those that are none."""
    texts = [path.read_text() for path in SYSTEMD.rglob("*") if path.is_file()]
    assert set(re.findall(r"WATCHKEEPER_\w+", "".join(texts))) == NOT_SETTINGS


def test_the_log_is_bounded() -> None:
    """On a disk of 8 GB a chatty year must not end the agent."""
    lines = (SYSTEMD / "journald@watchkeeper.conf").read_text().splitlines()
    assert "SystemMaxUse=100M" in lines and "Storage=persistent" in lines
