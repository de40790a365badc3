"""The `sql` tool: one SELECT and its rows; whatever else is tried, nothing but reading ever happens."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.env import Env, load_env
from agent.errors import DatabaseError, ToolFailed
from agent.settings import LogSettings
from agent.tools import TurnView
from plugins.logs.database import LogDatabase
from plugins.logs.importing import import_csv
from plugins.logs.sql_check import check_sql
from plugins.logs.sql_tool import SqlTool, describe, find_sql, run_sql
from tests.servers.postgres import Postgres, PostgresMissing, running_postgres

TABLES = {"events": ["time", "tag", "text", "area", "seconds"], "readings": ["time", "tag", "value", "unit"]}
ROWS = (
    "time,tag,text,priority,area,cleared,Shift Team\n"
    "2024-12-14 03:12:00,P1,循环变频故障,高,泵间,2024-12-14 03:42:00,A\n"
    "2024-12-14 05:00:00,P2,it's a 'trip'; DROP TABLE events; --,中,泵间,,B\n"
    "2024-12-15 08:00:00,P1,循环变频故障,高,Roof: east,2024-12-15 09:00:00,A\n"
)
HOSTILE = [
    "DROP TABLE events",
    "SELECT 1; DROP TABLE events",
    "SELECT tag FROM events; SELECT 1 FROM events",
    "DELETE FROM events",
    "UPDATE events SET tag = 'x'",
    "INSERT INTO events (tag) VALUES ('x')",
    "WITH x AS (DELETE FROM events RETURNING tag) SELECT tag FROM x",
    "PRAGMA query_only = 0",
    "ATTACH DATABASE '/tmp/x' AS y",
    "VACUUM INTO '/tmp/x'",
    "SELECT * FROM sqlite_master",
    "SELECT sql FROM sqlite_schema",
    "SELECT * FROM main.events",
    "SELECT * FROM pg_catalog.pg_shadow",
    "SELECT * FROM pg_authid",
    "SELECT * FROM log_marks",
    "SELECT * FROM pragma_table_info('events')",
    "SELECT load_extension('x') FROM events",
    "SELECT pg_read_file('/etc/passwd') FROM events",
    "SELECT pg_sleep(100) FROM events",
    "SELECT lo_import('/etc/passwd') FROM events",
    "SELECT readfile('/etc/passwd') FROM events",
    "SELECT set_config('transaction_read_only', 'off', false) FROM events",
    "SELECT query_to_xml('DROP TABLE events', true, true, '') FROM events",
    "SELECT dblink_exec('x', 'y') FROM events",
    "COPY events TO '/tmp/x'",
    "COPY (SELECT tag FROM events) TO PROGRAM 'sh'",
    "SELECT tag INTO stolen FROM events",
    "SELECT tag FROM events FOR UPDATE",
    "SELECT group_concat(tag) FROM events",
    "SELECT randomblob(1000000000) FROM events",
    "SELECT zeroblob(1000000000) FROM events",
    "SELECT printf('%1000000000d', 1) FROM events",
    "SELECT replace(text, 'a', text) FROM events",
    "SELECT repeat(text, 1000000) FROM events",
    "SELECT generate_series(1, 100000000) FROM events",
    "SELECT tag FROM events, generate_series(1, 1000000)",
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n",
    "WITH events AS (SELECT 1) SELECT * FROM events",
    "SELECT tag FROM events WHERE tag = :secret",
    "SELECT tag FROM events WHERE tag = ?",
    "SELECT tag FROM events WHERE tag = $1",
    "SELECT a.tag FROM events a, events b, events c, events d, events e",
    "SELECT password FROM events",
    "SELECT events.rowid FROM events",
    "SELECT current_setting('data_directory') FROM events",
    "EXPLAIN SELECT tag FROM events",
    "SET statement_timeout = 0",
    "BEGIN",
    "CREATE TEMP TABLE x AS SELECT tag FROM events",
    "SELECT tag FROM events UNION SELECT passwd FROM pg_shadow",
    "SELECT (SELECT rolpassword FROM pg_authid LIMIT 1) FROM events",
    "SELECT tag FROM events WHERE EXISTS (SELECT 1 FROM pg_user)",
    "SELECT tag::regclass FROM events",
    "SELECT CAST('pg_authid' AS regclass) FROM events",
    "VALUES (1)",
    "",
    "not sql at all",
    "/* */",
    "SELECT " * 500,
    "SELECT tag FROM events WHERE " + "NOT " * 900 + "1",
]


@pytest.fixture
def log(tmp_path: Path) -> LogDatabase:
    (tmp_path / "in.csv").write_text(ROWS)
    import_csv(tmp_path / "in.csv", tmp_path / "log.db", LogSettings())
    return LogDatabase(tmp_path / "log.db", LogSettings(max_seconds=1.0))


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    try:
        with running_postgres() as running:
            running.execute(
                'CREATE TABLE hist (nr serial PRIMARY KEY, "Zeit" timestamp, tag text, text text, area text)',
                "INSERT INTO hist (\"Zeit\", tag, text, area) VALUES ('2024-12-14 03:12', 'P1', 'trip: a', 'x'),"
                " ('2024-12-15 03:12', 'P1', 'it''s', 'y'), ('2024-12-15 04:12', 'P2', 'b', 'y')",
            )
            yield running
    except PostgresMissing as missing:
        pytest.skip(f"no PostgreSQL server here: {missing}")


def lines(log: LogDatabase, query: str) -> list[dict[str, object]]:
    return [dict(record.fields) for record in run_sql(log, query).records]


def test_what_typed_tools_do_not_cover(log: LogDatabase) -> None:
    """Joins, windows, conditions over groups, and columns that only this plant has."""
    query = (
        "SELECT tag, count(*) AS n, round(avg(seconds) / 60, 1) AS minutes FROM events GROUP BY tag HAVING count(*) > 1"
    )
    assert lines(log, query) == [{"tag": "P1", "n": 2, "minutes": 45.0}]
    query = "SELECT substr(time, 1, 10) AS day, \"Shift Team\" AS team FROM events WHERE area LIKE 'Roof: %' ORDER BY 1"
    assert lines(log, query) == [{"day": "2024-12-15", "team": "A"}]
    query = (
        "WITH e AS (SELECT time, lag(time) OVER (PARTITION BY tag ORDER BY time) AS earlier FROM events) SELECT"
        " julianday(time) - julianday(earlier) AS days FROM e WHERE earlier IS NOT NULL"
    )
    assert lines(log, query)[0]["days"] == pytest.approx(1.2, abs=0.01)
    result = run_sql(log, "select strftime('%H', time) h, count(*) n from events group by 1 -- comment\n")
    assert "--" not in result.notes[0]["en"] and len(result.records) == 3
    assert lines(log, "SELECT count(*) AS n FROM readings") == [{"n": 0}]


def test_rows_are_limited(tmp_path: Path, log: LogDatabase) -> None:
    """More rows than the settings allow are cut, and the result says so."""
    result = run_sql(LogDatabase(tmp_path / "log.db", LogSettings(max_sql_rows=2)), "SELECT tag FROM events")
    assert len(result.records) == 2 and result.truncated and "first 2 rows" in result.notes[1]["en"]


def test_a_long_question_is_stopped(tmp_path: Path) -> None:
    """A statement that would run for hours ends on the clock, in one line."""
    many = "".join(f"2024-12-14 03:{i % 60:02}:{i % 59:02},T{i},x\n" for i in range(3_000))
    (tmp_path / "in.csv").write_text("time,tag,text\n" + many)
    import_csv(tmp_path / "in.csv", tmp_path / "log.db", LogSettings())
    log = LogDatabase(tmp_path / "log.db", LogSettings(max_seconds=0.3))
    with pytest.raises(DatabaseError, match=r"no answer within 0\.3 s"):
        run_sql(log, "SELECT count(*) AS n FROM events a, events b, events c WHERE a.text || b.text <> c.tag")


@pytest.mark.parametrize("query", HOSTILE)
def test_nothing_but_reading(log: LogDatabase, query: str) -> None:
    """Every attempt is refused in one line, and the log is the same, byte for byte."""
    path = Path(log.name)
    before = path.read_bytes()
    with pytest.raises(ToolFailed) as refused:
        run_sql(log, query)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 900
    assert path.read_bytes() == before


@pytest.mark.parametrize("query", HOSTILE)
def test_nothing_but_reading_on_a_server(server: Postgres, query: str) -> None:
    """The same, on PostgreSQL as its superuser."""
    with pytest.raises(ToolFailed):
        run_sql(plant(server), query)


def test_on_a_server(server: Postgres) -> None:
    """The plant's columns under our names; colons, quotes and percent signs in a text are only text."""
    log = plant(server)
    assert lines(log, "SELECT tag, count(*) AS n FROM events GROUP BY tag ORDER BY n DESC LIMIT 1") == [
        {"tag": "P1", "n": 2}
    ]
    assert lines(log, "SELECT area FROM events WHERE text = 'trip: a'") == [{"area": "x"}]
    assert lines(log, "SELECT area FROM events WHERE text = 'it''s' AND tag LIKE '%P%' AND ':x' <> ''") == [
        {"area": "y"}
    ]
    assert (
        lines(log, "SELECT date_trunc('day', time) AS d, count(*) AS n FROM events GROUP BY 1 ORDER BY 1")[1]["n"] == 2
    )
    with pytest.raises(ToolFailed, match="division by zero"):
        run_sql(log, "SELECT 1 / 0 AS x FROM events")
    server.execute("INSERT INTO hist (tag, text) SELECT 'x', 'y' FROM generate_series(1, 3000)")
    slow = LogDatabase(Path("unused"), log.settings.model_copy(update={"max_seconds": 0.2}))
    with pytest.raises(DatabaseError, match="no answer within"):
        run_sql(slow, "SELECT count(*) AS n FROM events a, events b, events c WHERE a.tag <> b.text")


