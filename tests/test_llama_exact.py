"""Fast is not other: the same tokens as llama-cpp-python's greedy ones, and warm or restored the same as cold.

Two hundred tokens, in Chinese and English, on the tiny random model and the real ones that are here.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.messages import Message, Reply
from agent.model.llama import PORTION_TOKENS, LlamaModel
from agent.model.prefix import Entry, portions
from agent.model.prefix_cache import PrefixCache
from agent.model.protocol import ReplyLimits, Request
from agent.settings import ModelSettings
from tests.tiny_qwen3vl import TinyFiles

pytestmark = pytest.mark.weights

TOKENS = 200
MADE_TOKENS = 64
"""Where what is compared is how they are made."""
SETTINGS = ModelSettings(context_tokens=1_024, batch_tokens=256, micro_batch_tokens=256, threads=2)
LIKE_PEER = SETTINGS.model_copy(update={"repack": True, "prefix_least_tokens": 10_000})
"""llama-cpp-python always repacks weights, which rounds otherwise; and there are no states here."""
SYSTEM = Message("system", "You help technicians of a heat station. " * 10)
QUESTIONS = {
    "zh": "循环泵变频器报故障,可能的原因有哪些?请分点详细说明。",
    "en": "List the likely causes of an inverter over-temperature alarm and explain what to check first.",
}
OTHER = "补水泵不出水怎么办?"
NEAR_TIE = 0.25
"""Two best logits closer than this may change places where several tokens are read in one pass: that rounds otherwise
than one by one, and logits were seen to move by 0.2.
"""


@dataclass(frozen=True, slots=True)
class Reference:
    """What llama-cpp-python says."""

    tokens: list[int]
    text: str
    margins: list[float]
    """How far the best logit lay before the second, for each token."""
    pieces: list[str]


@pytest.fixture(scope="module", params=["tiny", "qwen2.5-0.5b", "qwen2.5-1.5b"])
def weights(request: pytest.FixtureRequest, tiny: TinyFiles, real_weights: Path) -> Path:
    if request.param == "tiny":
        return tiny.model
    found = sorted((real_weights / request.param).glob("*.gguf"))
    if not found:
        pytest.skip(f"{request.param} was not pulled")
    return Path(found[0])


@pytest.fixture(scope="module")
def references(weights: Path) -> dict[str, Reference]:
    """By language."""
    model = LlamaModel.load(weights, name="x", settings=LIKE_PEER)
    prompts = {language: model._prompt([SYSTEM, Message("user", QUESTIONS[language])], []) for language in QUESTIONS}
    read = {language: in_portions(prompt, model._message_mark) for language, prompt in prompts.items()}
    model.close()
    return speak(weights, read)


def in_portions(prompt: Sequence[Entry], mark: int) -> list[list[int]]:
    """As we read it: a pass over other portions is rounded otherwise."""
    ends = [*portions(prompt, [], mark, least=PORTION_TOKENS), len(prompt)]
    return [
        [token for token in prompt[start:end] if isinstance(token, int)]
        for start, end in zip([0, *ends], ends, strict=False)
        if end > start
    ]


@pytest.fixture(params=["tiny", "qwen2.5-0.5b"])
def small(request: pytest.FixtureRequest, tiny: TinyFiles, real_weights: Path) -> Path:
    return tiny.model if request.param == "tiny" else next(iter(sorted((real_weights / request.param).glob("*.gguf"))))


def speak(weights: Path, prompts: dict[str, list[list[int]]]) -> dict[str, Reference]:
    """Greedy, through llama-cpp-python."""
    import llama_cpp

    peer: Any = llama_cpp.Llama(
        str(weights), n_ctx=1_024, n_batch=256, n_ubatch=256, flash_attn=True, verbose=False, n_threads=2
    )
    said = {}
    for language, prompt in prompts.items():
        peer.reset()
        tokens: list[int] = []
        margins: list[float] = []
        for part in prompt:
            peer.eval(part)
        while len(tokens) < TOKENS:
            logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(peer.ctx, -1), (peer.n_vocab(),))
            second, best = np.partition(logits, -2)[-2:]
            token = int(peer.sample(temp=0.0, top_k=1, repeat_penalty=1.0))
            if llama_cpp.llama_vocab_is_eog(peer._model.vocab, token):
                break
            tokens.append(token)
            margins.append(float(best - second))
            peer.eval([token])
        pieces = list(text_pieces(peer.detokenize([token], special=True) for token in tokens))
        said[language] = Reference(tokens, "".join(pieces), margins, pieces)
    peer.close()
    return said


def text_pieces(pieces: Iterator[bytes]) -> Iterator[str]:
    """Half a character waits for its other half, as it does in a reply."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return (decoder.decode(piece) for piece in pieces)


