"""A request to call something, and what it says: its numbers, and its words in whatever form they have there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from agent.said_values import numbers_said, rates_said

__all__ = ["Said", "shared", "stems_of", "words_of"]

_FIGURE = re.compile(r"(?<![\w.])[-−]?[\d.,]*\d(?:[eE][-+]?\d{1,3}\b)?(?!(?:st|nd|rd|th)\b)")
_WORD = re.compile(r"[A-Za-z]{3,}|[\u3400-\u9fff]")
_SAYS_NOTHING = frozenset(
    [
        "the", "and", "for", "from", "with", "this", "that", "its", "are", "can", "has", "all", "one", "two", "into",
        "not", "between", "which", "given", "specified", "specific", "based", "certain", "particular", "using", "use",
        "get", "find", "calculate", "compute", "return", "returns", "provide", "fetch", "retrieve", "function", "name",
        "type", "value", "values", "number", "numbers", "list", "unit", "flag", "whether", "default", "optional",
        "string", "data", "information",
    ]
)  # fmt: skip
_STEM_CHARS = 5
_LEAST_STEM = 4


@dataclass(frozen=True, slots=True)
class Said:
    """A request and the values that it holds."""

    request: str
    today: date
    """For days that are said without a year."""
    numbers: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", numbers_said(self.request))

    @property
    def span_source(self) -> str:
        """The request without what a quoted value cannot hold."""
        return " ".join(re.sub(r'["\\\x00-\x1f]', " ", self.request).split())

    @property
    def number_count(self) -> int:
        """How many numbers it says for something: "two charges of 5 and 7" is two; where there are no digits, all."""
        figures = len(_FIGURE.findall(self.request))
        return figures + rates_said(self.request) if figures else len(self.numbers)

    def holds(self, phrase: str) -> bool:
        """Whether it says these words."""
        return re.search(rf"(?<!\w){re.escape(phrase.casefold())}(?!\w)", self.request.casefold()) is not None

    def says(self, phrase: str) -> bool:
        """Whether it says these words, or all of them in other forms: vaporization, vaporizing; desc, descending."""
        words = words_of(phrase)
        return self.holds(phrase) or (bool(words) and all(map(self._says_a_form_of, words)))

    def _says_a_form_of(self, word: str) -> bool:
        own = (said.casefold() for said in _WORD.findall(self.request))
        return self.speaks_of([word]) or any(said.startswith(word.casefold()) for said in own)

    def speaks_of(self, words: Iterable[str]) -> bool:
        """Whether a word of it begins like one of these."""
        return bool(shared(stems_of(words), self.stems))

    @property
    def stems(self) -> frozenset[str]:
        """How its words begin."""
        return stems_of(_WORD.findall(self.request))

    @property
    def is_latin(self) -> bool:
        """Whether its words can be held against English descriptions."""
        return not re.search(r"[\u0370-\uffff]", self.request)


def stems_of(words: Iterable[str]) -> frozenset[str]:
    """The first letters of the words that say something, which stay where a word is inflected."""
    return frozenset(word.casefold()[:_STEM_CHARS] for word in words if word.casefold() not in _SAYS_NOTHING)


def shared(some: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """Those that stand among the others too, whole or as the beginning of one: prob, probability."""
    return frozenset(
        one
        for one in some
        if any(
            one == o or (min(len(one), len(o)) >= _LEAST_STEM and (one.startswith(o) or o.startswith(one)))
            for o in others
        )
    )


def words_of(text: str) -> list[str]:
    """The words of a name or a description."""
    return _WORD.findall(text.replace("_", " ").replace(".", " "))
