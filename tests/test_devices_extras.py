"""A box has only the drivers that it needs; of one that is not there, the message says how it is had."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from agent.cli import run
from agent.errors import InputError
from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.registry import make_driver

ROOT = Path(__file__).parents[1]
LIMITS = DriverSettings(
    connections={
        "plc": ConnectionSettings(kind="opcua", address="opc.tcp://127.0.0.1:4840"),
        "home": ConnectionSettings(kind="mqtt", address="mqtt://127.0.0.1:1"),
    }
)


@pytest.fixture
def without_asyncua(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if "opcua" in name or name.partition(".")[0] == "asyncua"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asyncua", None)


@pytest.mark.usefixtures("without_asyncua")
def test_opc_ua_is_an_extra_of_its_own() -> None:
    """Without it the other drivers work, and a connection of its kind says what to install."""
    assert make_driver("home", [], LIMITS)
    with pytest.raises(InputError, match=r"connection plc: .*asyncua.*; pip install 'watchkeeper\[opcua\]'"):
        make_driver("plc", [], LIMITS)


@pytest.mark.usefixtures("without_asyncua")
def test_what_a_server_has_cannot_be_asked_without_it(environ: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`devices discover` says the same."""
    environ.mkdir(parents=True)
    settings = '[drivers.connections.plc]\nkind = "opcua"\naddress = "opc.tcp://127.0.0.1:4840"\n'
    (environ / "watchkeeper.toml").write_text(settings, encoding="utf-8")
    assert run(["devices", "discover", "plc"]) == 2
    assert "pip install 'watchkeeper[opcua]'" in capsys.readouterr().err


def test_what_extras_bring() -> None:
    """The weak copyleft and its 28 MB come only where they are asked for; the tests have all of it."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    having = {name for name, packages in extras.items() if any(one.startswith("asyncua") for one in packages)}
    assert having == {"opcua", "dev"}
