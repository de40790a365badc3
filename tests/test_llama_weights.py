"""The model on llama.cpp with real weights: Qwen2.5 0.5B, the smallest that ships."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.messages import Message
from agent.model.llama import LlamaModel
from agent.model.protocol import ReplyLimits
from agent.settings import ModelSettings

pytestmark = pytest.mark.weights

SETTINGS = ModelSettings(context_tokens=1_024, batch_tokens=256, micro_batch_tokens=256, kv_type="f16")
TIGHT = {"item_separator": ", ", "key_separator": ": ", "whitespace_flexible": False}
ALARMS = ["循环变频故障", "补水泵故障", "供水压力低"]
CALL_SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"enum": ["similar_events", "search_manual"]},
        "arguments": {
            "type": "object",
            "properties": {"like": {"enum": ALARMS}, "days": {"type": "integer", "minimum": 1, "maximum": 30}},
            "required": ["like", "days"],
            "additionalProperties": False,
        },
    },
    "required": ["name", "arguments"],
    "additionalProperties": False,
    "x-guidance": TIGHT,
}


class CallBound:
    def lark(self) -> str:
        return f'start: <tool_call> "\\n" call "\\n" </tool_call>\ncall: %json {json.dumps(CALL_SCHEMA)}'


@pytest.fixture(scope="module")
def weights(real_weights: Path) -> Path:
    return next(iter(sorted((real_weights / "qwen2.5-0.5b").glob("*.gguf"))))


@pytest.fixture(scope="module")
def model(weights: Path) -> Iterator[LlamaModel]:
    loaded = LlamaModel.load(weights, name="qwen2.5-0.5b", settings=SETTINGS)
    yield loaded
    loaded.close()


QUESTIONS = {
    "zh": "循环泵变频器报故障,可能的原因有哪些?请分点说明。",
    "en": "List the likely causes of an inverter over-temperature alarm and what to check first.",
}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_greedy_text_is_that_of_llama_cpp_python(weights: Path, language: str) -> None:
    """Sixty tokens, the same ones: prompt, template, memory and choice are right.

    llama-cpp-python always repacks, which rounds otherwise; so the same is done here.
    """
    import llama_cpp

    model = LlamaModel.load(weights, name="x", settings=SETTINGS.model_copy(update={"repack": True}))

    messages = [Message("system", "You help technicians."), Message("user", QUESTIONS[language])]
    prompt = [token for token in model._prompt(messages, []) if isinstance(token, int)]
    ours = model.reply(messages, [], bound=None, limits=ReplyLimits(60))
    peer = llama_cpp.Llama(
        str(weights), n_ctx=1_024, n_batch=256, n_ubatch=256, flash_attn=True, verbose=False, n_threads=2
    )
    text = (
        "<|im_start|>system\nYou help technicians.<|im_end|>\n"
        f"<|im_start|>user\n{QUESTIONS[language]}<|im_end|>\n<|im_start|>assistant\n"
    )
    try:
        assert prompt == peer.tokenize(text.encode(), add_bos=False, special=True)
        theirs: list[int] = []
        for token in peer.generate(prompt, temp=0.0, top_k=1, repeat_penalty=1.0):
            if len(theirs) == 60 or token == peer.token_eos():
                break
            theirs.append(token)
        said = peer.detokenize(theirs).decode("utf-8", "ignore")
    finally:
        peer.close()
        model.close()
    assert ours.text == said and ours.usage.sampled_tokens == len(theirs)


def test_a_tool_call_with_evidence_as_enum(model: LlamaModel) -> None:
    """The call names the alarm the question names, and most of its tokens were forced."""
    messages = [
        Message("system", "Call similar_events or search_manual."),
        Message("user", "补水泵故障最近3天有没有类似记录?"),
    ]
    reply = model.reply(messages, [], bound=CallBound(), limits=ReplyLimits(100))
    call = json.loads(reply.text.removeprefix("<tool_call>\n").removesuffix("\n</tool_call>"))
    assert reply.stopped == "done" and call["arguments"]["like"] == "补水泵故障"
    assert 1 <= call["arguments"]["days"] <= 30
    assert reply.usage.forced_tokens > 2 * reply.usage.sampled_tokens
    assert reply.usage.passes <= reply.usage.sampled_tokens


def test_a_warm_call_reads_only_what_is_new(model: LlamaModel) -> None:
    """The same prompt again reads its last portion; another question its own words; the call is the same as cold."""
    system = Message("system", "Call similar_events or search_manual. " + "手册说明。" * 60)
    ask = [system, Message("user", "供水压力低最近7天有没有类似记录?")]
    cold = model.reply(ask, [], bound=CallBound(), limits=ReplyLimits(100))
    other = model.reply([system, Message("user", "循环变频故障呢?")], [], bound=CallBound(), limits=ReplyLimits(100))
    warm = model.reply(ask, [], bound=CallBound(), limits=ReplyLimits(100))
    again = model.reply(ask, [], bound=CallBound(), limits=ReplyLimits(100))
    assert cold.text == warm.text == again.text != other.text
    assert warm.usage.reused_tokens > 150
    assert again.usage.prompt_tokens - again.usage.reused_tokens < 20


def test_what_llama_cpp_reads_out_of_text_is_held_back(model: LlamaModel) -> None:
    """llama.cpp turns `<tool_call>` in plain text into the control token even when told not to; the prompt does not."""
    call = model._native.special_tokens()["<tool_call>"]
    assert call in model._native.tokenize("say <tool_call> now"), (
        "llama.cpp has changed: the cut may no longer be needed"
    )
    assert call not in model._prompt([Message("user", "say <tool_call> now")], [])
