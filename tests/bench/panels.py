"""`make bench-panels`: what reading a panel costs, on one thread unless it says otherwise.

    stage by stage       decode, find text, read lines, lay out …, on the shipped photos
    reader by reader     the small one with the tiny one before it, the small one alone, the tiny one alone
    size by size         one photo at other widths
    text by text         drawn screens of one size with few and many texts

Each reader is a process of its own. The first reading pays for what happens once; figures of later ones are medians.
The cache of readings and the memory of lines are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.children import Child
from tests.bench.plant import PANEL
from tests.bench.table import Row, at_most, print_rows, told

PANELS = Path(__file__).parents[1] / "data" / "panels"
PHOTOS = (PANEL, PANELS / "dualzone__HMI.png", PANELS / "scada-v6__scada_web_table_en.png")
READERS = ("small+screen", "small", "tiny")
WIDTHS = (480, 960, 1400, 1920, 2400)
TEXTS = (10, 50, 100, 200, 400)
MAX_CPU_MS, MAX_BYTES = 600.0, 500e6
"""Of one reading of the sample plant's panel, 1377×900, on a core that does nothing else."""

Reading = dict[str, list[float]]
"""Stage → wall and CPU ms."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=5)
    times = parser.parse_args().repetitions
    rows = [*stage_rows(times), *(row for name in READERS for row in reader_rows(name, times)), *growth_rows(times)]
    print_rows(rows, repetitions=times)


def stage_rows(times: int) -> Iterator[Row]:
    """Each photo by stage, and the same on two threads."""
    with Child("tests.bench.panels_reader", READERS[0], "1") as reader:
        cold = reader.ask(photo=str(PANEL), times=1)
        yield from both("cold: open the reader", cold["open"])
        yield from both("cold: first reading", whole(cold["read"][0]))
        for photo in PHOTOS:
            yield from photo_rows(photo, reader.ask(photo=str(photo), times=times)["read"])
    with Child("tests.bench.panels_reader", READERS[0], "2") as reader:
        reader.ask(photo=str(PANEL), times=1)
        yield from both(f"{PANEL.name}: all, two threads", total(reader.ask(photo=str(PANEL), times=times)))


def reader_rows(name: str, times: int) -> Iterator[Row]:
    """One photo by one reader, and what it takes of the memory."""
    with Child("tests.bench.panels_reader", name, "1") as reader:
        reader.ask(photo=str(PANEL), times=1)
        answer = reader.ask(photo=str(PANEL), times=times)
    yield told(f"{name}: all, CPU ms", total(answer)[1])
    peak, row = answer["peak_bytes"], f"{name}: peak memory, bytes"
    yield at_most(row, peak, MAX_BYTES) if name == READERS[0] else told(row, peak)


def growth_rows(times: int) -> Iterator[Row]:
    """How the cost grows with pixels, and with texts."""
    with Child("tests.bench.panels_reader", READERS[0], "1") as reader:
        for width in WIDTHS:
            answer = reader.ask(photo=str(PANEL), width=width, times=times)
            size = "×".join(str(side) for side in answer["size"])
            yield told(f"{PANEL.name} at {size}: all, CPU ms", total(answer)[1])
        for texts in TEXTS:
            yield told(f"drawn, {texts} texts: all, CPU ms", total(reader.ask(texts=texts, times=times))[1])


def photo_rows(photo: Path, readings: Sequence[Reading]) -> Iterator[Row]:
    """Stages in the order in which they first end, then all of them together."""
    for stage in readings[0]:
        yield told(f"{photo.name}: {stage}, CPU ms", median(reading[stage][1] for reading in readings))
    wall, cpu = medians([whole(reading) for reading in readings])
    yield told(f"{photo.name}: all, wall ms", wall)
    name = f"{photo.name}: all, CPU ms"
    yield at_most(name, cpu, MAX_CPU_MS) if photo == PANEL else told(name, cpu)


def total(answer: dict[str, Any]) -> list[float]:
    """Wall and CPU ms of all stages, the median of the readings."""
    return medians([whole(reading) for reading in answer["read"]])


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
