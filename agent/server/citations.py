"""What a citation stands for: the section of the manual, and where in it the quote is.

A quote is found in its section although it lost markup and line breaks on its way into an answer. Pure, but for the
store that is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.errors import KnowledgeError
from knowledge.store import KnowledgeStore, StoredPassage

__all__ = ["Cited", "find_cited", "find_quote"]

_PAGE = re.compile(r"(?:^|\s)p\.(\d{1,6})$")
_ITEM = re.compile(r"\s?[(（][^()（）]{1,12}[)）]$")
_LEAST_CHARS = 2
"""A line of a quote with fewer letters is not looked for."""

Place = tuple[int, int]
"""Start and end in characters; the end is exclusive."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A section that an answer cites."""

    document: str
    title: str
    section: str
    heading: str
    page: int | None
    """Where the quote begins; of the section where none is given."""
    language: str
    text: str
    quotes: tuple[Place, ...]
    """Where the quote stands in `text`, in order; empty where it is not found."""


def find_cited(store: KnowledgeStore, document: str, place: str, quote: str) -> Cited:
    """The section that `§6.2 p.4`, `第三十六条（二） p.4` or `p.4` means in a manual.

    :param place: what a citation says behind the document; empty for the whole.
    :param quote: as the answer has it; empty for none.
    :raises KnowledgeError: no such manual or section, or the store cannot be read.
    """
    named = _PAGE.search(place)
    page = int(named[1]) if named else None
    section = _PAGE.sub("", place).strip()
    pieces = _pieces(store, document, section)
    first = _first_with(pieces, quote, page)
    together = [piece for piece in pieces if piece.section_order == first.section_order]
    text = "\n".join(piece.text for piece in together)
    return Cited(
        document, first.title, first.section, first.heading, first.page, first.language, text,
        tuple(find_quote(text, quote)),
    )  # fmt: skip


def find_quote(text: str, quote: str) -> list[Place]:
    """Where the lines of a quote stand in a text, by their letters and digits alone, in order and not overlapping."""
    letters, places = _letters(text)
    found: list[Place] = []
    at = 0
    for line in quote.split("\n"):
        wanted = _letters(line)[0]
        if len(wanted) < _LEAST_CHARS:
            continue
        start = letters.find(wanted, at)
        start = letters.find(wanted) if start < 0 else start
        if start < 0:
            continue
        at = start + len(wanted)
        found.append((places[start], _with_mark(text, places[at - 1] + 1)))
    return list(_apart(sorted(found)))


def _letters(text: str) -> tuple[str, list[int]]:
    """Letters and digits, folded one for one, and where each stands."""
    kept = [(char.lower() if len(char.lower()) == 1 else char, at) for at, char in enumerate(text) if char.isalnum()]
    return "".join(char for char, _ in kept), [at for _, at in kept]


def _with_mark(text: str, end: int) -> int:
    """The end of a sentence takes its full stop along."""
    return end + 1 if text[end : end + 1] in ("。", ".", "；", ";", "！", "!", "？", "?", "）", ")") else end


def _apart(places: Sequence[Place]) -> Iterator[Place]:
    last = 0
    for start, end in places:
        if end > last:
            yield max(start, last), end
            last = end


def _pieces(store: KnowledgeStore, document: str, section: str) -> list[StoredPassage]:
    if not section:
        return store.sections(document)
    bare = section.removeprefix("§")
    try:
        return store.sections(document, bare)
    except KnowledgeError:
        without = _ITEM.sub("", bare)
        if without == bare:
            raise
        return store.sections(document, without)


def _first_with(pieces: Sequence[StoredPassage], quote: str, page: int | None) -> StoredPassage:
    """The piece that holds the most of the quote; of those that hold as much, one of the page that is named."""
    return max(pieces, key=lambda piece: (len(find_quote(piece.text, quote)), piece.page == page))
