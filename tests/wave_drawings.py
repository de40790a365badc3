"""Recordings of machines that are computed: good ones, and ones with a fault whose signs are known."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.settings import MaintenanceSettings
from plugins.maintenance.machines import Sheet
from plugins.maintenance.tones import Bearing, bearing_hertz

Array = NDArray[np.float64]
RATE = 20_000
BEARING = Bearing(9, 7.94, 39.04)
SETTINGS = MaintenanceSettings()


def sheet(rpm: float = 1480.0) -> Sheet:
    """The data sheet of the machine that is drawn."""
    return Sheet.model_validate(
        {
            "name": "P-101",
            "speed_rpm": rpm,
            "gear_teeth": 23,
            "zone_class": "medium-rigid",
            "bearing": {"elements": 9, "element_mm": 7.94, "pitch_mm": 39.04},
        }
    )


def shaking(kind: str, *, rpm: float = 1480.0, seconds: int = 12, seed: int = 0) -> Array:
    """Acceleration in m/s²; kind is good, imbalance, misalignment, looseness, outer, inner or gear."""
    draws = np.random.default_rng(seed)
    t = np.arange(RATE * seconds) / RATE
    shaft = rpm / 60
    values = 0.3 * draws.standard_normal(len(t)) + turning(t, shaft, 0.5) + turning(t, 2 * shaft, 0.1)
    if kind == "imbalance":
        values += turning(t, shaft, 4.0)
    elif kind == "misalignment":
        values += turning(t, 2 * shaft, 2.5)
    elif kind == "looseness":
        values += sum(turning(t, order * shaft, 1.0) for order in range(1, 9))
    elif kind in ("outer", "inner"):
        values += _knocks(kind, draws, t, shaft)
    elif kind == "gear":
        sides = 1 + 0.4 * np.cos(2 * np.pi * shaft * t) + 0.2 * np.cos(4 * np.pi * shaft * t)
        values += 2 * sides * np.sin(2 * np.pi * 23 * shaft * t)
    return values


def turning(t: Array, hertz: float, velocity: float) -> Array:
    """A sine whose velocity is so many mm/s r.m.s., as acceleration in m/s²."""
    return velocity * 1e-3 * 2**0.5 * 2 * np.pi * hertz * np.sin(2 * np.pi * hertz * t + hertz)


def write_wav(path: Path, values: Array, full_scale: float, *, width: int = 3, rate: int = RATE) -> Path:
    """A recording of one channel."""
    top = 2 ** (8 * width - 1)
    whole = np.clip(np.round(values / full_scale * top), -top, top - 1).astype("<i4")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(np.ascontiguousarray(whole.view(np.uint8).reshape(-1, 4)[:, :width]).tobytes())
    return path


def _knocks(kind: str, draws: np.random.Generator, t: Array, shaft: float) -> Array:
    """A resonance at 3.5 kHz that is struck at the race's frequency, with one per cent of slip and some jitter."""
    hertz = bearing_hertz(BEARING, shaft)["bpfo" if kind == "outer" else "bpfi"] * 0.99
    struck = np.arange(0, t[-1] * hertz) / hertz
    struck = struck + 0.005 / hertz * draws.standard_normal(len(struck))
    places = (struck * RATE).astype(int)
    places = places[(places >= 0) & (places < len(t))]
    blows = np.zeros(len(t))
    blows[places] = 1.0 if kind == "outer" else 1 + 0.8 * np.cos(2 * np.pi * shaft * places / RATE)
    ring = np.exp(-np.arange(200) / 30) * np.sin(2 * np.pi * 3_500 * np.arange(200) / RATE)
    return 2.0 * np.convolve(blows, ring)[: len(t)]
