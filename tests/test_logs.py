"""The alarm log: exactly the matching events, with the instants that were searched; never written by a question."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.env import Env, load_env
from agent.errors import DatabaseError, ToolFailed
from agent.settings import LogSettings
from agent.times import Period
from agent.tools import Tool, TurnView
from agent.values import ToolResult
from plugins import logs
from plugins.logs.database import Filter, LogDatabase
from plugins.logs.importing import import_csv
from plugins.logs.matching import meant_by
from plugins.logs.symptom import symptoms

EXAMPLE = Path(__file__).parent.parent / "deploy" / "example"
NOW = datetime(2024, 12, 15, 20, 50)
SCHEMA = "CREATE TABLE events (id INTEGER PRIMARY KEY, time, tag, text, priority, state, area, cleared)"


@pytest.fixture
def blank(tmp_path: Path) -> Env:
    return load_env({"WATCHKEEPER_HOME": str(tmp_path / "home")})


@pytest.fixture
def plant(blank: Env) -> Env:
    import_csv(EXAMPLE / "alarms.csv", blank.log_path, blank.settings.logs)
    return blank


def with_rows(env: Env, *rows: tuple[object, ...], schema: str = SCHEMA) -> LogDatabase:
    """A log with rows of time, tag, text and further columns."""
    with closing(sqlite3.connect(env.log_path)) as log, log:
        log.execute(schema)
        for row in rows:
            values = (*row, *("",) * (6 - len(row)), None)[:7]
            log.execute(
                "INSERT INTO events (time, tag, text, priority, state, area, cleared) VALUES (?,?,?,?,?,?,?)", values
            )
    return LogDatabase(env.log_path, env.settings.logs)


def run(env: Env, name: str, now: datetime = NOW, **arguments: str) -> ToolResult:
    tools: dict[str, Tool] = {tool.name: tool for tool in logs.register_tools(env)}
    return tools[name].run(arguments, TurnView("?", "zh", now, None))


def test_similar_events_of_the_last_three_days(plant: Env) -> None:
    """Exactly the three events of both drives, newest first, and the instants that were searched."""
    result = run(plant, "similar_events", like="循环变频故障", period="最近三天")
    assert [record.line["zh"] for record in result.records] == [
        "2024-12-15 20:41 循环变频故障 (VFD-P1, 高) 未恢复",
        "2024-12-14 03:12 循环变频故障 (VFD-P1, 高) 持续 18 分钟",
        "2024-12-13 16:05 循环变频故障 (VFD-P2, 高) 持续 6 分钟",
    ]
    assert result.records[1].line["en"] == "2024-12-14 03:12 循环变频故障 (VFD-P1, high), lasted 18 min"
    assert result.notes[0]["zh"] == "循环变频故障,最近三天(2024-12-12 20:50 – 2024-12-15 20:50):3 条"
    with closing(sqlite3.connect(plant.log_path)) as log:
        for record in result.records:
            row = log.execute(
                "SELECT time, text FROM events WHERE rowid = ?", (record.id.removeprefix("E"),)
            ).fetchone()
            assert row == (record.fields["time"], "循环变频故障")


def test_another_drive_is_not_similar(plant: Env) -> None:
    """补水变频故障 shares most of its characters with 循环变频故障 and is another alarm."""
    found = run(plant, "similar_events", like="补水变频故障", period="最近三天").records
    assert [record.fields["tag"] for record in found] == ["VFD-M2"]
    assert {record.fields["text"] for record in found} == {"补水变频故障"}


def test_counts_are_exact_beyond_the_limit(plant: Env) -> None:
    """A count is of all events and comes first; a list is cut and says so."""
    with closing(sqlite3.connect(plant.log_path)) as log:
        total = log.execute("SELECT count(*) FROM events WHERE text = '集水坑液位高'").fetchone()[0]
    counted = run(plant, "count_events", like="集水坑液位高")
    note = counted.notes[0]["en"]
    assert note.endswith(f": {total} events") and "whole log (2024-09-17" in note
    assert len(counted.records) == plant.settings.logs.counted_rows and counted.truncated
    few = replace(plant, settings=plant.settings.model_copy(update={"logs": LogSettings(max_rows=5)}))
    result = run(few, "similar_events", like="集水坑液位高")
    assert len(result.records) == 5 and result.truncated and result.notes[1]["en"] == "only the latest 5 are listed"


def test_a_count_answers_as_much_as_a_list(plant: Env) -> None:
    """The newest of the counted events are shown: a small model takes one tool for the other."""
    counted = run(plant, "count_events", like="循环变频故障", period="最近三天")
    listed = run(plant, "similar_events", like="循环变频故障", period="最近三天")
    assert counted == listed and len(counted.records) == 3 and counted.notes[0]["zh"].endswith("3 条")


def test_recent_events(plant: Env) -> None:
    """With a period all of it, without one the latest few, newest first."""
    today = run(plant, "recent_events", period="今天")
    assert all(str(r.fields["time"]).startswith("2024-12-15") for r in today.records)
    assert today.notes[0]["en"] == f"今天 (2024-12-15 00:00 – 2024-12-15 20:50): {len(today.records)} events"
    latest = run(plant, "recent_events")
    assert len(latest.records) == plant.settings.logs.recent_rows
    times = [str(r.fields["time"]) for r in latest.records]
    assert times == sorted(times, reverse=True)
    with pytest.raises(ToolFailed, match="no span of time"):
        run(plant, "recent_events", period="soon")


def test_a_name_that_the_log_does_not_know(plant: Env) -> None:
    """No events, and a note that says the name is unknown rather than that nothing happened."""
    result = run(plant, "similar_events", like="锅炉爆管", period="最近三天")
    assert result.records == () and result.notes[1]["zh"] == "日志里没有叫“锅炉爆管”的报警或位号"


def test_part_of_a_name_says_what_it_counted(plant: Env) -> None:
    """变频故障 is no alarm's name: the alarms that contain it are counted, and named."""
    result = run(plant, "similar_events", like="变频故障", period="最近三天")
    assert len(result.records) == 4
    assert "循环变频故障" in result.notes[1]["zh"] and "补水变频故障" in result.notes[1]["zh"]


