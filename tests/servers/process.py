"""A server of a test as a process: waited for, killed, frozen and thawed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from tests.servers.debian import ServerMissing

__all__ = ["ServerProcess", "listens"]

_ROOT = Path(__file__).parents[2]


class ServerProcess:
    """`start`, which each server has its own of, `kill`, `freeze` and `thaw` may follow each other."""

    _process: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        """End it without a farewell."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It keeps its connections, and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _run_module(self, module: str, options: Sequence[str], answers: Callable[[], bool], seconds: float) -> None:
        """Run a module of the tests, and wait until it answers.

        :raises ServerMissing: it ended, or does not answer in time.
        """
        command = [sys.executable, "-W", "ignore", "-m", module, *options]
        self._process = subprocess.Popen(command, cwd=_ROOT, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            if answers():
                return
            time.sleep(0.05)
        self.kill()
        raise ServerMissing(f"{module} did not start")


def listens(port: int) -> bool:
    """Whether somebody takes connections on a port of this machine."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
