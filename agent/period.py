"""A span of time that somebody named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent.values import Said

__all__ = ["Period"]


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open span of time."""

    phrase: str
    """As the person said it."""
    start: datetime
    end: datetime
    note: Said | None = None
    """What was not said and had to be taken in some way."""
    to_the_second: bool = False
    """Whether the person spoke of seconds."""

    def stated(self) -> str:
        """Start and end as an answer states them, to the minute; to the second where the person did."""
        form = "%Y-%m-%d %H:%M:%S" if self.to_the_second else "%Y-%m-%d %H:%M"
        return f"{self.start.strftime(form)} – {self.end.strftime(form)}"
