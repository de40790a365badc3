"""Turns on a ladder: who answers, who looks, and what is said, as parts fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.audit import Trail
from agent.env import Env
from agent.errors import ModelError
from agent.model.ladder import Ladder
from agent.model.protocol import Model
from agent.model.rules import RulesModel
from agent.settings import LadderSettings
from agent.turn import Agent
from tests.fakes import ScriptedModel
from tests.test_turn import PANEL, QUESTION, SEEN, Bench, _Host, search_manuals, similar_events

NO_TEXT = replace(SEEN, readings=(), unread="OCR weights are missing")
"""A lamp was found by its colour; not one letter was read."""


@pytest.mark.parametrize(("sees", "told"), [(True, "由 scripted 直接看图"), (False, "照片:上面的文字无法识读")])
def test_without_a_reader_of_text_a_model_that_sees_gets_the_whole_photo(env: Env, sees: bool, told: str) -> None:
    """A lamp alone is not enough then; where nobody sees, the answer says that the photo was not read, and why."""
    said = '这是什么? -> search_manuals("循环变频故障")\n'
    bench = Bench(env, search_manuals, script=[said, (None,)], perception=NO_TEXT)
    bench.model.sees = sees
    record = bench.ask("这是什么?", photo=PANEL)
    assert (bench.model.seen[0][-1].photo is not None) is sees
    assert told in record.answer.text and "OCR weights are missing" in record.answer.text


def test_a_rung_that_is_back_is_told_once_and_stands_in_the_trail(env: Env) -> None:
    """Down: each answer says why. Back: one answer says so. Then nothing."""
    opened = iter([ModelError("it crashed")])

    def open_one(name: str) -> Model:
        if name == "rules":
            return RulesModel()
        error = next(opened, None)
        if error is not None:
            raise error
        return ScriptedModel(["none"] * 9, name=name)

    settings = LadderSettings(rest_seconds=0)
    ladder = Ladder(["big", "rules"], open_one, settings=settings)
    agent = Agent(env, _Host((similar_events, search_manuals), SEEN), ladder, Trail(env.home.watch_db, busy_seconds=1))
    first = agent.ask(QUESTION, photo=PANEL)
    assert first.rung == "rules" and "big 不可用(it crashed)" in first.answer.text
    assert ladder.climb() and ladder.name == "big"
    told = ladder.settle()
    assert [fall.kind for fall in told] == ["again"] and ladder.settle() == ()
    assert '"falls"' in str(first.to_json()).replace("'", '"')


def test_a_turn_that_fails_is_over_for_the_ladder_too(env: Env) -> None:
    """The next turn may be answered by a better rung."""
    bench = Bench(env, search_manuals, script=[ModelError("crashed")])
    with pytest.raises(ModelError):
        bench.ask("这是什么?")
    assert not bench.agent.ladder._standing._in_turn


def test_an_agent_that_stays_watches_its_ladder(env: Env) -> None:
    """`warm` is for a process that stays: what is bad is repaired from then on, until it is closed."""
    bench = Bench(env, search_manuals, script=["", "none"])
    bench.agent.warm()
    climber = bench.agent.ladder._climber
    assert climber is not None and climber.is_alive()
    bench.agent.close()
    assert not climber.is_alive()
