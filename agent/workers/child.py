"""Runs in the child: makes the object that is served, and runs calls on it until the parent says stop or is gone.

    python -m agent.workers '{"descriptor": 5, "parent": 123, "target": "package.module:factory", …}'

Order: limits on this process → the target's module → what that module prepares while the parent is still busy → the
`start` message → `factory(**config)` → `ready` → calls, one at a time, the interactive before the scheduled ones.

A second thread receives, so that a running call sees at once that it was cancelled; it ends the process when the
parent is gone, whatever the call is doing. Standard output is no channel here: whatever is printed goes to the log.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

from agent.values import Json
from agent.workers.protocol import Bounds, Channel, Frame, FrameError
from agent.workers.shared import map_descriptor

__all__ = ["Attached", "CallContext", "Served", "main"]

_DESCRIPTORS = 32
"""Buffers that may come with one call."""
_PR_SET_PDEATHSIG = 1
_GONE = 70
"""Exit code where the parent is gone or does not keep to the protocol."""


class Served(Protocol):
    """What a factory makes."""

    methods: tuple[str, ...]
    """Names that may be called, each as `method(context, **arguments)`; the result has to be JSON."""

    def report(self) -> Mapping[str, Json]:
        """Told to the parent with `ready`. With `"nests": true`, an interactive call may come in a scheduled one."""
        ...

    def close(self) -> None:
        """Free what it holds; called when the parent says stop."""
        ...


class Attached(dict[str, Json]):
    """A result with plain bytes beside its JSON."""

    attachment: bytes = b""


class CallContext:
    """One call, as the served object sees it."""

    def __init__(self, child: _Child, header: Mapping[str, Any], buffers: tuple[memoryview, ...]) -> None:
        seconds = header.get("seconds")
        self._child = child
        self._cancelled = False
        self.id: int = header["id"]
        self.method: str = header["method"]
        self.arguments: dict[str, Any] = header["arguments"]
        self.urgent: bool = header["priority"] == "interactive"
        self.buffers = buffers
        """What came with the call, read-only."""
        self.deadline: float | None = None if seconds is None else time.monotonic() + seconds
        """`time.monotonic()` of this process."""

    def cancelled(self) -> bool:
        """Whether the parent wants no more of this. Cheap enough to ask between tokens; the deadline is apart."""
        return self._cancelled

    def cancel(self) -> None:
        """From now on it is cancelled."""
        self._cancelled = True

    def send(self, part: Json) -> None:
        """Hand over a piece of the result; pieces arrive in order and before the result."""
        self._child.channel.send({"kind": "part", "id": self.id, "value": part})

    def yield_to_urgent(self) -> None:
        """Run interactive calls that wait, inside this one, if this one is scheduled."""
        while not self.urgent and (context := self._child.take_urgent()):
            self._child.run(context)


class _Child:
    """The served object and the calls that wait for it."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._waiting: dict[bool, deque[CallContext]] = {True: deque(), False: deque()}
        self._open: dict[int, CallContext] = {}
        self._changed = threading.Condition()
        self._config: Mapping[str, Any] | None = None
        self._stopping = False
        self._served: Any = None

    def serve(self, factory: Any) -> None:
        """Make the object, say so, and run calls until the parent says stop."""
        threading.Thread(target=self._receive, name="receive", daemon=True).start()
        with self._changed:
            self._changed.wait_for(lambda: self._config is not None or self._stopping)
        if self._config is None:
            return
        try:
            self._served = factory(**self._config)
            report = dict(self._served.report())
        except Exception as error:
            self.channel.send({"kind": "failed", **_told(error)})
            return
        self.channel.send({"kind": "ready", "report": report})
        while context := self._take():
            self.run(context)
        self._served.close()

    def _take(self) -> CallContext | None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or any(self._waiting.values()))
            if self._stopping:
                return None
            return (self._waiting[True] or self._waiting[False]).popleft()

    def take_urgent(self) -> CallContext | None:
        """An interactive call that waits."""
        if not self._waiting[True]:
            return None
        with self._changed:
            return self._waiting[True].popleft() if self._waiting[True] else None

    def run(self, context: CallContext) -> None:
        """Run one call and send what came of it."""
        answer, attachment = self._outcome(context)
        with self._changed:
            self._open.pop(context.id, None)
        try:
            try:
                self.channel.send({**answer, "id": context.id}, attachment=attachment)
            except FrameError as error:
                self.channel.send({"kind": "error", "id": context.id, **_told(error)})
        except OSError:
            os._exit(_GONE)

    def _outcome(self, context: CallContext) -> tuple[dict[str, Json], bytes]:
        try:
            if context.method not in self._served.methods:
                raise AttributeError(f"{context.method} is not served here")
            value = getattr(self._served, context.method)(context, **context.arguments)
        except Exception as error:
            return {"kind": "error", **_told(error)}, b""
        return {"kind": "result", "value": value}, value.attachment if isinstance(value, Attached) else b""

    def _receive(self) -> None:
        """The second thread. When the parent is gone, so is this process, also in the middle of native code."""
        try:
            while frame := self.channel.receive():
                self._accept(frame)
        except BaseException as error:
            print(f"the channel to the parent broke: {error}", file=sys.stderr, flush=True)
        os._exit(_GONE)

    def _accept(self, frame: Frame) -> None:
        header: Mapping[str, Any] = frame.header
        context = None
        if header["kind"] == "call":
            context = CallContext(self, header, _buffers(frame))
        with self._changed:
            if context is not None:
                self._open[context.id] = context
                self._waiting[context.urgent].append(context)
            elif header["kind"] == "cancel" and header["id"] in self._open:
                self._open[header["id"]].cancel()
            elif header["kind"] == "start":
                self._config = header["config"]
            elif header["kind"] == "stop":
                self._stopping = True
            self._changed.notify_all()


