"""Which segments make which character, and which words a display says where it has no value.

Segments are named as in datasheets: a top, b upper right, c lower right, d bottom, e lower left, f upper left, g
middle.
"""

from __future__ import annotations

import re

__all__ = ["CHARACTERS", "SEGMENTS", "is_number", "unit_within"]

SEGMENTS = "abcdefg"

_LIT = {
    "abcdef": "0",
    "bc": "1",
    "abdeg": "2",
    "abcdg": "3",
    "bcfg": "4",
    "acdfg": "5",
    "acdefg": "6",
    "cdefg": "6",
    "abc": "7",
    "abcf": "7",
    "abcdefg": "8",
    "abcdfg": "9",
    "abcfg": "9",
    "g": "-",
    "": " ",
    "adefg": "E",
    "eg": "r",
    "bcefg": "H",
    "def": "L",
    "cdeg": "o",
    "adef": "C",
    "deg": "c",
    "abefg": "P",
    "abcefg": "A",
    "bcdeg": "d",
    "aefg": "F",
    "ceg": "n",
    "defg": "t",
    "bcdef": "U",
    "cde": "u",
    "cefg": "h",
    "bcd": "J",
    "bcde": "J",
    "bcdfg": "y",
    "abfg": "°",
    "d": "_",
}
CHARACTERS: dict[tuple[bool, ...], str] = {
    tuple(segment in lit for segment in SEGMENTS): character for lit, character in _LIT.items()
}
"""Lit or not, for a to g → the character. `cdefg` is both 6 and b; a 6 without its top is what meters show."""

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?|-?\.\d+|\d{1,2}:\d{2}(?::\d{2})?")
_WITH_UNIT = re.compile(r"(-?\d+(?:\.\d+)?) ?(°[CF]?|[CFAPUH])")


def is_number(shown: str) -> bool:
    """A value, or a time of day."""
    return _NUMBER.fullmatch(shown) is not None


def unit_within(shown: str) -> tuple[str, str]:
    """What is shown without the unit that the display itself spells, and that unit: degrees only.

    Another letter after digits is part of a code and no unit.
    """
    match = _WITH_UNIT.fullmatch(shown)
    if match is None or not (match[2].startswith("°") or match[2] in "CF"):
        return shown, ""
    return match[1], {"C": "°C", "F": "°F"}.get(match[2], match[2])
