"""Further files of signals and alarms, drawn for questions that people wrote: other steps, marks, units and columns.

Each has something that real exports have: decimal commas, cells without a value, hours that are missing, a unit in the
heading, alarms that never cleared, one that chatters, a flood.
"""

from __future__ import annotations

import csv
import math
import random
from datetime import datetime, timedelta
from pathlib import Path

__all__ = ["PLANTS", "draw_plants"]

PLANTS = (
    "kiln.csv",
    "chiller.csv",
    "press.csv",
    "meter.csv",
    "packing_alarms.csv",
    "substation_alarms.csv",
    "compressor.csv",
    "water_alarms.csv",
)


def draw_plants(folder: Path, seed: int = 29) -> list[Path]:
    """Write them; the same seed gives the same files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings = (_kiln, _chiller, _press, _meter, _packing, _substation, _compressor, _water)
    for name, drawing in zip(PLANTS, drawings, strict=True):
        heading, mark, rows = drawing(random.Random(f"{seed} {name}"))
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=mark).writerows([heading, *rows])
    return [folder / name for name in PLANTS]


Drawn = tuple[list[str], str, list[list[object]]]


def _kiln(chance: random.Random) -> Drawn:
    """Two minutes apart, European dates and commas, two gaps."""
    start, rows = datetime(2024, 4, 17, 0, 0), []
    for i in range(5 * 720):
        if 900 <= i < 990 or 2500 <= i < 2520:
            continue
        shell = 812 + 40 * math.sin(i / 260) + chance.gauss(0, 4) + (150 if 3000 <= i < 3030 else 0)
        draft, feed = -42 + 6 * math.sin(i / 90) + chance.gauss(0, 1), max(0.0, 118 + chance.gauss(0, 9))
        cells = (f"{value:.{digits}f}".replace(".", ",") for value, digits in ((shell, 1), (draft, 2), (feed, 2)))
        rows.append([f"{start + timedelta(minutes=2 * i):%d.%m.%Y %H:%M}", *cells])
    return ["Date/Time", "Kiln Shell Temp [°C]", "Draft Pressure [Pa]", "Feed Rate [t/h]"], ";", rows


def _chiller(chance: random.Random) -> Drawn:
    """A quarter of an hour apart, Chinese, cells without a value."""
    start, rows = datetime(2025, 6, 30, 0, 0), []
    for i in range(14 * 96):
        load = 0.5 + 0.4 * math.sin((i % 96 - 30) / 96 * 2 * math.pi) + chance.gauss(0, 0.05)
        supply, back = 7 + 0.6 * load + chance.gauss(0, 0.15), 11 + 2.5 * load + chance.gauss(0, 0.2)
        humid = f"{62 + 12 * math.cos(i / 60) + chance.gauss(0, 2):.1f}" if chance.random() > 0.02 else ""
        amps = f"{max(0.0, 40 + 95 * load + chance.gauss(0, 3)):.1f}"
        rows.append(
            [f"{start + timedelta(minutes=15 * i):%Y/%m/%d %H:%M}", f"{supply:.2f}", f"{back:.2f}", amps, humid]
        )
    return ["时间", "冷冻水出水温度(℃)", "冷冻水回水温度(℃)", "压缩机电流(A)", "室外湿度(%)"], ",", rows


def _press(chance: random.Random) -> Drawn:
    """A second apart, names run together, a column that marks a fault."""
    start, rows = datetime(2023, 11, 7, 13, 30), []
    for i in range(7200):
        fault = 4100 <= i < 4460
        bar = 150 + 55 * math.sin(i / 6) + chance.gauss(0, 2) + (48 if fault else 0)
        ram = 200 + 180 * math.sin(i / 6 + 0.5) + chance.gauss(0, 0.8)
        rows.append(
            [
                f"{start + timedelta(seconds=i):%Y-%m-%dT%H:%M:%S}",
                f"{bar:.2f}",
                f"{44 + i / 900 + chance.gauss(0, 0.3):.2f}",
                f"{ram:.1f}",
                int(fault),
            ]
        )
    return ["timestamp", "hydPressure_bar", "oilTemp_degC", "ramPosition_mm", "fault"], ",", rows


def _meter(chance: random.Random) -> Drawn:
    """One column, an hour apart, over two months of the calendar, a day missing."""
    start, rows = datetime(2024, 1, 12), []
    for i in range(45 * 24):
        if 480 <= i < 504:
            continue
        at = start + timedelta(hours=i)
        busy = at.weekday() < 5 and 6 <= at.hour < 20
        rows.append([f"{at:%m/%d/%Y %H:%M}", f"{(310 if busy else 85) + chance.gauss(0, 14):.1f}"])
    return ["ts", "energy_kwh"], ",", rows


def _packing(chance: random.Random) -> Drawn:
    """English; a flood, one that chatters, some that never cleared."""
    at, rows = datetime(2024, 9, 2, 5, 30), []
    texts = {
        "CBX-11": "Carton magazine empty",
        "CBX-12": "Glue temperature low",
        "PAL-03": "Layer pusher blocked",
        "WRP-07": "Film break",
        "CHK-02": "Checkweigher reject limit",
    }
    for i in range(520):
        at += timedelta(seconds=15 if 300 <= i < 340 else chance.randint(120, 2400))
        tag = chance.choices(list(texts), (9, 3, 5, 4, 2))[0]
        over = "" if i % 97 == 50 else f"{at + timedelta(seconds=chance.randint(20, 5000)):%Y-%m-%d %H:%M:%S}"
        area = {"C": "Erecting", "P": "Palletising", "W": "Wrapping"}[tag[0]]
        prio = chance.choice(("Low", "Medium", "Medium", "High", "Critical"))
        rows.append([f"{at:%Y-%m-%d %H:%M:%S}", over, tag, texts[tag], prio, "Cleared" if over else "Active", area])
        if i in (120, 260):
            for k in range(7):
                hit = at + timedelta(seconds=6 * (k + 1))
                told, gone = f"{hit:%Y-%m-%d %H:%M:%S}", f"{hit + timedelta(seconds=2):%Y-%m-%d %H:%M:%S}"
                rows.append([told, gone, "CHK-02", texts["CHK-02"], "Low", "Cleared", "Erecting"])
            at += timedelta(minutes=1)
    return ["Occurred", "Cleared at", "Source tag", "Description", "Prio", "State", "Area"], ",", list(rows)


def _substation(chance: random.Random) -> Drawn:
    """Chinese; tags, levels, times of clearing."""
    at, rows = datetime(2025, 3, 3, 0, 10), []
    named = {
        "1#主变": ("油温高", "轻瓦斯动作", "冷却器故障"),
        "2#主变": ("油温高", "有载调压异常"),
        "10kV母线": ("接地告警", "电压越限"),
        "直流屏": ("绝缘下降", "充电机故障"),
    }
    for _ in range(260):
        at += timedelta(seconds=chance.randint(400, 14_000))
        tag = chance.choices(list(named), (5, 2, 4, 3))[0]
        text, over = chance.choice(named[tag]), at + timedelta(seconds=chance.randint(30, 9000))
        level = chance.choices(("一般", "重要", "紧急"), (6, 3, 1))[0]
        area = "主控楼" if tag in ("直流屏", "10kV母线") else "主变区"
        rows.append([f"{at:%Y-%m-%d %H:%M:%S}", f"{over:%Y-%m-%d %H:%M:%S}", tag, text, level, area])
    return ["报警时间", "恢复时间", "设备", "报警内容", "级别", "区域"], ",", rows


def _compressor(chance: random.Random) -> Drawn:
    """A minute apart, a weekend; two of the columns differ by a letter, and one vibrates more and more."""
    start, rows = datetime(2024, 10, 5, 0, 0), []
    for i in range(3 * 1440):
        shake = 2.6 + i / 2600 + 0.5 * math.sin(i / 200) + chance.gauss(0, 0.12)
        hot = 88 + 7 * math.sin(i / 230) + 1.5 * shake + chance.gauss(0, 0.6)
        oil = 78 - (i % 2900) / 62 + chance.gauss(0, 0.3)
        other = 1.9 + 0.3 * math.sin(i / 310) + chance.gauss(0, 0.08)
        rows.append([f"{start + timedelta(minutes=i)}", f"{hot:.1f}", f"{shake:.3f}", f"{other:.3f}", f"{oil:.2f}"])
    headings = ["Discharge Temp (degC)", "DE Vibration (mm/s)", "NDE Vibration (mm/s)", "Oil Level (%)"]
    return ["Time", *headings], ",", rows


def _water(chance: random.Random) -> Drawn:
    """Chinese, of a water works; tags with numbers, three plants."""
    at, rows = datetime(2024, 6, 8, 1, 20), []
    named = {
        "LT-301": ("清水池液位低", "清水池"),
        "AT-310": ("浊度高", "滤池"),
        "P-302A": ("送水泵跳闸", "清水池"),
        "AT-311": ("余氯低", "加药间"),
        "FV-309": ("加药阀故障", "加药间"),
    }
    for _ in range(310):
        at += timedelta(seconds=chance.randint(60, 4200))
        tag = chance.choices(list(named), (7, 5, 2, 4, 3))[0]
        over = at + timedelta(seconds=chance.randint(25, 7200))
        level = chance.choices(("紧急", "高", "低"), (1, 4, 5))[0]
        rows.append([f"{at}", f"{over}", tag, named[tag][0], level, named[tag][1]])
    return ["发生时间", "恢复时间", "位号", "描述", "优先级", "装置"], ",", rows
