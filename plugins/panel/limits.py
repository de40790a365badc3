"""Readings of a photo held against the limits of the manuals, by a comparison that is stated.

Which limit belongs to a reading: the label and the limit's name are equal after NFKC, casefold and dropping blanks; a
limit name in two languages (`Supply temperature (供水温度)`) is each of them; and a label that says which one of
several machines is meant (NO.1循环泵频率) has the limit of the kind (循环泵频率). Nothing less counts: 压力 is none
for 供水压力.
Values are compared only where the units are the same, or are converted by a factor (`knowledge.units`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.api import Language, Passage, Reading
from knowledge.limits import name_variants
from knowledge.store import StoredLimit
from knowledge.tokens import fold
from knowledge.units import base_of, factor_between

__all__ = ["Comparison", "Outcome", "citation_of", "compare", "limits_for"]

Outcome = Literal["above", "below", "within", "no-limit", "no-value", "other-unit"]

_WHICH_ONE = re.compile(
    r"(?:no\.?|#|第)?\d{1,3}[#号线路]?|[一二三四五六七八九十]+[#号线路]|[a-z]{1,4}-?\d{1,4}[a-z]?|[a-d][#号线路]?"
)
_NUMBER = re.compile(r"[-+−]?\d+(?:[.,]\d+)?")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of one reading."""

    index: int
    """Into the perception's readings, from 0."""
    outcome: Outcome
    limit: StoredLimit | None = None
    also: tuple[StoredLimit, ...] = ()
    """Limits of other manuals for the same thing that say something else."""


def compare(readings: Sequence[Reading], limits: Sequence[StoredLimit], language: Language) -> list[Comparison]:
    """Hold every reading against its limit, in order."""
    return [
        _compare(index, reading, limits_for(reading.label, limits, language)) for index, reading in enumerate(readings)
    ]


def limits_for(label: str, limits: Sequence[StoredLimit], language: Language) -> list[StoredLimit]:
    """The limits of a label: exact ones before those of its kind, the reader's language first."""
    key = _key(label)
    if not key:
        return []
    ranked = [(_closeness(key, limit), limit) for limit in limits]
    best = max((closeness for closeness, _ in ranked), default=0)
    found = [limit for closeness, limit in ranked if closeness == best and closeness]
    return sorted(found, key=lambda limit: limit.language != language)


def citation_of(limit: StoredLimit) -> str:
    """Where a limit stands, as a passage is cited."""
    language: Language = "zh" if limit.language == "zh" else "en"
    place = Passage(limit.document, "", limit.section, "", limit.page, limit.row_text, language)
    return place.citation


def _compare(index: int, reading: Reading, limits: Sequence[StoredLimit]) -> Comparison:
    shown = _NUMBER.fullmatch((reading.value or "").strip())
    if shown is None or not reading.is_sure or "ambiguous" in reading.flags:
        return Comparison(index, "no-value")
    if not limits:
        return Comparison(index, "no-limit")
    same = [limit for limit in limits if factor_between(reading.unit, limit.unit) is not None]
    if not same:
        return Comparison(index, "other-unit", limits[0])
    limit = same[0]
    also = tuple(other for other in same[1:] if _bounds(other) != _bounds(limit))
    factor = factor_between(reading.unit, limit.unit) or 1.0
    beyond = -math.inf if shown[0][0] in "-−" else math.inf  # more digits than a number can hold
    value = (beyond if reading.number is None else reading.number) * factor
    play = (reading.uncertainty or 0.0) * factor
    if any(bound is not None and abs(value - bound) <= play for bound in (limit.low, limit.high) if play):
        return Comparison(index, "no-value")
    if limit.high is not None and value > limit.high:
        return Comparison(index, "above", limit, also)
    if limit.low is not None and value < limit.low:
        return Comparison(index, "below", limit, also)
    return Comparison(index, "within", limit, also)


def _closeness(key: str, limit: StoredLimit) -> int:
    """2 for the same name, 1 for the kind that a label is one of, 0 for neither."""
    best = 0
    for part in name_variants(limit.name):
        name = _key(part)
        if name == key:
            return 2
        rest = key.removesuffix(name) if key.endswith(name) else key.removeprefix(name)
        if name and rest != key and _WHICH_ONE.fullmatch(rest):
            best = 1
    return best


def _key(label: str) -> str:
    return re.sub(r"[\s::_]+", "", fold(label))


def _bounds(limit: StoredLimit) -> tuple[float | None, float | None]:
    """Both bounds in the unit that they are compared in."""
    _, factor = base_of(limit.unit)
    low, high = (None if bound is None else round(bound * factor, 9) for bound in (limit.low, limit.high))
    return low, high
