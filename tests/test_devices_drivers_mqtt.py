"""What the MQTT driver promises, against a real Mosquitto."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.api import InputError, Json
from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.driver import DriverError, MaybeSent, NotRead, Offline, Refused, WrongValue
from plugins.devices.drivers.mqtt import MqttDriver
from plugins.devices.drivers.mqtt_payload import codec_of, parse_json
from plugins.devices.values import Device, Point, PointKind, State
from tests.servers.certificates import make_certificates
from tests.servers.mosquitto import Login, Mosquitto, MosquittoMissing, running_mosquitto
from tests.servers.mqtt_peer import Peer, until

LIMITS = DriverSettings(retry_seconds=0.05, retry_most_seconds=0.2)


def point(name: str, kind: PointKind, **address: Json) -> Point:
    return Point(name, kind, writable="command" in address, address=address)


def lamp(name: str = "lamp", *, base: str = "zigbee2mqtt") -> Device:
    """As zigbee2mqtt has it."""
    topic = f"{base}/{name}"
    there: list[Json] = [{"topic": f"{topic}/availability", "read": "{{ value_json.state }}"}]
    common: Mapping[str, Json] = {"state": topic, "command": f"{topic}/set", "available": there}
    words: list[Json] = [[True, "ON"], [False, "OFF"]]
    return Device(
        id=name, names=(name,), domain="light", driver="house",
        points=(
            point("power", "bool", **common, read="{{ value_json.state }}", json="state", words=words),
            point("brightness", "number", **common, read="{{ value_json.brightness }}", json="brightness",
                  scale=100 / 254, whole=True),
            point("color_temp", "number", **common, read="{{ value_json.color_temp }}", json="color_temp",
                  inverse=1_000_000.0, whole=True),
            point("color", "color", **common, read="{{ value_json.color }}", json="color", color="hs"),
        ),
    )  # fmt: skip


def obedient(peer: Peer, topic: str, text: str) -> None:
    """Shows at once what it was told."""
    if topic.endswith("/set"):
        peer.say(topic.removesuffix("/set"), text)


@pytest.fixture(scope="module")
def broker() -> Iterator[Mosquitto]:
    try:
        with running_mosquitto() as server:
            yield server
    except MosquittoMissing as missing:
        pytest.skip(f"no Mosquitto here: {missing}")


@contextmanager
def driving(
    server: Mosquitto, *devices: Device, limits: DriverSettings = LIMITS, connects: bool = True, **connection: object
) -> Iterator[MqttDriver]:
    settings = ConnectionSettings.model_validate({"kind": "mqtt", "address": server.address} | connection)
    driver = MqttDriver("house", settings, devices, limits)
    driver.open()
    try:
        assert not connects or until(lambda: driver.online(devices[0]) is not False)
        yield driver
    finally:
        driver.close()


def get(driver: MqttDriver, device: Device, name: str, **more: float) -> object:
    return driver.read(device, _point(device, name), seconds=more.pop("seconds", 2.0), **more).value


def put(driver: MqttDriver, device: Device, name: str, value: bool | float | str, seconds: float = 2.0) -> None:
    driver.write(device, _point(device, name), value, seconds=seconds)


def _why(driver: MqttDriver, device: Device) -> str:
    """What a command says that cannot be sent."""
    with pytest.raises(Offline) as raised:
        put(driver, device, "power", True)
    return str(raised.value)


def _point(device: Device, name: str) -> Point:
    found = device.point(name)
    assert found is not None
    return found


def test_a_command_goes_out_once_and_is_read_back(broker: Mosquitto) -> None:
    """Each write is one message; what the lamp then tells is what a read-back gives, in our units."""
    device = lamp("one")
    with closing(Peer(broker, "zigbee2mqtt/one/set", answer=obedient)) as peer, driving(broker, device) as driver:
        for name, value, wire in (
            ("power", True, {"state": "ON"}),
            ("brightness", 50.0, {"brightness": 127}),
            ("color_temp", 2700.0, {"color_temp": 370}),
            ("color", "#ff0000", {"color": {"h": 0.0, "s": 100.0}}),
        ):
            before = time.monotonic()
            put(driver, device, name, value)
            shown = get(driver, device, name, after=before)
            assert shown == (pytest.approx(value, rel=0.01) if isinstance(value, float) else value)
            assert json.loads(peer.heard[-1][1]) == wire
        assert len(peer.heard) == 4


def test_a_partial_message_leaves_the_rest_as_it_was(broker: Mosquitto) -> None:
    """zigbee2mqtt tells what changed: points that a message does not name keep their value."""
    device = lamp("partial")
    with closing(Peer(broker)) as peer, driving(broker, device) as driver:
        assert until(lambda: driver.online(device) is None)
        peer.tell("zigbee2mqtt/partial", '{"state":"ON","brightness":254}')
        assert get(driver, device, "brightness") == pytest.approx(100)
        peer.tell("zigbee2mqtt/partial", '{"state":"OFF"}')
        assert until(lambda: get(driver, device, "power") is False)
        assert get(driver, device, "brightness") == pytest.approx(100)


def test_what_is_retained_has_no_age_and_confirms_nothing(broker: Mosquitto) -> None:
    """A retained state is shown with an unknown moment; a read-back waits for one that came after the write."""
    device = lamp("kept")
    with closing(Peer(broker, "zigbee2mqtt/kept/set")) as peer:
        peer.tell("zigbee2mqtt/kept", '{"state":"ON"}', retain=True)
        with driving(broker, device) as driver:
            power = _point(device, "power")
            assert driver.read(device, power, seconds=2) == State(True, 0.0)
            before = time.monotonic()
            put(driver, device, "power", True)
            with pytest.raises(NotRead, match="nothing since"):
                driver.read(device, power, seconds=0.3, after=before)
            peer.tell("zigbee2mqtt/kept", '{"state":"ON"}')
            state = driver.read(device, power, seconds=1, after=before)
            assert state.value is True and abs(state.at - time.time()) < 5


NONSENSE: tuple[str | bytes, ...] = (
    '{"state":"maybe"}', "{", '{"brightness":NaN}', '{"brightness":1e999}', "[" * 5000, b"\xff\xfe", '{"state":{}}',
    '{"state":null,"brightness":true}', "9" * 6000, "x" * 300_000,
)  # fmt: skip


@pytest.mark.parametrize("payload", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_makes_a_value_unknown(broker: Mosquitto, payload: str | bytes) -> None:
    """NaN, wrong types, broken JSON and bytes that are no text never leave the last value standing as if it held."""
    device = lamp("odd")
    with closing(Peer(broker)) as peer, driving(broker, device) as driver:
        assert until(lambda: driver.online(device) is None)
        peer.tell("zigbee2mqtt/odd", '{"state":"ON","brightness":127}')
        assert get(driver, device, "power") is True
        lost: list[str] = []
        driver.watch(lambda _device, name, state: lost.append(name) if state.value is None else None)
        peer.tell("zigbee2mqtt/odd", payload)
        assert until(lambda: bool(lost))
        with pytest.raises(NotRead):
            get(driver, device, lost[0])


def test_the_last_will_says_that_a_device_is_gone(broker: Mosquitto) -> None:
    """A device whose connection breaks is offline at once; nothing is sent to it, and what it showed is forgotten."""
    device = Device(
        "plug", ("plug",), "switch", driver="house",
        points=(point("power", "bool", state="t/plug/power", command="t/plug/cmnd", available=[
            {"topic": "t/plug/lwt", "online": "online", "offline": "offline"}]),),
    )  # fmt: skip
    peer = Peer(broker, "t/plug/cmnd", will="t/plug/lwt")
    with driving(broker, device) as driver, closing(Peer(broker, "t/plug/cmnd")) as other:
        peer.tell("t/plug/lwt", "online", retain=True)
        peer.tell("t/plug/power", "ON", retain=True)
        assert until(lambda: driver.online(device) is True)
        assert get(driver, device, "power") is True
        peer.die()
        assert until(lambda: driver.online(device) is False, 1.0)
        begun = time.monotonic()
        with pytest.raises(Offline, match="plug"):
            put(driver, device, "power", False)
        with pytest.raises(Offline):
            get(driver, device, "power")
        assert time.monotonic() - begun < 1.0 and not other.heard
        other.tell("t/plug/lwt", "online", retain=True)
        assert until(lambda: driver.online(device) is True)
        with pytest.raises(NotRead):
            get(driver, device, "power", seconds=0.1)
        other.tell("t/plug/lwt", "", retain=True)
        other.tell("t/plug/power", "", retain=True)


def test_duplicates_change_nothing(broker: Mosquitto) -> None:
    """A state that comes three times is one state, and moves nothing."""
    device = lamp("twice")
    with closing(Peer(broker, "zigbee2mqtt/twice/set")) as peer, driving(broker, device) as driver:
        assert until(lambda: driver.online(device) is None)
        peer.tell("zigbee2mqtt/twice", '{"state":"ON"}', times=3)
        assert get(driver, device, "power") is True
        assert not peer.wait(1, 0.2)


def test_a_command_to_nobody_is_refused(broker: Mosquitto) -> None:
    """Where no bridge listens the broker says so, and so does the driver: nothing has moved."""
    device = lamp("nowhere")
    with driving(broker, device) as driver, pytest.raises(Refused, match="nobody listens"):
        put(driver, device, "power", True)


@pytest.mark.parametrize(
    ("name", "value"),
    [("brightness", float("nan")), ("brightness", float("inf")), ("brightness", "50"), ("power", "ON"), ("power", 1.0),
     ("color", "blau"), ("color_temp", 0.0), ("brightness", True)],
)  # fmt: skip
def test_a_wrong_value_never_leaves_the_box(broker: Mosquitto, name: str, value: bool | float | str) -> None:
    """What a point cannot take is refused before the wire."""
    device = lamp("strict")
    with closing(Peer(broker, "zigbee2mqtt/strict/set")) as peer, driving(broker, device) as driver:
        with pytest.raises(WrongValue):
            put(driver, device, name, value)
        assert not peer.wait(1, 0.1)


def test_offline_is_said_within_a_second() -> None:
    """No broker, a broker that dies, one that keeps the connection and says nothing: each is told at once, unsent."""
    try:
        with running_mosquitto() as own:
            device = lamp()
            limits = LIMITS.model_copy(update={"silent_seconds": 0.0})
            with closing(Peer(own, "zigbee2mqtt/lamp/set")) as peer, driving(own, device, limits=limits) as driver:
                put(driver, device, "power", True)
                own.freeze()
                begun = time.monotonic()
                with pytest.raises(Offline):
                    put(driver, device, "power", False)
                assert time.monotonic() - begun < 1.0
                own.thaw()
                assert until(lambda: driver.online(device) is None)
                own.kill()
                assert until(lambda: driver.online(device) is False, 1.0)
                begun = time.monotonic()
                with pytest.raises(Offline):
                    get(driver, device, "power")
                with pytest.raises(Offline):
                    put(driver, device, "power", False)
                assert time.monotonic() - begun < 1.5
                own.start()
                assert until(lambda: driver.online(device) is None, 5.0)
                assert len(peer.heard) == 1
    except MosquittoMissing as missing:
        pytest.skip(f"no Mosquitto here: {missing}")


def test_a_broker_that_dies_in_mid_command() -> None:
    """It may or may not have arrived, which is said; when the broker is back the driver does not send it again."""
    try:
        with running_mosquitto() as own:
            device = lamp()
            with closing(Peer(own, "zigbee2mqtt/lamp/set")) as peer, driving(own, device) as driver:
                put(driver, device, "power", True)
                assert len(peer.wait(1)) == 1
                own.freeze()
                died = threading.Timer(0.2, own.kill)
                died.start()
                with pytest.raises(MaybeSent):
                    put(driver, device, "power", False)
                died.join()
                own.start()
                assert until(lambda: driver.online(device) is None, 5.0)
                assert len(peer.wait(2, 1.5)) == 1
    except MosquittoMissing as missing:
        pytest.skip(f"no Mosquitto here: {missing}")


def test_states_are_forgotten_with_the_connection() -> None:
    """While the broker is gone nobody is told an old state; watchers hear that it is unknown, and then the new one."""
    try:
        with running_mosquitto() as own:
            device = lamp()
            seen: list[tuple[str, object]] = []
            with closing(Peer(own)) as peer, driving(own, device) as driver:
                driver.watch(lambda _device, name, state: seen.append((name, state.value)))
                peer.tell("zigbee2mqtt/lamp", '{"state":"ON"}', retain=True)
                assert until(lambda: seen == [("power", True)])
                own.stop()
                assert until(lambda: seen == [("power", True), ("power", None)])
                own.start()
                assert until(lambda: seen[-1] == ("power", True) and len(seen) == 3, 5.0)
    except MosquittoMissing as missing:
        pytest.skip(f"no Mosquitto here: {missing}")


def test_tls_and_passwords(tmp_path: Path) -> None:
    """With TLS both sides show certificates and the password comes from a file; a wrong one is said, and why."""
    files = make_certificates(tmp_path / "good")
    strangers = make_certificates(tmp_path / "other")
    login = Login("box", "s3cret words")
    secret = tmp_path / "password"
    secret.write_text("s3cret words\n")
    wrong = tmp_path / "wrong"
    wrong.write_text("guess\n")
    mine: dict[str, object] = {
        "user": "box", "password_file": secret, "ca_file": files.ca, "certificate_file": files.client,
        "key_file": files.client_key,
    }  # fmt: skip
    device = lamp()
    try:
        with running_mosquitto(login=login, tls=files) as own:
            with (
                closing(Peer(own, "zigbee2mqtt/lamp/set", answer=obedient, login=login, tls=files)) as peer,
                driving(own, device, **mine) as driver,
            ):
                put(driver, device, "power", True)
                assert len(peer.wait(1)) == 1 and get(driver, device, "power") is True
            with driving(own, device, connects=False, **{**mine, "password_file": wrong}) as driver:
                assert until(lambda: "uthori" in _why(driver, device))
            with driving(own, device, connects=False, **{**mine, "ca_file": strangers.ca}) as driver:
                assert until(lambda: "certificate" in _why(driver, device))
    except MosquittoMissing as missing:
        pytest.skip(f"no Mosquitto here: {missing}")


def test_five_hundred_points(broker: Mosquitto) -> None:
    """A large home: every retained state is there soon after the connection, and watchers hear each once."""
    devices = [lamp(f"l{number}", base="big") for number in range(125)]
    with closing(Peer(broker)) as peer:
        for number, device in enumerate(devices):
            body = {"state": "ON", "brightness": number, "color_temp": 250, "color": {"h": 1, "s": 2}}
            peer.say(f"big/{device.id}", json.dumps(body), retain=True)
        peer.tell("big", "all told")
        heard: list[str] = []
        with driving(broker, *devices) as driver:
            driver.watch(lambda device_id, name, _state: heard.append(f"{device_id}.{name}"))
            assert until(lambda: len(heard) == 500)
            assert len(set(heard)) == 500
            assert get(driver, devices[100], "brightness") == pytest.approx(100 * 100 / 254)
        for device in devices:
            peer.say(f"big/{device.id}", "", retain=True)
        peer.tell("big", "all gone")


def test_home_assistants_plain_payloads(broker: Mosquitto) -> None:
    """Separate topics, templates, words of a device's own; a device that is asked tells."""
    device = Device(
        "ac", ("ac",), "climate", driver="house",
        points=(
            point("temperature", "number", state="ha/ac/temp", command="ha/ac/temp/set", write='{"t": {{ value }}}'),
            point("mode", "choice", state="ha/ac", read="{{ value_json['mode'] | lower }}", command="ha/ac/mode/set",
                  words=[["cool", "COOLING"], ["cool", "cooling"]]),
            point("current_temperature", "number", state="ha/ac", read="{{ value_json.now | float / 10 }}",
                  ask={"topic": "ha/ac/get", "payload": "all"}),
        ),
    )  # fmt: skip

    def answer(peer: Peer, topic: str, text: str) -> None:
        if topic == "ha/ac/get":
            peer.say("ha/ac", '{"mode":"COOLING","now":"235"}')

    with closing(Peer(broker, "ha/#", answer=answer)) as peer, driving(broker, device) as driver:
        assert get(driver, device, "current_temperature") == 23.5
        assert get(driver, device, "mode") == "cool"
        put(driver, device, "temperature", 26.0)
        put(driver, device, "mode", "cool")
        assert ("ha/ac/temp/set", '{"t": 26}') in peer.wait(4) and ("ha/ac/mode/set", "COOLING") in peer.heard


