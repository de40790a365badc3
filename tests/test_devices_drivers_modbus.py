"""What the Modbus driver promises, against pymodbus's server in a process of its own."""

from __future__ import annotations

import math
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.api import InputError, Json
from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.driver import MaybeSent, NotRead, Offline, Refused, WrongValue
from plugins.devices.drivers.modbus import ModbusDriver
from plugins.devices.drivers.modbus_registers import field_of
from plugins.devices.values import Device, Point, PointKind, State, Value
from tests.servers.debian import free_port
from tests.servers.modbus import LATE_MS, WRITES, Modbus, running_modbus
from tests.servers.mqtt_peer import until

LIMITS = DriverSettings(retry_seconds=0.05, retry_most_seconds=0.2, poll_seconds=0.05)


def point(name: str, kind: PointKind, *, writable: bool = True, **address: Json) -> Point:
    return Point(name, kind, writable=writable, address=address)


def machine(*points: Point, name: str = "pump") -> Device:
    return Device(name, (name,), "switch", driver="plc", points=points)


@pytest.fixture(scope="module")
def plc() -> Iterator[Modbus]:
    with running_modbus() as server:
        yield server


@contextmanager
def driving(
    address: str, *devices: Device, limits: DriverSettings = LIMITS, connects: bool = True
) -> Iterator[ModbusDriver]:
    driver = ModbusDriver("plc", ConnectionSettings(kind="modbus", address=address), devices, limits)
    driver.open()
    try:
        assert not connects or until(lambda: driver.online(devices[0]) is not False)
        yield driver
    finally:
        driver.close()


def put(driver: ModbusDriver, device: Device, name: str, value: Value, seconds: float = 2.0) -> None:
    driver.write(device, _point(device, name), value, seconds=seconds)


def get(driver: ModbusDriver, device: Device, name: str, seconds: float = 2.0) -> object:
    return driver.read(device, _point(device, name), seconds=seconds).value


def _point(device: Device, name: str) -> Point:
    found = device.point(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("address", "value", "registers"),
    [
        ({}, 42.0, [42]),
        ({"type": "int16", "scale": 0.1}, -12.5, [0xFFFF - 124]),
        ({"type": "int16", "scale": 0.1, "offset": 4.0}, 20.0, [160]),
        ({"type": "int32"}, 100_000.0, [1, 34_464]),
        ({"type": "int32", "words": "little"}, 100_000.0, [34_464, 1]),
        ({"type": "uint32", "bytes": "little"}, 1.0, [0, 256]),
        ({"type": "int64"}, -2.0, [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE]),
        ({"type": "float32"}, 1.5, [0x3FC0, 0]),
        ({"type": "float32", "words": "little", "bytes": "little"}, 1.5, [0, 0xC03F]),
        ({"type": "float64"}, 0.1, list(struct.unpack(">4H", struct.pack(">d", 0.1)))),
        ({"multiple": True}, 7.0, [7]),
    ],
    ids=str,
)
def test_numbers_in_registers(plc: Modbus, address: dict[str, Json], value: float, registers: list[int]) -> None:
    """Each type, order and scale: what is written stands in the registers, and is read as it was meant."""
    device = machine(point("value", "number", register=20, **address))
    with driving(plc.address, device) as driver:
        put(driver, device, "value", value)
        assert plc.get(20, len(registers)) == registers
        state = driver.read(device, _point(device, "value"), seconds=2)
        assert state.value == pytest.approx(value) and abs(state.at - time.time()) < 5


def test_tables_of_bits(plc: Modbus) -> None:
    """Coils are set and read; discrete inputs and input registers are read; several ways of writing say the same."""
    device = machine(
        point("power", "bool", table="coil", register=3),
        point("other", "bool", table="coil", register=4, multiple=True),
        point("door", "bool", table="discrete", register=3, writable=False),
        point("level", "number", table="input", register=3, writable=False),
    )
    with driving(plc.address, device) as driver:
        put(driver, device, "power", True)
        put(driver, device, "other", True)
        put(driver, device, "power", False)
        assert (get(driver, device, "power"), get(driver, device, "other")) == (False, True)
        assert (get(driver, device, "door"), get(driver, device, "level")) == (False, 0.0)
        with pytest.raises(WrongValue, match="only be read"):
            put(driver, device, "level", 1.0)


