"""Procedures as they are run: each writing step approved, bound to the text and the values, sent once, seen twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.api import Perception, Photo, Popup, ToolCall, say
from agent.orders import Done, Order
from agent.tool_run import read_back_with
from plugins.screen.procedures.actuator import ProcedureActuator
from plugins.screen.procedures.pictures import Pictures
from plugins.screen.procedures.reading import read_procedure
from plugins.screen.procedures.runs import TOOL, Call
from tests.screen_kit import Thing, operator_on, parameters, place_of, question
from tests.test_screen_orders import Desk

TEXT = """\
name: {zh: 修改回水压力上限, en: change the return pressure limit}
screen: boiler
parameters:
  pressure: {zh: 回水压力上限, en: return pressure limit, unit: MPa, from: 0.3, to: 0.8}
steps:
  - {click: 参数 | Parameters, harmless: true, shows: 回水压力, seconds: 0.2}
  - set: 上限
    within: 回水压力
    value: "{pressure}"
    unit: MPa
    undo: [{set: 上限, within: 回水压力, value: "{pressure before}", unit: MPa}]
  - {click: 保存 | Save, shows: 参数已保存, seconds: 0.2}
"""


class Box(Desk):
    """A box with a drawn screen and one approved procedure."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.file = home.parent / "limit.yaml"
        self.file.write_text(TEXT, encoding="utf-8")
        tool = next(tool for tool in self.agent.tools if tool.name == TOOL)
        assert isinstance(tool.actuator, ProcedureActuator)
        self.actuator = tool.actuator
        self.approve()

    def approve(self) -> None:
        found = read_procedure(self.file, self.env.settings.procedures)
        self.actuator.shelf.approve(self.file, digest=found.digest, person="Li")

    def call(self, stage: int = 1, **more: Any) -> Call:
        digest = self.actuator.shelf.read("limit").digest
        made = Call("limit", digest, **{"run": "0123abcd", "stage": stage, "parameters": {"pressure": "0.60"}, **more})
        return self.actuator.worded(made)

    def wanted(self, call: Call) -> Done:
        order = Order(say(call.does, call.does), ToolCall(TOOL, call.to_json()))
        (done,) = self.agent.order([order], by="", words="screen run")
        return done

    def yes(self, call: Call) -> Done:
        """Asked for, approved by a person, carried out."""
        waits = self.wanted(call)
        assert waits.came == "waits", waits.line
        return self.agent.run_approved(self.agent.approvals.answer(waits.request, approve=True, person="Li"))

    def limit(self) -> str:
        return next(thing.value for thing in self.screen.things if thing.kind == "field")

    def rows(self, kind: str) -> list[dict[str, Any]]:
        return [dict(row.body) for row in self.agent.trail.rows() if row.kind == kind]


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    made = Box(tmp_path / "home")
    monkeypatch.setattr("plugins.screen.screens.make_link", lambda name, settings: made.screen)
    yield made
    made.agent.close()


def test_each_step_is_approved_sent_once_and_seen_before_and_after(box: Box) -> None:
    """Nothing is sent before a yes; the next step waits by itself; both pictures are kept, the trail names them."""
    assert box.wanted(box.call()).came == "waits"
    assert (box.limit(), box.screen.clicks) == ("0.50", [])
    first = box.yes(box.call())
    assert (first.came, box.limit()) == ("confirmed", "0.60")
    (following,) = box.agent.approvals.waiting()
    assert Call.of(following.arguments) == box.call(2)
    assert following.id in first.line["zh"]
    last = box.yes(box.call(2))
    assert last.came == "confirmed"
    assert "全部完成" in last.line["zh"]
    begun, ended = box.rows("procedure_step_begun"), box.rows("procedure_step_ended")
    assert [row["came"] for row in ended] == ["confirmed", "confirmed"]
    assert begun[0]["held"] == {"pressure": "0.50"}
    for row in begun + ended:
        path = Pictures(box.env).path(row["picture"])
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["picture"]
        assert path.stat().st_mode & 0o077 == 0
    assert box.agent.trail.verify() > 0


