"""One module that callers keep calling while the version behind it is swapped.

A call that was sent to a version is answered by that version, also while it drains; one that still waited there when
the version went goes to the new one. Nothing is sent twice. Swaps follow `agent.modules.states`, one at a time.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.errors import ModuleError, SwapFailed, WorkerDied, WorkerDown, WorkerError
from agent.modules.states import SwapEvent, SwapState, after
from agent.modules.trial import complaints_of, wait_until_ready
from agent.settings import ModuleSettings, WorkerSettings
from agent.values import Json
from agent.workers.launch import WorkerSpec
from agent.workers.shared import SharedBuffer
from agent.workers.supervisor import Supervisor
from agent.workers.worker import Priority, Result

__all__ = ["Candidate", "Module", "Swapped"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that wants to answer."""

    version: str
    spec: WorkerSpec
    config: Mapping[str, Json]
    workers: WorkerSettings
    prove: Callable[[Supervisor, frozenset[str]], None]
    """Tries it, given what the version before complains of; raises SwapFailed."""
    memory_bytes: int = 0
    """That it may take."""


@dataclass(frozen=True, slots=True)
class Swapped:
    """How a swap went."""

    version: str
    before: str
    """Empty where none answered before."""
    alone: bool
    """The old one was stopped first."""
    start_ms: float
    trial_ms: float
    gap_ms: float
    """In which nobody answered."""
    drain_ms: float


