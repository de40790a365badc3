"""The model in a process of its own: it says what it says in this one, and its death costs a second, not the agent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.answer import render
from agent.env import Env
from agent.errors import BadReply, ModelDied, ModelError, PromptTooLong
from agent.loop import Findings
from agent.messages import Message, Reply, Usage
from agent.model import served
from agent.model.falls import Fall
from agent.model.ladder import Ladder
from agent.model.llama import LlamaModel
from agent.model.protocol import Bound, Model, ReplyLimits, Request
from agent.model.rules import RulesModel
from agent.model.rungs import open_rung
from agent.model.wire import pack_reply, pack_request, typed_error, unpack_reply, unpack_request
from agent.model.worker import WorkerModel
from agent.photo import Photo, load_photo
from agent.settings import ModelSettings, PhotoSettings, WorkerSettings
from agent.tools import tool
from agent.values import Language, ToolResult
from tests.conftest import weights_environ
from tests.fakes import ScriptedModel
from tests.served import open_files, until
from tests.tiny_qwen3vl import TinyFiles, write_tiny_qwen3vl

SETTINGS = ModelSettings(context_tokens=1_024, batch_tokens=256, micro_batch_tokens=64, image_tokens=128)
WORKERS = WorkerSettings(restart_seconds=0.02, cancel_grace_seconds=5)
PANEL = Path(__file__).parent / "data" / "panels" / "dualzone__HMI.png"


class Lark:
    """A bound that is just its grammar."""

    def lark(self) -> str:
        return 'start: "yes" | "no"'


@tool(risk="read")
def look(tag: str, hours: int = 3) -> ToolResult:
    """Look at a tag."""
    return ToolResult()


def user(text: str, photo: Photo | None = None) -> list[Message]:
    return [Message("system", "You watch over machines."), Message("user", text, photo)]


def picture(seed: int) -> Photo:
    pixels = np.random.default_rng(seed).integers(0, 255, (64, 96, 3), dtype=np.uint8)
    return Photo(pixels, f"digest-{seed}", f"{seed}.png")


@pytest.fixture(scope="module")
def tiny(real_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> TinyFiles:
    vocabulary = next(iter(sorted((real_weights / "qwen2.5-0.5b").glob("*.gguf"))))
    return write_tiny_qwen3vl(vocabulary, tmp_path_factory.mktemp("tiny"))


def started(tiny: TinyFiles, workers: WorkerSettings = WORKERS) -> WorkerModel:
    model = WorkerModel("tiny", settings=SETTINGS, workers=workers)
    model.load(tiny.model, projector=tiny.projector)
    return model


@pytest.fixture(scope="module")
def model(tiny: TinyFiles) -> Iterator[WorkerModel]:
    """One process for the tests that leave it alive."""
    loaded = started(tiny)
    yield loaded
    loaded.close()


def ask(model: Model, messages: list[Message], tokens: int = 16, **more: Any) -> Reply:
    bound: Bound | None = more.pop("bound", None)
    on_text: Callable[[str], None] | None = more.pop("on_text", None)
    return model.reply(
        messages, more.pop("tools", ()), bound=bound, limits=ReplyLimits(tokens, **more), on_text=on_text
    )


def test_a_request_crosses_whole() -> None:
    """Messages, photos by digest, tools as they are described, the grammar, and every limit that is no function."""
    photo = picture(1)
    limits = ReplyLimits(7, temperature=0.5, seed=3, deadline=time.monotonic() + 9)
    changed = {f.name: 5 for f in fields(limits) if f.name.endswith("_tokens")}
    limits = replace(limits, **changed)
    request = Request(user("what?\ud800", photo), [look], Lark(), limits)
    came = unpack_request(pack_request(request), photo=lambda digest: photo, cancelled=lambda: True, between=list)
    assert list(came.messages) == list(request.messages)
    assert came.tools[0].specification() == look.specification()
    assert came.bound is not None and came.bound.lark() == Lark().lark()
    assert came.limits.deadline is not None and limits.deadline is not None
    assert abs(came.limits.deadline - limits.deadline) < 0.1 and came.limits.cancelled()
    assert replace(came.limits, deadline=None, cancelled=limits.cancelled, between=limits.between) == replace(
        limits, deadline=None
    )


def test_a_reply_crosses_whole_and_nothing_else_does() -> None:
    """What another process sends is checked."""
    reply = Reply("yes", "length", Usage(prompt_tokens=3, decode_ms=1.5))
    assert unpack_reply(pack_reply(reply)) == reply
    wrong: tuple[object, ...] = (
        None,
        [],
        {"text": 3, "stopped": "done"},
        {"text": "x", "stopped": "never"},
        {"text": "x"},
    )
    for value in wrong:
        with pytest.raises(ModelError, match="no reply"):
            unpack_reply(value)


def test_errors_cross_by_name_and_only_some() -> None:
    """The nearest class that a model may raise; everything else is a failed model."""
    assert type(typed_error("m", "x", ("PromptTooLong", "ModelError"))) is PromptTooLong
    assert type(typed_error("m", "x", ("OutOfCells", "ModelError", "Exception"))) is ModelError
    assert type(typed_error("m", "x", ("BadReply",))) is BadReply
    assert str(typed_error("m", "gone", ("SystemExit",))) == "m: its process failed: SystemExit: gone"


@pytest.mark.weights
def test_it_says_what_it_says_without_a_process(model: WorkerModel, tiny: TinyFiles) -> None:
    """Free text, a grammar, tools and a photo: the same tokens, streamed in the same pieces."""
    with_eyes = LlamaModel.load(tiny.model, name="tiny", settings=SETTINGS, projector=tiny.projector)
    for more in ({}, {"bound": Lark()}, {"tools": [look]}, {"temperature": 0.9, "seed": 4}):
        for messages in (user("hello"), user("what is this?", picture(2))):
            here: list[str] = []
            there: list[str] = []
            one = ask(with_eyes, messages, on_text=here.append, **more)
            other = ask(model, messages, on_text=there.append, **more)
            assert (one.text, one.stopped, here) == (other.text, other.stopped, there)
            assert one.usage.prompt_tokens == other.usage.prompt_tokens
    with_eyes.close()


@pytest.mark.weights
def test_several_replies_together(model: WorkerModel) -> None:
    """Each in its own grammar; one that does not fit is an error in its place."""
    limits = ReplyLimits(8)
    requests = [
        Request(user("one"), (), Lark(), limits),
        Request(user("two " * 2_000), (), None, limits),
        Request(user("three", picture(3)), (), Lark(), limits),
    ]
    one, two, three = model.reply_many(requests, limits=limits)
    assert isinstance(one, Reply) and one.text in ("yes", "no")
    assert isinstance(two, PromptTooLong)
    assert isinstance(three, Reply) and three.text in ("yes", "no")


@pytest.mark.weights
def test_a_person_does_not_wait_for_scheduled_work(model: WorkerModel) -> None:
    """A question is answered while a batch goes on, and the batch still ends."""
    limits = ReplyLimits(300)
    requests = [Request(user(f"report {n}"), (), None, limits) for n in range(2)]
    alone = model.reply_many(requests, limits=limits)
    with ThreadPoolExecutor(1) as threads:
        batch = threads.submit(model.reply_many, requests, limits=limits)
        until(lambda: model._supervisor.state == "busy")
        assert ask(model, user("now"), bound=Lark()).text in ("yes", "no")
        assert not batch.done()
        assert [type(reply) for reply in batch.result()] == [type(reply) for reply in alone] == [Reply, Reply]


@pytest.mark.weights
def test_errors_of_the_model_are_its_own(model: WorkerModel) -> None:
    """A prompt that does not fit, at either end, and a grammar that does not compile; the process stays."""
    pid = model.pid
    with pytest.raises(PromptTooLong, match="context_tokens"):
        ask(model, user("word " * 2_000))
    with pytest.raises(PromptTooLong, match="max_header_bytes"):
        ask(model, user("词" * 3_000_000))

    class Broken:
        def lark(self) -> str:
            return "start: nothing"

    with pytest.raises(ModelError, match="grammar"):
        ask(model, user("x"), bound=Broken())
    assert model.pid == pid


@pytest.mark.weights
def test_cancelled_and_late_replies_are_aborted(model: WorkerModel) -> None:
    """Within a token or so, with what was said until then; before it began, with nothing."""
    ask(model, user("x"), tokens=1)
    pid, heard = model.pid, list[str]()
    began: list[float] = []

    def cancelled() -> bool:
        if len(heard) > 2 and not began:
            began.append(time.monotonic())
        return bool(began)

    reply = ask(model, user("tell me"), tokens=900, cancelled=cancelled, on_text=heard.append)
    assert reply.stopped == "aborted" and reply.text.startswith("".join(heard[:3]))
    assert time.monotonic() - began[0] < 3
    assert ask(model, user("tell me"), tokens=900, deadline=time.monotonic() + 0.1).stopped == "aborted"
    assert ask(model, user("tell me"), deadline=time.monotonic() - 1).stopped == "aborted"
    assert model.pid == pid


@pytest.mark.weights
def test_a_photo_crosses_once(tiny: TinyFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """To each process; a new one is given it again, and so is one that had no room to keep it."""
    model = started(tiny, WORKERS.model_copy(update={"photo_bytes": 64 * 96 * 3}))
    crossed: list[int] = []
    call = model._supervisor.call

    def counted(*arguments: Any, **more: Any) -> Any:
        crossed.append(len(more["buffers"]))
        return call(*arguments, **more)

    monkeypatch.setattr(model._supervisor, "call", counted)
    one, two = picture(1), picture(2)
    first = ask(model, user("what?", one)).text
    assert ask(model, user("what?", one)).text == first
    assert crossed == [1, 0]
    pid = model.pid
    os.kill(pid or 0, signal.SIGKILL)
    until(lambda: model.pid not in (None, pid))
    assert ask(model, user("what?", one)).text == first
    assert crossed[2:] == [0, 1], "it asked, was told that the photo is not there, and sent it"
    ask(model, [*user("what?", one), *user("and?", two)])
    assert ask(model, user("what?", one)).text == first
    assert crossed[4:] == [1, 0, 1], "only one of both was kept"
    model.close()


def test_a_photo_is_decoded_into_memory_that_can_be_given_away() -> None:
    """The pixels that the panel parser reads are those that the model's process reads."""
    photo = load_photo(PANEL, PhotoSettings())
    assert photo.shared is not None and photo.shared.descriptor is not None
    assert np.shares_memory(photo.pixels, np.frombuffer(photo.shared.view, np.uint8))
    assert not photo.pixels.flags.writeable and photo.pixels.flags.c_contiguous
    descriptor = photo.shared.descriptor
    del photo
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.weights
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_killed_in_the_middle_of_a_reply(tiny: TinyFiles, number: signal.Signals) -> None:
    """A typed error with the signal; the next reply comes from a new process."""
    model = started(tiny)
    before = ask(model, user("hello")).text
    pid = model.pid
    assert pid
    with pytest.raises(ModelDied, match=rf"tiny: its process {pid} died: {number.name}"):
        ask(model, user("tell me"), tokens=900, on_text=lambda _: os.kill(pid, number))
    assert ask(model, user("hello")).text == before and model.pid != pid
    model.close()


