"""Steps as commands of the box: judged, journalled, sent once; what nobody knows stays unsure and is never repeated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pluggy
import pytest

import agent.cli as cli
from agent import hookspecs
from agent.api import Env, Perception, Photo, ToolCall, ToolFailed, hookimpl, say
from agent.audit import Trail
from agent.env import load_env
from agent.hookspecs import PROJECT
from agent.model.ladder import Ladder
from agent.model.rules import RulesModel
from agent.orders import Done, Order
from agent.plugin_host import LoadedPlugin, PluginHost
from agent.tool_run import read_back_with
from agent.turn import Agent
from plugins.screen.plugin import ScreenPlugin
from plugins.screen.steps import arguments_of, step_of
from plugins.screen.values import Expect, Step, Target
from tests.screen_kit import DrawnScreen, parameters, place_of

TOML = """
[screen.boiler]
kind = "drawn"
address = "here"
writable = {writable}
names = ["锅炉"]
settle_seconds = 0.05
poll_seconds = 0.001
react_seconds = 0.02
"""
SAVE: dict[str, Any] = {"screen": "boiler", "verb": "click", "text": "保存", "shows": "参数已保存", "seconds": 0.2}


class Eyes:
    """Reads the drawn screen."""

    def __init__(self, screen: DrawnScreen) -> None:
        self.screen = screen

    @hookimpl
    def perceive(self, photo: Photo, env: Env) -> Perception | None:
        return self.screen.perceive(photo)


class Desk:
    """A box with one drawn screen."""

    def __init__(self, home: Path, *, writable: bool = True, more: str = "") -> None:
        home.mkdir(parents=True, exist_ok=True)
        (home / "watchkeeper.toml").write_text(TOML.format(writable=str(writable).lower()) + more, encoding="utf-8")
        self.screen = parameters()
        self.env = load_env({"WATCHKEEPER_HOME": str(home)})
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(hookspecs)
        manager.register(Eyes(self.screen), name="eyes")
        manager.register(ScreenPlugin(), name="screen")
        self.host = PluginHost(manager, [LoadedPlugin(name, "tests", "") for name in ("eyes", "screen")])
        model = RulesModel()
        ladder = Ladder([model.name], lambda name: model)
        self.agent = Agent(self.env, self.host, ladder, Trail(self.env.home.watch_db, busy_seconds=2))

    def order(self, arguments: dict[str, Any], *, by: str = "Li") -> Done:
        said = say("点击保存", "click save")
        (done,) = self.agent.order([Order(said, ToolCall("screen_step", arguments))], by=by, words="screen do")
        return done

    def states(self) -> list[str]:
        names = ("planned", "approved", "sending", "sent", "confirmed", "failed", "unsure", "expired")
        return [entry.state for entry in self.agent.journal.entries("command", *names)]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk(tmp_path / "home")
    monkeypatch.setattr("plugins.screen.screens.make_link", lambda name, settings: made.screen)
    yield made
    made.agent.close()


def test_a_step_that_a_person_typed_is_done_and_read_back(desk: Desk) -> None:
    """One click, confirmed in the journal, told in both languages."""
    done = desk.order(SAVE)
    assert (done.came, desk.states(), len(desk.screen.clicks)) == ("confirmed", ["confirmed"], 1)
    assert "参数已保存" in done.line["zh"]
    assert "done" in done.line["en"]


def test_what_nobody_stands_for_waits_and_an_approval_holds_once(desk: Desk) -> None:
    """Nothing is sent before a person approves exactly this step; used, it holds no more."""
    assert desk.order(SAVE, by="").came == "waits"
    assert desk.screen.clicks == []
    for request in desk.agent.approvals.waiting():
        desk.agent.approvals.answer(request.id, approve=True, person="Li")
    assert desk.order({**SAVE, "text": "停炉"}, by="").came == "waits"
    assert desk.order(SAVE, by="").came == "confirmed"
    assert len(desk.screen.clicks) == 1
    assert desk.order(SAVE, by="").came == "waits"


def test_a_screen_is_read_only_until_a_person_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent, whoever orders it; looking is allowed."""
    desk = Desk(tmp_path / "home", writable=False)
    monkeypatch.setattr("plugins.screen.screens.make_link", lambda name, settings: desk.screen)
    done = desk.order(SAVE)
    assert (done.came, desk.screen.clicks) == ("refused", [])
    assert "writable" in done.line["zh"]
    assert desk.order({"screen": "boiler", "verb": "look", "text": "下限", "holds": "0.2"}).came == "told"
    desk.agent.close()


def test_what_sent_nothing_has_failed_for_sure(desk: Desk) -> None:
    """A greyed button: the journal knows that nothing left the box."""
    done = desk.order({**SAVE, "text": "复位"})
    assert (done.came, desk.states(), desk.screen.clicks) == ("failed", ["failed"], [])
    assert "灰" in done.line["zh"]


