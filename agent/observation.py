"""What a watch saw at one moment, and what had changed since the moment before.

A watch looks at a panel again and again (`watchkeeper watch`); whoever keeps histories or tells people is told by the
hook `observed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent.perception import Perception

__all__ = ["Observation", "SeenEvent"]


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """Something that happened on a panel between two looks."""

    tag: str
    """The label of the reading or lamp, or the tag of the alarm."""
    text: str
    """What happened, in the panel's own words where it has some."""
    kind: str
    """alarm | lamp | range | panel"""
    state: str
    """active | cleared | changed"""
    priority: str = ""
    time: str = ""
    """As printed on the panel; empty where none is."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One look of a watch."""

    at: datetime
    """The plant's clock, with offset."""
    source: str
    """What is watched: the name of the profile, else of the source."""
    seen: Perception
    events: tuple[SeenEvent, ...]
    """Since the look before; at the first look, what stands at that moment."""
