"""The values that tools return and answers are made of. Leaf module: imports nothing of ours.

Facts are rendered from these, never from a model's retelling of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Json", "Language", "Passage", "Record", "Said", "Scalar", "Term", "ToolResult", "say"]

Scalar = str | int | float | bool | None
Json = Scalar | list["Json"] | dict[str, "Json"]
Language = Literal["zh", "en"]
Said = Mapping[Language, str]
"""The same sentence in both languages of the product."""


def say(zh: str, en: str) -> Said:
    """A sentence in both languages."""
    return {"zh": zh, "en": en}


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that is so: a log event, a reading, a lamp. Shown in an answer as it is, with its id."""

    id: str
    """Cited as [id]: E17 is row 17 of the log, R3 the third reading of the photo, L1 its first lamp."""
    kind: str
    """event | reading | lamp"""
    line: Said
    """One line, without the id."""
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    """The same, for programs and for the claims check."""
    source: str = ""
    """A citation that this line leans on, for example `M1 §3.2` for the limit a reading is held against."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a manual, word for word."""

    document: str
    """M1, M2 …: stable for a document in this store."""
    title: str
    section: str
    """Number or name as printed: `6.2`, `第三十六条`, `Troubleshooting`; empty where there is none."""
    heading: str
    """The section's heading without its number."""
    page: int | None
    text: str
    language: Language
    score: float = 0.0
    """Higher is better; comparable within one search only."""
    path: str = ""
    """The headings that it stands under, its own last: `7 Maintenance / 7.2 Monthly`."""

    @property
    def citation(self) -> str:
        """`M3 §6.2 p.4`, `M3 第三十六条`; without a section `M3 p.4`, without either `M3`."""
        return self.cited()

    def cited(self, item: str = "") -> str:
        """The citation of a numbered item in it: `M3 第八十四条（二）`, `M3 §6.2 (3) p.4`.

        :param item: its label with brackets as printed; empty for the passage.
        """
        page = f"p.{self.page}" if self.page else ""
        if self.section.startswith("第"):
            return f"{self.document} {self.section}{item} {page}".rstrip()
        return " ".join(part for part in (self.document, self.section and f"§{self.section}", item, page) if part)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool found."""

    records: tuple[Record, ...] = ()
    passages: tuple[Passage, ...] = ()
    notes: tuple[Said, ...] = ()
    """Computed statements that go into the answer as they are: a count, a window of time, 'none found'."""
    truncated: bool = False
    """There was more than the limit allows; the notes say how much."""


@dataclass(frozen=True, slots=True)
class Term:
    """A name that the person's own words (or the photo) contain and a tool can take as argument."""

    kind: str
    """alarm | tag | area | label | period; tools say which they take. `phrase` stands for the part of the question."""
    value: str
    """As the tool wants it."""
    source: str
    """question | history | panel | result"""
    start: int = -1
    """Where it stands in the question; -1 where it does not."""
