"""For the tests of `agent.workers`: what runs in the child (much of it does not behave), and how to wait for it."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from agent.values import Json
from agent.workers.child import Attached, CallContext
from agent.workers.protocol import Bounds, Channel


class Bench:
    """Served by `make`."""

    methods = (
        "add", "count", "crash", "describe", "fill", "flood", "garbage", "grow", "hang", "nest", "noise", "read",
        "refuse", "start_other", "attach", "too_much",
    )  # fmt: skip

    def __init__(self, *, nests: bool = False, started: str = "") -> None:
        self._nests = nests
        self._held: list[bytearray] = []
        if started:
            with Path(started).open("a") as out:
                out.write(f"{os.getpid()}\n")

    def report(self) -> Mapping[str, Json]:
        return {"nests": self._nests, "pid": os.getpid()}

    def close(self) -> None:
        self._held.clear()

    def add(self, context: CallContext, a: int, b: int) -> Json:
        return a + b

    def count(self, context: CallContext, to: int, pause: float = 0.0) -> Json:
        """Sends each number, and ends early when it is cancelled."""
        for number in range(to):
            if context.cancelled():
                return {"cancelled_at": number}
            context.send(number)
            context.yield_to_urgent()
            time.sleep(pause)
        return {"counted": to}

    def crash(self, context: CallContext, signal_number: int) -> Json:
        print("about to fall over", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal_number)
        time.sleep(5)
        return None

    def describe(self, context: CallContext) -> Json:
        return {
            "pid": os.getpid(),
            "environment": dict(os.environ),
            "files": sorted(place for _, place in _open_files()),
            "nice": os.nice(0),
            "core": _limit("Max core file size"),
            "open_files": _limit("Max open files"),
            "deadline": None if context.deadline is None else context.deadline - time.monotonic(),
        }

    def noise(self, context: CallContext) -> Json:
        print("this is no frame")
        os.write(1, b"\x00WKF1 nor is this\n")
        return "quiet"

    def read(self, context: CallContext) -> Json:
        return [sum(buffer) for buffer in context.buffers]

    def attach(self, context: CallContext, size: int) -> Json:
        value = Attached(size=size)
        value.attachment = b"x" * size
        return value

    def too_much(self, context: CallContext, size: int) -> Json:
        return "x" * size

    def refuse(self, context: CallContext) -> Json:
        raise LookupError("there is no such thing")

    def hang(self, context: CallContext) -> Json:
        while True:
            time.sleep(1)

    def nest(self, context: CallContext, seconds: float) -> Json:
        """A scheduled call that lets urgent ones in until it was told enough."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not context.cancelled():
            context.yield_to_urgent()
            time.sleep(0.002)
        return "nested"

    def grow(self, context: CallContext, size: int) -> Json:
        self._held.append(bytearray(os.urandom(1)) * size)
        return len(self._held)

    def flood(self, context: CallContext, count: int) -> Json:
        for number in range(count):
            context.send(number)
        return count

    def garbage(self, context: CallContext, data: str) -> Json:
        """Writes raw bytes where frames belong."""
        os.write(_channel(), bytes.fromhex(data))
        time.sleep(5)
        return None

    def fill(self, context: CallContext, header_bytes: int, attachment_bytes: int) -> Json:
        """The head of a frame that promises too much."""
        os.write(_channel(), struct.pack("!4sIIB", b"WKF1", header_bytes, attachment_bytes, 0))
        time.sleep(5)
        return None

    def start_other(self, context: CallContext) -> Json:
        """A process of its own that outlives it, if nobody minds."""
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid


def make(*, nests: bool = False, started: str = "") -> Bench:
    return Bench(nests=nests, started=started)


def make_slowly(*, seconds: float) -> Bench:
    time.sleep(seconds)
    return Bench()


def make_never(*, how: str) -> Bench:
    """Each way not to get ready."""
    if how == "raise":
        raise ValueError("no such file")
    if how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "exit":
        print("good bye", flush=True)
        os._exit(3)
    time.sleep(60)
    return Bench()


def prepare(*, mark: str) -> None:
    Path(mark).write_text("prepared")


def _open_files() -> list[tuple[int, str]]:
    """Numbers and what they lead to."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder itself, which is closed by now
            found.append((int(entry.name), str(entry.readlink())))
    return found


def _channel() -> int:
    return next(number for number, place in _open_files() if place.startswith("socket:"))


def _limit(name: str) -> str:
    line = next(line for line in Path("/proc/self/limits").read_text().splitlines() if line.startswith(name))
    return line[len(name) :].split()[0]


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that another thread or process does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def open_files() -> list[int]:
    """Descriptors of this process."""
    return sorted(number for number, _ in _open_files())


def pair(header_bytes: int = 1_000, attachment_bytes: int = 1_000) -> tuple[socket.socket, Channel]:
    """A raw end and a channel, for tests of the frames."""
    raw, end = socket.socketpair()
    end.settimeout(1)
    return raw, Channel(end, Bounds(header_bytes, attachment_bytes))
