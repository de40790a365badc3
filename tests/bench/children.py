"""Measured parties run in processes of their own and are spoken to in JSON lines: one object in, one object out.

A process of its own has its own peak of memory, its own threads and its own cache, and waits without using the
processor while the other one works.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["Child", "serve"]


class Child:
    """A module of this package, run as a process that serves; a context manager that ends it."""

    def __init__(self, module: str, *arguments: str, python: Path | str = sys.executable) -> None:
        """
        :param module: its full name; it calls `serve`.
        :param python: another environment's, for a peer that does not get along with ours.
        """
        self._module = module
        self._process = subprocess.Popen(
            [python, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._process.kill()
        self._process.communicate()

    def ask(self, **asked: Any) -> dict[str, Any]:
        """Send an object, wait for the answer.

        :raises SystemExit: the process ended; its own last words stand on the terminal.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise SystemExit(f"{self._module} ended before it answered, with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def serve(answer: Callable[..., dict[str, Any]]) -> None:
    """Answer until the other side closes; what native libraries print goes to stderr and cannot spoil a line."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        for line in sys.stdin:
            print(json.dumps(answer(**json.loads(line)), ensure_ascii=False), file=out, flush=True)
