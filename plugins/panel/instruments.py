"""Instruments: dials, bars, sliders, displays and counters. What finders of them return."""

from __future__ import annotations

from dataclasses import dataclass

from agent.api import Box, Reading

__all__ = ["Instrument"]


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument and its reading."""

    reading: Reading
    """With value None and the flag `no-value` where it abstains; `why` says what was missing."""
    area: Box
    """All that belongs to it."""
    sources: frozenset[int] = frozenset()
    """Indices of texts that belong to it (numbers of its scale, its unit, digits of its display), so that nothing else
    pairs them.
    """
