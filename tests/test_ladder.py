"""The best rung answers; a rung that cannot is left at once, and it is said."""

from __future__ import annotations

import itertools
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.bound import CallBound
from agent.env import Env, load_env
from agent.errors import (
    BadReply,
    ModelDied,
    ModelError,
    ModelUnsound,
    NotEnoughMemory,
    WeightsBad,
    WeightsChanged,
    WeightsMissing,
    WeightsUnreadable,
)
from agent.messages import Message, Reply
from agent.model.box_ladder import build_ladder
from agent.model.ladder import Ladder
from agent.model.protocol import Model, ReplyLimits
from agent.model.rules import RulesModel
from agent.model.rungs import open_rung
from agent.model.standing import Openers
from agent.settings import LadderSettings
from tests.conftest import weights_environ
from tests.fakes import ScriptedModel

LIMITS = ReplyLimits(10)
SETTINGS = LadderSettings(rest_seconds=10, rest_most_seconds=100, wait_seconds=0.05, follow_seconds=0.01)
CRASHED = ModelError("crashed")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Box:
    """Rungs whose openings and replies are scripted: each opening takes the next script, the last one again and again.
    A script that is an error is what opening raises; `str` steps are replies."""

    def __init__(self, room: bool = True, **scripts: list[list[object] | Exception]) -> None:
        self.clock = Clock()
        self.opened: list[str] = []
        self.open_now: list[str] = []
        self.scripts = {name: list(steps) for name, steps in scripts.items()}
        openers = Openers(self._open, lambda name: self._open(name, " anew"), lambda name: room)
        self.ladder = Ladder([*scripts, "rules"], openers, settings=SETTINGS, clock=self.clock)

    def turn(self, seconds: float = 11) -> tuple[str, list[str]]:
        """One turn, so long after the one before: who answered, and of whom the answer says something."""
        self.clock.now += seconds
        self.ladder.begin_turn()
        name = self.answer()
        return name, [f"{fall.rung} {fall.kind}" for fall in self.ladder.settle()]

    def answer(self) -> str:
        self.ladder.reply([Message("user", "hi")], (), bound=CallBound(()), limits=LIMITS)
        return self.ladder.name

    def _open(self, name: str, how: str = "") -> Model:
        self.opened.append(name + how)
        if name == "rules":
            return RulesModel()
        steps = self.scripts[name]
        script = steps.pop(0) if len(steps) > 1 else steps[0]
        if isinstance(script, Exception):
            raise script
        self.open_now.append(name)
        return _Counted(self, [*script, *["fine"] * 50], name)


class _Counted(ScriptedModel):
    def __init__(self, box: Box, script: list[object], name: str) -> None:
        super().__init__(script, name)
        self._box = box

    def close(self) -> None:
        if self.name in self._box.open_now:
            self._box.open_now.remove(self.name)


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
    """It is closed, and not tried again in this turn."""
    big = ScriptedModel(["one", error], name="big")
    ladder = ladder_of(big=big, small=ScriptedModel(["two", "three"], name="small"))
    assert [ask(ladder), ask(ladder), ask(ladder)] == ["one", "two", "three"]
    assert big.script == []
    assert len(ladder.falls) == 1


def test_a_rung_that_fell_comes_back_after_its_rest_and_it_is_said_once() -> None:
    """It has to prove itself, and answers from the next turn on; meanwhile each answer says why another answered."""
    box = Box(big=[[CRASHED], []], small=[[]])
    assert box.turn() == ("small", ["big failed"])
    assert not box.ladder.climb() and box.turn() == ("small", ["big failed"])
    assert box.ladder.climb()
    assert box.turn() == ("big", ["big again"]) and box.turn() == ("big", [])
    assert box.opened == ["big", "small", "big anew"] and box.open_now == ["big"]


def test_it_climbs_between_turns_only() -> None:
    """A turn that began with one rung is not handed to a better one in its middle."""
    box = Box(big=[CRASHED, []], small=[[]])
    box.turn()
    box.clock.now += 100
    box.ladder.begin_turn()
    assert box.answer() == "small" and box.ladder.climb() and box.answer() == "small"
    box.ladder.settle()
    assert box.turn() == ("big", ["big again"])


def test_one_that_fails_again_rests_longer() -> None:
    """Each try that fails doubles the rest, so that nothing flaps."""
    box = Box(big=[CRASHED], small=[[]])
    tries = []
    for _ in range(60):
        box.turn(seconds=10)
        before = len(box.opened)
        box.ladder.climb()
        if len(box.opened) > before:
            tries.append(box.clock.now)
    assert [later - earlier for earlier, later in itertools.pairwise(tries)][:4] == [20, 40, 80, 100]


