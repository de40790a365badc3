"""From a sentence to a real broker and back: what was said is on the wire once, and what is said is what came back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.actuator import Heard
from agent.cli import run
from plugins.devices.drivers.registry import make_driver
from tests.devices_kit import Bed, real_reader
from tests.servers.mosquitto import Mosquitto, MosquittoMissing, running_mosquitto
from tests.servers.mqtt_peer import Peer, until

MAP = (Path(__file__).parent.parent / "deploy" / "example" / "home" / "devices.toml").read_text(encoding="utf-8")
DEVICES = ("living_lamp", "desk_lamp", "kitchen_lamp", "bedroom_lamp", "living_ac", "bedroom_ac", "fresh_air")


class Gateway:
    """A zigbee2mqtt of simulated devices: keeps what it is told, and tells it back unless it is flawed."""

    def __init__(self, broker: Mosquitto) -> None:
        self.states: dict[str, dict[str, object]] = {name: {"state": "OFF"} for name in DEVICES}
        self.flaws: dict[str, str] = {}
        self.came: list[tuple[str, object, float]] = []
        self.peer = Peer(broker, "zigbee2mqtt/+/set", answer=self._told)
        for name, state in self.states.items():
            self.peer.tell(f"zigbee2mqtt/{name}/availability", "online", retain=True)
            self.peer.tell(f"zigbee2mqtt/{name}", json.dumps(state), retain=True)

    def _told(self, peer: Peer, topic: str, text: str) -> None:
        name, told = topic.split("/")[1], json.loads(text)
        self.came.append((name, told, time.perf_counter()))
        flaw = self.flaws.get(name)
        if flaw == "wrong":
            told = {key: "OFF" if value == "ON" else 18 for key, value in told.items()}
        self.states[name] |= told
        if flaw == "late":
            threading.Timer(0.5, lambda: self._tell(name)).start()
        elif flaw != "silent":
            self._tell(name)

    def _tell(self, name: str) -> None:
        self.peer.say(f"zigbee2mqtt/{name}", json.dumps(self.states[name]), retain=True)


@pytest.fixture(scope="module")
def broker() -> Iterator[Mosquitto]:
    try:
        with running_mosquitto() as running:
            yield running
    except MosquittoMissing as why:
        pytest.skip(f"no Mosquitto here: {why}")


def bed_on(broker: Mosquitto, home: Path) -> Bed:
    settings = f'[drivers.connections.home]\nkind = "mqtt"\naddress = "{broker.address}"\n'
    text = MAP.replace("within_seconds = 3 ", "within_seconds = 1.5 ").replace(
        "within_seconds = 5 ", "within_seconds = 1.5 "
    )
    bed = Bed(home, text=text, reader=real_reader, make=make_driver, settings=settings)
    opened = bed.plugin.opened(bed.env)
    lamp = opened.house.device("desk_lamp")
    assert lamp is not None and until(lambda: bool(opened.house.online(lamp)), 5.0)
    return bed


def test_a_compound_order_in_chinese(broker: Mosquitto, tmp_path: Path) -> None:
    """Two devices, each told once, each confirmed by what it told after that."""
    with closing(Gateway(broker).peer) as peer, closing(bed_on(broker, tmp_path / "h")) as bed:
        record = bed.agent.ask("把客厅空调调到26度并打开厨房灯")
        assert [d.came for d in record.done] == ["confirmed", "confirmed"]
        assert "客厅空调:温度设定 26 °C,已回读确认" in record.answer.text
        told = sorted((topic, json.loads(text)) for topic, text in peer.heard)
        assert [topic for topic, _ in told] == ["zigbee2mqtt/kitchen_lamp/set", "zigbee2mqtt/living_ac/set"]
        assert told[0][1] == {"state": "ON"}


@pytest.mark.parametrize(
    ("flaw", "came"), [("wrong", "failed"), ("late", "confirmed"), ("silent", "unsure"), ("", "confirmed")]
)
def test_only_what_came_after_it_confirms(broker: Mosquitto, tmp_path: Path, flaw: str, came: str) -> None:
    """Though the broker keeps the very state from before: a retained ON confirms no ON."""
    gateway = Gateway(broker)
    gateway.flaws["desk_lamp"] = flaw
    if flaw == "silent":
        gateway.peer.tell("zigbee2mqtt/desk_lamp", '{"state": "ON"}', retain=True)
    with closing(gateway.peer), closing(bed_on(broker, tmp_path / "h")) as bed:
        (line,) = bed.say("打开台灯")
        assert line.startswith(f"{came}|") and len(gateway.came) == 1


def test_a_duplicate_message_moves_nothing_twice(broker: Mosquitto, tmp_path: Path) -> None:
    """The same utterance, delivered again by QoS 1."""
    gateway = Gateway(broker)
    with closing(gateway.peer), closing(bed_on(broker, tmp_path / "h")) as bed:
        for _ in range(3):
            bed.say("turn on the desk lamp", heard=Heard(utterance="a1"))
        assert len(gateway.came) == 1


def test_a_device_that_is_gone_is_said_within_a_second(broker: Mosquitto, tmp_path: Path) -> None:
    """Nothing is sent to it, and the other one is moved."""
    gateway = Gateway(broker)
    with closing(gateway.peer), closing(bed_on(broker, tmp_path / "h")) as bed:
        gateway.peer.tell("zigbee2mqtt/desk_lamp/availability", "offline", retain=True)
        lamp = bed.plugin.opened(bed.env).house.device("desk_lamp")
        assert lamp is not None and until(lambda: bed.plugin.opened(bed.env).house.online(lamp) is False)
        began = time.monotonic()
        (line,) = bed.say("打开台灯")
        assert "离线" in line and time.monotonic() - began < 1.0 and gateway.came == []
        gateway.peer.tell("zigbee2mqtt/desk_lamp/availability", "online", retain=True)


def test_a_broker_that_dies_in_mid_command(tmp_path: Path) -> None:
    """ "Done" is not said; nothing is sent again when it is back, and a device that then tells so settles it."""
    try:
        with running_mosquitto() as own:
            gateway = Gateway(own)
            gateway.flaws["desk_lamp"] = "silent"
            with closing(gateway.peer), closing(bed_on(own, tmp_path / "h")) as bed:
                bed.agent.ask("打开厨房灯")
                own.freeze()
                died = threading.Timer(0.3, own.kill)
                died.start()
                (line,) = bed.say("打开台灯")
                died.join()
                assert not line.startswith("confirmed|")
                own.start()
                house = bed.plugin.opened(bed.env).house
                lamp = house.device("desk_lamp")
                assert lamp is not None and until(lambda: house.online(lamp) is not False, 8.0)
                time.sleep(0.5)
                assert [name for name, _, _ in gateway.came].count("desk_lamp") <= 1
    except MosquittoMissing as why:
        pytest.skip(f"no Mosquitto here: {why}")


def test_what_a_broker_tells_is_a_map_that_loads(
    broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Printed for a person to look through; kept as devices.toml, its lamp is moved."""
    home = tmp_path / "h"
    home.mkdir()
    settings = (
        f'[drivers]\nsettle_seconds = 0.3\n[drivers.connections.home]\nkind = "mqtt"\naddress = "{broker.address}"\n'
    )
    (home / "watchkeeper.toml").write_text(settings)
    monkeypatch.setenv("WATCHKEEPER_HOME", str(home))
    config = {
        "name": "Shelf lamp", "unique_id": "shelf_lamp", "state_topic": "shelf/state", "command_topic": "shelf/set",
    }  # fmt: skip
    with closing(Peer(broker, "shelf/set", answer=lambda peer, _, text: peer.say("shelf/state", text))) as peer:
        peer.tell("homeassistant/light/shelf/config", json.dumps(config), retain=True)
        assert run(["devices", "discover", "home"]) == 0
        written = capsys.readouterr().out
        assert run(["devices", "discover", "other"]) == 2
        bed = Bed(tmp_path / "b", text=written, reader=real_reader, make=make_driver, settings=settings)
        with closing(bed):
            assert bed.say("turn on the shelf lamp")[0].startswith("confirmed|")
        assert peer.wait(1) == [("shelf/set", "ON")]
        peer.tell("homeassistant/light/shelf/config", "", retain=True)
