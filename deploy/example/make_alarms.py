"""Writes alarms.csv: 90 days of alarm history of the example station, ending when the picture of its panel was taken.

An example, not field data. Seeded: the same file every time. Run it in this folder: `python make_alarms.py`.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

END = datetime(2024, 12, 15, 20, 49)
DAYS = 90
QUIET_DAYS = 4
"""Drive faults of these last days are written out below; the seed does not add to them."""
HEADINGS = ("时间", "位号", "报警内容", "级别", "状态", "区域", "恢复时间")


@dataclass(frozen=True)
class Kind:
    """An alarm that the station can raise."""

    tags: tuple[str, ...]
    text: str
    priority: str
    area: str
    every_days: float
    """Mean time between two of them."""
    minutes: tuple[int, int]
    """Shortest and longest until it clears."""


KINDS = (
    Kind(("VFD-P1", "VFD-P1", "VFD-P2"), "循环变频故障", "高", "循环泵间", 6.0, (4, 45)),
    Kind(("VFD-M1", "VFD-M2"), "补水变频故障", "高", "补水间", 8.0, (5, 60)),
    Kind(("LT-301",), "水箱液位低", "中", "水箱间", 2.5, (10, 90)),
    Kind(("LT-301",), "水箱液位高", "低", "水箱间", 7.0, (5, 40)),
    Kind(("LT-302",), "集水坑液位高", "中", "集水坑", 3.0, (8, 120)),
    Kind(("TT-101",), "供水温度高", "高", "1线换热器", 4.0, (3, 35)),
    Kind(("PT-101",), "回水压力高", "中", "1线换热器", 5.0, (3, 30)),
    Kind(("PT-201",), "供水压力高", "中", "2线换热器", 6.0, (3, 30)),
    Kind(("VFD-P1", "VFD-P2"), "变频器通讯中断", "低", "循环泵间", 5.0, (1, 6)),
    Kind(("DI-401",), "电源失电", "紧急", "配电间", 30.0, (1, 12)),
)
DRIVES = frozenset({"循环变频故障", "补水变频故障"})

LAST_DAYS = (
    ("2024-12-12 09:26", "VFD-M1", "补水变频故障", "高", "已恢复", "补水间", 22),
    ("2024-12-13 16:05", "VFD-P2", "循环变频故障", "高", "已恢复", "循环泵间", 6),
    ("2024-12-14 03:12", "VFD-P1", "循环变频故障", "高", "已恢复", "循环泵间", 18),
    ("2024-12-14 22:47", "VFD-M2", "补水变频故障", "高", "已恢复", "补水间", 9),
    ("2024-12-15 19:20", "LT-302", "集水坑液位高", "中", "已确认", "集水坑", None),
    ("2024-12-15 20:33", "PT-101", "回水压力高", "中", "已确认", "1线换热器", None),
    ("2024-12-15 20:38", "PT-201", "供水压力高", "中", "已确认", "2线换热器", None),
    ("2024-12-15 20:41", "VFD-P1", "循环变频故障", "高", "未确认", "循环泵间", None),
    ("2024-12-15 20:46", "TT-101", "供水温度高", "高", "未确认", "1线换热器", None),
)
"""What fits the picture: two alarms not yet acknowledged, three acknowledged that still stand."""
STANDING_SINCE = datetime(2024, 12, 15, 12, 0)

FLOODS = (datetime(2024, 10, 21, 2, 14), datetime(2024, 11, 27, 5, 38))
"""A power failure takes everything with it: more than ten alarms in ten minutes."""

Row = tuple[str, str, str, str, str, str, str]


def main() -> None:
    """Write the file."""
    dice = random.Random(20241215)
    rows = [row for kind in KINDS for row in history(kind, dice)]
    rows += [row for start in FLOODS for row in flood(start, dice)]
    rows += [make_row(datetime.fromisoformat(time), *rest) for time, *rest in LAST_DAYS]
    with Path(__file__).with_name("alarms.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADINGS)
        writer.writerows(sorted(set(rows)))


def history(kind: Kind, dice: random.Random) -> list[Row]:
    """One kind's alarms at random times, denser in the cold of December."""
    rows = []
    time = END - timedelta(days=DAYS) + timedelta(minutes=dice.randint(0, 1440))
    stop = END - timedelta(days=QUIET_DAYS) if kind.text in DRIVES else STANDING_SINCE
    while time < stop:
        tag = dice.choice(kind.tags)
        rows.append(make_row(time, tag, kind.text, kind.priority, "已恢复", kind.area, dice.randint(*kind.minutes)))
        if dice.random() < 0.12:  # it often comes back within the hour
            again = time + timedelta(minutes=dice.randint(kind.minutes[1], kind.minutes[1] + 40))
            if again < stop:
                rows.append(
                    make_row(again, tag, kind.text, kind.priority, "已恢复", kind.area, dice.randint(*kind.minutes))
                )
        cold = 0.7 if time.month == 12 else 1.0
        time += timedelta(minutes=max(30, round(dice.expovariate(1.0) * kind.every_days * cold * 1440)))
    return rows


def flood(start: datetime, dice: random.Random) -> list[Row]:
    """Everything that a power failure raises within a few minutes."""
    rows = []
    for kind in KINDS:
        for tag in sorted(set(kind.tags)):
            time = start + timedelta(minutes=0 if kind.text == "电源失电" else dice.randint(1, 7))
            rows.append(make_row(time, tag, kind.text, kind.priority, "已恢复", kind.area, dice.randint(12, 50)))
    return rows


def make_row(time: datetime, tag: str, text: str, priority: str, state: str, area: str, minutes: int | None) -> Row:
    """One line of the file."""
    cleared = f"{time + timedelta(minutes=minutes):%Y-%m-%d %H:%M}" if minutes is not None else ""
    return (f"{time:%Y-%m-%d %H:%M}", tag, text, priority, state, area, cleared)


if __name__ == "__main__":
    main()