@pytest.mark.weights
def test_a_file_that_does_not_load_is_told_by_the_first_reply(tiny: TinyFiles, tmp_path: Path) -> None:
    """With llama.cpp's own words, and at once again by the second."""
    short = tmp_path / "short.gguf"
    short.write_bytes(tiny.model.read_bytes()[:5_000])
    model = WorkerModel("short", settings=SETTINGS, workers=WORKERS.model_copy(update={"restart_seconds": 20.0}))
    model.load(short)
    for _ in range(2):
        with pytest.raises(ModelError, match=r"short\.gguf"):
            ask(model, user("x"))
    model.close()
    with pytest.raises(ModelError, match="stopped"):
        ask(model, user("x"))


@pytest.mark.weights
def test_closing_leaves_nothing(tiny: TinyFiles) -> None:
    """No process, no descriptor, no thread, also after a death and a photo."""
    before = open_files(), threading.active_count()
    model = started(tiny)
    ask(model, user("what?", picture(5)))
    with pytest.raises(ModelDied, match="SIGKILL"):
        ask(model, user("x"), tokens=900, on_text=lambda _: os.kill(model.pid or 0, signal.SIGKILL))
    ask(model, user("what?", picture(5)))
    pid = model.pid
    model.close()
    model.close()
    assert not Path(f"/proc/{pid}").exists()
    until(lambda: threading.active_count() == before[1])
    assert open_files() == before[0]


