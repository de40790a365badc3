"""A bound on the memory of some processes, and what they take: control groups of either kind, and proportional memory.

A group can be made by root only, and not in every container. Without one the profile is named instead of found, and
what it takes is measured all the same.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

__all__ = ["MemoryGroup", "PeakWatch", "memory_group"]

ROOT = Path("/sys/fs/cgroup")
NAME = f"watchkeeper-bench-{os.getpid()}"
POLL_SECONDS = 0.1


class MemoryGroup:
    """A control group of our own."""

    def __init__(self, folder: Path, *, old: bool) -> None:
        self._folder = folder
        self._old = old

    @property
    def entrance(self) -> Path:
        """A process that writes its number here is in."""
        return self._folder / "cgroup.procs"

    def killed(self) -> int:
        """Processes that were killed because the group was full."""
        text = (self._folder / ("memory.oom_control" if self._old else "memory.events")).read_text()
        return int(dict(line.split() for line in text.splitlines()).get("oom_kill", 0))


@contextmanager
def memory_group(limit_bytes: int) -> Iterator[MemoryGroup | None]:
    """A group with this limit; None where none can be made."""
    old = not (ROOT / "cgroup.controllers").exists()
    folder = (ROOT / "memory" if old else ROOT) / NAME
    try:
        folder.mkdir()
        (folder / ("memory.limit_in_bytes" if old else "memory.max")).write_text(str(limit_bytes))
    except OSError:
        with suppress(OSError):
            folder.rmdir()
        yield None
        return
    try:
        yield MemoryGroup(folder, old=old)
    finally:
        with suppress(OSError):  # a process that does not end keeps it
            folder.rmdir()


class PeakWatch:
    """The most memory that a process and its children held at one time; a context manager."""

    def __init__(self, process: psutil.Process) -> None:
        self.pss_bytes = 0
        """Pages of several processes shared out among them."""
        self.processes: dict[str, int] = {}
        """What each took at that time, by what it serves."""
        self._process = process
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(POLL_SECONDS):
            with suppress(psutil.NoSuchProcess):
                family = [self._process, *self._process.children(recursive=True)]
                taken = {f"{one.pid}": _pss_bytes(one.pid) for one in family}
                if sum(taken.values()) > self.pss_bytes:
                    self.pss_bytes, self.processes = sum(taken.values()), taken


def _pss_bytes(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
