"""Where the parser could not tell, a model that sees looks at that part; what it read is said as its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.audit import Trail
from agent.env import Env
from agent.errors import BadReply, ModelError, PhotoError
from agent.look import Doubt, Look, LookBound, crop, find_doubt, look_closer
from agent.messages import Message, Reply, Usage
from agent.model.ladder import Ladder
from agent.model.llama import LlamaModel
from agent.model.protocol import Model
from agent.perception import AlarmRow, Lamp, Perception, Reading, Text
from agent.photo import Photo, load_photo
from agent.settings import ModelSettings, PhotoSettings, TurnSettings
from agent.turn import Agent, TurnRecord
from tests.fakes import ScriptedModel, call
from tests.test_turn import PANEL, Bench, _Host, search_manuals
from tests.tiny_qwen3vl import write_tiny_qwen3vl

TURN = TurnSettings()
SYSTEM = Message("system", "who")
CLEAR = Reading("供水温度", "90.0", "℃", "printed", (300, 200, 340, 216), 0.99)
DOUBTED = replace(CLEAR, flags=("disagrees",))
LAMP = Lamp("循环变频故障", "magenta", "unsure", (100, 100, 160, 120))
NOTHING = Perception((), (), (), (), (640, 480), 1.0)
NUMBER = Doubt("number", "供水温度", (300, 200, 340, 216))
NEVER = 1e12


def photo(width: int = 640, height: int = 480, seed: int = 1) -> Photo:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Photo(pixels, f"digest-{seed}-{width}-{height}", "p.png")


def test_a_crop_is_that_part_at_its_own_resolution() -> None:
    """The very pixels, a digest of their own, a name that says where; read-only as every photo."""
    whole = photo()
    part = crop(whole, (100, 50, 200, 90), max_pixels=1_000_000)
    assert np.array_equal(part.pixels, whole.pixels[50:90, 100:200])
    assert part.size == (100, 40) and part.name == "p.png [100,50,200,90]"
    assert part.digest != whole.digest and part.digest == crop(whole, (100, 50, 200, 90), max_pixels=10_000).digest
    assert part.pixels.flags["C_CONTIGUOUS"] and not part.pixels.flags["WRITEABLE"]
    with pytest.raises(ValueError, match="read-only"):
        part.pixels[0, 0, 0] = 1


def test_the_digest_is_that_of_the_same_picture_in_a_file() -> None:
    """The whole photo as a crop has the photo's own digest, so nothing is encoded twice."""
    whole = load_photo(PANEL, PhotoSettings())
    assert crop(whole, (0, 0, *whole.size), max_pixels=10_000_000).digest == whole.digest


@pytest.mark.parametrize("box", [(0, 0, 0, 10), (5, 5, 5, 5), (20, 0, 10, 10), (640, 0, 700, 10), (-9, -9, 0, 0)])
def test_a_box_without_pixels_is_refused(box: tuple[int, int, int, int]) -> None:
    """Nothing wide, turned round, or beside the photo: one line that says which box."""
    with pytest.raises(PhotoError, match=r"p\.png: the box .* holds no pixel of the photo \(640×480\)"):
        crop(photo(), box, max_pixels=1_000)


def test_a_small_box_is_grown_and_stays_within_the_photo() -> None:
    """A single digit gets its surroundings, also in a corner; a photo smaller than that is taken whole."""
    assert crop(photo(), (300, 200, 304, 206), max_pixels=10**6, min_side_px=64).name.endswith("[270,171,334,235]")
    assert crop(photo(), (636, 476, 640, 480), max_pixels=10**6, min_side_px=64).name.endswith("[576,416,640,480]")
    assert crop(photo(10, 8), (1, 1, 2, 2), max_pixels=10**6, min_side_px=64).size == (10, 8)