def test_the_tag_in_either_language(blank: Env) -> None:
    """Where one tag has a Chinese and an English text, asking for either finds both; another tag stays out."""
    log = with_rows(
        blank,
        ("2024-12-14 03:12", "VFD-P1", "循环变频故障"),
        ("2024-12-14 05:00", "VFD-P1", "Circulation VFD fault"),
        ("2024-12-14 06:00", "VFD-P2", "NO.2循环变频故障报警"),
        ("2024-12-14 07:00", "VFD-M1", "Make-up VFD fault"),
    )
    assert set(meant_by("circulation vfd FAULT", log).texts) == {"循环变频故障", "Circulation VFD fault"}
    assert set(meant_by("循环变频故障", log).texts) >= {"循环变频故障", "Circulation VFD fault", "NO.2循环变频故障报警"}
    assert meant_by("vfd-p1", log).tags == ("VFD-P1",)


def test_symptoms() -> None:
    """Which one of several machines, and the word alarm, do not make another symptom; another machine kind does."""
    assert symptoms("循环变频故障") & symptoms("NO.2 循环变频故障报警")
    assert symptoms("1#供水温度高") & symptoms("供水温度高(2线)")
    assert symptoms("循环变频故障 (Circulation VFD fault)") & symptoms("circulation VFD fault alarm")
    assert not symptoms("循环变频故障") & symptoms("补水变频故障")
    assert not symptoms("水箱液位低") & symptoms("水箱液位高")
    assert not symptoms("过热(1线)") & symptoms("过流(1线)")
    assert symptoms("") == frozenset()


def test_times_are_compared_as_instants(blank: Env) -> None:
    """Local times, times with an offset and a clock with an offset agree on what is within the span."""
    log = with_rows(
        blank,
        ("2024-12-15 10:00", "A", "a"),
        ("2024-12-15T02:30:00+00:00", "A", "b"),
        ("2024-12-15T03:30:00Z", "A", "c"),
        ("2024-12-15 11:59:59", "A", "d"),
        ("2024-12-15 12:00", "A", "e"),
    )
    now = datetime(2024, 12, 15, 12, 0, tzinfo=timezone(timedelta(hours=8)))
    which = Filter(period=Period("", now - timedelta(hours=2), now))
    events, total = log.events(which, now=now, limit=9)
    assert ({e.text for e in events}, total) == ({"a", "b", "c", "d"}, 4)
    assert {e.time for e in events} >= {"2024-12-15T02:30:00+00:00"}


@pytest.mark.parametrize("factor", [1, 1000])
def test_times_in_seconds_since_1970(blank: Env, factor: int) -> None:
    """A plant that stores seconds or milliseconds is read as it is."""
    start = datetime(2024, 12, 15, 12, 0, tzinfo=UTC)
    log = with_rows(
        blank, (int(start.timestamp()) * factor, "A", "a"), (int(start.timestamp() + 3600) * factor, "A", "b")
    )
    which = Filter(period=Period("", start - timedelta(minutes=1), start + timedelta(minutes=1)))
    assert [e.text for e in log.events(which, now=start, limit=9)[0]] == ["a"]


