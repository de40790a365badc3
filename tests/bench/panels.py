"""`make bench-panels`: what reading a panel costs, stage by stage, on the shipped photos.

The reader is a process of its own. The first reading pays for what happens once; figures of later ones are medians.
The cache of readings is left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tests.bench.children import Child
from tests.bench.plant import PANEL
from tests.bench.table import Row, at_most, print_rows, told

PANELS = Path(__file__).parents[1] / "data" / "panels"
PHOTOS = (PANEL, PANELS / "dualzone__HMI.png", PANELS / "scada-v6__scada_web_table_en.png")
MAX_WALL_MS, MAX_CPU_MS, MAX_BYTES = 900.0, 1000.0, 500e6
"""Of one reading of the sample plant's panel, on two cores that do nothing else."""

Reading = dict[str, list[float]]
"""Stage → wall and CPU ms."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    with Child("tests.bench.panels_reader") as reader:
        cold = reader.ask(photo=str(PANEL), times=1)
        warm = {photo: reader.ask(photo=str(photo), times=options.repetitions) for photo in PHOTOS}
    rows = [
        *both("cold: open the reader", cold["open"]),
        *both("cold: first reading", whole(cold["read"][0])),
        *(row for photo in PHOTOS for row in photo_rows(photo, warm[photo]["read"])),
        at_most(f"{PANEL.name}: peak memory, bytes", warm[PANEL]["peak_bytes"], MAX_BYTES),
    ]
    print_rows(rows, repetitions=options.repetitions)


def photo_rows(photo: Path, readings: Sequence[Reading]) -> list[Row]:
    """Stages in the order in which they first end, then all of them together."""
    rows = []
    for stage in readings[0]:
        rows += both(f"{photo.name}: {stage}", medians([reading[stage] for reading in readings]))
    wall, cpu = medians([whole(reading) for reading in readings])
    if photo != PANEL:
        return [*rows, *both(f"{photo.name}: all", [wall, cpu])]
    name = f"{photo.name}: all"
    return [*rows, at_most(f"{name}, wall ms", wall, MAX_WALL_MS), at_most(f"{name}, CPU ms", cpu, MAX_CPU_MS)]


def whole(reading: Reading) -> list[float]:
    """All stages together."""
    return [sum(times) for times in zip(*reading.values(), strict=True)]


def medians(times: Sequence[Sequence[float]]) -> list[float]:
    """Of wall and of CPU."""
    return [median(kind) for kind in zip(*times, strict=True)]


def both(name: str, times: Sequence[float]) -> list[Row]:
    """Wall and CPU."""
    return [told(f"{name}, {kind} ms", value) for kind, value in zip(("wall", "CPU"), times, strict=True)]


if __name__ == "__main__":
    main()