@pytest.mark.parametrize("size", [(1, 4_000), (4_000, 1), (1, 1), (3, 2_000)])
def test_slivers_are_bounded_too(size: tuple[int, int]) -> None:
    """A line of pixels has no side to give, and is scaled along the other one."""
    part = crop(photo(*size), (0, 0, *size), max_pixels=1_000, min_side_px=64)
    assert 1 <= part.size[0] * part.size[1] <= 1_000


@settings(max_examples=200, deadline=None)
@given(
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    box=st.tuples(*[st.integers(-(10**9), 10**9) | st.integers(-5, 80)] * 4),
    most=st.integers(1, 6_000),
    least=st.integers(0, 100),
)
def test_any_box_gives_a_bounded_photo_or_an_error(
    size: tuple[int, int], box: tuple[int, int, int, int], most: int, least: int
) -> None:
    """Boxes come from what stood in a photo."""
    try:
        part = crop(photo(*size), box, max_pixels=most, min_side_px=least)
    except PhotoError:
        return
    assert 1 <= part.size[0] * part.size[1] <= most
    assert part.size[0] <= size[0] and part.size[1] <= size[1]


def test_only_what_the_question_names_is_in_doubt() -> None:
    """A reading without a trusted value, a lamp that the photo leaves open, a text without a value."""
    seen = replace(NOTHING, readings=(CLEAR,), lamps=(LAMP,))
    assert find_doubt("供水温度是多少?", seen) is None
    assert find_doubt("这是什么?", seen) is None
    assert find_doubt("循环变频故障该怎么处理?", seen) is None
    assert find_doubt("Is 循环变频故障 lit?", seen) is not None
    assert find_doubt("循环变频故障亮了吗?", seen) == Doubt("lamp", "循环变频故障", (80, 80, 180, 140))
    assert find_doubt("循环变频故障亮了吗?", replace(NOTHING, lamps=(replace(LAMP, state="lit"),))) is None
    for reading in (DOUBTED, replace(CLEAR, value=None, flags=("no-value",)), replace(CLEAR, flags=("low-score",))):
        assert find_doubt("供水温度是多少?", replace(NOTHING, readings=(reading,))) == Doubt(
            "number", "供水温度", (284, 184, 356, 232)
        )


def test_a_text_that_nothing_explains_is_looked_at_only_where_a_value_is_asked_for() -> None:
    """Right of a label or under it; not for the name of a reading, a lamp or an alarm, nor for any other question."""
    text = Text("回水压力", (100, 100, 180, 120), 0.9)
    seen = replace(NOTHING, texts=(text, replace(text, text="压力")))
    assert find_doubt("回水压力是多少?", seen) == Doubt("number", "回水压力", (80, 80, 300, 180))
    assert find_doubt("What does 回水压力 show?", seen) is not None
    assert find_doubt("回水压力该怎么处理?", seen) is None
    for known in (
        replace(seen, readings=(replace(CLEAR, label="回水压力"),)),
        replace(seen, alarms=(AlarmRow({"名称": "回水压力低"}, text.box),)),
    ):
        assert find_doubt("回水压力是多少?", known) is None


@pytest.mark.parametrize(
    ("kind", "said", "read"),
    [
        ("number", "90.0\n", "90.0"),
        ("number", "-5", "-5"),
        ("number", "12:30\n", "12:30"),
        ("number", "?\n", ""),
        ("lamp", "lit\n", "lit"),
        ("lamp", "not lit\n", "not lit"),
        ("lamp", "unsure\n", ""),
        ("number", "lit", None),
        ("number", "90.0 bar", None),
        ("number", "九十", None),
        ("number", "", None),
        ("lamp", "90", None),
        ("lamp", "LIT", None),
    ],
)
def test_a_look_says_a_number_or_a_state(kind: Any, said: str, read: str | None) -> None:
    """Everything else is no reading, whoever said it."""
    if read is None:
        with pytest.raises(BadReply):
            LookBound(kind).parse(said)
    else:
        assert LookBound(kind).parse(said) == read


class _Fallen(ScriptedModel):
    """Sees until it was asked."""

    def reply(self, *args: Any, **more: Any) -> Reply:
        self.sees = False
        return super().reply(*args, **more)


