"""Questions about the log's series: exact figures with instants, the right signal, or silence."""

from __future__ import annotations

import csv
import statistics
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.env import Env
from agent.errors import ToolFailed
from agent.tools import Tool, TurnView
from agent.values import ToolResult
from plugins import logs
from plugins.logs.importing import import_csv
from plugins.logs.interface import Points, Signal
from plugins.logs.series.asked import Limit, SeriesAsk, understand
from plugins.logs.series.measures import crossings, duplicated, fits, gaps, lasting, runs, steps_back, usual_step
from plugins.logs.series.signals import meant_signals

NOW = datetime(2024, 3, 2, 12, 0)
START = datetime(2024, 2, 28, 6, 0)
VALUES = [20.0, 21.5, 30.25, 30.25, 12.0, 18.0, 19.0, 25.0, 26.0, 20.0]


def points(values: list[float], step: float = 60.0, at: list[float] | None = None) -> Points:
    times = np.array(at if at is not None else [i * step for i in range(len(values))], float)
    return Points(np.arange(len(values)), times, times, np.array(values, float), len(values))


def signal(tag: str, source: str = "a.csv", unit: str = "") -> Signal:
    return Signal(tag, unit, source, 10, 0.0, 1.0)


@pytest.fixture
def plant(env: Env, tmp_path: Path) -> Env:
    """A log with three signals and a column that marks a window, ten values a minute apart."""
    file = tmp_path / "run.csv"
    rows: list[list[object]] = [["time", "OilPressure", "回水温度", "MotorCurrent", "anomaly"]]
    for i, value in enumerate(VALUES):
        rows.append([f"{START + timedelta(minutes=i)}", value, value / 2, value * 2, int(3 <= i <= 5)])
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    import_csv(file, env.log_path, env.settings.logs)
    return env


def series_tool(env: Env) -> Tool:
    return next(tool for tool in logs.register_tools(env) if tool.name == "series_statistics")


def ask(env: Env, question: str) -> ToolResult:
    return series_tool(env).run({"asked": question}, TurnView(question, "en", NOW, None))


def said(result: ToolResult, language: str = "en") -> str:
    lines = [*result.notes, *(record.line for record in result.records)]
    return "\n".join(line["zh" if language == "zh" else "en"] for line in lines)


@pytest.mark.parametrize(
    ("question", "held"),
    [
        ("What was the highest oil pressure and when?", ["OilPressure", "30.25", "2024-02-28 06:02:00", "2 times"]),
        ("油压最低是多少?", ["OilPressure", "12", "2024-02-28 06:04:00"]),
        ("回水温度的平均值", ["回水温度", f"{statistics.fmean(VALUES) / 2:.8g}"]),
        ("Median motor current?", ["MotorCurrent", f"{statistics.median(VALUES) * 2:g}"]),
        ("How many values of oil pressure are above 25?", ["above 25: 3 of 10 values, 30 %"]),
        ("油压不低于25的占比?", ["≥ 25", "4 个值", "40 %"]),
        ("When did the oil pressure first fall below 15?", ["first below 15: 12 at 2024-02-28 06:04:00"]),
        ("How many times did the oil pressure exceed 24?", ["went above 24 2 times"]),
        ("How long was the oil pressure below 20?", ["for 3 minutes in all"]),
        ("Mean oil pressure inside and outside the anomaly?", ["inside the windows: OilPressure mean: 20.083333"]),
        ("When is the labelled anomaly?", ["window 1: 2024-02-28 06:03:00 – 2024-02-28 06:05:00"]),
        ("2024-02-28 06:07 的油压是多少?", ["OilPressure 25"]),
        ("Maximum motor current between 06:04 and 06:07 on February 28?", ["MotorCurrent maximum 38"]),
        ("Which signals are there?", ["4 signals: MotorCurrent, OilPressure, anomaly, 回水温度"]),
        ("90th percentile of oil pressure", [f"{np.percentile(VALUES, 90):.8g}"]),
        ("Mean oil pressure of the first 3 values", [f"{statistics.fmean(VALUES[:3]):.8g}"]),
        ("What is the sampling interval?", ["1 minute (the most frequent; = 60 s)"]),
        ("油压的最大值和最小值之差", ["相差 18.25"]),
    ],
)
def test_a_figure_is_exact(plant: Env, question: str, held: list[str]) -> None:
    """The tool says by itself that it is meant, and its answer holds the figure of the right signal."""
    tool = series_tool(plant)
    assert tool.asked is not None and tool.asked(question)
    text = said(ask(plant, question), "zh" if any(c > "\u4e00" for c in question) else "en")
    for part in held:
        assert part in text


