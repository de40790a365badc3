"""The query layer on SQLite: exact against a plain count of the rows, however the sums, offsets and spans fall."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.api import Observation
from agent.errors import DatabaseError
from agent.observation import SeenEvent
from agent.perception import Perception
from agent.settings import LogSettings
from agent.times import Period
from plugins.logs.backends.sums import AGES, BLOCKS, DAYS, KINDS, TOTALS, WEEKS, cover
from plugins.logs.database import Filter, LogDatabase
from plugins.logs.importing import import_csv
from plugins.logs.own_log import begin_writing, end_writing
from plugins.logs.recording import record_observation

CHINA = timezone(timedelta(hours=8))
NOW = datetime(2025, 6, 1, tzinfo=CHINA)
HEAD = "time,tag,text,priority,area,cleared\n"
START = datetime(2023, 1, 1)


def log_with(tmp_path: Path, count: int, *, zone: str | None = None, name: str = "log.db") -> LogDatabase:
    dice = np.random.default_rng(7)
    lines = []
    columns = (dice.integers(0, most, count).tolist() for most in (86_400 * 800, 9, 9_000))
    for at, kind, lasted in zip(*columns, strict=True):
        start = START + timedelta(seconds=int(at))
        end = start + timedelta(seconds=int(lasted)) if kind else ""
        lines.append(f"{start},T{kind},text {kind % 4},{'high' if kind % 3 else 'low'},A{kind % 2},{end}\n")
    source = tmp_path / f"{name}.csv"
    source.write_text(HEAD + "".join(lines))
    import_csv(source, tmp_path / name, LogSettings(), zone=zone)
    return LogDatabase(tmp_path / name, LogSettings())


def plainly(path: Path, which: Filter, shift: float) -> list[tuple[object, ...]]:
    """The rows that fit, found without SQL of ours: wall clock of the plant, tag, text, area, priority, lasted."""
    with closing(sqlite3.connect(path)) as log:
        rows = log.execute("SELECT wall, shift, tag, text, area, priority, lasted, cleared FROM events").fetchall()
    found = []
    for wall, offset, tag, text, area, priority, lasted, cleared in rows:
        at = wall - (shift if offset is None else offset)
        period = which.period
        if period is not None and not period.start.timestamp() <= at < period.end.timestamp():
            continue
        alike = not (which.texts or which.tags) or text in which.texts or tag in which.tags
        named = which.area in (None, area) and which.tag in (None, tag)
        if alike and named and priority in (which.priorities or (priority,)) and not (which.standing and cleared):
            found.append((at + shift, tag, text, area, priority, lasted))
    return found


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> LogDatabase:
    return log_with(tmp_path_factory.mktemp("big"), 4_000)


LENGTHS = (timedelta(minutes=7), timedelta(hours=30), timedelta(days=9), timedelta(days=100), timedelta(days=700))


def period_of(second: int, length: timedelta) -> Period:
    start = START.replace(tzinfo=CHINA) + timedelta(seconds=second)
    return Period("", start, start + length)


PERIODS = st.one_of(st.none(), st.builds(period_of, st.integers(0, 86_400 * 800), st.sampled_from(LENGTHS)))
FILTERS = st.builds(
    Filter,
    texts=st.sampled_from([(), ("text 1",), ("text 1", "text 2")]),
    tags=st.sampled_from([(), ("T3",), ("T3", "nothing")]),
    area=st.sampled_from([None, None, "A1"]),
    tag=st.sampled_from([None, None, "T4"]),
    priorities=st.sampled_from([(), (), ("high",), ("high", "low")]),
    standing=st.sampled_from([False, False, True]),
    period=PERIODS,
)


@given(
    FILTERS,
    st.sampled_from([(), ("tag",), ("area", "priority"), ("day",), ("text", "month"), ("hour of day",), ("week",)]),
)
@settings(max_examples=80, deadline=None)
def test_counts_are_exact(big: LogDatabase, which: Filter, by: tuple[str, ...]) -> None:
    """Groups, totals and durations are those of a plain loop over the rows, whatever the filter and the span."""
    rows = plainly(Path(big.name), which, 8 * 3600)
    labels = {"day": "%Y-%m-%d", "month": "%Y-%m", "hour of day": "%H"}

    def key(row: tuple[object, ...]) -> tuple[str, ...]:
        shown = datetime.fromtimestamp(float(str(row[0])), UTC)
        values = {"tag": row[1], "text": row[2], "area": row[3], "priority": row[4]}
        values["week"] = f"{shown - timedelta(days=shown.weekday()):%Y-%m-%d}"
        return tuple(f"{shown:{labels[name]}}" if name in labels else str(values[name]) for name in by)

    wanted = Counter(map(key, rows))
    found = big.groups(which, by=by, now=NOW, limit=5_000)
    assert {group.key: group.count for group in found.groups} == (
        dict(wanted) if by else ({(): len(rows)} if rows else {})
    )
    assert found.total == len(rows)
    lasted = [float(str(row[5])) for row in rows if row[5] is not None]
    duration = big.durations(which, now=NOW)
    assert duration.count == len(lasted)
    if lasted:
        assert duration.mean_seconds == pytest.approx(sum(lasted) / len(lasted))
        assert duration.longest_seconds == max(lasted)
    events, total = big.events(which, now=NOW, limit=10)
    assert total == len(rows)
    assert [event.at for event in events] == sorted((float(str(row[0])) - 8 * 3600 for row in rows), reverse=True)[:10]


@given(
    st.floats(0, 1e8, allow_subnormal=False),
    st.floats(0, 1e8, allow_subnormal=False),
    st.sampled_from([(), (TOTALS,), (DAYS,), (AGES, BLOCKS, WEEKS, DAYS), (KINDS,)]),
)
def test_a_span_is_covered_once(first: float, second: float, sums: tuple[object, ...]) -> None:
    """Pieces follow each other without gap or overlap, and those of sums are whole buckets."""
    start, end = sorted((first, second))
    pieces = cover(start, end, sums)  # type: ignore[arg-type]
    at = start
    for piece in pieces:
        assert piece.start == at and piece.end is not None and piece.end > at
        assert piece.sums is None or (piece.start % piece.sums.width == 0 and piece.end % piece.sums.width == 0)
        at = piece.end
    assert at == end or (not pieces and start >= end)


def test_rows_that_come_later_are_counted(tmp_path: Path) -> None:
    """What a watch adds behind the sums counts at once; an event in the sums that clears later counts as cleared."""
    (tmp_path / "in.csv").write_text(HEAD + "2025-05-31 23:00:00+08:00,P9,fault,high,boiler-1,\n")
    import_csv(tmp_path / "in.csv", tmp_path / "log.db", LogSettings())
    log = LogDatabase(tmp_path / "log.db", LogSettings())
    assert log.durations(Filter(), now=NOW).count == 0 and log.count(Filter(standing=True), now=NOW) == 1
    seen = Perception((), (), (), (), (640, 480), 1.0, "p")
    events = (SeenEvent("P9", "fault", "alarm", "cleared"), SeenEvent("P8", "other", "alarm", "active"))
    record_observation(Observation(NOW, "boiler-1", seen, events), tmp_path / "log.db", LogSettings())
    lasted = log.durations(Filter(tag="P9"), now=NOW)
    assert (lasted.count, lasted.longest_seconds) == (1, 3600.0)
    by_tag = log.groups(Filter(), by=("tag",), now=NOW, limit=9)
    assert [(group.key[0], group.count) for group in by_tag.groups] == [("P8", 1), ("P9", 1)]
    assert log.groups(Filter(), by=("day",), now=NOW, limit=9).total == 2 and log.span()[2] == 2


@pytest.mark.parametrize("zone", [None, "Asia/Shanghai", "UTC", "Europe/Berlin"])
def test_times_with_and_without_offset(tmp_path: Path, zone: str | None) -> None:
    """Rows of any zone are found by instant, and shown in days of the plant's own clock."""
    log = log_with(tmp_path, 300, zone=zone)
    start = datetime(2023, 5, 1, 12, tzinfo=CHINA)
    which = Filter(period=Period("", start, start + timedelta(days=90)))
    wanted = plainly(tmp_path / "log.db", which, 8 * 3600)
    assert log.count(which, now=NOW) == len(wanted)
    days = Counter(f"{datetime.fromtimestamp(float(str(row[0])), UTC):%Y-%m-%d}" for row in wanted)
    found = log.groups(which, by=("day",), now=NOW, limit=400)
    assert {group.key[0]: group.count for group in found.groups} == days
    at = [moment.at for moment in log.moments(which, now=NOW, limit=400)]
    assert at == sorted(at) and len(at) == len(wanted)