def test_a_rung_that_died_is_asked_once_more_and_it_is_said() -> None:
    """The same rung answers the same question; the next turn has nothing to tell."""
    big = ScriptedModel([ModelDied("big: its process 7 died: SIGKILL"), "yes", "again"], name="big")
    ladder = Ladder(["big", "rules"], lambda name: big if name == "big" else RulesModel())
    assert ask(ladder, user("hi")).text == "yes"
    assert ladder.settle() == (Fall("big", "big: its process 7 died: SIGKILL", started_again=True, kind="died"),)
    assert ask(ladder, user("hi")).text == "again" and ladder.settle() == () and ladder.name == "big"


def test_a_rung_that_dies_twice_leaves_the_turn_to_the_next() -> None:
    """The next one answers the same question; the rung rests."""
    died = ModelDied("died")
    models = {"big": ScriptedModel([died, died], name="big"), "small": ScriptedModel(["fine"], name="small")}
    ladder = Ladder(list(models), lambda name: models[name])
    assert ask(ladder, user("hi")).text == "fine" and ladder.name == "small"
    assert ladder.settle() == (Fall("big", "died", kind="died"),) and ladder.state("big") == "resting"


@pytest.mark.parametrize(
    ("language", "said"),
    [("zh", "big 的进程中途退出(SIGKILL),已重新启动"), ("en", "the process of big died (SIGKILL); it was started")],
)
def test_the_answer_says_that_a_process_died(language: Language, said: str) -> None:
    """In the person's language, and not that the rung is unusable; so does the record that goes into the trail."""
    fall = Fall("big", "SIGKILL", started_again=True)
    answer = render(Findings((), Usage(), 0.0, 0.0), None, language, gist="", rung="big", falls=[fall])
    assert said in answer.text and "不可用" not in answer.text and "not usable" not in answer.text
    assert fall.to_json() == {"rung": "big", "kind": "failed", "reason": "SIGKILL", "started_again": True}


