"""The plant's log on a real PostgreSQL server: the same answers as from SQLite, read only, clear when it is gone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from agent.errors import DatabaseError
from agent.settings import LogSettings
from agent.times import Period
from plugins.logs.backends.server import ServerBackend
from plugins.logs.database import Filter, LogDatabase
from plugins.logs.importing import import_csv
from tests.servers.postgres import Postgres, PostgresMissing, running_postgres

NOW = datetime(2024, 12, 15, 20, 50, tzinfo=timezone(timedelta(hours=8)))
COLUMNS = {
    "time": "Zeit",
    "tag": "Messstelle",
    "text": "Meldung",
    "priority": "prio",
    "area": "Bereich",
    "cleared": "Ende",
}
ROWS = [
    ("2024-12-12 03:12:00", "VFD-P1", "循环变频故障", 1, "泵间", "2024-12-12 03:42:00"),
    ("2024-12-13 10:00:00", "VFD-P2", "Pump: trip 'x' :y", 2, "泵间", None),
    ("2024-12-14 10:00:00", "VFD-P1", "循环变频故障", 1, "泵间", "2024-12-14 11:00:00"),
    ("2024-12-15 20:00:00", "TT-9", "High temperature", 3, "Roof", None),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    try:
        with running_postgres() as running:
            _fill(running)
            yield running
    except PostgresMissing as missing:
        pytest.skip(f"no PostgreSQL server here: {missing}")


def _fill(server: Postgres) -> None:
    quoted = [", ".join("NULL" if v is None else "'" + str(v).replace("'", "''") + "'" for v in row) for row in ROWS]
    for kind, name in (("timestamp", "plain"), ("timestamptz", "zoned")):
        server.execute(
            f'CREATE TABLE {name} (nr serial PRIMARY KEY, "Zeit" {kind}, "Messstelle" text, "Meldung" varchar(80),'
            f' prio integer, "Bereich" text, "Ende" {kind}, schicht text DEFAULT \'Früh\')',
            "SET timezone = 'Asia/Shanghai'",
            f'INSERT INTO {name} ("Zeit", "Messstelle", "Meldung", prio, "Bereich", "Ende")'
            f" VALUES {', '.join(f'({row})' for row in quoted)}",
        )
    server.execute(
        "CREATE TABLE slow AS SELECT now() AS time, 'T' || i AS tag, 'x' AS text FROM generate_series(1, 2000000) i",
        "CREATE TABLE wide (ts timestamptz PRIMARY KEY, flow real, temp double precision, note text)",
        "INSERT INTO wide SELECT '2024-12-15 00:00+00'::timestamptz + i * interval '1 minute', i, CASE WHEN i % 2 = 0"
        " THEN 'NaN'::float ELSE 20 + i / 10.0 END, 'x' FROM generate_series(0, 99) i",
        "CREATE TABLE long (time timestamp, tag text, value numeric, unit text)",
        "INSERT INTO long SELECT '2024-12-15'::timestamp + i * interval '1 hour', 'P' || (i % 2), i, 'bar' FROM"
        " generate_series(1, 10) i",
        f"CREATE ROLE reader LOGIN PASSWORD '{server.password}'",
        f"CREATE ROLE writer LOGIN PASSWORD '{server.password}'",
        "GRANT SELECT ON plain, zoned, wide, long, slow TO reader, writer",
        "GRANT INSERT, UPDATE, DELETE ON plain TO writer",
        "CREATE TABLE secret (time timestamp, tag text, text text)",
    )


def log_of(server: Postgres, table: str = "plain", role: str = "reader", **more: object) -> LogDatabase:
    columns = COLUMNS if table in ("plain", "zoned") else {}
    settings = LogSettings(
        url=server.url(role),
        password=server.password,
        table=table,
        columns=columns,
        **more,  # type: ignore[arg-type]
    )
    return LogDatabase(Path("unused"), settings)


@pytest.mark.parametrize("table", ["plain", "zoned"])
def test_events_counts_and_durations(server: Postgres, table: str) -> None:
    """Events, groups, durations and names of a plant's own table, with and without time zones."""
    log = log_of(server, table)
    period = Period("", datetime(2024, 12, 14, tzinfo=NOW.tzinfo), NOW)
    events, total = log.events(Filter(period=period), now=NOW, limit=9)
    assert total == 2 and [e.tag for e in events] == ["TT-9", "VFD-P1"]
    assert events[1].time.startswith("2024-12-14 10:00:00") and events[1].lasted_seconds == 3600
    assert events[1].at == datetime(2024, 12, 14, 2, 0, tzinfo=UTC).timestamp()
    assert events[0].more == {"schicht": "Früh"} and events[0].row == 4
    assert log.count(Filter(texts=("Pump: trip 'x' :y",)), now=NOW) == 1
    assert log.count(Filter(standing=True, area="泵间"), now=NOW) == 1
    assert log.count(Filter(priorities=("1",)), now=NOW) == 2
    by_tag = log.groups(Filter(), by=("tag",), now=NOW, limit=2)
    assert [(g.key, g.count) for g in by_tag.groups] == [(("VFD-P1",), 2), (("TT-9",), 1)]
    assert (by_tag.total, by_tag.different) == (4, 3)
    by_day = log.groups(Filter(), by=("day",), now=NOW, limit=9).groups
    assert [g.key[0] for g in by_day] == ["2024-12-12", "2024-12-13", "2024-12-14", "2024-12-15"]
    assert log.groups(Filter(), by=("hour of day",), now=NOW, limit=9).groups[0].key == ("03",)
    lasted = log.durations(Filter(tag="VFD-P1"), now=NOW)
    assert (lasted.count, lasted.mean_seconds, lasted.longest_seconds) == (2, 2700.0, 3600.0)
    assert log.names("area") == ["Roof", "泵间"] and log.more_columns() == ["schicht"]
    assert [m.tag for m in log.moments(Filter(), now=NOW, limit=2)] == ["VFD-P1", "TT-9"]
    assert log.texts_by_tag(["循环变频故障"]) == {"VFD-P1": {"循环变频故障"}}
    assert log.span()[2] == 4 and log.events(Filter(), now=NOW, limit=1, order="longest")[0][0].row == 3


