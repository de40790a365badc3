"""How far an import is: a bar on a terminal, a line now and then elsewhere; on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from plugins.logs.importing import ImportTold

__all__ = ["choose_progress"]

_SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def choose_progress(file: Path) -> Iterator[ImportTold]:
    """What is told the bytes read, those of the file, and the rows."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(file.name)
        return
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(TextColumn("{task.description}"), *columns, console=console, transient=True) as progress:
        task = progress.add_task(file.name)

        def told(done: int, size: int, rows: int) -> None:
            progress.update(task, completed=done, total=size, description=f"{file.name} {rows:,} rows")

        yield told


class _Lines:
    def __init__(self, name: str) -> None:
        self._name = name
        self._began = self._last = time.monotonic()

    def __call__(self, done: int, size: int, rows: int) -> None:
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            rate = rows / (now - self._began)
            print(f"{self._name}: {done / max(1, size):.0%}, {rows:,} rows, {rate:,.0f} a second", file=sys.stderr)
