"""A home from a file promises: every shape is read, with states; what is wrong is one line; `command` moves nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.api import InputError
from agent.cli import run
from agent.settings import UnderstandingSettings
from plugins.devices.maps.homes import home_of, read_home, read_homes

SETTINGS = UnderstandingSettings(max_home_devices=50, max_name_chars=40, max_home_bytes=20_000)
SMALL = {
    "areas": [{"name": "Attic", "floor": "Top"}, {"name": "Cellar", "context_area": True}],
    "entities": [
        {"name": "Bulb", "domain": "light", "state": "on", "area": "Attic", "attributes": {"brightness": 128}},
        {"name": "Stove", "domain": "climate", "state": "heat", "attributes": {"temperature": 21, "min_temp": 10}},
        {"id": "cover.gate", "name": "Gate", "area": None, "state": False},
        {"name": "Bulb", "domain": "light"},
    ],
    "timers": [{"is_active": True}],
}
_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=60),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["areas", "floors", "entities", "name", "domain", "id", "attributes", "state"]), inner
        )
    ),
    max_leaves=20,
)


def test_names_ids_areas_and_states_are_read() -> None:
    """An id from domain and name, unique; areas by name or id; floors that only an area speaks of."""
    home = home_of(SMALL, SETTINGS)
    assert [device.id for device in home.map.devices] == ["light.bulb", "climate.stove", "cover.gate", "light.bulb_2"]
    assert home.map.devices[0].area == "attic" and home.map.floors[0].names == ("Top",)
    assert home.here == "cellar"
    assert home.states.state("light.bulb", "power").value is True
    assert home.states.state("light.bulb", "brightness").value == 50
    assert home.states.state("cover.gate", "open").value is False
    assert home.states.state("light.bulb_2", "power").value is None


def test_points_follow_from_the_domain_and_its_range() -> None:
    """A thermostat's own range wins over the usual one."""
    stove = home_of(SMALL, SETTINGS).map.devices[1]
    point = stove.point("temperature")
    assert point is not None and (point.low, point.high, point.unit, point.writable) == (10, 35, "°C", True)
    assert stove.point("current_temperature") is not None


@pytest.mark.parametrize(
    "value",
    [
        [], "home", 3, {"areas": "Attic"}, {"areas": [3]}, {"areas": [{"name": ""}]}, {"entities": ["Bulb"]},
        {"entities": [{"name": "Bulb"}]}, {"entities": [{"name": "Bulb", "domain": "../x"}]},
        {"entities": [{"name": "Bulb", "domain": "light", "attributes": [1]}]}, {"areas": ["x" * 41]},
        {"entities": [{"name": f"L{n}", "domain": "light"} for n in range(51)]}, {"floors": {"name": "Top"}},
    ],
)  # fmt: skip
def test_a_home_that_is_none_is_one_clear_line(value: object) -> None:
    """It says where and what."""
    with pytest.raises(InputError) as caught:
        home_of(value, SETTINGS, where="x.json")
    assert str(caught.value).startswith("x.json") and "\n" not in str(caught.value)


@given(_JSON)
@settings(max_examples=150, deadline=None)
def test_any_json_is_a_home_or_refused(value: object) -> None:
    """Nothing else is raised."""
    try:
        home_of(value, SETTINGS)
    except InputError as error:
        assert "\n" not in str(error)


def test_a_file_holds_a_home_or_homes_by_name(tmp_path: Path) -> None:
    """The name picks one; a wrong one lists them; no JSON, too large and missing are said."""
    file = tmp_path / "homes.json"
    file.write_text(json.dumps({"one": SMALL, "two": {"areas": ["Hall"]}}), "utf-8")
    assert read_home(file, SETTINGS, "two").map.areas[0].names == ("Hall",)
    with pytest.raises(InputError, match="one, two"):
        read_home(file, SETTINGS, "three")
    file.write_text("{", "utf-8")
    with pytest.raises(InputError, match="no JSON"):
        read_homes(file, SETTINGS)
    file.write_text(" " * 20_001, "utf-8")
    with pytest.raises(InputError, match="larger"):
        read_homes(file, SETTINGS)
    with pytest.raises(InputError, match="cannot be read"):
        read_homes(tmp_path / "none.json", SETTINGS)


def test_the_command_says_what_words_mean_in_a_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON line: intents with slots, devices and writes; nothing is connected to."""
    file = tmp_path / "home.json"
    file.write_text(json.dumps(SMALL), "utf-8")
    assert run(["command", "turn off the bulb in the attic", "--home", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["intent"] == "HassTurnOff" and told["actions"] == [{"intent": "HassTurnOff", "slots": told["slots"]}]
    assert [write["device"] for write in told["intents"][0]["writes"]] == ["light.bulb"]


def test_a_batch_answers_line_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Homes as objects, by path, by name; a line that is wrong is said so in its place."""
    homes, one, batch = tmp_path / "homes.json", tmp_path / "one.json", tmp_path / "lines.jsonl"
    homes.write_text(json.dumps({"here": SMALL}), "utf-8")
    one.write_text(json.dumps(SMALL), "utf-8")
    lines = [
        {"text": "turn on the gate", "home": "here"},
        {"text": "open the gate", "home": SMALL, "context": {"area": "Attic"}},
        {"text": "open the gate", "home": str(one)},
        {"text": "open the gate", "home": "nowhere"},
        {"home": SMALL},
    ]
    batch.write_text("\n".join([*map(json.dumps, lines), "", "no json"]), "utf-8")
    assert run(["command", "--batch", str(batch), "--home", str(homes)]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(told) == 6
    assert [bool(line.get("error")) for line in told] == [False, False, False, True, True, True]
    assert told[1]["intents"][0]["writes"][0]["point"] == "open"


@pytest.mark.parametrize(
    "arguments",
    [["command"], ["command", "   "], ["command", "x", "--home", "/nowhere.json"], ["command", "x", "--batch", "y"]],
)
def test_a_wrong_call_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2."""
    assert run(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
