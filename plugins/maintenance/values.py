"""Signals of a machine and what was found in them: plain frozen values.

A `Signal` is held in memory; a recording too long for that is a `Wave` that gives its samples in blocks. What is
found is a `Finding`, in both languages, with the figures it leans on and the ids (S1 …) of the signals that it was
seen in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agent.api import Said, Spectrum, Trend

__all__ = ["Analysis", "Array", "Episode", "Features", "Figure", "Finding", "Signal", "Tone", "Wave"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Signal:
    """Values over time as they were read: unsorted, doubled and not finite ones included."""

    name: str
    unit: str
    times: Array
    """Seconds since 1970 of the plant's wall clock; from 0 where a recording does not say when it was made."""
    values: Array
    """As many as times."""
    rate: float = 0.0
    """Samples a second of a uniform recording; 0 for readings at stamps of their own."""
    source: str = ""
    """Where it was read."""
    limit: float = 0.0
    """Full scale, where the recorder has one; values there are clipped."""
    skipped: int = 0
    """Rows that held no number or no time."""
    dated: bool = True
    """The times say when it was, not only what came after what."""


@dataclass(frozen=True, slots=True)
class Wave:
    """A uniform recording that is read block by block."""

    name: str
    unit: str
    rate: float
    """Samples a second."""
    count: int
    """Samples."""
    blocks: Callable[[int], Iterator[Array]]
    """Opens it anew and gives blocks of so many samples; the last may be shorter."""
    source: str = ""
    limit: float = 0.0
    """Full scale in `unit`; 0 where there is none."""
    start: float = 0.0
    """Seconds since 1970; 0 where it is not known."""
    skipped: int = 0
    """Bytes at the end that make no whole sample, or that the header promised and the file does not hold."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One computed number."""

    key: str
    """rms, peak, crest, kurtosis, skew, velocity_rms, mean, slope …"""
    value: float
    """Finite."""
    unit: str
    name: Said


@dataclass(frozen=True, slots=True)
class Tone:
    """A frequency that was looked for in a spectrum."""

    key: str
    """1x, 2x, bpfo, bpfi, bsf, ftf, mesh."""
    order: int
    """Harmonic, from 1."""
    expected_hz: float
    hz: float
    """Where the peak stands."""
    amplitude: float
    unit: str
    prominence: float
    """Times the median of its neighbourhood."""
    confidence: float
    """0 to 1: how surely noise alone would not have made it, over all that was looked at."""
    envelope: bool = False
    """Of the envelope spectrum."""


@dataclass(frozen=True, slots=True)
class Features:
    """What one signal measures."""

    signal: str
    """S1 …"""
    figures: tuple[Figure, ...] = ()
    tones: tuple[Tone, ...] = ()

    def value(self, key: str) -> float | None:
        """A figure by its key."""
        return next((figure.value for figure in self.figures if figure.key == key), None)


@dataclass(frozen=True, slots=True)
class Episode:
    """A span in which a series was not as it is otherwise."""

    kind: Literal["low", "high", "rough", "calm"]
    start: float
    """Seconds: when the departure began."""
    raised: float
    """When it was certain."""
    end: float
    """When it was deepest in sum; later the series went back."""
    strength: float
    """Times the threshold, at least 1."""
    extreme: float
    """The value farthest out (low, high), or the usual step between readings in that time (rough, calm)."""
    usual: float
    """What it is otherwise."""
    open: bool = False
    """It reaches to the last reading."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was found."""

    key: str
    """quality.gaps, vibration.high, bearing.outer, trend.rising, anomaly.low …: from general to special."""
    severity: int
    """0 worth knowing, 1 watch, 2 plan, 3 act now."""
    line: Said
    figures: Mapping[str, float] = field(default_factory=dict)
    """The numbers in the line, with their unit in the name."""
    evidence: tuple[str, ...] = ()
    """Ids of signals: S1 …"""
    source: str = ""
    """What a limit was taken from."""
    present: bool = True
    """False: it was looked for and is not there."""
    start: float | None = None
    end: float | None = None
    """Seconds, where it has a time of its own."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the signals of a machine say."""

    machine: str
    features: tuple[Features, ...] = ()
    findings: tuple[Finding, ...] = ()
    episodes: Mapping[str, tuple[Episode, ...]] = field(default_factory=dict)
    """By signal id."""
    trends: tuple[Trend, ...] = ()
    spectra: tuple[Spectrum, ...] = ()
    missing: tuple[Said, ...] = ()
    """What could not be looked at, and why."""
