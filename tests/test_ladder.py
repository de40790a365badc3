"""The best rung answers; a rung that cannot is left at once, and it is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agent.env import Env, load_env
from agent.errors import BadReply, ModelError, WeightsBad
from agent.messages import Message
from agent.model.box_ladder import build_ladder
from agent.model.ladder import Ladder
from agent.model.protocol import Model, ReplyLimits
from agent.model.rules import RulesModel
from agent.model.rungs import open_rung
from tests.conftest import weights_environ
from tests.fakes import ScriptedModel

LIMITS = ReplyLimits(10)


def ask(ladder: Ladder) -> str:
    return ladder.reply([Message("user", "hi")], (), bound=None, limits=LIMITS).text


def ladder_of(**models: Model | Exception) -> Ladder:
    def open_one(name: str) -> Model:
        made = models[name]
        if isinstance(made, Exception):
            raise made
        return made

    return Ladder(list(models), open_one)


def test_the_best_rung_answers() -> None:
    """Only that one is opened."""
    ladder = ladder_of(big=ScriptedModel(["yes"], name="big"), small=AssertionError())
    assert (ask(ladder), ladder.name, ladder.falls) == ("yes", "big", [])


@pytest.mark.parametrize("error", [WeightsBad("one byte"), ModelError("does not load")])
def test_a_rung_that_does_not_open_is_left(error: Exception) -> None:
    """The next one answers the same question, and the reason is kept."""
    ladder = ladder_of(big=error, small=ScriptedModel(["yes"], name="small"))
    assert ask(ladder) == "yes"
    assert [(fall.rung, fall.reason) for fall in ladder.falls] == [("big", str(error))]


@pytest.mark.parametrize("error", [ModelError("crashed"), BadReply("not in the bound")])
def test_a_rung_that_fails_in_mid_turn_is_left(error: Exception) -> None:
    """It is closed, and not tried again."""
    big = ScriptedModel(["one", error], name="big")
    ladder = ladder_of(big=big, small=ScriptedModel(["two", "three"], name="small"))
    assert [ask(ladder), ask(ladder), ask(ladder)] == ["one", "two", "three"]
    assert big.script == []
    assert len(ladder.falls) == 1


def test_no_rung_is_an_error_that_says_so() -> None:
    """The last rung's reason is told."""
    with pytest.raises(ModelError, match=r"no rung can answer.*crashed"):
        ask(ladder_of(only=ScriptedModel([ModelError("crashed")])))


def test_without_weights_rules_answer(env: Env) -> None:
    """An empty box has one rung."""
    ladder = build_ladder(env)
    assert ladder.name == "rules"
    assert isinstance(open_rung("rules", env), RulesModel)


def test_a_damaged_file_is_told_until_it_is_repaired(tmp_path: Path) -> None:
    """Found bad at an earlier start: the ladder of the next one still says so."""
    environ = {"WATCHKEEPER_HOME": str(tmp_path)}
    env = load_env(environ)
    place = env.weights.where("qwen2.5-0.5b")["model"]
    place.parent.mkdir(parents=True)
    place.write_bytes(b"x")
    with pytest.raises(WeightsBad):
        open_rung("qwen2.5-0.5b", env)
    assert not place.exists()
    (fall,) = build_ladder(load_env(environ)).falls
    assert fall.rung == "qwen2.5-0.5b"
    assert build_ladder(load_env(environ | {"WATCHKEEPER_MODEL__NAME": "rules"})).falls == []


@pytest.mark.weights
def test_one_flipped_byte_makes_the_next_rung_answer(tmp_path: Path, real_weights: Path) -> None:
    """The real file, one byte in its middle: set aside before anything reads it."""
    folder = tmp_path / "weights"
    shutil.copytree(real_weights / "qwen2.5-0.5b", folder / "qwen2.5-0.5b")
    env = load_env(weights_environ(tmp_path / "home", folder))
    path = env.weights.where("qwen2.5-0.5b")["model"]
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))
    ladder = build_ladder(env)
    assert ladder.name == "qwen2.5-0.5b"
    assert not ladder.sees
    assert ladder.name == "rules"
    assert path.with_name(path.name + ".bad").exists()
    assert "qwen2.5-0.5b" in ladder.falls[0].reason
