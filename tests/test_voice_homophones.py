"""Characters of one sound: the house's own word is meant, and nothing that only resembles it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.voice.homophones import as_named

NAMES = ["客厅", "新风", "书房灯", "卧室", "卧室空调", "living room"]


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("打开心风", "打开新风"),
        ("关闭书房登", "关闭书房灯"),
        ("关闭输方灯", "关闭书房灯"),
        ("我是空调设为24度", "卧室空调设为24度"),
        ("客厅的新风", "客厅的新风"),
        ("turn on the living room", "turn on the living room"),
    ],
)
def test_what_sounds_the_same_is_what_is_here(heard: str, meant: str) -> None:
    """Same syllables and tones, of long names the syllables alone."""
    assert as_named(heard, NAMES) == meant


@pytest.mark.parametrize(
    "text", ["窗户大开", "大开新风", "打开信封", "打开新房", "关闭书包灯", "我是书房", "门大开着", "大开门诊"]
)
def test_what_only_resembles_stays(text: str) -> None:
    """Another tone of a short name, another syllable, a statement: nothing is changed."""
    assert as_named(text, NAMES) == text


def test_names_that_sound_alike_are_left_alone() -> None:
    """Two names of one sound: who knows which was meant."""
    assert as_named("打开心风", ["新风", "新丰"]) == "打开心风"


@given(st.text(max_size=60), st.lists(st.text(max_size=8), max_size=6))
def test_any_text_and_any_names(text: str, names: list[str]) -> None:
    """Whatever is heard and whatever devices are called, the text keeps its length and what is no Chinese in it."""
    found = as_named(text, names)
    assert len(found) == len(text)
    assert as_named(found, names) == found
