"""What the model remembers: conversations side by side, photos over a restart, batches, guesses and thoughts. Whatever
is reused, restored, guessed or made together, the words are those of a cold run alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.errors import ModelError, PromptTooLong
from agent.messages import Message, Reply
from agent.model.draft import Draft
from agent.model.llama import LlamaModel
from agent.model.lookup import Corpus, Lookup, Payoff
from agent.model.prefix_cache import PrefixCache
from agent.model.protocol import ReplyLimits, Request
from agent.photo import Photo
from agent.settings import ModelSettings
from tests.test_llama import Lark
from tests.tiny_qwen3vl import TinyFiles

pytestmark = pytest.mark.weights

SETTINGS = ModelSettings(
    context_tokens=1_024, batch_tokens=256, micro_batch_tokens=64, image_tokens=128, prefix_least_tokens=16, lanes=4
)
SYSTEM = Message("system", "You watch over machines, day and night. " * 4)
QUESTIONS = ["循环泵?", "Which lamp is lit, and since when?", "供水压力是多少?", "What should be done first?"]


def photo(seed: int) -> Photo:
    pixels = np.random.default_rng(seed).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    return Photo(pixels, f"digest-{seed}", f"{seed}.png")


def asked(text: str, shown: Photo | None = None) -> list[Message]:
    return [SYSTEM, Message("user", text, shown)]


def load(files: TinyFiles, cache: Path | None = None, settings: ModelSettings = SETTINGS) -> LlamaModel:
    kept = cache and PrefixCache(cache, weights_sha256="ab" * 32, settings=settings, projector_sha256="cd" * 32)
    return LlamaModel.load(files.model, name="tiny", settings=settings, projector=files.projector, cache=kept)


def say(model: LlamaModel, messages: Sequence[Message], tokens: int = 16) -> Reply:
    return model.reply(messages, (), bound=None, limits=ReplyLimits(tokens))


@pytest.fixture
def model(tiny: TinyFiles) -> Iterator[LlamaModel]:
    loaded = load(tiny)
    yield loaded
    loaded.close()


@pytest.fixture
def cold(tiny: TinyFiles) -> Iterator[LlamaModel]:
    """For one reply."""
    loaded = load(tiny)
    yield loaded
    loaded.close()


def test_conversations_stand_side_by_side(model: LlamaModel, cold: LlamaModel) -> None:
    """Going back to a conversation costs its new words only, and all of them share the instructions."""
    first = asked("循环泵报故障,回水压力低,怎么办?" * 3)
    second = asked("Which of the pumps ran most of the time last week, and why?" * 2)
    one = say(model, first)
    other = say(model, second)
    back = say(model, [*first, Message("assistant", one.text), Message("user", "还有呢?")])
    assert other.usage.reused_tokens > 30
    assert back.usage.reused_tokens > one.usage.prompt_tokens
    assert other.text == say(cold, second).text


def test_more_conversations_than_lanes(model: LlamaModel, cold: LlamaModel) -> None:
    """The one longest not used goes; nothing else changes."""
    talks = [asked(f"{n}: " + "What did the operator write about this pump? " * 4) for n in range(7)]
    said = [say(model, talk).text for talk in talks]
    assert [say(model, talk).text for talk in talks] == said
    assert say(cold, talks[3]).text == said[3]


def test_a_full_memory_makes_room(tiny: TinyFiles) -> None:
    """Conversations that together do not fit the context displace each other; a prompt that fits alone is answered."""
    model = load(tiny, settings=SETTINGS.model_copy(update={"context_tokens": 256}))
    talks = [asked(f"{n}: " + "What did the operator write about this pump? " * 7) for n in range(4)]
    said = [say(model, talk).text for talk in talks]
    assert [say(model, talk).text for talk in talks] == said
    with pytest.raises(PromptTooLong, match="context holds 256"):
        say(model, asked("long " * 300))
    model.close()


def test_a_photo_survives_a_restart(tiny: TinyFiles, tmp_path: Path) -> None:
    """A second question on it, in a new process, reads its own words; other pixels share the instructions alone."""
    before, after, plain = load(tiny, tmp_path), load(tiny, tmp_path), load(tiny)
    say(before, asked("What is lit?", photo(1)))
    again = say(after, asked("How many?", photo(1)))
    assert again.text == say(plain, asked("How many?", photo(1))).text
    assert again.usage.prompt_tokens - again.usage.reused_tokens < 16
    other = say(after, asked("How many?", photo(2)))
    assert 30 < other.usage.reused_tokens < 80
    follow = [*asked("How many?", photo(1)), Message("assistant", again.text), Message("user", "And now?", photo(2))]
    assert say(after, follow).text == say(plain, follow).text
    for model in (before, after, plain):
        model.close()


def test_an_encoded_photo_is_kept_too(tiny: TinyFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another conversation after a restart, the photo is put into memory again but not encoded again."""
    before, after = load(tiny, tmp_path), load(tiny, tmp_path)
    elsewhere = [Message("system", "Something else altogether. " * 4), Message("user", "Lit?", photo(1))]
    expected = say(before, elsewhere).text
    assert after._vision is not None
    monkeypatch.setattr(after._vision, "_encode", lambda _: pytest.fail("it was encoded again"))
    assert say(after, [Message("system", "A third one. " * 6), elsewhere[1]]).text
    assert say(after, elsewhere).text == expected
    before.close()
    after.close()


