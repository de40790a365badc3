"""A home of simulated devices on a real broker: it takes commands and tells states as zigbee2mqtt does.

    python -m tests.simulated_home --map deploy/example/home/devices.toml          # starts a Mosquitto of its own
    python -m tests.simulated_home --map … --port 1883 --flaw living_ac=late:3 --flaw kitchen_lamp=silent

Flaws can be switched while it runs: publish `late:3`, `wrong`, `silent`, `offline`, `twice` or nothing to
`simulation/DEVICE/flaw`. Curtains and temperatures take their time. What a device does is written out, a line each.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt import enums

from agent.api import Json
from agent.settings import DeviceSettings
from plugins.devices.drivers.mqtt_payload import Codec, codec_of
from plugins.devices.maps.toml import load_map
from plugins.devices.values import Device, Point, Value
from tests.servers.mosquitto import running_mosquitto

FLAWS = ("late", "wrong", "silent", "offline", "twice")
STEP_SECONDS = 0.1
CURTAIN_STEP = 10.0
"""Percent of a curtain's way, and a fifth of what a room lacks in degrees, each step."""
FIRST: dict[str, Value] = {
    "power": False, "brightness": 80.0, "temperature": 24.0, "current_temperature": 28.5, "mode": "cool",
    "position": 0.0, "locked": True, "color": "#ffffff", "speed": 50.0, "color_temp": 4000.0,
}  # fmt: skip


@dataclass
class Simulated:
    """One device: what it shows, and what is wrong with it."""

    device: Device
    codecs: dict[str, Codec]
    shows: dict[str, Value] = field(default_factory=dict)
    goal: dict[str, Value] = field(default_factory=dict)
    """Where what takes its time is going."""
    flaw: str = ""
    told: int = 0
    """Commands that came."""


class SimulatedHome:
    """The devices of a map on a broker. Threads: paho's takes commands, one of its own moves what is slow."""

    def __init__(self, port: int, devices: Sequence[Device], say: Callable[[str], None] = lambda line: None) -> None:
        """:param say: is told each thing that happens, in a line."""
        self.devices = {
            d.id: Simulated(d, {p.name: codec_of(d, p, max_chars=1_000) for p in d.points}) for d in devices
        }
        self._say = say
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._ready = threading.Event()
        for one in self.devices.values():
            one.shows = {point.name: _first(point) for point in one.device.points}
        self._client = mqtt.Client(enums.CallbackAPIVersion.VERSION2)
        self._client.on_socket_open = lambda _c, _d, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._heard
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._ready.wait(10)
        self._mover = threading.Thread(target=self._move, daemon=True)
        self._mover.start()

    def flawed(self, device_id: str, flaw: str) -> None:
        """Switch a flaw on, or all off with an empty one.

        :raises KeyError: no such device. :raises ValueError: no such flaw.
        """
        if flaw.partition(":")[0] not in ("", *FLAWS):
            raise ValueError(f"{flaw}: write one of {', '.join(FLAWS)}")
        one = self.devices[device_id]
        with self._lock:
            one.flaw = flaw
            self._tell_presence(one)
            self._say(f"{device_id}: {flaw or 'sound'}")
            if not flaw:
                self._tell(one)

    def close(self) -> None:
        self._over.set()
        self._mover.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: Any, data: Any, flags: Any, code: Any, properties: Any) -> None:
        topics = {codec.command for one in self.devices.values() for codec in one.codecs.values() if codec.command}
        asked = {codec.ask.topic for one in self.devices.values() for codec in one.codecs.values() if codec.ask}
        with self._lock:
            for one in self.devices.values():
                self._tell_presence(one)
                self._tell(one)
        client.subscribe([(topic, 1) for topic in {*topics, *asked, "simulation/+/flaw"}])

    def _heard(self, client: Any, data: Any, message: Any) -> None:
        text = message.payload.decode("utf-8", "replace")
        if match := re.fullmatch(r"simulation/(.+)/flaw", message.topic):
            try:
                self.flawed(match[1], text.strip())
            except (KeyError, ValueError) as error:
                self._say(f"not switched: {error}")
            return
        for one in self.devices.values():
            if any(codec.ask and codec.ask.topic == message.topic for codec in one.codecs.values()):
                self._tell(one)
            if any(codec.command == message.topic for codec in one.codecs.values()):
                self._obey(one, message.topic, text)

    def _obey(self, one: Simulated, topic: str, text: str) -> None:
        one.told += 1
        self._say(f"{one.device.id} <- {text}")
        kind, _, how = one.flaw.partition(":")
        if kind in ("silent", "offline"):
            return
        if kind == "late":
            late = threading.Timer(float(how or 3), self._do, (one, topic, text, ""))
            late.daemon = True
            late.start()
            return
        self._do(one, topic, text, kind)

    def _do(self, one: Simulated, topic: str, text: str, flaw: str) -> None:
        with self._lock:
            for name, value in self._ordered(one, topic, text):
                value = _wrong(one, name, value) if flaw == "wrong" else value
                if name == "position":
                    one.goal[name] = value
                else:
                    one.shows[name] = value
                if name == "brightness" and "power" in one.shows:
                    one.shows["power"] = True
            for _ in range(3 if flaw == "twice" else 1):
                self._tell(one)

    def _ordered(self, one: Simulated, topic: str, text: str) -> Iterator[tuple[str, Value]]:
        """The points that a command names, with their values."""
        try:
            body: Json = json.loads(text)
        except ValueError:
            body = None
        for name, codec in one.codecs.items():
            if codec.command != topic:
                continue
            wire: Json = body
            for part in codec.json_path:
                wire = wire.get(part) if isinstance(wire, dict) else None
            if codec.json_path and wire is None:
                continue
            value = codec.ours(wire if codec.json_path else text)
            if value is not None:
                yield name, value

    def _tell(self, one: Simulated) -> None:
        if one.flaw in ("silent", "offline"):
            return
        bodies: dict[str, dict[str, Json]] = {}
        for name, codec in one.codecs.items():
            if not codec.state:
                continue
            wire = codec.wire(one.shows[name])
            path = re.search(r"value_json\.([\w.]+)", codec.template.source) if codec.template else None
            if path:
                bodies.setdefault(codec.state, {})[path[1]] = wire
            else:
                self._publish(codec.state, wire if isinstance(wire, str) else json.dumps(wire))
        for topic, body in bodies.items():
            self._publish(topic, json.dumps(body, ensure_ascii=False))
        self._say(f"{one.device.id} -> {json.dumps(one.shows, ensure_ascii=False)}")

    def _tell_presence(self, one: Simulated) -> None:
        for codec in one.codecs.values():
            for entry in codec.available:
                word = entry.offline if one.flaw == "offline" else entry.online
                path = re.search(r"value_json\.(\w+)", entry.template.source) if entry.template else None
                self._publish(entry.topic, json.dumps({path[1]: word}) if path else word)

    def _publish(self, topic: str, payload: str) -> None:
        self._client.publish(topic, payload, qos=1, retain=True)

    def _move(self) -> None:
        """Curtains travel; a room follows its air conditioner."""
        while not self._over.wait(STEP_SECONDS):
            with self._lock:
                for one in self.devices.values():
                    before = dict(one.shows)
                    goal = one.goal.get("position")
                    if isinstance(goal, float):
                        one.shows["position"] = _nearer(one.shows["position"], goal, CURTAIN_STEP)
                    if one.shows.get("power") is True and "current_temperature" in one.shows:
                        wanted = one.shows.get("temperature", 24.0)
                        one.shows["current_temperature"] = _nearer(one.shows["current_temperature"], wanted, 0.1)
                    if one.shows != before:
                        self._tell(one)


