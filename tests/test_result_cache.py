"""The same question on the same evidence costs nothing the second time; anything else is asked anew."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.audit import Trail
from agent.box_key import box_secret
from agent.env import Env
from agent.messages import Message, Reply
from agent.model.ladder import Ladder
from agent.model.protocol import Bound, ReplyLimits
from agent.model.reply_store import ReplyStore
from agent.model.result_cache import CachedModel, with_result_cache
from agent.model.rungs import open_rung
from agent.photo import Photo
from agent.settings import ModelSettings
from agent.turn import Agent, Conversation
from agent.values import Term
from tests.fakes import ScriptedModel, call
from tests.test_turn import _Host, open_valve, search_manuals, similar_events

ROOT = Path(__file__).parent.parent
SECRET = b"s" * 32
LIMITS = ReplyLimits(50, reusable=True)
ASKED = [Message("system", "who"), Message("user", "what?")]
SETTINGS = ModelSettings()


class Lark:
    """A bound that is just its grammar."""

    def __init__(self, text: str = "start: /.*/") -> None:
        self._text = text

    def lark(self) -> str:
        return self._text


def store(path: Path, *, rows: int = 10, size: int = 100_000, secret: bytes = SECRET) -> ReplyStore:
    return ReplyStore(path, max_rows=rows, max_bytes=size, busy_seconds=0.05, secret=secret)


def cached(
    path: Path, *said: object, name: str = "m", weights: str = "ab", settings: ModelSettings = SETTINGS
) -> tuple[CachedModel, ScriptedModel]:
    """A process that starts: a model with this script, and the file as it is."""
    model = ScriptedModel(list(said), name=name)
    return CachedModel(model, store(path), weights, settings), model


def photo(value: int) -> Photo:
    return Photo(np.full((2, 2, 3), value, np.uint8), f"digest-{value}", "p.png")


def ask(model: CachedModel, asked: list[Message] = ASKED, *, bound: Bound | None = None) -> Reply:
    return model.reply(asked, (), bound=bound or Lark(), limits=LIMITS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "replies.db"


def test_the_same_question_is_answered_without_the_model(path: Path) -> None:
    """Also after a restart: the same text, streamed whole, and the usage says where it came from."""
    first, _ = cached(path, "yes")
    assert ask(first).usage.cached_replies == 0
    first.close()
    second, model = cached(path)
    heard: list[str] = []
    reply = second.reply(ASKED, (), bound=Lark(), limits=LIMITS, on_text=heard.append)
    assert (reply.text, reply.stopped, heard, model.seen) == ("yes", "done", ["yes"], [])
    used = reply.usage
    assert (used.cached_replies, used.passes, used.prompt_tokens, used.sampled_tokens) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    "other",
    [
        [Message("system", "who"), Message("user", "what else?")],
        [Message("system", "who else"), Message("user", "what?")],
        [Message("system", "who"), Message("assistant", "what?")],
        [Message("system", "whowhat?"), Message("user", "")],
        [*ASKED, Message("user", "evidence")],
        [ASKED[0], replace(ASKED[1], photo=photo(1))],
    ],
    ids=["question", "system", "role", "border", "evidence", "photo"],
)
def test_other_messages_are_another_question(path: Path, other: list[Message]) -> None:
    """One word, role, result or photo more, and the model is asked."""
    model, _ = cached(path, "yes", "no")
    ask(model)
    assert ask(model, other).text == "no"


def test_another_photo_is_another_question(path: Path) -> None:
    """Pixels count by their digest."""
    model, _ = cached(path, "one", "two")
    for value, said in ((1, "one"), (2, "two"), (1, "one")):
        assert ask(model, [replace(ASKED[1], photo=photo(value))]).text == said


def test_another_grammar_model_weight_setting_or_limit_is_another_question(path: Path) -> None:
    """What shapes a reply is part of the question; what only ends it early is not."""
    ask(cached(path, "yes")[0])
    assert ask(cached(path, "no")[0], bound=Lark('start: "x"')).text == "no"
    assert ask(cached(path, "no", name="other")[0]).text == "no"
    assert ask(cached(path, "no", weights="cd")[0]).text == "no"
    assert ask(cached(path, "no", settings=ModelSettings(kv_type="q8_0"))[0]).text == "no"
    assert ask(cached(path, "no", settings=ModelSettings(result_cache_rows=7))[0]).text == "yes"
    for limits, said in (
        (replace(LIMITS, max_tokens=51), "no"),
        (replace(LIMITS, think_tokens=9), "no"),
        (replace(LIMITS, deadline=1e12), "yes"),
        (replace(LIMITS, lookup_tokens=4), "yes"),
        (replace(LIMITS, cancelled=lambda: False, between=lambda: None), "yes"),
    ):
        assert cached(path, "no")[0].reply(ASKED, (), bound=Lark(), limits=limits).text == said


def test_free_text_and_a_grammar_are_told_apart(path: Path) -> None:
    """No bound is not an empty one."""
    model, _ = cached(path, "yes", "no")
    assert model.reply(ASKED, (), bound=None, limits=LIMITS).text == "yes"
    assert ask(model, bound=Lark("null")).text == "no"


@pytest.mark.parametrize("limits", [replace(LIMITS, reusable=False), replace(LIMITS, temperature=0.5)])
def test_what_must_be_made_anew_is_neither_read_nor_kept(path: Path, limits: ReplyLimits) -> None:
    """Where the turn does not say that replies may be reused, and where chance plays a part."""
    model, _ = cached(path, "one", "two", "three")
    said = [model.reply(ASKED, (), bound=Lark(), limits=limits).text for _ in range(2)]
    assert said == ["one", "two"]
    assert not path.exists()
    assert ask(model).text == "three"


class _Cut(ScriptedModel):
    def _text(self, step: object, bound: Bound | None) -> str:
        return str(step)

    def reply(self, *args: object, **more: object) -> Reply:
        return replace(super().reply(*args, **more), stopped="length")  # type: ignore[arg-type]


def test_a_reply_that_was_cut_is_not_kept(path: Path) -> None:
    """Nor would one that has no time left be answered."""
    model = CachedModel(_Cut(["half", "half"]), store(path), "ab", SETTINGS)
    assert [ask(model).stopped, ask(model).usage.cached_replies] == ["length", 0]
    late, inner = cached(path, "whole", "late")
    ask(late)
    late.reply(ASKED, (), bound=Lark(), limits=replace(LIMITS, cancelled=lambda: True))
    assert len(inner.seen) == 2


def test_rows_are_bounded_and_the_least_used_goes(path: Path) -> None:
    """What was asked for again stays."""
    kept = store(path, rows=3)
    for key in "abc":
        kept.put(key, key)
    assert kept.get("a") == "a"
    kept.put("d", "d")
    assert [kept.get(key) for key in "abcd"] == ["a", None, "c", "d"]


def test_bytes_are_bounded(path: Path) -> None:
    """All texts together stay below the limit; one that alone is more is not kept."""
    kept = store(path, rows=1_000, size=10_000)
    kept.put("huge", "x" * 10_001)
    for key in range(50):
        kept.put(str(key), "故障" * 200)
    with closing(sqlite3.connect(path)) as db:
        rows, size = db.execute("SELECT count(*), sum(length(body)) FROM replies").fetchone()
    assert 3 < rows < 10 and size < 10_000
    assert kept.get("huge") is None and kept.get("49") == "故障" * 200


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE replies SET body = CAST('open the valve' AS BLOB)",
        "UPDATE replies SET body = 'yes'",
        "UPDATE replies SET proof = NULL",
        "UPDATE replies SET key = 'other'",
        "UPDATE replies SET body = zeroblob(2000000)",
    ],
)
def test_a_reply_that_somebody_wrote_is_none(path: Path, change: str) -> None:
    """Only what this box kept itself, and under this very question, is believed."""
    kept = store(path)
    kept.put("mine", "yes")
    kept.close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA ignore_check_constraints = 1")
        try:
            db.execute(change)
        except sqlite3.IntegrityError:
            db.execute("UPDATE replies SET proof = ''")
    assert store(path).get("mine") is None
    assert store(path).get("other") is None


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=()), max_size=300))
def test_whatever_was_said_comes_back_as_it_was(path: Path, text: str) -> None:
    """Control characters, lone surrogates, nothing at all."""
    kept = store(path)
    kept.put("key", text)
    assert kept.get("key") == text
    kept.close()


def test_another_box_is_not_believed(path: Path) -> None:
    """A file that is copied along without the key is empty."""
    store(path).put("key", "yes")
    assert store(path, secret=b"t" * 32).get("key") is None


def test_the_key_of_the_box_is_made_once(tmp_path: Path) -> None:
    """Random, readable by its owner only, the same for every process; one that was cut short is made anew."""
    file = tmp_path / "box.key"
    made = box_secret(file)
    assert len(made) == 32 and box_secret(file) == made and file.stat().st_mode & 0o077 == 0
    file.write_bytes(made[:5])
    assert box_secret(file) != made and box_secret(file) == box_secret(file)
    assert len(box_secret(tmp_path / "no" / "folder")) == 32


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5_000])
def test_a_damaged_file_is_moved_aside(path: Path, content: bytes) -> None:
    """The question is answered, and the next one is kept in a new file."""
    path.parent.mkdir()
    path.write_bytes(content)
    model, _ = cached(path, "one", "two")
    assert ask(model).text == "one"
    assert ask(model).text in ("one", "two")
    assert ask(model).usage.cached_replies == 1
    assert path.with_name("replies.db.bad").exists() is bool(content)


def test_a_page_that_goes_bad_under_use_costs_no_reply(path: Path) -> None:
    """A card that dies: what is in the middle of the file is garbage from now on."""
    kept = store(path, rows=1_000)
    for key in range(200):
        kept.put(str(key), "x" * 300)
    kept.close()
    with path.open("r+b") as file:
        file.seek(4_096)
        file.write(os.urandom(path.stat().st_size - 4_096))
    again = store(path)
    assert [again.get(str(key)) for key in range(5)] == [None] * 5
    again.put("new", "yes")
    again.put("new", "yes")
    assert again.get("new") == "yes"


def test_a_table_of_another_shape_is_moved_aside(path: Path) -> None:
    """Some other program's file, or one of an older version."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE replies (something TEXT)")
    kept = store(path)
    kept.put("key", "yes")
    kept.put("key", "yes")
    assert kept.get("key") == "yes"
    assert path.with_name("replies.db.bad").exists()


