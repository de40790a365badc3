"""Typed queries over events: every count is exact, what is not understood is not answered as if it were."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.env import Env
from agent.errors import ToolFailed
from agent.settings import Settings
from agent.tools import Tool, TurnView
from agent.values import ToolResult
from plugins import logs
from plugins.logs.importing import import_csv
from plugins.logs.interface import Moment
from plugins.logs.queries.before import find_precursors
from plugins.logs.queries.patterns import find_chatter, find_floods, mean_between

NOW = datetime(2024, 3, 8, 12, 0)
START = datetime(2024, 3, 4, 0, 0)
TEXTS = ("Jam at infeed", "Guard door open", "Drive overload")


def rows() -> list[list[str]]:
    """A hundred and fifty events half an hour apart, and twenty within five minutes."""
    made = []
    for i in range(150):
        at = START + timedelta(minutes=30 * i)
        text, area = TEXTS[0 if i % 2 else 1 if i % 3 else 2], ("North", "South", "South")[i % 3]
        cleared = "" if i == 149 else f"{at + timedelta(minutes=1 + i % 7)}"
        made.append([f"{at}", f"CV-{100 + i % 4}", text, ("high", "low")[i % 2], area, cleared, ("A", "B")[i % 5 > 1]])
    for i in range(20):
        at = START + timedelta(hours=10, minutes=3, seconds=15 * i)
        made.append([f"{at}", "PK-7", "Low air", "high", "North", f"{at + timedelta(minutes=9)}", "A"])
    return made


@pytest.fixture
def plant(env: Env, tmp_path: Path) -> Env:
    file = tmp_path / "alarms.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        heads = ["time", "tag", "text", "priority", "area", "cleared", "Crew"]
        csv.writer(out).writerows([heads, *rows()])
    import_csv(file, env.log_path, env.settings.logs)
    return env


def event_tool(env: Env) -> Tool:
    return next(tool for tool in logs.register_tools(env) if tool.name == "event_statistics")


def ask(env: Env, question: str) -> ToolResult:
    return event_tool(env).run({"asked": question}, TurnView(question, "en", NOW, None))


def said(result: ToolResult) -> str:
    return "\n".join(line["en"] for line in [*result.notes, *(record.line for record in result.records)])


def count(column: int, value: str) -> int:
    return sum(row[column] == value for row in rows())


@pytest.mark.parametrize(
    ("question", "held"),
    [
        ("Which tag has the most alarms?", ["most by tag: CV-100, CV-101", "(38 events each)"]),
        ("哪个区域的报警最多?", [f"South ({100} events)"]),
        ("Which Crew had the fewest alarms?", ["fewest by Crew: A"]),
        ("How many alarms have priority high?", ["priority = high, whole log", f": {count(3, 'high')} events"]),
        ("Crew为B的报警有多少条?", ["Crew = B", f": {count(6, 'B')} events"]),
        ("How many different tags are there?", ["different tag: 5"]),
        ("What share of the alarms came from North?", ["area = North", f"{100 * count(4, 'North') / 170:.6g} %"]),
        ("报警按优先级的分布?", [f"high ({count(3, 'high')})", f"low ({count(3, 'low')})"]),
        ("Which day had the most alarms?", ["most by day: 2024-03-04 (68 events)"]),
        ("How many alarms are in the log?", ["170 events"]),
        ("What is the time range of the alarm log?", ["2024-03-04 00:00:00 to 2024-03-07 02:30:00"]),
        ("Was there an alarm flood?", ["alarm floods (more than 10 in 10 minutes): 1", "10:00", "peak 21"]),
        ("Which alarms chattered?", ["chattering alarms (at least 3 in 60 s): 1", "Low air (PK-7)", "20 alarms"]),
        ("Which alarms are still standing?", ["standing: 1"]),
        ("哪些报警长期未恢复?", ["standing for more than 24 hours: 1"]),
        ("What is the mean time between Guard door open alarms?", ["mean time between (MTBF)"]),
        ("What is the mean time to clear of Low air?", ["mean time to clear (MTTR): 9 minutes"]),
        ("Which alarm lasted longest?", ["for 9 minutes", "Low air (PK-7, high), lasted 9 min"]),
        ("How many alarms were there on March 4 between 10:00 and 10:30?", ["21 events"]),
        ("When was the first alarm?", ["first: 2024-03-04 00:00:00"]),
        ("Low air发生之前5分钟内通常有什么报警?", ["no event came within 5 minutes before it"]),
        ("平均每小时多少条报警?", [f"{170 / 74.5:.6g} events per 1 hour"]),
    ],
)
def test_a_figure_of_events_is_exact(plant: Env, question: str, held: list[str]) -> None:
    """The tool says by itself that it is meant; its first line says which events were counted."""
    tool = event_tool(plant)
    assert tool.asked is not None and tool.asked(question)
    text = said(ask(plant, question))
    for part in held:
        assert part in text


@pytest.mark.parametrize(
    "question",
    [
        "How often did Guard door open occur?",
        "What does Drive overload mean?",
        "如何处理最多的报警?",
        "Hello, how are you?",
        "循环泵怎么办?",
    ],
)
def test_what_asks_for_no_figure_is_not_claimed(plant: Env, question: str) -> None:
    """Meanings and remedies are in the books; plain counts have their own tool."""
    tool = event_tool(plant)
    assert tool.asked is not None and not tool.asked(question)


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("泵房的报警有多少条?", "泵房"),
        ("How many alarms did the purple machine have?", "purple"),
        ("How often did Guard door open occur while the press was stopped?", "press"),
        ("Which area had the most alarms on the night of the storm party?", "party"),
        ("下雨那几天报警最多的位号是哪个?", "下雨"),
    ],
)
def test_a_word_that_is_not_understood_is_named_and_nothing_is_counted(plant: Env, question: str, word: str) -> None:
    """A restriction that the log does not know would be left out silently; no simpler tool may answer either."""
    tool = event_tool(plant)
    assert tool.asked is not None and tool.asked(question)
    result = ask(plant, question)
    assert not result.records and word in said(result) and "not understood" in said(result)
    assert not any(letter.isdigit() for letter in said(result))


def test_a_model_is_asked_which_name_a_word_means_and_its_choice_is_counted(plant: Env) -> None:
    """The names offered are the log's own; where the word restricts in a clause, no model is asked."""
    tool = event_tool(plant)
    assert tool.choice is not None
    choice = tool.choice("How many alarms about the perimeter gate?")
    assert choice is not None and choice.parameter == "name" and "Guard door open" in choice.options
    assert tool.choice("How many alarms came while the gate was shut?") is None
    assert tool.choice("How many alarms are in the log?") is None


