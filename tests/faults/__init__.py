"""Faults that are made on purpose, with counts of what was tried and what held: one module for each subject.

Every module here that has `run() -> Iterable[Row]` is part of `make faults`. A fault that this machine does not allow
is a row with nothing tried and the reason in its note; it is told, and never counted as held.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of fault."""

    fault: str
    """What was done to the box, in a few words."""
    tried: int
    """How often."""
    held: int
    """How often everything held that has to."""
    seconds: float
    """All tries together."""
    note: str = ""
    """What was lost first; or why it could not be tried; or a figure that belongs to it."""

    @property
    def lost(self) -> int:
        """How often something did not hold."""
        return self.tried - self.held
