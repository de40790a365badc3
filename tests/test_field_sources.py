"""Where figures come from: a station's file, a log, a sensor on MQTT or Modbus, all by the same way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.env import Env, load_env
from agent.errors import InputError
from agent.plugin_host import PluginHost, load_plugins
from agent.settings import FieldSettings
from agent.tools import TurnView
from agent.values import ToolResult
from plugins import field, logs, maintenance
from plugins.devices.plugin import plugin as devices
from plugins.field.sheet import load_sheet
from plugins.logs.importing import import_csv
from tests.field_kit import EXAMPLE, NOW, add_manuals
from tests.servers.modbus import running_modbus
from tests.servers.mosquitto import Mosquitto, MosquittoMissing, running_mosquitto
from tests.servers.mqtt_peer import Peer, until
from tests.servers.process import ServerMissing

RULE = "# 灌溉规定\n\n第一条 土壤湿度高于 28 % 时,不得灌溉。\n\n第二条 水温在 5 ℃ 至 35 ℃ 之间方可灌溉。\n"
SHEET = """
[[figure]]
names = ["土壤湿度", "soil moisture"]
tag = "soil-1"
unit = "%"
every_minutes = 10

[[figure]]
names = ["水温", "water temperature"]
tag = "tank.temperature"
unit = "°C"
every_minutes = 10

[[decision]]
names = ["灌溉", "浇水", "irrigate", "irrigation"]
rules = ["灌溉规定"]
"""
MAP = """
[[device]]
id = "soil-1"
names = ["土壤探头", "soil probe"]
domain = "sensor"
driver = "farm"
risk = "read"
[[device.point]]
name = "value"
kind = "number"
unit = "%"
address = { state = "farm/soil/1", read = "{{ value_json.moisture }}" }

[[device]]
id = "tank"
names = ["水箱", "water tank"]
domain = "sensor"
driver = "plc"
risk = "read"
[[device.point]]
name = "temperature"
kind = "number"
unit = "°C"
address = { table = "holding", register = 7, type = "int16", scale = 0.1 }
"""


def host(*names: str) -> PluginHost:
    modules = {"field": field, "logs": logs, "maintenance": maintenance, "devices": devices}
    found = [SimpleNamespace(name=n, value=n, load=lambda n=n: modules[n]) for n in names]
    return load_plugins(found=found)  # type: ignore[arg-type]


def ask(env: Env, plugins: PluginHost, question: str) -> ToolResult:
    tool = next(tool for tool in plugins.tools(env) if tool.name == "field_check")
    assert tool.asked is not None and tool.asked(question)
    return tool.run({"asked": question}, TurnView(question, "zh", env.now(), None))


@pytest.fixture
def plant(tmp_path: Path) -> Env:
    """The example's orchard and cold store."""
    env = load_env(
        {
            "WATCHKEEPER_HOME": str(tmp_path / "home"),
            "WATCHKEEPER_CONFIG": str(EXAMPLE.parent / "watchkeeper.toml"),
            "WATCHKEEPER_MAINTENANCE__MACHINES": str(EXAMPLE.parent / "machines.toml"),
            "WATCHKEEPER_FIELD__SHEET": str(EXAMPLE / "field.toml"),
        }
    )
    add_manuals(env, *sorted(EXAMPLE.glob("*.md")))
    return env


def test_the_example_plant_by_its_stations_files(plant: Env) -> None:
    """The rain of three days, and whether one may spray: from the files, by the rules, in both languages of them."""
    plugins = host("field", "maintenance")
    rain = ask(plant, plugins, "最近三天降雨量多少?").records[0]
    assert rain.fields["value"] == pytest.approx(10.7) and rain.fields["source"] == "weather.csv"
    verdict = ask(plant, plugins, "今天适合打药吗?")
    assert verdict.notes[0]["zh"].startswith("结论:现在符合下列“打药”的全部规定(4 条)")
    assert "现在不符合" in ask(plant, plugins, "今天用石硫合剂打药可以吗?").notes[0]["zh"]
    shipping = ask(plant, plugins, "现在能发货吗?").notes[0]["zh"]
    assert shipping.startswith("结论:现在不符合“冷库发货”的规定:过去 24 小时库温 9.") and "[M3 第一条]" in shipping
    finding = next(f for f in plugins.health(plant) if f.name == "field")
    assert finding.ok and "spraying: 10 rules, 0 to be checked by a person" in finding.text


def test_the_log_is_a_source_too(plant: Env, tmp_path: Path) -> None:
    """The same figure from the log's series, which is believed before a file."""
    path = tmp_path / "wind.csv"
    rows = [f"{NOW - timedelta(minutes=m):%Y-%m-%d %H:%M},风速,7.5,m/s" for m in range(5, 300, 20)]
    path.write_text("time,tag,value,unit\n" + "\n".join(rows) + "\n", encoding="utf-8")
    import_csv(path, plant.log_path, plant.settings.logs)
    said = ask(plant, host("field", "logs", "maintenance"), "今天适合打药吗?").notes[0]["zh"]
    assert "风速 7.5 m/s > 3 m/s" in said


