"""One model, many askers: what runs next, and how long the others wait.

Rules: interactive before scheduled; clients take turns, so that one who asks ten times waits behind one who asks once;
bounded for all and for each; what was taken back before it began never runs. One thread runs everything, one job after
another.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from agent.errors import WatchkeeperError

__all__ = ["Job", "JobQueue", "QueueFull"]

T = TypeVar("T")
_FIRST_GUESS_SECONDS = 5.0
"""Of a job, before one has run."""
_WEIGHT = 0.3
"""Of the newest job in the usual length of one."""


class QueueFull(WatchkeeperError):
    """So many wait that one more is refused."""


class Job:
    """Something that waits for the model."""

    def __init__(
        self,
        run: Callable[[], None],
        *,
        client: str,
        scheduled: bool = False,
        moved: Callable[[int, float], None] = lambda position, seconds: None,
    ) -> None:
        """
        :param run: called once in the queue's thread; whatever it raises ends nothing else.
        :param client: with whom it shares its place.
        :param moved: told how many are ahead and for about how long; 0 when it begins.
        """
        self.run = run
        self.client = client
        self.scheduled = scheduled
        self.moved = moved
        self.position = -1


class JobQueue:
    """Safe for use from several threads."""

    def __init__(self, *, most: int, most_each: int) -> None:
        """
        :param most: jobs that wait, all together.
        :param most_each: of one client.
        """
        self._most, self._most_each = most, most_each
        self._changed = threading.Condition()
        self._telling = threading.Lock()
        self._clients: OrderedDict[str, deque[Job]] = OrderedDict()
        self._scheduled: deque[Job] = deque()
        self._running: Job | None = None
        self._began = 0.0
        self._usual_seconds = _FIRST_GUESS_SECONDS
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="turns", daemon=True)

    def start(self) -> None:
        """Begin to run what waits."""
        self._thread.start()

    def put(self, job: Job) -> None:
        """Have a job wait.

        :raises QueueFull: for all, or for this client.
        """
        with self._changed:
            if not job.scheduled:
                self._refuse_full(job.client)
            if job.scheduled:
                self._scheduled.append(job)
            else:
                self._clients.setdefault(job.client, deque()).append(job)
            self._changed.notify_all()
        self._tell()

    def refuse_full(self, client: str) -> None:
        """Before anything is kept of what would be refused anyway.

        :raises QueueFull: as `put`.
        """
        with self._changed:
            self._refuse_full(client)

    def submit(self, work: Callable[[], T], *, client: str, scheduled: bool = False) -> Future[T]:
        """Have something done, and its result kept; what is cancelled before it began is not done.

        :raises QueueFull: for all, or for this client.
        """
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

        job = Job(run, client=client, scheduled=scheduled)
        future.add_done_callback(lambda done: self.take_back(job) if done.cancelled() else None)
        self.put(job)
        return future

    def take_back(self, job: Job) -> bool:
        """Whether it still waited; then it never runs."""
        with self._changed:
            waiting = self._scheduled if job.scheduled else self._clients.get(job.client, deque())
            if job not in waiting:
                return False
            waiting.remove(job)
            if not job.scheduled and not waiting:
                del self._clients[job.client]
        self._tell()
        return True

    def waiting(self) -> tuple[int, int]:
        """How many interactive and scheduled jobs wait."""
        with self._changed:
            return sum(map(len, self._clients.values())), len(self._scheduled)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    @property
    def busy(self) -> bool:
        """Whether one runs now."""
        return self._running is not None

    def close(self, seconds: float) -> list[Job]:
        """Begin nothing any more; what runs has so long to end. Calling it twice is fine.

        :return: jobs that never began.
        """
        with self._changed:
            self._closed = True
            left = [*self._order(), *self._scheduled]
            self._clients.clear()
            self._scheduled.clear()
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(seconds)
        return left

    def _refuse_full(self, client: str) -> None:
        waiting, own = sum(map(len, self._clients.values())), len(self._clients.get(client, ()))
        if self._closed:
            raise QueueFull("the server stops; ask again when it is back")
        if waiting >= self._most:
            raise QueueFull(f"{waiting} questions wait already (server.waiting_turns); ask again in a while")
        if own >= self._most_each:
            raise QueueFull(f"{own} of your questions wait already (server.waiting_turns_each); wait for an answer")

    def _order(self) -> list[Job]:
        """Interactive jobs as they will run: the first of each client, then the second of each."""
        turns = [list(jobs) for jobs in self._clients.values()]
        longest = max(map(len, turns), default=0)
        return [jobs[at] for at in range(longest) for jobs in turns if at < len(jobs)]

    def _next(self) -> Job | None:
        if self._clients:
            client, jobs = next(iter(self._clients.items()))
            job = jobs.popleft()
            if jobs:
                self._clients.move_to_end(client)
            else:
                del self._clients[client]
            return job
        return self._scheduled.popleft() if self._scheduled else None

    def _work(self) -> None:
        while True:
            with self._changed:
                while (job := self._next()) is None and not self._closed:
                    self._changed.wait()
                if job is None:
                    return
                self._running, self._began = job, time.monotonic()
            self._tell()
            try:
                job.run()
            except BaseException:
                if not self._closed:  # then what it ran on may have been closed under it
                    traceback.print_exc(file=sys.stderr)
            finally:
                with self._changed:
                    spent = time.monotonic() - self._began
                    if not job.scheduled:
                        self._usual_seconds += _WEIGHT * (spent - self._usual_seconds)
                    self._running = None

    def _tell(self) -> None:
        """Tell those whose place has changed, in order and outside of the lock that the places are kept under."""
        with self._telling:
            with self._changed:
                ahead = [self._running] if self._running else []
                places = [*ahead, *self._order()]
                gone = time.monotonic() - self._began if ahead else 0.0
                usual = self._usual_seconds
                moved = [(at if ahead else at + 1, job) for at, job in enumerate(places)]
            for position, job in moved:
                if job.position != position:
                    job.position = position
                    left = max(0.0, usual - gone) if ahead else 0.0
                    job.moved(position, left + usual * max(0, position - 1) if position else 0.0)
