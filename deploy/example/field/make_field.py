"""Writes the weather station's and the cold store's files of the example: seeded, so that they are always the same.

Computed, not measured; see SOURCES.md. Run it in this folder: `python make_field.py`.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
END = datetime(2024, 12, 15, 20, 0)
DAYS = 10
SHOWERS = {66: 1.2, 65: 2.6, 64: 3.1, 63: 1.4, 62: 0.4, 40: 0.6, 39: 1.1, 38: 0.3}
"""Hours before the end → millimetres of rain."""


def weather() -> Iterable[Sequence[object]]:
    """One row an hour."""
    chance = random.Random(20241215)
    for back in range(24 * DAYS, -1, -1):
        at = END - timedelta(hours=back)
        day = math.sin(2 * math.pi * (at.hour - 9) / 24)
        air = 11.5 + 4.5 * day + chance.uniform(-0.5, 0.5)
        wind = max(0.2, 1.9 + 0.9 * day + chance.uniform(-0.5, 0.5))
        humid = min(98.0, 74 - 14 * day + chance.uniform(-3, 3))
        yield (
            at.strftime("%Y-%m-%d %H:%M"),
            f"{SHOWERS.get(back, 0.0):.1f}",
            f"{wind:.1f}",
            f"{air:.1f}",
            f"{humid:.0f}",
        )


def cold_store() -> Iterable[Sequence[object]]:
    """One row in ten minutes; once the door stood open."""
    chance = random.Random(2024)
    for back in range(6 * 48, -1, -1):
        at = END + timedelta(minutes=50) - timedelta(minutes=10 * back)
        warm = 4.9 * math.exp(-(((back - 60) / 4) ** 2))
        yield at.strftime("%Y-%m-%d %H:%M"), f"{4.6 + warm + chance.uniform(-0.4, 0.4):.1f}"


def write(name: str, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A CSV file beside this one."""
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(heading)
        writer.writerows(rows)


if __name__ == "__main__":
    write("weather.csv", ("时间", "降雨量 (mm)", "风速 (m/s)", "气温 (°C)", "相对湿度 (%)"), weather())
    write("cold-store.csv", ("时间", "库温 (°C)"), cold_store())
