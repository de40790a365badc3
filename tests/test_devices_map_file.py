"""A map of devices is taken as a whole or not at all; what is wrong is said with the place, in one line."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.api import Json
from agent.env import Env
from agent.errors import InputError
from agent.settings import ConnectionSettings, DeviceSettings, DriverSettings
from plugins.devices.drivers.registry import make_drivers
from plugins.devices.house import House, open_house
from plugins.devices.maps.toml import load_map, parse_map
from plugins.devices.maps.writing import map_text
from plugins.devices.values import Device, DeviceMap, Point
from tests.devices_kit import HOUSE

EXAMPLES = Path(__file__).parent.parent / "deploy" / "example"
LIMITS = DeviceSettings()
SWITCH = '[[device]]\nid = "{id}"\nnames = ["{name}"]\ndomain = "switch"\ndriver = "sim"\n{more}'
POINT = '[[device.point]]\nname = "power"\nkind = "bool"\nwritable = true\nread_back = {}\n'


@pytest.mark.parametrize("name", ["home/devices.toml", "devices-plant.toml"])
def test_the_examples_are_maps_that_drivers_take(name: str) -> None:
    """Every address fits its driver; nothing in them is doubtful."""
    loaded = load_map(EXAMPLES / name, LIMITS)
    assert loaded.warnings == () and len(loaded.devices.devices) >= 5
    connections = {
        "home": ConnectionSettings(kind="mqtt", address="mqtt://127.0.0.1:1"),
        "plc": ConnectionSettings(kind="modbus", address="tcp://127.0.0.1:1"),
        "boiler": ConnectionSettings(kind="opcua", address="opc.tcp://127.0.0.1:1"),
    }
    drivers = make_drivers(loaded.devices.devices, DriverSettings(connections=connections))
    assert set(drivers) <= set(connections)


def test_everything_that_a_map_says_arrives() -> None:
    """Ranges, read-backs, interlocks, quiet hours."""
    found = load_map(EXAMPLES / "devices-plant.toml", LIMITS).devices
    valve, setpoint = found.device("V-12"), found.device("boiler-setpoint")
    assert valve is not None and setpoint is not None and setpoint.quiet is not None
    (lock,) = valve.interlocks
    assert (lock.device, lock.seen, lock.forbids, valve.risk) == ("P-3", "power", (True,), "dangerous")
    point = valve.point("open")
    assert point is not None and point.read_back is not None and point.read_back.point == "limit"
    value = setpoint.point("value")
    assert value is not None and (value.low, value.high, value.step) == (40.0, 95.0, 0.5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("low = 16", "low = 40"), "'ac' point 0: low must be below high"),
        (('unit = "°C"', 'unit = "°C"\nlimit = 3'), "limit: Extra inputs are not permitted"),
        (("high = 30", "high = nan"), "high: Input should be a finite number"),
        (('device = "P-3"', 'device = "P-4"'), "V-12: interlock: no device 'P-4'"),
        (('seen = "power"', 'seen = "speed"'), "no device 'P-3' with a point 'speed'"),
        (('point = "open"', 'point = "shut"'), "V-12: interlock: no point 'shut'"),
        (("forbids = [true]", 'forbids = ["on"]'), "P-3 power never shows"),
        (('area = "hall"', 'area = "hell"'), "no area 'hell'"),
        (('floor = "f1"', 'floor = "f2"'), "no floor 'f2'"),
        (('id = "lamp"', 'id = "ac"'), "device 'ac' stands twice"),
        (('id = "lamp"', 'id = "a lamp"'), "is no id"),
        (('risk = "dangerous"', 'risk = "read"'), "writable, and risk is read"),
        (('kind = "color"', 'kind = "choice"'), "has choices"),
        (('"台灯"', f'"{"长" * 90}"'), "devices.name_chars"),
        (
            ('driver = "sim"', 'driver = "sim"\nquiet = { begin = 10:00:00, end = 10:00:00 }'),
            "two different local times",
        ),
        (("within_seconds = 0.4", "within_seconds = 0"), "greater than 0"),
        (("[[device]]", "[[device"), "not TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change: tuple[str, str], said: str) -> None:
    """One line, with the id."""
    with pytest.raises(InputError) as raised:
        parse_map(HOUSE.replace(*change), "devices.toml", LIMITS)
    assert said in str(raised.value) and "\n" not in str(raised.value) and len(str(raised.value)) < 600


def test_what_works_and_may_not_be_meant_is_told() -> None:
    """Two of one name in one area, a point that nobody can read back, a number without a range."""
    text = "".join(SWITCH.format(id=i, name=n, more=POINT) for i, n in (("a", "Lamp"), ("b", "lamp ")))
    bare = '[[device.point]]\nname = "value"\nkind = "number"\nwritable = true\n'
    loaded = parse_map(text + SWITCH.format(id="c", name="other", more=bare), "m", LIMITS)
    assert loaded.doubtful == {"a", "b"} and len(loaded.warnings) == 3


def test_limits_are_kept(tmp_path: Path) -> None:
    """Bytes, devices, points, names."""
    path = tmp_path / "devices.toml"
    path.write_text(HOUSE)
    for limit in ("max_map_bytes", "most_devices", "most_points", "most_names"):
        with pytest.raises(InputError, match=f"devices.{limit}"):
            load_map(path, DeviceSettings.model_validate({limit: 1}))
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        load_map(path, LIMITS)
    with pytest.raises(InputError, match="cannot be read"):
        load_map(tmp_path / "none.toml", LIMITS)


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_anything_is_a_map_or_one_clear_line(text: str) -> None:
    """Whatever stands there."""
    try:
        parse_map(text, "devices.toml", LIMITS)
    except InputError as error:
        assert len(str(error)) < 1000


def test_a_connection_that_is_not_set_takes_no_other_with_it(env: Env) -> None:
    """Its devices are not there, and say so; the map can still be read."""
    env.home.devices.write_text(HOUSE)
    house = open_house(env)
    assert isinstance(house, House)
    lamp = house.device("lamp")
    assert lamp is not None and house.online(lamp) is False and house.snapshot().state("lamp", "power").value is None
    house.close()


@pytest.mark.parametrize(
    "text", [HOUSE, *(path.read_text(encoding="utf-8") for path in EXAMPLES.rglob("devices*.toml"))]
)
def test_a_map_that_is_written_reads_the_same(text: str) -> None:
    """With all that a device can say."""
    devices = parse_map(text, "m", LIMITS).devices
    assert parse_map(map_text(devices), "m", LIMITS).devices == devices


@given(st.dictionaries(st.text(min_size=1), st.text() | st.booleans() | st.lists(st.integers() | st.text())))
def test_any_address_is_written_so_that_it_reads_the_same(address: dict[str, Json]) -> None:
    """Whatever a broker made of it."""
    with suppress(UnicodeEncodeError):
        str(address).encode()
        devices = DeviceMap((Device("d", ("lamp",), "light", points=(Point("power", "bool", address=address),)),))
        (device,) = parse_map(map_text(devices), "m", LIMITS).devices.devices
        assert device.points[0].address == address
