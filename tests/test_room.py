"""What a model takes is known before it is loaded, and what does not fit is cut to what does, or said in MB."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.env import Env
from agent.errors import ModelError, NotEnoughMemory
from agent.model.gguf import ModelShape, ProjectorShape, read_model_shape, read_projector_shape
from agent.model.room import plan_memory
from agent.settings import ModelSettings

MB = 1_000_000
SMALL = ModelShape(
    file_bytes=491 * MB, layers=24, width=896, feed_width=4864, kv_values=6144, kv_row=64, vocabulary=151_936,
    trained_tokens=32_768,
)  # fmt: skip
EYE = ProjectorShape(file_bytes=442 * MB, width=1024, feed_width=4096)
SPARE = 100 * MB
AUTO = ModelSettings(kv_type="auto", spare_ram_bytes=SPARE)
ENTRIES: list[tuple[str, object]] = [
    ("general.architecture", "qwen2"),
    ("qwen2.block_count", 24),
    ("qwen2.context_length", 32_768),
    ("qwen2.embedding_length", 896),
    ("qwen2.feed_forward_length", 4_864),
    ("qwen2.attention.head_count", 14),
    ("qwen2.attention.head_count_kv", 2),
    ("tokenizer.ggml.tokens", ["a", "b", "c"]),
]


def enough_for(wanted: ModelSettings, *, projector: ProjectorShape | None = None) -> int:
    """Free memory in bytes with which these settings just fit."""
    return plan_memory(SMALL, 20_000 * MB, wanted, projector=projector).total_bytes + SPARE


def gguf(path: Path, entries: Sequence[tuple[str, object]], *, count: int | None = None) -> Path:
    """A file with this header."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    def packed(value: object) -> bytes:
        if isinstance(value, str):
            return struct.pack("<I", 8) + text(value)
        if isinstance(value, float):
            return struct.pack("<If", 6, value)
        if isinstance(value, list):
            kind = 8 if isinstance(value[0], str) else 4
            items = [text(item) if kind == 8 else struct.pack("<I", item) for item in value]
            return struct.pack("<IIQ", 9, kind, len(value)) + b"".join(items)
        return struct.pack("<Iq", 11, value)

    head = struct.pack("<4sIQQ", b"GGUF", 3, 1, len(entries) if count is None else count)
    path.write_bytes(head + b"".join(text(key) + packed(value) for key, value in entries))
    return path


def with_entry(key: str, value: object) -> list[tuple[str, object]]:
    """The good header with one value changed."""
    return [(name, value if name == key else old) for name, old in ENTRIES]


def test_the_shape_of_a_model(tmp_path: Path) -> None:
    """What stands in the header, wherever it stands; the head width is the width over the heads, or what is written."""
    wanted = replace(SMALL, vocabulary=3)
    for entries in (ENTRIES, ENTRIES[::-1], [("general.name", "x" * 500), ("a.list", ["y"] * 9), *ENTRIES]):
        path = gguf(tmp_path / "model.gguf", entries)
        assert read_model_shape(path) == replace(wanted, file_bytes=path.stat().st_size)
    wide = [*ENTRIES[:-1], ("qwen2.attention.key_length", 128), ("qwen2.attention.value_length", 96)]
    assert read_model_shape(gguf(tmp_path / "wide.gguf", wide)).kv_values == 24 * 2 * (128 + 96)
    layers = with_entry("qwen2.attention.head_count_kv", [2, 0, *([1] * 22)])
    assert read_model_shape(gguf(tmp_path / "mixed.gguf", layers)).kv_values == 24 * 128


def test_the_shape_of_a_projector(tmp_path: Path) -> None:
    """A projector has its own sizes, and a language model is none."""
    entries: list[tuple[str, object]] = [
        ("general.architecture", "clip"),
        ("clip.vision.embedding_length", 1024),
        ("clip.vision.feed_forward_length", 4096),
    ]
    path = gguf(tmp_path / "eye.gguf", entries)
    assert read_projector_shape(path) == ProjectorShape(path.stat().st_size, 1024, 4096)
    with pytest.raises(ModelError, match="use a projector"):
        read_projector_shape(gguf(tmp_path / "model.gguf", ENTRIES))
    with pytest.raises(ModelError, match="use a language model"):
        read_model_shape(path)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        (with_entry("qwen2.block_count", 10**12), "block_count"),
        (with_entry("qwen2.block_count", -1), "block_count"),
        (with_entry("qwen2.block_count", 0), "block_count"),
        (with_entry("qwen2.block_count", 2.5), "block_count"),
        (with_entry("qwen2.block_count", "many"), "block_count"),
        (with_entry("qwen2.attention.head_count_kv", [10**6]), "head_count_kv"),
        ([("k" * 2_000, 1)], "a key of 2000 bytes"),
        (ENTRIES[:3], "no embedding_length"),
    ],
)
def test_headers_that_cannot_be(tmp_path: Path, entries: list[tuple[str, object]], why: str) -> None:
    """One line that names the file and what is wrong with it."""
    with pytest.raises(ModelError, match=why):
        read_model_shape(gguf(tmp_path / "bad.gguf", entries))


