"""A server as a process of its own, whose model takes its time: `python -m tests.server_child HOME PORT_FILE`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

from agent.audit import Trail
from agent.env import load_env
from agent.messages import Reply, Usage
from agent.model.ladder import Ladder
from agent.server import run as server_run
from agent.turn import Agent
from tests.reports_kit import Plant


class Slow:
    """Warms at once and then answers never, but lets itself be cancelled; reports are written by rules."""

    name, sees = "rules", False

    def __init__(self) -> None:
        self._asked = 0

    def reply(self, *_: object, limits: Any, **__: object) -> Reply:
        self._asked += 1
        while self._asked > 1 and not limits.cancelled():
            threading.Event().wait(0.05)
        return Reply("", "aborted" if self._asked > 1 else "done", Usage())

    def close(self) -> None:
        """Nothing is held."""


def main(home: str, port_file: str) -> None:
    """Serve on a free port, and say which."""
    environ = {"WATCHKEEPER_HOME": home, "WATCHKEEPER_SERVER__PORT": "0", "WATCHKEEPER_SERVER__STOP_SECONDS": "2"}
    env = load_env(environ)
    model = Slow()
    trail = Trail(env.home.watch_db, busy_seconds=5)
    agent = Agent(env, Plant().host(), Ladder(["rules"], lambda name: model), trail)
    listen = server_run._listen

    def told(settings: Any) -> Any:
        listening = listen(settings)
        Path(port_file).write_text(str(listening.getsockname()[1]), encoding="ascii")
        return listening

    server_run._listen = told
    server_run.run_server(agent)


if __name__ == "__main__":
    main(*sys.argv[1:])
