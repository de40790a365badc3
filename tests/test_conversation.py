"""A conversation may go on for ever: the model sees what fits, and the person is told when something was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.bound import BoundArgument, BoundTool, CallBound, CallPart, PickBound, PickPart
from agent.conversation import Conversation, PastTurn, open_window, turn_line
from agent.env import Env
from agent.errors import PromptTooLong
from agent.messages import Message, Reply
from agent.perception import Lamp
from agent.photo import Photo
from agent.prompt import user_message
from agent.settings import TurnSettings
from agent.turn import TurnRecord
from agent.values import Term
from tests.bench.plant import PANEL, plant_agent, plant_env
from tests.fakes import ScriptedModel, call
from tests.test_turn import BOX, SEEN, Bench, search_manuals, similar_events

LEFT_OUT_ZH = "较早的提问已略去"
LEFT_OUT_EN = "Earlier questions of this conversation were left out; ask with the names again."
NAME = "循环变频故障"
QUESTION = f"{NAME}以前出现过吗?"
SAID = (call("similar_events", like=NAME),)
SYSTEM = Message("system", "who")
TURN = TurnSettings()


class SmallModel(ScriptedModel):
    """Holds so many characters."""

    def reply(self, messages: Sequence[Message], *args: Any, **more: Any) -> Reply:
        if sum(len(message.text) for message in messages) > self.room:
            self.refused += 1
            raise PromptTooLong(f"the context holds {self.room}")
        return super().reply(messages, *args, **more)

    room = 10_000
    refused = 0


def bench_of(env: Env, model: SmallModel, *, turn: TurnSettings = TURN, **more: Any) -> Bench:
    settings = env.settings.model_copy(update={"turn": turn})
    bench = Bench(replace(env, settings=settings), similar_events, script=[], **more)
    bench.model = model
    bench.agent.ladder._standing.openers.first = lambda name: model
    bench.host.known = [Term("alarm", NAME, "question", 0)]
    return bench


def ask_often(bench: Bench, times: int, conversation: Conversation, question: str = QUESTION) -> list[TurnRecord]:
    return [bench.ask(question, conversation=conversation) for _ in range(times)]


def test_nothing_but_the_end_grows(env: Env) -> None:
    """What the model read for one question is the beginning of the next, so none of it is read again."""
    model = SmallModel([SAID] * 5)
    ask_often(bench_of(env, model), 5, Conversation())
    for before, after in zip(model.seen, model.seen[1:], strict=False):
        assert after[: len(before)] == before


def test_many_questions_are_cut_at_once_and_seldom(env: Env) -> None:
    """Past `history_turns` all but the last go together; between two cuts the beginning stays as it is."""
    model = SmallModel([SAID] * 14)
    settings = TurnSettings(history_turns=4)
    records = ask_often(bench_of(env, model, turn=settings), 14, Conversation())
    told = [LEFT_OUT_ZH in record.answer.text for record in records]
    assert [i for i, said in enumerate(told) if said] == [5, 9, 13]
    grown = [after[: len(before)] == before for before, after in zip(model.seen, model.seen[1:], strict=False)]
    assert [i + 1 for i, same in enumerate(grown) if not same] == [5, 9, 13]
    assert all(seen[0] == model.seen[0][0] for seen in model.seen)
    assert max(len(seen) for seen in model.seen) == 1 + 2 * 4 + 1


def test_a_full_context_costs_old_turns_and_no_answer(env: Env) -> None:
    """The model refuses a prompt; it is shortened and asked again in the same turn, and the answer says so."""
    model = SmallModel([SAID] * 8)
    conversation = Conversation()
    bench = bench_of(env, model)
    (first,) = ask_often(bench, 1, conversation)
    one = sum(len(message.text) for message in model.seen[0])
    model.room = one + 260
    records = [first, *ask_often(bench, 7, conversation)]
    assert all(record.answer.citations == ("E17",) for record in records)
    assert model.refused > 0
    told = [record for record in records if LEFT_OUT_ZH in record.answer.text]
    assert 0 < len(told) < 7
    rows = [row.body for row in bench.agent.trail.rows() if row.kind == "history_left_out"]
    assert len(rows) == len(told) and all(row["turns"] > 0 and NAME in row["summary"] for row in rows)
    assert all(row["turn"] for row in [record.to_json() for record in records])


def test_the_person_is_told_in_their_language(env: Env) -> None:
    """English asked, English told, and only in the turn in which it happened."""
    model = SmallModel([SAID] * 4)
    bench = bench_of(env, model, turn=TurnSettings(history_turns=2))
    records = ask_often(bench, 4, Conversation(), f"Did the alarm {NAME} happen before?")
    assert [LEFT_OUT_EN in record.answer.text for record in records] == [False, False, False, True]


def test_a_follow_up_keeps_its_subject_when_its_turn_is_gone(env: Env) -> None:
    """Names outlive the turns in which they were said."""
    model = SmallModel([SAID] * 6)
    bench = bench_of(env, model, turn=TurnSettings(history_turns=1), perception=replace(SEEN, lamps=()))
    conversation = Conversation()
    ask_often(bench, 1, conversation)
    bench.host.known = []
    for question in ("还有吗?", "发生过几次?", "还有吗?", "发生过几次?"):
        assert bench.ask(question, conversation=conversation).calls[0].arguments == {"like": NAME}
    assert len(conversation.turns) <= 2


def test_what_was_left_out_is_one_line_of_names_and_sources(env: Env) -> None:
    """Not worded by a model; in front of the first message after the system's, and bounded."""
    model = SmallModel([SAID] * 9)
    settings = TurnSettings(history_turns=2, history_summary_chars=60)
    ask_often(bench_of(env, model, turn=settings), 9, Conversation())
    last = model.seen[-1]
    line, _, rest = last[1].text.partition("\n\n")
    assert line == "Earlier in this conversation: " + "; ".join([f"{NAME} [E17]"] * 4)
    assert rest == QUESTION and [message.role for message in last[:3]] == ["system", "user", "assistant"]