@pytest.mark.parametrize(
    "tail",
    [
        struct.pack("<Q", 2**63),
        struct.pack("<Q1sI", 1, b"k", 77),
        struct.pack("<Q1sIQ", 1, b"k", 8, 2**62),
        struct.pack("<Q1sIIQ", 1, b"k", 9, 4, 2**40),
        struct.pack("<Q1sIIQ", 1, b"k", 9, 4, 3_000_000),
        struct.pack("<Q1sIIQ", 1, b"k", 9, 9, 1),
        struct.pack("<Q1sIIQ", 1, b"k", 9, 8, 5),
        b"",
    ],
)
def test_lengths_that_lie(tmp_path: Path, tail: bytes) -> None:
    """No length in the file makes us read or wait for what is not there."""
    path = tmp_path / "bad.gguf"
    path.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 1, 1) + tail)
    with pytest.raises(ModelError, match="damaged"):
        read_model_shape(path)
    path.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 1, 2**40))
    with pytest.raises(ModelError, match="entries"):
        read_model_shape(path)
    with pytest.raises(ModelError, match="cannot be read"):
        read_model_shape(tmp_path / "none.gguf")


@given(place=st.integers(0, 600), byte=st.integers(0, 255), cut=st.integers(1, 600))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
def test_a_spoiled_header_is_read_or_refused(tmp_path: Path, place: int, byte: int, cut: int) -> None:
    """Any byte may be wrong and any end may be missing: there is a shape with possible numbers, or a `ModelError`."""
    data = bytearray(gguf(tmp_path / "model.gguf", ENTRIES).read_bytes())
    data[place % len(data)] = byte
    (tmp_path / "bad.gguf").write_bytes(data[: max(cut, len(data) - cut)])
    try:
        shape = read_model_shape(tmp_path / "bad.gguf")
    except ModelError:
        return
    assert shape.layers > 0 and shape.kv_values >= 0 and shape.trained_tokens > 0


def test_what_fits_is_left_as_it_is() -> None:
    """With memory enough the plan is the settings', up to what the model was trained for."""
    plan = plan_memory(SMALL, 20_000 * MB, AUTO)
    assert (plan.context_tokens, plan.kv_type, plan.micro_batch_tokens, plan.image_tokens) == (8_192, "f16", 256, 0)
    assert "for lack" not in plan.reason
    assert plan_memory(SMALL, 20_000 * MB, AUTO.model_copy(update={"context_tokens": 10**6})).context_tokens == 32_768


def test_what_is_given_up_first() -> None:
    """The type, then the pass, then the photo, then the context; each only as far as it must be, and it is said."""
    smallest = {"kv_type": "q8_0", "micro_batch_tokens": 64, "image_tokens": 64, "context_tokens": 2_048}
    least = enough_for(AUTO.model_copy(update=smallest), projector=EYE)
    most = enough_for(AUTO, projector=EYE)
    seen = [plan_memory(SMALL, free, AUTO, projector=EYE) for free in range(most, least, -4 * MB)]
    order = [(p.kv_type, p.micro_batch_tokens, p.image_tokens, p.context_tokens) for p in seen]
    distinct = list(dict.fromkeys(order))
    assert distinct[:7] == [
        ("f16", 256, 512, 8_192), ("q8_0", 256, 512, 8_192), ("q8_0", 128, 512, 8_192), ("q8_0", 64, 512, 8_192),
        ("q8_0", 64, 256, 8_192), ("q8_0", 64, 128, 8_192), ("q8_0", 64, 64, 8_192),
    ]  # fmt: skip
    shorter = [tokens for *rest, tokens in distinct[7:]]
    assert shorter == sorted(shorter, reverse=True) and shorter[-1] >= 2_048
    assert "kv_type q8_0 instead of f16" in seen[-1].reason and "context" in seen[-1].reason


def test_what_a_person_named_is_not_changed() -> None:
    """A named type stays; without flash attention, or with rows that do not pack, f16 is the only one."""
    tight = enough_for(AUTO.model_copy(update={"kv_type": "q8_0"}))
    assert plan_memory(SMALL, 20_000 * MB, AUTO.model_copy(update={"kv_type": "q4_0"})).kv_type == "q4_0"
    for shape, wanted in (
        (SMALL, AUTO.model_copy(update={"kv_type": "f16"})),
        (SMALL, AUTO.model_copy(update={"flash_attention": False})),
        (replace(SMALL, kv_row=80), AUTO),
    ):
        plan = plan_memory(shape, tight, wanted)
        assert plan.kv_type == "f16" and plan.context_tokens < 8_192
    assert plan_memory(SMALL, tight, AUTO).kv_type == "q8_0"


