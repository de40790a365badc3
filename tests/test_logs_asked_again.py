"""Questions in words of a second round, names of a log that is written to, and the plant's clock in its reports."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from agent.env import Env
from agent.reports.values import Machine
from agent.settings import LogSettings
from agent.times import Period
from agent.tools import TurnView
from plugins.logs.backends.sums import SCHEMA
from plugins.logs.database import LogDatabase
from plugins.logs.importing import import_csv
from plugins.logs.lexicon import words_in
from plugins.logs.matching import as_named
from plugins.logs.report import evidence_of
from plugins.logs.series.asked import Figure, understand
from plugins.logs.tools import LogTools

HEAD = "time,tag,text,priority,area,cleared\n"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def brought(env: Env, folder: Path, rows: str, head: str = HEAD) -> None:
    source = folder / "rows.csv"
    source.write_text(head + rows, encoding="utf-8")
    import_csv(source, env.log_path, env.settings.logs)


@pytest.mark.parametrize(
    ("question", "figure", "side", "value"),
    [
        ("how often did the level climb past 85?", "crossings", "above", 85),
        ("When was 4.5 mm/s, no, when did it first go beyond 4.5?", "first crossing", "above", 4.5),
        ("液位头一回冲过85是几点", "first crossing", "above", 85),
        ("液位掉到20的次数", "crossings", "below", 20),
        ("times the level dipped to 20: how many times?", "crossings", "below", 20),
    ],
)
def test_limits_that_are_passed_or_reached(question: str, figure: Figure, side: str, value: float) -> None:
    """Verbs of motion name a side of a limit."""
    ask = understand(question)
    assert ask is not None and ask.figures[0] == figure and ask.limit is not None
    assert (ask.limit.side, ask.limit.low) == (side, value)


def test_what_lies_between_two_is_never_told_of_one(env: Env, tmp_path: Path) -> None:
    """供回水温差 is of two series: computed where both are there, not asked where one is."""
    rows = "".join(f"2024-03-04 {h:02}:00,{40 + h},{30 + h / 2}\n" for h in range(10))
    brought(env, tmp_path, rows, "time,供水温度,回水温度\n")
    tool = next(tool for tool in LogTools(env).tools() if tool.name == "series_statistics")
    assert tool.asked is not None and tool.asked("供回水温差平均是多少")
    told = tool.run({"asked": "供回水温差平均是多少"}, TurnView("", "zh", NOW, None))
    assert any("12.25" in note["zh"] for note in told.notes)
    assert not tool.asked("回水温差平均是多少")


def test_a_mean_changes_only_between_two_spans() -> None:
    """From one day to the next is one span: the change of a mean over it is not the change of the values."""
    assert understand("By how much did the average level change from 18 April to 19 April 2024?") is None
    assert understand("How much did the level rise from 18 April to 19 April 2024?") is not None


def test_a_count_takes_the_year_of_the_log(env: Env, tmp_path: Path) -> None:
    """A day without a year is one that the log has; it is not counted as none in the year of today."""
    brought(env, tmp_path, "".join(f"2023-12-0{d} 10:00:00,T1,Jam,1,A,\n" for d in range(1, 8)))
    tool = next(tool for tool in LogTools(env).tools() if tool.name == "count_events")
    told = tool.run({"like": "Jam", "period": "12月3日到12月5日"}, TurnView("", "en", NOW, None))
    assert "2023-12-03 00:00 – 2023-12-06 00:00" in told.notes[0]["en"] and ": 3 events" in told.notes[0]["en"]


def test_a_machine_is_found_by_its_number_however_it_is_written() -> None:
    """一号主变 is 1#主变 in a log that writes it so; a number that the log has as it stands is left alone."""
    assert as_named("一号主变油温高", ["1#主变", "2#主变"]) == "1#主变油温高"
    assert as_named("2#泵跳闸几次", ["2号泵"]) == "2号泵跳闸几次"
    assert as_named("1号泵和3号泵", ["1号泵", "1#泵"]) == "1号泵和3号泵"
    assert as_named("十一号泵", ["1#泵"]) == "十一号泵"


