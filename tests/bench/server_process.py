"""The server that `make bench-server` measures: `watchkeeper serve`, or another module that serves, as a process of its
own. Its limits on rates are lifted, all others stay.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.bench.plant import EXAMPLE, weights_folder

__all__ = ["Server", "get", "post", "running"]

LIFTED = {"REQUESTS_A_MINUTE": "100000000", "WRONG_TOKENS_A_MINUTE": "100000000", "MOST_CONNECTIONS_EACH": "512"}
START_SECONDS, STOP_SECONDS = 120.0, 60.0
OK = 200
CLIENT = "bench"
SERVE = ("-m", "agent", "serve", "--port", "0")


class Server:
    """The server that is measured."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = psutil.Process(process.pid)
        self.port = port

    def connect(self) -> http.client.HTTPConnection:
        """A connection of one client."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)

    def bytes(self) -> int:
        """Resident memory, of its children too."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(one.memory_info().rss for one in family)

    def is_well(self) -> bool:
        """Whether it answers."""
        with closing(self.connect()) as wire:
            wire.request("GET", "/api/health")
            return wire.getresponse().status == OK


@contextmanager
def running(
    home: Path, model: str, *, command: Sequence[str] = SERVE, more: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A server on the plant in this home.

    :param command: arguments of Python.
    :param more: further variables.
    """
    environ = {
        **os.environ,
        "WATCHKEEPER_HOME": str(home),
        "WATCHKEEPER_CONFIG": str(EXAMPLE / "watchkeeper.toml"),
        "WATCHKEEPER_WEIGHTS__FOLDER": str(weights_folder()),
        "WATCHKEEPER_MODEL__NAME": model,
        "WATCHKEEPER_MODEL__RESULT_CACHE_ROWS": "0",
        **{f"WATCHKEEPER_SERVER__{name}": value for name, value in LIFTED.items()},
        **(more or {}),
    }
    process = subprocess.Popen([sys.executable, *command], env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r":(\d+);", process.stdout.readline())
        if found is None:
            raise SystemExit("bench-server: the server did not start")
        server = Server(process, int(found[1]))
        began = time.monotonic()
        while not server.is_well():
            if time.monotonic() > began + START_SECONDS:
                raise SystemExit("bench-server: the model was not loaded within two minutes")
            time.sleep(0.1)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)


def post(wire: http.client.HTTPConnection, path: str, body: Mapping[str, Any], client: str = CLIENT) -> dict[str, Any]:
    """A request and its answer.

    :raises OSError: it is refused.
    """
    return _told(wire, "POST", path, json.dumps(body), client)


def get(wire: http.client.HTTPConnection, path: str) -> dict[str, Any]:
    """What stands there.

    :raises OSError: it is refused.
    """
    return _told(wire, "GET", path, None, CLIENT)


def _told(wire: http.client.HTTPConnection, method: str, path: str, body: str | None, client: str) -> dict[str, Any]:
    wire.request(method, path, body, {"Content-Type": "application/json", "X-Watchkeeper-Client": client})
    answer = wire.getresponse()
    told = json.loads(answer.read())
    if answer.status != OK:
        raise OSError(told["error"]["code"])
    return dict(told)
