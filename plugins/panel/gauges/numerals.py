"""The numbers on a dial.

A reader loses decimal points and signs, and the needle covers digits. A number therefore has readings: the one as
printed, and cheaper ones that its neighbours must call for (`04` beside `0.8` is 0.4; `20` left of 0 may be -20).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from plugins.panel.grammar import plain

__all__ = ["Numeral", "Printed", "numerals_of", "pieces_of", "printed_number"]

_NUMBER = re.compile(r"([+-]?)(\d{1,5}(?:[.,]\d{1,3})?|[.,]\d{1,3})")
_STRAY = "'`·,:;|~_*一/\\"
"""Ticks beside a number are read as these."""
_ZERO = frozenset({"O", "o", "D", "Q", "〇", "○", "°"})
"""A lone zero on a dial is read as these."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A text on a dial, in pixels of the dial's picture."""

    text: str
    x: float
    y: float
    width: float
    height: float
    score: float
    source: int
    """Index of the panel's text at this place; -1 where only a closer look at the dial saw it."""


@dataclass(frozen=True, slots=True)
class Numeral:
    """One reading of a number on a dial."""

    value: float
    weight: float
    """1 as printed, less where it is one of the readings that must be called for."""
    printed: Printed
    is_guess: bool = False
    """Not as printed."""


def pieces_of(text: str) -> list[tuple[int, int]]:
    """Numbers that were read as one run, because they stand close: where each starts and ends."""
    parts = [found.span() for found in re.finditer(r"\S+", text)]
    numbers = len(parts) > 1 and all(printed_number(text[start:end]) is not None for start, end in parts)
    return parts if numbers else [(0, len(text))]


def printed_number(text: str) -> float | None:
    """The number that a text is, or None."""
    line = plain(text).strip().strip(_STRAY).rstrip("- ").replace(" ", "")
    if line in _ZERO:
        return 0.0
    found = _NUMBER.fullmatch(line)
    if found is None:
        return None
    value = float(found[2].replace(",", "."))
    return -value if found[1] == "-" else value


def numerals_of(texts: Sequence[Printed]) -> list[Numeral]:
    """Every reading of every number."""
    found: list[Numeral] = []
    tallest = max((text.height for text in texts if printed_number(text.text) is not None), default=1.0)
    points = any(re.search(r"\d[.,]\d", plain(t.text)) or re.fullmatch(r"0\d+", t.text.strip()) for t in texts)
    for text in texts:
        value = printed_number(text.text)
        if value is None:
            continue
        # Of two scales on one dial, the one in larger print is the one that is meant first.
        size = math.sqrt(min(1.0, text.height / max(tallest, 1.0)))
        digits = plain(text.text).strip().lstrip("+-")
        pointless = "." not in digits and "," not in digits
        if pointless and re.fullmatch(r"0\d{1,3}", digits):
            found.append(Numeral(float(f"0.{digits[1:]}"), 0.9 * size, text))
            continue
        found.append(Numeral(value, text.score * size, text))
        if points and pointless and len(digits) in (2, 3) and value:
            found.append(Numeral(value / 10 ** (len(digits) - 1), 0.6 * size, text, True))
        if value < 0:  # a tick to the left of a number is read as its sign
            found.append(Numeral(-value, 0.5 * size, text, True))
        if value > 0 and not plain(text.text).strip().startswith("+"):
            found.append(Numeral(-value, 0.4 * size, text, True))
    return found