def test_one_that_was_killed_because_it_did_not_stop_is_not_asked_again() -> None:
    """The turn is over by then."""
    big = ScriptedModel([ModelDied("killed")], name="big")
    assert ask(Ladder(["big"], lambda name: big), user("hi"), cancelled=lambda: True) == Reply("", "aborted")


@pytest.mark.weights
def test_a_question_survives_the_death_of_its_model(weights_env: Env) -> None:
    """The real 0.5B, killed in the middle of a reply: the reply is there, and what happened is told."""
    rung = open_rung("qwen2.5-0.5b", weights_env)
    ladder = Ladder(["qwen2.5-0.5b", "rules"], lambda name: rung if name != "rules" else RulesModel())
    whole = ask(ladder, user("Count from one to ten."), tokens=24).text
    killed: list[int] = []

    def kill(_: str) -> None:
        if not killed:
            killed.append(_pid_of(rung))
            os.kill(killed[0], signal.SIGKILL)

    assert ask(ladder, user("Count from one to ten."), tokens=24, on_text=kill).text == whole
    (fall,) = ladder.settle()
    assert fall.started_again and "SIGKILL" in fall.reason and ladder.name == "qwen2.5-0.5b"
    ladder.close()


def _pid_of(rung: Model) -> int:
    """Of the process behind a rung, however it is wrapped."""
    inner: Any = rung
    while not isinstance(inner, WorkerModel):
        inner = inner._model
    assert inner.pid
    return inner.pid


ASK = """
import sys
from agent.cli import run
code = run(["ask", "--json", "What does VFD-P1 mean?"])
print(sorted({"llama_cpp", "llguidance"} & set(sys.modules)))
"""


@pytest.mark.weights
def test_the_agent_never_loads_the_native_libraries(real_weights: Path, tmp_path: Path) -> None:
    """A question is answered by the 0.5B, and this process has not even imported what runs it."""
    environ = {**os.environ, **weights_environ(tmp_path, real_weights), "WATCHKEEPER_MODEL__NAME": "qwen2.5-0.5b"}
    done = subprocess.run([sys.executable, "-c", ASK], env=environ, capture_output=True, text=True, check=True)
    answer, modules = done.stdout.splitlines()
    assert json.loads(answer)["rung"] == "qwen2.5-0.5b" and modules == "[]", done


def test_photo_errors_have_the_name_that_the_caller_knows() -> None:
    """The two sides share no import, so the name is checked here."""
    assert served.PhotoUnknown.__name__ == "PhotoUnknown"
