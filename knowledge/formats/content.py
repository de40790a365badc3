"""What every kind of document is turned into: lines in reading order, headings marked, each with its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import KnowledgeError

__all__ = ["Bounds", "Content", "Line", "PageReader", "PrintedText", "too_many_lines"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line as printed, without its line end."""

    text: str
    level: int = 0
    """Depth of a heading from 1; 0 is text."""
    page: int | None = None
    """From 1; None where the format has no pages."""
    verbatim: bool = False
    """Code or a table: no heading or article is looked for in it."""
    number: str = ""
    """Of a heading, where the format keeps it apart from the words."""


@dataclass(frozen=True, slots=True)
class Content:
    """A document."""

    lines: Sequence[Line]
    title: str = ""
    """Where the format has a place for it."""
    pages: int | None = None
    bare: bool = False
    """Not every heading is marked: others are told by their numbering."""
    scanned: int = 0
    """Pages without text of their own, which were read as pictures."""
    unread: int = 0
    """Pages that show something, and on which no text was read."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a document may ask of this box. Beyond one of them it is refused in one line."""

    max_pages: int = 5_000
    max_rows: int = 200_000
    """Of all tables together."""
    max_text_bytes: int = 25_000_000
    """Of a document that is nothing but text; it is held in memory some times over."""
    text_lines: int = 2_000_000
    """Lines and paragraphs, at most."""
    max_unpacked_bytes: int = 100_000_000
    """Of one part of a compressed document."""
    markup_depth: int = 200
    """Lists within lists whose numbers are counted."""
    page_pixels: int = 4_000_000
    """At which a page without text is read as a picture."""
    max_scanned_pages: int = 500
    scan_score: float = 0.6
    """Lines of a scanned page that the reader is less sure of are dropped."""


def too_many_lines(path: Path, bounds: Bounds) -> KnowledgeError:
    """Why a document with more lines than `text_lines` is refused."""
    return KnowledgeError(f"{path}: more than {bounds.text_lines:,} lines; split it")


class PrintedText(Protocol):
    """A run of text that was read from a picture."""

    @property
    def text(self) -> str: ...

    @property
    def box(self) -> tuple[int, int, int, int]:
        """left, top, right, bottom in pixels; right and bottom are exclusive."""
        ...

    @property
    def score(self) -> float:
        """0 to 1."""
        ...


class PageReader(Protocol):
    """Reads the text on a picture, height × width × 3, RGB."""

    def __call__(self, pixels: NDArray[np.uint8]) -> Sequence[PrintedText]: ...