def plant(server: Postgres) -> LogDatabase:
    columns = {"time": "Zeit"}
    return LogDatabase(
        Path("unused"), LogSettings(url=server.url(), password=server.password, table="hist", columns=columns)
    )


@given(st.text(max_size=120), st.sampled_from(["sqlite", "postgres"]))
@settings(max_examples=150, deadline=None)
def test_any_text_is_refused_or_one_select(text: str, dialect: str) -> None:
    """Whatever is written ends in a SELECT or in one line."""
    for query in (text, f"SELECT tag FROM events WHERE tag = {text}", f"SELECT {text} FROM events"):
        try:
            checked = check_sql(query, dialect=dialect, tables=TABLES, max_chars=2_000)
        except ToolFailed:
            continue
        assert checked.lstrip("( ").upper().startswith(("SELECT", "WITH"))


PIECES = (
    *("'", '"', ";", "--", "/*", "*/", "\\", "$$", "`", "]", "[", "\x00", "E'\\''", ")", "(", "1=1", "tag", "events"),
    *("DROP TABLE events", "pg_read_file('x')", ") AS answer; DELETE FROM", "UNION SELECT", "sqlite_master"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=8))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pieces_of_attacks_read_at_most(tmp_path: Path, pieces: list[str]) -> None:
    """Attacks put together at random never write, and never see another table."""
    path = tmp_path / "log.db"
    if not path.exists():
        (tmp_path / "in.csv").write_text(ROWS)
        import_csv(tmp_path / "in.csv", path, LogSettings())
    before = path.read_bytes()
    for query in ("".join(pieces), f"SELECT tag FROM events WHERE tag = '{' '.join(pieces)}"):
        try:
            result = run_sql(LogDatabase(path, LogSettings()), query)
        except (ToolFailed, DatabaseError):
            continue
        assert all("CREATE TABLE" not in record.line["en"] for record in result.records)
    assert path.read_bytes() == before


