"""Devices behind an MQTT broker: zigbee2mqtt, Home Assistant's payloads, anything that tells and takes values by topic.

MQTT only tells: a value is the last that came, and nothing is known while the broker is out of reach. What is retained
has no age. A command goes out once, with QoS 1 and never retained; that the broker confirms it says that it has it.
`mqtt_payload` describes the addresses.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from agent.api import InputError, Json
from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.connecting import check_value, pauses
from plugins.devices.drivers.driver import NotRead, Offline, Seen, WrongValue
from plugins.devices.drivers.mqtt_link import Link
from plugins.devices.drivers.mqtt_payload import Codec, availabilities, codec_of, parse_json
from plugins.devices.drivers.templates import ABSENT, Absent
from plugins.devices.values import Device, Point, State, Value

__all__ = ["MqttDriver", "make_driver"]

log = logging.getLogger(__name__)
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Held:
    """What came last of a point."""

    state: State
    heard: float
    """On `time.monotonic`'s clock; minus infinity for what was retained."""


class MqttDriver:
    """The devices of one broker."""

    def __init__(
        self, name: str, connection: ConnectionSettings, devices: Sequence[Device], limits: DriverSettings
    ) -> None:
        self._name = name
        self._connection = connection
        self._limits = limits
        self._codecs: dict[Key, Codec] = {
            (device.id, point.name): codec_of(device, point, max_chars=limits.max_text_chars)
            for device in devices
            for point in device.points
        }
        self._by_topic: dict[str, list[Key]] = {}
        for key, codec in self._codecs.items():
            if codec.state:
                self._by_topic.setdefault(codec.state, []).append(key)
        by_device: dict[str, list[Codec]] = {}
        for (device_id, _), codec in self._codecs.items():
            by_device.setdefault(device_id, []).append(codec)
        self._available = {device_id: availabilities(codecs) for device_id, codecs in by_device.items()}
        self._modes = {device_id: codecs[0].available_mode for device_id, codecs in by_device.items()}
        self._asked_there = {entry.topic: entry for entries in self._available.values() for entry in entries}
        self._concerned: dict[str, list[str]] = {}
        for device_id, entries in self._available.items():
            for entry in entries:
                self._concerned.setdefault(entry.topic, []).append(device_id)
        self._changed = threading.Condition()
        self._held: dict[Key, _Held] = {}
        self._there: dict[str, tuple[bool | None, float]] = {}
        self._watchers: list[Seen] = []
        self._link = self._new_link(version5=True)  # checks the settings; it connects when it is started
        self._ready: Link | None = None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._stay_connected, name=f"mqtt {self._name}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._link.close()
        if self._thread is not None:
            self._thread.join(self._limits.connect_seconds + 1)
            self._thread = None

    def watch(self, seen: Seen) -> None:
        with self._changed:
            self._watchers.append(seen)
            known = [(key, held.state) for key, held in self._held.items()]
        for (device_id, point), state in known:
            _tell(seen, device_id, point, state)

    def online(self, device: Device) -> bool | None:
        if not self._is_ready:
            return False
        with self._changed:
            return self._presence(device.id)

    def _presence(self, device_id: str) -> bool | None:
        known = [self._there.get(entry.topic, (None, 0.0)) for entry in self._available.get(device_id, ())]
        if not known:
            return None
        says = [there for there, _ in known]
        mode = self._modes[device_id]
        if mode == "latest":
            return max(known, key=lambda pair: pair[1] if pair[0] is not None else -1.0)[0]
        if mode == "all":
            return False if False in says else None if None in says else True
        return True if True in says else None if None in says else False

    def read(self, device: Device, point: Point, *, seconds: float, after: float | None = None) -> State:
        deadline = time.monotonic() + seconds
        codec = self._codec(device, point)
        if not codec.state:
            raise NotRead(f"{device.id} {point.name}: the device does not tell this")
        link = self._living_link(seconds)
        self._refuse_gone(device)
        key = (device.id, point.name)
        if codec.ask and (after is not None or key not in self._held):
            link.publish(codec.ask.topic, codec.ask.payload, deadline - time.monotonic())
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_told(key, after) or link.ended.is_set(), max(0.0, deadline - time.monotonic())
            )
            held = self._held.get(key) if self._is_told(key, after) else None
        if held is None:
            self._refuse_gone(device)
            raise NotRead(f"{device.id} {point.name}: {self._silence(link, codec, after)}")
        if held.state.value is None:
            raise NotRead(f"{device.id} {point.name}: what the device told is no {point.kind}")
        return held.state

    def write(self, device: Device, point: Point, value: Value, *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        codec = self._codec(device, point)
        if not codec.command:
            raise WrongValue(f"{device.id} {point.name}: the device takes no command for this")
        payload = codec.encode(check_value(device, point, value))
        link = self._living_link(seconds)
        self._refuse_gone(device)
        link.publish(codec.command, payload, deadline - time.monotonic())

    def _codec(self, device: Device, point: Point) -> Codec:
        codec = self._codecs.get((device.id, point.name))
        if codec is None:
            raise NotRead(f"{device.id} {point.name}: connection {self._name} does not serve it")
        return codec

    def _living_link(self, seconds: float) -> Link:
        """:raises Offline: there is no connection, or it shows no life."""
        patience = max(0.0, min(seconds, self._limits.offline_seconds))
        with self._changed:
            self._changed.wait_for(lambda: self._is_ready or self._closing.is_set(), patience)
            link = self._link
            if not self._is_ready:
                raise Offline(f"{self._name}: no connection to {link.where}: {link.why}")
        link.show_life(patience)
        return link

    def _refuse_gone(self, device: Device) -> None:
        if self.online(device) is False:
            raise Offline(f"{device.id}: the device is offline, {self._name} says; look at its power and its radio")

    @property
    def _is_ready(self) -> bool:
        return self._link.is_up and self._ready is self._link and not self._closing.is_set()

    def _is_told(self, key: Key, after: float | None) -> bool:
        held = self._held.get(key)
        return held is not None and (after is None or held.heard >= after)

    def _silence(self, link: Link, codec: Codec, after: float | None) -> str:
        if link.ended.is_set():
            return f"the connection to the broker is gone: {link.why}"
        if codec.state in link.refused:
            return f"the broker does not let this box hear {codec.state}; see its access list"
        return "the device told nothing" if after is None else "the device told nothing since"

    def _new_link(self, *, version5: bool) -> Link:
        return Link(self._name, self._connection, self._limits, self._heard, version5=version5)

    def _stay_connected(self) -> None:
        """Connect, wait for the end, forget what was known, and again."""
        waits = pauses(self._limits)
        while not self._closing.is_set():
            link = self._link
            if self._begin(link):
                waits = pauses(self._limits)
                link.ended.wait()
            link.break_off("no answer to the greeting")
            link.close()
            self._forget(list(self._held))
            if not link.try_version3:
                self._closing.wait(next(waits))
            if not self._closing.is_set():
                try:
                    self._link = self._new_link(version5=not link.try_version3)
                except InputError as error:  # a certificate or a password file that is being exchanged
                    log.warning("%s", error)

    def _begin(self, link: Link) -> bool:
        """Connect, and take in what is retained. :return: whether the link is up."""
        try:
            link.start()
        except (OSError, ValueError) as error:
            link.break_off(f"{error}")
        if not link.wait_up(self._limits.connect_seconds):
            return False
        link.subscribe({*self._by_topic, *self._asked_there})
        with suppress(Offline):
            link.show_life(self._limits.connect_seconds, always=True)  # its answer comes after what is retained
        with self._changed:
            self._ready = link
            self._changed.notify_all()
        return link.is_up

    def _forget(self, gone: list[Key], *, connection: bool = True) -> None:
        with self._changed:
            for key in gone:
                self._held.pop(key, None)
            if connection:
                self._there.clear()
            watchers = list(self._watchers)
            self._changed.notify_all()
        for seen in watchers:
            for device_id, point in gone:
                _tell(seen, device_id, point, State(None, time.time()))

    def _heard(self, topic: str, payload: bytes | None, retained: bool) -> None:
        """From the broker: in its thread."""
        try:
            text = None if payload is None else payload.decode("utf-8")
        except UnicodeDecodeError:
            text = None
        parsed = ABSENT if text is None else parse_json(text)
        if text is not None and topic in self._asked_there:
            self._heard_of_presence(topic, text, None if isinstance(parsed, Absent) else parsed)
        now = time.monotonic()
        told: list[tuple[Key, State]] = []
        with self._changed:
            for key in self._by_topic.get(topic, ()):
                value = None if text is None else self._codecs[key].decode(text, parsed)
                if isinstance(value, Absent):
                    continue
                state = State(value, 0.0 if retained else time.time())
                self._held[key] = _Held(state, float("-inf") if retained else now)
                told.append((key, state))
            watchers = list(self._watchers)
            self._changed.notify_all()
        for seen in watchers:
            for (device_id, point), state in told:
                _tell(seen, device_id, point, state)

    def _heard_of_presence(self, topic: str, text: str, parsed: Json) -> None:
        """What a device that went away showed before is not what it shows when it is back: it is forgotten."""
        with self._changed:
            self._there[topic] = (self._asked_there[topic].says(text, parsed), time.monotonic())
            gone = {device_id for device_id in self._concerned[topic] if self._presence(device_id) is False}
            lost = [key for key in self._held if key[0] in gone]
        if lost:
            self._forget(lost, connection=False)


def make_driver(
    name: str, connection: ConnectionSettings, devices: Sequence[Device], limits: DriverSettings
) -> MqttDriver:
    """See `driver.MakeDriver`."""
    return MqttDriver(name, connection, devices, limits)


def _tell(seen: Seen, device_id: str, point: str, state: State) -> None:
    try:
        seen(device_id, point, state)
    except Exception:  # a watcher's fault must not end the connection
        log.exception("a watcher failed on %s %s", device_id, point)
