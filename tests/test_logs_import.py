"""Importing CSV exports: every usable row once, the odd ones counted, whatever the alarm system wrote."""

from __future__ import annotations

import json
import runpy
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import typer
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from agent.env import Env, load_env
from agent.errors import DatabaseError, InputError
from agent.settings import LogSettings
from plugins import logs
from plugins.logs.importing import ImportReport, import_csv
from plugins.logs.stamps import find_date_order, read_stamp

EXAMPLE = Path(__file__).parent.parent / "deploy" / "example"


def bring(tmp_path: Path, text: str | bytes, **options: str) -> ImportReport:
    source = tmp_path / "in.csv"
    source.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_csv(source, tmp_path / "log.db", LogSettings(max_line_chars=2_000), **options)


def rows(tmp_path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(tmp_path / "log.db")) as log:
        return log.execute("SELECT time, tag, text, priority, state, area, cleared FROM events ORDER BY id").fetchall()


def test_chinese_headings(tmp_path: Path) -> None:
    """Columns are found by their Chinese headings; the rows are kept as they are."""
    report = bring(
        tmp_path,
        "时间,位号,报警内容,级别,状态,区域,恢复时间\n2024-12-14 03:12,P1,故障,高,已恢复,泵间,2024-12-14 03:30\n",
    )
    assert report.columns["cleared"] == "恢复时间" and report.columns["time"] == "时间"
    assert rows(tmp_path) == [("2024-12-14 03:12:00", "P1", "故障", "高", "已恢复", "泵间", "2024-12-14 03:30:00")]


def test_english_headings_and_american_dates(tmp_path: Path) -> None:
    """A month-first export without a text column is read, and the report says what it made of it."""
    head = "Time / Date,Tag,Priority,Type,Alarm State,Area\n"
    report = bring(
        tmp_path, head + "6/30/2026 14:45,FO_1,500,Digital,Acked,East\n6/1/2026 9:05,FO_2,500,Digital,Active,East\n"
    )
    assert report.order == "mdy" and report.added == 2
    assert [row[0] for row in rows(tmp_path)] == ["2026-06-30 14:45:00", "2026-06-01 09:05:00"]
    assert rows(tmp_path)[0][1:3] == ("FO_1", "FO_1")
    assert "no column says what happened; the tag is taken as the text" in report.notes
    assert "kept as further columns: Type" in report.notes


def test_importing_twice_adds_nothing(tmp_path: Path) -> None:
    """The same rows again are known; a row that has cleared since is brought up to date, not doubled."""
    head = "time,tag,text,state,cleared\n"
    bring(tmp_path, head + "2024-12-14 03:12,P1,fault,active,\n2024-12-14 04:00,P2,fault,active,\n")
    report = bring(
        tmp_path, head + "2024-12-14 03:12,P1,fault,cleared,2024-12-14 03:30\n2024-12-14 04:00,P2,fault,active,\n"
    )
    assert (report.added, report.updated, report.known) == (0, 1, 1)
    assert [(row[1], row[4], row[6]) for row in rows(tmp_path)] == [
        ("P1", "cleared", "2024-12-14 03:30:00"),
        ("P2", "active", None),
    ]


def test_odd_rows_are_counted(tmp_path: Path) -> None:
    """A row without time, without name, or too long is left out, counted, and named by its line; the rest goes in."""
    lines = ["time,tag,text", "2024-12-14 03:12,P1,ok", "yesterday,P1,x", "2024-13-40 03:12,P1,x", "2024-12-14 03:13,,"]
    report = bring(
        tmp_path, "\n".join([*lines, "2024-12-14 03:14,P1," + "x" * 5_000, "", "2024-12-14 03:15,P2,ok\x00"])
    )
    assert report.added == 2
    assert report.odd == {"time missing or not understood": 2, "neither tag nor text": 1, "line too long": 1}
    assert report.examples["time missing or not understood"] == [3, 4]
    assert rows(tmp_path)[1][2] == "ok"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_encodings_and_separators(tmp_path: Path, encoding: str, mark: str) -> None:
    """UTF-8, GBK and UTF-16, with commas, semicolons or tabs."""
    text = (
        mark.join(("时间", "位号", "报警内容")) + "\n" + mark.join(("2024/12/14 3:12:05", "P1", "循环变频故障")) + "\n"
    )
    bring(tmp_path, text.encode(encoding))
    assert rows(tmp_path)[0][:3] == ("2024-12-14 03:12:05", "P1", "循环变频故障")


def test_time_zone(tmp_path: Path) -> None:
    """Times without offset get the one of --tz; times with one keep it."""
    bring(tmp_path, "time,tag,text\n2024-12-14 03:12,P1,a\n2024-12-14T03:12:00Z,P1,b\n", zone="Asia/Shanghai")
    assert [row[0] for row in rows(tmp_path)] == ["2024-12-14 03:12:00+08:00", "2024-12-14 03:12:00+00:00"]
    with pytest.raises(InputError, match="no such time zone"):
        bring(tmp_path, "time,tag,text\n", zone="Mars/Olympus")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("a,b,c\n1,2,3\n", "no column is the time"),
        ("time,colour\n2024-12-14,red\n", "no column is the tag or text"),
        (b"time,tag\n\xff\x81\xff", "neither UTF-8 nor GB18030"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str | bytes, said: str) -> None:
    """One clear line that names the file, and no log is made."""
    with pytest.raises(InputError, match=said):
        bring(tmp_path, text)
    assert not (tmp_path / "log.db").exists()


