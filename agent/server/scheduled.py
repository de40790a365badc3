"""Reports on schedule, beside the questions: a thread of its own gathers what was seen; its model waits in the queue.

So a question waits for one reply of a report at most. At start, what was missed while the box was off is made up for.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError
from contextlib import suppress

from agent.console import complain
from agent.errors import DatabaseError, ModelError
from agent.messages import Reply
from agent.model.protocol import ReplyLimits, Request
from agent.reports.runs import Runner
from agent.server.service import Service

__all__ = ["Scheduler"]

_NICE = 5
"""Of the thread, so that a question goes first on a busy box."""


class Scheduler:
    """Writes what is due."""

    def __init__(self, service: Service) -> None:
        agent = service.agent
        self._end = threading.Event()
        self._poll_seconds = service.env.settings.reports.poll_seconds
        self.runner = Runner(service.env, agent.plugins, agent.journal, lambda: _QueuedModel(service, self._end))
        self._thread = threading.Thread(target=self._work, name="schedules", daemon=True)
        self.problem = ""
        """What is wrong now, for health; empty where nothing is."""

    def start(self) -> None:
        """Look now, and again and again."""
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Begin nothing any more; what is being written has so long. A run that is not through is done anew later."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _work(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while not self._end.is_set():
            self._look()
            self._end.wait(self._poll_seconds)

    def _look(self) -> None:
        try:
            done = self.runner.tick()
            problems = [problem for one in done for problem in one.problems]
            problems += [one.problem for one in self.runner.outbox.waiting() if one.problem]
        except DatabaseError as error:
            problems = [str(error)]
        except Exception as error:
            if self._end.is_set():
                return
            problems = [f"a scheduled run failed: {type(error).__name__}: {error}"]
        told = "; ".join(dict.fromkeys(problems))
        if told != self.problem:
            complain(told)
        self.problem = told


class _QueuedModel:
    """What a report asks a model: the one of the agent, when no question waits for it."""

    def __init__(self, service: Service, end: threading.Event) -> None:
        self._service = service
        self._end = end

    @property
    def name(self) -> str:
        """The rung that answers now."""
        return self._service.agent.ladder.name

    def reply_many(self, requests: Sequence[Request], *, limits: ReplyLimits) -> Sequence[Reply | Exception]:
        """A reply for each request, when it is their turn.

        :raises ModelError: no rung can, or the server stops.
        """
        ladder = self._service.agent.ladder
        try:
            waits = self._service.submit(
                lambda: ladder.reply_many(requests, limits=limits), client="schedules", scheduled=True
            )
            while not self._end.wait(0.05):
                if waits.done():
                    return waits.result()
            waits.cancel()
        except CancelledError:
            pass
        raise ModelError("the server stops; the report is written when it is back")
