"""A finished report as a value: every line has the ids that it rests on; rendering adds nothing to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent.quotes import Quote
from agent.reports.alarms import AlarmFigures
from agent.reports.causes import Cause
from agent.reports.readings import SeriesFigures
from agent.reports.risk import RiskLevel
from agent.reports.values import Machine, Spectrum
from agent.values import Language, Said

__all__ = ["Action", "Report", "SeenLine"]


@dataclass(frozen=True, slots=True)
class SeenLine:
    """One thing that was seen."""

    line: Said
    ids: tuple[str, ...]
    """Of what it rests on: E17, S1, F2."""
    grave: bool = False
    """Shown with a mark."""


@dataclass(frozen=True, slots=True)
class Action:
    """What the manuals say about one thing."""

    topic: Said
    """An alarm's text or a cause."""
    quotes: tuple[tuple[Language, Quote], ...]
    """Word for word, at most one for each language of the report; empty: the manuals say nothing about it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of one machine in one period."""

    machine: Machine
    plant: str
    start: datetime
    """Wall clock of the plant, as all times here."""
    end: datetime
    made_at: datetime
    languages: tuple[Language, ...]
    summary: Said
    worded_by: str
    """The rung whose line the summary is; `rules` where it was put together from figures."""
    risk: RiskLevel
    alarms: AlarmFigures
    series: tuple[SeriesFigures, ...]
    spectra: tuple[Spectrum, ...]
    seen: tuple[SeenLine, ...]
    causes: tuple[Cause, ...]
    actions: tuple[Action, ...]
    watch: tuple[Said, ...]
    missing: tuple[Said, ...]
    has_log: bool
    """Whether alarms could be read; without, their count is not told."""
    chosen_by: str
    """The rung that pointed at the quotes."""

    @property
    def title(self) -> Said:
        """Of the whole."""
        name = self.machine.title
        return {"zh": f"{name['zh']} 维护报告", "en": f"{name['en']}: maintenance report"}

    @property
    def stem(self) -> str:
        """A file name without its ending: machine and days, safe on every system."""
        safe = "".join(c if c.isalnum() or c in "-_" else "-" for c in self.machine.name).strip("-") or "machine"
        return f"{safe[:60]}-{self.start:%Y%m%d}-{self.end:%Y%m%d}"