def test_series(server: Postgres) -> None:
    """A table with a row a value, and one with a column a signal; what is no number is left out."""
    log = log_of(server, series_table="wide", series_columns={"time": "ts"})
    assert [(s.tag, s.count) for s in log.signals()] == [("flow", 100), ("temp", 50)]
    points = log.points("temp", None, now=NOW)
    assert len(points.values) == 50 and points.values[0] == 20.1
    log = log_of(server, series_table="long")
    assert [(s.tag, s.unit, s.count) for s in log.signals()] == [("P0", "bar", 5), ("P1", "bar", 5)]
    assert log.points("P1", None, now=NOW).values.tolist() == [1, 3, 5, 7, 9]


def test_nothing_can_be_written(server: Postgres) -> None:
    """Writing is refused by the server whatever the role may do; doctor tells a role that could write otherwise."""
    assert ServerBackend(log_of(server).settings).guarded()[0]
    held, said = log_of(server, role="writer").backend.guarded()
    assert not held and "writer may write to plain" in said
    held, said = log_of(server, role="postgres").backend.guarded()
    assert not held and "superuser" in said
    for role in ("writer", "postgres"):
        refused = pytest.raises(DatabaseError, match="read-only transaction")
        with refused, log_of(server, role=role).backend.reading() as reader:
            reader.rows('DELETE FROM "plain" WHERE nr < :n RETURNING nr', {"n": 99})
    assert log_of(server).span()[2] == 4


