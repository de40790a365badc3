"""The table of `make bench-model`: ours beside both peers, and last one JSON line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from tests.bench.table import machine

__all__ = ["Line", "at_least", "at_most", "not_measured", "print_lines", "told"]

HEADS = (
    "work",
    "model",
    "unit",
    "ours",
    "llama-cpp-python",
    "llama-server",
    "ratio",
    "by CPU",
    "target",
    "reached",
    "note",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One row."""

    work: str
    model: str
    unit: str
    ours: float | None = None
    """None where it could not be measured."""
    peer: float | None = None
    """llama-cpp-python; in comparisons with a bare loop or with ourselves, None."""
    server: float | None = None
    """llama-server."""
    ratio: float | None = None
    """What the target is about."""
    cpu_ratio: float | None = None
    """The same by processor time, which other programs on the machine hardly change."""
    target: str = ""
    """In words; empty where there is none."""
    reached: bool | None = None
    """None where there is no target or nothing was measured."""
    note: str = ""


def at_least(line: Line, ratio: float, limit: float) -> Line:
    """A ratio that should reach a limit."""
    return _judged(line, ratio, f">= {limit:g}", ratio >= limit)


def at_most(line: Line, ratio: float, limit: float) -> Line:
    """A figure that should not exceed a limit."""
    return _judged(line, ratio, f"<= {limit:g}", ratio <= limit)


def _judged(line: Line, ratio: float, target: str, reached: bool) -> Line:
    return replace(line, ratio=ratio, target=target, reached=reached)


def told(work: str, model: str, unit: str, ours: float, note: str = "") -> Line:
    """A figure of ours alone, without a target."""
    return Line(work, model, unit, ours, note=note)


def not_measured(work: str, model: str, why: str, target: str = "") -> Line:
    """A row that stays empty."""
    return Line(work, model, "", target=target, note=why)


def print_lines(lines: Sequence[Line], **more: object) -> None:
    """The table for people, then the line for programs."""
    rows = [HEADS, *(_cells(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    for row in rows:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    print(json.dumps({"rows": [asdict(line) for line in lines], "machine": machine(), **more}, ensure_ascii=False))


def _cells(line: Line) -> tuple[str, ...]:
    numbers = [_number(value) for value in (line.ours, line.peer, line.server, line.ratio, line.cpu_ratio)]
    reached = {True: "yes", False: "NO", None: ""}[line.reached]
    return (line.work, line.model, line.unit, *numbers, line.target, reached, line.note)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
