"""A link of the plant's network for tests: a relay on loopback that can be cut, fall silent, and be mended."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

__all__ = ["Link"]

_CHUNK = 65_536


class Link:
    """Between clients and one server. A context manager."""

    def __init__(self, port: int) -> None:
        """
        :param port: where the server listens.
        """
        self._server = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._up = threading.Event()
        self._up.set()
        self._open = set[socket.socket]()
        self._cut_after: int | None = None
        self.cut_at: float | None = None
        """When the link was cut in the middle of an answer, by the steady clock."""

    def __enter__(self) -> Link:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._listening.close()

    def cut(self) -> None:
        """From now on every connection breaks, those that are open too."""
        self._up.clear()
        for one in list(self._open):
            _close(one)

    def cut_after(self, answered_bytes: int) -> None:
        """Cut when so much more has come back from the server."""
        self._cut_after = answered_bytes

    def mend(self) -> None:
        """Connections work again."""
        self._up.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if not self._up.is_set():
                _close(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._server))
            except OSError:
                _close(client)
                continue
            self._open |= {client, server}
            threading.Thread(target=self._carry, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, True), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if answers and self._cut_after is not None:
                    self._cut_after -= len(data)
                    if self._cut_after <= 0:
                        self._cut_after = None
                        self.cut()
                        self.cut_at = time.monotonic()
                        break
                target.sendall(data)
        for one in (source, target):
            self._open.discard(one)
            _close(one)


def _close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
