"""The other side of a broker in tests: tells states, hears commands, may leave a last will."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt import enums

from tests.servers.certificates import Certificates
from tests.servers.mosquitto import Login, Mosquitto

Answer = Callable[["Peer", str, str], None]


class Peer:
    """A client that answers commands as it was told to."""

    def __init__(
        self,
        broker: Mosquitto,
        *topics: str,
        answer: Answer | None = None,
        will: str = "",
        login: Login | None = None,
        tls: Certificates | None = None,
    ) -> None:
        self.heard: list[tuple[str, str]] = []
        self._answer = answer
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._topics = topics
        self._client = mqtt.Client(enums.CallbackAPIVersion.VERSION2, protocol=enums.MQTTProtocolVersion.MQTTv311)
        self._client.reconnect_delay_set(1, 1)
        if will:
            self._client.will_set(will, "offline", qos=1, retain=True)
        if login:
            self._client.username_pw_set(login.user, login.password)
        if tls:
            self._client.tls_set(str(tls.ca), str(tls.client), str(tls.client_key))
        self._client.on_socket_open = lambda _c, _d, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._heard
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert self._ready.wait(5)

    def tell(self, topic: str, payload: str | bytes, *, retain: bool = False, times: int = 1) -> None:
        for _ in range(times):
            self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def wait(self, count: int, seconds: float = 3.0) -> list[tuple[str, str]]:
        """What was heard, once there is so much of it or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.heard) >= count, seconds)
            return list(self.heard)

    def die(self) -> None:
        """Go without a farewell: the broker speaks the last will."""
        sock = self._client.socket()
        self._client._reconnect_on_failure = False
        assert isinstance(sock, socket.socket)
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: Any, data: Any, flags: Any, code: Any, properties: Any) -> None:
        client.subscribe([(topic, 1) for topic in self._topics or ("nothing/for/me",)])

    def _heard(self, client: Any, data: Any, message: Any) -> None:
        text = message.payload.decode()
        with self._changed:
            self.heard.append((message.topic, text))
            self._changed.notify_all()
        if self._answer:
            self._answer(self, message.topic, text)

    def say(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Without waiting; also from inside an answer."""
        self._client.publish(topic, payload, qos=1, retain=retain)


def until(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it became so in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.005)
    return true()