def test_the_database_refuses_too(log: LogDatabase) -> None:
    """Were a statement to pass the check, SQLite itself would refuse it."""
    for query in ("SELECT * FROM sqlite_master", "SELECT load_extension('x')", "SELECT writefile('x', 'y')"):
        with log.backend.reading() as reader, pytest.raises(ToolFailed):
            reader.answer("SELECT * FROM (", query, ") LIMIT 1")
    with closing(sqlite3.connect(Path(log.name))) as direct:
        assert direct.execute("SELECT count(*) FROM events").fetchone() == (3,)


def test_when_it_is_offered(tmp_path: Path, log: LogDatabase) -> None:
    """A statement in the question is offered as it stands; the model writes one only where the settings say so."""
    home = {"WATCHKEEPER_HOME": str(tmp_path), "WATCHKEEPER_LOGS__PATH": log.name}
    (term,) = find_sql("请执行 SELECT tag FROM events WHERE area = '泵间'?")
    assert term.kind == "sql" and term.value == "SELECT tag FROM events WHERE area = '泵间'"
    assert find_sql("Please select a pump from the list") == []
    assert find_sql("循环变频故障最近三天有没有?") == []
    (offered,) = SqlTool(load_env(home)).tools()
    assert offered.asked is not None and offered.asked("SELECT tag FROM events") and not offered.asked("有几次?")
    view = TurnView("?", "zh", datetime(2024, 12, 15), None)
    assert len(offered.run({"query": term.value}, view).records) == 2
    env: Env = load_env({**home, "WATCHKEEPER_LOGS__SQL": "true"})
    (written,) = SqlTool(env).tools()
    assert written.asked is None and not written.cues and not written.examples
    assert "Shift Team" in written.description and len(written.description) < 600
    assert len(describe(log)) < 500
