"""Series that are drawn: ordinary ones of several tempers, and the same with one departure of a known kind put in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["DEPARTURES", "TEMPERS", "Drawn", "draw", "normal"]

Array = NDArray[np.float64]
STEP = 300.0
DAYS = 60
TEMPERS = ("wander", "jitter", "daily", "weekly", "heavy", "duty", "drift", "coarse", "gappy")
DEPARTURES = ("up", "down", "ramp", "dropout", "flutter", "still", "offbeat")


@dataclass(frozen=True)
class Drawn:
    """A series and where its departure lies."""

    temper: str
    departure: str
    """Empty: there is none."""
    times: Array
    values: Array
    window: tuple[float, float]


def normal(temper: str, seed: int) -> Drawn:
    """An ordinary series."""
    draws = np.random.default_rng((seed, TEMPERS.index(temper)))
    count = int(DAYS * 86_400 / STEP)
    times = 1.7e9 + np.arange(count) * STEP
    tau = float(draws.uniform(6, 120))
    values = _wander(draws, count, tau)
    hour = times % 86_400 / 3_600
    if temper == "jitter":
        values = draws.standard_normal(count)
    elif temper == "daily":
        values += 3 * np.sin(2 * np.pi * (hour - draws.uniform(0, 24)) / 24)
    elif temper == "weekly":
        values += 3 * ((times // 86_400) % 7 < 5) * ((hour > 7) & (hour < 18))
    elif temper == "heavy":
        values = np.sign(values) * np.abs(values) ** 1.5
    elif temper == "duty":
        values = 5 * (_wander(draws, count, tau) > 0.3) + 0.3 * draws.standard_normal(count)
    elif temper == "drift":
        values += 4 * np.sin(2 * np.pi * np.arange(count) / count * draws.uniform(0.2, 0.5))
    elif temper == "coarse":
        values = np.round(values / 2) * 2
    elif temper == "gappy":
        kept = np.ones(count, bool)
        for start in draws.integers(0, count, 6):
            kept[start : start + int(draws.integers(20, 600))] = False
        times, values = times[kept], values[kept]
    return Drawn(temper, "", times, 50 + float(draws.uniform(0.1, 10)) * values, (0.0, 0.0))


def draw(temper: str, departure: str, seed: int) -> Drawn:
    """The same with a departure of one to three days; its size goes by the spread of the series."""
    base = normal(temper, seed)
    draws = np.random.default_rng((seed, 99, DEPARTURES.index(departure)))
    times, values = base.times, base.values.copy()
    start = times[0] + draws.uniform(0.3, 0.9) * (times[-1] - times[0])
    end = start + draws.uniform(1, 3) * 86_400
    inside = (times >= start) & (times <= end)
    spread = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    spread = spread or float(values.std())
    along = (times[inside] - start) / (end - start)
    size = draws.uniform(5, 8) * spread
    if departure == "up":
        values[inside] += size
    elif departure == "down":
        values[inside] -= size
    elif departure == "ramp":
        values[inside] += 2 * size * along
    elif departure == "dropout":
        values[inside] = float(values.min()) - size
    elif departure == "flutter":
        usual = float(np.median(np.abs(np.diff(values)))) or spread
        values[inside] += 8 * usual * draws.standard_normal(int(inside.sum()))
    elif departure == "still":
        values[inside] = values[inside][0] if inside.any() else 0.0
    elif departure == "offbeat":
        values[inside] = values[inside][::-1] + size * np.sign(np.sin(along * 12 * np.pi))
    return Drawn(temper, departure, times, values, (float(start), float(end)))


def all_normal(seeds: int) -> Iterator[Drawn]:
    """So many of each temper."""
    return (normal(temper, seed) for temper in TEMPERS for seed in range(seeds))


def _wander(draws: np.random.Generator, count: int, tau: float) -> Array:
    """An Ornstein-Uhlenbeck process of unit spread with a memory of so many steps."""
    keep = np.exp(-1 / tau)
    kicks = draws.standard_normal(count) * np.sqrt(1 - keep**2)
    values = np.empty(count)
    level = float(draws.standard_normal())
    for i, kick in enumerate(kicks.tolist()):
        level = keep * level + kick
        values[i] = level
    return values