def test_a_changed_text_or_value_voids_what_was_approved(box: Box) -> None:
    """An approval is of this text with these values; the same text approved anew is another one."""
    waits = box.wanted(box.call())
    request = box.agent.approvals.answer(waits.request, approve=True, person="Li")
    assert box.wanted(box.call(parameters={"pressure": "0.70"}, run="0123abce")).came == "waits"
    box.file.write_text(TEXT.replace("0.8}", "0.9}"), encoding="utf-8")
    (box.actuator.shelf.folder / "limit.yaml").write_text(box.file.read_text(encoding="utf-8"), encoding="utf-8")
    done = box.agent.run_approved(request)
    assert done.came == "refused"
    assert "改过" in done.line["zh"]
    assert box.wanted(box.call()).came == "refused"
    box.approve()
    assert box.agent.run_approved(request).came == "refused"
    assert (box.screen.clicks, box.screen.sent) == ([], [])


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"parameters": {"pressure": "6"}}, "range"),
        ({"parameters": {}}, "missing"),
        ({"stage": 9}, "no step 9"),
        ({"stage": 2}, "step 1 is not known to be done"),
        ({"does": "1/2 查看 | look"}, "words"),
        ({"run": "../../x"}, "words"),
        ({"undo": 1, "before": {"pressure": "0.5"}}, "words"),
        ({"digest": "0" * 64}, "changed"),
        ({"procedure": "other"}, "no such procedure"),
    ],
)
def test_a_call_that_is_not_the_next_step_of_an_approved_text_is_refused(
    box: Box, more: dict[str, Any], why: str
) -> None:
    """With what is against it; nothing waits and nothing is sent."""
    done = box.wanted(Call.of({**box.call().to_json(), **more}) if "stage" not in more else _stage(box, more))
    assert (done.came, box.screen.clicks, box.agent.approvals.waiting()) == ("refused", [], [])
    assert why in done.line["en"]


def _stage(box: Box, more: dict[str, Any]) -> Call:
    return box.call(2) if more["stage"] == 2 else Call.of({**box.call().to_json(), **more})


def test_a_run_that_stops_says_where_and_what_stands_there(box: Box) -> None:
    """The button is greyed: the step, its line, and what can be used instead of it."""
    box.yes(box.call())
    place_of(box.screen, "保存").enabled = False
    done = box.yes(box.call(2))
    assert done.came == "failed"
    assert "停在第 2 步(文件第 12 行)" in done.line["zh"]
    assert "屏幕上有" in done.line["zh"]
    place_of(box.screen, "保存").enabled = True
    assert box.yes(box.call(2)).came == "confirmed"


def test_after_a_crash_the_step_is_unsure_and_nobody_repeats_it(box: Box) -> None:
    """The power went while it was sent: a person looks and says so, then it goes on."""
    box.yes(box.call())

    def crash() -> None:
        raise KeyboardInterrupt

    place_of(box.screen, "保存").act = crash
    with pytest.raises(KeyboardInterrupt):
        box.yes(box.call(2))
    box.agent.commands.settle(read_back_with(box.agent.tools))
    (unsure,) = box.agent.commands.unsure()
    assert Call.of(unsure.body["arguments"]).stage == 2
    clicks = len(box.screen.clicks)
    again = box.wanted(box.call(2))
    assert (again.came, len(box.screen.clicks)) == ("refused", clicks)
    assert "begun before" in again.line["en"]
    box.agent.commands.close_by_hand(unsure.id, done=False, person="Li")
    box.screen.things = [thing for thing in box.screen.things if thing.name != "保存"]
    box.screen.things.append(next(thing for thing in _saving(box) if thing.name == "保存"))
    assert box.yes(box.call(2)).came == "confirmed"


def _saving(box: Box) -> list[Thing]:
    fresh = parameters()
    place_of(fresh, "保存").act = lambda: box.screen.things.append(Thing("text", "参数已保存", (20, 440, 0, 0)))
    return fresh.things