def test_what_goes_wrong_is_one_line(server: Postgres, tmp_path: Path) -> None:
    """A wrong password, no rights, a slow question, no server, no table: one line without the password."""
    with pytest.raises(DatabaseError, match="WATCHKEEPER_LOGS__PASSWORD") as refused:
        LogDatabase(tmp_path, LogSettings(url=server.url("reader"), password="wrong-secret")).span()
    assert "wrong-secret" not in str(refused.value) and "\n" not in str(refused.value)
    with pytest.raises(DatabaseError, match="grant it SELECT"):
        log_of(server, "secret").span()
    with pytest.raises(DatabaseError, match=r"no table nowhere .*found .*plain"):
        log_of(server, "nowhere").span()
    with pytest.raises(DatabaseError, match=r"no answer within 0\.05 s"):
        log_of(server, "slow", max_seconds=0.05).names("tag")
    with pytest.raises(DatabaseError, match="not reached"):
        LogDatabase(tmp_path, LogSettings(url="postgresql://r@127.0.0.1:1/x", password="s")).span()
    with pytest.raises(DatabaseError, match="is no address"):
        LogDatabase(tmp_path, LogSettings(url="not an address")).span()
    with pytest.raises(DatabaseError, match="mysql is not read here"):
        LogDatabase(tmp_path, LogSettings(url="mysql://r@h/x")).span()


def test_password_from_a_file(server: Postgres, tmp_path: Path) -> None:
    """The first line of a file is the password; a file that is not there is named."""
    secret = tmp_path / "secret"
    secret.write_text(f"{server.password}\n")
    settings = LogSettings(url=server.url("reader"), password_file=secret, table="plain", columns=COLUMNS)
    log = LogDatabase(tmp_path, settings)
    assert log.span()[2] == 4 and server.password not in log.name + repr(settings) + settings.model_dump_json()
    secret.unlink()
    with pytest.raises(DatabaseError, match="password_file cannot be read"):
        LogDatabase(tmp_path, settings).span()


def test_server_restarted(server: Postgres) -> None:
    """A question while the server is down says so; the next one, when it is back, is answered."""
    log = log_of(server)
    assert log.span()[2] == 4
    server.stop(signal.SIGQUIT)
    try:
        with pytest.raises(DatabaseError, match=r"lost|not reached"):
            log.span()
    finally:
        server.start()
    assert log.span()[2] == 4


def test_connection_lost_in_the_middle(server: Postgres) -> None:
    """A session that is ended while it is read is told in one line; the next question works."""
    log = log_of(server)
    with pytest.raises(DatabaseError, match="connection was lost"), log.backend.reading() as reader:
        reader.events()
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'")
        reader.events()
    assert log.span()[2] == 4


def test_the_same_as_from_sqlite(server: Postgres, tmp_path: Path) -> None:
    """The same rows give the same answers from either database."""
    head = "time,tag,text,priority,area,cleared\n"
    (tmp_path / "in.csv").write_text(head + "".join(",".join(str(v or "") for v in row) + "\n" for row in ROWS))
    import_csv(tmp_path / "in.csv", tmp_path / "log.db", LogSettings())
    ours, theirs = LogDatabase(tmp_path / "log.db", LogSettings()), log_of(server)
    for which in (Filter(), Filter(tag="VFD-P1"), Filter(standing=True), Filter(area="泵间", priorities=("1",))):
        for by in (("tag",), ("day",), ("area", "month"), ("weekday",), ("priority",)):
            assert ours.groups(which, by=by, now=NOW, limit=9) == theirs.groups(which, by=by, now=NOW, limit=9)
        assert ours.durations(which, now=NOW) == theirs.durations(which, now=NOW)
        pair = [log.events(which, now=NOW, limit=9)[0] for log in (ours, theirs)]
        assert [(e.tag, e.at, e.lasted_seconds) for e in pair[0]] == [(e.tag, e.at, e.lasted_seconds) for e in pair[1]]
