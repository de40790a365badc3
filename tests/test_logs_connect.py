"""Connecting to a plant's own database: the guess is shown, kept only when told, and a password never is."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from agent.env import Env, load_env
from agent.errors import DatabaseError, InputError
from agent.settings import LogSettings
from plugins import logs
from plugins.logs.connecting import guess_mapping, keep_mapping, place_of_log
from plugins.logs.database import Filter, LogDatabase
from tests.servers.postgres import PostgresMissing, running_postgres

SHAPES = {
    "english": "EvtTimeStamp TEXT, TagName TEXT, Msg_Text TEXT, Severity INTEGER, AckState TEXT, PlantArea TEXT,"
    " RtnTime TEXT",
    "german": "Zeitpunkt TEXT, Messstelle TEXT, Meldetext TEXT, Prio INTEGER, Zustand TEXT, Bereich TEXT, Ende TEXT",
    "chinese": "发生时间 TEXT, 位号 TEXT, 报警内容 TEXT, 级别 TEXT, 状态 TEXT, 区域 TEXT, 恢复时间 TEXT",
}


def command(env: Env, *words: str) -> Result:
    cli = typer.Typer()

    @cli.callback()
    def root(context: typer.Context) -> None:
        context.obj = env

    logs.register_commands(cli)
    return CliRunner().invoke(cli, ["logs", *words])


@pytest.mark.parametrize("shape", SHAPES)
def test_columns_in_three_languages(tmp_path: Path, shape: str) -> None:
    """Every one of our columns is found, beside tables that are none of it; then questions work."""
    with closing(sqlite3.connect(tmp_path / "plant.db")) as plant, plant:
        plant.execute("CREATE TABLE users (id INTEGER, name TEXT, created_at TEXT)")
        plant.execute(f"CREATE TABLE history ({SHAPES[shape]})")
        plant.execute("CREATE TABLE trend (ts INTEGER, point TEXT, val REAL, unit TEXT)")
        plant.execute(
            "INSERT INTO history VALUES ('2024-12-14 03:12:00', 'P1', 'x', 2, 'on', 'A', '2024-12-14 03:42:00')"
        )
        plant.execute("INSERT INTO trend VALUES (1734145920, 'T1', 20.5, '°C')")
    guess = guess_mapping(str(tmp_path / "plant.db"), LogSettings())
    assert set(guess.settings["columns"]) == {"time", "tag", "text", "priority", "state", "area", "cleared"}
    assert guess.settings["table"] == "history" and guess.settings["series_table"] == "trend"
    assert guess.events[0]["text"] == "x" and guess.values[0]["value"] == "20.5" and guess.others == ("users",)
    settings = LogSettings.model_validate(guess.settings)
    log = LogDatabase(tmp_path / "plant.db", settings)
    now = datetime(2024, 12, 15)
    event = log.events(Filter(area="A"), now=now, limit=1)[0][0]
    assert (event.tag, event.lasted_seconds) == ("P1", 1800.0)
    assert log.points("T1", None, now=now).values.tolist() == [20.5]


def test_the_command(tmp_path: Path) -> None:
    """Without --yes nothing is written; with it [logs] is replaced and the rest of the file stays."""
    with closing(sqlite3.connect(tmp_path / "plant.db")) as plant, plant:
        plant.execute(f"CREATE TABLE history ({SHAPES['english']})")
        plant.execute("INSERT INTO history VALUES ('2024-12-14 03:12:00', 'P1', 'trip', 2, 'on', 'A', NULL)")
    env = load_env({"WATCHKEEPER_HOME": str(tmp_path / "home")})
    env.home.config.write_text(
        '# mine\n[logs]\nmax_rows = 7\ntable = "old"\n[logs.columns]\ntime = "t"\n\n[plant]\nname = "厂"\n'
    )
    before = env.home.config.read_text()
    said = command(env, "connect", str(tmp_path / "plant.db"))
    assert "text = Msg_Text" in said.stdout and "trip" in said.stdout and "--yes" in said.stdout
    assert env.home.config.read_text() == before
    kept = json.loads(command(env, "connect", str(tmp_path / "plant.db"), "--yes", "--json").stdout)
    assert kept["kept"] and kept["table"] == "history"
    again = load_env({"WATCHKEEPER_HOME": str(tmp_path / "home")})
    assert again.settings.logs.max_rows == 7 and again.settings.plant.name == "厂"
    assert again.settings.logs.columns["time"] == "EvtTimeStamp"
    assert "# mine" in env.home.config.read_text()
    answer = command(again, "sql", "SELECT tag, text FROM events")
    assert "tag = P1, text = trip" in answer.stdout
    findings = {finding.name: finding for finding in logs.check_health(again)}
    assert findings["alarm log, read only"].ok and "query_only" in findings["alarm log, read only"].text


def test_what_cannot_be_connected(tmp_path: Path) -> None:
    """No file, no database, no table with times: one line; a settings file that is not sound stays as it is."""
    with pytest.raises(InputError, match="no such file, and no address"):
        guess_mapping(str(tmp_path / "none.db"), LogSettings())
    (tmp_path / "text.db").write_text("x" * 5_000)
    with pytest.raises(DatabaseError, match="not a SQLite file"):
        guess_mapping(str(tmp_path / "text.db"), LogSettings())
    with closing(sqlite3.connect(tmp_path / "users.db")) as other, other:
        other.execute("CREATE TABLE users (id INTEGER, name TEXT)")
    with pytest.raises(DatabaseError, match="no table has a time and a tag or text; found users"):
        guess_mapping(str(tmp_path / "users.db"), LogSettings())
    with closing(sqlite3.connect(tmp_path / "plant.db")) as plant, plant:
        plant.execute(f"CREATE TABLE history ({SHAPES['german']})")
    guess = guess_mapping(str(tmp_path / "plant.db"), LogSettings())
    (tmp_path / "bad.toml").write_text("[logs\n")
    with pytest.raises(InputError, match="not valid TOML"):
        keep_mapping(guess, tmp_path / "bad.toml")
    assert (tmp_path / "bad.toml").read_text() == "[logs\n" and not (tmp_path / "bad.toml.new").exists()
    with pytest.raises(DatabaseError, match="no table nowhere"):
        guess_mapping(str(tmp_path / "plant.db"), LogSettings(), table="nowhere")


def test_a_password_in_the_address_is_not_kept() -> None:
    """It is used for this run, taken out of what is written, and the person is told where it belongs."""
    settings, kept, note = place_of_log("postgresql://reader:s3cr:et@db/plant", LogSettings())
    assert settings.password == "s3cr:et" and kept == {"url": "postgresql://reader@db/plant"}
    assert "WATCHKEEPER_LOGS__PASSWORD" in note and "s3cr" not in repr(settings)


def test_a_server() -> None:
    """A real server: tables of other schemas too, with the password in the address."""
    try:
        with running_postgres() as server:
            server.execute(
                "CREATE SCHEMA scada",
                'CREATE TABLE scada.alarm_history ("EventTime" timestamptz, "TagName" text, "Message" text, prio int)',
                "INSERT INTO scada.alarm_history VALUES ('2024-12-14 03:12+08', 'P1', 'trip', 2)",
                "CREATE TABLE wide (ts timestamp, flow real, temp real)",
            )
            url = server.url().replace("postgres@", f"postgres:{server.password}@")
            guess = guess_mapping(url, LogSettings())
            assert guess.settings["table"] == "scada.alarm_history" and guess.settings["series_columns"] == {
                "time": "ts"
            }
            assert server.password not in repr(guess)
            log = LogDatabase(Path("x"), LogSettings.model_validate({**guess.settings, "password": server.password}))
            assert log.events(Filter(tag="P1"), now=datetime(2024, 12, 15), limit=1)[0][0].text == "trip"
    except PostgresMissing as missing:
        pytest.skip(f"no PostgreSQL server here: {missing}")