def test_a_remote_rung_that_timed_out_is_tried_again() -> None:
    """The network is back: so is the server."""
    box = Box(remote=[[ModelError("timed out")], ModelError("timed out"), []], small=[[]])
    assert box.turn() == ("small", ["remote offline"])
    box.clock.now += 50
    assert not box.ladder.climb()
    assert box.turn(seconds=50) == ("small", ["remote offline"])
    assert box.ladder.climb()
    assert box.turn() == ("remote", ["remote again"])


def test_without_room_for_two_the_one_that_answers_stops_first() -> None:
    """And where the better one still does not come up, the other one is back."""
    box = Box(room=False, big=[CRASHED, ModelError("still bad"), []], small=[[]])
    box.turn()
    box.clock.now += 10
    assert not box.ladder.climb() and box.open_now == []
    assert box.turn() == ("small", ["big failed"])
    box.clock.now += 100
    assert box.ladder.climb() and box.open_now == ["big"]
    assert box.turn() == ("big", ["big again"])


def test_a_question_while_the_only_model_is_being_loaded_gets_an_answer() -> None:
    """It waits a while, then the last rung answers it; the next one goes to the model."""
    box = Box(room=False, big=[CRASHED, []], small=[[]])
    box.turn()
    box.clock.now += 10
    may_go_on, loading = threading.Event(), threading.Event()
    opened = box.ladder._standing.openers.anew

    def slow(name: str) -> Model:
        loading.set()
        may_go_on.wait(10)
        return opened(name)

    box.ladder._standing.openers.anew = slow
    climber = threading.Thread(target=box.ladder.climb)
    climber.start()
    loading.wait(10)
    assert box.turn() == ("rules", ["big failed"])
    may_go_on.set()
    climber.join(10)
    assert box.turn() == ("big", ["big again"]) and box.open_now == ["big"]


@pytest.mark.parametrize("then", [[], WeightsBad("m.gguf has wrong bytes")])
def test_a_file_that_is_touched_in_use_is_opened_anew_or_the_rung_falls(then: list[object] | Exception) -> None:
    """What it said is not believed; verification decides, in the same turn."""
    box = Box(big=[[WeightsChanged("touched")], then], small=[[]])
    expected = ("small", ["big damaged"]) if then else ("big", ["big damaged"])
    assert box.turn() == expected and box.opened[:2] == ["big", "big"]
    assert box.ladder.state("big") == ("damaged" if then else "sound")


def test_a_rung_is_left_in_the_middle_of_a_reply_when_its_file_turns_out_bad() -> None:
    """The reply is cancelled; what came of it is thrown away, and the next rung answers."""
    told: list[bool] = []

    class Slow(ScriptedModel):
        def reply(self, messages: Any, tools: Any, *, bound: Any, limits: ReplyLimits, on_text: Any = None) -> Reply:
            told.append(limits.cancelled())
            threading.Thread(target=ladder.struck, args=("big", "a chunk is wrong")).start()
            until = time.monotonic() + 10
            while not limits.cancelled() and time.monotonic() < until:
                time.sleep(0.001)
            return Reply("nonsense", "done")

    bad = iter([Slow([], "big"), WeightsBad("big: m.gguf has wrong bytes")])

    def open_one(name: str) -> Model:
        made = next(bad) if name == "big" else ScriptedModel(["right"], "small")
        if isinstance(made, Exception):
            raise made
        return made

    ladder = Ladder(["big", "small"], open_one)
    assert ask(ladder) == "right" and told == [False] and ladder.state("big") == "damaged"


def test_what_turns_out_bad_while_it_is_tried_or_waits_is_not_used() -> None:
    """Before the first reply already."""
    box = Box(big=[CRASHED, []], small=[[]])
    box.turn()
    box.clock.now += 10
    box.ladder.begin_turn()
    assert box.answer() == "small" and box.ladder.climb()
    box.ladder.struck("big", "a chunk is wrong")
    box.ladder.settle()
    assert box.turn() == ("small", ["big damaged"]) and box.open_now == ["small"]


