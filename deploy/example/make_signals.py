"""Writes signals/: recordings and readings of the example plant's pumps, up to when the picture of its panel was taken.

An example, not field data. Pump 1 has a beginning damage of its outer race and runs warmer by the week; pump 2 is
sound. Seeded: the same files every time. Run it in this folder: `python make_signals.py`.
"""

from __future__ import annotations

import csv
import wave
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

END = datetime(2024, 12, 15, 20, 40)
DAYS = 60
STEP = timedelta(minutes=30)
RATE_HZ = 12_800
SECONDS = 8
FULL_SCALE = 50.0
SHAFT_HZ = 1_480 / 60
OUTER_RACE = 9 / 2 * (1 - 7.94 / 39.04)
"""Passes of a 6205's balls over the outer race in one turn of the shaft."""

Array = NDArray[np.float64]


def main() -> None:
    """Write all files."""
    folder = Path("signals")
    folder.mkdir(exist_ok=True)
    record(folder / "p1-drive-end.wav", shaking(seed=1, velocity=2.1, blows=1.6))
    record(folder / "p2-drive-end.wav", shaking(seed=2, velocity=0.9, blows=0.0))
    write_readings(folder / "p1-readings.csv")


def shaking(*, seed: int, velocity: float, blows: float) -> Array:
    """Acceleration in m/s² at the drive end.

    :param velocity: mm/s r.m.s. at running speed.
    :param blows: m/s² of a resonance that the race's damage strikes.
    """
    draws = np.random.default_rng(seed)
    t = np.arange(RATE_HZ * SECONDS) / RATE_HZ
    values = 0.25 * draws.standard_normal(len(t))
    for order, part in ((1, velocity), (2, 0.25 * velocity), (3, 0.1 * velocity)):
        turning = 2 * np.pi * SHAFT_HZ * order
        values += part * 1e-3 * 2**0.5 * turning * np.sin(turning * t + order)
    if blows:
        hertz = OUTER_RACE * SHAFT_HZ * 0.993
        struck = np.arange(1, SECONDS * hertz - 1) / hertz
        struck += 0.006 / hertz * draws.standard_normal(len(struck))
        train = np.zeros(len(t))
        train[(struck * RATE_HZ).astype(int)] = 1 + 0.2 * draws.standard_normal(len(struck))
        ring = np.arange(160) / RATE_HZ
        values += blows * np.convolve(train, np.exp(-900 * ring) * np.sin(2 * np.pi * 2_900 * ring))[: len(t)]
    return values


def record(path: Path, values: Array) -> None:
    """16 bits, one channel."""
    whole = np.clip(np.round(values / FULL_SCALE * 32_768), -32_768, 32_767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(whole.tobytes())


def write_readings(path: Path) -> None:
    """Bearing temperature and motor current: a day's rhythm, three warm weeks, one warm night, one pause."""
    draws = np.random.default_rng(3)
    count = int(timedelta(days=DAYS) / STEP)
    stamps = [END - STEP * (count - 1 - i) for i in range(count)]
    hours = np.array([s.hour + s.minute / 60 for s in stamps])
    wander = np.zeros(count)
    for i in range(1, count):
        wander[i] = 0.97 * wander[i - 1] + 0.25 * draws.standard_normal()
    age = np.arange(count) * (STEP / timedelta(days=1))
    warmer = np.maximum(0, age - (DAYS - 21)) * 0.35
    night = 9.0 * ((age > DAYS - 3.9) & (age < DAYS - 3.3))
    temperature = 52 + 1.8 * np.sin(2 * np.pi * (hours - 9) / 24) + wander + warmer + night
    current = 21.5 + 0.8 * np.sin(2 * np.pi * (hours - 8) / 24) + 0.4 * draws.standard_normal(count)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["时间", "P1 轴承温度 (°C)", "P1 电机电流 (A)"])
        for stamp, warm, amps in zip(stamps, temperature, current, strict=True):
            if not timedelta(days=20) < END - stamp < timedelta(days=20, hours=7):
                rows.writerow([f"{stamp:%Y-%m-%d %H:%M}", f"{warm:.1f}", f"{amps:.1f}"])


if __name__ == "__main__":
    main()
