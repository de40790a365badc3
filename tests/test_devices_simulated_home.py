"""The example home, simulated on a real Mosquitto: the map, the driver and the devices understand each other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.settings import ConnectionSettings, DeviceSettings, DriverSettings
from plugins.devices.drivers.driver import NotRead, Offline
from plugins.devices.drivers.mqtt import MqttDriver
from plugins.devices.maps.toml import load_map
from plugins.devices.values import Device, Point, Value
from tests.servers.mosquitto import MosquittoMissing, running_mosquitto
from tests.servers.mqtt_peer import until
from tests.simulated_home import SimulatedHome, running_home

MAP = Path(__file__).parent.parent / "deploy/example/home/devices.toml"
DEVICES = load_map(MAP, DeviceSettings()).devices.devices


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[SimulatedHome, MqttDriver]]:
    try:
        with running_mosquitto() as broker, running_home(broker.port, DEVICES) as home:
            limits = DriverSettings(retry_seconds=0.05)
            driver = MqttDriver("home", ConnectionSettings(kind="mqtt", address=broker.address), DEVICES, limits)
            driver.open()
            try:
                assert until(lambda: all(driver.online(device) for device in DEVICES if device.points))
                yield home, driver
            finally:
                driver.close()
    except MosquittoMissing as missing:
        pytest.skip(f"no Mosquitto here: {missing}")


def _settable() -> list[tuple[Device, Point]]:
    return [(device, point) for device in DEVICES for point in device.points if point.writable and point.read_back]


def _another(point: Point, shown: Value | None) -> Value:
    if point.kind == "bool":
        return not shown
    if point.kind == "choice":
        return next(choice for choice in point.choices if choice != shown)
    if point.kind == "color":
        return "#00ff00"
    assert point.high is not None
    return point.high


@pytest.mark.parametrize(
    ("device", "point"), _settable(), ids=lambda part: part.id if isinstance(part, Device) else part.name
)
def test_each_point_is_set_and_read_back(both: tuple[SimulatedHome, MqttDriver], device: Device, point: Point) -> None:
    """Every writable point of the example map moves its device, and shows it within its own time and tolerance."""
    _, driver = both
    wanted = _another(point, driver.read(device, point, seconds=2).value)
    before = time.monotonic()
    driver.write(device, point, wanted, seconds=2)
    assert point.read_back is not None
    tolerance = point.read_back.tolerance

    def shown() -> bool:
        value = driver.read(device, point, seconds=2, after=before).value
        if isinstance(value, float) and isinstance(wanted, float):
            return abs(value - wanted) <= tolerance + 0.01
        return value == wanted

    assert until(shown, point.read_back.within_seconds)


@pytest.mark.parametrize("flaw", ["silent", "late:1", "wrong", "offline", "twice"])
def test_flaws_are_what_they_are_called(both: tuple[SimulatedHome, MqttDriver], flaw: str) -> None:
    """A device with a flaw never confirms what it did not do in time."""
    home, driver = both
    device = next(device for device in DEVICES if device.domain == "light")
    power = device.point("power")
    assert power is not None
    wanted = not driver.read(device, power, seconds=2).value
    home.flawed(device.id, flaw)
    try:
        before, commands = time.monotonic(), home.devices[device.id].told
        if flaw == "offline":
            assert until(lambda: driver.online(device) is False)
            with pytest.raises(Offline):
                driver.write(device, power, wanted, seconds=1)
            return
        driver.write(device, power, wanted, seconds=2)
        if flaw in ("silent", "late:1"):
            with pytest.raises(NotRead):
                driver.read(device, power, seconds=0.3, after=before)
        else:
            assert driver.read(device, power, seconds=2, after=before).value is (wanted is not (flaw == "wrong"))
        assert home.devices[device.id].told == commands + 1
    finally:
        time.sleep(1.1 if flaw == "late:1" else 0)
        back = time.monotonic()
        home.flawed(device.id, "")
        assert until(lambda: driver.online(device) is True)
        driver.read(device, power, seconds=3, after=back)
