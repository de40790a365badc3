"""What the OPC UA driver promises, against asyncua's server in a process of its own."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.api import InputError, Json
from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.driver import DriverError, MaybeSent, NotRead, NotSent, Offline, Refused, WrongValue
from plugins.devices.drivers.opcua import OpcUaDriver
from plugins.devices.drivers.opcua_nodes import INTEGERS, field_of
from plugins.devices.values import Device, Point, PointKind, Value
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.debian import free_port
from tests.servers.mqtt_peer import until
from tests.servers.opcua import APPLICATION, NAMESPACE, OpcUa, running_opcua

LIMITS = DriverSettings(retry_seconds=0.05, retry_most_seconds=0.2, publishing_seconds=0.05)
PASSWORD = "open sesame 芝麻"


def node(name: str, kind: PointKind, *, writable: bool = True, **address: Json) -> Point:
    return Point(name.lower(), kind, writable=writable, address={"node": f"nsu={NAMESPACE};s={name}", **address})


def part(what: str, kind: PointKind, *, writable: bool = False) -> Point:
    return Point(what, kind, writable=writable, address={"alarm": f"nsu={NAMESPACE};s=LevelAlarm", "what": what})


PLANT = Device(
    "plant", ("plant",), "switch", driver="ua",
    points=(
        node("Power", "bool"), node("Speed", "number"), node("Level", "number", scale=0.1), node("Small", "number"),
        node("Count", "number"), node("Large", "number"), node("Recipe", "text"), node("Fixed", "number"),
        node("Mode", "choice", codes=[["auto", 1], ["hand", 2]]), node("Missing", "number"), node("Fire", "bool"),
        part("active", "bool"), part("acknowledged", "bool", writable=True), part("confirmed", "bool", writable=True),
        part("shelved", "number", writable=True), part("message", "text"), part("severity", "number"),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"), uri=APPLICATION)


@pytest.fixture(scope="module")
def secure(files: Certificates) -> Iterator[OpcUa]:
    with running_opcua(tls=files, password=PASSWORD) as server:
        yield server


@pytest.fixture(scope="module")
def plain() -> Iterator[OpcUa]:
    with running_opcua() as server:
        yield server


@contextmanager
def driving(
    address: str, *devices: Device, limits: DriverSettings = LIMITS, connected: bool = True, **connection: object
) -> Iterator[OpcUaDriver]:
    settings = ConnectionSettings.model_validate({"kind": "opcua", "address": address, **connection})
    driver = OpcUaDriver("ua", settings, devices or (PLANT,), limits)
    driver.open()
    try:
        assert not connected or until(lambda: driver.online((devices or (PLANT,))[0]) is True, 10.0)
        yield driver
    finally:
        driver.close()


@pytest.fixture(scope="module")
def driver(secure: OpcUa, files: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpcUaDriver]:
    """Signed, encrypted, with a password, to the server whose certificate is pinned."""
    secret = tmp_path_factory.mktemp("secret") / "password"
    secret.write_text(PASSWORD)
    with driving(
        secure.address, certificate_file=files.client, key_file=files.client_key, user="operator", password_file=secret,
        server_certificate_file=files.server,
    ) as made:  # fmt: skip
        yield made


def get(driver: OpcUaDriver, name: str, *, seconds: float = 3.0, after: float | None = None) -> Value | None:
    return driver.read(PLANT, _point(name), seconds=seconds, after=after).value


def put(driver: OpcUaDriver, name: str, value: Value, seconds: float = 3.0) -> None:
    driver.write(PLANT, _point(name), value, seconds=seconds)


def _point(name: str) -> Point:
    found = PLANT.point(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "value"),
    [("power", True), ("speed", 1234.5), ("level", 7.5), ("small", 255.0), ("count", -32_768.0), ("large", 2.0**60),
     ("recipe", "配方 7"), ("mode", "hand")],
)  # fmt: skip
def test_each_type_goes_out_as_its_own(driver: OpcUaDriver, name: str, value: Value) -> None:
    """What is written in the node's own data type reads back as it was meant."""
    put(driver, name, value)
    assert get(driver, name) == (pytest.approx(value) if isinstance(value, float) else value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("small", 256.0), ("small", -1.0), ("count", 40_000.0), ("speed", math.nan), ("speed", math.inf), ("level", 1e39),
     ("power", 1.0), ("speed", "5"), ("mode", "none"), ("recipe", True), ("large", -1.0), ("active", True),
     ("acknowledged", False), ("shelved", -1.0), ("shelved", 1e9)],
)  # fmt: skip
def test_what_does_not_fit_never_leaves_the_box(driver: OpcUaDriver, name: str, value: Value) -> None:
    """Out of the type, not a number, not to be written: refused before the wire."""
    with pytest.raises(WrongValue):
        put(driver, name, value)