def test_a_clock_time_of_many_values_is_answered_with_its_first(env: Env, tmp_path: Path) -> None:
    """At ten sharp a series of one value a second has the value of that second."""
    rows = "".join(f"2024-03-04 {9 + i // 3600:02}:{i // 60 % 60:02}:{i % 60:02},{i}\n" for i in range(3500, 3700))
    brought(env, tmp_path, rows, "time,pressure\n")
    tool = next(tool for tool in LogTools(env).tools() if tool.name == "series_statistics")
    told = tool.run({"asked": "2024年3月4日10点整压力是多少"}, TurnView("", "zh", NOW, None))
    assert "3600" in told.records[0].line["en"] and "10:00:00" in told.records[0].line["en"]


def test_reports_of_a_day_are_counted_without_a_noun(env: Env, tmp_path: Path) -> None:
    """报了多少次 is said of alarms only."""
    brought(env, tmp_path, "".join(f"2023-12-0{d} 10:00:00,T1,Jam,1,A,\n" for d in (3, 3, 5)))
    tool = next(tool for tool in LogTools(env).tools() if tool.name == "event_statistics")
    assert tool.asked is not None and tool.asked("12月3日报了多少次")


def test_names_are_read_again_once_the_log_was_written_to(env: Env, tmp_path: Path) -> None:
    """What is kept is never older than the file."""
    brought(env, tmp_path, "2024-01-01 00:00:00,T1,Jam,1,A,\n")
    log = LogDatabase(env.log_path, LogSettings())
    assert log.names("tag") == log.names("tag") == ["T1"]
    brought(env, tmp_path, "2024-01-02 00:00:00,T2,Jam,1,A,\n")
    assert log.names("tag") == ["T1", "T2"]


def test_sums_of_a_span_are_found_and_not_looked_through() -> None:
    """Every table of sums is searched by its bucket where only a span of time is asked for."""
    with closing(sqlite3.connect(":memory:")) as log:
        log.executescript(SCHEMA)
        plan = log.execute(
            "EXPLAIN QUERY PLAN SELECT priority, sum(n) FROM event_hours WHERE bucket >= 1 AND bucket < 9 GROUP BY 1"
        )
        assert "SCAN" not in plan.fetchall()[0][3]


@pytest.mark.parametrize(("question", "name"), [("drive end vibration", "de"), ("非驱动端振动", "nde")])
def test_ends_of_a_machine_have_their_short_names(question: str, name: str) -> None:
    """The drive end is DE in a heading, the other one NDE."""
    assert [word.name for word in words_in(question)] == [name, "vibration"]
    assert words_in("non-drive end vibration")[0].name == "nde"


def test_a_report_shows_what_the_clock_showed(env: Env, tmp_path: Path) -> None:
    """An event before a change of the clocks has its own hour; what came at 08:15 is not told as 09:15."""
    brought(env, tmp_path, "2024-03-29T08:15:00+01:00,P1,Jam,1,A,\n2024-04-02T08:15:00+02:00,P1,Jam,1,A,\n")
    now = datetime(2024, 4, 3, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    logs = env.settings.logs.model_copy(update={"zone": "Europe/Berlin"})
    plant = env.settings.plant.model_copy(update={"clock": now})
    there = replace(env, settings=env.settings.model_copy(update={"logs": logs, "plant": plant}))
    machine = Machine("P1", {"zh": "P1", "en": "P1"}, tags=("P1",))
    evidence = evidence_of(machine, Period("", now - timedelta(days=7), now), there)
    assert [f"{event.at:%m-%d %H:%M}" for event in evidence.events] == ["03-29 08:15", "04-02 08:15"]
    assert evidence.history_from == datetime(2024, 3, 29, 8, 15)
