"""How far a pull or a check is: a bar on a terminal, lines elsewhere; on stderr, so that stdout stays the result."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

__all__ = ["BarReporter", "LineReporter", "Reporter", "SilentReporter", "choose_reporter"]


class Reporter(Protocol):
    """Told what happens during a pull."""

    def started(self, label: str, total: int, done: int, *, doing: str = "to get") -> None:
        """A file begins; `total` is 0 where unknown, `done` what an earlier pull left."""
        ...

    def moved(self, done: int) -> None:
        """So many bytes of it are here."""
        ...

    def note(self, text: str) -> None:
        """One line about something worth knowing."""
        ...

    def __enter__(self) -> Reporter: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class SilentReporter:
    """Says nothing."""

    def started(self, label: str, total: int, done: int, *, doing: str = "to get") -> None:
        """Nothing."""

    def moved(self, done: int) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def __enter__(self) -> SilentReporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class BarReporter(SilentReporter):
    """A bar with bytes, rate and remaining time for each file."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._task: TaskID | None = None

    def started(self, label: str, total: int, done: int, *, doing: str = "to get") -> None:
        self._task = self._progress.add_task(label, total=total or None, completed=done)

    def moved(self, done: int) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=done)

    def note(self, text: str) -> None:
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> BarReporter:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


class LineReporter(SilentReporter):
    """A line per tenth of a file, and at least one in a while: for logs of CI and of systemd."""

    def __init__(self, *, every_seconds: float = 10.0) -> None:
        self._every = every_seconds
        self._label, self._total, self._begun_at = "", 0, 0
        self._begun = self._last = 0.0
        self._told = 0

    def started(self, label: str, total: int, done: int, *, doing: str = "to get") -> None:
        self._label, self._total, self._begun_at, self._told = label, total, done, done
        self._begun = self._last = time.monotonic()
        self.note(f"{label}: {megabytes(total)} {doing}" + (f", {megabytes(done)} are here already" if done else ""))

    def moved(self, done: int) -> None:
        now = time.monotonic()
        step = max(self._total // 10, 10_000_000)
        if done - self._told < step and now - self._last < self._every:
            return
        rate = max(done - self._begun_at, 0) / max(now - self._begun, 1e-3)
        left = f", {(self._total - done) / rate:.0f} s left" if rate and self._total > done else ""
        self.note(f"{self._label}: {megabytes(done)} of {megabytes(self._total)}, {rate / 1e6:.1f} MB/s{left}")
        self._told, self._last = done, now

    def note(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def choose_reporter() -> Reporter:
    """A bar where stderr is a terminal, lines elsewhere."""
    console = Console(stderr=True)
    return BarReporter(console) if console.is_terminal else LineReporter()


def megabytes(count: int) -> str:
    """A size for people, decimal."""
    if not count:
        return "?"
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count} B"
