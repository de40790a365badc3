"""Spans of time in the person's words become explicit instants."""

from __future__ import annotations

from datetime import datetime

import pytest

from agent.times import find_periods, parse_number, resolve_period

NOW = datetime(2024, 12, 15, 20, 50)  # a Sunday


@pytest.mark.parametrize(
    ("text", "phrase", "start", "end"),
    [
        ("最近三天有没有?", "最近三天", "2024-12-12 20:50", "2024-12-15 20:50"),
        ("过去24小时内的报警", "过去24小时内", "2024-12-14 20:50", "2024-12-15 20:50"),
        ("近两周", "近两周", "2024-12-01 20:50", "2024-12-15 20:50"),
        ("最近半个月", "最近半个月", "2024-11-30 20:50", "2024-12-15 20:50"),
        ("最近十二个小时", "最近十二个小时", "2024-12-15 08:50", "2024-12-15 20:50"),
        ("in the last three days?", "in the last three days", "2024-12-12 20:50", "2024-12-15 20:50"),
        ("Over the past week, any?", "Over the past week", "2024-12-08 20:50", "2024-12-15 20:50"),
        ("last 2 hours", "last 2 hours", "2024-12-15 18:50", "2024-12-15 20:50"),
        ("昨天有吗", "昨天", "2024-12-14 00:00", "2024-12-15 00:00"),
        ("前天呢", "前天", "2024-12-13 00:00", "2024-12-14 00:00"),
        ("上周的报警", "上周", "2024-12-02 00:00", "2024-12-09 00:00"),
        ("大前天呢", "大前天", "2024-12-12 00:00", "2024-12-13 00:00"),
        ("the day before yesterday", "the day before yesterday", "2024-12-13 00:00", "2024-12-14 00:00"),
        ("上上周的", "上上周", "2024-11-25 00:00", "2024-12-02 00:00"),
        ("最近 3 天", "最近 3 天", "2024-12-12 20:50", "2024-12-15 20:50"),
        ("过去一年", "过去一年", "2023-12-16 20:50", "2024-12-15 20:50"),
        ("this week", "this week", "2024-12-09 00:00", "2024-12-15 20:50"),
        ("本月", "本月", "2024-12-01 00:00", "2024-12-15 20:50"),
        ("上个月", "上个月", "2024-11-01 00:00", "2024-12-01 00:00"),
        ("Today?", "Today", "2024-12-15 00:00", "2024-12-15 20:50"),
    ],
)
def test_a_phrase_is_found_and_resolved(text: str, phrase: str, start: str, end: str) -> None:
    """The phrase word for word, and the instants that an answer states."""
    assert [found for _, found in find_periods(text)] == [phrase]
    period = resolve_period(phrase, NOW)
    assert period is not None
    assert period.stated() == f"{start} – {end}"


@pytest.mark.parametrize(
    "text",
    [
        "循环变频故障",
        "three pumps",
        "3 days' oil",
        "天气",
        "the last pump",
        "1.5 to 2.5 bar",
        "10.5到11.5之间",
        "What may 3 pumps do?",
    ],
)
def test_other_words_are_no_span(text: str) -> None:
    """A number or a day alone is not a window."""
    assert find_periods(text) == []
    assert resolve_period(text, NOW) is None


@pytest.mark.parametrize(("word", "value"), [("二十六", 26), ("一百零五", 105), ("两", 2), ("Seven", 7), ("x", None)])
def test_numbers_in_words(word: str, value: float | None) -> None:
    """Chinese numerals up to 999 and English ones up to twelve."""
    assert parse_number(word) == value