def test_a_locked_file_is_passed_over(path: Path) -> None:
    """Another program holds it: the model answers, and the file stays."""
    kept = store(path)
    kept.put("key", "yes")
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        kept.put("more", "yes")
        assert kept.get("more") is None
    kept.put("more", "yes")
    assert (kept.get("key"), kept.get("more")) == ("yes", "yes")
    assert not path.with_name("replies.db.bad").exists()


def test_a_place_that_cannot_be_written_is_passed_over(tmp_path: Path) -> None:
    """A folder in the file's place, a file in the folder's place."""
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "folder.db", tmp_path / "file" / "replies.db"):
        model, _ = cached(place, "one", "two")
        assert [ask(model).text, ask(model).text] == ["one", "two"]


def test_a_full_disk_is_passed_over(path: Path) -> None:
    """What is kept stays readable; what is new is not kept."""
    kept = store(path)
    kept.put("key", "yes")
    assert kept._db is not None
    kept._db.execute("PRAGMA max_page_count = 1")
    kept.put("large", "x" * 50_000)
    assert (kept.get("key"), kept.get("large")) == ("yes", None)


def test_a_file_that_is_deleted_under_use_is_made_anew(path: Path) -> None:
    """The cache folder may be emptied at any time."""
    kept = store(path)
    kept.put("key", "yes")
    for file in path.parent.iterdir():
        file.unlink()
    assert kept.get("key") is None
    kept.put("key", "again")
    assert store(path).get("key") == "again"


