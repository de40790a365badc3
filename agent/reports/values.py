"""What plugins hand over for a report: machines, and what was seen of one of them. Plain frozen values.

A plugin gives raw material with ids that can be looked up again (an event's row, a signal's name); figures are computed
from it in `agent.reports`, in one place, so that two plugins cannot count differently. Whatever a plugin could not look
at it says in `missing`, and the report says it too. Untrusted: texts come from logs, files and devices.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from agent.values import Said

__all__ = ["AlarmEvent", "Evidence", "Level", "Machine", "Peak", "Sign", "Spectrum", "Trend"]


@dataclass(frozen=True, slots=True)
class Machine:
    """Something that reports are written about."""

    name: str
    """As it is asked for; unique on a box."""
    title: Said
    kind: str = ""
    """pump | fan | motor | heat exchanger | …; decides which causes of the table can be its own."""
    tags: tuple[str, ...] = ()
    """Of the log and of series; empty means the name is the tag."""
    consequence: int = 0
    """What a stop of it would mean, 1 (nobody notices) to 4 (people, environment, long outage); 0 is not said."""
    document: str = ""
    """Part of the title of its manual, where it has one of its own."""


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """One alarm or event of the log."""

    id: str
    """As an answer cites it: E17."""
    at: datetime
    """Wall clock of the plant, without offset."""
    tag: str
    text: str
    priority: str = ""
    lasted_seconds: float | None = None
    """Until it cleared; None while it stands or where the log does not say."""
    standing: bool = False
    """It had not cleared at the end of the period."""


@dataclass(frozen=True, slots=True)
class Level:
    """A line that a value is held against: a limit of the manual, an edge between two zones."""

    value: float
    name: Said
    side: str = "high"
    """high: trouble is above it; low: below."""
    source: str = ""
    """A citation, for example `M1 §3.2`."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A value over time."""

    id: str
    """S1, S2 …: unique within a report."""
    name: str
    unit: str
    at: NDArray[np.float64]
    """Seconds since 1970 of the plant's wall clock, in order."""
    values: NDArray[np.float64]
    """As many; finite."""
    levels: tuple[Level, ...] = ()
    quantity: str = ""
    """vibration | temperature | pressure | flow | current | level …; empty takes it from the unit."""


@dataclass(frozen=True, slots=True)
class Peak:
    """A frequency that means something."""

    hertz: float
    amplitude: float
    name: Said


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Amplitudes over frequency."""

    id: str
    name: str
    unit: str
    hertz: NDArray[np.float64]
    amplitudes: NDArray[np.float64]
    peaks: tuple[Peak, ...] = ()


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that was found out about the machine."""

    id: str
    """Cited in the report: F1 …"""
    key: str
    """What causes refer to: `bearing.outer`, `unbalance`, `vibration.high`; dots go from general to special."""
    line: Said
    severity: int = 1
    """0 worth knowing, 1 watch, 2 plan, 3 act now."""
    present: bool = True
    """False: it was looked for and is not there, which speaks against causes too."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one plugin knows of a machine in a period."""

    events: tuple[AlarmEvent, ...] = ()
    """Of the period and of the history before it, oldest first."""
    trends: tuple[Trend, ...] = ()
    spectra: tuple[Spectrum, ...] = ()
    signs: tuple[Sign, ...] = ()
    missing: tuple[Said, ...] = field(default=())
    """What could not be looked at, and why."""
    history_from: datetime | None = None
    """How far back `events` are complete; None where the plugin has no events."""

    def plus(self, other: Evidence) -> Evidence:
        """Both together."""
        known = [start for start in (self.history_from, other.history_from) if start is not None]
        return Evidence(
            tuple(sorted((*self.events, *other.events), key=lambda event: (event.at, event.id))),
            (*self.trends, *other.trends),
            (*self.spectra, *other.spectra),
            (*self.signs, *other.signs),
            (*self.missing, *other.missing),
            max(known) if known else None,
        )
