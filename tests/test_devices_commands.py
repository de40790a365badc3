"""The command line looks at devices and moves them as words do, and its exit code says what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import agent.cli as cli
from agent.conversation import Conversation
from agent.env import load_env
from tests.devices_kit import HOUSE, Bed, FakeDriver, real_reader


class Line:
    """The command line of a box with a house."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.bed = Bed(home, reader=real_reader)
        self.bed.close()
        self._capsys = capsys
        monkeypatch.setenv("WATCHKEEPER_HOME", str(home))
        monkeypatch.setenv("WATCHKEEPER_MODEL__NAME", "rules")
        monkeypatch.setattr(cli, "load_plugins", lambda **_: self.bed.host)

    @property
    def driver(self) -> FakeDriver:
        return self.bed.driver

    def __call__(self, *words: str) -> tuple[int, str]:
        code = cli.run(words)
        said = self._capsys.readouterr()
        return code, said.out + said.err


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(tmp_path / "home", monkeypatch, capsys)


def last_json(out: str) -> dict[str, Any]:
    told = json.loads(out.splitlines()[-1])
    assert isinstance(told, dict)
    return told


def test_devices_are_listed_and_read(line: Line) -> None:
    """With what can be set, and what is not known."""
    code, out = line("devices", "list")
    assert code == 0 and "living room air conditioner" in out and "temperature, power" in out
    line.driver.values["lamp", "power"] = True
    code, out = line("devices", "state", "lamp")
    assert code == 0 and out.splitlines() == ["desk lamp: on", "desk lamp: colour cannot be read"]
    assert line("devices", "state", "nobody")[0] == 2


def test_a_point_is_set_and_read_back(line: Line) -> None:
    """0 when it is so, 1 when it is not, 2 for what is no point, 4 when a person has to approve."""
    assert line("devices", "set", "ac", "temperature", "26")[0] == 0
    assert line.driver.writes == [("ac", "temperature", 26.0)]
    assert line("devices", "set", "ac", "temperature", "60")[0] == 1
    assert line("devices", "set", "ac", "speed", "60")[0] == 2
    assert line("devices", "set", "ac", "temperature", "warm")[0] == 2
    assert line("devices", "set", "P-3", "power", "on")[0] == 4
    line.driver.flaws["lamp"] = "silent"
    code, out = line("devices", "set", "lamp", "power", "on")
    assert code == 1 and "not confirmed" in out


def test_a_dry_run_sends_nothing(line: Line) -> None:
    """It says what would go, what would wait, and what would be refused."""
    line.driver.values["P-3", "power"] = True
    for words, said in (
        (("command", "打开台灯"), "将发出"),
        (("command", "turn on pump 3"), "would wait for approval"),
        (("command", "open valve 12"), "would be refused: interlock"),
        (("devices", "set", "ac", "temperature", "20"), "would be sent"),
    ):
        code, out = line(*words, "--dry-run")
        assert code == 0 and said in out, out
    assert line.driver.writes == []


def test_words_are_carried_out(line: Line) -> None:
    """As JSON with one entry for each order; what is not understood is said and is no success."""
    code, out = line("command", "打开台灯,把客厅空调调到26度", "--json")
    told = last_json(out)
    assert code == 0 and [one["came"] for one in told["done"]] == ["confirmed", "confirmed"]
    code, out = line("command", "colourless green ideas")
    assert code == 1 and "Not understood" in out


def test_an_approval_can_be_carried_out_at_once(line: Line) -> None:
    """`approve --run` does what waited, once."""
    assert line("command", "turn on pump 3")[0] == 4
    (request,) = [json.loads(one)["id"] for one in line("approvals", "list", "--json")[1].splitlines()]
    code, out = line("approvals", "approve", request, "--run")
    assert code == 0 and "P-3: on, confirmed" in out and line.driver.writes == [("P-3", "power", True)]
    assert line("approvals", "approve", request, "--run")[0] == 2 and len(line.driver.writes) == 1


def test_undo_puts_back_by_turn_or_command(line: Line) -> None:
    """The value of before; a second undo takes the first one back; nothing to undo is said."""
    assert line("undo")[0] == 2
    line.driver.values |= {("ac", "temperature"): 21.0, ("lamp", "power"): False}
    line("command", "打开台灯,把客厅空调调到26度")
    assert line("undo", "--dry-run")[0] == 0 and len(line.driver.writes) == 2
    assert line("undo")[0] == 0
    assert line.driver.values["ac", "temperature"] == 21.0 and not line.driver.values["lamp", "power"]
    assert line("undo")[0] == 0 and line.driver.values["ac", "temperature"] == 26.0
    assert line("undo", "no-such-id")[0] == 2


def test_a_correction_is_about_what_was_said_before(tmp_path: Path) -> None:
    """In one conversation; what it names is moved, and the person's words are all that is remembered."""
    text = HOUSE + (
        '[[area]]\nid = "bed"\nnames = ["卧室", "bedroom"]\n'
        + HOUSE[HOUSE.index('[[device]]\nid = "lamp"') : HOUSE.index('[[device]]\nid = "V-12"')]
        .replace('id = "lamp"', 'id = "bedlamp"')
        .replace('"living"', '"bed"')
        .replace('"台灯", "desk lamp"', '"床头灯", "bedside lamp"')
    )
    bed, talk = Bed(tmp_path / "h", text=text, reader=real_reader), Conversation()
    bed.agent.ask("turn on the living room light", conversation=talk)
    bed.agent.ask("no, the bedroom", conversation=talk)
    assert [write for write in bed.driver.writes if write[0] == "bedlamp"] == [("bedlamp", "power", True)]
    bed.close()


def test_a_missing_map_is_one_clear_line(line: Line, tmp_path: Path) -> None:
    """And a wrong one too."""
    home = load_env({"WATCHKEEPER_HOME": str(tmp_path / "home")}).home
    line.bed.plugin.shutdown(line.bed.env)
    home.devices.write_text("[[device]]\nid = 1")
    code, out = line("devices", "list")
    assert code == 2 and "device" in out and len(out.splitlines()) == 1
    home.devices.unlink()
    assert line("devices", "list")[0] == 2
