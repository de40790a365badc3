"""A long recording in one pass: moments, an averaged spectrum, and spectra of the envelope in four octaves.

Blocks do not overlap, so that each averaged power is a chi-square of two degrees a block and the chance that noise
makes a peak can be computed. Welch (1967) with a Hann window for the spectrum. For the envelope the block's own
octave is shifted to zero and squared: an octave of the spectrum is a quarter, eighth … as long as the block, so is
its inverse transform. Velocity is not integrated in time, which drifts: acceleration power is divided by (2πf)²
between the edges that the settings give, which is the mean square of the velocity in that band."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from agent.settings import MaintenanceSettings
from plugins.maintenance.values import Array, Wave

__all__ = ["Averaged", "Measured", "measure", "to_millimetres"]

_LEAST_BLOCK = 1_024
_LEAST_BLOCKS = 6
_RESOLUTION_HZ = 0.4
_MOST_BLOCK = 1 << 17
_MOST = 1e60
"""A larger sample is none; its fourth power could not be added up."""
_OCTAVES = (32, 16, 8, 4)
"""An octave begins at the sampling rate over this."""
_ACCELERATION = {"g": 9_806.65, "m/s2": 1_000.0, "m/s²": 1_000.0, "m/s^2": 1_000.0, "mm/s2": 1.0, "mm/s²": 1.0}
_VELOCITY = {"mm/s": 1.0, "m/s": 1_000.0, "in/s": 25.4, "cm/s": 10.0}


@dataclass(frozen=True, slots=True)
class Averaged:
    """Power over frequency, averaged over blocks."""

    hertz: Array
    power: Array
    """Mean square per bin, in unit²; a sine's is spread over the three bins of the window."""
    blocks: int
    band: tuple[float, float] = (0.0, 0.0)
    """Octave in hertz that the envelope was taken of; zeros for the plain spectrum."""

    @property
    def step(self) -> float:
        """Hertz between bins."""
        return float(self.hertz[1] - self.hertz[0])

    def mean_square(self, low: float, high: float, exponent: int = 0) -> float:
        """Of what lies from `low` to `high` hertz, each bin divided by (2πf) to twice the exponent."""
        inside = (self.hertz >= low) & (self.hertz <= high) & (self.hertz > 0)
        return float((self.power[inside] / (2 * np.pi * self.hertz[inside]) ** (2 * exponent)).sum())


@dataclass(slots=True)
class Measured:
    """What one pass over a recording adds up."""

    rate: float
    count: int = 0
    not_finite: int = 0
    mean: float = 0.0
    rms: float = 0.0
    """About the mean."""
    peak: float = 0.0
    """The farthest from the mean."""
    kurtosis: float = 0.0
    """3 for Gaussian noise."""
    skew: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")
    at_limit: int = 0
    """Samples at full scale, or in flat runs at the extremes."""
    longest_run: int = 0
    """Of equal samples."""
    spectrum: Averaged | None = None
    envelopes: list[Averaged] = field(default_factory=list)


def measure(wave: Wave, settings: MaintenanceSettings) -> Measured:
    """Read it once.

    :raises OSError: the file went away.
    """
    size = _block(wave, settings)
    found = Measured(wave.rate)
    sums, shift, run = np.zeros(4), 0.0, _Flat(wave.limit)
    spectra = _Spectra(size, wave.rate)
    for block in wave.blocks(size):
        finite = np.abs(block) < _MOST  # neither is NaN
        kept = block if finite.all() else block[finite]
        found.not_finite += len(block) - len(kept)
        if not len(kept):
            continue
        if found.count == 0:
            shift = float(kept.mean())
        found.count += len(kept)
        found.low, found.high = min(found.low, float(kept.min())), max(found.high, float(kept.max()))
        centred = kept - shift
        squares = centred * centred
        sums += (centred.sum(), squares.sum(), (squares * centred).sum(), (squares * squares).sum())
        run.add(kept)
        if len(kept) == size:
            spectra.add(kept)
    if found.count:
        _moments(found, sums, shift)
    found.at_limit, found.longest_run = run.at_limit, run.longest
    spectra.into(found)
    return found


