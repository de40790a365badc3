"""Where a weight file can come from, as one protocol.

A source writes to a `Partial` from where it stands. What it raises as `SourceFailed` is told to the person if every
source fails; what it raises as `PullError` (the disk, the folder) ends the pull, because no other source can help.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from agent.weights.catalogue import Entry, WeightFile
from agent.weights.partial import Partial

__all__ = ["Moved", "Source"]

Moved = Callable[[int], None]
"""Told how many bytes of the file have arrived, also those that are not written yet."""


class Source(Protocol):
    """One place to get files from."""

    name: str
    """As in `weights.sources`."""

    def offers(self, file: WeightFile) -> bool:
        """Does the catalogue name this source for the file?"""
        ...

    def take(self, entry: Entry, file: WeightFile, into: Partial, moved: Moved) -> None:
        """Write the rest of the file, from `into.size` on; a source that cannot start there cuts `into` back.

        :raises SourceFailed: this source cannot give it.
        :raises PullError: no source can.
        """
        ...

    def pieces(self, entry: Entry, file: WeightFile, at: int, size: int) -> Iterator[bytes]:
        """What this source has as `size` bytes of the file from `at` on: one after the other, where it has several.

        :raises SourceFailed: it has none, or gives whole files only.
        """
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...