def test_two_zones_in_one_log(tmp_path: Path) -> None:
    """Rows with different offsets, and none, are put in order by their instants."""
    rows = ["2024-06-01 10:00:00,A,naive", "2024-06-01T03:00:00Z,B,utc", "2024-06-01T12:00:00+09:00,C,tokyo"]
    (tmp_path / "in.csv").write_text("time,tag,text\n" + "\n".join(rows) + "\n")
    import_csv(tmp_path / "in.csv", tmp_path / "log.db", LogSettings())
    log = LogDatabase(tmp_path / "log.db", LogSettings())
    events, _ = log.events(Filter(), now=NOW, limit=9, order="oldest")
    assert [event.tag for event in events] == ["A", "B", "C"] and events[1].at == events[2].at
    hour = Period("", datetime(2024, 6, 1, 11, tzinfo=CHINA), datetime(2024, 6, 1, 12, tzinfo=CHINA))
    assert log.count(Filter(period=hour), now=NOW) == 2


def test_a_log_of_version_0_1_is_brought_up(tmp_path: Path) -> None:
    """A log from before sums and series were kept is read as it is, and brought up by the next import."""
    path = tmp_path / "log.db"
    with closing(sqlite3.connect(path)) as old, old:
        old.executescript(
            "CREATE TABLE events (id INTEGER PRIMARY KEY, time TEXT NOT NULL, tag TEXT NOT NULL, text TEXT NOT NULL,"
            " priority TEXT NOT NULL, state TEXT NOT NULL, area TEXT NOT NULL, cleared TEXT);"
            "CREATE INDEX events_time ON events (time);"
            "CREATE TABLE readings (id INTEGER PRIMARY KEY, time TEXT NOT NULL, source TEXT NOT NULL,"
            " tag TEXT NOT NULL,"
            " value REAL, printed TEXT NOT NULL, unit TEXT NOT NULL, flags TEXT NOT NULL);"
            "INSERT INTO events VALUES (1, '2024-01-01 10:00:00', 'A', 'x', 'high', '', 'R', '2024-01-01 10:30:00');"
            "INSERT INTO readings VALUES (1, '2024-01-01 10:00:00+08:00', 's', 'T', 20.5, '20.5', 'K', '')"
        )
    log = LogDatabase(path, LogSettings())
    assert log.durations(Filter(), now=NOW).mean_seconds == 1800 and log.points("T", None, now=NOW).values[0] == 20.5
    (tmp_path / "in.csv").write_text(
        HEAD + "2024-01-01 10:00:00,A,x,high,R,2024-01-01 10:30:00\n2024-01-02,B,y,low,R,\n"
    )
    report = import_csv(tmp_path / "in.csv", path, LogSettings())
    assert (report.known + report.updated, report.added) == (1, 1)
    assert log.durations(Filter(), now=NOW).count == 1 and log.span()[2] == 2
    assert log.points("T", None, now=NOW).at[0] == datetime(2024, 1, 1, 2, tzinfo=UTC).timestamp()


