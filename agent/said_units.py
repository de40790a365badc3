"""Quantities that a request says in one unit, as numbers of the unit that an argument is wanted in.

    "5ft 10in", wanted "in inches"   → 70
    "100µF", wanted "in farads (F)"  → 0.0001

Nothing is converted where the description of the argument names no unit, or one that is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["numbers_in_unit"]

_PREFIXES = {
    "": Fraction(1),
    "k": Fraction(1000),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "c": Fraction(1, 100),
    "m": Fraction(1, 1000),
    "µ": Fraction(1, 10**6),
    "u": Fraction(1, 10**6),
    "n": Fraction(1, 10**9),
    "p": Fraction(1, 10**12),
}
_PREFIX_WORDS = {
    "kilo": "k",
    "mega": "M",
    "giga": "G",
    "centi": "c",
    "milli": "m",
    "micro": "µ",
    "nano": "n",
    "pico": "p",
}
_BASES = {
    "metre": ("m", "kcmµun", "meter meters metre metres"),
    "gram": ("g", "kmµu", "gram grams gramme grammes"),
    "litre": ("L", "mc", "liter liters litre litres"),
    "second": ("s", "mµun", "second seconds sec secs"),
    "farad": ("F", "mµunp", "farad farads"),
    "henry": ("H", "mµun", "henry henries henrys"),
    "ohm": ("Ω", "kMm", "ohm ohms"),
    "ampere": ("A", "kmµu", "ampere amperes amp amps"),
    "volt": ("V", "kmµu", "volt volts"),
    "watt": ("W", "kMGm", "watt watts"),
    "joule": ("J", "kMm", "joule joules"),
    "hertz": ("Hz", "kMG", "hertz"),
    "pascal": ("Pa", "kM", "pascal pascals"),
    "newton": ("N", "k", "newton newtons"),
    "coulomb": ("C", "mµun", "coulomb coulombs"),
}
"""Of each kind: its sign, the prefixes that it is written with, its names."""
_OTHERS = {
    "metre": {
        "inch inches": Fraction(254, 10_000), "ft foot feet": Fraction(3048, 10_000),
        "yd yard yards": Fraction(9144, 10_000), "mi mile miles": Fraction(1_609_344, 1000),
    },
    "gram": {
        "lb lbs pound pounds": Fraction(45_359_237, 100_000), "oz ounce ounces": Fraction(45_359_237, 1_600_000),
        "tonne tonnes": Fraction(10**6),
    },
    "second": {
        "min mins minute minutes": Fraction(60), "h hr hrs hour hours": Fraction(3600), "day days": Fraction(86_400),
        "week weeks": Fraction(604_800),
    },
}  # fmt: skip
_ATTACHED = "in"
"""Inches, where nothing stands between it and the figure: else it is a word."""


@dataclass(frozen=True, slots=True)
class _Unit:
    kind: str
    size: Fraction
    """In the kind's own unit."""


def _units() -> dict[str, _Unit]:
    found: dict[str, _Unit] = {}
    for kind, (sign, prefixes, names) in _BASES.items():
        for prefix in ("", *prefixes):
            found[prefix + sign] = _Unit(kind, _PREFIXES[prefix])
        for name in names.split():
            found[name] = _Unit(kind, Fraction(1))
            found |= {word + name: _Unit(kind, _PREFIXES[prefix]) for word, prefix in _PREFIX_WORDS.items()}
    for kind, others in _OTHERS.items():
        found |= {name: _Unit(kind, size) for names, size in others.items() for name in names.split()}
    return found | {_ATTACHED: found["inch"]}


_UNITS = _units()
_NAME = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_END = r"(?![\w/²³^·*%])(?!\s*(?:per\b|/|squared\b|cubed\b))"
_FIGURE = r"\d{1,3}(?:,\d{3}){1,4}(?:\.\d{1,15})?|\d{1,15}(?:\.\d{1,15})?"
_SAID = re.compile(rf"(?<![\w.,])(?P<figure>{_FIGURE})(?P<space>[\s-]?)(?P<unit>{_NAME}){_END}")
_WANTED = (
    re.compile(rf"\b(?:in|of)\s+(?P<unit>{_NAME}){_END}"),
    re.compile(rf"\((?P<unit>{_NAME})\)"),
)
"""In words, or else as a sign in brackets: a letter there may also be the quantity's."""
_BETWEEN = re.compile(r"\s*(?:,|and\b)?\s*")


def numbers_in_unit(request: str, about: str, numbers: Iterable[float]) -> tuple[float, ...]:
    """The numbers that a request says, those with a unit as many of the unit that is wanted.

    :param about: the description of the argument.
    :param numbers: all that the request says.
    """
    wanted = next((found for pattern in _WANTED if (found := pattern.search(about)) is not None), None)
    if wanted is None:
        return tuple(numbers)
    unit = _UNITS[wanted["unit"]]
    converted: dict[float, list[float]] = {}
    for kind, figures, size in _quantities(request):
        if kind == unit.kind:
            converted |= {figure: converted.get(figure, []) for figure in figures}
            converted[figures[0]] = [*converted[figures[0]], float(round(size / unit.size, 12))]
    return tuple(dict.fromkeys(one for number in numbers for one in converted.get(number, [number])))


def _quantities(request: str) -> list[tuple[str, list[float], Fraction]]:
    """Kind, figures and size of each; what is said in two units (5ft 10in) is one."""
    found: list[tuple[str, list[float], Fraction]] = []
    end, least = -1, Fraction(0)
    for match in _SAID.finditer(request.replace("\u03bc", "\u00b5")):
        if match["unit"] == _ATTACHED and match["space"]:
            continue
        unit, figure = _UNITS[match["unit"]], Fraction(match["figure"].replace(",", ""))
        goes_on = bool(found) and found[-1][0] == unit.kind and unit.size < least
        if goes_on and _BETWEEN.fullmatch(request[end : match.start()]):
            kind, figures, size = found.pop()
            found.append((kind, [*figures, float(figure)], size + figure * unit.size))
        else:
            found.append((unit.kind, [float(figure)], figure * unit.size))
        end, least = match.end(), unit.size
    return found