@pytest.mark.parametrize("rewrite", [False, True])
def test_bits_of_a_register_leave_the_others(plc: Modbus, rewrite: bool) -> None:
    """A bit and a field of bits are set without touching their neighbours, by mask or by rewriting."""
    plc.put(30, 0xF00F)
    device = machine(
        point("run", "bool", register=30, bit=4, rewrite=rewrite),
        point("mode", "choice", register=30, bits=[6, 3], codes=[["cool", 2], ["heat", 5]], rewrite=rewrite),
    )
    with driving(plc.address, device) as driver:
        put(driver, device, "run", True)
        put(driver, device, "mode", "heat")
        assert plc.get(30) == [0xF00F | 1 << 4 | 5 << 6]
        assert (get(driver, device, "run"), get(driver, device, "mode")) == (True, "heat")
        put(driver, device, "run", False)
        assert plc.get(30) == [0xF00F | 5 << 6]
        plc.put(30, 0xFFFF)
        with pytest.raises(NotRead):
            get(driver, device, "mode")


def test_what_is_no_value_is_not_shown(plc: Modbus) -> None:
    """NaN, infinity and the device's own mark for "no value" are never a reading."""
    device = machine(
        point("flow", "number", register=40, type="float32"),
        point("level", "number", register=42, type="int16", unknown=[-32_768]),
    )
    with driving(plc.address, device) as driver:
        for registers in ((0x7FC0, 0), (0x7F80, 0), (0xFF80, 0)):
            plc.put(40, *registers)
            with pytest.raises(NotRead, match="flow"):
                get(driver, device, "flow")
        plc.put(42, 0x8000)
        with pytest.raises(NotRead, match="level"):
            get(driver, device, "level")


@pytest.mark.parametrize("value", [math.nan, math.inf, 70_000.0, -1.0, "5", True, 101.0])
def test_what_does_not_fit_never_leaves_the_box(plc: Modbus, value: Value) -> None:
    """Out of the type or the range, not a number: refused before the wire."""
    device = machine(Point("value", "number", writable=True, high=100.0, address={"register": 50}))
    before = plc.get(WRITES)
    with driving(plc.address, device) as driver, pytest.raises(WrongValue):
        put(driver, device, "value", value)
    assert plc.get(WRITES) == before


def test_a_refusal_is_no_doubt(plc: Modbus) -> None:
    """A register that is not there, a unit that is not there: the device says that it did nothing."""
    device = machine(
        point("missing", "number", register=205), point("behind", "number", register=1, unit=9),
        point("good", "number", register=1),
    )  # fmt: skip
    with driving(plc.address, device) as driver:
        with pytest.raises(Refused, match="no such register"):
            put(driver, device, "missing", 1.0)
        with pytest.raises(NotRead, match="no such register"):
            get(driver, device, "missing")
        with pytest.raises((Refused, Offline)):
            put(driver, device, "behind", 1.0)
        put(driver, device, "good", 5.0)
        assert get(driver, device, "good") == 5.0


def test_a_slow_device_is_written_once(plc: Modbus) -> None:
    """A write without an answer in time may have arrived; it is not sent again, and its late answer confuses nobody."""
    device = machine(point("value", "number", register=60))
    with driving(plc.address, device) as driver:
        assert get(driver, device, "value") == 0.0
        plc.put(LATE_MS, 600)
        before = plc.get(WRITES)[0]
        begun = time.monotonic()
        with pytest.raises(MaybeSent, match="no answer"):
            put(driver, device, "value", 9.0, seconds=0.2)
        assert time.monotonic() - begun < 0.5
        plc.put(LATE_MS, 0)
        assert until(lambda: plc.get(60) == [9])
        assert get(driver, device, "value") == 9.0
        assert plc.get(WRITES)[0] == before + 1


def test_offline_is_said_within_a_second() -> None:
    """Nobody there, killed, or silent with the connection open: each is told in time, and nothing was sent."""
    device = machine(point("value", "number", register=1))
    limits = LIMITS.model_copy(update={"silent_seconds": 0.0})
    with driving(f"tcp://127.0.0.1:{free_port()}", device, connects=False) as driver:
        begun = time.monotonic()
        with pytest.raises(Offline):
            put(driver, device, "value", 1.0)
        assert time.monotonic() - begun < 1.0 and driver.online(device) is False
    with running_modbus() as own, driving(own.address, device, limits=limits) as driver:
        put(driver, device, "value", 1.0)
        own.freeze()
        begun = time.monotonic()
        with pytest.raises(Offline, match="does not answer"):
            put(driver, device, "value", 2.0)
        assert time.monotonic() - begun < 1.0
        own.thaw()
        assert until(lambda: driver.online(device) is not False)
        assert get(driver, device, "value") == 1.0
        own.kill()
        assert until(lambda: driver.online(device) is False, 1.0)
        own.start()
        assert until(lambda: driver.online(device) is not False, 5.0)
        assert get(driver, device, "value") == 0.0


