"""What a map made of MQTT discovery messages promises."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.api import InputError, Json
from agent.settings import ConnectionSettings, DeviceSettings, DriverSettings
from plugins.devices.drivers.mqtt import MqttDriver
from plugins.devices.maps.discovery import Discovered, discover, read_discovery
from plugins.devices.maps.discovery_points import COMPONENTS
from plugins.devices.maps.toml import parse_map
from plugins.devices.maps.writing import map_text
from plugins.devices.values import Device, ReadBack
from tests.servers.debian import free_port
from tests.servers.mosquitto import MosquittoMissing, running_mosquitto
from tests.servers.mqtt_peer import Peer, until

LIMITS = DriverSettings(settle_seconds=0.3, retry_seconds=0.05)
BULB: dict[str, Json] = {
    "name": None, "schema": "json", "brightness": True, "brightness_scale": 254, "state_topic": "zigbee2mqtt/floor",
    "command_topic": "zigbee2mqtt/floor/set", "supported_color_modes": ["xy", "color_temp"], "min_mireds": 150,
    "max_mireds": 500, "unique_id": "0x01_light", "availability_mode": "all",
    "availability": [{"topic": "zigbee2mqtt/bridge/state", "value_template": "{{ value_json.state }}"}],
    "device": {"identifiers": ["0x01"], "name": "Stehlampe", "suggested_area": "Study"},
}  # fmt: skip
SHORT: dict[str, Json] = {
    "~": "esp/vent", "name": "Vent", "uniq_id": "vent-1", "stat_t": "~/state", "cmd_t": "~/cmd",
    "pct_cmd_t": "~/speed/set", "pct_stat_t": "~/speed", "spd_rng_max": 4,
    "avty_t": "~/status", "pl_avail": "up", "pl_not_avail": "down",
    "dev": {"ids": ["v"], "name": "Hall", "sa": "Hall"},
}  # fmt: skip
WHOLE: dict[str, Json] = {
    "dev": {"ids": "ac7", "name": "Split unit"}, "o": {"name": "maker"}, "avty_t": "ac7/there",
    "cmps": {
        "hvac": {
            "p": "climate", "unique_id": "ac7_hvac", "name": None, "modes": ["off", "cool", "heat"], "temp_step": 0.5,
            "mode_cmd_t": "ac7/mode/set", "mode_stat_t": "ac7/mode", "temp_cmd_t": "ac7/t/set", "temp_stat_t": "ac7/t",
            "min_temp": 16, "max_temp": 30, "curr_temp_t": "ac7/now", "curr_temp_tpl": "{{ value_json.t | float }}",
        },
        "power": {"p": "sensor", "unique_id": "ac7_w", "name": "Power", "stat_t": "ac7/w", "unit_of_meas": "W"},
        "gone": {"p": "sensor"},
        "tracker": {"p": "device_tracker", "unique_id": "x", "stat_t": "ac7/where", "name": "Where"},
    },
}  # fmt: skip


def read(**messages: Json) -> Discovered:
    """Messages by topic, `__` for a slash."""
    told = {f"homeassistant/{t.replace('__', '/')}/config": json.dumps(m).encode() for t, m in messages.items()}
    return read_discovery(told, "homeassistant", "house", LIMITS)


def only(found: Discovered) -> Device:
    (device,) = found.devices.devices
    return device


def test_a_zigbee_lamp() -> None:
    """Names, area, range and addresses are taken over; brightness and colour come in our units."""
    found = read(light__floor=BULB)
    device = only(found)
    assert (device.id, device.names, device.domain, device.driver) == ("0x01_light", ("Stehlampe",), "light", "house")
    assert found.devices.areas[0].names == ("Study",) and device.area == found.devices.areas[0].id
    assert [point.name for point in device.points] == ["power", "brightness", "color_temp", "color"]
    kelvin = device.point("color_temp")
    assert kelvin and (kelvin.low, kelvin.high) == (2000, 6667) and not found.left_out


def test_short_names_and_a_base() -> None:
    """The abbreviated form means the same."""
    device = only(read(fan__node__vent=SHORT))
    speed = device.point("speed")
    assert device.names == ("Hall Vent", "Vent") and speed is not None
    assert speed.address["command"] == "esp/vent/speed/set" and speed.address["scale"] == 25
    assert speed.address["available"] == [{"topic": "esp/vent/status", "online": "up", "offline": "down"}]
    assert speed.read_back == ReadBack("speed", 12.6)


def test_a_whole_device_in_one_message() -> None:
    """Each component becomes a device; what cannot be moved here is named and left out."""
    found = read(device__ac7=WHOLE)
    assert {device.id for device in found.devices.devices} == {"ac7_hvac", "ac7_w"}
    hvac = next(device for device in found.devices.devices if device.domain == "climate")
    wanted, power = hvac.point("temperature"), hvac.point("power")
    assert wanted and (wanted.low, wanted.high, wanted.step, wanted.unit) == (16.0, 30.0, 0.5, "°C")
    assert power and power.address["words"] == [[False, "off"]]
    assert any("device_tracker" in line for line in found.left_out) and any("gone" in line for line in found.left_out)


def test_what_opens_a_way_in_is_dangerous() -> None:
    """Locks, garage doors and valves wait for a person; a curtain does not."""
    topics: dict[str, Json] = {"command_topic": "a/set", "state_topic": "a"}
    found = read(
        lock__a={**topics, "name": "Front door"},
        cover__b={**topics, "name": "Garage", "device_class": "garage"},
        valve__c={**topics, "name": "Water"},
        cover__d={**topics, "name": "Curtain", "device_class": "curtain"},
    )
    assert {device.id: device.risk for device in found.devices.devices} == {
        "a": "dangerous", "b": "dangerous", "c": "dangerous", "d": "write"
    }  # fmt: skip


def test_two_that_claim_one_identity_are_none() -> None:
    """A second message under a known identity cannot take a device over: both are left out, and it is said."""
    other = {**BULB, "command_topic": "attic/heater/set"}
    found = read(light__floor=BULB, light__other=other)
    assert not found.devices.devices and any("0x01_light" in line for line in found.left_out)


@pytest.mark.parametrize(
    "change",
    [{"state_topic": "a/#"}, {"name": "x" * 500, "device": {}}, {"name": "a\u202eb", "device": {}},
     {"command_topic": 5}, {"availability": [{"topic": "x", "value_template": "{% for i in range(9) %}{% endfor %}"}]}],
)  # fmt: skip
def test_what_is_not_understood_is_left_out_and_said(change: dict[str, Json]) -> None:
    """Wildcards, templates that are programs, names that cannot be said: no device, one line why."""
    found = read(light__floor={**BULB, **change})
    assert not found.devices.devices and found.left_out


def test_a_template_that_is_a_program_takes_only_its_point() -> None:
    """The rest of the device stays."""
    found = read(climate__x={**_climate(), "current_temperature_template": "{{ states('sensor.x') }}"})
    assert only(found).point("current_temperature") is None and only(found).point("temperature") is not None
    assert any("current_temperature" in line for line in found.left_out)


def _climate() -> dict[str, Json]:
    return {"name": "AC", "temperature_command_topic": "x/t/set", "temperature_state_topic": "x/t",
            "current_temperature_topic": "x/now"}  # fmt: skip


def test_too_many_points_are_bounded() -> None:
    """A broker that tells without end is cut off at the limit, and that is said."""
    many = {f"switch__s{n}": {"name": f"S{n}", "command_topic": f"s{n}/set"} for n in range(50)}
    told = {f"homeassistant/{t.replace('__', '/')}/config": json.dumps(m).encode() for t, m in many.items()}
    limits = LIMITS.model_copy(update={"max_discovered_points": 10})
    found = read_discovery(told, "homeassistant", "house", limits)
    assert len(found.devices.devices) == 10 and "max_discovered_points" in found.left_out[-1]


@pytest.mark.parametrize("payload", [None, {"": None}, [None], ["ON"], float("nan")])
def test_a_payload_that_is_none_is_left_out(payload: Json) -> None:
    """What is no text, number or truth cannot be sent; and the word that tells the state is never sent in its place."""
    config = {"name": "N", "command_topic": "n/set", "state_topic": "n", "payload_on": payload, "state_on": "RUNNING"}
    found = read_discovery({"homeassistant/switch/n/config": json.dumps(config).encode()}, "homeassistant", "h", LIMITS)
    assert not found.devices.devices and any("is no payload" in line for line in found.left_out)


@pytest.mark.parametrize("setting", ["command_topic", "payload_on", "name", "value_template"])
def test_half_of_a_pair_is_no_text(setting: str) -> None:
    """JSON can name a lone surrogate, which no file and no topic can hold."""
    told = json.dumps({"name": "N", "command_topic": "n/set", "state_topic": "n", setting: "\ud800"}).encode()
    found = read_discovery({"homeassistant/switch/n/config": told}, "homeassistant", "h", LIMITS)
    assert not found.devices.devices and found.left_out


def test_a_state_of_availability_that_is_none_is_left_out() -> None:
    """So is a device whose being there could not be told."""
    config = {"name": "N", "command_topic": "n/set", "state_topic": "n",
              "availability": {"topic": "n/there", "payload_available": None}}  # fmt: skip
    found = read_discovery({"homeassistant/switch/n/config": json.dumps(config).encode()}, "homeassistant", "h", LIMITS)
    assert not found.devices.devices and any("is no payload" in line for line in found.left_out)


JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=6),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                    max_leaves=6)  # fmt: skip
KEYS = st.sampled_from(
    [*BULB, *SHORT, *_climate(), "modes", "payload_on", "position_open", "position_closed", "options"]
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([*COMPONENTS, "device", "x"]), st.dictionaries(KEYS, JSON, max_size=8), st.binary(max_size=9))
def test_no_message_does_harm(component: str, message: Mapping[str, Json], noise: bytes) -> None:
    """Whatever is told, there is a map or a reason, and the driver and the file of a map take all of it."""
    base: dict[str, Json] = {"name": "N", "command_topic": "n/set", "state_topic": "n"}
    told = {
        f"homeassistant/{component}/a/config": json.dumps({**base, **message}).encode(),
        f"homeassistant/{component}/b/config": noise,
    }
    found = read_discovery(told, "homeassistant", "house", LIMITS)
    MqttDriver("house", ConnectionSettings(kind="mqtt", address="mqtt://h"), found.devices.devices, LIMITS)
    assert parse_map(map_text(found.devices), "told", DeviceSettings()).devices == found.devices


def test_from_a_broker_to_a_lamp_that_moves() -> None:
    """What a real broker retains becomes a map, and the map moves the lamp."""
    try:
        with running_mosquitto() as broker:
            connection = ConnectionSettings(kind="mqtt", address=broker.address)

            def answer(peer: Peer, topic: str, text: str) -> None:
                peer.say("zigbee2mqtt/floor", text)

            with closing(Peer(broker, "zigbee2mqtt/floor/set", answer=answer)) as peer:
                peer.tell("homeassistant/light/floor/config", json.dumps(BULB), retain=True)
                peer.tell("homeassistant/device/ac7/config", json.dumps(WHOLE), retain=True)
                peer.tell("zigbee2mqtt/bridge/state", '{"state":"online"}', retain=True)
                found = discover("house", connection, LIMITS)
                assert {device.id for device in found.devices.devices} == {"0x01_light", "ac7_hvac", "ac7_w"}
                lamp = next(device for device in found.devices.devices if device.domain == "light")
                driver = MqttDriver("house", connection, found.devices.devices, LIMITS)
                driver.open()
                try:
                    assert until(lambda: driver.online(lamp) is True)
                    for name, value in (("power", True), ("brightness", 40.0), ("color", "#00ff00")):
                        point = lamp.point(name)
                        assert point is not None
                        before = time.monotonic()
                        driver.write(lamp, point, value, seconds=2)
                        shown = driver.read(lamp, point, seconds=2, after=before).value
                        if isinstance(shown, float) and isinstance(value, float) and point.read_back:
                            assert abs(shown - value) <= point.read_back.tolerance
                        else:
                            assert shown == value or name == "color"
                finally:
                    driver.close()
    except MosquittoMissing as missing:
        pytest.skip(f"no Mosquitto here: {missing}")


def test_no_broker_is_said() -> None:
    """One line, with the address."""
    with pytest.raises(InputError, match="no broker"):
        discover("house", ConnectionSettings(kind="mqtt", address=f"mqtt://127.0.0.1:{free_port()}"), LIMITS)