@pytest.mark.parametrize("harm", ["cut", "flipped"])
def test_a_spoiled_photo_is_looked_at_again(tiny: TinyFiles, tmp_path: Path, harm: str) -> None:
    """The same words, and what was spoiled is made anew: the instructions first, then the photo behind them."""
    before, after, third, fourth = (load(tiny, tmp_path) for _ in range(4))
    expected = say(before, asked("What is lit?", photo(1))).text
    for path in tmp_path.iterdir():
        data = path.read_bytes()
        path.write_bytes(data[:-9] if harm == "cut" else data[:-9] + b"x" + data[-8:])
    spoiled = say(after, asked("What is lit?", photo(1)))
    assert spoiled.text == expected and spoiled.usage.reused_tokens == 0
    assert 30 < say(third, asked("What is lit?", photo(1))).usage.reused_tokens < 80
    assert say(fourth, asked("What is lit?", photo(1))).usage.reused_tokens > 80
    for model in (before, after, third, fourth):
        model.close()


def test_replies_made_together_are_those_made_alone(model: LlamaModel, cold: LlamaModel) -> None:
    """More requests than lanes, free and bound, with a photo, one of them impossible."""
    call = Lark('start: "{\\"n\\":" /[0-9]{1,3}/ "}"')
    limits = ReplyLimits(20)
    requests = [Request(asked(question), (), None, limits) for question in QUESTIONS]
    requests.append(Request(asked("A number?"), (), call, limits))
    requests.append(Request(asked("Seen?", photo(1)), (), None, limits))
    requests.append(Request(asked("long " * 2_000), (), None, limits))
    together = model.reply_many(requests)
    assert isinstance(together[-1], PromptTooLong)
    for request, reply in zip(requests[:-1], together[:-1], strict=True):
        alone = cold.reply(request.messages, (), bound=request.bound, limits=limits)
        assert isinstance(reply, Reply)
        assert (reply.text, reply.stopped) == (alone.text, alone.stopped)
    assert isinstance(together[1], Reply) and together[1].usage.reused_tokens > 30


