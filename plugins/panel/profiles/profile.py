"""What is known about one panel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.api import Box, InputError

__all__ = ["Field", "KnownLamp", "Profile", "ProfileError"]


class ProfileError(InputError):
    """A profile is missing, damaged or cannot be learnt."""


@dataclass(frozen=True, slots=True)
class Field:
    """One value of the panel."""

    label: str
    unit: str
    kind: str
    """As in `Reading.kind`."""
    box: Box
    """Of the value in the reference photo, with room for a longer one."""
    decimals: int | None = None
    """Digits behind the point, which a display never changes; None for a state or where it is not known."""
    low: float | None = None
    high: float | None = None
    """What the value can be at all; outside, the reading is doubted. A person may set them in the file."""


@dataclass(frozen=True, slots=True)
class KnownLamp:
    """One lamp of the panel."""

    label: str
    box: Box
    color: str
    """When it was learnt."""
    state: str


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A panel."""

    name: str
    fields: tuple[Field, ...]
    lamps: tuple[KnownLamp, ...]
    anchors: tuple[Box, ...]
    """Texts that stand there always: by them a later photo is known to show the same panel in the same place."""
    reference: NDArray[np.uint8]
    """The photo it was learnt from: height × width, grey."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the reference."""
        return self.reference.shape[1], self.reference.shape[0]