def test_further_columns(tmp_path: Path) -> None:
    """Columns that are none of ours can be counted and chosen by, whatever stands in their headings."""
    (tmp_path / "in.csv").write_text('time,tag,text,"Sub ""unit""",Früh\n2024-01-01,A,x,u1,1\n2024-01-02,B,y,u2,\n')
    import_csv(tmp_path / "in.csv", tmp_path / "log.db", LogSettings())
    log = LogDatabase(tmp_path / "log.db", LogSettings())
    assert log.more_columns() == ["Sub 'unit'", "Früh"] and log.names("Sub 'unit'") == ["u1", "u2"]
    assert log.count(Filter(equal={"Sub 'unit'": "u2"}), now=NOW) == 1
    groups = log.groups(Filter(), by=("Früh",), now=NOW, limit=9).groups
    assert [(group.key, group.count) for group in groups] == [(("",), 1), (("1",), 1)]
    with pytest.raises(DatabaseError, match="cannot be counted by nothing"):
        log.groups(Filter(), by=("nothing",), now=NOW, limit=9)


def test_locked_vanished_and_back(tmp_path: Path) -> None:
    """A lock in the middle, a file that vanishes or is cut short: one line each; then it works again."""
    log = log_with(tmp_path, 100)
    log = LogDatabase(tmp_path / "log.db", LogSettings(busy_seconds=0.05))
    with closing(sqlite3.connect(tmp_path / "log.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseError, match="locked by another program"):
            log.span()
    assert log.span()[2] == 100
    (tmp_path / "log.db").rename(tmp_path / "away.db")
    with pytest.raises(DatabaseError, match="no alarm log here"):
        log.span()
    (tmp_path / "log.db").write_bytes((tmp_path / "away.db").read_bytes()[:9_000])
    with pytest.raises(DatabaseError, match=r"damaged|cannot be read"):
        log.groups(Filter(), by=("tag",), now=NOW, limit=9)
    (tmp_path / "away.db").replace(tmp_path / "log.db")
    assert log.span()[2] == 100


def test_questions_during_an_import(tmp_path: Path) -> None:
    """While an import is under way questions see the log as it was before, and all of it afterwards."""
    log = log_with(tmp_path, 100)
    began, done = threading.Event(), threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(tmp_path / "log.db")) as direct, direct:
            begin_writing(direct, tmp_path / "log.db")
            direct.execute(
                "INSERT INTO events (time, tag, text, priority, state, area, wall)"
                " VALUES ('2024-01-01 00:00:00', 'new', 'x', '', '', '', 1704067200)"
            )
            began.set()
            done.wait(5)
            end_writing(direct)

    writer = threading.Thread(target=write)
    writer.start()
    began.wait(5)
    seen = log.span()[2], log.count(Filter(tag="new"), now=NOW)
    done.set()
    writer.join()
    assert seen == (100, 0) and (log.span()[2], log.count(Filter(tag="new"), now=NOW)) == (101, 1)
