"""What is believed to have been said: people's words, and never what a recogniser makes of noise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.settings import VoiceSettings
from agent.voice.belief import refusal
from agent.voice.sentences import sentences, spoken_language
from agent.voice.values import Take
from agent.voice.voice import hints_of

LIMITS = VoiceSettings()
GOOD = Take("打开客厅灯", "zh", 1.5, no_speech=0.05, sure=0.85, hints=("客厅", "客厅灯", "厨房"))


@pytest.mark.parametrize(
    "text",
    [
        "打开客厅灯", "把空调调到26度并打开新风", "turn on the kitchen light", "Set it to 21.5 °C", "stop", "打开字幕",
        "关闭音乐",
        "play music in the kitchen", "打开客厅灯和厨房灯", "把灯打开,谢谢", "thank you, now turn off the light",
    ],
)  # fmt: skip
def test_orders_are_believed(text: str) -> None:
    """Ordinary orders pass, also those with a word of thanks, music or subtitles in them."""
    assert refusal(replace(GOOD, text=text, speech_seconds=3.0), LIMITS) is None


@pytest.mark.parametrize(
    "text",
    [
        "谢谢观看", "谢谢大家收看", "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目", "字幕由 Amara.org 社群提供",
        "字幕志愿者 李明",
        "Thank you for watching!", "Thanks for watching, see you next time.", "Subtitles by the Amara.org community",
        "Please subscribe to my channel", "you", "Bye bye.", "下次再见", "", "...", "♪♪", "嗯", "Transcribed by nobody",
    ],
)  # fmt: skip
def test_the_stock_phrases_of_recognisers_are_refused(text: str) -> None:
    """What they write for silence, applause and music orders nothing."""
    assert refusal(replace(GOOD, text=text), LIMITS) is not None


@pytest.mark.parametrize(
    "take",
    [
        replace(GOOD, speech_seconds=0.0),
        replace(GOOD, no_speech=0.95),
        replace(GOOD, no_speech=0.7, sure=0.4),
        replace(GOOD, sure=0.2),
        replace(GOOD, named=0.1),
        replace(GOOD, text="Включи свет на кухне"),
        replace(GOOD, text="電気をつけて", language="zh"),
        replace(GOOD, text="turn off the light " * 12, speech_seconds=30.0),
        replace(GOOD, text="打开客厅灯关闭厨房灯打开卧室灯关闭书房灯", speech_seconds=0.6),
        replace(GOOD, text="客厅、客厅灯、厨房"),
    ],
)
def test_what_is_doubtful_is_refused(take: Take) -> None:
    """No voice, unsure words, another language, a loop, too much for the time, an echo of the hints."""
    why = refusal(take, LIMITS)
    assert why is not None
    assert why["zh"]
    assert why["en"]


@given(st.text(max_size=200), st.floats(0, 1), st.floats(0, 1), st.floats(0, 60))
def test_any_take_is_decided(text: str, sure: float, no_speech: float, seconds: float) -> None:
    """Whatever a recogniser gives back, there is an answer; and without a voice it is no."""
    take = Take(text, "zh", seconds, no_speech=no_speech, sure=sure)
    refused = refusal(take, LIMITS)
    assert refused is not None or (seconds > 0 and sure > 0)


def test_an_answer_is_said_without_what_is_for_the_eye() -> None:
    """Sources, marks and links are not read aloud; sentences come one by one, long ones in pieces."""
    text = "▸ 报警\n- 循环泵变频器保护停机输出 [M1 §6.2]。\n见 https://a.example/x 。请检查电源[E247];再复位。"
    said = list(sentences(text, most_chars=500, most_chars_each=40))
    assert said[0] == "报警"
    assert not any(mark in "".join(said) for mark in ("[", "http", "M1", "E247"))
    assert all(len(piece) <= 40 for piece in said)
    assert list(sentences("a " * 5_000, most_chars=100, most_chars_each=40))


def test_the_first_words_come_soon() -> None:
    """A long first sentence is cut at its comma, and nowhere else."""
    text = "客厅灯已经打开了\uff0c厨房灯没有打开\uff0c因为设备离线\uff01好。"
    said = list(sentences(text, most_chars=200, most_chars_each=100, most_chars_first=12))
    assert said == ["客厅灯已经打开了\uff0c", "厨房灯没有打开\uff0c因为设备离线\uff01", "好。"]
    english = list(
        sentences("Turn off the living room light.", most_chars=200, most_chars_each=100, most_chars_first=9)
    )
    assert english == ["Turn off the living room light."]


@given(st.text(max_size=400), st.integers(1, 60))
def test_sentences_are_bounded(text: str, most: int) -> None:
    """Whatever an answer holds, no piece is longer than it may be, and all together are not."""
    pieces = list(sentences(text, most_chars=200, most_chars_each=most))
    assert all(0 < len(piece) <= most for piece in pieces)
    assert sum(map(len, pieces)) <= 200


def test_numbers_and_points_stay_in_their_sentence() -> None:
    """A decimal point or a unit ends no sentence."""
    said = list(sentences("It is 22.5 °C now. The pump runs.", most_chars=200, most_chars_each=100))
    assert said == ["It is 22.5 °C now.", "The pump runs."]
    assert spoken_language(said[0], "zh") == "en"
    assert spoken_language("26", "zh") == "zh"


def test_hints_are_bounded_names() -> None:
    """Names come each once, without what is no letter, as far as they go in each language."""
    found = hints_of(["客厅", "客厅", "kitchen\n<|x|>", *(f"room {i}" for i in range(100))], 40)
    assert found[:2] == ["客厅", "kitchenx"]
    assert sum(map(len, found)) <= 80
