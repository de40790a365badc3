"""What can be told of a process from outside: the last lines it wrote, how it ended, how much memory is its own."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import deque
from pathlib import Path

import psutil

__all__ = ["LastLines", "has_ended", "how_it_ended", "own_memory_bytes"]

_READ_BYTES = 65_536
_TOLD_LINES = 3


class LastLines:
    """The end of what a process writes. It may write anything, and any amount of it."""

    def __init__(self, lines: int, line_chars: int) -> None:
        self._lines: deque[str] = deque(maxlen=lines)
        self._line_chars = line_chars

    def read(self, pipe: int) -> bool:
        """Take what is there; a line that comes in two pieces is kept as two.

        :return: whether more may come.
        """
        data = os.read(pipe, _READ_BYTES)
        for line in data.decode("utf-8", "replace").splitlines():
            if shown := "".join(c for c in line if c.isprintable()).strip():
                self._lines.append(shown[: self._line_chars])
        return bool(data)

    def read_rest(self, pipe: int) -> None:
        """Take what is left, without waiting for more."""
        os.set_blocking(pipe, False)
        with contextlib.suppress(BlockingIOError):
            while self.read(pipe):
                pass

    def told(self) -> str:
        """The last of it, as the end of a message."""
        return f"; it last wrote: {' | '.join(list(self._lines)[-_TOLD_LINES:])}" if self._lines else ""


def has_ended(pid: int) -> bool:
    """Whether a child of this process has ended; it is not reaped by asking."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def how_it_ended(code: int | None) -> str:
    """An exit code of `subprocess`, in words."""
    if code is not None and code < 0:
        names = {int(number): number.name for number in signal.Signals}
        return names.get(-code, f"signal {-code}")
    return f"exit code {code}"


def own_memory_bytes(pid: int | None) -> int:
    """Memory that no file backs: weights that are mapped grow with use, and that is no leak. 0 where it is gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1_024
        return int(psutil.Process(pid).memory_info().rss)
    except (OSError, ValueError, psutil.Error):
        return 0
