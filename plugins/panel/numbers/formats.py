"""Does a number fit its unit, its neighbours, and what is known of its tag?

A value that a lost point made ten times as large has no decimals where its neighbours have some; one that lost its
sign is what it was before, mirrored; and no temperature is below absolute zero. Each of these is a reason to look,
none to change a value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from agent.api import Reading
from plugins.panel.geometry import centre, height

__all__ = ["format_doubts"]

_LEAST_ALIKE = 3
"""Neighbours that must agree on their decimals before one that differs is doubted."""
_ABSOLUTE_ZERO = {"°c": -273.15, "℃": -273.15, "摄氏度": -273.15, "°f": -459.67, "℉": -459.67, "k": 0.0, "°k": 0.0}
_NEVER_NEGATIVE_UNITS = """
hz khz mhz rpm r/min rev/min 转/分 转/分钟 赫兹 ppm ppb lux lx %rh rh% %lel %vol mg/l mg/m³ mg/m3 μg/m³ ug/m3 ntu
μs/cm us/cm ms/cm ω kω mω pcs pcs/h bpm kg/m³ kg/m3 g/cm³ g/cm3 次 个 台 件 人
"""
_NEVER_NEGATIVE = frozenset(_NEVER_NEGATIVE_UNITS.split())


def format_doubts(
    readings: Sequence[Reading], *, last: Mapping[str, float], limits: Mapping[str, tuple[float, float]]
) -> list[tuple[str, ...]]:
    """Flags for each reading, in order: bad-format, out-of-range, disagrees.

    :param last: label → the last known value of that tag.
    :param limits: label → lowest and highest value of that tag.
    """
    odd = _odd_decimals(readings)
    found = []
    for index, reading in enumerate(readings):
        number = reading.number
        flags = ["bad-format"] if index in odd else []
        if number is not None:
            lowest, highest = limits.get(reading.label, (-math.inf, math.inf))
            if not lowest <= number <= highest or not _is_possible(number, reading.unit):
                flags.append("out-of-range")
            if reading.label in last and _is_slip(number, last[reading.label]):
                flags.append("disagrees")
        found.append(tuple(flags))
    return found


def _is_possible(number: float, unit: str) -> bool:
    """Within what physics, or the meaning of the unit, allows."""
    name = unit.strip().lower()
    if name == "%":
        return -5.0 <= number <= 200.0
    if name == "ph":
        return 0.0 <= number <= 14.0
    if name in _ABSOLUTE_ZERO:
        return number >= _ABSOLUTE_ZERO[name]
    return number >= 0.0 or name not in _NEVER_NEGATIVE


def _is_slip(number: float, last: float) -> bool:
    """The last value with another sign, or about ten, a hundred or a thousand times it: a sign or a point was lost."""
    if not number or not last:
        return False
    ratio = number / last
    if ratio < 0:
        return -1.3 < ratio < -0.77 and abs(number) > 1.0
    power = math.log10(ratio)
    return abs(power) > 0.8 and abs(power - round(power)) < 0.1


def _odd_decimals(readings: Sequence[Reading]) -> frozenset[int]:
    """Readings without decimals, much larger than their column whose other values all have the same decimals."""
    numbers = {i: number for i, r in enumerate(readings) if (number := r.number) is not None}
    odd = set()
    for index, number in numbers.items():
        if _decimals(readings[index]) or abs(number) < 10:
            continue
        alike = [i for i in numbers if i != index and _same_column(readings[index], readings[i])]
        if len(alike) < _LEAST_ALIKE:
            continue
        decimals, count = Counter(_decimals(readings[i]) for i in alike).most_common(1)[0]
        sizes = [abs(numbers[i]) for i in alike]
        large = abs(number) >= 5 * float(np.median(sizes)) and abs(number) > 1.5 * max(sizes)
        if decimals and count == len(alike) and large:
            odd.add(index)
    return frozenset(odd)


def _decimals(reading: Reading) -> int:
    value = reading.value or ""
    cut = max(value.rfind("."), value.rfind(","))
    return len(value) - cut - 1 if cut >= 0 else 0


def _same_column(a: Reading, b: Reading) -> bool:
    """One beneath the other, alike in size and unit."""
    if a.unit != b.unit or a.kind != b.kind:
        return False
    tall = min(height(a.box), height(b.box))
    edges = (abs(a.box[0] - b.box[0]), abs(a.box[2] - b.box[2]), abs(centre(a.box)[0] - centre(b.box)[0]))
    return min(edges) <= 0.7 * tall and max(height(a.box), height(b.box)) <= 1.5 * tall
