"""Repair while the agent runs: what was found bad is tried again until a source has it, and the ladder is told."""

from __future__ import annotations

import threading
from collections.abc import Callable

from agent.errors import PullError, WeightsError
from agent.weights.progress import SilentReporter
from agent.weights.pull import pull
from agent.weights.store import WeightStore

__all__ = ["Repairer"]


class Repairer:
    """A thread that brings back what is bad; it sleeps as long as nothing is."""

    def __init__(self, store: WeightStore, on_repaired: Callable[[str], None]) -> None:
        """
        :param on_repaired: told the entry, from the thread, when its files are here and verified again.
        """
        self.last_problem = ""
        """Why the last try did not succeed."""
        self._store = store
        self._on_repaired = on_repaired
        self._wanted = {item.file.split("/")[0] for item in store.set_aside()}
        self._changed = threading.Condition()
        self._asked = 0
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="weights-repair", daemon=True)

    def start(self) -> Repairer:
        """Begin; what is bad already is tried at once."""
        self._thread.start()
        return self

    def want(self, name: str) -> None:
        """An entry was found bad, or its disk failed: try now."""
        with self._changed:
            self._wanted.add(name)
            self._asked += 1
            self._changed.notify_all()

    def close(self) -> None:
        """End after the try that is under way. Calling it twice is fine."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        settings = self._store.settings
        pause = settings.repair_seconds
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._closed)
                if self._closed:
                    return
                names, asked = sorted(self._wanted), self._asked
            repaired = [self._repair(name) for name in names]
            pause = settings.repair_seconds if any(repaired) else pause
            if not all(repaired):
                self._rest(asked, pause)
                pause = min(2 * pause, settings.repair_most_seconds)

    def _rest(self, asked: int, seconds: float) -> None:
        """Until it is time for the next try, or somebody asks for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._asked != asked, seconds)

    def _repair(self, name: str) -> bool:
        try:
            pull(self._store, [name], SilentReporter())
        except (PullError, WeightsError, OSError) as error:
            self.last_problem = str(error)
            return False
        with self._changed:
            self._wanted.discard(name)
        self.last_problem = ""
        self._on_repaired(name)
        return True