def test_a_server_that_dies_in_mid_command() -> None:
    """It may or may not have been done: that is said, and after the restart nothing is sent by itself."""
    device = machine(point("value", "number", register=1))
    with running_modbus() as own, driving(own.address, device) as driver:
        assert get(driver, device, "value") == 0.0
        own.freeze()
        died = threading.Timer(0.2, own.kill)
        died.start()
        with pytest.raises(MaybeSent):
            put(driver, device, "value", 3.0)
        died.join()
        own.start()
        assert until(lambda: driver.online(device) is not False, 5.0)
        assert get(driver, device, "value") == 0.0 and own.get(WRITES) == [0]


def test_five_hundred_points_are_watched_in_few_requests(plc: Modbus) -> None:
    """Neighbours are read together, a hole among them costs only its neighbours, and changes are told."""
    words = [machine(point("v", "number", register=number), name=f"w{number}") for number in range(211)]
    words += [machine(point("v", "bool", table="coil", register=number), name=f"c{number}") for number in range(289)]
    seen: dict[str, list[Value | None]] = {}
    with driving(plc.address, *words) as driver:
        driver.watch(lambda device_id, _point, state: seen.setdefault(device_id, []).append(state.value))
        assert until(lambda: len(seen) == 500, 8.0)
        assert {name for name, values in seen.items() if values == [None]} == {f"w{n}" for n in range(200, 210)}
        plc.put(150, 77)
        assert until(lambda: seen["w150"][-1] == 77.0)


def test_watchers_hear_that_the_server_is_gone() -> None:
    """What was known is unknown with the connection, and told anew after it."""
    device = machine(point("value", "number", register=1))
    seen: list[Value | None] = []
    with running_modbus() as own, driving(own.address, device) as driver:
        driver.watch(lambda _device, _point, state: seen.append(state.value))
        assert until(lambda: seen == [0.0])
        own.kill()
        assert until(lambda: seen == [0.0, None])
        own.start()
        assert until(lambda: seen == [0.0, None, 0.0], 5.0)


@pytest.mark.parametrize(
    ("kind", "address"),
    [("number", {}), ("number", {"register": -1}), ("number", {"register": 1.5}), ("number", {"register": 65_536}),
     ("number", {"register": 65_535, "type": "int32"}), ("number", {"register": 1, "type": "int24"}),
     ("number", {"register": 1, "table": "coil"}), ("bool", {"register": 1, "bit": 16}),
     ("number", {"register": 1, "bits": [12, 5]}), ("choice", {"register": 1}), ("number", {"register": 1, "scale": 0}),
     ("number", {"register": 1, "unit": 300}), ("number", {"register": 1, "speed": 2}),
     ("number", {"register": 1, "table": "input"}), ("number", {"register": True})],
)  # fmt: skip
def test_a_wrong_address_is_said(kind: PointKind, address: dict[str, Json]) -> None:
    """One line names the device, the point and what is wrong with it."""
    device = machine(point("value", kind, **address))
    with pytest.raises(InputError, match="device pump, point value"):
        field_of(device, device.points[0])


@given(
    form=st.sampled_from(["int16", "uint16", "int32", "uint32", "int64", "float32", "float64"]),
    words=st.sampled_from(["big", "little"]), order=st.sampled_from(["big", "little"]),
    registers=st.lists(st.integers(0, 0xFFFF), min_size=4, max_size=4),
)  # fmt: skip
def test_every_pattern_is_a_value_or_none(form: str, words: str, order: str, registers: list[int]) -> None:
    """Whatever a device holds decodes to a finite number that encodes to the same registers, or to no value."""
    device = machine(point("v", "number", register=0, type=form, words=words, bytes=order))
    field = field_of(device, device.points[0])
    value = field.decode(registers[: field.count])
    assert value is None or (isinstance(value, float) and math.isfinite(value))
    if isinstance(value, float) and abs(value) < 2**53 and value:
        assert field.encode(value) == registers[: field.count]


def test_states_carry_their_moment() -> None:
    """What was never read has none."""
    assert State(None).at == 0.0