@pytest.mark.parametrize(
    "question",
    [
        "What is the maximum allowed oil pressure?",
        "油压上限应该是多少?",
        "How do I set the highest pressure?",
        "What was the highest humidity?",
        "为什么油压最低?",
        "What does the low oil pressure alarm mean?",
        "Hello",
        "循环变频故障代表什么?",
    ],
)
def test_what_the_log_does_not_hold_is_not_its_question(plant: Env, question: str) -> None:
    """Limits of a machine, causes, signals that are not there: another tool, or nobody, answers."""
    tool = series_tool(plant)
    assert tool.asked is not None and not tool.asked(question)


def test_a_span_that_is_not_known_is_told(plant: Env) -> None:
    """An answer over all time would look like one over that span."""
    for question in ("春节期间油压的最大值?", "Highest oil pressure of last night shift?", "油压自上次重启以来的均值?"):
        with pytest.raises(ToolFailed):
            ask(plant, question)


def test_a_span_without_values_is_told_with_where_they_are(plant: Env) -> None:
    """No figure is made up for it."""
    text = said(ask(plant, "Highest oil pressure yesterday?"))
    assert "0 values" in text and "the series runs 2024-02-28 06:00:00 – 2024-02-28 06:09:00" in text
    assert "maximum" not in text


def test_two_spans_are_compared(plant: Env) -> None:
    """Each has its figure, and the change is computed."""
    text = said(ask(plant, "Compare the mean oil pressure 2024-02-28 06:00 to 06:02 with 2024-02-28 06:07 to 06:09"))
    assert "mean: 20.75" in text and "mean: 25.5" in text and "4.75" in text


def test_the_whole_agent_asks_no_model_which_tool(plant: Env) -> None:
    """A tool that tells by itself stands in no prompt."""
    from_prompt = [tool for tool in logs.register_tools(plant) if tool.asked is None]
    assert "series_statistics" not in {tool.name for tool in from_prompt}


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("加速度计1的峰值", ["Accelerometer1RMS"]),
        ("2号加速度计的峰值", ["Accelerometer2RMS"]),
        ("peak of both accelerometers", ["Accelerometer1RMS", "Accelerometer2RMS"]),
        ("highest current temperature", ["Temperature"]),
        ("motor current", ["Current"]),
        ("热电偶", ["Thermocouple"]),
        ("体积流量", ["Volume Flow RateRMS"]),
        ("voltage and pressure", ["Pressure", "Voltage"]),
        ("Accelerometer2RMS", ["Accelerometer2RMS"]),
        ("the level", []),
        ("3号电压", ["Voltage"]),
    ],
)
def test_which_signal_is_meant(question: str, names: list[str]) -> None:
    """By name or by the words of its name in either language; two that fit equally are both meant."""
    every = [
        signal(tag)
        for tag in ("Accelerometer1RMS", "Accelerometer2RMS", "Current", "Pressure", "Temperature", "Thermocouple",
                    "Voltage", "Volume Flow RateRMS", "anomaly")
    ]  # fmt: skip
    assert sorted(s.tag for s in meant_signals(question, every).signals) == sorted(names)


def test_the_only_series_needs_no_name() -> None:
    """Beside it a column that marks windows does not count."""
    meant = meant_signals("what is the maximum", [signal("value"), signal("label")])
    assert [s.tag for s in meant.signals] == ["value"] and not meant.named


