"""Builds `shim.c` and speaks to it: a process that was started with it can lose its power at any write."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["COUNT", "FAIL", "KILL", "TEAR", "Shim", "build", "environment", "why_not"]

COUNT, KILL, TEAR, FAIL = range(4)
_SOURCE = Path(__file__).with_name("shim.c")


def why_not() -> str:
    """Why it cannot be had here; empty where it can."""
    if not sys.platform.startswith("linux"):
        return "needs Linux"
    return "" if shutil.which("cc") or shutil.which("gcc") else "needs a C compiler"


def build(folder: Path) -> Path:
    """Compile it into a folder."""
    made = folder / "shim.so"
    compiler = shutil.which("cc") or shutil.which("gcc") or "cc"
    command = [compiler, "-O1", "-w", "-shared", "-fPIC", "-o", str(made), str(_SOURCE), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return made


def environment(made: Path) -> dict[str, str]:
    """In which a process has it."""
    return {**os.environ, "LD_PRELOAD": str(made), "PYTHONDONTWRITEBYTECODE": "1"}


class Shim:
    """The one of this process."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.shim_arm.argtypes = (
            [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_long] + 2 * [ctypes.c_int] + [ctypes.c_uint64]
        )
        self._library.shim_shift_clock.argtypes = [ctypes.c_int64]
        self._library.shim_count.restype = ctypes.c_long

    def arm(
        self, folder: Path, *, at: int, mode: int, shadow: Path | None = None, error: int = 0, seed: int = 0
    ) -> None:
        """From now on, every call that changes a file under the folder counts.

        :param at: the call at which it happens, from 1.
        :param shadow: a copy of the folder, kept as a power cut would leave it.
        :param error: that calls fail with, from there on, where `mode` is FAIL.
        """
        copy = os.fsencode(shadow) if shadow else b""
        self._library.shim_arm(os.fsencode(folder), copy, at, mode, error, seed)

    def disarm(self) -> None:
        """From now on nothing counts."""
        self._library.shim_disarm()

    def count(self) -> int:
        """Calls since it was armed, here or in a process that was forked off."""
        return int(self._library.shim_count())

    def shift_clock(self, seconds: int) -> None:
        """Set the wall clock of this process wrong by so much, for Python and all libraries."""
        self._library.shim_shift_clock(seconds)