def test_two_approvals_of_one_step_do_it_once(box: Box) -> None:
    """Whoever comes second finds it begun."""
    waits = box.wanted(box.call())
    first = box.agent.approvals.answer(waits.request, approve=True, person="Li")
    with box.agent.journal.writing() as pen:
        second = box.agent.approvals.ask(pen, "x", TOOL, box.call().to_json())
    box.agent.approvals.answer(second.id, approve=True, person="Wu")
    assert box.agent.run_approved(first).came == "confirmed"
    assert box.agent.run_approved(second).came == "refused"
    assert box.screen.sent.count("0.60") == 1


def test_what_was_done_is_taken_back_only_when_a_person_says_so(box: Box) -> None:
    """With what the field held before; a run that is being taken back does not go on."""
    box.yes(box.call())
    box.screen.focus = None
    back = box.call(undo=1, before=box.actuator.runs.held("0123abcd"))
    assert "0.50" in back.does
    done = box.yes(back)
    assert done.came == "confirmed", done.line
    assert box.limit() == "0.50"
    assert box.wanted(box.call(2)).came == "refused"


@pytest.mark.parametrize(
    "words", ["把回水压力上限改成0.6 MPa", "请将回水压力上限调到0.6", "Set the return pressure limit to 0.6 MPa."]
)
def test_words_offer_the_procedure_and_a_person_approves_it(box: Box, words: str) -> None:
    """It waits, and asked for again it is the same that waits; nothing is sent by words."""
    told = box.agent.ask(words).answer.text
    (request,) = box.agent.approvals.waiting()
    assert request.id in told
    assert Call.of(request.arguments).parameters == {"pressure": "0.6"}
    box.agent.ask(words)
    assert len(box.agent.approvals.waiting()) == 1
    assert box.screen.clicks == []
    done = box.agent.run_approved(box.agent.approvals.answer(request.id, approve=True, person="Li"))
    assert (done.came, box.limit()) == ("confirmed", "0.6")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("把回水压力上限改成6 MPa", "range"),
        ("把回水压力上限改成600 kPa", "convert"),
        ("把回水压力上限改成0.6 MPa并停炉", "convert"),
        ("执行修改回水压力上限", "missing"),
    ],
)
def test_words_that_do_not_fit_are_answered_and_nothing_waits(box: Box, words: str, why: str) -> None:
    """With the reason."""
    assert why in box.agent.ask(words).answer.text
    assert (box.agent.approvals.waiting(), box.screen.clicks) == ([], [])


@pytest.mark.parametrize(
    "words",
    ["不要把回水压力上限改成0.6 MPa", "回水压力上限是多少?", "把回水压力下限改成0.6 MPa", "谁把回水压力上限改成0.6?"],
)  # fmt: skip
def test_words_that_ask_for_no_procedure_are_left_alone(box: Box, words: str) -> None:
    """A negation, a question, another name."""
    box.agent.ask(words)
    assert (box.agent.approvals.waiting(), box.screen.clicks) == ([], [])


def test_the_oldest_pictures_go_first(box: Box) -> None:
    """The folder is bounded."""
    limits = box.env.settings.procedures.model_copy(update={"max_pictures": 2})
    pictures = Pictures(box.env)
    pictures._limits = limits
    names = []
    for value in ("1", "2", "3", "4"):
        next(thing for thing in box.screen.things if thing.kind == "field").value = value
        names.append(pictures.keep(box.screen.look()))
    assert [pictures.path(name).exists() for name in names] == [False, False, True, True]


def test_whoever_goes_on_sees_the_window_that_another_process_left_open() -> None:
    """At a first look: a group that the window covers in part is not taken for it, though it looks like one."""
    screen = parameters()
    question(screen)
    plain = screen.perceive

    def shaded(photo: Photo) -> Perception | None:
        seen = plain(photo)
        return replace(seen, popups=(Popup("供水温度", (330, 20, 620, 160)),)) if seen is not None else None

    screen.perceive = shaded  # type: ignore[method-assign]
    assert operator_on(screen).looker.look().dialog == "请确认"
