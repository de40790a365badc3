"""What processes used of memory and processor, and the machine's memory bandwidth."""

from __future__ import annotations

import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil

__all__ = ["bandwidth_gb_per_second", "cpu_ms", "peak_bytes", "peak_bytes_of"]

RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024
COPIED_BYTES = 256_000_000
"""By each thread at once: far more than any cache holds."""
ROUNDS = 6


def peak_bytes() -> int:
    """Most resident memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT_BYTES


def peak_bytes_of(process: int) -> int | None:
    """The same of another process, by number; None where the system does not tell."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)


def cpu_ms(*processes: int) -> float:
    """Processor time that these used so far, all threads together. As everyone here waits without spinning, it is the
    work that was done, whatever else the machine did meanwhile.
    """
    times = [psutil.Process(process).cpu_times() for process in processes]
    return sum(one.user + one.system for one in times) * 1_000


def bandwidth_gb_per_second(threads: int) -> float:
    """Bytes read and written per second when every thread copies an array of its own; the best of some rounds."""
    sources = [np.ones(COPIED_BYTES // 8) for _ in range(threads)]
    targets = [np.zeros_like(source) for source in sources]
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(ROUNDS):
            began = time.perf_counter()
            list(pool.map(np.copyto, targets, sources))
            best = max(best, 2 * COPIED_BYTES * threads / (time.perf_counter() - began))
    return best / 1e9
