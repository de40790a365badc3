"""One connection to a broker, from its beginning to its end, over paho-mqtt.

A link is never connected again: paho would then send once more what the broker has not confirmed, and a command may
move a machine twice. Whoever wants to go on makes a new one. MQTT 5 is spoken where the broker can: it says when nobody
listens to a command or it is not allowed, and lets a command that nobody took in time expire; else 3.1.1.
"""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.connecting import password, place_of, tls_context
from plugins.devices.drivers.driver import MaybeSent, NotSent, Offline, Refused

if TYPE_CHECKING:
    from paho.mqtt.client import Client
    from paho.mqtt.reasoncodes import ReasonCode

__all__ = ["Heard", "Link"]

PORTS = {"mqtt": 1883, "mqtts": 8883}
TOPICS_AT_ONCE = 100
UNSUPPORTED_VERSION = (1, 0x84)
NOBODY_LISTENS = 0x10
LEAST_FAILURE = 0x80

Heard = Callable[[str, bytes | None, bool], None]
"""Topic, payload (None: too long to be looked at), whether it was retained."""


class Link:
    """One connection. `start` connects; `ended` is set when it is over, and `why` then says how."""

    def __init__(
        self, name: str, connection: ConnectionSettings, limits: DriverSettings, heard: Heard, *, version5: bool = True
    ) -> None:
        self._name = name
        self._limits = limits
        self._heard = heard
        self._place = place_of(name, connection, PORTS)
        self._client = self._make(connection, version5=version5)
        self._changed = threading.Condition()
        self._answers: dict[int, int] = {}
        self._up = False
        self._slots = threading.BoundedSemaphore(max(1, limits.max_waiting_calls))
        self._last = 0.0
        self.version5 = version5
        self.try_version3 = False
        """The broker does not speak MQTT 5."""
        self.ended = threading.Event()
        self.why = "not connected yet"
        self.refused: set[str] = set()
        """Topics that the broker does not let this box hear."""

    @property
    def where(self) -> str:
        return f"{self._place.host}:{self._place.port}"

    @property
    def is_up(self) -> bool:
        return self._up and not self.ended.is_set()

    def start(self) -> None:
        """Connect, and let messages come.

        :raises OSError: nobody answers, or the certificates do not fit.
        """
        self._client.connect(self._place.host, self._place.port, keepalive=self._limits.keepalive_seconds)
        self._client.loop_start()

    def close(self) -> None:
        """End it; whoever waits is told. May be repeated."""
        with suppress(OSError, RuntimeError):
            self._client.disconnect()
        self._end("closed")
        self._client.loop_stop()

    def break_off(self, why: str) -> None:
        """End it without a farewell: the other side has not answered."""
        self._end(why)
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def subscribe(self, topics: Iterable[str]) -> None:
        """Hear these topics, and what is retained on them."""
        wanted = sorted(topics)
        for at in range(0, len(wanted), TOPICS_AT_ONCE):
            part = wanted[at : at + TOPICS_AT_ONCE]
            with self._changed:
                # QoS 0: the newest state is all that matters, and brokers hold back more than 20 of QoS 1 at once.
                _, mid = self._client.subscribe([(topic, 0) for topic in part])
                self._asked[mid or 0] = part

    def wait_up(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._up or self.ended.is_set(), seconds) and self.is_up

    def show_life(self, seconds: float, *, always: bool = False) -> None:
        """See that the broker still answers, where nothing was heard of it for long.

        :param always: also where something was.

        :raises Offline: it does not; the link is then at its end.
        """
        if not always and time.monotonic() - self._last < self._limits.silent_seconds:
            return
        # Taking back what was never ordered changes nothing, and every broker has to answer it.
        _, mid = self._client.unsubscribe(f"watchkeeper/{uuid.uuid4().hex}")
        if mid is None or self._answer(mid, seconds) is None:
            self.break_off("it does not answer any more")
            raise Offline(f"{self._name}: the broker {self.where} does not answer; look at it and at the network")

    def publish(self, topic: str, payload: str, seconds: float) -> None:
        """Send one message, at least once confirmed, never retained.

        :raises NotSent, Refused, MaybeSent: as for `Driver.write`.
        """
        if not self._slots.acquire(blocking=False):
            raise NotSent(f"{self._name}: too many commands wait for the broker; try later")
        try:
            self._publish(topic, payload, seconds)
        finally:
            self._slots.release()

    def _publish(self, topic: str, payload: str, seconds: float) -> None:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties = Properties(PacketTypes.PUBLISH) if self.version5 else None  # type: ignore[no-untyped-call]
        if properties is not None:
            properties.MessageExpiryInterval = max(1, round(seconds))
        if not self.is_up:
            raise Offline(f"{self._name}: no connection to {self.where}: {self.why}")
        info = self._client.publish(topic, payload.encode(), qos=1, retain=False, properties=properties)
        if info.rc != 0:
            raise Offline(f"{self._name}: no connection to {self.where}: {self.why}")
        code = self._answer(info.mid, seconds)
        if code is None:
            why = self.why if self.ended.is_set() else "no answer in time"
            self.break_off("it did not confirm a command in time")  # what still waits here must not go out later
            raise MaybeSent(f"{self._name}: the broker {self.where} did not confirm it: {why}")
        if code == NOBODY_LISTENS:
            raise Refused(f"{self._name}: nobody listens on {topic[:120]}; see whether the device's bridge runs")
        if code >= LEAST_FAILURE:
            raise Refused(f"{self._name}: the broker refuses {topic[:120]} (reason {code:#x}); see its access list")

    def _answer(self, mid: int, seconds: float) -> int | None:
        with self._changed:
            self._changed.wait_for(lambda: mid in self._answers or self.ended.is_set(), max(0.0, seconds))
            return self._answers.pop(mid, None)

    def _end(self, why: str) -> None:
        with self._changed:
            if not self.ended.is_set():
                self.why = why
                self.ended.set()
            self._changed.notify_all()

    def _make(self, connection: ConnectionSettings, *, version5: bool) -> Client:
        from paho.mqtt import client as mqtt
        from paho.mqtt import enums

        protocol = enums.MQTTProtocolVersion.MQTTv5 if version5 else enums.MQTTProtocolVersion.MQTTv311
        client_id = connection.client_id or f"watchkeeper-{uuid.uuid4().hex[:12]}"
        client = mqtt.Client(
            enums.CallbackAPIVersion.VERSION2, client_id=client_id, protocol=protocol, reconnect_on_failure=False
        )
        client.connect_timeout = self._limits.connect_seconds
        client.max_inflight_messages_set(2 * self._limits.max_waiting_calls)
        if connection.user:
            client.username_pw_set(connection.user, password(self._name, connection))
        if self._place.scheme == "mqtts":
            client.tls_set_context(tls_context(self._name, connection))
        client.on_socket_open = _send_at_once
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = lambda _c, _d, mid, code, _p: self._on_answer(mid, [code])
        client.on_unsubscribe = lambda _c, _d, mid, codes, _p: self._on_answer(mid, codes)
        client.on_subscribe = lambda _c, _d, mid, codes, _p: self._on_answer(mid, codes)
        self._asked: dict[int, Sequence[str]] = {}
        return client

    def _on_connect(self, _client: Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if code.is_failure:
            self.try_version3 = self.version5 and (code.value in UNSUPPORTED_VERSION)
            self._end(f"the broker says {code.getName()}")
            return
        with self._changed:
            self._up = True
            self._last = time.monotonic()
            self._changed.notify_all()

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if self.version5 and not self._up and not self.ended.is_set():
            self.try_version3 = True  # old brokers hang up on a protocol that they do not know
        self._end(f"the connection ended: {code.getName()}")

    def _on_message(self, _client: Client, _data: Any, message: Any) -> None:
        self._last = time.monotonic()
        fits = len(message.payload) <= self._limits.max_payload_bytes
        self._heard(message.topic, message.payload if fits else None, bool(message.retain))

    def _on_answer(self, mid: int, codes: Sequence[ReasonCode]) -> None:
        with self._changed:
            self._last = time.monotonic()
            values = [int(code.value) for code in codes] or [0]
            if mid in self._asked:
                topics = self._asked.pop(mid)
                self.refused |= {topic for topic, value in zip(topics, values, strict=False) if value >= LEAST_FAILURE}
            else:
                self._answers[mid] = max(values)
            self._changed.notify_all()


def _send_at_once(_client: Client, _data: Any, sock: Any) -> None:
    """A command is one small packet: left to gather, it may wait 40 ms for the one before to be acknowledged."""
    with suppress(OSError, AttributeError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
