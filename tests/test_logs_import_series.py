"""Importing what plants really export: mixed encodings, summer time, decimal commas, signals; all of it or nothing."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import DatabaseError, InputError
from agent.settings import LogSettings
from plugins.logs.database import LogDatabase
from plugins.logs.figures import find_point, read_number, unit_of
from plugins.logs.importing import ImportReport, import_csv
from plugins.logs.stamps import StampReader

NOW = datetime(2025, 6, 1, tzinfo=UTC)


def bring(tmp_path: Path, text: str | bytes, name: str = "in.csv", **options: str) -> ImportReport:
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_csv(tmp_path / name, tmp_path / "log.db", LogSettings(), **options)


def log_of(tmp_path: Path) -> LogDatabase:
    return LogDatabase(tmp_path / "log.db", LogSettings())


def texts(tmp_path: Path) -> list[str]:
    with closing(sqlite3.connect(tmp_path / "log.db")) as log:
        return [row[0] for row in log.execute("SELECT text FROM events ORDER BY id")]


def test_encodings_line_by_line(tmp_path: Path) -> None:
    """UTF-8, GBK and Windows-1252 in one file: every line is read as what it is, and the report counts them."""
    lines = [b"time,tag,text", "2024-01-01,A,循环变频故障".encode(), "2024-01-02,B,补水泵故障".encode("gbk"),
             "2024-01-03,C,Überdruck 5 °C".encode("cp1252"), b"2024-01-04,D,plain",
             "2024-01-05,E,液位低".encode("gb18030")]  # fmt: skip
    report = bring(tmp_path, b"\n".join(lines) + b"\n2024-01-06,F,\xff\xfe\xfd\n")
    assert texts(tmp_path) == ["循环变频故障", "补水泵故障", "Überdruck 5 °C", "plain", "液位低"]
    assert "gb18030 (2 lines)" in report.encoding and "cp1252 (1 lines)" in report.encoding
    assert report.odd == {"text neither UTF-8 nor GB18030": 1}


def test_summer_time(tmp_path: Path) -> None:
    """The hour that came twice is told apart by the order of rows, the one that never came is told."""
    hours = [
        "2024-10-27 01:30",
        "2024-10-27 02:10",
        "2024-10-27 02:50",
        "2024-10-27 02:20",
        "2024-10-27 03:10",
        "2024-03-31 02:30",
    ]
    report = bring(
        tmp_path, "time,tag,text\n" + "".join(f"{hour},A{i},x\n" for i, hour in enumerate(hours)), zone="Europe/Berlin"
    )
    with closing(sqlite3.connect(tmp_path / "log.db")) as log:
        shown = [row[0][-6:] for row in log.execute("SELECT time FROM events ORDER BY id")]
    assert shown == ["+02:00", "+02:00", "+02:00", "+01:00", "+01:00", "+01:00"]
    assert sorted(report.odd.values()) == [1, 3]
    assert any("twice" in reason for reason in report.odd) and any("left out" in reason for reason in report.odd)


def test_european_signals(tmp_path: Path) -> None:
    """Semicolons, decimal commas, days first, units in headings, gaps: numbers as they were meant."""
    report = bring(
        tmp_path,
        "Datum;Zeit;Vorlauf (°C);Druck [bar];Schicht\n"
        "31.12.2023;23:58:00;71,5;1.013,25;F\n31.12.2023;23:59:00;;1.013,5;F\n01.01.2024;00:00:00;-0,5;998,75;S\n",
    )
    assert report.kind == "events" or report.signals == ["Druck", "Vorlauf"]
    log = log_of(tmp_path)
    assert [(s.tag, s.unit, s.count) for s in log.signals()] == [("Druck", "bar", 3), ("Vorlauf", "°C", 2)]
    assert log.points("Druck", None, now=NOW).values.tolist() == [1013.25, 1013.5, 998.75]
    assert log.points("Vorlauf", None, now=NOW).values.tolist() == [71.5, -0.5]
    assert report.odd == {"value missing": 1} and report.order == "dmy"


def test_signals_out_of_order_with_doubled_stamps(tmp_path: Path) -> None:
    """Rows are put in order, equal stamps stay, and the report says both; a second import changes nothing."""
    values = ("00:10:00,3", "00:00:00,1", "00:00:00,2", "00:20:00,nan")
    rows = "timestamp,value\n" + "".join(f"2024-01-01 {value}\n" for value in values)
    report = bring(tmp_path, rows, "pump_7.csv")
    assert report.signals == ["pump_7"] and report.added == 3
    assert report.odd == {"before the row above it; rows are put in order of time": 1, "value missing": 1}
    assert "1 times stand in more than one row; every row was kept" in report.notes
    points = log_of(tmp_path).points("pump_7", None, now=NOW)
    assert points.values.tolist() == [1, 2, 3] and points.total == 3
    again = bring(tmp_path, rows, "pump_7.csv")
    assert (again.added, again.known) == (0, 3) and log_of(tmp_path).signals()[0].count == 3
    longer = bring(tmp_path, rows + "2024-01-01 00:30:00,9\n", "pump_7.csv")
    assert longer.added == 1 and log_of(tmp_path).points("pump_7", None, now=NOW).values.tolist() == [1, 2, 3, 9]


def test_lists_of_values(tmp_path: Path) -> None:
    """A tag and a value in every row; seconds and milliseconds since 1970 are times too."""
    report = bring(
        tmp_path,
        "timestamp,point,val,unit\n1704067200,T1,20.5,K\n1704067260000,T1,21,K\n1704067200,T2,oops,K\n"
        + "1704067200,T3,1,K\n" * 9,
    )
    assert report.kind == "values" and report.odd == {"value is no number": 1}
    signal = log_of(tmp_path).signals()[0]
    assert (signal.tag, signal.unit, signal.first, signal.last) == ("T1", "K", 1704067200.0, 1704067260.0)


def test_nothing_is_left_of_an_import_that_fails(tmp_path: Path) -> None:
    """An import that ends in the middle leaves the log as it was, and the next one brings everything."""
    bring(tmp_path, "time,tag,text\n2024-01-01,A,x\n")
    rows = "time,tag,text\n" + "".join(f"2024-01-02 00:00:{i % 60:02},B{i},y\n" for i in range(60_000))
    (tmp_path / "big.csv").write_text(rows)

    def stop(done: int, size: int, count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_csv(tmp_path / "big.csv", tmp_path / "log.db", LogSettings(), told=stop)
    assert log_of(tmp_path).span()[2] == 1
    seen: list[tuple[int, int, int]] = []
    import_csv(tmp_path / "big.csv", tmp_path / "log.db", LogSettings(), told=lambda *what: seen.append(what))
    assert log_of(tmp_path).span()[2] == 60_001 and seen and seen[-1][0] <= seen[-1][1]


def test_killed_in_the_middle(tmp_path: Path) -> None:
    """A process that is killed while it writes leaves the log as it was."""
    bring(tmp_path, "time,tag,text\n2024-01-01,A,x\n")
    (tmp_path / "big.csv").write_text("time,tag,text\n" + "".join(f"2024-01-02,B{i},y\n" for i in range(50_000)))
    program = (
        "import os, sys; from pathlib import Path; from agent.settings import LogSettings;"
        "from plugins.logs.importing import import_csv;"
        "import_csv(Path(sys.argv[1]), Path(sys.argv[2]), LogSettings(), told=lambda *x: os._exit(9))"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "big.csv", tmp_path / "log.db"], check=False)
    assert done.returncode == 9 and log_of(tmp_path).span()[2] == 1


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """A file many times larger than another one needs no more memory."""
    program = (
        "import json, resource, sys; from pathlib import Path; from agent.settings import LogSettings;"
        "from plugins.logs.importing import import_csv;"
        "import_csv(Path(sys.argv[1]), Path(sys.argv[2]), LogSettings());"
        "print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))"
    )
    peaks = []
    for rows in (20_000, 120_000):
        source = tmp_path / f"{rows}.csv"
        with source.open("w") as file:
            file.write("time,tag,text\n")
            for i in range(rows):
                at = datetime(2024, 1, 1) + timedelta(seconds=i)
                file.write(f"{at},T{i % 400},text {i % 900}\n")
        done = subprocess.run(
            [sys.executable, "-c", program, source, tmp_path / f"{rows}.db"], capture_output=True, check=True
        )
        peaks.append(json.loads(done.stdout))
    assert peaks[1] - peaks[0] < 40_000, f"{peaks} KiB"


def test_a_disk_that_is_too_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may not fit is refused before anything is written."""
    usage = type("usage", (), {"free": 10})
    monkeypatch.setattr("plugins.logs.importing.shutil.disk_usage", lambda path: usage)
    with pytest.raises(DatabaseError, match=r"may be needed on this disk"):
        bring(tmp_path, "time,tag,text\n2024-01-01,A,x\n")
    assert not (tmp_path / "log.db").exists()