@pytest.mark.parametrize(
    "question", ["what is the highest humidity", "how many times did pump 3 fail", "最高压力是多少", "故障最多的一天"]
)
def test_the_only_series_is_not_taken_for_something_else(question: str) -> None:
    """A question that names a quantity or a machine is about no series that does not."""
    assert meant_signals(question, [signal("machine_temperature"), signal("label")]).signals == ()


def test_measures_of_odd_series() -> None:
    """One point, equal values, stamps that stand twice or out of order: a figure or none, never an error."""
    one = points([5.0])
    assert usual_step(one) is None and gaps(one) == [] and lasting(one, fits(one, Limit("above", 1, 1))) == 0.0
    flat = points([2.0] * 4)
    assert crossings(flat, Limit("above", 1, 1)) == [] and [(r.first, r.last) for r in runs(flat.values > 1)] == [
        (0, 3)
    ]
    double = points([1.0, 2.0, 3.0, 4.0], at=[0.0, 60.0, 60.0, 120.0])
    assert duplicated(double) == (1, 1)
    moved = Points(np.array([2, 0, 1]), np.arange(3.0), np.arange(3.0), np.ones(3), 3)
    assert steps_back(moved) == 1
    hole = points([1.0] * 5, at=[0.0, 60.0, 120.0, 600.0, 660.0])
    assert [(gap.before, gap.seconds) for gap in gaps(hole)] == [(2, 480.0)]


@given(st.text(max_size=80))
@settings(max_examples=150, deadline=None)
def test_any_words_are_understood_or_not(question: str) -> None:
    """Whatever is written, understanding it is a value."""
    assert understand(question) is None or isinstance(understand(question), SeriesAsk)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(-1e6, 1e6))
@settings(max_examples=100, deadline=None)
def test_limits_split_a_series(values: list[float], cut: float) -> None:
    """Every value is above, below, or equal; runs cover just the marked ones."""
    series = points(values)
    above, below = fits(series, Limit("above", cut, cut)), fits(series, Limit("below", cut, cut))
    assert int(above.sum() + below.sum()) + values.count(cut) == len(values)
    assert sum(run.last - run.first + 1 for run in runs(above)) == int(above.sum())


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("What was the mean oil pressure while the mixer ran?", "mixer"),
        ("Maximum oil pressure with recipe seven?", "recipe"),
        ("Median emulsion pressure?", "emulsion"),
        ("停机期间回水温度的平均值?", "停机"),
        ("Average oil pressure while the motor current was above 40?", "while"),
    ],
)
def test_a_figure_is_not_told_where_a_word_restricts_it_in_a_way_that_is_not_known(
    plant: Env, question: str, word: str
) -> None:
    """The word is named, and no number said: a figure of all values would be another one than asked for."""
    result = ask(plant, question)
    text = " ".join(note["en"] for note in result.notes)
    assert not result.records and word in text and "not understood" in text


def test_the_loop_binds_what_a_model_chose(plant: Env) -> None:
    """Where a series is named and no figure, the figure is one of a closed list; of remedies nothing is asked."""
    tool = series_tool(plant)
    assert tool.asked is not None and tool.choice is not None
    question = "What was the crest of the oil pressure?"
    choice = tool.choice(question)
    assert not tool.asked(question) and choice is not None and choice.options["highest"] == "maximum"
    view = TurnView(question, "en", NOW, None)
    told = tool.run({"asked": question, "operation": "maximum"}, view)
    assert "30.25" in " ".join(record.line["en"] for record in told.records)
    assert tool.choice("Why is the oil pressure so low?") is None
    assert tool.choice("What was the highest oil pressure?") is None
    assert tool.choice("What was the crest of the oil pressure while the mixer ran?") is None


def test_a_series_that_a_model_chose_is_the_one_told(plant: Env) -> None:
    """The names offered are those that exist; the word that was not known is answered for by the choice."""
    tool, question = series_tool(plant), "What was the highest lube pressure?"
    assert tool.choice is not None
    choice = tool.choice(question)
    assert choice is not None and choice.parameter == "signal" and "OilPressure" in choice.options
    told = tool.run({"asked": question, "signal": "OilPressure"}, TurnView(question, "en", NOW, None))
    assert "30.25" in " ".join(record.line["en"] for record in told.records)