def test_a_click_that_may_have_arrived_is_unsure_and_never_repeated(desk: Desk) -> None:
    """The screen is gone right after: nobody knows, and neither a restart nor the way back sends it again."""
    place_of(desk.screen, "保存").act = lambda: setattr(desk.screen, "lost", True)
    assert desk.order(SAVE).came == "unsure"
    desk.screen.lost = False
    desk.agent.commands.settle(read_back_with(desk.agent.tools))
    assert (desk.states(), len(desk.screen.clicks)) == (["unsure"], 1)


def test_a_value_is_looked_for_after_a_restart(desk: Desk) -> None:
    """What the field holds says what became of the command."""
    arguments = {"screen": "boiler", "verb": "set", "text": "下限", "value": "0.30", "unit": "MPa"}
    typed = desk.screen.type

    def cut(text: str) -> None:
        typed(text)
        desk.screen.lost = True

    desk.screen.type = cut  # type: ignore[method-assign]
    assert desk.order(arguments).came == "unsure"
    desk.screen.lost = False
    desk.agent.commands.settle(read_back_with(desk.agent.tools))
    assert (desk.states(), desk.screen.sent.count("0.30")) == (["confirmed"], 1)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({**SAVE, "screen": "mixer"}, "no such screen"),
        ({**SAVE, "verb": "destroy"}, "nothing to do"),
        ({**SAVE, "role": "lever"}, "no role"),
        ({**SAVE, "text": ""}, "needs the name"),
        ({"screen": "boiler", "verb": "press"}, "needs a value"),
        ({**SAVE, "verb": "drag"}, "needs `to`"),
        ({**SAVE, "seconds": 1e9}, "seconds"),
    ],
)
def test_a_call_that_is_no_step_is_refused(desk: Desk, arguments: dict[str, Any], why: str) -> None:
    """With what is wrong with it; nothing is sent."""
    done = desk.order(arguments)
    assert (done.came, desk.screen.clicks) == ("refused", [])
    assert why in done.line["en"]


def test_a_step_and_its_arguments_say_the_same() -> None:
    """There and back."""
    step = Step(
        "set",
        Target("上限", "field", within="回水压力"),
        "0.6",
        "MPa",
        expect=(
            Expect(shows="已保存"),
            Expect(target=Target("上限", "field", within="回水压力"), value="0.6", unit="MPa"),
        ),
    )
    assert step_of(arguments_of("boiler", step)) == step
    twice = Step("click", Target("x"), expect=(Expect(shows="a"), Expect(shows="b")))
    with pytest.raises(ToolFailed, match="a call expects"):
        arguments_of("boiler", twice)


@pytest.mark.parametrize("question", ["锅炉屏幕上现在下限是多少?", "What does the boiler screen show for 下限 now?"])
def test_a_question_about_a_screen_is_answered_from_it(desk: Desk, question: str) -> None:
    """The value, its unit, the screen and the time, as a record."""
    record = desk.agent.ask(question)
    assert "0.20 MPa" in record.answer.text
    assert "boiler" in record.answer.text


def test_an_order_in_words_moves_nothing(desk: Desk) -> None:
    """Words about a screen are a question or nothing; a step is typed or approved."""
    desk.agent.ask("在锅炉屏幕上点击停炉")
    assert desk.screen.clicks == []
    assert desk.screen.sent == []


def test_the_command_line_looks_finds_and_does(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What can be used, what a name means (drawn, and nothing sent), and a step with its exit code."""
    monkeypatch.setenv("WATCHKEEPER_HOME", str(desk.env.home.folder))
    monkeypatch.setenv("WATCHKEEPER_MODEL__NAME", "rules")
    monkeypatch.setattr(cli, "load_plugins", lambda **_: desk.host)

    def line(*words: str) -> tuple[int, str]:
        code = cli.run(["screen", *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    assert "writable" in line("list")[1]
    code, out = line("look", "boiler", "--json")
    names = {control["name"] for control in json.loads(out)["controls"]}
    assert (code, {"保存", "停炉"} <= names) == (0, True)
    picture = tmp_path / "found.png"
    code, out = line(
        "find", "boiler", "上限", "--within", "供水温度", "--role", "field", "--overlay", str(picture), "--json"
    )
    assert (code, json.loads(out)["found"]["value"]) == (0, "95")
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert line("find", "boiler", "上限", "--role", "field")[0] == 1
    assert line("look", "mixer")[0] == 2
    assert line("do", "boiler", "click", "保存", "--dry-run")[0] == 0
    assert desk.screen.clicks == []
    code, out = line("do", "boiler", "click", "保存", "--shows", "参数已保存")
    assert (code, len(desk.screen.clicks)) == (0, 1)
    assert "参数已保存" in out
    assert line("do", "boiler", "click", "复位")[0] == 1
