"""At start: what a process left half done is closed, so that nothing is lost and nothing happens twice.

    turns that were not ended            interrupted
    commands that may have been sent     unsure, then read back; never sent again
    commands and approvals that are late expired

What another process has in hand stays its own.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from agent.approval import Approvals
from agent.device_commands import DeviceCommands, ReadBack
from agent.journal import Entry, IllegalStep

__all__ = ["Recovered", "recover"]


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found."""

    turns: tuple[str, ...]
    """Closed as interrupted."""
    commands: tuple[Entry, ...]
    """Read back; those still `unsure` need a person who looks at the device."""
    expired: int
    """Approvals that nobody can use any more."""


def recover(approvals: Approvals, commands: DeviceCommands, read_back: ReadBack) -> Recovered:
    """Close what is half done.

    :param read_back: looks at a device, and changes nothing there.
    :raises DatabaseError: `watch.db` cannot be read or written.
    """
    journal = commands.journal
    closed = []
    for entry in journal.abandoned("turn", "started"):
        with suppress(IllegalStep), journal.writing() as pen:  # another process was quicker
            pen.step(entry, "interrupted", {"error": "the process ended before the turn did"})
            closed.append(entry.id)
    return Recovered(tuple(closed), tuple(commands.settle(read_back)), approvals.expire())
