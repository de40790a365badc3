"""What a map browsed from an OPC UA server promises."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent.api import InputError
from agent.settings import ConnectionSettings, DeviceSettings, DriverSettings
from plugins.devices.drivers.opcua import OpcUaDriver
from plugins.devices.maps.opcua import browse_server
from plugins.devices.maps.toml import parse_map
from plugins.devices.maps.writing import map_text
from tests.servers.debian import free_port
from tests.servers.mqtt_peer import until
from tests.servers.opcua import NAMESPACE, OpcUa, running_opcua

LIMITS = DriverSettings(retry_seconds=0.05)


@pytest.fixture(scope="module")
def server() -> Iterator[OpcUa]:
    with running_opcua() as running:
        yield running


def test_a_server_becomes_a_map_that_reads_and_moves(server: OpcUa) -> None:
    """Objects, types, units and ranges are taken over, by the namespace's own name; what is written is dangerous."""
    connection = ConnectionSettings(kind="opcua", address=server.address, insecure_writes=True)
    found = browse_server("plc", connection, LIMITS)
    plant = next(device for device in found.devices.devices if device.names == ("Plant",))
    speed, fixed, power = plant.point("speed"), plant.point("fixed"), plant.point("power")
    assert speed and speed.kind == "number" and speed.writable and (speed.low, speed.high, speed.unit) == (0, 50, "Hz")
    assert fixed and not fixed.writable and power and power.kind == "bool"
    assert speed.address == {"node": f"nsu={NAMESPACE};s=Speed"} and plant.risk == "dangerous"
    assert plant.point("many") is None and any("many" in line for line in found.left_out)
    alarm = next(device for device in found.devices.devices if device.domain == "alarm")
    assert {point.name for point in alarm.points if point.writable} == {"acknowledged", "confirmed", "shelved"}
    assert found.devices.areas[0].names == ("Plant",)
    assert parse_map(map_text(found.devices), "browsed", DeviceSettings(most_points=600)).devices == found.devices
    driver = OpcUaDriver("plc", connection, found.devices.devices, LIMITS)
    driver.open()
    try:
        assert until(lambda: driver.online(plant) is True)
        driver.write(plant, speed, 12.5, seconds=3)
        assert driver.read(plant, speed, seconds=3).value == 12.5
    finally:
        driver.close()


def test_too_much_is_refused(server: OpcUa) -> None:
    """A server without end is given up at the limit."""
    connection = ConnectionSettings(kind="opcua", address=server.address)
    with pytest.raises(InputError, match="max_browse_calls"):
        browse_server("plc", connection, LIMITS.model_copy(update={"max_browse_calls": 20}))
    with pytest.raises(InputError, match="max_discovered_points"):
        browse_server("plc", connection, LIMITS.model_copy(update={"max_discovered_points": 5}))


def test_no_server_is_said() -> None:
    """One line, with the address."""
    connection = ConnectionSettings(kind="opcua", address=f"opc.tcp://127.0.0.1:{free_port()}")
    with pytest.raises(InputError, match="connection plc"):
        browse_server("plc", connection, LIMITS)
