"""Tables of every make are read as they were meant, or refused in one line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.env import Env, load_env
from agent.errors import DatabaseError, InputError
from plugins.maintenance.machines import load_sheets
from plugins.maintenance.readings import read_readings
from plugins.maintenance.sources import read_file
from plugins.maintenance.table_file import read_table, uniform_rate
from plugins.maintenance.values import Signal, Wave
from plugins.maintenance.zones import load_zones
from tests.wave_drawings import SETTINGS, shaking

FIRST = (datetime(2024, 3, 31, 14, 5, 6) - datetime(1970, 1, 1)).total_seconds()


def table(tmp_path: Path, text: str, encoding: str = "utf-8") -> list[Signal]:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))
    return read_table(path, SETTINGS)


@pytest.mark.parametrize(
    ("stamp", "later"),
    [
        ("2024-03-31 14:05:06", "2024-03-31 14:06:06"),
        ("2024-03-31T14:05:06Z", "2024-03-31T14:06:06Z"),
        ("2024/3/31 14:05:06", "2024/3/31 14:06:06"),
        ("31.03.2024 14:05:06", "31.03.2024 14:06:06"),
        ("3/31/2024 2:05:06 PM", "3/31/2024 2:06:06 PM"),
        ("31/3/2024 14:05:06", "31/3/2024 14:06:06"),
        ("2024年3月31日 14:05:06", "2024年3月31日 14:06:06"),
    ],
)
def test_dates_of_every_country(tmp_path: Path, stamp: str, later: str) -> None:
    """The same instant, however it was written."""
    (signal,) = table(tmp_path, f"time,PT-1 [bar]\n{stamp},1.5\n{later},1.6\n")
    assert signal.times.tolist() == [FIRST, FIRST + 60]
    assert (signal.name, signal.unit, signal.values.tolist()) == ("PT-1", "bar", [1.5, 1.6])


def test_a_date_with_two_meanings_is_refused(tmp_path: Path) -> None:
    """03/04 may be March or April: nothing is guessed where the order of rows does not tell either."""
    with pytest.raises(InputError, match="day or month first"):
        table(tmp_path, "time,a\n03/04/2024 10:00,1\n03/04/2024 10:01,2\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_separators_and_decimal_commas(tmp_path: Path, encoding: str) -> None:
    """A Chinese export with semicolons and decimal commas gives its numbers."""
    (signal,) = table(tmp_path, "时间;供水温度(℃)\n2024-03-31 14:05:06;61,5\n2024-03-31 14:06:06;62,5\n", encoding)
    assert (signal.name, signal.unit, signal.values.tolist()) == ("供水温度", "℃", [61.5, 62.5])


def test_a_long_table_is_taken_apart_by_tag(tmp_path: Path) -> None:
    """Columns tag and value give a signal for each tag."""
    rows = "".join(f"2024-03-31 14:0{i}:00,{tag},{i}\n" for i in range(5) for tag in ("A", "B"))
    signals = table(tmp_path, "time,tag,value\n" + rows)
    assert {s.name: s.values.tolist() for s in signals} == {"A": [0, 1, 2, 3, 4], "B": [0, 1, 2, 3, 4]}


def test_what_cannot_be_read_is_counted(tmp_path: Path) -> None:
    """Bad cells are left out and counted, empty ones are no readings, NaN stays to be flagged."""
    text = "time,a\n" + "".join(f"2024-03-31 14:0{i}:00,{v}\n" for i, v in enumerate(["1", "2", "bad", "", "nan", "6"]))
    (signal,) = table(tmp_path, text)
    assert signal.skipped == 1
    assert len(signal.values) == 4 and np.isnan(signal.values).sum() == 1


def test_of_a_long_table_the_last_rows_are_taken(tmp_path: Path) -> None:
    """Memory is bounded by the settings, and the newest readings are the ones that stay."""
    path = tmp_path / "t.csv"
    path.write_text("t,a\n" + "".join(f"{i},{i}\n" for i in range(5_000)))
    (signal,) = read_table(path, SETTINGS.model_copy(update={"series_rows": 1_000}))
    assert (signal.values[0], signal.values[-1], len(signal.values)) == (4_000, 4_999, 1_000)


def test_a_fast_table_of_vibration_is_a_recording(env: Env, tmp_path: Path) -> None:
    """Uniform samples in m/s² get a spectrum; the same numbers in °C stay a series."""
    values = shaking("good", seconds=1)[:4_000]
    for unit, kind in (("m/s2", Wave), ("°C", Signal)):
        path = tmp_path / "v.csv"
        path.write_text(f"t,a [{unit}]\n" + "".join(f"{i / 20_000:.5f},{v}\n" for i, v in enumerate(values)))
        (signal,) = read_file(path, env)
        assert isinstance(signal, kind)


def test_uneven_steps_are_no_rate() -> None:
    """A missing sample makes a table no uniform recording."""
    times = np.delete(np.arange(200) / 100, 77)
    assert uniform_rate(Signal("x", "g", times, times)) == 0
    assert uniform_rate(Signal("x", "g", np.arange(200) / 100, times)) == pytest.approx(100)


@pytest.mark.parametrize("rate", [-1.0, float("nan"), float("inf")])
def test_a_rate_that_makes_no_sense_is_refused(tmp_path: Path, rate: float) -> None:
    """No frequencies are computed from a negative rate."""
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n2\n")
    with pytest.raises(InputError, match="--rate"):
        read_table(path, SETTINGS, rate=rate)


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_bytes_break_the_table(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Any file is read or refused."""
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    path.write_bytes(data)
    try:
        signals = read_table(path, SETTINGS)
    except InputError:
        return
    assert all(len(signal.times) == len(signal.values) for signal in signals)