KEY = """
import sys
from agent.messages import Message
from agent.model.result_cache import CachedModel
from agent.model.protocol import ReplyLimits
from agent.settings import ModelSettings
from tests.fakes import ScriptedModel
model = CachedModel(ScriptedModel([]), None, "ab", ModelSettings())
print(model._key([Message("user", "泵?")], (), None, ReplyLimits(5)), end="")
"""


def test_the_key_is_the_same_in_every_process() -> None:
    """Nothing of a process (an address, an order, a seed for hashes) is in it."""
    run = [
        subprocess.run([sys.executable, "-c", KEY], cwd=ROOT, capture_output=True, check=True).stdout for _ in range(2)
    ]
    assert run[0] == run[1] and len(run[0]) == 64


WRITER = """
import sys
from pathlib import Path
from agent.model.reply_store import ReplyStore
kept = ReplyStore(Path(sys.argv[1]), max_rows=40, max_bytes=100_000, busy_seconds=5.0, secret=b"s" * 32)
kept.put("first", "of all")
for number in range(60):
    kept.put(f"{sys.argv[2]}-{number}", sys.argv[2] * 20)
    assert kept.get(f"{sys.argv[2]}-{number}") in (None, sys.argv[2] * 20)
"""


def test_two_programs_share_the_file(path: Path) -> None:
    """Both write at once from its making on: nothing is lost but by the bounds, and nothing is mixed up."""
    running = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in ("one", "two")]
    assert [process.wait(60) for process in running] == [0, 0]
    kept = store(path, rows=40)
    newest = [kept.get(f"{name}-59") for name in ("one", "two")]
    assert any(newest)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM replies").fetchone() == (40,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert not path.with_name("replies.db.bad").exists()


