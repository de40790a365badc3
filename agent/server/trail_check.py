"""The audit trail is verified while the server runs: at its start and every day, beside everything else."""

from __future__ import annotations

import os
import threading
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.audit import Trail
from agent.console import complain
from agent.env import Env
from agent.errors import WatchkeeperError
from agent.values import Said, say

__all__ = ["Checked", "TrailCheck"]

_NICE = 10
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Checked:
    """What the last look at the trail found."""

    at: str
    """UTC, ISO 8601."""
    ok: bool
    said: Said


class TrailCheck:
    """Looks again and again."""

    def __init__(self, env: Env) -> None:
        self.last: Checked | None = None
        """None before the first look has ended."""
        self._env = env
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, name="trail check", daemon=True)

    def start(self) -> None:
        """Look now, and then as often as the settings say."""
        self._thread.start()

    def close(self) -> None:
        """Look no more; one that is under way ends by itself."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(_CLOSE_SECONDS)

    def _work(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while not self._end.is_set():
            self.last = self._look()
            self._end.wait(self._env.settings.server.trail_check_hours * 3600)

    def _look(self) -> Checked:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            with closing(Trail(self._env.home.watch_db, busy_seconds=self._env.settings.watch.busy_seconds)) as trail:
                rows = trail.verify()
        except WatchkeeperError as error:
            complain(str(error))
            return Checked(at, False, say("审计记录与当初写下的不一致,或无法读取。", str(error)))
        return Checked(at, True, say(f"{rows} 条,完好", f"{rows} rows, intact"))
