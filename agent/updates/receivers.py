"""Who puts a verified update in use, decides whether it is healthy, and keeps the last good one. One for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from agent.updates.items import Item

__all__ = ["NotHealthy", "Receiver"]


class NotHealthy(Exception):
    """The new version was put back: the last good one is in use. The text is the reason."""


class Receiver(Protocol):
    """Takes the items of one kind."""

    def version(self, name: str) -> str:
        """The version of a name that is in use; empty where there is none, or where it carries no version."""
        ...

    def has(self, name: str) -> bool:
        """This box uses something of that name, so that an update of it is wanted without being asked for."""
        ...

    def uses(self, item: Item) -> bool:
        """Exactly this item is in use."""
        ...

    def room_bytes(self, item: Item) -> int:
        """Disk that putting it in use takes, besides what is staged."""
        ...

    def put_in_use(self, item: Item, files: Mapping[str, Path]) -> None:
        """Start it, let its health decide, and go back by itself where it is not healthy.

        A kill at any instant leaves the last good version in use; called again with the same item, it carries on.

        :param files: file name → staged file, verified.
        :raises NotHealthy: the last good version is in use again.
        :raises UpdateError: it could not be tried at all; what was in use still is.
        """
        ...