def requests() -> list[Request]:
    """Both questions."""
    limits = ReplyLimits(MADE_TOKENS, lookup_tokens=8)
    return [Request([SYSTEM, Message("user", question)], [], None, limits) for question in QUESTIONS.values()]


@pytest.mark.parametrize("language", sorted(QUESTIONS))
def test_greedy_is_llama_cpp_pythons(weights: Path, references: dict[str, Reference], language: str) -> None:
    """Two hundred tokens, the same ones: prompt, template, memory and choice are right."""
    reply = ask(weights, LIKE_PEER, QUESTIONS[language], tokens=TOKENS)
    assert reply.text == references[language].text
    assert reply.usage.sampled_tokens == len(references[language].tokens)


def test_guessed_and_batched_differ_at_near_ties_only(weights: Path, references: dict[str, Reference]) -> None:
    """Guesses ahead and two replies at once: the same words until two logits lie closer than rounding."""
    model = LlamaModel.load(weights, name="x", settings=LIKE_PEER)
    try:
        said = [model.reply(one.messages, [], bound=None, limits=one.limits).text for one in requests()]
        said += [reply.text for reply in model.reply_many(requests()) if isinstance(reply, Reply)]
    finally:
        model.close()
    assert len(said) == 2 * len(QUESTIONS)
    assert [differs_at(text, cold) for text, cold in zip(said, [*references.values()] * 2, strict=True)] == [None] * 4


@pytest.mark.parametrize("language", sorted(QUESTIONS))
def test_warm_and_restored_are_cold(small: Path, language: str, tmp_path: Path) -> None:
    """After another question, and in a new process that finds the prefix on disk: bit for bit what a cold run says."""
    question = QUESTIONS[language]
    cold = ask(small, SETTINGS, question)
    warm = ask(small, SETTINGS, question, before=OTHER)
    ask(small, SETTINGS, OTHER, tokens=1, kept=tmp_path)
    restored = ask(small, SETTINGS, question, kept=tmp_path)
    assert cold.usage.reused_tokens == 0
    for reply in (warm, restored):
        assert reply.usage.reused_tokens > 80
        assert reply.text == cold.text


def ask(
    weights: Path,
    settings: ModelSettings,
    question: str,
    *,
    tokens: int = MADE_TOKENS,
    before: str = "",
    kept: Path | None = None,
) -> Reply:
    """A process that starts, answers and ends.

    :param before: asked first.
    :param kept: where states outlive it.
    """
    cache = None if kept is None else PrefixCache(kept, weights_sha256="ab" * 32, settings=settings)
    model = LlamaModel.load(weights, name="x", settings=settings, cache=cache)
    try:
        if before:
            model.reply([SYSTEM, Message("user", before)], [], bound=None, limits=ReplyLimits(8))
        return model.reply([SYSTEM, Message("user", question)], [], bound=None, limits=ReplyLimits(tokens))
    finally:
        model.close()


def differs_at(text: str, cold: Reference) -> int | None:
    """The first token of a cold run that a text, as long or shorter, does not go on with; None where there is none, or
    where a near tie comes first.
    """
    at = 0
    for number, piece in enumerate(cold.pieces):
        if at == len(text):
            return None
        if not text.startswith(piece, at):
            return number if cold.margins[number] >= NEAR_TIE else None
        at += len(piece)
    return None if at == len(text) else len(cold.pieces)