def readings(path: Path, rows: list[tuple[object, ...]]) -> None:
    with closing(sqlite3.connect(path)) as log, log:
        log.execute("CREATE TABLE readings (id INTEGER PRIMARY KEY, time, tag, value REAL, unit, wall REAL)")
        log.executemany("INSERT INTO readings (time, tag, value, unit, wall) VALUES (?, ?, ?, ?, ?)", rows)


def test_readings_of_the_log(env: Env) -> None:
    """Those of the tags and the span that were asked for, by wall clock; rows without a value are counted."""
    stamp = "2024-03-31T14:05:06+08:00"
    readings(
        env.log_path,
        [
            (stamp, "TT-1", 61.0, "°C", FIRST),
            (stamp, "TT-1", None, "", FIRST + 1),
            ("x", "TT-1", 62.0, "", FIRST + 9e9),
        ],
    )
    (signal,) = read_readings(env, ["TT-1"], FIRST - 10, FIRST + 10)
    assert (signal.times.tolist(), signal.values.tolist(), signal.unit, signal.skipped) == ([FIRST], [61.0], "°C", 1)
    assert read_readings(env, ["none'; DROP TABLE readings"], 0, 2e9) == []


def test_readings_of_a_table_of_another_make(env: Env) -> None:
    """Without our column of wall clock, the time is taken as it was written."""
    with closing(sqlite3.connect(env.log_path)) as log, log:
        log.execute("CREATE TABLE readings (time, tag, value)")
        log.execute("INSERT INTO readings VALUES ('2024-03-31T14:05:06+08:00', 'TT-1', 61.0), ('soon', 'TT-1', 1.0)")
    (signal,) = read_readings(env, [], FIRST - 10, FIRST + 10)
    assert (signal.times.tolist(), signal.skipped) == ([FIRST], 1)


def test_a_log_that_is_no_database_is_one_line(env: Env) -> None:
    """Missing or broken: a clear error."""
    with pytest.raises(DatabaseError, match="no such log"):
        read_readings(env, ["a"], 0, 1)
    env.log_path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(DatabaseError, match="cannot be read"):
        read_readings(env, ["a"], 0, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[machine]]\nname = 'a'\n[[machine]]\nname = 'a'", "stands twice"),
        ("[[machine]]\nname = 'a'\nspeed = 3", "speed"),
        ("[[machine]]\nname = 'a'\nspeed_rpm = -3", "greater than or equal"),
        ("[[machine]]\nname='a'\nbearing = { elements = 9, element_mm = 40, pitch_mm = 39 }", "less than pitch_mm"),
        ("[[machine]]\nname='a'\n[[machine.signal]]\nunit='g'", "either a file or a tag"),
        ("[[machine", "no TOML"),
    ],
)
def test_a_wrong_data_sheet_names_its_fault(tmp_path: Path, text: str, message: str) -> None:
    """Nothing is computed from a data sheet that makes no sense."""
    path = tmp_path / "machines.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_sheets(path, SETTINGS)


def test_the_zones_are_told_with_where_they_are_from() -> None:
    """The shipped table rises, and says that it has to be checked."""
    zones = load_zones(SETTINGS)
    assert "check" in zones.note.en
    assert [zones.classes[0].zone(v) for v in (0.0, 3.0, 5.0, 50.0)] == ["A", "B", "C", "D"]


def test_a_folder_and_an_unknown_kind_are_refused(tmp_path: Path) -> None:
    """One line says what can be given."""
    env = load_env({"WATCHKEEPER_HOME": str(tmp_path / "home")})
    (tmp_path / "x.xyz").write_text("a")
    for path, message in ((tmp_path, "no such file"), (tmp_path / "x.xyz", "is no .wav")):
        with pytest.raises(InputError, match=message):
            read_file(path, env)
