"""What the texts on a dial can be: numbers of a scale, a unit, a factor, a name.

A reader loses decimal points and signs, and the needle covers digits. A number therefore has readings: the one as
printed, and cheaper ones that its neighbours must call for (`04` beside `0.8` is 0.4; `20` left of 0 may be -20).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from plugins.panel.grammar import plain
from plugins.panel.words import COUNTERS, UNITS

__all__ = ["Numeral", "Printed", "name_of", "numerals_of", "pieces_of", "printed_number", "unit_of"]

_NUMBER = re.compile(r"([+-]?)(\d{1,5}(?:[.,]\d{1,3})?|[.,]\d{1,3})")
_ZERO = frozenset({"O", "o", "D", "Q", "〇", "○", "°"})
"""A lone zero on a dial is read as these."""
_FACTOR = re.compile(r"[xX×*]\s?(10{1,4})(?![\d.])|[xX×]\s?10\^?([2-4²³])")
_TYPE_UNIT = re.compile(r"[A-Z0-9]{2,8}[-—]?\d?[-—](k?V|m?A|Hz|[kM]?W|M?var)", re.IGNORECASE)
"""The type of a panel meter ends with what it measures: `CP72-V`, `42L6-A`."""
_STANDARD = re.compile(
    r"\b(?:GB|JB|EN|DIN|IEC|ISO|ANSI|ASME|JIS|BS|CE|CMC|MC|NO|SN|S/N|TYPE|MODEL|IP\d\d|MADE IN|CL|CLASS|KL|ACC)\b"
    r"|\d{4}[-/.年]|[\d.]+级|GB/?T|www\.|精度|编号|出厂|制造|有限公司",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z]{3,}[A-Za-z .]*|(?:\d+(?:[-~]\d+|[#.]))?[\u4e00-\u9fff]{2,}[\u4e00-\u9fffA-Za-z0-9 ]*")
_COMMON = frozenset(unit for unit in UNITS if unit not in COUNTERS)
_MEASURED_TEXT = """
V kV KV mV A mA kA W kW KW MW Hz HZ var kvar Mvar VA kVA bar Bar mbar MPa Mpa MPA kPa KPa Pa hPa psi PSI kgf/cm²
kgf/cm2 kg/cm² kg/cm2 °C ℃ °F ℉ C F °c % %RH RH% rpm RPM r/min R/min m/s km/h L/min l/min m³/h m3/h mmHg inHg
mmH2O Ω cosφ mm m kg kN N Nm N·m 千伏 伏 安 兆帕
"""
_MEASURED = frozenset(_MEASURED_TEXT.split())
_SPELLING = {
    "C": "°C", "°c": "°C", "F": "°F", "Mpa": "MPa", "MPA": "MPa", "KPa": "kPa", "KPA": "kPa", "HZ": "Hz", "KV": "kV",
    "Bar": "bar", "BAR": "bar", "KW": "kW", "RPM": "r/min", "lbf/in2": "psi", "psl": "psi", "PSI": "psi", "mpa": "MPa",
    "MP2": "MPa", "MPE": "MPa", "KPA.": "kPa",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Printed:
    """A text on a dial, in pixels of the dial's picture."""

    text: str
    x: float
    y: float
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
    line = plain(text).strip().strip("'`·,:;|~_*").replace(" ", "")
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
        if value > 0 and not plain(text.text).strip().startswith("+"):
            found.append(Numeral(-value, 0.4 * size, text, True))
    return found


def unit_of(texts: Sequence[Printed]) -> tuple[str, float, Printed | None]:
    """Unit of the dial, the factor that its numbers are multiplied by, and the text that the unit stands in.

    Larger print wins, a meter's type is believed last.
    """
    factor = 1.0
    units: list[tuple[float, str, Printed]] = []
    for text in texts:
        line = plain(text.text).strip().strip("()[]")
        times = _FACTOR.search(line)
        if times and printed_number(line) is None:
            factor = float(times[1]) if times[1] else 10.0 ** int(times[2].translate(str.maketrans("²³", "23")))
            line = (line[: times.start()] + line[times.end() :]).strip()
        unit = _known_unit(line)
        if unit:
            units.append((text.height, unit, text))
            continue
        typed = _TYPE_UNIT.fullmatch(line.replace(" ", ""))
        if typed:
            units.append((0.0, _SPELLING.get(typed[1], typed[1]), text))
    if not units:
        return "", factor, None
    _, unit, text = max(units, key=lambda found: found[0])
    return unit, factor, text


def _known_unit(line: str) -> str:
    if line in _MEASURED or line in _SPELLING:
        return _SPELLING.get(line, line)
    return ""


def name_of(texts: Sequence[Printed]) -> str:
    """What is measured, where the dial says so: words that are no unit, standard, class or maker's code."""
    named = [
        (t.height, t.text.strip())
        for t in texts
        if _NAME.fullmatch(plain(t.text).strip())
        and not _STANDARD.search(t.text)
        and not _known_unit(plain(t.text).strip())
        and t.text.strip() not in _COMMON
        and t.score >= 0.8
    ]
    return max(named)[1] if named else ""
