"""Series that one plugin reads and another looks at: values of a tag over time, wherever they are stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

__all__ = ["Series", "SeriesReader"]


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one tag."""

    name: str
    unit: str
    at: NDArray[np.float64]
    """Seconds since 1970 of the plant's wall clock, in order; stamps may stand twice."""
    values: NDArray[np.float64]
    """As many; finite."""
    source: str = ""
    """Where they were read, without a password."""
    total: int = 0
    """How many there are in the span; more than `values` where only the latest were read."""


SeriesReader = Callable[[Sequence[str], datetime, datetime], tuple[Series, ...]]
"""(tags, start, end) → one series for each tag that has values then; raises DatabaseError where none can be read."""