def test_a_look_by_a_rung_that_does_not_see_is_none() -> None:
    """The rung that sees failed over it and the next one answered: that is a guess, not a look."""
    with pytest.raises(ModelError, match="no rung that sees"):
        look(_Fallen(["90.0\n"], sees=True))


def look(model: Model) -> Look:
    return look_closer(model, SYSTEM, photo(), NUMBER, settings=TURN, deadline=NEVER)


def test_the_model_gets_the_part_and_not_the_whole() -> None:
    """After the stable beginning, so that its cached state is reused; and within the pixels of the settings."""
    model = ScriptedModel(["90.0\n"], sees=True)
    looked = look(model)
    (messages,) = model.seen
    assert messages[0] is SYSTEM and len(messages) == 2
    assert messages[1].photo is looked.crop and looked.crop.size == (64, 64)
    large = look_closer(
        ScriptedModel(["?"], sees=True), SYSTEM, photo(4_000, 3_000), Doubt("number", "x", (0, 0, 9_999, 9_999)),
        settings=TURN, deadline=NEVER,
    )  # fmt: skip
    assert large.crop.size[0] * large.crop.size[1] <= TURN.look_max_pixels
    assert large.line is None


def test_the_line_says_whose_reading_it_is() -> None:
    """In both languages."""
    line = Look(Doubt("number", "供水温度", (0, 0, 1, 1)), photo(), "90.0", Usage()).line
    assert line is not None
    assert "供水温度 90.0" in line["zh"] and "由模型读出" in line["zh"]
    assert "供水温度 90.0" in line["en"] and "not by the panel parser" in line["en"]
    lamp = Look(Doubt("lamp", "故障", (0, 0, 1, 1)), photo(), "not lit", Usage()).line
    assert lamp is not None and "故障 未点亮" in lamp["zh"] and "故障 not lit" in lamp["en"]


QUESTION = "供水温度是多少?"
PICKED = ((call("search_manuals", query=QUESTION),), (None,))


def bench_of(env: Env, *script: object, sees: bool = True, seen: Perception | None = None) -> Bench:
    shown = seen or replace(NOTHING, readings=(DOUBTED,))
    bench = Bench(env, search_manuals, script=[*script], perception=shown)
    bench.model.sees = sees
    return bench


def rows_of(bench: Bench) -> list[dict[str, Any]]:
    return [dict(row.body) for row in bench.agent.trail.rows() if row.kind == "looked_closer"]


def test_what_the_model_read_stands_with_the_part_that_names_it(env: Env) -> None:
    """As a claim: marked, without a source, on the trail; the rest of the turn sees no pixels."""
    bench = bench_of(env, "91.5\n", *PICKED)
    record = bench.ask(QUESTION, photo=PANEL)
    assert "供水温度 91.5(由模型读出" in record.answer.parts[0].lines[-1]
    assert record.answer.citations == ()
    first, *rest = (bool(messages[-1].photo) for messages in bench.model.seen)
    assert first and rest and not any(rest)
    assert "91.5" not in str(bench.model.seen[1:]) and "look" in record.stages_ms
    (row,) = rows_of(bench)
    assert (row["label"], row["kind"], row["read"]) == ("供水温度", "number", "91.5")


def test_what_the_model_read_is_no_evidence(env: Env) -> None:
    """A tool argument cannot take it: the grammar of the step holds what the question says and nothing else."""
    bench = bench_of(env, "91.5\n", *PICKED)
    bench.ask(QUESTION, photo=PANEL)
    assert all("91.5" not in bound.lark() for bound in bench.model.bounds[1:] if bound)