def test_the_servers_no_is_a_no(driver: OpcUaDriver) -> None:
    """A node that may not be written, and one that is not there: nothing moved, and it is said why."""
    with pytest.raises(Refused, match="Bad"):
        put(driver, "fixed", 8.0)
    assert get(driver, "fixed") == 7.0
    with pytest.raises(NotSent, match="NodeIdUnknown"):
        put(driver, "missing", 8.0)
    with pytest.raises(DriverError, match="NodeIdUnknown"):
        get(driver, "missing")


def test_changes_are_told(driver: OpcUaDriver) -> None:
    """Watchers hear what is known, and then each change."""
    seen: list[tuple[str, Value | None]] = []
    put(driver, "speed", 1.0)
    driver.watch(lambda _device, name, state: seen.append((name, state.value)))
    assert until(lambda: ("fixed", 7.0) in seen)
    put(driver, "speed", 2.0)
    assert until(lambda: [value for name, value in seen if name == "speed"][-1] == 2.0)  # alarms may be told after it


def test_an_alarm_is_acknowledged_confirmed_and_shelved(driver: OpcUaDriver) -> None:
    """Each step is confirmed by the alarm's next event; what was done already is refused; shelving has an end."""
    before = time.monotonic()
    put(driver, "fire", True)
    assert until(lambda: get(driver, "active") is True)
    assert (get(driver, "acknowledged", after=before), get(driver, "severity")) == (False, 700.0)
    assert get(driver, "message") == "level high"
    for name in ("acknowledged", "confirmed"):
        before = time.monotonic()
        put(driver, name, True)
        assert get(driver, name, after=before) is True
    with pytest.raises(Refused, match="AlreadyAcked"):
        put(driver, "acknowledged", True)
    for seconds in (60.0, 0.0):
        before = time.monotonic()
        put(driver, "shelved", seconds)
        assert get(driver, "shelved", after=before) == seconds
    put(driver, "fire", False)
    assert until(lambda: get(driver, "active") is False)


def test_a_read_back_waits_for_news_of_an_alarm(driver: OpcUaDriver) -> None:
    """What was heard before the command confirms nothing."""
    assert until(lambda: get(driver, "active") is not None)
    with pytest.raises(NotRead, match="told nothing"):
        get(driver, "active", after=time.monotonic(), seconds=0.1)


def test_only_the_right_server_is_believed(secure: OpcUa, files: Certificates, tmp_path: Path) -> None:
    """Another server's certificate, another authority, a wrong password: no session, and the reason is said."""
    strangers = make_certificates(tmp_path / "other", uri=APPLICATION)
    secret, wrong = tmp_path / "password", tmp_path / "wrong"
    secret.write_text(PASSWORD)
    wrong.write_text("guess")
    mine: dict[str, object] = {
        "certificate_file": files.client, "key_file": files.client_key, "user": "operator", "password_file": secret,
    }  # fmt: skip
    with driving(secure.address, ca_file=files.ca, **mine) as driver:
        assert get(driver, "fixed") == 7.0
    for fault in (
        {"ca_file": strangers.ca}, {"server_certificate_file": strangers.server},
        {"ca_file": files.ca, "password_file": wrong},
    ):  # fmt: skip
        with driving(secure.address, connected=False, **{**mine, **fault}) as driver:
            assert not until(lambda found=driver: found.online(PLANT) is True, 0.7)  # type: ignore[misc]
            with pytest.raises(Offline):
                get(driver, "fixed")