def to_millimetres(unit: str) -> tuple[float, int] | None:
    """Factor to mm/s² (with 1: integrate once) or to mm/s (0); None for a unit that is neither."""
    plain = unit.strip().lower().replace(" ", "")
    if plain in _ACCELERATION:
        return _ACCELERATION[plain], 1
    return (_VELOCITY[plain], 0) if plain in _VELOCITY else None


def _block(wave: Wave, settings: MaintenanceSettings) -> int:
    """A power of two that resolves 0.4 Hz where the recording is long enough for six such blocks."""
    size = _LEAST_BLOCK
    most = min(_MOST_BLOCK, settings.block_samples)
    while size * 2 <= most and wave.rate / size > _RESOLUTION_HZ and wave.count >= size * 2 * _LEAST_BLOCKS:
        size *= 2
    return size


def _moments(found: Measured, sums: Array, shift: float) -> None:
    first, second, third, fourth = (float(s) / found.count for s in sums)
    found.mean = shift + first
    variance = max(0.0, second - first**2)
    found.rms = variance**0.5
    found.peak = max(found.high - found.mean, found.mean - found.low)
    if variance > 1e-20 * max(1e-300, found.mean**2, found.high**2):
        cubes = third - 3 * first * second + 2 * first**3
        fourths = fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4
        found.skew, found.kurtosis = cubes / variance**1.5, fourths / variance**2
    else:
        found.rms = 0.0


class _Flat:
    """Samples that stand still, at the extremes or anywhere."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._last: float | None = None
        self._run = 0
        self.longest = 0
        self.at_limit = 0

    def add(self, block: Array) -> None:
        if self._limit > 0:
            self.at_limit += int((np.abs(block) >= self._limit * (1 - 1e-9)).sum())
        edges = np.flatnonzero(np.diff(block) != 0) + 1
        first = int(edges[0]) if len(edges) else len(block)
        carried = self._run if self._last is not None and block[0] == self._last else 0
        last = len(block) - int(edges[-1]) if len(edges) else first + carried
        inner = int(np.diff(edges).max()) if len(edges) > 1 else 0
        self.longest = max(self.longest, first + carried, inner, last)
        self._run, self._last = last, float(block[-1])


class _Spectra:
    """Sums of powers."""

    def __init__(self, size: int, rate: float) -> None:
        self._size, self._rate = size, rate
        self._window = np.hanning(size + 1)[:-1]
        self._plain = np.zeros(size // 2 + 1)
        self._octaves = [np.zeros(size // part // 2 + 1) for part in _OCTAVES]
        self._blocks = 0

    def add(self, block: Array) -> None:
        centred = block - block.mean()
        transformed = np.fft.rfft(centred * self._window)
        self._plain += transformed.real**2 + transformed.imag**2
        flat = np.fft.rfft(centred)
        for sums, part in zip(self._octaves, _OCTAVES, strict=True):
            bins = self._size // part
            octave = np.fft.ifft(flat[bins : 2 * bins]) * (2 * bins / self._size)
            squared = octave.real**2 + octave.imag**2
            envelope = np.fft.rfft((squared - squared.mean()) * np.hanning(bins + 1)[:-1])
            sums += envelope.real**2 + envelope.imag**2
        self._blocks += 1

    def into(self, found: Measured) -> None:
        if self._blocks == 0:
            return
        energy = float((self._window**2).sum())
        power = self._plain * (2 / (self._size * energy * self._blocks))
        hertz: Array = np.arange(len(power), dtype=np.float64) * (self._rate / self._size)
        found.spectrum = Averaged(hertz, power, self._blocks)
        for sums, part in zip(self._octaves, _OCTAVES, strict=True):
            bins = self._size // part
            scale = 2 / (bins * float((np.hanning(bins + 1)[:-1] ** 2).sum()) * self._blocks)
            band = (self._rate / part, 2 * self._rate / part)
            found.envelopes.append(Averaged(hertz[: len(sums)], sums * scale, self._blocks, band))