def test_another_model_may_take_the_place_of_the_rung_in_use() -> None:
    """From the next turn on, and the one before it is closed; a rung that is not in use is not replaced."""
    box = Box(big=[[]], small=[[]])
    box.turn()
    other = ScriptedModel(["other"] * 3, "big")
    box.ladder.begin_turn()
    assert box.ladder.replace("big", other) and not box.ladder.replace("big", other)
    assert box.answer() == "big" and len(other.seen) == 0
    box.ladder.settle()
    assert box.turn() == ("big", []) and len(other.seen) == 1 and box.open_now == []
    assert not box.ladder.replace("small", other)


def test_a_repair_brings_a_rung_back_while_the_agent_runs() -> None:
    """Whoever mends is asked for what fell over its files, and for nothing else; when it is done, the rung is back."""
    wanted: list[str] = []

    class Mends:
        def __init__(self, repaired: Callable[[str], None]) -> None:
            self.repaired = repaired

        def want(self, name: str) -> None:
            wanted.append(name)
            self.repaired(name)

        def look(self) -> None: ...

        def close(self) -> None: ...

    bad: list[list[object] | Exception] = [WeightsBad("one byte"), []]
    box = Box(big=bad, small=[CRASHED])
    box.ladder._mend = Mends
    box.ladder.watch()
    box.ladder.watch()
    try:
        assert box.turn(seconds=0) == ("rules", ["big damaged", "small failed"])
        until = time.monotonic() + 10
        while box.ladder.state("big") != "sound" and time.monotonic() < until:
            box.turn(seconds=0)
        assert box.turn(seconds=0)[0] == "big" and wanted == ["big"]
    finally:
        box.ladder.close()
    box.ladder.close()
    assert "ladder" not in {thread.name for thread in threading.enumerate()}


ERRORS: tuple[object, ...] = (
    ModelError("x"), ModelDied("x"), BadReply("x"), NotEnoughMemory("x"), ModelUnsound("x"), WeightsBad("x"),
    WeightsMissing("x"), WeightsUnreadable("x"), WeightsChanged("x"), "fine",
)  # fmt: skip
STEPS = st.one_of(
    st.sampled_from(["begin", "ask", "settle", "climb", "repair big", "repair small", "strike big", "strike small"]),
    st.floats(0, 200),
)


@given(
    steps=st.lists(STEPS, max_size=40),
    openings=st.lists(st.tuples(st.sampled_from(["big", "small"]), st.sampled_from(ERRORS)), max_size=12),
    replies=st.lists(st.sampled_from(ERRORS), max_size=20),
    room=st.booleans(),
)
def test_no_sequence_of_failures_leaves_a_question_without_an_answer(
    steps: list[str | float], openings: list[tuple[str, object]], replies: list[object], room: bool
) -> None:
    """While there are rules, whatever fails to open, to answer, to climb, in whatever order; and no model is left open
    beside the one that answers and the one that waits."""
    left = list(replies)
    open_now: list[object] = []

    class Unsteady(ScriptedModel):
        def reply(self, *arguments: Any, **more: Any) -> Reply:
            step = left.pop() if left else "fine"
            if isinstance(step, Exception):
                raise step
            return Reply("fine", "done")

        def close(self) -> None:
            if self in open_now:
                open_now.remove(self)

    def open_one(name: str) -> Model:
        if name == "rules":
            return RulesModel()
        found = next((i for i, (rung, _) in enumerate(openings) if rung == name), None)
        error = openings.pop(found)[1] if found is not None else "fine"
        if isinstance(error, Exception):
            raise error
        model = Unsteady([], name)
        open_now.append(model)
        return model

    clock = Clock()
    openers = Openers(open_one, open_one, lambda name: room)
    ladder = Ladder(["big", "small", "rules"], openers, settings=SETTINGS, clock=clock)
    actions: dict[str, Callable[[], object]] = {
        "begin": ladder.begin_turn, "settle": ladder.settle, "climb": ladder.climb,
        "repair big": lambda: ladder.repaired("big"), "repair small": lambda: ladder.repaired("small"),
        "strike big": lambda: ladder.struck("big", "bad"), "strike small": lambda: ladder.struck("small", "bad"),
    }  # fmt: skip
    for step in [*steps, "ask"]:
        if isinstance(step, float):
            clock.now += step
        elif step == "ask":
            reply = ladder.reply([Message("user", "hi")], (), bound=CallBound(()), limits=LIMITS)
            assert reply.stopped == "done" and ladder.name in ("big", "small", "rules")
        else:
            actions[step]()
        assert len(open_now) <= 2
    ladder.close()
    assert open_now == []


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