def test_a_value_that_a_column_does_not_have_is_told(plant: Env) -> None:
    """Rather than counting everything."""
    text = said(ask(plant, "How many alarms have Crew Z?"))
    assert text == "Crew has no value “z”; it has: A、B"


def test_since_the_last_restart_is_looked_up(plant: Env, tmp_path: Path) -> None:
    """The log knows when; without such an event it is told, and a soft start is none."""
    question = "How many alarms since the last restart?"
    with pytest.raises(ToolFailed, match="no event of the log says that"):
        ask(plant, question)
    more = tmp_path / "more.csv"
    lines = ["time,tag,text", "2024-03-06 23:50:00,PLC,System restarted", "2024-03-07 01:10:00,VFD,Soft starter fault"]
    more.write_text("\n".join(lines), encoding="utf-8")
    import_csv(more, plant.log_path, plant.settings.logs)
    text = said(ask(plant, question))
    assert "2024-03-06 23:50 – 2024-03-08 12:00" in text and "“System restarted”" in text and ": 8 events" in text


def test_a_shift_needs_a_calendar(plant: Env) -> None:
    """Told where there is none, resolved where there is one."""
    with pytest.raises(ToolFailed, match=r"\[\[plant.shifts\]\]"):
        ask(plant, "How many alarms last night shift?")
    shifts = [{"name": "夜班", "start": "22:00", "hours": 8}]
    whole = Settings.model_validate({**plant.settings.model_dump(), "plant": {"shifts": shifts}})
    with_shifts = Env(whole, plant.home, plant.weights)
    text = said(ask(with_shifts, "How many alarms were there on March 5 night shift?"))
    assert "2024-03-05 22:00 – 2024-03-06 06:00" in text and ": 16 events" in text