def _buffers(frame: Frame) -> tuple[memoryview, ...]:
    """Sealed memory by descriptor, or pieces of the attachment, as the header lists them."""
    descriptors, rest = list(frame.descriptors), memoryview(frame.attachment)
    found = []
    listed: Any = frame.header.get("buffers", [])
    for kind, size in listed:
        if kind == "memory":
            descriptor = descriptors.pop(0)
            try:
                found.append(map_descriptor(descriptor, size))
            finally:
                os.close(descriptor)
        else:
            found.append(rest[:size])
            rest = rest[size:]
    return tuple(found)


def _told(error: BaseException) -> dict[str, Json]:
    kinds: list[Json] = [kind.__name__ for kind in type(error).__mro__]
    text = str(error) or type(error).__name__
    return {"kinds": kinds, "message": text[:2_000]}


def _limit(limits: Mapping[str, int]) -> None:
    """Bounds of this process, set before any code of a module runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        files = min(limits["open_files"], resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        if limits["address_bytes"]:
            resource.setrlimit(resource.RLIMIT_AS, (limits["address_bytes"], limits["address_bytes"]))
    if limits["nice"]:
        os.nice(limits["nice"])


def _die_with(parent: int) -> None:
    """The kernel kills this process when the parent's thread that watches it ends; else the closed channel does."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(_GONE)


def main() -> None:
    """Serve one parent."""
    told: dict[str, Any] = json.loads(sys.argv[1])
    _die_with(told["parent"])
    _limit(told["limits"])
    end = socket.socket(fileno=told["descriptor"])
    os.set_inheritable(told["descriptor"], False)
    channel = Channel(end, Bounds(told["header_bytes"], told["attachment_bytes"], _DESCRIPTORS))
    module_name, _, factory_name = told["target"].partition(":")
    try:
        module = importlib.import_module(module_name)
        factory = getattr(module, factory_name)
        if told["prepare"] is not None:
            module.prepare(**told["prepare"])
    except Exception as error:
        channel.send({"kind": "failed", **_told(error)})
        raise
    _Child(channel).serve(factory)
    sys.stdout.flush()
    sys.stderr.flush()
    # Native libraries are not trusted with an orderly end of the interpreter; everything was closed above.
    os._exit(0)