@pytest.mark.parametrize(
    ("connection", "said"),
    [({"user": "operator"}, "unencrypted"), ({"security_policy": "Basic256Sha256"}, "needs certificate_file"),
     ({"certificate_file": "a.pem", "key_file": "a.key"}, "any server would be believed"),
     ({"address": "http://127.0.0.1"}, "opc.tcp")],
)  # fmt: skip
def test_an_unsafe_setting_is_refused(connection: dict[str, object], said: str) -> None:
    """A password in the clear, keys that are missing, a server that nobody vouches for."""
    settings = ConnectionSettings.model_validate({"kind": "opcua", "address": "opc.tcp://127.0.0.1:1", **connection})
    with pytest.raises(InputError, match=said):
        OpcUaDriver("ua", settings, [PLANT], LIMITS)


def test_without_security_it_is_only_read(plain: OpcUa) -> None:
    """An open connection reads; it writes only where the settings say so."""
    with driving(plain.address) as driver:
        assert get(driver, "fixed") == 7.0
        with pytest.raises(NotSent, match="insecure_writes"):
            put(driver, "power", True)
    with driving(plain.address, insecure_writes=True) as driver:
        put(driver, "power", True)
        assert get(driver, "power") is True


def test_five_hundred_points(plain: OpcUa) -> None:
    """All are told soon after the connection."""
    many = Device("many", ("many",), "sensor", driver="ua",
                  points=tuple(node(f"C{number}", "number", writable=False) for number in range(500)))  # fmt: skip
    seen: dict[str, Value | None] = {}
    with driving(plain.address, many) as driver:
        driver.watch(lambda _device, name, state: seen.__setitem__(name, state.value))
        assert until(lambda: len(seen) == 500, 8.0)
        assert seen["c499"] == 499.0


def test_a_server_that_goes_silent_dies_and_comes_back(plain: OpcUa) -> None:
    """Offline is said within a second and unsent; what was on its way may have arrived, and is never sent again."""
    limits = LIMITS.model_copy(update={"silent_seconds": 0.0})
    with driving(f"opc.tcp://127.0.0.1:{free_port()}", connected=False) as nobody:
        begun = time.monotonic()
        with pytest.raises(Offline):
            get(nobody, "fixed")
        assert time.monotonic() - begun < 1.0
    with (
        driving(plain.address, insecure_writes=True) as driver,
        driving(plain.address, insecure_writes=True, limits=limits) as wary,
    ):
        put(driver, "speed", 5.0)
        put(wary, "speed", 6.0)
        plain.freeze()
        died = threading.Timer(1.5, plain.kill)
        died.start()
        begun = time.monotonic()
        with pytest.raises(MaybeSent):
            put(driver, "speed", 7.0, seconds=0.5)
        with pytest.raises(Offline):
            put(wary, "speed", 8.0)
        assert time.monotonic() - begun < 1.5
        died.join()
        assert until(lambda: driver.online(PLANT) is False, 1.0)
        plain.start()
        assert until(lambda: driver.online(PLANT) is True, 10.0)
        assert get(driver, "speed") == 0.0


@pytest.mark.parametrize(
    "address",
    [{}, {"node": "i=1", "alarm": "i=2"}, {"node": 5}, {"node": "i=1", "scale": 0}, {"node": "i=1", "codes": [[1]]},
     {"alarm": "i=2"}, {"alarm": "i=2", "what": "silenced"}, {"alarm": "i=2", "what": "severity"}, {"topic": "a"}],
)  # fmt: skip
def test_a_wrong_address_is_said(address: dict[str, Json]) -> None:
    """One line names the device, the point and what is wrong with it."""
    device = Device("pump", ("pump",), "switch")
    with pytest.raises(InputError, match="device pump, point power"):
        field_of(device, Point("power", "bool", writable=True, address=address), max_chars=100)


@given(
    st.floats() | st.integers(-(2**70), 2**70) | st.booleans() | st.text(max_size=5),
    st.sampled_from([*INTEGERS, "Float", "Double", "Boolean", "String", "Guid"]),
)
def test_a_number_is_sent_whole_or_not_at_all(value: Value, type_name: str) -> None:
    """Whatever is ordered fits the node's type and means the same, or is refused."""
    device = Device("pump", ("pump",), "switch")
    field = field_of(device, Point("v", "number", address={"node": "i=1"}), max_chars=100)
    try:
        wire = field.encode(value, type_name)
    except WrongValue:
        return
    if type_name in INTEGERS:
        low, high = INTEGERS[type_name]
        assert isinstance(wire, int) and not isinstance(value, str) and low <= wire <= high and abs(wire - value) <= 0.5
    else:
        assert wire == value
