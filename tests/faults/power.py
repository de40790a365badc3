"""Power that goes at any write, disks that fill up, clocks that jump: `tests.faults.power_box`, in full.

Killing leaves what the kernel holds, losing power does not: of what was not synced, each write survives with even odds.
A swap is among the faults of modules.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults import Row
from tests.faults.shim import build, environment, why_not
from tests.faults.storage import storage_rows

__all__ = ["run", "run_box"]

ROUNDS = 10
POWER = ("first start", "turn", "request", "approval", "command", "orders", "recovery", "pull", "report")
DISK = ("turn", "approval", "command", "recovery", "pull")
LIVE = ("turn",)
CLOCK = ("turn", "approval", "command", "recovery")
PLAN = {"power": (POWER, ROUNDS), "disk": (DISK, 3), "live": (LIVE, 3), "clock": (CLOCK, 2)}
"""Fault → in which scenarios, and how often."""
_SECONDS = 1_800


def run() -> Iterator[Row]:
    """All rows of this subject, as they come."""
    yield from storage_rows()
    if reason := why_not():
        yield Row("power lost, disk full, clock jumps", 0, 0, 0.0, reason)
        return
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as name:
        folder = Path(name)
        made = build(folder)
        for fault, (scenarios, rounds) in PLAN.items():
            for scenario in scenarios:
                yield _row(folder, made, fault, scenario, rounds)


def run_box(folder: Path, made: Path, fault: str, scenario: str, rounds: int) -> dict[str, Any]:
    """What came of one fault in one scenario: `points`, `tried`, `held`, `first_lost`, `seconds`."""
    command = [sys.executable, "-m", "tests.faults.power_box", str(folder), fault, scenario, str(rounds)]
    done = subprocess.run(command, env=environment(made), capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"{fault}, {scenario}: {done.stderr.strip()[-600:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _row(folder: Path, made: Path, fault: str, scenario: str, rounds: int) -> Row:
    told = run_box(folder, made, fault, scenario, rounds)
    what = {
        "power": f"kill -9 or power lost at every write: {scenario} ({told['points']} points)",
        "disk": f"disk full, read-only or broken from every write on: {scenario} ({told['points']} points)",
        "live": f"the same, and the same agent goes on when there is room: {scenario} ({told['points']} points)",
        "clock": f"clock jumps by decades before, in and after: {scenario}",
    }[fault]
    return Row(what, told["tried"], told["held"], told["seconds"], told["first_lost"])