def test_a_batch_shares_its_passes(model: LlamaModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three replies of twenty tokens take the passes of one, guesses fill the rows that are free, and urgent work comes
    between them."""
    calls: list[int] = []
    decode_rows = model._context.decode_rows
    monkeypatch.setattr(model._context, "decode_rows", lambda rows: (calls.append(len(rows)), decode_rows(rows))[1])
    between: list[bool] = []
    limits = ReplyLimits(20, between=lambda: between.append(True))
    made = model.reply_many([Request(asked("循环泵, pump 1, " * 6), (), None, limits) for _ in range(3)])
    assert len({reply.text for reply in made if isinstance(reply, Reply)}) == 1
    assert len(calls) <= 20 and min(calls[:-1]) >= 3
    assert len(between) >= len(calls)


def test_a_batch_leaves_room_for_urgent_work(tiny: TinyFiles) -> None:
    """Reports that would fill the memory are made in smaller groups, and a question between them is answered."""
    model = load(tiny, settings=SETTINGS.model_copy(update={"context_tokens": 512}))
    urgent: list[Reply] = []

    def between() -> None:
        if not urgent:
            urgent.append(say(model, asked("What did the operator write? " * 12), 4))

    talks = [asked(f"{n}: " + "What did the operator write about this pump? " * 9) for n in range(4)]
    made = model.reply_many([Request(talk, (), None, ReplyLimits(8, between=between)) for talk in talks])
    assert all(isinstance(reply, Reply) and reply.text for reply in made) and urgent[0].text
    model.close()


def test_a_batch_that_does_not_fit_is_made_in_parts(tiny: TinyFiles) -> None:
    """Three long prompts in a context for one."""
    model = load(tiny, settings=SETTINGS.model_copy(update={"context_tokens": 256}))
    talks = [asked(f"{n}: " + "What did the operator write about this pump? " * 12) for n in range(3)]
    made = model.reply_many([Request(talk, (), None, ReplyLimits(16)) for talk in talks])
    assert [reply.text for reply in made if isinstance(reply, Reply)] == [say(model, talk).text for talk in talks]
    model.close()


def test_a_batch_can_be_stopped_one_by_one(model: LlamaModel) -> None:
    """One that is cancelled ends as aborted; the others go on."""
    gone = ReplyLimits(20, cancelled=lambda: True)
    stopped, went_on = model.reply_many(
        [Request(asked("a"), (), None, gone), Request(asked("b"), (), None, ReplyLimits(20))]
    )
    assert isinstance(stopped, Reply) and stopped.stopped == "aborted"
    assert isinstance(went_on, Reply) and went_on.usage.sampled_tokens == 20


def test_urgent_work_goes_between(model: LlamaModel, cold: LlamaModel) -> None:
    """A reply made between the tokens of another one changes neither."""
    urgent: list[str] = []

    def between() -> None:
        if len(urgent) < 3:
            urgent.append(say(model, asked("urgent!")).text)

    slow = model.reply(asked("a long report"), (), bound=None, limits=ReplyLimits(16, between=between))
    assert slow.text == say(cold, asked("a long report")).text
    assert set(urgent) == {say(cold, asked("urgent!")).text}


@pytest.mark.parametrize("most", [1, 4, 31])
@pytest.mark.parametrize("bound", [None, Lark("start: /(循环泵|pump [0-9]|, ){1,30}/")])
def test_guessing_ahead_changes_nothing(model: LlamaModel, cold: LlamaModel, most: int, bound: Lark | None) -> None:
    """A random model repeats itself soon; then guesses are right, and the reply takes fewer passes."""
    limits = ReplyLimits(120)
    plain = cold.reply(asked("循环泵, pump 1, " * 4), (), bound=bound, limits=limits)
    quick = model.reply(asked("循环泵, pump 1, " * 4), (), bound=bound, limits=replace(limits, lookup_tokens=most))
    assert quick.text == plain.text and quick.stopped == plain.stopped
    assert quick.usage.passes + quick.usage.guessed_tokens >= plain.usage.passes
    assert quick.usage.passes < plain.usage.passes or not quick.usage.guessed_tokens
    again = model.reply(asked("and then?"), (), bound=None, limits=limits)
    assert again.text == cold.reply(asked("and then?"), (), bound=None, limits=limits).text


CALLS = Lark(
    'start: "循环泵->" tool "\\n" "and the lamp->" tool "\\n"\n'
    'tool: "A similar event is " ("泵" | "灯") | "B all panel lamps" | "C and search for " ("泵" | "灯")'
)


def test_a_draft_makes_a_reply_quicker_and_never_another(model: LlamaModel, cold: LlamaModel) -> None:
    """Right, it saves most passes (a random model spells some words otherwise); the reply is the same anyway."""
    plain = cold.reply(asked("Which?"), (), bound=CALLS, limits=ReplyLimits(80))
    first, second, _ = plain.text.split("\n")
    passes = plain.usage.passes
    drafts = [
        (plain.text, passes // 2),
        (plain.text * 3, passes // 2),
        (plain.text.replace(first, "循环泵->D nothing"), passes),
        (plain.text.replace(second, "and the lamp->D"), passes),
        ("something else\n\n\n循环泵", passes),
    ]
    for draft, most in drafts:
        drafted = model.reply(asked("Which?"), (), bound=CALLS, limits=ReplyLimits(80, draft=draft))
        assert (drafted.text, drafted.stopped) == (plain.text, "done")
        assert drafted.usage.passes <= most
        again = [*asked("Which?"), Message("assistant", drafted.text), Message("user", "And now?")]
        assert say(model, again).text == say(cold, again).text


def test_a_draft_is_no_reply(model: LlamaModel) -> None:
    """It stops with its tokens, and free text takes none."""
    short = model.reply(asked("Which?"), (), bound=CALLS, limits=ReplyLimits(6, draft="循环泵->B all panel lamps\n"))
    assert short.stopped == "length" and short.usage.sampled_tokens + short.usage.forced_tokens == 6
    free = model.reply(asked("Which?"), (), bound=None, limits=ReplyLimits(6, draft="a pump"))
    assert free.text == say(model, asked("Which?"), 6).text


def test_a_draft_may_part_within_a_character(model: LlamaModel, cold: LlamaModel) -> None:
    """Two characters that begin with the same bytes: what no text can spell is left to the model."""
    bound = Lark('start: "<" ("泵" | "泶" | "泷") ">"')
    plain = cold.reply(asked("Which?"), (), bound=bound, limits=ReplyLimits(20))
    for draft in ("<泵>", "<泶>", "<泷>", "<\udce6>"):
        drafted = model.reply(asked("Which?"), (), bound=bound, limits=ReplyLimits(20, draft=draft))
        assert drafted.text == plain.text


def test_a_long_draft_is_read_batch_by_batch(model: LlamaModel, cold: LlamaModel) -> None:
    """Longer than a batch holds, and than the prompt leaves room for in one; only near ties may fall otherwise."""
    bound = Lark("start: " + " ".join(f'"pump {n} is " ("on" | "off") "\\n"' for n in range(60)))
    plain = cold.reply(asked("Which?"), (), bound=bound, limits=ReplyLimits(600))
    drafted = model.reply(asked("Which?"), (), bound=bound, limits=ReplyLimits(600, draft=plain.text))
    same = [one == other for one, other in zip(drafted.text.split("\n"), plain.text.split("\n"), strict=True)]
    assert drafted.stopped == "done" and sum(same) > 50
    assert drafted.usage.passes < plain.usage.passes / 2


def test_what_is_forced_and_cut_is_not_done(model: LlamaModel) -> None:
    """A reply whose end is known and does not fit was cut off, also where nothing was chosen."""
    reply = model.reply(asked("x"), (), bound=Lark('start: "one two three four five"'), limits=ReplyLimits(3))
    assert reply.stopped == "length" and reply.text == "one two three"


def test_urgent_work_goes_between_portions_too(model: LlamaModel, cold: LlamaModel) -> None:
    """A long prompt that is read for a report does not hold up a question, and its photo is still there afterwards."""
    urgent: list[str] = []

    def between() -> None:
        if not urgent:
            urgent.append(say(model, asked("urgent!", photo(7))).text)

    long = asked("What did the operator write about this pump? " * 40, photo(3))
    slow = model.reply(long, (), bound=None, limits=ReplyLimits(1, between=between))
    assert urgent == [say(cold, asked("urgent!", photo(7))).text]
    assert slow.text == say(cold, long, 1).text


def test_a_draft_is_followed_line_by_line() -> None:
    """A line that went otherwise is left, and the next one is foreseen again."""
    draft = Draft("one -> a\ntwo -> b\n")
    assert draft.rest("") == "one -> a\ntwo -> b\n"
    assert draft.rest("one -> ") == "a\ntwo -> b\n"
    assert draft.rest("one -> c") == ""
    assert draft.rest("one -> c\ntwo") == " -> b\n"
    assert draft.rest("one -> c\ntwo -> b\n") == draft.rest("1\n2\n3\n4") == ""


def test_guesses_come_from_what_recurs() -> None:
    """What followed the longest repetition before, never across an image, and nothing after a short one."""
    lookup = Lookup(8)
    lookup.read([1, 2, 3, 4, 5, 6, 7, 8, None, 9, 5, 6, 30, 1, 2, 3, 4, 5, 6])
    assert lookup.guess() == [7, 8]
    lookup.learn(2, 1)
    lookup.read([7, 9, 5])
    assert lookup.guess() == []
    assert lookup.guess(least_match=2) == [6, 30, 1, 2, 3, 4, 5, 6]
    assert Lookup(0).guess() == []


def test_replies_of_a_batch_guess_from_each_other() -> None:
    """What one has said, another may say next; what was wholly right is followed further."""
    corpus = Corpus()
    one, other = Lookup(4, corpus), Lookup(4, corpus)
    one.read(range(20))
    other.read(range(4))
    assert other.guess() == [] and other.guess(least_match=2) == [4, 5, 6, 7]
    other.learn(4, 4)
    assert other.guess() == [4, 5, 6, 7]


def test_guessing_rests_where_it_does_not_pay() -> None:
    """Wrong guesses cost time; after some of them there are none for a while."""
    payoff = Payoff()
    assert not payoff.may_guess()
    payoff.plain(20.0)
    for _ in range(5):
        assert payoff.may_guess()
        payoff.guessed(0, 60.0)
    assert not any(payoff.may_guess() for _ in range(20))
    assert any(payoff.may_guess() for _ in range(20))


def test_thoughts_end_at_their_budget_and_are_no_reply(model: LlamaModel) -> None:
    """The reply is in its grammar, however much was thought; without a budget nothing is."""
    bound = Lark('start: "{\\"n\\":" /[0-9]{1,3}/ "}"')
    plain = model.reply(asked("How many?"), (), bound=bound, limits=ReplyLimits(20))
    thoughtful = model.reply(asked("How many?"), (), bound=bound, limits=ReplyLimits(20, think_tokens=12))
    assert plain.thought == "" and plain.text.startswith('{"n":')
    assert thoughtful.thought.startswith("<think>\n") and thoughtful.thought.endswith("\n</think>\n\n")
    assert thoughtful.text.startswith('{"n":') and thoughtful.text.endswith("}")
    assert thoughtful.usage.sampled_tokens <= 12 + 4


def test_a_bad_grammar_takes_no_lane(model: LlamaModel) -> None:
    """Errors before a reply leave every lane free."""
    for _ in range(6):
        with pytest.raises(ModelError):
            model.reply(asked("x"), (), bound=Lark("start: nowhere"), limits=ReplyLimits(4))
    assert say(model, asked("x")).text
