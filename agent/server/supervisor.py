"""What the service manager is told: ready, alive, stopping (systemd's protocol: datagrams to `NOTIFY_SOCKET`).

Where nobody supervises, nothing is sent. A message that cannot be sent is lost: the manager then does what it does
with a service that is silent.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

__all__ = ["Supervisor"]


class Supervisor:
    """The service manager of this process."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        micro = environ.get("WATCHDOG_USEC", "")
        meant = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.beat_seconds = int(micro) / 2_000_000 if meant and micro.isascii() and micro.isdigit() else None
        """How often it wants to hear `alive`; None where it does not."""

    def ready(self) -> None:
        """Questions are taken."""
        self._tell("READY=1")

    def alive(self) -> None:
        """The event loop turns, and so does the thread of the turns."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """No further question is taken."""
        self._tell("STOPPING=1")

    def status(self, line: str) -> None:
        """One line for people."""
        self._tell(f"STATUS={' '.join(line.split())}")

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.connect(self._address)
            out.sendall(message.encode())
