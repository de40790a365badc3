"""A restart does not pay again for a prompt's stable beginning, and says the same words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.messages import Message, Reply
from agent.model.llama import LlamaModel
from agent.model.prefix_cache import PrefixCache
from agent.model.protocol import ReplyLimits
from agent.settings import ModelSettings
from tests.tiny_qwen3vl import TinyFiles

SETTINGS = ModelSettings(context_tokens=1_024, batch_tokens=256, micro_batch_tokens=64, prefix_least_tokens=16)
SYSTEM = Message("system", "You stand watch over machines. " * 12)
DIGEST = "ab" * 32


def cache(folder: Path, digest: str = DIGEST, settings: ModelSettings = SETTINGS) -> PrefixCache:
    return PrefixCache(folder, weights_sha256=digest, settings=settings)


def ask(files: TinyFiles, kept: PrefixCache | None, question: str = "循环泵?") -> Reply:
    """A process that starts, answers one question and ends."""
    model = LlamaModel.load(files.model, name="tiny", settings=SETTINGS, cache=kept)
    try:
        return model.reply([SYSTEM, Message("user", question)], (), bound=None, limits=ReplyLimits(24))
    finally:
        model.close()


def test_a_restart_says_the_same_and_reads_less(tiny: TinyFiles, tmp_path: Path) -> None:
    """Cold, restored and without a cache: the same words; restored, the system message costs nothing."""
    cold, restored, plain = ask(tiny, cache(tmp_path)), ask(tiny, cache(tmp_path)), ask(tiny, None)
    assert cold.text == restored.text == plain.text
    assert cold.usage.reused_tokens == plain.usage.reused_tokens == 0
    assert restored.usage.reused_tokens > 60
    assert restored.usage.prompt_tokens == cold.usage.prompt_tokens


def test_another_question_shares_the_beginning(tiny: TinyFiles, tmp_path: Path) -> None:
    """What is kept ends where the question begins."""
    ask(tiny, cache(tmp_path))
    other = ask(tiny, cache(tmp_path), "Which lamp is lit?")
    assert other.usage.reused_tokens > 60
    assert other.text == ask(tiny, None, "Which lamp is lit?").text


@pytest.mark.parametrize("harm", ["cut", "flipped", "empty", "folder"])
def test_a_spoiled_entry_is_as_good_as_none(tiny: TinyFiles, tmp_path: Path, harm: str) -> None:
    """The answer is the same, and the entry is made anew."""
    cold = ask(tiny, cache(tmp_path))
    (entry,) = tmp_path.iterdir()
    data = bytearray(entry.read_bytes())
    if harm == "cut":
        entry.write_bytes(data[: len(data) // 2])
    elif harm == "flipped":
        data[len(data) // 2] ^= 1
        entry.write_bytes(data)
    else:
        entry.unlink()
        entry.mkdir() if harm == "folder" else entry.touch()
    again = ask(tiny, cache(tmp_path))
    assert (again.text, again.usage.reused_tokens) == (cold.text, 0)
    if harm != "folder":
        assert ask(tiny, cache(tmp_path)).usage.reused_tokens > 60


def test_other_weights_or_settings_share_nothing(tmp_path: Path) -> None:
    """A state is good for the weights, settings and tokens that made it."""
    tokens = list(range(100))
    cache(tmp_path).save(tokens, b"state")
    assert cache(tmp_path).load(tokens) == b"state"
    assert cache(tmp_path).load(tokens[:-1]) is None
    assert cache(tmp_path, "cd" * 32).load(tokens) is None
    assert cache(tmp_path, settings=SETTINGS.model_copy(update={"kv_type": "q8_0"})).load(tokens) is None


def test_the_folder_is_bounded(tmp_path: Path) -> None:
    """The least recently used entry goes first; one that was just used stays."""
    kept = cache(tmp_path, settings=SETTINGS.model_copy(update={"prefix_cache_bytes": 3_500}))
    for i in range(3):
        kept.save([i] * 20, bytes(1_000))
    for i, path in enumerate(sorted(tmp_path.iterdir(), key=lambda p: p.stat().st_mtime_ns)):
        os.utime(path, (i, i))
    assert kept.load([0] * 20) is not None
    kept.save([3] * 20, bytes(1_000))
    assert kept.load([0] * 20) is not None
    assert len(list(tmp_path.iterdir())) == 3


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    """The cache is passed over."""
    (tmp_path / "file").touch()
    kept = cache(tmp_path / "file" / "x")
    kept.save([1] * 20, b"state")
    assert kept.load([1] * 20) is None


def test_it_can_be_turned_off(tmp_path: Path) -> None:
    """No bytes, no cache."""
    assert not cache(tmp_path, settings=SETTINGS.model_copy(update={"prefix_cache_bytes": 0})).on