def test_a_line_holds_names_or_the_question() -> None:
    """Short whatever comes: endless names, line ends, no name at all."""
    assert turn_line("q", ["P-101", "P-101", "泵"], ["E1", "M1 §2"]) == "P-101, 泵 [E1, M1 §2]"
    assert turn_line("What\nis  this?", [], []) == "What is this?"
    endless = turn_line("x" * 4_000, ["a" * 4_000] * 9 + [str(i) for i in range(99)], ["E1"] * 400)
    assert len(endless) < 400


def test_what_goes_first_is_missed_least() -> None:
    """Older turns, the last turn, what the photo shows beside the question, the summary; then nothing is left."""
    turns = TurnSettings(history_kept_turns=1)
    shown = replace(SEEN, lamps=(*SEEN.lamps, Lamp("别的灯", "red", "lit", BOX)))
    asked, brief = (user_message(f"{NAME}?", shown, None, turns, brief=brief) for brief in (False, True))
    assert "别的灯" in asked.text and "供水温度" in asked.text
    assert "别的灯" not in brief.text and "供水温度" not in brief.text and NAME in brief.text
    past = [PastTurn((Message("user", f"q{i}"), Message("assistant", f"a{i}")), f"line {i}") for i in range(3)]
    window = open_window(SYSTEM, Conversation(past), asked, brief, turns)
    seen = [[message.text for message in window.messages()]]
    while window.shorten():
        seen.append([message.text for message in window.messages()])
    lines = [f"Earlier in this conversation: {text}\n\n" for text in ("line 0; line 1", "line 0; line 1; line 2")]
    assert seen == [
        ["who", "q0", "a0", "q1", "a1", "q2", "a2", asked.text],
        ["who", f"{lines[0]}q2", "a2", asked.text],
        ["who", lines[1] + asked.text],
        ["who", lines[1] + brief.text],
        ["who", brief.text],
    ]
    assert window.left_out == 3