@contextmanager
def old_broker(server: Mosquitto, refusal: bytes) -> Iterator[int]:
    """A door to the broker through which only MQTT 3 gets: to 5 it says this, and hangs up. Gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    sockets = [listener]

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                sockets.append(client)
                hello = client.recv(65_536)
                if hello[8:9] == b"\x05":  # the protocol's level stands after the fixed header and its name
                    client.sendall(refusal)
                    client.close()
                    continue
                inner = socket.create_connection(("127.0.0.1", server.port))
                sockets.append(inner)
                inner.sendall(hello)
                for pair in ((client, inner), (inner, client)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        for each in sockets:
            each.close()


@pytest.mark.parametrize("refusal", [b"\x20\x02\x00\x01", b"\x20\x03\x00\x84\x00", b""], ids=["3.1.1", "5", "hangs up"])
def test_a_broker_that_speaks_only_the_older_protocol(broker: Mosquitto, refusal: bytes) -> None:
    """MQTT 5 is tried, and 3.1.1 taken where the broker refuses it, whichever way it does."""
    device = lamp("old")
    with (
        closing(Peer(broker, "zigbee2mqtt/old/set", answer=obedient)) as peer,
        old_broker(broker, refusal) as port,
        driving(broker, device, address=f"mqtt://127.0.0.1:{port}") as driver,
    ):
        before = time.monotonic()
        put(driver, device, "power", True)
        assert get(driver, device, "power", after=before) is True and len(peer.heard) == 1


@pytest.mark.parametrize(
    "address",
    [{"state": "a/#"}, {"state": "a", "read": "{% if value %}1{% endif %}"}, {"state": "a", "lead": 1}, {},
     {"command": "x" * 2000}, {"state": "a", "words": [["ON"]]}, {"state": "a", "scale": "NaN"},
     {"state": "a", "available": [{"topic": "b/+"}]}, {"state": "a", "ask": {"payload": "x"}}],
)  # fmt: skip
def test_a_wrong_address_is_said(address: dict[str, Json]) -> None:
    """One line names the device, the point and what is wrong with it."""
    device = Device("pump", ("pump",), "switch")
    with pytest.raises(InputError, match="device pump, point power"):
        codec_of(device, Point("power", "bool", address=address), max_chars=100)


CODECS = [codec_of(lamp(), each, max_chars=100) for each in lamp().points]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["state", "color", "x", "h"]), inner),
    max_leaves=8).map(json.dumps))  # fmt: skip
def test_no_payload_does_harm(text: str) -> None:
    """Whatever comes is a sound value of the point's kind, unknown, or not about it."""
    for codec in CODECS:
        value = codec.decode(text, parse_json(text))
        if isinstance(value, str):
            assert codec.kind == "color" and len(value) == 7
        elif isinstance(value, float):
            assert codec.kind == "number" and abs(value) < float("inf")


def test_errors_are_one_tree() -> None:
    """Whoever catches a driver's error sees whether bytes may have gone out."""
    assert issubclass(Offline, DriverError) and not issubclass(MaybeSent, Offline)