@contextmanager
def running_home(port: int, devices: Sequence[Device]) -> Iterator[SimulatedHome]:
    """A home on a broker of loopback."""
    home = SimulatedHome(port, devices)
    try:
        yield home
    finally:
        home.close()


def _first(point: Point) -> Value:
    value = FIRST.get(point.name)
    if point.kind == "number" and isinstance(value, float):
        low, high = point.low, point.high
        return value if (low is None or low <= value) and (high is None or value <= high) else low or 0.0
    if point.kind == "choice":
        return value if value in point.choices else point.choices[0]
    if point.kind == "number":
        return point.low or 0.0
    return value if value is not None else (False if point.kind == "bool" else "")


def _wrong(one: Simulated, name: str, value: Value) -> Value:
    """Another value than was ordered."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return value - 3.0 if value > 20 else value + 3.0
    point = one.device.point(name)
    return next((choice for choice in point.choices if choice != value), value) if point else value


def _nearer(now: Value, goal: Value, step: float) -> Value:
    if isinstance(now, float) and isinstance(goal, float):
        return round(max(goal, now - step) if goal < now else min(goal, now + step), 2)
    return goal


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--map", type=Path, required=True, help="the map of devices, as watchkeeper reads it")
    arguments.add_argument("--port", type=int, default=0, help="of a broker on loopback; 0 starts a Mosquitto")
    arguments.add_argument("--flaw", action="append", default=[], metavar="DEVICE=FLAW", help=", ".join(FLAWS))
    arguments.add_argument("--seconds", type=float, default=0.0, help="how long; 0 is until it is stopped")
    given = arguments.parse_args()
    devices = [d for d in load_map(given.map, DeviceSettings()).devices.devices if d.points]
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    signal.signal(signal.SIGINT, lambda *_: over.set())
    with running_mosquitto() if not given.port else nullcontext() as broker:
        port = given.port or broker.port
        home = SimulatedHome(port, devices, say=lambda line: print(f"{time.strftime('%H:%M:%S')} {line}", flush=True))
        for flaw in given.flaw:
            device_id, _, what = flaw.partition("=")
            home.flawed(device_id, what)
        print(f"ready: {len(devices)} devices on mqtt://127.0.0.1:{port}", flush=True)
        over.wait(given.seconds or None)
        home.close()


if __name__ == "__main__":
    sys.exit(main())
