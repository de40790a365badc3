"""How long something is valid, on a box whose clock may be wrong.

The wall clock jumps: a gateway without a battery wakes up in 1970, and a time server moves it by years. As long as the
box has not been started anew, validity is counted by the clock since its start, which nobody can set. Only after that
the wall clock decides, and one that stands before the beginning makes nothing valid.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Instant", "Span", "read_clock"]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment, by both clocks."""

    wall: float
    """Seconds since 1970, as the box believes."""
    boot: str
    """Which start of the box it was; empty where the system does not say."""
    up: float
    """Seconds since that start, sleep included."""


@dataclass(frozen=True, slots=True)
class Span:
    """So many seconds from a moment on."""

    begun: Instant
    seconds: float

    @property
    def ends_wall(self) -> float:
        """For people: the end by the wall clock of its beginning."""
        return self.begun.wall + self.seconds

    def holds(self, now: Instant) -> bool:
        """Whether it has not ended."""
        if now.boot and now.boot == self.begun.boot:
            return now.up < self.begun.up + self.seconds
        return self.begun.wall <= now.wall < self.ends_wall


def read_clock() -> Instant:
    """Now."""
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    since_start = time.CLOCK_BOOTTIME if hasattr(time, "CLOCK_BOOTTIME") else time.CLOCK_MONOTONIC
    return Instant(time.time(), boot, time.clock_gettime(since_start))
