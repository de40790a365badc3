"""One child process, seen from the parent: start it, call it, stop it, and say how it ended.

A thread of its own starts the process, receives what it sends and reaps it; so the thread lives as long as the process
does, which the kernel's "die with your parent" is tied to. Every call has a queue that its caller empties. When the
process ends, every open call is told, and nothing of it is left: no zombie, no descriptor, no process that it started.
"""

from __future__ import annotations

import contextlib
import os
import queue
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.errors import CallFailed, WorkerDied, WorkerError
from agent.settings import WorkerSettings
from agent.values import Json
from agent.workers.launch import WorkerSpec, launch
from agent.workers.process import LastLines, has_ended, how_it_ended, own_memory_bytes
from agent.workers.protocol import Bounds, Channel, Frame, FrameError
from agent.workers.shared import SharedBuffer

__all__ = ["OpenCall", "Priority", "Result", "Worker"]

Priority = Literal["interactive", "scheduled"]
_STARTING_SLICE_SECONDS = 0.2
"""How often the start's deadline is looked at."""
_END_SLICE_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Result:
    """What a call gave back."""

    value: Any
    """JSON. It comes from another process: check its shape."""
    attachment: bytes = b""


@dataclass(slots=True)
class OpenCall:
    """A call that was sent."""

    id: int
    priority: Priority
    events: queue.SimpleQueue[tuple[str, Any]] = field(default_factory=queue.SimpleQueue)
    """("part", JSON) …, then one of ("result", Result), ("error", WorkerError)."""