def test_the_plants_own_database_is_not_touched(tmp_path: Path) -> None:
    """A database with another events table is refused; so is a file that is no database."""
    with closing(sqlite3.connect(tmp_path / "log.db")) as log:
        log.execute("CREATE TABLE events (a, b)")
    with pytest.raises(DatabaseError, match="not ours"):
        bring(tmp_path, "time,tag,text\n2024-12-14 03:12,P1,a\n")
    (tmp_path / "log.db").write_bytes(b"no database" * 100)
    with pytest.raises(DatabaseError, match="nothing was imported"):
        bring(tmp_path, "time,tag,text\n2024-12-14 03:12,P1,a\n")


def test_stamps() -> None:
    """Day and month are told apart by the file, and only assumed where it leaves them open."""
    assert find_date_order(["1/2/2024 1:00", "13/2/2024 1:00"]) == ("dmy", False)
    assert find_date_order(["1/2/2024", "1/13/2024"]) == ("mdy", False)
    assert find_date_order(["1.2.2024"]) == ("dmy", True)
    assert find_date_order(["2024-01-02"]) == ("ymd", False)
    assert read_stamp("2024年12月15日 20:49:48", "ymd", None) == "2024-12-15 20:49:48"
    assert read_stamp("12/15/24 8:49 PM", "mdy", None) == "2024-12-15 20:49:00"
    assert read_stamp("2024-12-15 下午8:49", "ymd", None) == "2024-12-15 20:49:00"
    assert read_stamp("12/15/24 12:05 AM", "mdy", None) == "2024-12-15 00:05:00"
    assert read_stamp("2024-02-30", "ymd", None) is None
    assert read_stamp("soon", "ymd", None) is None


@given(st.binary(max_size=600), st.booleans())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_imported_or_refused(tmp_path: Path, junk: bytes, headed: bool) -> None:
    """Any bytes end in a report that accounts for them or in one clear line."""
    try:
        report = bring(tmp_path, (b"time,tag,text\n2024-12-14 03:12,P1,a\n" if headed else b"") + junk)
    except InputError as error:
        assert "\n" not in str(error).split("(headings:")[0]
        return
    assert report.added + report.known + report.updated >= 0


@given(st.text(max_size=80))
def test_any_stamp_is_a_time_or_none(text: str) -> None:
    """No text breaks the reading of times."""
    for order in ("ymd", "mdy", "dmy"):
        read_stamp(text, order, None)  # type: ignore[arg-type]


def test_the_example_file_is_what_its_script_writes(tmp_path: Path) -> None:
    """alarms.csv in the example plant is the seeded script's output, byte for byte."""
    script = tmp_path / "make_alarms.py"
    script.write_bytes((EXAMPLE / "make_alarms.py").read_bytes())
    runpy.run_path(str(script), run_name="__main__")
    assert (tmp_path / "alarms.csv").read_bytes() == (EXAMPLE / "alarms.csv").read_bytes()


@pytest.fixture
def blank(tmp_path: Path) -> Env:
    return load_env(
        {"WATCHKEEPER_HOME": str(tmp_path / "home"), "WATCHKEEPER_CONFIG": str(EXAMPLE / "watchkeeper.toml")}
    )


def command(env: Env, *words: str) -> Result:
    cli = typer.Typer()

    @cli.callback()
    def root(context: typer.Context) -> None:
        context.obj = env

    logs.register_commands(cli)
    return CliRunner().invoke(cli, ["logs", *words])


def test_commands(blank: Env) -> None:
    """import, the latest, recent, similar and count answer for people and as JSON."""
    assert "248 added" in command(blank, "import", str(EXAMPLE / "alarms.csv")).stdout
    assert json.loads(command(blank, "import", str(EXAMPLE / "alarms.csv"), "--json").stdout)["known"] == 248
    assert len(json.loads(command(blank, "--json").stdout)["events"]) == 20
    similar = json.loads(command(blank, "similar", "循环变频故障", "--since", "3d", "--json").stdout)
    assert (similar["total"], similar["start"]) == (3, "2024-12-12T20:50:00")
    assert command(blank, "count", "循环变频故障", "--since", "最近三天").stdout.strip().endswith(": 3")
    assert json.loads(command(blank, "count", "没有这个报警", "--json").stdout)["total"] == 0
    recent = json.loads(command(blank, "recent", "--since", "2024-12-12", "--area", "补水间", "--json").stdout)
    assert {event["area"] for event in recent["events"]} == {"补水间"} and recent["total"] == 2
    assert isinstance(command(blank, "recent", "--since", "soon").exception, InputError)
    assert isinstance(command(blank, "import", "none.csv").exception, InputError)
    assert "Example:" in command(blank, "similar", "--help").stdout