def test_another_plants_columns(blank: Env) -> None:
    """The settings map table and columns; what is wrong names what was found and the key to write."""
    with closing(sqlite3.connect(blank.log_path)) as log, log:
        log.execute('CREATE TABLE hist ("Time Stamp" TEXT, point TEXT, "msg ""x""" TEXT)')
        log.execute("INSERT INTO hist VALUES ('2024-12-15 20:00', 'P-1', 'Trip')")
    with pytest.raises(DatabaseError, match=r"no table events; found hist; write table ="):
        LogDatabase(blank.log_path, LogSettings()).span()
    with pytest.raises(
        DatabaseError, match=r'found Time Stamp, point, msg "x"; write time = "COLUMN" under \[logs.columns\]'
    ):
        LogDatabase(blank.log_path, LogSettings(table="hist")).span()
    columns = {"time": "Time Stamp", "tag": "point", "text": 'msg "x"'}
    log_db = LogDatabase(blank.log_path, LogSettings(table="hist", columns=columns))
    assert log_db.events(Filter(tag="P-1"), now=NOW, limit=5)[0][0].text == "Trip"
    assert log_db.names("area") == []
    with pytest.raises(DatabaseError, match="no column zone for area"):
        LogDatabase(blank.log_path, LogSettings(table="hist", columns={**columns, "area": "zone"})).span()


def test_times_that_are_not_iso(blank: Env) -> None:
    """A log whose times cannot be compared is refused, not searched wrongly."""
    log = with_rows(blank, ("14.12.2024 03:12", "A", "a"))
    with pytest.raises(DatabaseError, match="not ISO 8601"):
        log.span()


def test_missing_damaged_and_locked(blank: Env) -> None:
    """Each is one line; a missing log is not created by asking."""
    log = LogDatabase(blank.log_path, LogSettings(busy_seconds=0.05))
    with pytest.raises(DatabaseError, match="no alarm log here"):
        log.span()
    assert not blank.log_path.exists()
    assert list(logs.find_terms("循环变频故障", blank)) == []
    assert [finding.ok for finding in logs.check_health(blank)] == [False]
    with pytest.raises(DatabaseError, match="no alarm log here"):
        run(blank, "recent_events")
    for name in ("similar_events", "count_events"):
        with pytest.raises(DatabaseError, match="no alarm log here"):
            run(blank, name, like="a")
    blank.log_path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(DatabaseError, match="damaged or not a SQLite file"):
        log.span()
    blank.log_path.unlink()
    with_rows(blank, ("2024-12-15 20:00", "A", "a"))
    with closing(sqlite3.connect(blank.log_path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseError, match="locked by another program"):
            log.span()


def test_a_slow_query_is_stopped(blank: Env) -> None:
    """A query beyond the settings' seconds ends with a line that says what to do."""
    with_rows(blank, *[(f"2024-12-15 20:{i % 60:02}", f"T{i}", f"t{i}") for i in range(3_000)])
    with pytest.raises(DatabaseError, match="no answer within 0 s"):
        LogDatabase(blank.log_path, LogSettings(max_seconds=0.0)).names("text")


def test_questions_never_write(plant: Env) -> None:
    """After every tool with hostile arguments the file is the same, byte for byte."""
    before = plant.log_path.read_bytes()
    for like in ("'; DROP TABLE events; --", '" OR 1=1', "%", "_", "\x00", "循环变频故障' OR '1'='1", "x" * 10_000):
        for name in ("similar_events", "count_events"):
            run(plant, name, like=like, period="最近三天")
        list(logs.find_terms(like, plant))
    assert plant.log_path.read_bytes() == before


def test_hostile_rows_are_shown_harmlessly(blank: Env) -> None:
    """Control characters and endless texts of a log row do not reach the answer."""
    with_rows(blank, ("2024-12-15 20:00", "A\x00\x1b[31m", "line\nbreak " + "x" * 5_000))
    record = run(blank, "recent_events").records[0]
    assert "\n" not in record.line["zh"] and "\x1b" not in record.line["zh"] and len(record.line["zh"]) < 400


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("循环变频故障这个报警灯代表什么?", [("alarm", "循环变频故障")]),
        ("vfd-p1 上次是什么时候?", [("tag", "VFD-P1")]),
        ("VFD-P10 呢?", []),
        ("循环泵间有哪些报警", [("area", "循环泵间")]),
        ("循环 变频故障 and LT-301", [("alarm", "循环变频故障"), ("tag", "LT-301")]),
        ("hello", []),
    ],
)
def test_names_in_a_question(plant: Env, question: str, terms: list[tuple[str, str]]) -> None:
    """Texts, tags and areas of the log are found in the person's words, whole and whatever their case and blanks."""
    assert [(term.kind, term.value) for term in logs.find_terms(question, plant)] == terms


def test_the_longest_name_wins(blank: Env) -> None:
    """A name inside another one that stands in the question is not offered."""
    with_rows(blank, ("2024-12-15", "A", "液位高"), ("2024-12-15", "A", "水箱液位高"))
    assert [t.value for t in logs.find_terms("水箱液位高怎么办", blank)] == ["水箱液位高"]


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_argument_is_a_value(plant: Env, like: str, question: str) -> None:
    """Whatever is asked for, the answer is a list of events and a count, never an error of SQL."""
    result = run(plant, "similar_events", like=like)
    assert result.notes and len(result.records) <= plant.settings.logs.max_rows
    list(logs.find_terms(question, plant))