def test_hostile_quotes(tmp_path: Path) -> None:
    """An open quotation mark swallows lines up to the limit and no further; what can be read is read."""
    report = bring(tmp_path, 'time,tag,text\n2024-01-01,A,"open\n' + "2024-01-02,B,x\n" * 10_000)
    assert report.added + sum(report.odd.values()) >= 1
    with pytest.raises(InputError, match="no column is the time"):
        bring(tmp_path, '"time,tag,text\n2024-01-01,A,x\n')


@pytest.mark.parametrize(
    ("text", "point", "number"),
    [
        ("1234.5", ".", 1234.5), ("1,234.5", ".", 1234.5), ("1.234,5", ",", 1234.5), ("3,14", ",", 3.14),
        ("−5", ".", -5.0), ("1.2E-3", ".", 0.0012), ("1 234,5", ",", 1234.5), ("1'234.5", ".", 1234.5),
        ("3,14", ".", None), ("", ".", None), ("12:30", ".", None), ("0x10", ".", None), ("1e999", ".", None),
        ("nan", ".", None), ("1,2,3", ",", None),
        ("1.5", ",", None), ("１２", ".", None), ("1.234", ",", 1234.0), ("1,234", ".", 1234.0),
    ],
)  # fmt: skip
def test_numbers(text: str, point: str, number: float | None) -> None:
    """A number is what its file means by it, or none; never another one."""
    assert read_number(text, point) == number  # type: ignore[arg-type]


def test_decimal_points() -> None:
    """Cells without doubt decide; where none does, it is assumed and said."""
    assert find_point(["1,234", "3,1"], ";") == (",", False)
    assert find_point(["1,234", "3.1"], ";") == (".", False)
    assert find_point(["1,234"], ";") == (",", True)
    assert find_point(["1.234,5"], ",") == (",", False)
    assert find_point(["12", "-"], ",") == (".", False)
    assert unit_of("Flow (m³/h)") == ("Flow", "m³/h") and unit_of("Flow") == ("Flow", "")


@given(st.text(max_size=30), st.sampled_from([".", ","]))
def test_any_cell_is_a_finite_number_or_none(text: str, point: str) -> None:
    """Nothing breaks the reading of numbers."""
    number = read_number(text, point)  # type: ignore[arg-type]
    assert number is None or abs(number) < float("inf")


@given(st.text(max_size=40))
def test_any_stamp_is_read_or_refused(text: str) -> None:
    """Nothing breaks the reading of times, in no zone's winter or summer."""
    StampReader("dmy", None).read(text)
