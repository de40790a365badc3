"""A question is taken apart where its parts begin, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.parts import asks_something, phrases_of, split_question


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("这个灯什么意思?最近三天有过吗?怎么处理?", ("这个灯什么意思?", "最近三天有过吗?", "怎么处理?")),
        ("以前出现过吗,怎么处理?", ("以前出现过吗,", "怎么处理?")),
        (
            "How often did it trip last month and what does the book say?",
            ("How often did it trip last month", "and what does the book say?"),
        ),
        ("供水温度、回水温度以及水箱液位是多少?", ("供水温度、回水温度以及水箱液位是多少?",)),
        ("你好,供水温度多少?", ("你好,供水温度多少?",)),
        ("The drive, pump and fan hum. What is wrong?", ("The drive, pump and fan hum. What is wrong?",)),
        ("泵停了,压力也在掉,怎么办", ("泵停了,压力也在掉,怎么办",)),
        ("DSI touch does not work. What line do I change?", ("DSI touch does not work. What line do I change?",)),
        ("Show the alarms. Which lamps are lit?", ("Show the alarms.", "Which lamps are lit?")),
        ("Is 3.5 bar too much?", ("Is 3.5 bar too much?",)),
        ("a", ("a",)),
    ],
)
def test_parts(question: str, parts: tuple[str, ...]) -> None:
    """Sentences, commas between questions and conjunctions that begin one; names in a list stay together."""
    assert split_question(question, most=5) == parts


def test_the_last_part_takes_what_is_too_much() -> None:
    """Nothing that was asked is lost."""
    assert split_question("a? b? c? d?", most=2) == ("a?", "b? c? d?")


def test_a_short_part_is_looked_up_with_the_one_before_it() -> None:
    """`怎么处理?` alone finds nothing; with what it is about, it does."""
    assert phrases_of(("锅炉冒黑烟是什么原因?", "怎么处理?")) == (
        "锅炉冒黑烟是什么原因?",
        "锅炉冒黑烟是什么原因? 怎么处理?",
    )


@pytest.mark.parametrize(
    ("part", "asks"), [("你好", False), ("Thank you.", False), ("为什么?", True), ("Show it", True)]
)
def test_a_greeting_asks_nothing(part: str, asks: bool) -> None:
    """Only what asks nothing may go without a tool."""
    assert asks_something(part) is asks


@given(st.text(max_size=200).filter(lambda t: t.strip()), st.integers(1, 5))
def test_no_word_is_lost(question: str, most: int) -> None:
    """Every letter of the question is in a part, each part is one line, and there are not too many."""
    parts = split_question(question, most=most)
    assert 1 <= len(parts) <= most
    assert all("\n" not in part for part in parts)
    assert {c for c in question if c.isalnum()} == {c for part in parts for c in part if c.isalnum()}
