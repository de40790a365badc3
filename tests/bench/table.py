"""The form that every benchmark and score prints."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Row", "machine", "print_rows"]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    row: str
    value: float | None
    """None where it could not be measured."""
    target: str
    """In words, such as `<= 6`; empty where there is none."""
    met: bool | None
    """None where there is no target."""


def at_most(row: str, value: float, limit: float) -> Row:
    """A figure that should not exceed a limit."""
    return Row(row, round(value, 3), f"<= {limit:g}", value <= limit)


def at_least(row: str, value: float, limit: float) -> Row:
    """A figure that should reach a limit."""
    return Row(row, round(value, 3), f">= {limit:g}", value >= limit)


def told(row: str, value: float) -> Row:
    """A figure without a target."""
    return Row(row, round(value, 3), "", None)


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "load": round(os.getloadavg()[0], 2)}


def print_rows(rows: Sequence[Row], **more: object) -> None:
    """The table for people, then the line for programs."""
    width = max(len(row.row) for row in rows)
    for row in rows:
        met = {True: "met", False: "NOT MET", None: ""}[row.met]
        value = "–" if row.value is None else f"{row.value:g}"
        print(f"{row.row:<{width}}  {value:>9}  {row.target:<9} {met}")
    print(json.dumps({"rows": [asdict(row) for row in rows], "machine": machine(), **more}, ensure_ascii=False))
