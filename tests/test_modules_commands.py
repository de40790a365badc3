"""`watchkeeper modules`: every command, in words and as JSON, and what it says when it cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.cli import run
from tests.modules_kit import plugin, tally


@pytest.fixture
def cli(environ: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command line: exit code, JSON lines of stdout, stderr."""
    monkeypatch.setenv("WATCHKEEPER_MODULES__SPARE_RAM_BYTES", "0")

    def call(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
        code = run(["modules", *map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return call


def test_a_module_from_its_file_to_its_end(cli: Any, tmp_path: Path) -> None:
    """Install, swap, list, pin, roll back, remove."""
    code, (made,), _ = cli("install", tally(tmp_path))
    assert code == 0 and (made["name"], made["version"], made["asked"], made["swapped"]) == ("tally", "1.0", [], None)
    code, (swapped,), _ = cli("swap", "tally", "1.0")
    assert code == 0 and swapped["swapped"]["gap_ms"] == 0
    code, (made,), _ = cli("install", tally(tmp_path, "1.1"), "--swap")
    assert code == 0 and made["swapped"]["version"] == "1.1"
    assert cli("pin", "tally")[1] == [{"name": "tally", "version": "1.1", "pinned": True}]
    code, _, said = cli("swap", "tally", "1.0")
    assert code == 2 and "is pinned to 1.1; watchkeeper modules pin tally --off" in said
    code, (listed,), _ = cli("list")
    assert [(one["version"], one["state"]) for one in listed["versions"]] == [("1.0", "before"), ("1.1", "answers")]
    assert listed["pinned"] and listed["current"] == "1.1"
    code, (back,), _ = cli("rollback", "tally")
    assert code == 0 and back["version"] == "1.0"
    assert cli("pin", "tally", "1.1")[1][0]["pinned"] and not cli("pin", "tally", "--off")[1][0]["pinned"]
    code, _, said = cli("remove", "tally", "1.1")
    assert code == 2 and "answers now" in said
    assert cli("remove", "tally", "1.0")[0] == 0
    assert cli("remove", "tally")[0] == 0 and cli("list") == (0, [], "")


def test_what_is_not_sound_is_said_in_one_line(cli: Any, tmp_path: Path) -> None:
    """Exit codes: 2 for what cannot be used, 3 for what did not prove itself, 4 where a person has to agree."""
    cli("install", tally(tmp_path), "--swap")
    cases = [
        (2, ["install", tmp_path / "none.whl"], "cannot be read: No such file"),
        (2, ["install", tmp_path], "cannot be read: Is a directory"),
        (2, ["swap", "tally", "9"], "is not installed"),
        (2, ["swap", "../x", "1.0"], "no name of a module"),
        (2, ["rollback", "tally"], "there is no version before"),
        (2, ["pin", "other"], "no version answers yet"),
        (2, ["remove", "other"], "no such module"),
        (3, ["install", tally(tmp_path, "1.1", at_add="return 6"), "--swap"], "gave 6"),
        (4, ["install", tally(tmp_path, "1.2", more="[needs]\nnetwork = true\n")], "wants: network"),
    ]
    for code, arguments, said in cases:
        found, out, err = cli(*arguments)
        assert (found, out) == (code, []) and said in err and err.count("\n") == 1, arguments
    (listed,) = cli("list")[1]
    assert "gave 6" in next(one["rejected"] for one in listed["versions"] if one["version"] == "1.1")


def test_people_read_lines(cli: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json."""
    needs = "[needs]\nnetwork = true\n"
    assert run(["modules", "install", str(tally(tmp_path, more=needs)), "--agree", "--swap"]) == 0
    assert "tally: 1.0 answers; started in" in capsys.readouterr().out
    assert run(["modules", "install", str(tally(tmp_path, "1.1", more=needs))]) == 0
    assert "to let it answer: watchkeeper modules swap tally 1.1" in capsys.readouterr().out
    assert run(["modules", "swap", "tally", "1.1", "--hand-over"]) == 0
    assert "whoever runs it tries it" in capsys.readouterr().out
    assert run(["modules", "list"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "tally (not tried yet)" and "answers  voice, may use network" in shown[2]


@pytest.mark.parametrize("name", ["install", "list", "swap", "rollback", "pin", "remove"])
def test_help_has_an_example(name: str, environ: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command shows one."""
    assert run(["modules", name, "--help"]) == 0
    assert f"watchkeeper modules {name}" in capsys.readouterr().out.replace("│", "")


def test_a_plugin_that_came_as_a_module_is_listed(cli: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its tools, beside the others; `doctor` asks it how it is."""
    cli("install", plugin(tmp_path), "--swap")
    assert run(["plugins", "list", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    own = next(one for one in found if one["plugin"] == "tally")
    assert own["module"] == "module tally 1.0" and own["tools"][0]["name"] == "tally_up" and not own["problem"]
    run(["doctor", "--json"])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert next(one for one in told if one["name"] == "plugin tally")["ok"]
    assert next(one for one in told if one["name"] == "module tally")["text"] == "1.0 answers"
    assert [one for one in told if one["name"].startswith("modules are kept to")]