@pytest.fixture(scope="module")
def broker() -> Iterator[Mosquitto]:
    try:
        with running_mosquitto() as running:
            yield running
    except MosquittoMissing as why:
        pytest.skip(f"no Mosquitto here: {why}")


def test_sensors_on_mqtt_and_modbus(broker: Mosquitto, tmp_path: Path) -> None:
    """A soil probe that tells over a broker and a register that is asked: both decide, with their units; a value that
    was only retained is of unknown age and decides nothing."""
    try:
        with running_modbus() as modbus, closing(Peer(broker, "farm/none")) as peer:
            home = tmp_path / "home"
            home.mkdir()
            (home / "devices.toml").write_text(MAP, encoding="utf-8")
            (home / "field.toml").write_text(SHEET, encoding="utf-8")
            (home / "watchkeeper.toml").write_text(
                f'[drivers.connections.farm]\nkind = "mqtt"\naddress = "{broker.address}"\n'
                f'[drivers.connections.plc]\nkind = "modbus"\naddress = "{modbus.address}"\n',
                encoding="utf-8",
            )
            rules = tmp_path / "rules.md"
            rules.write_text(RULE, encoding="utf-8")
            env = load_env({"WATCHKEEPER_HOME": str(home)})
            add_manuals(env, rules)
            modbus.put(7, 182)
            peer.tell("farm/soil/1", json.dumps({"moisture": 21.5}), retain=True)
            plugins = host("field", "devices")
            try:
                assert "土壤湿度未知" in ask(env, plugins, "现在能浇水吗?").notes[0]["zh"]
                peer.tell("farm/soil/1", json.dumps({"moisture": 21.5}))
                assert until(lambda: "土壤湿度未知" not in ask(env, plugins, "现在能浇水吗?").notes[0]["zh"], 5.0)
                result = ask(env, plugins, "现在能浇水吗?")
                assert result.notes[0]["zh"].startswith("结论:现在符合下列“灌溉”的全部规定(2 条)")
                assert "水温:18.2 °C" in "\n".join(record.line["zh"] for record in result.records)
                peer.tell("farm/soil/1", json.dumps({"moisture": 31.0}))
                modbus.put(7, 20)
                assert until(lambda: "31 %" in ask(env, plugins, "现在能浇水吗?").notes[0]["zh"], 5.0)
                said = ask(env, plugins, "现在能浇水吗?").notes[0]["zh"]
                assert "土壤湿度 31 % > 28 %" in said and "水温 2 °C 不在 5–35 °C 之内" in said
            finally:
                plugins.shutdown(env)
    except ServerMissing as why:
        pytest.skip(f"no server here: {why}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[figure]]\nnames = []\ntag = 'a'", "names"),
        ("[[figure]]\nnames = ['a']\ntag = 'x'\n[[figure]]\nnames = ['A']\ntag = 'y'", "stands twice"),
        ("[[decision]]\nnames = ['a']\nrules = []", "rules"),
        ("figure = 3", "figure"),
        ("[[", "is no TOML"),
    ],
)
def test_a_wrong_sheet_is_told_with_its_place(env: Env, text: str, said: str) -> None:
    """One line with the file and the place; the tool is left out, and doctor says why."""
    path = env.home.folder / "field.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"field\.toml") as told:
        load_sheet(path, FieldSettings())
    assert said in str(told.value)
    plugins = host("field")
    assert plugins.tools(env) == ()
    assert not next(f for f in plugins.health(env) if f.name == "field").ok


def test_a_sensor_that_cannot_be_reached_says_why(tmp_path: Path) -> None:
    """Nobody listens on the line: the figure is unknown, with the reason, and so is the verdict."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "devices.toml").write_text(MAP.replace("read = ", "reed = "), encoding="utf-8")
    (home / "field.toml").write_text(SHEET, encoding="utf-8")
    (home / "watchkeeper.toml").write_text(
        '[drivers.connections.farm]\nkind = "mqtt"\naddress = "mqtt://127.0.0.1:1"\n', encoding="utf-8"
    )
    (tmp_path / "rules.md").write_text(RULE, encoding="utf-8")
    env = load_env({"WATCHKEEPER_HOME": str(home)})
    add_manuals(env, tmp_path / "rules.md")
    plugins = host("field", "devices")
    said = ask(env, plugins, "现在能浇水吗?").notes[0]["zh"]
    plugins.shutdown(env)
    assert said.startswith("结论:无法判断“灌溉”:土壤湿度未知(") and "'reed' is nothing that MQTT has" in said


def test_without_a_sheet_there_is_no_tool(env: Env) -> None:
    """A box that decides nothing is asked nothing."""
    assert host("field").tools(env) == ()
