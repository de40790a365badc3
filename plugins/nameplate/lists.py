"""Lists of models to be phased out, as they stand in the manuals: tables with a column of types.

A manual is one where the settings name it, or else where its title or a heading above the table says so. Rows are kept
word for word; a row with words like 除 or "except" holds only under a condition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import cast

from agent.api import Language, Passage
from agent.settings import NameplateSettings
from knowledge.limits import table_rows
from knowledge.store import Document, KnowledgeStore
from knowledge.tokens import fold
from plugins.nameplate.types import Likeness, differs_by_one, in_cell, plain_type, types_in
from plugins.nameplate.values import Entry, Standing

__all__ = ["Found", "in_language", "look_up", "read_lists"]

_SAYS = re.compile(r"淘汰|落后机电|phas(?:ed?|ing)[ -]?out|obsolete|withdrawn")
_TYPES = re.compile(r"型号|规格|\b(?:types?|models?|designations?)\b")
_NEXT = re.compile(r"替代|替换|推荐|改用|后继|\b(?:successors?|replace\w*|substitutes?|use instead)\b")
_CONDITION = re.compile(
    r"除|不含|不包括|仅|限|以前|之前|以后|之后|起|例外|暂缓|\b(?:except|excluding|only|before|after|until|unless|from)\b"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What the lists say of a type."""

    standing: Standing
    entries: tuple[Entry, ...]
    """The rows that hold it, or may."""
    near: tuple[str, ...] = ()
    """Types of the lists that differ in one character: not the same."""


def read_lists(store: KnowledgeStore, settings: NameplateSettings) -> list[Entry]:
    """All rows of all lists.

    :raises KnowledgeError: the store is missing, locked or damaged.
    """
    found: list[Entry] = []
    for document in store.documents():
        if settings.lists and not _named(document, settings):
            continue
        for entry in _entries(store, document, settings):
            found.append(entry)
            if len(found) >= settings.most_rows:
                return found
    return found


def look_up(wanted: str, entries: list[Entry], *, sure: bool) -> Found:
    """How a type stands to the lists.

    :param wanted: as printed.
    :param sure: whether it was read without doubt; what was not is never surely listed.
    """
    key = plain_type(wanted)
    alike: list[tuple[Entry, Likeness]] = [(entry, in_cell(key, entry.types)) for entry in entries]
    same = [entry for entry, likeness in alike if likeness == "same"]
    perhaps = [entry for entry, likeness in alike if likeness == "perhaps"]
    near = tuple(t for entry in entries for t in types_in(entry.types) if differs_by_one(key, t))
    if same and sure and not perhaps:
        standing: Standing = "conditional" if any(entry.conditional for entry in same) else "listed"
        return Found(standing, tuple(same), near)
    if same or perhaps or not sure:
        others = [entry for entry in entries if any(differs_by_one(key, t) for t in types_in(entry.types))]
        return Found("unsure", tuple(dict.fromkeys([*same, *perhaps, *([] if sure else others)])), near)
    return Found("not-listed", (), near)


def in_language(found: Found, language: Language) -> Found:
    """The same with the rows in the reader's language first."""
    return replace(found, entries=tuple(sorted(found.entries, key=lambda entry: entry.language != language)))


def _named(document: Document, settings: NameplateSettings) -> bool:
    return any(fold(document.title).split() == fold(name).split() or document.id == name.strip().upper()
               for name in settings.lists)  # fmt: skip


def _entries(store: KnowledgeStore, document: Document, settings: NameplateSettings) -> Iterator[Entry]:
    pieces = store.sections(document.id)
    for _, group in groupby(pieces, key=lambda piece: piece.section_order):
        own = list(group)
        first = own[0]
        above = fold(f"{document.title} {first.path} {first.heading}")
        if not settings.lists and not _SAYS.search(above):
            continue
        language = cast(Language, first.language)
        text = "\n".join(piece.text for piece in own)
        place = Passage(first.document, first.title, first.section, first.heading, first.page, text, language)
        yield from _rows(place, settings)


def _rows(place: Passage, settings: NameplateSettings) -> Iterator[Entry]:
    """The rows under each heading that has a column of types and none of successors' types alone."""
    types = following = -1
    for line in place.text.split("\n"):
        cells = table_rows(line) if "|" in line else []
        if not cells:
            continue
        heads = [fold(cell) for cell in cells]
        column = next((i for i, head in enumerate(heads) if _TYPES.search(head) and not _NEXT.search(head)), -1)
        if column >= 0 and not types_in(cells[column]):
            types = column
            following = next((i for i, head in enumerate(heads) if _NEXT.search(head)), -1)
        elif 0 <= types < len(cells) and 0 < len(cells[types]) <= settings.max_cell_chars:
            successor = cells[following] if 0 <= following < len(cells) else ""
            rest = fold(" ".join(cell for i, cell in enumerate(cells) if i != following))
            yield Entry(
                cells[types], " | ".join(cells), "" if successor in ("-", "—", "–", "/") else successor,
                place.citation, place.document, place.title, place.language, _CONDITION.search(rest) is not None,
            )  # fmt: skip