def moments(*spans: tuple[float, str]) -> list[Moment]:
    return [Moment(i, at, name, name) for i, (at, name) in enumerate(sorted(spans))]


def test_floods_begin_and_end_as_the_standard_has_them() -> None:
    """Eleven in ten minutes are one, ten are none; it ends when fewer than five came in ten minutes."""
    ten = moments(*[(i * 30.0, "a") for i in range(10)])
    assert find_floods(ten, more_than=10, below=5, seconds=600) == []
    many = moments(*[(i * 30.0, "a") for i in range(30)], *[(5_000.0 + i * 30, "b") for i in range(12)])
    first, second = find_floods(many, more_than=10, below=5, seconds=600)
    assert (first.start, first.end, first.count, first.peak) == (0.0, 870.0, 30, 20)
    assert (second.start, second.count, second.peak) == (5_000.0, 12, 12)


def test_chattering_counts_bursts() -> None:
    """Three within a minute are a burst; the next burst is another one."""
    times = [(0.0, "x"), (10.0, "x"), (20.0, "x"), (500.0, "x"), (510.0, "x"), (520.0, "x"), (530.0, "x"), (5.0, "y")]
    (one,) = find_chatter(moments(*times), least=3, seconds=60)
    assert (one.text, one.bursts, one.count, one.peak, one.first) == ("x", 2, 7, 4, 0.0)


def test_what_goes_before_a_failure_beats_chance() -> None:
    """An event that leads is found with its lift; one that comes all the time is not."""
    day = 86_400.0
    spans = [(i * day, "trip") for i in range(1, 13)]
    spans += [(i * day - 120, "low oil") for i in range(1, 11)]
    spans += [(i * 1_800.0, "noise") for i in range(600)]
    events = moments(*spans)
    found = find_precursors(events, [m.text == "trip" for m in events], seconds=600, least=2, lift=1.5)
    assert [(p.text, p.before, p.failures) for p in found] == [("low oil", 10, 12)]
    assert found[0].lift > 20 and found[0].chance < 1e-6


def test_a_burst_is_no_pattern() -> None:
    """Forty events within minutes are one failure, however many of them are called so; nothing goes before it."""
    burst = [(1_000.0 + i * 15, ("trip", "jam", "door", "air")[i % 4]) for i in range(40)]
    quiet = [(i * 5_000.0, "jam") for i in range(2, 60)]
    events = moments(*burst, *quiet)
    assert find_precursors(events, [m.text == "trip" for m in events], seconds=900, least=2, lift=1.5) == []


def test_no_failure_no_precursor() -> None:
    """Nothing in, nothing out."""
    assert find_precursors([], [], seconds=60, least=1, lift=1) == []
    only = moments((0.0, "a"), (60.0, "a"))
    assert find_precursors(only, [False, False], seconds=60, least=1, lift=1) == []
    assert mean_between(only) == 60.0 and mean_between(only[:1]) is None


@given(st.lists(st.floats(0, 1e5), max_size=60))
@settings(max_examples=80, deadline=None)
def test_floods_lie_apart_and_hold_their_peak(times: list[float]) -> None:
    """Whatever comes in, floods are in order, and none has a peak below the limit."""
    found = find_floods(moments(*[(at, "a") for at in times]), more_than=10, below=5, seconds=600)
    for flood in found:
        assert flood.peak > 10 and flood.count >= flood.peak and flood.start <= flood.peak_at <= flood.end
    assert [f.start for f in found] == sorted(f.start for f in found)


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_words_are_a_question_or_not(plant: Env, question: str) -> None:
    """Whatever is written, saying whether it is meant is a yes or a no, and nothing is written to the log."""
    before = plant.log_path.read_bytes()
    tool = event_tool(plant)
    assert tool.asked is not None and tool.asked(question) in (True, False)
    assert plant.log_path.read_bytes() == before


def test_the_rows_are_what_the_questions_say() -> None:
    """The truth of this file's own numbers."""
    tags = Counter(row[1] for row in rows())
    assert (tags["CV-100"], tags["CV-101"], tags["PK-7"], len(rows())) == (38, 38, 20, 170)
