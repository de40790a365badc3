"""Files of signals and alarms that we draw ourselves: other names, units, steps and languages than any sample has."""

from __future__ import annotations

import csv
import math
import random
from datetime import datetime, timedelta
from pathlib import Path

__all__ = ["DRAWN", "draw"]

DRAWN = ("mill.csv", "cooling.csv", "tank_level.csv", "line_alarms.csv", "boiler_alarms.csv")
_MINUTE = timedelta(minutes=1)


def draw(folder: Path, seed: int = 7) -> list[Path]:
    """Write them; the same seed gives the same files."""
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    _mill(folder / "mill.csv", chance)
    _cooling(folder / "cooling.csv", chance)
    _tank(folder / "tank_level.csv", chance)
    _line(folder / "line_alarms.csv", chance)
    _boiler(folder / "boiler_alarms.csv", chance)
    return [folder / name for name in DRAWN]


def _write(path: Path, rows: list[list[object]], mark: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=mark).writerows(rows)


def _mill(path: Path, chance: random.Random) -> None:
    """English headings, ten seconds apart, a column that marks two windows."""
    start = datetime(2023, 5, 4, 6, 0)
    rows: list[list[object]] = [["Time", "SpindleTorque", "BearingTempDE", "BearingTempNDE", "Motor Power", "label"]]
    for i in range(1800):
        bad = 600 <= i < 720 or 1500 <= i < 1530
        rows.append(
            [
                f"{start + timedelta(seconds=10 * i)}",
                round(42 + 6 * math.sin(i / 70) + chance.gauss(0, 1) + (9 if bad else 0), 3),
                round(61 + i / 300 + chance.gauss(0, 0.4), 2),
                round(57 + i / 400 + chance.gauss(0, 0.4), 2),
                round(18.5 + 2 * math.sin(i / 70) + chance.gauss(0, 0.2), 3),
                int(bad),
            ]
        )
    _write(path, rows)


def _cooling(path: Path, chance: random.Random) -> None:
    """Chinese headings, a minute apart, an hour missing."""
    start = datetime(2024, 8, 19, 22, 0)
    rows: list[list[object]] = [["时间", "冷却水流量", "出口压力", "进水温度", "电机转速"]]
    for i in range(2000):
        if 900 <= i < 960:
            continue
        flow = 120 + 15 * math.sin(i / 150) + chance.gauss(0, 2)
        pressure, water = 0.42 + chance.gauss(0, 0.01), 24 + 5 * math.sin(i / 230) + chance.gauss(0, 0.2)
        speed = 1480 + chance.gauss(0, 4)
        rows.append([f"{start + i * _MINUTE}", round(flow, 2), round(pressure, 4), round(water, 2), round(speed, 1)])
    _write(path, rows, ";")


def _tank(path: Path, chance: random.Random) -> None:
    """One signal, five minutes apart, out of order, some stamps twice."""
    start = datetime(2022, 2, 26, 0, 0)
    rows = [
        [f"{start + i * 5 * _MINUTE}", round(55 + 30 * math.sin(i / 90) + chance.gauss(0, 0.8), 2)] for i in range(1500)
    ]
    doubled = [[row[0], round(float(row[1]) + 0.37, 2)] for row in rows[200:207]]
    moved = rows[:800] + rows[1000:1200] + rows[800:1000] + rows[1200:] + doubled
    _write(path, [["stamp", "level"], *moved])


def _line(path: Path, chance: random.Random) -> None:
    """English, further columns, a burst that is a flood, times of clearing."""
    start = datetime(2024, 3, 11, 4, 0)
    tags = [f"{kind}-{n}" for kind in ("CV", "PK", "WR") for n in (101, 102, 103, 204)]
    texts = ("Jam at infeed", "Guard door open", "Drive overload", "Low air pressure")
    rows: list[list[object]] = [["Start time", "Tag", "Message", "Severity", "Line", "Operator", "End time"]]
    at = start
    for i in range(400):
        at += timedelta(seconds=20 if 200 <= i < 240 else chance.randint(200, 1500))
        lasted = timedelta(seconds=chance.randint(30, 5400))
        text = chance.choices(texts, (7, 4, 2, 3))[0]
        row = [f"{at}", chance.choice(tags), text, chance.choice(("1", "2", "3", "3"))]
        rows.append(
            [*row, chance.choice(("North", "South", "South", "Infeed")), chance.choice("ABBC"), f"{at + lasted}"]
        )
    _write(path, rows)


def _boiler(path: Path, chance: random.Random) -> None:
    """Chinese, states, no time of clearing."""
    at = datetime(2025, 1, 6, 0, 0)
    names = {"LS-11": "汽包液位低", "PT-07": "炉膛压力高", "TE-21": "排烟温度高", "FD-02": "引风机过载"}
    rows: list[list[object]] = [["发生时间", "位号", "报警内容", "级别", "状态", "车间", "班组"]]
    for _ in range(300):
        at += timedelta(seconds=chance.randint(600, 9000))
        tag = chance.choices(list(names), (5, 3, 2, 1))[0]
        row = [
            f"{at}",
            tag,
            names[tag],
            chance.choice(("高", "中", "低")),
            chance.choice(("未恢复", "已恢复", "已确认")),
        ]
        rows.append(
            [*row, chance.choice(("锅炉车间", "汽机车间", "锅炉车间")), chance.choice(("甲组", "乙组", "丙组"))]
        )
    _write(path, rows)