class _Running:
    """A version that answers, and the calls inside it."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.supervisor = Supervisor(candidate.spec, candidate.workers)
        self.inside = 0
        self.calls = 0
        self.deaths = 0

    @property
    def version(self) -> str:
        return self.candidate.version

    def start(self) -> None:
        self.supervisor.start(self.candidate.config)


class Module:
    """Safe for use from several threads."""

    def __init__(
        self,
        name: str,
        settings: ModuleSettings,
        *,
        free_bytes: Callable[[], int],
        relapsed: Callable[[str, str], None] | None = None,
    ) -> None:
        """
        :param free_bytes: memory that is free now.
        :param relapsed: told, in a thread of its own, that a version died too often in its first calls, and how.
        """
        self.name = name
        self._settings = settings
        self._free_bytes = free_bytes
        self._relapsed = relapsed
        self._changed = threading.Condition()
        self._swapping = threading.Lock()
        self._state: SwapState = "empty"
        self._running: _Running | None = None

    @property
    def state(self) -> SwapState:
        """Where it stands in the table of states."""
        return self._state

    @property
    def version(self) -> str:
        """The one that answers; empty where none does."""
        running = self._running
        return running.version if running else ""

    @property
    def pid(self) -> int | None:
        """Of the process that answers."""
        running = self._running
        return running.supervisor.pid if running else None

    @property
    def report(self) -> Mapping[str, Any]:
        """What the version that answers said of itself."""
        running = self._running
        return running.supervisor.report if running else {}

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
        """As `Supervisor.call`, by whichever version answers.

        :raises WorkerDown: none answers now.
        :raises WorkerError: as there.
        """
        while True:
            with self._inside() as running:
                try:
                    return running.supervisor.call(
                        method, arguments, buffers=buffers, priority=priority, deadline=deadline,
                        cancelled=cancelled, on_part=on_part,
                    )  # fmt: skip
                except WorkerDied as error:
                    self._count_death(running, error)
                    raise
                except WorkerDown as error:
                    if running is self._running:
                        self._count_death(running, error)
                        raise  # else it went while the call waited there, and was not sent

    def swap(
        self, candidate: Candidate, *, commit: Callable[[], object] = lambda: None, alone: bool = False
    ) -> Swapped:
        """Let another version answer, once it has proved itself.

        :param commit: called when it has, before the first call goes to it; what it raises takes the swap back.
        :param alone: stop the old one first in any case; else only where memory does not hold both.
        :raises SwapFailed: it did not prove itself; the old one answers as before.
        :raises ModuleError: another swap is under way, or `commit` says so.
        """
        if not self._swapping.acquire(blocking=False):
            raise ModuleError(f"{self.name}: another swap is under way; try again when it has ended")
        try:
            together = candidate.memory_bytes + self._settings.spare_ram_bytes <= self._free_bytes()
            if self._running is not None and (alone or not together):
                return self._swap_alone(candidate, self._running, commit)
            return self._swap_beside(candidate, commit)
        finally:
            self._swapping.release()

    def close(self) -> None:
        """Stop it. Calling it twice is fine."""
        with self._swapping:
            old = self._route(None, "close")
            if old:
                old.supervisor.stop()

    def _swap_beside(self, candidate: Candidate, commit: Callable[[], object]) -> Swapped:
        begun = time.monotonic()
        self._move("begin")
        fresh = _Running(candidate)
        try:
            fresh.start()
            wait_until_ready(fresh.supervisor, self._settings.start_seconds)
            self._move("came_up")
            ready = time.monotonic()
            candidate.prove(fresh.supervisor, self._tolerated())
            commit()
        except BaseException as error:
            self._move("failed")
            fresh.supervisor.stop()
            raise self._failed(candidate, error) from None
        proved = time.monotonic()
        old = self._route(fresh, "proved")
        if old:
            self._drain(old)
            self._move("drained")
        done = time.monotonic()
        before = old.version if old else ""
        return Swapped(candidate.version, before, False, _ms(begun, ready), _ms(ready, proved), 0.0, _ms(proved, done))

    def _swap_alone(self, candidate: Candidate, old: _Running, commit: Callable[[], object]) -> Swapped:
        complaints = self._tolerated()
        begun = time.monotonic()
        self._route(None, "begin_alone")
        self._drain(old)
        self._move("drained")
        drained = time.monotonic()
        fresh = _Running(candidate)
        try:
            fresh.start()
            wait_until_ready(fresh.supervisor, self._settings.start_seconds)
            self._move("came_up")
            ready = time.monotonic()
            candidate.prove(fresh.supervisor, complaints)
            commit()
        except BaseException as error:
            self._move("failed")
            fresh.supervisor.stop()
            self._restore(old.candidate)
            raise self._failed(candidate, error) from None
        self._route(fresh, "proved")
        done = time.monotonic()
        return Swapped(
            candidate.version, old.version, True, _ms(drained, ready), _ms(ready, done), _ms(begun, done),
            _ms(begun, drained),
        )  # fmt: skip

    def _restore(self, candidate: Candidate) -> None:
        """The version that was stopped for another one comes back; it has proved itself before."""
        back = _Running(candidate)
        back.start()
        try:
            wait_until_ready(back.supervisor, self._settings.start_seconds)
        except SwapFailed:
            back.supervisor.stop()
            self._move("failed")
            return
        self._route(back, "came_up")

    def _tolerated(self) -> frozenset[str]:
        """What the version that answers complains of."""
        running = self._running
        if running is None:
            return frozenset()
        with contextlib.suppress(WorkerError, SwapFailed):
            return frozenset(complaints_of(running.supervisor, self._settings))
        return frozenset()

    def _drain(self, old: _Running) -> None:
        """Let the calls inside a version end, then stop it."""
        with self._changed:
            self._changed.wait_for(lambda: old.inside == 0, self._settings.drain_seconds)
        old.supervisor.stop()

    def _route(self, fresh: _Running | None, event: SwapEvent) -> _Running | None:
        """From now on calls go there.

        :returns: where they went before.
        """
        with self._changed:
            self._state = after(self._state, event)
            old, self._running = self._running, fresh
            return old

    def _move(self, event: SwapEvent) -> None:
        with self._changed:
            self._state = after(self._state, event)

    @contextlib.contextmanager
    def _inside(self) -> Iterator[_Running]:
        with self._changed:
            running = self._running
            if running is None:
                raise WorkerDown(f"{self.name}: no version of this module answers now; it is {self._state}")
            running.inside += 1
        try:
            yield running
        finally:
            with self._changed:
                running.inside -= 1
                running.calls += 1
                self._changed.notify_all()

    def _count_death(self, running: _Running, error: WorkerError) -> None:
        """A version that dies in its first calls has only looked sound."""
        with self._changed:
            if running is not self._running or running.calls >= self._settings.probation_calls:
                return
            running.deaths += 1
            due = running.deaths == self._settings.probation_deaths
        if due and self._relapsed is not None:
            told = threading.Thread(
                target=self._relapsed, args=(running.version, str(error)), name=f"relapse {self.name}", daemon=True
            )
            told.start()

    def _failed(self, candidate: Candidate, error: BaseException) -> BaseException:
        """The error that a swap ends with."""
        if not isinstance(error, SwapFailed):
            return error
        answers = f"{self.version} answers as before" if self.version else "no version answers"
        return SwapFailed(f"{self.name} {candidate.version}: {error}; {answers}")


def _ms(begun: float, done: float) -> float:
    return round((done - begun) * 1000, 2)
