"""`make faults`: every module here that has `run`, one table, and last one JSON line. Exit code 1 if anything was lost.

python -m tests.faults [MODULE …]
"""

from __future__ import annotations

import importlib
import json
import math
import pkgutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace

from tests import faults
from tests.bench import table
from tests.faults import Row

__all__ = ["main", "report"]

_WIDTH = 84
Subject = tuple[str, Callable[[], Iterable[Row | table.Row]]]


def subjects(names: Sequence[str] = ()) -> Iterator[Subject]:
    """Modules with a `run`, by name.

    :param names: only these; empty is all.
    """
    for found in pkgutil.iter_modules(faults.__path__):
        if found.name != "__main__" and (not names or found.name in names):
            module = importlib.import_module(f"{faults.__name__}.{found.name}")
            if hasattr(module, "run"):
                yield found.name, module.run


def report(found: Iterable[Subject]) -> int:
    """Run all and print. A subject that breaks is a row that was lost, and the others still run.

    :return: the exit code.
    """
    rows: list[Row] = []
    print(f"{'fault':<{_WIDTH}} {'tried':>7} {'held':>7} {'lost':>6} {'seconds':>9}", flush=True)
    for name, run in found:
        for row in _rows_of(name, run):
            print(_line(row), flush=True)
            rows.append(row)
    printed = [{**asdict(row), "lost": row.lost, "seconds": round(row.seconds, 1)} for row in rows]
    print(json.dumps({"rows": printed, "machine": table.machine()}, ensure_ascii=False))
    return 1 if any(row.lost for row in rows) else 0


def main(names: Sequence[str]) -> int:
    """All subjects, or those that are named."""
    return report(subjects(names))


def _rows_of(name: str, run: Callable[[], Iterable[Row | table.Row]]) -> Iterator[Row]:
    """As they come. What says no time of its own took the time since the one before."""
    began = time.perf_counter()
    try:
        for told in run():
            row = told if isinstance(told, Row) else _counted(told)
            yield row if row.seconds else replace(row, seconds=time.perf_counter() - began)
            began = time.perf_counter()
    except Exception as error:
        yield Row(f"{name}: could not be run to its end", 1, 0, 0.0, f"{type(error).__name__}: {error}")


def _counted(figure: table.Row) -> Row:
    """A figure with a target as tries that held: `>= 1000` is a thousand tries, anything else is one."""
    if figure.met is None:
        return Row(figure.row, 0, 0, 0.0, f"{figure.value}")
    if figure.target.startswith(">= ") and figure.value is not None:
        tried = max(1, math.ceil(float(figure.target[3:])))
        return Row(figure.row, tried, tried if figure.met else min(int(figure.value), tried - 1), 0.0)
    return Row(figure.row, 1, int(figure.met), 0.0, "" if figure.met else f"{figure.value} instead of {figure.target}")


def _line(row: Row) -> str:
    figures = f"{row.tried:>7} {row.held:>7} {row.lost:>6} {row.seconds:>9.1f}"
    note = f"\n    {row.note}" if row.note else ""
    return f"{row.fault:<{_WIDTH}} {figures}{note}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
