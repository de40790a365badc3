"""How likely a number that was read is right: a logistic model of a handful of features, and its reliability.

The coefficients were fitted by `python -m tests.bench.calibrate_panels` on drawn numbers (fonts, sizes, colours, blur,
noise, JPEG) and checked on others; anybody can fit them again. The reader's own score alone is of little use: it is
near 1 also where a sign or a point was lost.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["COEFFICIENTS", "Features", "ReliabilityBin", "confidence", "reliability", "terms"]

EDGES = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0)
"""Of the bins of a reliability table."""
COEFFICIENTS: tuple[float, ...] = (
    1.098, 0.513, 1.285, 0.387, 0.335, -1.638, -2.968, 0.789,
    -0.426, -1.277, -1.896, -0.451, -2.493, -0.107, -1.419, 1.092,
)  # fmt: skip
"""One for each of `terms`."""


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of a number when its confidence is asked for."""

    score: float
    """The reader's own, 0 to 1."""
    second: bool | None
    """A second look shows the same; None where none was taken, because the ink left no doubt."""
    second_score: float
    third: bool | None
    supported: bool
    """The ink shows exactly the sign, points and digits that were read."""
    contradicted: bool
    """The ink shows a sign or a point that was not read."""
    lead: float
    """How wide a flat piece of ink stands left of a number that was read without sign, in heights of a digit."""
    stretch: float
    """By how much the digits of a number without point stand further apart at one place than elsewhere."""
    hidden: bool
    """No point was read, and digits touch: one could hide between them."""
    bare: bool
    """No point was read between two digits or more."""
    digit_px: float
    """Height of its digits in pixels."""
    characters: int
    """Of the number, with sign and point."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One line of a reliability table."""

    low: float
    high: float
    count: int
    said: float
    """Mean confidence."""
    right: float
    """Share that was right."""


def terms(features: Features) -> tuple[float, ...]:
    """What the coefficients stand for, in order."""
    doubt = -math.log(1.002 - min(max(features.score, 0.0), 1.0))
    small = max(0.0, 12.0 - features.digit_px) / 12.0
    return (
        1.0,
        doubt,
        float(features.second is None),
        float(features.second is False),
        features.second_score if features.second else 0.0,
        float(features.third is True),
        float(features.third is False),
        float(features.supported),
        float(features.contradicted),
        min(features.lead, 0.5) * 2.0,
        min(features.stretch, 0.8),
        float(features.hidden),
        small * float(features.bare),
        small * float(features.hidden),
        small,
        min(features.characters, 10) / 10.0,
    )


def confidence(features: Features) -> float:
    """How likely the number is right, from 0 to 1."""
    logit = sum(c * term for c, term in zip(COEFFICIENTS, terms(features), strict=True))
    return 1.0 / (1.0 + math.exp(-min(max(logit, -30.0), 30.0)))


def reliability(rows: Sequence[tuple[float, bool]]) -> tuple[ReliabilityBin, ...]:
    """How often what was said with a confidence was right.

    :param rows: confidence and whether it was right.
    :returns: bins that hold anything, from the least confidence.
    """
    table = []
    for low, high in itertools.pairwise(EDGES):
        inside = [(said, right) for said, right in rows if low <= said < high or (said >= high == 1.0)]
        if inside:
            count = len(inside)
            said, right = sum(said for said, _ in inside) / count, sum(right for _, right in inside) / count
            table.append(ReliabilityBin(low, high, count, said, right))
    return tuple(table)
