"""Keeps one worker at work: starts it, hands it calls in turn, starts it again when it died, and replaces it in time.

The states are those of `agent.workers.states`. Calls wait in the threads that make them: interactive before scheduled,
each kind in order, and no more than the settings allow. One call runs at a time; a worker that reports `nests` may have
an interactive one inside a scheduled one. A call that was sent is never sent again: whoever made it is told that the
process died, and decides. Those that still waited go to the next process.
"""

from __future__ import annotations

import contextlib
import queue
import random as randomness
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.errors import CallCancelled, WorkerBusy, WorkerDied, WorkerDown, WorkerError
from agent.settings import WorkerSettings
from agent.values import Json
from agent.workers.census import count_start, enter
from agent.workers.launch import WorkerSpec
from agent.workers.line import Line, Ticket, has_room
from agent.workers.shared import SharedBuffer
from agent.workers.states import Event, Health, State, after
from agent.workers.worker import OpenCall, Priority, Result, Worker

__all__ = ["Supervisor"]

_NO_MORE = "the system gives no more open files or threads; close other programs"
Later = Callable[[float, Callable[[], None]], None]
"""Runs something after so many seconds, in another thread."""


class Supervisor:
    """One worker, whichever process it is at the moment. Safe for use from several threads."""

    def __init__(
        self,
        spec: WorkerSpec,
        settings: WorkerSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = randomness.random,
        later: Later | None = None,
    ) -> None:
        """
        :param clock, random, later: for tests, which have no time to wait.
        """
        self.spec = spec
        self._settings = settings
        self._health = Health(settings, clock=clock, random=random)
        self._later = later or _timer
        self._condition = threading.Condition(threading.RLock())
        self._state: State = "stopped"
        self._config: Mapping[str, Json] | None = None
        self._worker: Worker | None = None
        self._replacement: Worker | None = None
        self._recycle_after = settings.recycle_calls
        self._failure: WorkerError | None = None
        self._failed_at_start = False
        self._generation = 0
        self._line = Line()
        enter(self)

    @property
    def name(self) -> str:
        """Of the worker."""
        return self.spec.name

    @property
    def state(self) -> State:
        """Where it stands in the table of states."""
        return self._state

    @property
    def report(self) -> Mapping[str, Any]:
        """What the served object said of itself; empty until it is ready."""
        worker = self._worker
        return worker.report if worker else {}

    @property
    def pid(self) -> int | None:
        """Of the process that answers now."""
        worker = self._worker
        return worker.pid if worker else None

    def spawn(self) -> None:
        """Start the process already, before it is known what it will load. Returns at once."""
        with self._condition:
            if self._state == "stopped":
                self._begin("start")

    def start(self, config: Mapping[str, Json]) -> None:
        """Say what to load, and start the process if it does not run. Returns at once.

        :param config: arguments of the factory.
        """
        with self._condition:
            self._config = config
            self.spawn()
            if self._worker is not None:
                self._worker.configure(config)

    def call(
        self,
        method: str,
        arguments: Mapping[str, Json],
        *,
        buffers: Sequence[SharedBuffer] = (),
        priority: Priority = "interactive",
        deadline: float | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        on_part: Callable[[Any], None] | None = None,
    ) -> Result:
        """Call a method of the served object, and wait for what it gives.

        :param arguments: JSON.
        :param deadline: `time.monotonic()` value; the served object is told how much is left.
        :param cancelled: asked every few milliseconds. A call that runs is asked to end, and what it gives is returned.
        :param on_part: takes each piece that the call sends, in this thread.
        :raises WorkerBusy: too many calls wait.
        :raises WorkerDown: it is stopped, or rests after too many deaths.
        :raises WorkerDied: the process died before it answered, or had to be killed because it did not.
        :raises CallCancelled: cancelled or late before it began.
        :raises CallFailed: the method raised, or the served object cannot be made.
        """
        worker, call = self._send(method, arguments, buffers, priority, deadline, cancelled)
        try:
            return self._receive(worker, call, deadline, cancelled, on_part)
        except WorkerError:
            raise
        except BaseException:
            self._abandon(worker, call)
            raise

    def drain(self, seconds: float) -> bool:
        """Take no more calls, let the running ones end, then stop.

        :return: whether they ended in time; they are killed where not.
        """
        with self._condition:
            self._move("drain")
            self._condition.notify_all()
            if self._state == "draining" and self._worker and not self._worker.in_flight():
                self._move("idle")
            in_time = self._condition.wait_for(lambda: self._state == "stopped", seconds)
        self.stop()
        return in_time

    def stop(self) -> None:
        """End it, and free everything. Calling it twice is fine; it can be started again."""
        with self._condition:
            self._move("stop")
            workers = [worker for worker in (self._worker, self._replacement) if worker]
            self._worker = self._replacement = None
            self._condition.notify_all()
        for worker in workers:
            if worker.in_flight():
                worker.kill("it was stopped")
            worker.stop()
        for worker in workers:
            if not worker.join(self._settings.stop_seconds):
                worker.kill("it did not stop")
                worker.join(self._settings.stop_seconds)

    def _move(self, event: Event) -> None:
        self._state = after(self._state, event)

    def _begin(self, event: Event) -> None:
        """A new process."""
        self._move(event)
        self._generation += 1
        self._failed_at_start = False
        self._recycle_after = self._settings.recycle_calls
        self._worker = self._new_worker()
        if self._worker is None:
            self._rest(WorkerDied(f"{self.spec.name}: its process cannot be started; {_NO_MORE}"))

    def _new_worker(self) -> Worker | None:
        """None where the system has no descriptor or thread left for one."""
        count_start(self.spec.name)
        try:
            return Worker(self.spec, self._settings, changed=self._look)
        except (OSError, RuntimeError):
            return None

    def _send(
        self,
        method: str,
        arguments: Mapping[str, Json],
        buffers: Sequence[SharedBuffer],
        priority: Priority,
        deadline: float | None,
        cancelled: Callable[[], bool],
    ) -> tuple[Worker, OpenCall]:
        """Wait for the call's turn and send it."""
        with self._condition:
            if len(self._line) >= self._settings.max_waiting_calls:
                raise WorkerBusy(
                    f"{self.spec.name}: {len(self._line)} calls wait already (workers.max_waiting_calls); try later"
                )
            ticket = self._line.join(priority)
            try:
                worker = self._my_turn(ticket, deadline, cancelled)
                seconds = None if deadline is None else max(0.0, deadline - time.monotonic())
                call = worker.begin(method, arguments, buffers=buffers, priority=priority, seconds=seconds)
                self._move("call")
                return worker, call
            finally:
                self._line.leave(ticket)
                self._condition.notify_all()

    def _my_turn(self, ticket: Ticket, deadline: float | None, cancelled: Callable[[], bool]) -> Worker:
        while True:
            if self._state in ("stopped", "draining"):
                raise WorkerDown(f"{self.spec.name}: its process is {self._state}; start it again")
            if self._state == "broken":
                raise self._resting()
            if self._failed_at_start and self._failure:
                raise self._failure.with_traceback(None)  # raised to many, it would keep everybody's frames
            worker = self._worker
            if worker and worker.ready and self._line.first(ticket) and self._has_room(worker, ticket):
                return worker
            if cancelled() or (deadline is not None and time.monotonic() > deadline):
                raise CallCancelled(f"{self.spec.name}: the call was cancelled before it began")
            self._condition.wait(self._settings.poll_seconds)

    def _resting(self) -> WorkerError:
        if self._failed_at_start and self._failure:
            return self._failure.with_traceback(None)
        return WorkerDown(
            f"{self.spec.name}: it died too often and is left alone for a while; the last: {self._failure}"
        )

    def _has_room(self, worker: Worker, ticket: Ticket) -> bool:
        return has_room(ticket, worker.in_flight(), nests=bool(worker.report.get("nests")))

    def _receive(
        self,
        worker: Worker,
        call: OpenCall,
        deadline: float | None,
        cancelled: Callable[[], bool],
        on_part: Callable[[Any], None] | None,
    ) -> Result:
        give_up: float | None = None
        while True:
            with contextlib.suppress(queue.Empty):
                kind, value = call.events.get(timeout=self._settings.poll_seconds)
                if kind == "result":
                    result: Result = value
                    return result
                if kind == "error":
                    raise value
                if on_part is not None:
                    on_part(value)
            now = time.monotonic()
            if give_up is None and (cancelled() or (deadline is not None and now > deadline)):
                worker.cancel(call)
                give_up = now + self._settings.cancel_grace_seconds
            elif give_up is not None and now > give_up:
                worker.kill(self._not_ended())

    def _abandon(self, worker: Worker, call: OpenCall) -> None:
        """Nobody takes its result any more; it may not keep others waiting."""
        worker.cancel(call)
        self._later(self._settings.cancel_grace_seconds, lambda: worker.kill_if_open(call, self._not_ended()))

    def _not_ended(self) -> str:
        return f"it did not end a call {self._settings.cancel_grace_seconds:g} s after it was told to"

    def _look(self, worker: Worker) -> None:
        """Something changed with a process; called from its thread."""
        with self._condition:
            if worker is self._worker:
                self._follow(worker)
            elif worker is self._replacement and worker.ended:
                self._replacement = None  # the old one goes on, and is asked again after as many calls
            self._take_replacement()
            self._condition.notify_all()

    def _follow(self, worker: Worker) -> None:
        if worker.ended:
            self._rest(worker.failure or WorkerDied(f"{self.spec.name}: its process ended"))
        elif self._state == "starting" and worker.ready:
            self._move("came_up")
        elif not worker.in_flight():
            self._health.succeeded()
            self._move("idle")
            self._recycle_if_due(worker)

    def _rest(self, failure: WorkerError) -> None:
        """It died: rest, and start again after that."""
        self._failed_at_start = self._state == "starting"
        self._failure = failure
        self._worker = None
        event, seconds = self._health.died()
        self._move(event)
        generation = self._generation
        if self._state != "stopped":
            self._later(seconds, lambda: self._again(generation))

    def _again(self, generation: int) -> None:
        with self._condition:
            if generation == self._generation and self._state in ("backing_off", "broken"):
                self._begin("time_is_up")
                if self._worker and self._config is not None:
                    self._worker.configure(self._config)

    def _recycle_if_due(self, worker: Worker) -> None:
        settings = self._settings
        calls_due = self._recycle_after and worker.calls >= self._recycle_after
        grown = settings.recycle_growth_bytes and worker.growth_bytes() > settings.recycle_growth_bytes
        if self._replacement is None and self._config is not None and (calls_due or grown):
            self._recycle_after = worker.calls + settings.recycle_calls if settings.recycle_calls else 0
            self._replacement = self._new_worker()
            if self._replacement is not None:
                self._replacement.configure(self._config)

    def _take_replacement(self) -> None:
        """The fresh process takes over once it is ready and the old one has nothing to do."""
        old, fresh = self._worker, self._replacement
        if fresh is None or not fresh.ready or self._state != "ready" or old is None or old.in_flight():
            return
        self._worker, self._replacement = fresh, None
        self._generation += 1
        self._recycle_after = self._settings.recycle_calls
        old.stop()
        self._later(self._settings.stop_seconds, lambda: old.kill("it did not stop"))


def _timer(seconds: float, run: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, run)
    timer.daemon = True
    timer.start()
