"""The cores that are worth a thread each: whole ones, fast ones, and those that this process may use.

Every token passes all threads, so the slowest sets the pace: a hyper-thread or a small core beside big ones makes the
others wait. Order: what the affinity mask allows, one per physical core, the big ones of them, then the CPU quota.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = ["Cores", "count_cores", "cpu_quota", "physical_cores", "read_number", "read_text"]

READ_BYTES = 4_096
BIG_CAPACITY = 0.7
"""A core with less of the best one's `cpu_capacity` is a small one: they reach a quarter to two thirds."""
BIG_FREQUENCY = 0.8
"""The same by highest frequency, where the kernel gives no capacity; cores of one kind differ by a few per cent."""
LARGEST_QUOTA = 10_000.0


@dataclass(frozen=True, slots=True)
class Cores:
    """What the box has for a model."""

    useful: int
    """Threads worth running."""
    allowed: int
    """Logical processors that this process may use."""
    physical: int
    """Cores among them."""
    big: int
    """The fast ones among these."""
    quota: float | None
    """Processors' worth of time that a container or a service may use; None without a limit."""

    @property
    def why(self) -> str:
        """How the number came about, for people."""
        parts = [f"{self.physical} cores"]
        if self.allowed != self.physical:
            parts.append(f"{self.allowed} hyper-threads")
        if self.big != self.physical:
            parts.append(f"{self.big} of them fast")
        if self.quota is not None:
            parts.append(f"CPU quota {self.quota:.1f}")
        return ", ".join(parts)


def physical_cores() -> int:
    """Threads worth running on this box."""
    return count_cores().useful


def count_cores(
    sysfs: Path = Path("/sys"), proc: Path = Path("/proc"), allowed: Collection[int] | None = None
) -> Cores:
    """Look at the processors.

    :param allowed: numbers of the logical processors that may be used; None asks the system.
    """
    mine = sorted(_allowed() if allowed is None else allowed) or [0]
    folder = sysfs / "devices" / "system" / "cpu"
    cores: dict[str, int] = {}
    for cpu in mine:
        cores.setdefault(_core(folder, cpu), cpu)
    physical = len(cores) if (folder / f"cpu{mine[0]}" / "topology").is_dir() else _told_by_system(len(mine))
    big = min(physical, _big(folder, list(cores.values())))
    quota = cpu_quota(sysfs, proc)
    useful = max(1, big if quota is None else min(big, int(quota)))
    return Cores(useful, len(mine), physical, big, quota)


def cpu_quota(sysfs: Path = Path("/sys"), proc: Path = Path("/proc")) -> float | None:
    """Processors' worth of time that the tightest control group above this process allows; None without a limit."""
    root = sysfs / "fs" / "cgroup"
    found = []
    for line in read_text(proc / "self" / "cgroup").splitlines():
        _, _, rest = line.partition(":")
        kind, _, place = rest.partition(":")
        base = root if kind == "" else root / "cpu" if "cpu" in kind.split(",") else None
        if base is not None:
            inner = base / place.strip("/")
            # In a container the named group is often not shown, and its own limit stands at the root.
            found += [_quota(group) for group in (inner, *inner.parents) if group.is_relative_to(base)]
    return min((quota for quota in found if quota is not None), default=None)


def read_text(path: Path) -> str:
    """A small file of the kernel, stripped; empty where it is missing, unreadable or no text."""
    try:
        with path.open("rb") as file:
            return file.read(READ_BYTES).decode("utf-8").strip()
    except (OSError, ValueError):
        return ""


def read_number(path: Path) -> int | None:
    """The whole number in a small file of the kernel."""
    return _number(read_text(path))


def _number(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def _allowed() -> Collection[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)


def _told_by_system(logical: int) -> int:
    return max(1, min(logical, psutil.cpu_count(logical=False) or logical))


def _core(folder: Path, cpu: int) -> str:
    """What the hyper-threads of one core have in common."""
    place = folder / f"cpu{cpu}" / "topology"
    return read_text(place / "core_cpus_list") or read_text(place / "thread_siblings_list") or f"cpu{cpu}"


def _big(folder: Path, cpus: list[int]) -> int:
    """How many of these are of the fast kind; all where the kernel does not say."""
    for name, share in (("cpu_capacity", BIG_CAPACITY), ("cpufreq/cpuinfo_max_freq", BIG_FREQUENCY)):
        speeds = [read_number(folder / f"cpu{cpu}" / name) for cpu in cpus]
        known = [speed for speed in speeds if speed is not None and speed > 0]
        if len(known) == len(cpus) and known and min(known) < share * max(known):
            return sum(speed >= share * max(known) for speed in known)
    return len(cpus)


def _quota(group: Path) -> float | None:
    """`cpu.max` of cgroup v2, or the pair of files of v1."""
    quota, _, period = read_text(group / "cpu.max").partition(" ")
    if not quota:
        quota, period = read_text(group / "cpu.cfs_quota_us"), read_text(group / "cpu.cfs_period_us")
    share, whole = _number(quota), _number(period)
    if share is None or whole is None or share <= 0 or whole <= 0:
        return None
    return share / whole if share / whole < LARGEST_QUOTA else None
