"""What stands in the model's memory, entry by entry, and how much of it the next prompt shares. Pure values.

An image takes more cells than positions (M-RoPE): all its tokens stand at one time step, and the text goes on after
max(columns, rows) positions. So entries carry both figures, and nothing here mistakes one for the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Entry", "Memory", "Picture", "boundaries", "cells_of", "common_prefix", "portions", "positions_of"]


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as it stands in a prompt. Two of the same pixels are equal."""

    digest: str
    """Of the pixels."""
    cells: int
    """Tokens it takes in the memory."""
    positions: int
    """Steps by which the position moves on."""


Entry = int | Picture
"""A token id, or an image."""


def cells_of(entries: Iterable[Entry]) -> int:
    """Tokens that these take in the memory."""
    return sum(entry.cells if isinstance(entry, Picture) else 1 for entry in entries)


def positions_of(entries: Iterable[Entry]) -> int:
    """Steps by which these move the position on."""
    return sum(entry.positions if isinstance(entry, Picture) else 1 for entry in entries)


def common_prefix(first: Sequence[Entry], second: Sequence[Entry]) -> int:
    """How many entries both start with."""
    for index, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return index
    return min(len(first), len(second))


def boundaries(prompt: Sequence[Entry], stable: int, *, least: int) -> list[int]:
    """Where a prompt is worth being kept from one start to the next: after its stable beginning and after each image.

    :param stable: entries of the beginning that every conversation shares.
    :param least: cells between two boundaries.
    """
    after_images = [index + 1 for index, entry in enumerate(prompt) if isinstance(entry, Picture) and index >= stable]
    found: list[int] = []
    for end in [stable, *after_images]:
        if end < len(prompt) and cells_of(prompt[found[-1] if found else 0 : end]) >= max(1, least):
            found.append(end)
    return found


def portions(prompt: Sequence[Entry], kept: Sequence[int], mark: int, *, least: int) -> list[int]:
    """Where reading a prompt pauses. A model rounds by how much it reads at once, so whatever is reused has to be what
    would be read at once: then a prompt read anew and one that continues from memory give the same words.

    :param kept: where stretches end that are kept; reading pauses there too.
    :param mark: the token that begins a message; a portion ends with it, except with the last one.
    :param least: cells of a portion that ends at a message.
    """
    marks = [index + 1 for index, entry in enumerate(prompt) if entry == mark][:-1]
    ends: list[int] = []
    for end in sorted({*kept, *marks}):
        if end in kept or cells_of(prompt[ends[-1] if ends else 0 : end]) >= least:
            ends.append(end)
    return ends


class Memory:
    """The entries that the native memory holds, in order. It changes only after the native side did."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.position = 0
        """Where the next entry goes."""
        self.cells = 0
        """Tokens that they take."""

    def add(self, entries: Sequence[Entry]) -> None:
        """These were decoded."""
        self.entries.extend(entries)
        self.position += positions_of(entries)
        self.cells += cells_of(entries)

    def cut(self, count: int) -> None:
        """Keep the first `count` entries."""
        self.position -= positions_of(self.entries[count:])
        self.cells -= cells_of(self.entries[count:])
        del self.entries[count:]
