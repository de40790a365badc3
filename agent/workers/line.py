"""The line that calls wait in: interactive ones before scheduled ones, each kind in order. Not safe without a lock."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from agent.workers.worker import Priority

__all__ = ["Line", "Ticket", "has_room"]


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """A place in the line; the least goes first."""

    scheduled: bool
    number: int


class Line:
    """Who waits."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._waiting: list[Ticket] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, priority: Priority) -> Ticket:
        """Take a place behind those of the same kind."""
        ticket = Ticket(priority == "scheduled", next(self._numbers))
        self._waiting.append(ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give the place up, or go to work."""
        self._waiting.remove(ticket)

    def first(self, ticket: Ticket) -> bool:
        """Whether nobody goes before it."""
        return min(self._waiting) == ticket


def has_room(ticket: Ticket, running: Sequence[Priority], *, nests: bool) -> bool:
    """Whether a call may begin beside those that run: alone, or an interactive one inside scheduled ones."""
    return not running or (nests and not ticket.scheduled and "interactive" not in running)
