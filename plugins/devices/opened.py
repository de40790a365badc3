"""What belongs together for one map of devices while a process runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from agent.api import Env
from agent.audit import Trail
from agent.journal import Journal
from plugins.devices.emitter import Emitter
from plugins.devices.hearing import Hearing
from plugins.devices.house import House
from plugins.devices.later import Later
from plugins.devices.timers import Timers

__all__ = ["OpenHouse", "OpenTimers"]


class OpenTimers:
    """The timers of a box, opened when they are first needed."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._lock = threading.Lock()
        self._open: tuple[Trail, Journal, Timers] | None = None

    def __call__(self) -> Timers:
        """
        :raises DatabaseError: `watch.db` cannot be used.
        """
        settings = self._env.settings
        with self._lock:
            if self._open is None:
                trail = Trail(self._env.home.watch_db, busy_seconds=settings.watch.busy_seconds)
                journal = Journal(trail)
                timers = Timers(journal, most=settings.devices.most_timers, kept=settings.devices.kept_timers)
                self._open = trail, journal, timers
            return self._open[2]

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            opened, self._open = self._open, None
        if opened is not None:
            opened[1].close()
            opened[0].close()


@dataclass(frozen=True, slots=True)
class OpenHouse:
    """The devices, who reads about them, who moves them now, and who later."""

    house: House
    hearing: Hearing
    emitter: Emitter
    later: Later
    timers: OpenTimers

    def close(self) -> None:
        """Let go of all connections."""
        self.house.close()
        self.timers.close()
