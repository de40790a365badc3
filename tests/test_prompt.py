"""What the model is told: the stable part first, cut to what the question needs."""

from __future__ import annotations

import pytest

from agent.bound import PickBound, PickPart
from agent.perception import Lamp, Perception, Reading
from agent.prompt import detect_language, pick_message, system_message, user_message
from agent.quotes import Quote
from agent.settings import TurnSettings
from agent.tools import TurnView, tool
from agent.values import Passage, ToolResult

BOX = (0, 0, 1, 1)
SEEN = Perception(
    (),
    tuple(Reading(name, "1.5", "bar", "printed", BOX, 1.0) for name in ("供水压力", "回水压力", "供水压力")),
    (Lamp("风机故障", "red", "lit", BOX),),
    (),
    (9, 9),
    1.0,
)


@tool(risk="read", examples=("What happened?", ("Is it high?", {"show": "limits"})))
def look(turn: TurnView) -> ToolResult:
    """Look at it."""
    return ToolResult()


def test_the_stable_part_has_tools_and_examples() -> None:
    """The same for every turn; examples are written as the reply is, and stand last."""
    lines = system_message([look], ["Mind the step."]).text.splitlines()
    assert "look(): Look at it." in lines
    assert "Mind the step." in lines
    assert lines[-4:] == [
        "What happened? -> look(",
        'Is it high? -> look("limits")',
        "你好 -> none",
        "Thank you. -> none",
    ]


def test_a_named_reading_is_shown_and_others_are_only_listed() -> None:
    """Lamps, what the question names with its value, and the names of the rest, each once."""
    text = user_message("回水压力多少?", SEEN, None, TurnSettings()).text
    assert text.splitlines() == [
        "Photo of a panel:",
        "lamp 风机故障: red, lit",
        "回水压力 1.5 bar",
        "readings: 供水压力",
        "",
        "回水压力多少?",
    ]


def test_a_crowded_panel_is_cut() -> None:
    """However many readings a photo has, the model sees so many."""
    crowd = Perception(
        (), tuple(Reading(f"T{i}", "1", "", "printed", BOX, 1.0) for i in range(500)), (), (), (9, 9), 1.0
    )
    assert len(user_message("?", crowd, None, TurnSettings()).text) < 300


def test_quotes_are_lettered_and_cut() -> None:
    """Each under its heading on one line; a long list is shown by its beginning."""
    passage = Passage("M1", "t", "4.1", "Fan", None, "", "en")
    quotes = (Quote("It stops.", "sentence", passage), Quote("Do:\n1. a\n" + "2. b\n" * 100, "steps", passage))
    lines = pick_message(PickBound((PickPart("what?", quotes),), quotes), TurnSettings()).text.splitlines()
    assert lines[0] == "A) [Fan] It stops."
    assert lines[1].startswith("B) [Fan] Do: 1. a 2. b")
    assert lines[1].endswith(" …")
    assert lines[2] == "N) none of these answers it"


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("这个灯什么意思?", "zh"),
        ("What does 循环变频故障 mean?", "en"),
        ("What does the alarm lamp 循环变频故障 mean? What should be done?", "en"),
        ("VFD-P1 报警 F0011 怎么处理", "zh"),
        ("F0011?", "en"),
    ],
)
def test_the_answer_is_in_the_persons_language(question: str, language: str) -> None:
    """A quoted label in the other language does not decide."""
    assert detect_language(question) == language
