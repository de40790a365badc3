"""What is offered to be picked concerns what is named and says what is asked; else nothing is."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.asks import explains, offered_quotes
from agent.picking import pick_part
from agent.quotes import Quote, quotes_of
from agent.settings import TurnSettings
from agent.subjects import concerning
from agent.tools import Binds, Tool, TurnView, tool
from agent.values import Language, Passage, ToolResult
from knowledge.quantities import asked_kinds
from knowledge.said import said_share

SETTINGS = TurnSettings()
SPEED = "Meaning: the fan turns too slowly.\n\nWhat to do:\n\n1. Stop the fan.\n2. Clean the belt.\n"
HEAT = "Meaning: the fan bearing is hot.\n\nWhat to do:\n\n1. Grease the bearing.\n2. Check the fan shaft.\n"


def passage(heading: str, text: str, section: str = "", language: Language = "en") -> Passage:
    path = f"{section} {heading}".strip()
    return Passage("M1", "Mill", section, heading, None, text, language, 1.0, path)


def all_of(*passages: Passage, question: str = "") -> list[Quote]:
    return [quote for one in passages for quote in quotes_of(one, question, SETTINGS)]


def by_words(question: str, text: str, language: Language) -> float:
    return said_share(question, text, None, same=language == ("zh" if any(c >= "一" for c in question) else "en"))


@tool(risk="read", cues=(), said_share=by_words)
def search_books(turn: TurnView, query: Annotated[str, Binds("alarm", "phrase")]) -> ToolResult:
    """Books."""
    return ToolResult()


def picked(question: str, quotes: list[Quote], *names: str, language: Language = "en", by: Tool = search_books) -> str:
    about = " ".join([*(name for name in names if name not in question), question])
    part = pick_part(question, about, quotes, names=names, tool=by, language=language, most=4, settings=SETTINGS)
    return part.quotes[0].text if part.quotes else ""


@pytest.mark.parametrize(("name", "wanted"), [("Fan speed low", "Stop the fan"), ("Fan bearing hot", "Grease")])
def test_steps_of_the_alarm_that_is_named(name: str, wanted: str) -> None:
    """The section beside it speaks of the same machine, and of another alarm."""
    quotes = all_of(passage("Fan speed low", SPEED, "6.1"), passage("Fan bearing hot", HEAT, "6.2"))
    assert wanted in picked("What should I do?", quotes, name)
    assert wanted in picked(f"{name}: what should I do?", quotes)
    about = concerning(f"{name} what should I do?", (name,), quotes)
    assert {quote.passage.heading for quote in about} == {name}


def test_what_is_no_other_thing_stays() -> None:
    """A rule for all drives may answer about one; where nothing carries the name, nothing is left out."""
    rule = passage("Locking out", "Lock out every drive and wait 10 minutes before you touch it.", "9.1")
    quotes = all_of(passage("Fan speed low", SPEED, "6.1"), passage("Fan bearing hot", HEAT, "6.2"), rule)
    headings = {quote.passage.heading for quote in concerning("Fan speed low", (), quotes)}
    assert headings == {"Fan speed low", "Locking out"}
    assert concerning("pump cavitation", ("pump cavitation",), quotes) == quotes


def test_the_row_of_what_is_named() -> None:
    """Other rows of the table speak of other things; the row that a code heads comes before what mentions the code."""
    table = "| Code | Cause | Remedy |\n|---|---|---|\n| E21 | oil cold | heat the oil |\n| E22 | oil old | change it |"
    quotes = all_of(passage("Codes", table, "3.1"), passage("Reset", "E21 and E22 may be reset once a day.", "3.2"))
    assert "heat the oil" in picked("What does E21 mean?", quotes)
    rows = offered_quotes("oil cold?", "oil cold", all_of(passage("Codes", table, "3.1")), most=4)
    assert rows[0].text.endswith("E21 | oil cold | heat the oil")


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("What is the nominal pressure of the pump?", True),
        ("What is the test pressure of the valve?", False),
        ("How heavy is the pump?", False),
        ("How much oil does the pump take?", True),
        ("How much coolant does the pump take?", False),
        ("Which colour has the pump?", False),
    ],
)
def test_near_misses_are_not_offered(question: str, answered: bool) -> None:
    """The right machine and the wrong attribute, the right attribute of another thing: neither is an answer."""
    text = "| Item | Value |\n|---|---|\n| Nominal pressure of the pump | 6 bar |\n| Oil of the pump | 4 l |\n"
    assert bool(picked(question, all_of(passage("Data of the pump", text, "1.1")))) is answered


@pytest.mark.parametrize(
    ("question", "answered"),
    [("减速机的额定功率是多少?", True), ("补油泵的额定功率是多少?", False), ("减速机自重是多少公斤?", False)],
)
def test_near_misses_in_chinese(question: str, answered: bool) -> None:
    """The same, where words are not set apart."""
    told = passage("用途", "减速机由电机驱动，额定功率 11 kW，额定电流 23 A。", "1.1", "zh")
    assert bool(picked(question, all_of(told), language="zh")) is answered


def test_one_line_of_a_list_has_to_say_it() -> None:
    """A list of steps holds many words: those of a question are not scattered over it."""
    steps = "1. Check the pressure of the valve.\n2. Note the reading of the gauge.\n3. Wait 5 minutes for the pump.\n"
    quotes = all_of(passage("Starting", steps, "4.1"))
    assert not picked("How many minutes is the gauge of the valve tested?", quotes)
    assert picked("How many minutes do I wait for the pump?", quotes)


def test_causes_are_no_steps() -> None:
    """Who asks what to do is not told why."""
    causes = "Possible causes:\n\n- The fan is jammed.\n- The belt slips on the fan.\n"
    assert not picked("How do I clean the fan belt?", all_of(passage("Fan speed low", causes, "6.1")))


@pytest.mark.parametrize(
    ("part", "explained"),
    [
        ("水箱液位低怎么办", True),
        ("What does return pressure high mean?", True),
        ("这个灯为什么会亮", True),
        ("How do I shut the station down?", True),
        ("供水温度是多少?", False),
        ("What is the supply pressure?", False),
        ("压力表示数是多少?", False),
        ("最近三天的报警情况如何?", False),
        ("How do I know which lamps are lit?", False),
    ],
)
def test_what_no_reading_explains(part: str, explained: bool) -> None:
    """Steps, causes and meanings are in books; a figure may be on the panel."""
    assert explains(part) is explained
    if "mean" in part:
        assert not asked_kinds(part)


def test_without_a_measure_words_decide() -> None:
    """A tool that cannot tell what a text says is still answered from."""
    unsaid = replace(search_books, said_share=None)
    quotes = all_of(passage("Fan speed low", SPEED, "6.1"))
    assert "Stop the fan" in picked("Fan speed low: what should I do?", quotes, by=unsaid)


def test_said_share() -> None:
    """Words that only ask, and those that a text may leave out, are not missed; the thing that is asked about is."""
    text = "Air filter\nReplace the cartridge of the air filter after 2000 hours."
    assert said_share("When must the cartridge of the air filter be replaced?", text, None, same=True) == 1
    assert said_share("Is it possible to change the air filter again?", text, None, same=True) == 1
    assert said_share("What is the diameter of the air filter?", text, None, same=True) < SETTINGS.quote_said
    assert said_share("多久?", text, None, same=True) == 1
    assert said_share("滤芯的直径", text, None, same=False) == 1


@given(st.text(max_size=80), st.text(max_size=200), st.booleans())
def test_any_text_has_a_share(question: str, text: str, same: bool) -> None:
    """Whatever is asked of whatever is written, the share is one."""
    assert 0 <= said_share(question, text, None, same=same) <= 1
