"""Units of measure that can be held against each other, by factors that are listed here.

A unit that is not listed is only comparable with itself. No temperature is converted: between °C and °F lies more
than a factor.
"""

from __future__ import annotations

import re

from knowledge.tokens import fold

__all__ = ["KNOWN_UNITS", "base_of", "factor_between", "plain_unit"]

_FACTORS: dict[str, tuple[str, float]] = {
    "pa": ("pa", 1.0),
    "hpa": ("pa", 1e2),
    "kpa": ("pa", 1e3),
    "mpa": ("pa", 1e6),
    "bar": ("pa", 1e5),
    "mbar": ("pa", 1e2),
    "hz": ("hz", 1.0),
    "khz": ("hz", 1e3),
    "mv": ("v", 1e-3),
    "v": ("v", 1.0),
    "kv": ("v", 1e3),
    "ma": ("a", 1e-3),
    "a": ("a", 1.0),
    "w": ("w", 1.0),
    "kw": ("w", 1e3),
    "mm": ("m", 1e-3),
    "cm": ("m", 1e-2),
    "m": ("m", 1.0),
    "m/s": ("m/s", 1.0),
    "km/h": ("m/s", 1 / 3.6),
    "m3/h": ("m3/h", 1.0),
    "l/min": ("m3/h", 0.06),
    "l/s": ("m3/h", 3.6),
}
"""Unit → the unit it is compared in and the factor."""
_SAME_UNIT = {
    "c": "°c",
    "degc": "°c",
    "摄氏度": "°c",
    "度": "°c",
    "degf": "°f",
    "percent": "%",
    "%rh": "%",
    "rpm": "r/min",
    "转/分": "r/min",
    "米/秒": "m/s",
    "公里/小时": "km/h",
    "毫米": "mm",
    "厘米": "cm",
    "千帕": "kpa",
    "兆帕": "mpa",
}
KNOWN_UNITS = frozenset({*_FACTORS, *_SAME_UNIT, *_SAME_UNIT.values()} - {"c"})
"""As `plain_unit` and people write them, folded: what may stand behind a number in a rule."""


def base_of(unit: str) -> tuple[str, float]:
    """The unit that values in this one are compared in, and what they are multiplied by to be in it."""
    plain = plain_unit(unit)
    return _FACTORS.get(plain, (plain, 1.0))


def factor_between(unit: str, wanted: str) -> float | None:
    """What a value in `unit` is multiplied by to be in `wanted`; None where they cannot be compared."""
    if plain_unit(unit) == plain_unit(wanted):
        return 1.0
    (ours, here), (theirs, there) = base_of(unit), base_of(wanted)
    return here / there if ours == theirs else None


def plain_unit(unit: str) -> str:
    """A unit without blanks, in its usual form."""
    plain = re.sub(r"\s+", "", fold(unit)).replace("^", "").replace("³", "3")
    return _SAME_UNIT.get(plain, plain)
