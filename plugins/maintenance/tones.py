"""Frequencies that a machine's data sheet predicts, looked for in spectra, each with the chance that noise made it.

Kinematics as in any text on rolling bearings (for example Randall and Antoni, Mechanical Systems and Signal
Processing 25, 2011): with z elements of diameter d on a pitch circle D at contact angle φ and a shaft at f, inner
ring turning,

    FTF = f/2 (1 - d/D cos φ)    BPFO = z FTF    BPFI = z f/2 (1 + d/D cos φ)    BSF = D/2d f (1 - (d/D cos φ)²)

An averaged power of pure noise is a chi-square; its tail gives the chance that one bin of noise is so high, times all
that was looked at. A peak also has to stand out threefold: no floor is truly flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, lgamma, log, radians

import numpy as np

from plugins.maintenance.spectra import Averaged
from plugins.maintenance.values import Array, Tone

__all__ = ["Bearing", "bearing_hertz", "find_family"]

_OUT = 3.0
"""Power above the floor."""
_NEIGHBOURS = 40
"""Bins on each side that show the floor."""
_LOBE = 2
"""Bins that one sine fills on each side of its peak."""
_SURE = 1e-3


@dataclass(frozen=True, slots=True)
class Bearing:
    """Geometry of a rolling bearing, from its data sheet."""

    elements: int
    element_mm: float
    pitch_mm: float
    angle_degrees: float = 0.0


def bearing_hertz(bearing: Bearing, shaft_hertz: float) -> dict[str, float]:
    """ftf, bpfo, bpfi and bsf in hertz, for a turning inner ring."""
    ratio = bearing.element_mm / bearing.pitch_mm * cos(radians(bearing.angle_degrees))
    cage = shaft_hertz / 2 * (1 - ratio)
    return {
        "ftf": cage,
        "bpfo": bearing.elements * cage,
        "bpfi": bearing.elements * shaft_hertz / 2 * (1 + ratio),
        "bsf": shaft_hertz * (1 - ratio**2) / (2 * ratio),
    }


def find_family(
    spectrum: Averaged,
    key: str,
    hertz: float,
    *,
    harmonics: int,
    slip: float,
    unit: str,
    avoid: Sequence[float] = (),
    looks: int = 1,
) -> list[Tone]:
    """A frequency and its harmonics, those that are there; they share one deviation from what was expected.

    :param slip: how far, as a part, the frequency may be from what was computed.
    :param avoid: frequencies that explain a peak at hand: where one stands as near as the spectrum resolves, nothing is
        said.
    :param looks: spectra and families that are searched in all, for the chance.
    """
    step, last = spectrum.step, float(spectrum.hertz[-1])
    orders = [order for order in range(1, harmonics + 1) if order * hertz * (1 + slip) + 4 * step < last]
    if hertz < 3 * step or not orders:
        return []
    grid = np.arange(-slip, slip + 1e-12, step / (2 * hertz * max(orders))) if slip > 0 else np.zeros(1)
    best: list[Tone] = []
    worth = 0.0
    for deviation in grid[: 4 * len(spectrum.hertz)]:
        tones = []
        for order in orders:
            tone = _tone(spectrum, key, order, hertz * order, 1 + float(deviation), unit, looks * len(grid))
            if tone is not None and all(abs(tone.hz - other) > (_LOBE + 1) * step for other in avoid):
                tones.append(tone)
        score = sum(log(tone.prominence) for tone in tones)
        if score > worth:
            best, worth = tones, score
    return best


def _tone(
    spectrum: Averaged, key: str, order: int, expected: float, factor: float, unit: str, looks: int
) -> Tone | None:
    """The highest bin next to a frequency, where it is no noise."""
    middle = round(expected * factor / spectrum.step)
    low, high = max(1, middle - 1), min(len(spectrum.power) - 1, middle + 2)
    if low >= high:
        return None
    peak = low + int(spectrum.power[low:high].argmax())
    floor = _floor(spectrum, peak)
    if floor <= 0:
        return None
    out = float(spectrum.power[peak]) / floor
    if out < _OUT:
        return None
    chance = _chance(out, spectrum.blocks) * looks * (high - low)
    if chance > _SURE:
        return None
    lobe = spectrum.power[max(0, peak - _LOBE) : peak + _LOBE + 1]
    amplitude = float(2 * max(0.0, float(lobe.sum()) - floor * len(lobe))) ** 0.5
    envelope = spectrum.band[1] > 0
    hz = (peak + _between(spectrum.power, peak)) * spectrum.step
    return Tone(key, order, expected, hz, amplitude, unit, out, 1 - chance, envelope)


def _between(power: Array, peak: int) -> float:
    """Where between the bins a peak stands, -0.5 to 0.5, from a parabola through the logarithms."""
    if not 0 < peak < len(power) - 1 or power[peak - 1 : peak + 2].min() <= 0:
        return 0.0
    left, middle, right = (log(float(power[peak + side])) for side in (-1, 0, 1))
    bend = left - 2 * middle + right
    return min(0.5, max(-0.5, 0.5 * (left - right) / bend)) if bend < 0 else 0.0


def _floor(spectrum: Averaged, peak: int) -> float:
    """Mean power of the noise around a bin, from the median of its neighbours."""
    power = spectrum.power
    below = power[max(1, peak - _NEIGHBOURS) : max(1, peak - _LOBE)]
    above = power[peak + _LOBE + 1 : peak + _NEIGHBOURS + 1]
    around = np.concatenate((below, above))
    if len(around) < _NEIGHBOURS // 2:
        return 0.0
    return float(np.median(around)) / (1 - 1 / (9 * spectrum.blocks)) ** 3


def _chance(out: float, blocks: int) -> float:
    """That an average of so many exponential powers is so many times its mean: the tail of a gamma distribution."""
    x = out * blocks
    if out <= 1:
        return 1.0
    orders = np.arange(blocks)
    logs = orders * log(x) - x - np.array([lgamma(k + 1) for k in range(blocks)])
    most = float(logs.max())
    return min(1.0, float(np.exp(most) * np.exp(logs - most).sum()))