def test_a_photo_is_held_once() -> None:
    """However often it is asked about: the same pixels in every turn."""
    conversation = Conversation()
    for number in range(3):
        pixels = np.full((4, 4, 3), number // 2, np.uint8)
        asked = Message("user", "q", Photo(pixels, f"digest-{number // 2}", "p.png"))
        window = open_window(SYSTEM, conversation, asked, asked, TURN)
        window.own.append(Message("assistant", "a"))
        window.close("line", ())
    first, second, third = (turn.messages[0].photo for turn in conversation.turns)
    assert first is second and first is not third


def test_one_question_that_is_too_long_is_refused(env: Env) -> None:
    """Nothing can be left out any more: one clear line, and no rung is to blame."""
    model = SmallModel([SAID])
    model.room = 10
    bench = bench_of(env, model)
    with pytest.raises(PromptTooLong, match="the context holds 10"):
        bench.ask(QUESTION)
    assert bench.agent.ladder.falls == []


def test_what_the_model_did_not_reply_to_is_no_history() -> None:
    """A step that failed leaves no question without a reply; a turn without any leaves its names only."""
    conversation = Conversation()
    terms = (Term("alarm", NAME, "question", 0),)
    open_window(SYSTEM, conversation, Message("user", "q"), Message("user", "q"), TURN).close("line", terms)
    assert conversation.turns == [] and conversation.terms == terms


def test_without_history_every_question_stands_alone(env: Env) -> None:
    """`history_turns = 0`: nothing is kept and nothing is said about it."""
    model = SmallModel([SAID] * 3)
    records = ask_often(bench_of(env, model, turn=TurnSettings(history_turns=0)), 3, Conversation())
    assert model.seen[0] == model.seen[1] == model.seen[2]
    assert not any(LEFT_OUT_ZH in record.answer.text for record in records)


class NarrowModel(SmallModel):
    """Holds so many characters and tokens of the reply together."""

    def reply(self, messages: Sequence[Message], *args: Any, **more: Any) -> Reply:
        if sum(len(message.text) for message in messages) + more["limits"].max_tokens > self.room:
            raise PromptTooLong(f"the context holds {self.room}")
        self.most.append(more["limits"].max_tokens)
        return ScriptedModel.reply(self, messages, *args, **more)

    def __init__(self, script: list[object]) -> None:
        super().__init__(script)
        self.most: list[int] = []


def test_room_for_the_reply_is_given_up_before_history(env: Env) -> None:
    """A bound reply has a longest form; where the context is full no more is held free for it."""
    model = NarrowModel([SAID] * 4)
    bench, conversation = bench_of(env, model), Conversation()
    records = ask_often(bench, 1, conversation)
    usual = TURN.reply_tokens + 2 * len(QUESTION)
    model.room = sum(len(message.text) for message in model.seen[0]) + usual + 20
    records += ask_often(bench, 3, conversation)
    assert model.most[0] == usual and model.most[-1] < 150
    assert not any(LEFT_OUT_ZH in record.answer.text for record in records)


@pytest.mark.parametrize("period", ["", "昨天"])
def test_no_reply_is_longer_than_its_bound_says(period: str) -> None:
    """In bytes, and a token is a byte at least."""
    arguments = [BoundArgument("like", values=(NAME, "x")), *([BoundArgument("period", (period,))] if period else [])]
    parts = tuple(CallPart(text, (BoundTool(similar_events, tuple(arguments)),)) for text in (QUESTION, "还有吗?"))
    longest = call("similar_events", like=NAME, **({"period": period} if period else {}))
    bound = CallBound(parts)
    most = bound.most_bytes()
    assert most is not None
    assert len(bound.write([longest, longest]).encode()) <= most <= len(bound.write([longest, longest]).encode()) + 8
    endless = BoundTool(similar_events, (BoundArgument("n", schema={"type": "string"}),))
    assert CallBound((*parts, CallPart("?", (endless,)))).most_bytes() is None
    picks = PickBound((PickPart(QUESTION, ()), PickPart("还有吗?", ())), ())
    assert len(picks.write([None, None]).encode()) == picks.most_bytes()


class _NoRoomForQuotes(ScriptedModel):
    def reply(self, *args: Any, **more: Any) -> Reply:
        if isinstance(more["bound"], PickBound):
            raise PromptTooLong("the context holds 9 (model.context_tokens)")
        return super().reply(*args, **more)


def test_what_was_found_is_not_lost_when_quotes_do_not_fit(env: Env) -> None:
    """The records are in the answer, and that it is not the whole of it."""
    look_up = (call("similar_events", like=NAME), call("search_manuals", query=NAME))
    bench = Bench(env, similar_events, search_manuals, script=[])
    model = _NoRoomForQuotes([look_up])
    bench.agent.ladder._standing.openers.first = lambda name: model
    bench.host.known = [Term("alarm", NAME, "question", 0)]
    conversation = Conversation()
    record = bench.ask(f"{NAME}以前出现过吗?该怎么处理?", conversation=conversation)
    assert [message.role for message in conversation.messages()] == ["user", "assistant"]
    assert record.answer.citations == ("E17",)
    assert "没有查完" in record.answer.text and "model.context_tokens" in record.answer.text


@pytest.mark.weights
def test_the_real_model_in_a_small_context(tmp_path: Path, real_weights: Path) -> None:
    """The 0.5B with 1,536 tokens: questions about a photo go on being answered, and turns are left out on the way."""
    env = plant_env(tmp_path / "home", model="qwen2.5-0.5b", weights=real_weights)
    small = env.settings.model.model_copy(update={"context_tokens": 1_536})
    agent, _ = plant_agent(replace(env, settings=env.settings.model_copy(update={"model": small})))
    conversation = Conversation()
    questions = (f"最近三天有没有{NAME}的记录?", "它以前出现过几次?", "供水温度是多少?", "昨天发生了什么?", "还有吗?")
    records = [agent.ask(q, photo=PANEL, conversation=conversation) for q in questions]
    agent.close()
    assert {record.rung for record in records} == {"qwen2.5-0.5b"}
    assert all(record.falls == () and record.calls for record in records)
    told = [LEFT_OUT_ZH in record.answer.text for record in records]
    assert any(told) and not all(told)
    assert all(record.usage.reused_tokens > 500 for record in records[1:])
