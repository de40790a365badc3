"""What a rule says, as plain frozen values: comparisons of figures, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.api import Language
from plugins.field.sheet import Figure, Scope

__all__ = ["Comparison", "Effect", "Fold", "Op", "Rule", "Unchecked"]

Op = Literal["gt", "ge", "lt", "le", "in", "out"]
Fold = Literal["", "sum", "max", "min", "mean"]
"""What is made of the values of a span; empty: each of them counts."""
Effect = Literal["forbid", "demand", "allow"]
"""What the comparisons mean where they hold: it must not be done; it may be done only then; it may be done then, and
nothing is said of other times."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure against a threshold that stands in a rule."""

    figure: Figure
    op: Op
    low: float
    high: float
    """The same as `low`, but for `in` and `out`."""
    unit: str
    """As printed."""
    fold: Fold = ""
    span_seconds: float = 0.0
    """Back from now; 0: the latest value."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A sentence or an item that can be decided."""

    quote: str
    """Word for word."""
    citation: str
    document: str
    language: Language
    effect: Effect
    comparisons: tuple[Comparison, ...]
    every: bool
    """Whether all comparisons have to hold; else one is enough."""
    scopes: tuple[Scope, ...] = ()
    """What it is limited to."""


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A sentence about the decision that says more than can be compared: a person has to read it."""

    quote: str
    citation: str
    document: str
    language: Language
    scopes: tuple[Scope, ...] = ()