def test_what_is_missing_is_said() -> None:
    """With just that much more, the smallest fits."""
    with pytest.raises(NotEnoughMemory, match=r"^(\d+) MB of memory are missing.*500 MB are free") as caught:
        plan_memory(SMALL, 500 * MB, AUTO)
    missing = int(str(caught.value).split()[0])
    assert 2_048 <= plan_memory(SMALL, (500 + missing + 1) * MB, AUTO).context_tokens <= 2_560
    with pytest.raises(NotEnoughMemory, match=r"max_ram_bytes allows 600 MB.*raise it"):
        plan_memory(SMALL, 9_000 * MB, AUTO.model_copy(update={"max_ram_bytes": 600 * MB}))


def test_a_context_by_memory() -> None:
    """0 takes half of what is left, up to what the model knows, and packs it where that would be short."""
    wanted = AUTO.model_copy(update={"context_tokens": 0})
    assert plan_memory(SMALL, 20_000 * MB, wanted).context_tokens == 32_768
    packed = AUTO.model_copy(update={"kv_type": "q8_0", "context_tokens": 32_768})
    middle = plan_memory(SMALL, enough_for(packed), wanted)
    assert middle.kv_type == "q8_0" and 8_192 < middle.context_tokens < 32_768
    assert "for lack" not in middle.reason
    short = AUTO.model_copy(update={"kv_type": "q8_0", "context_tokens": 2_560})
    assert 2_048 <= plan_memory(SMALL, enough_for(short), wanted).context_tokens <= 2_560


@given(
    free=st.integers(0, 4_000),
    context=st.sampled_from([0, 100, 2_048, 5_000, 8_192, 10**6]),
    batch=st.sampled_from([1, 32, 64, 100, 256, 512, 4_096]),
    images=st.sampled_from([16, 64, 100, 512, 4_096]),
    sees=st.booleans(),
)
@settings(deadline=None)
def test_a_plan_fits_and_more_memory_never_gives_less(
    free: int, context: int, batch: int, images: int, sees: bool
) -> None:
    """Whatever is asked for: the plan fits into the memory, or the error says how much is missing."""
    wanted = AUTO.model_copy(update={"context_tokens": context, "micro_batch_tokens": batch, "image_tokens": images})
    eye = EYE if sees else None
    try:
        plan = plan_memory(SMALL, free * MB, wanted, projector=eye)
    except NotEnoughMemory as error:
        missing = int(str(error).split()[0])
        plan_memory(SMALL, (free + missing + 1) * MB, wanted, projector=eye)
        return
    assert plan.total_bytes <= free * MB - wanted.spare_ram_bytes
    assert min(context or 2_048, 2_048) <= plan.context_tokens <= 32_768
    assert 1 <= plan.micro_batch_tokens <= batch
    if context:
        more = plan_memory(SMALL, (free + 500) * MB, wanted, projector=eye)
        assert more.context_tokens >= plan.context_tokens and more.image_tokens >= plan.image_tokens


RUN = """
import json, sys
from pathlib import Path
from agent.messages import Message
from agent.model.llama import LlamaModel
from agent.model.protocol import ReplyLimits
from agent.settings import ModelSettings
class Either:
    def lark(self):
        return 'start: "open" | /[a-z]{3,9}/'
settings = ModelSettings.model_validate_json(sys.argv[2])
model = LlamaModel.load(Path(sys.argv[1]), name="x", settings=settings)
model.reply([Message("user", "pump " * 260)], [], bound=None, limits=ReplyLimits(4))
model.reply([Message("user", "valve " * 9)], [], bound=Either(), limits=ReplyLimits(4))
rows = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps(int(rows["VmHWM"].split()[0]) * 1024))
"""


@pytest.mark.weights
@pytest.mark.parametrize(
    "wanted",
    [
        ModelSettings(context_tokens=2_048, kv_type="f16", threads=2),
        ModelSettings(context_tokens=32_768, kv_type="q8_0", micro_batch_tokens=64, threads=2),
    ],
    ids=lambda wanted: f"{wanted.context_tokens}-{wanted.kv_type}",
)
def test_the_plan_is_what_a_running_model_takes(weights_env: Env, wanted: ModelSettings) -> None:
    """Peak memory of a process that loads the model and answers is within a tenth of the plan."""
    path = weights_env.weights.where("qwen2.5-0.5b")["model"]
    plan = plan_memory(read_model_shape(path), 20_000 * MB, wanted)
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(path), wanted.model_dump_json()], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert json.loads(done.stdout) == pytest.approx(plan.total_bytes, rel=0.1)