class Worker:
    """One process. Safe for use from several threads."""

    def __init__(self, spec: WorkerSpec, settings: WorkerSettings, *, changed: Callable[[Worker], None]) -> None:
        """Starts it and returns at once.

        :param changed: called from another thread when it became ready, a call ended, or it died.
        :raises OSError: no descriptor is left for it.
        :raises RuntimeError: no thread is.
        """
        self.spec = spec
        self.report: Mapping[str, Any] = {}
        """What the served object said of itself when it was ready."""
        self.calls = 0
        """That were sent to it."""
        self.failure: WorkerError | None = None
        """Why it could not start, or how it died; None as long as it lives, and after an orderly stop."""
        self.ready = False
        self.ended = False
        self.pid: int | None = None
        self._settings = settings
        self._changed = changed
        self._lock = threading.Lock()
        self._open: dict[int, OpenCall] = {}
        self._next_id = 1
        self._start_by: float | None = None
        self._stopping = False
        self._kill_reason = ""
        self._reaped = False
        self._memory_at_start = 0
        self._log = LastLines(settings.stderr_lines, settings.max_line_chars)
        with contextlib.ExitStack() as undo:
            ours, theirs = map(undo.enter_context, socket.socketpair())
            log, log_end = os.pipe()
            undo.callback(os.close, log)
            undo.callback(os.close, log_end)
            ours.settimeout(settings.frame_seconds)
            self._channel = Channel(ours, Bounds(settings.max_header_bytes, settings.max_attachment_bytes))
            self._thread = threading.Thread(
                target=self._live, args=(theirs, log, log_end), name=f"worker {spec.name}", daemon=True
            )
            self._thread.start()
            undo.pop_all()

    def configure(self, config: Mapping[str, Json]) -> None:
        """Say what to load; from here on its start has a deadline."""
        self._start_by = time.monotonic() + self._settings.start_seconds
        self._send({"kind": "start", "config": dict(config)})

    def begin(
        self,
        method: str,
        arguments: Mapping[str, Json],
        *,
        buffers: Sequence[SharedBuffer],
        priority: Priority,
        seconds: float | None,
    ) -> OpenCall:
        """Send a call; its events come in the queue of what is returned.

        :param seconds: left until its deadline.
        :raises FrameError: it does not fit into a message.
        """
        with self._lock:
            call = OpenCall(self._next_id, priority)
            self._next_id += 1
            self.calls += 1
            self._open[call.id] = call
        header: dict[str, Json] = {
            "kind": "call", "id": call.id, "method": method, "arguments": dict(arguments),
            "priority": priority, "seconds": seconds,
            "buffers": [["bytes" if b.descriptor is None else "memory", len(b.view)] for b in buffers],
        }  # fmt: skip
        plain = b"".join(buffer.view for buffer in buffers if buffer.descriptor is None)
        descriptors = [buffer.descriptor for buffer in buffers if buffer.descriptor is not None]
        try:
            self._send(header, attachment=plain, descriptors=descriptors)
        except FrameError:
            with self._lock:
                self._open.pop(call.id, None)
            raise
        if self.ended:
            self._tell_open_calls()
        return call

    def cancel(self, call: OpenCall) -> None:
        """Ask that a call ends soon; what it gives then still comes."""
        self._send({"kind": "cancel", "id": call.id})

    def stop(self) -> None:
        """Ask for an orderly end, and return at once. One that is not ready has nothing to put in order."""
        self._stopping = True
        if self.ready:
            self._send({"kind": "stop"})
        else:
            self.kill("it was stopped before it was ready")

    def kill(self, reason: str) -> None:
        """End it now, with all that it started.

        :param reason: for the message of its death.
        """
        with self._lock:
            self._kill_reason = self._kill_reason or reason
            if self.pid is not None and not self._reaped:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)

    def kill_if_open(self, call: OpenCall, reason: str) -> None:
        """Kill it if a call has not ended by now."""
        with self._lock:
            still_open = call.id in self._open
        if still_open:
            self.kill(reason)

    def join(self, seconds: float) -> bool:
        """Wait until nothing of it is left."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def in_flight(self) -> list[Priority]:
        """Calls that were sent and have not ended, in order."""
        with self._lock:
            return [call.priority for call in self._open.values()]

    def growth_bytes(self) -> int:
        """By how much its own memory has grown since it was ready."""
        return own_memory_bytes(self.pid) - self._memory_at_start if self.ready else 0

    def _send(self, header: Mapping[str, Json], *, attachment: bytes = b"", descriptors: Sequence[int] = ()) -> None:
        try:
            self._channel.send(header, attachment=attachment, descriptors=descriptors)
        except TimeoutError:
            self.kill("it took no message any more")
        except OSError:
            pass  # it is ending, and its thread says how

    def _live(self, theirs: socket.socket, log: int, log_end: int) -> None:
        """The thread: start, listen, reap."""
        process: subprocess.Popen[bytes] | None = None
        reason = ""
        try:
            try:
                process = launch(self.spec, self._settings, descriptor=theirs.fileno(), log=log_end)
            finally:
                theirs.close()
                os.close(log_end)
            with self._lock:
                self.pid = process.pid
            if self._kill_reason:
                self.kill("")
            self._listen(process.pid, log)
        except FrameError as error:
            reason = str(error)
        except OSError as error:
            reason = f"it cannot be run: {error.strerror or error}"
        finally:
            self._bury(process, log, reason)

    def _listen(self, pid: int, log: int) -> None:
        """Receive until the process has ended or closed its side."""
        ended = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
        try:
            with selectors.DefaultSelector() as waiting:
                waiting.register(self._channel, selectors.EVENT_READ, "channel")
                waiting.register(log, selectors.EVENT_READ, "log")
                if ended >= 0:
                    waiting.register(ended, selectors.EVENT_READ, "ended")
                with contextlib.suppress(ConnectionError):  # it died with messages unread
                    while self._step(waiting, log):
                        pass
        finally:
            if ended >= 0:
                os.close(ended)

    def _step(self, waiting: selectors.BaseSelector, log: int) -> bool:
        """:return: whether there is more to come."""
        ready = {key.data for key, _ in waiting.select(None if self.ready else _STARTING_SLICE_SECONDS)}
        if "log" in ready and not self._log.read(log):
            waiting.unregister(log)
        if "channel" in ready:
            frame = self._channel.receive()
            if frame is None:
                return False
            self._deliver(frame)
            return True
        if not self.ready and self._start_by is not None and time.monotonic() > self._start_by:
            raise FrameError(f"it was not ready after {self._settings.start_seconds:g} s (workers.start_seconds)")
        return "ended" not in ready

    def _deliver(self, frame: Frame) -> None:
        header: Mapping[str, Any] = frame.header
        kind = header.get("kind")
        if kind == "ready" and not self.ready and isinstance(header.get("report"), dict):
            self.report = header["report"]
            self._memory_at_start = own_memory_bytes(self.pid)
            self.ready = True
            self._changed(self)
        elif kind == "failed" and not self.ready:
            self.failure = _call_failed(header)
        elif kind == "part" and self.ready:
            self._part(header)
        elif kind in ("result", "error") and self.ready:
            with self._lock:
                call = self._open.pop(header.get("id", 0), None)
            if call is None:
                raise FrameError("it answered a call that is not open")
            told = ("result", Result(header.get("value"), frame.attachment))
            call.events.put(told if kind == "result" else ("error", _call_failed(header)))
            self._changed(self)
        else:
            raise FrameError(f"it sent a message of kind {kind!r:.40} out of turn")

    def _part(self, header: Mapping[str, Any]) -> None:
        with self._lock:
            call = self._open.get(header.get("id", 0))
        if call is None:
            raise FrameError("it sent a piece of a call that is not open")
        if call.events.qsize() >= self._settings.max_waiting_parts:
            raise FrameError("it sent pieces faster than they were taken (workers.max_waiting_parts)")
        call.events.put(("part", header.get("value")))

    def _bury(self, process: subprocess.Popen[bytes] | None, log: int, reason: str) -> None:
        """Reap the process and tell everybody who waits."""
        self._channel.shut()
        code = None if process is None else self._reap(process, at_once=bool(reason))
        self._log.read_rest(log)
        os.close(log)
        if self.failure is None and not self._stopping:
            self.failure = WorkerDied(self._death(code, self._kill_reason or reason))
        self.ready, self.ended = False, True
        self._channel.close()
        self._tell_open_calls()
        self._changed(self)

    def _reap(self, process: subprocess.Popen[bytes], *, at_once: bool) -> int:
        until = time.monotonic() + (0.0 if at_once else self._settings.stop_seconds)
        # It is looked at without being reaped, so that its number cannot become another group's before the kill.
        while not has_ended(process.pid) and time.monotonic() < until:
            time.sleep(_END_SLICE_SECONDS)
        with self._lock:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # and what it started
            code = process.wait()
            self._reaped = True
        return code

    def _tell_open_calls(self) -> None:
        with self._lock:
            waiting = list(self._open.values())
            self._open.clear()
        for call in waiting:
            call.events.put(("error", self.failure or WorkerDied(f"{self.spec.name}: its process was stopped")))

    def _death(self, code: int | None, reason: str) -> str:
        process = "its process" if self.pid is None else f"its process {self.pid}"
        return f"{self.spec.name}: {process} died: {reason or how_it_ended(code)}{self._log.told()}"


def _call_failed(header: Mapping[str, Any]) -> CallFailed:
    kinds = header.get("kinds")
    names = tuple(kind for kind in kinds if isinstance(kind, str)) if isinstance(kinds, list) else ()
    return CallFailed(str(header.get("message", "")), names)
