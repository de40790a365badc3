"""Passages that give different figures for one thing.

Two sentences, list items or table rows of different passages contradict each other when they say the same but for a
figure: the same unit, nearly the same words in one language, and no common value. Rows of tables are compared by their
cells without the figures. It is shown as it is; which of the two is right the books do not tell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

from knowledge.sentences import sentences
from knowledge.tokens import fold, tokens

__all__ = ["Contradiction", "Quoted", "find_contradictions"]

ALIKE = 0.75
"""Share of the words, figures aside, that two statements have in common."""
MIN_WORDS = 3
"""A statement with fewer words beside its figures names nothing that could be the same."""
MAX_STATEMENTS = 400
"""Statements of each passage that are compared."""
_FIGURE = re.compile(
    r"(?<![\w.])([-+−]?\d+(?:[.,]\d+)?)\s*(%|°[cf]?|[a-zμω²³/·]{1,8}\d?(?![a-z])|小时|分钟|秒|天|日|周|个?月|年|次|元|万元|毫米|厘米|米|公斤|吨|升|度)?"
)


class Quoted(Protocol):
    """What a passage has to have."""

    @property
    def document(self) -> str: ...
    @property
    def section(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two statements about one thing."""

    first: int
    """Which passage, counted from 0."""
    second: int
    first_quote: str
    """As it stands there."""
    second_quote: str
    first_figure: str
    """`2000 hours`, as folded text."""
    second_figure: str


@dataclass(frozen=True, slots=True)
class _Statement:
    quote: str
    words: frozenset[str]
    figures: dict[str, frozenset[float]]
    """Unit → values."""


def find_contradictions(passages: Sequence[Quoted]) -> list[Contradiction]:
    """Statements of two passages that differ in nothing but a figure, in the order of the passages."""
    stated = [_statements(passage.text) for passage in passages]
    found = []
    for (i, mine), (j, others) in combinations(enumerate(stated), 2):
        for one in mine:
            for other in others:
                clash = _clash(one, other)
                if clash is not None:
                    found.append(Contradiction(i, j, one.quote, other.quote, *clash))
    return found


def _statements(text: str) -> list[_Statement]:
    out = []
    for quote in sentences(text)[:MAX_STATEMENTS]:
        figures: dict[str, set[float]] = {}
        folded = fold(quote)
        for match in _FIGURE.finditer(folded):
            value = float(match[1].replace(",", ".").replace("−", "-"))
            figures.setdefault((match[2] or "").strip(), set()).add(value)
        words = frozenset(word for word in tokens(_FIGURE.sub(" ", folded)) if not word.isdigit())
        if figures and len(words) >= MIN_WORDS:
            out.append(_Statement(quote, words, {unit: frozenset(values) for unit, values in figures.items()}))
    return out


def _clash(one: _Statement, other: _Statement) -> tuple[str, str] | None:
    """The figures in which two statements about one thing differ; None where they do not, or are about two things."""
    common = len(one.words & other.words)
    if common < ALIKE * len(one.words | other.words) or one.figures.keys() != other.figures.keys():
        return None
    apart = [unit for unit in one.figures if unit and not one.figures[unit] & other.figures[unit]]
    agree = all(one.figures[unit] == other.figures[unit] for unit in one.figures if unit not in apart)
    if len(apart) != 1 or not agree:
        return None
    return _shown(one, apart[0]), _shown(other, apart[0])


def _shown(statement: _Statement, unit: str) -> str:
    return ", ".join(f"{value:g} {unit}" for value in sorted(statement.figures[unit]))