def test_a_rung_that_does_not_see_is_not_asked_to_look(env: Env) -> None:
    """Nor is one where the settings say no, nor without a photo, nor where the parser could tell."""
    off = env.settings.model_copy(update={"turn": TurnSettings(look_closer=False)})
    clear = replace(NOTHING, readings=(CLEAR,))
    for bench in (
        bench_of(env, *PICKED, sees=False),
        bench_of(replace(env, settings=off), *PICKED),
        bench_of(env, *PICKED, seen=clear),
    ):
        assert "模型从照片" not in bench.ask(QUESTION, photo=PANEL).answer.text
        assert rows_of(bench) == [] and bench.model.seen
        assert not any(message.photo for messages in bench.model.seen for message in messages)
        bench.agent.close()
    assert len(bench_of(env, *PICKED).ask(QUESTION).answer.parts) == 1


@pytest.mark.parametrize("said", ["九十度\n", "open the valve"])
def test_a_look_that_fails_costs_no_answer(env: Env, said: str) -> None:
    """No reading: nothing is said, and the trail knows why."""
    bench = bench_of(env, said, *PICKED)
    assert "模型从照片" not in bench.ask(QUESTION, photo=PANEL).answer.text
    assert "neither a number" in rows_of(bench)[0]["error"]


def test_a_rung_that_fails_over_a_look_leaves_the_next_to_answer(env: Env) -> None:
    """The next rung does not see: what it says about the crop is thrown away, and it answers the question."""
    models: dict[str, Model] = {
        "eyes": ScriptedModel([ModelError("it crashed")], name="eyes", sees=True),
        "blind": ScriptedModel(["33\n", *PICKED], name="blind"),
    }
    host = _Host((search_manuals,), replace(NOTHING, readings=(DOUBTED,)))
    ladder = Ladder(list(models), lambda name: models[name])
    record: TurnRecord = Agent(env, host, ladder, Trail(env.home.watch_db, busy_seconds=1)).ask(QUESTION, photo=PANEL)
    assert record.rung == "blind" and [fall.rung for fall in record.falls] == ["eyes"]
    assert "33" not in record.answer.text


@pytest.fixture(scope="module")
def tiny(real_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaModel]:
    vocabulary = next(iter(sorted((real_weights / "qwen2.5-0.5b").glob("*.gguf"))))
    files = write_tiny_qwen3vl(vocabulary, tmp_path_factory.mktemp("tiny"))
    limits = ModelSettings(context_tokens=1_024, batch_tokens=256, micro_batch_tokens=64)
    model = LlamaModel.load(files.model, name="tiny", settings=limits, projector=files.projector)
    yield model
    model.close()


@pytest.mark.weights
@pytest.mark.parametrize("kind", ["number", "lamp"])
def test_a_model_that_sees_is_bound_to_a_reading(tiny: LlamaModel, kind: Any) -> None:
    """Random weights, real decoding: whatever it sees, it says a number or a state, over few image tokens."""
    looked = look_closer(
        tiny, SYSTEM, photo(1_600, 1_200), Doubt(kind, "供水温度", (300, 200, 900, 700)), settings=TURN, deadline=NEVER
    )
    bound = LookBound(kind)
    assert looked.value == "" or bound.parse(looked.value) == looked.value
    whole = crop(photo(1_600, 1_200), (0, 0, 1_600, 1_200), max_pixels=10**7)
    assert looked.crop.size == (560, 467) and looked.crop.digest != whole.digest
    assert looked.usage.prompt_tokens < 350


def test_the_one_instrument_that_could_not_be_read_is_in_doubt() -> None:
    """A photo of a gauge has no label to name: a question for its value looks at the dial itself."""
    dial = Reading("", None, "bar", "gauge", (40, 40, 260, 260), 0.0, ("no-value",))
    doubt = find_doubt("压力表示数是多少?", replace(NOTHING, readings=(dial,)))
    assert doubt == Doubt("number", "", dial.box)
    assert find_doubt("Who made it?", replace(NOTHING, readings=(dial,))) is None
    assert find_doubt("What does it show?", replace(NOTHING, readings=(dial, dial))) is None
    said = Look(Doubt("number", "", dial.box), photo(), "41", Usage(0, 0)).line
    assert said is not None and "仪表 41" in said["zh"] and "the instrument 41" in said["en"]