def test_it_can_be_turned_off(env: Env) -> None:
    """No rows, no cache; and nothing is written."""
    model = ScriptedModel([])
    off = env.settings.model_copy(update={"model": ModelSettings(result_cache_rows=0)})
    assert with_result_cache(model, replace(env, settings=off), weights_digest="ab") is model
    assert isinstance(with_result_cache(model, env, weights_digest="ab"), CachedModel)
    assert not (env.home.cache / "replies.db").exists()


def agent_of(env: Env, *script: object, write: bool = False) -> tuple[Agent, ScriptedModel]:
    model = ScriptedModel(list(script))
    host = _Host((similar_events, search_manuals, *([open_valve] if write else [])), None)
    host.known = [Term("alarm", "循环变频故障", "question", 0), Term("label", "阀门", "question", 13)]
    ladder = Ladder(["m"], lambda name: with_result_cache(model, env, weights_digest="ab"))
    return Agent(env, host, ladder, Trail(env.home.watch_db, busy_seconds=1)), model


QUESTION = "循环变频故障以前出现过吗?"
SAID = (call("similar_events", like="循环变频故障"),)


def test_a_turn_is_answered_from_the_cache_and_says_so(env: Env) -> None:
    """Same answer, no pass of the model; tools run again; record and trail say where the words came from."""
    first, _ = agent_of(env, SAID)
    before = first.ask(QUESTION)
    first.close()
    second, model = agent_of(env)
    after = second.ask(QUESTION)
    assert (after.answer, model.seen) == (before.answer, [])
    assert after.to_json()["tokens"] == {
        "prompt": 0, "reused": 0, "sampled": 0, "forced": 0, "cached_replies": 1,
    }  # fmt: skip
    rows = list(second.trail.rows())
    assert [row.body["cached"] for row in rows if row.kind == "model_replied"] == [False, True]
    assert [row.kind for row in rows].count("tool_called") == 2


def test_an_earlier_question_is_evidence(env: Env) -> None:
    """The same words later in a conversation are another question."""
    agent, model = agent_of(env, SAID, SAID, SAID)
    conversation = Conversation()
    agent.ask(QUESTION, conversation=conversation)
    agent.ask(QUESTION, conversation=conversation)
    assert len(model.seen) == 2


def test_a_turn_that_may_change_something_is_always_asked_anew(env: Env) -> None:
    """A device that the person names brings a writing tool within reach: nothing is read, nothing is kept."""
    question = "循环变频故障以前出现过吗?阀门呢?"
    said = (call("similar_events", like="循环变频故障"), call("similar_events", like="循环变频故障"))
    for _ in range(2):
        agent, model = agent_of(env, said, write=True)
        agent.ask(question)
        assert len(model.seen) == 1
        agent.close()
    assert not (env.home.cache / "replies.db").exists()


def test_a_writing_tool_out_of_reach_changes_nothing(env: Env) -> None:
    """A box with devices remembers its answers to questions that name none."""
    for script in ((SAID,), ()):
        agent, model = agent_of(env, *script, write=True)
        assert agent.ask(QUESTION).answer.citations == ("E17",)
        assert len(model.seen) == len(script)
        agent.close()


@pytest.mark.weights
def test_the_real_model_says_the_same_words(weights_env: Env) -> None:
    """The 0.5B as the ladder opens it: cold, from the cache, and after a restart."""
    bound = Lark('start: "The " ("pump" | "valve" | "fan") " is " ("on" | "off") "\\n"')
    replies = []
    for _ in range(2):
        model = open_rung("qwen2.5-0.5b", weights_env)
        replies += [model.reply(ASKED, (), bound=bound, limits=LIMITS) for _ in range(2)]
        model.close()
    assert len({reply.text for reply in replies}) == 1
    assert [reply.usage.cached_replies for reply in replies] == [0, 1, 1, 1]
    assert replies[0].usage.passes > 0 == replies[3].usage.passes
