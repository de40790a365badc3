"""What the words on a dial are: units, a factor for its numbers, the name of what is measured.

A dial carries much that is none of these: standards, classes of accuracy, makers, types. The type of a panel meter ends
with what it measures, and is believed where no unit is printed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from plugins.panel.gauges.numerals import Printed, printed_number
from plugins.panel.grammar import plain
from plugins.panel.words import COUNTERS, UNITS

__all__ = ["factor_of", "name_of", "named_unit", "small_print", "typed_units", "unit_for", "units_of", "value_in"]

_FACTOR = re.compile(r"[xX×*]\s?(10{1,4})(?![\d.])|[xX×]\s?10\^?([2-4²³])")
_TYPE_UNIT = re.compile(r"[A-Z0-9]{2,8}[-—]?\d?[-—](k?V|m?A|Hz|[kM]?W|M?var)", re.IGNORECASE)
"""The type of a panel meter ends with what it measures: `CP72-V`, `42L6-A`."""
_STANDARD = re.compile(
    r"\b(?:GB|JB|EN|DIN|IEC|ISO|ANSI|ASME|JIS|BS|CE|CMC|MC|NO|SN|S/N|TYPE|MODEL|IP\d\d|MADE IN|CL|CLASS|KL|ACC)\b"
    r"|\d{4}[-/.年]|[\d.]+级|GB/?T|www\.|精度|编号|出厂|制造|有限公司",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"[A-Za-z]{3,}[A-Za-z .%°/()]*"
    r"|(?:\d+(?:[-~]\d+|[#.]))?[\u4e00-\u9fff]{2,}[\u4e00-\u9fffA-Za-z0-9 .%°℃/()（）]*"
)
_CAPTION = re.compile(rf"(?=.*[A-Za-z]{{3}})[A-Za-z][\w .,%°℃/()&#:'+²³-]*|{_NAME.pattern}")
_COMMON = frozenset(unit for unit in UNITS if unit not in COUNTERS and unit != "min")
_MEASURED_TEXT = """
V kV KV mV A mA kA W kW KW MW Hz HZ var kvar Mvar VA kVA bar Bar mbar MPa Mpa MPA kPa KPa Pa hPa psi PSI kgf/cm²
kgf/cm2 kg/cm² kg/cm2 °C ℃ °F ℉ C F °c % %RH RH% rpm RPM r/min R/min m/s km/h L/min l/min m³/h m3/h mmHg inHg
mmH2O Ω cosφ mm m kg kN N Nm N·m 千伏 伏 安 兆帕
"""
_MEASURED = frozenset(_MEASURED_TEXT.split())
_SPELLING = {
    "C": "°C",
    "°℃": "°C",
    "°c": "°C", "F": "°F", "Mpa": "MPa", "MPA": "MPa", "KPa": "kPa", "KPA": "kPa", "HZ": "Hz", "KV": "kV",
    "Bar": "bar", "BAR": "bar", "KW": "kW", "RPM": "r/min", "lbf/in2": "psi", "psl": "psi", "PSI": "psi", "mpa": "MPa",
    "MP2": "MPa", "MPE": "MPa", "KPA.": "kPa",
}  # fmt: skip
_VALUE = re.compile(r"[+-]?[\d.,]+\s*(\D+)")
_BRACKETED = re.compile(r"(.*\S)\s*[(\[（]\s*(\S+?)\s*[)\]）]")
_FOLLOWED = re.compile(r"(.*\S)[\s,]+(%|\S{2,}|℃)")
"""A single letter may be a part of the name: `ZONE A`."""
_TELLING = re.compile(r"(.*(?:volt|voltage|电压))\s*(V)|(.*(?:current|电流))\s*(A)|(.*\S)\s*(℃|°)", re.IGNORECASE)
"""Where the name says what is measured, its letter is the unit."""
_SHORT = frozenset({"h", "°"})
_PER_BAR = {"bar": 1.0, "mbar": 1000.0, "kPa": 100.0, "MPa": 0.1, "psi": 14.504, "kgf/cm²": 1.0197, "kg/cm²": 1.0197}
_PER_BAR |= {"kgf/cm2": 1.0197, "kg/cm2": 1.0197, "Pa": 1e5, "hPa": 1000.0, "mmHg": 750.06, "inHg": 29.53}
_PER_KELVIN = {"°C": 1.0, "°F": 1.8}


def units_of(texts: Sequence[Printed]) -> list[tuple[str, Printed]]:
    """Units that are printed, the largest print first."""
    found: list[tuple[float, str, Printed]] = []
    for text in texts:
        line = _FACTOR.sub("", plain(text.text).strip().strip("()[]")).strip()
        after = _VALUE.fullmatch(line)
        unit = _known_unit(line) or (_known_unit(after[1]) if after else "")
        if unit:
            found.append((text.height, unit, text))
    found.sort(key=lambda one: -one[0])
    return [(unit, text) for _, unit, text in found]


def typed_units(texts: Sequence[Printed]) -> list[tuple[str, Printed]]:
    """Units that the types of panel meters end with."""
    typed = [(_TYPE_UNIT.fullmatch(plain(text.text).replace(" ", "")), text) for text in texts]
    return [(_SPELLING.get(found[1], found[1]), text) for found, text in typed if found]


def unit_for(units: Sequence[str], ratio: float | None) -> str | None:
    """The unit of a scale.

    :param units: those on the dial, the most likely first.
    :param ratio: how many of a second scale's units make one of this scale's; None where there is no second scale.
    :returns: empty where none is printed; None where it cannot be told which of them it is.
    """
    different = list(dict.fromkeys(units))
    if len(different) < 2:
        return different[0] if different else ""
    if ratio is None:
        return None
    for table in (_PER_BAR, _PER_KELVIN):
        for first in different:
            for second in different:
                known = first != second and first in table and second in table
                if known and abs(table[second] / table[first] / ratio - 1) < 0.08:
                    return first
    return None


def factor_of(texts: Sequence[Printed]) -> float:
    """What the numbers of the scale are multiplied by: 1 unless the dial says so."""
    for text in texts:
        line = plain(text.text).strip()
        times = _FACTOR.search(line)
        if times and printed_number(line) is None:
            return float(times[1]) if times[1] else 10.0 ** int(times[2].translate(str.maketrans("²³", "23")))
    return 1.0


def value_in(text: str) -> float | None:
    """The number of a text that is one, with or without a unit."""
    line = plain(text).strip()
    after = _VALUE.fullmatch(line)
    return printed_number(line[: after.start(1)] if after and _known_unit(after[1]) else line)


def named_unit(label: str) -> tuple[str, str]:
    """A name without the unit behind it, and the unit: `Frequency (Hz)`."""
    found = _BRACKETED.fullmatch(label) or _FOLLOWED.fullmatch(label) or _TELLING.fullmatch(label)
    unit = _known_unit(plain(next(filter(None, found.groups()[1::2])))) if found else ""
    return (next(filter(None, found.groups())), unit) if found and unit else (label, "")


def _known_unit(line: str) -> str:
    line = line.strip()
    known = line in _MEASURED or line in _SPELLING or line in _SHORT or (line in _COMMON and len(line) > 1)
    return _SPELLING.get(line, line) if known else ""


def small_print(texts: Sequence[Printed]) -> list[Printed]:
    """Standards, classes and makers' codes, with the numbers that stand behind them: no values."""
    marks = [text for text in texts if _STANDARD.search(text.text) and value_in(text.text) is None]
    behind = [
        text
        for text in texts
        if printed_number(text.text) is not None
        and any(0 < text.x - mark.x < 3 * mark.width and abs(text.y - mark.y) < 0.5 * mark.height for mark in marks)
    ]
    return [*marks, *behind]


def name_of(texts: Sequence[Printed], *, apart: bool = False) -> str:
    """What is measured, where the dial says so: words that are no unit, standard, class or maker's code.

    :param apart: the words stand beside the dial, where codes are part of names.
    """
    form = _CAPTION if apart else _NAME
    named = [
        (t.height, t.text.strip())
        for t in texts
        if form.fullmatch(plain(t.text).strip())
        and not _STANDARD.search(t.text)
        and not _known_unit(plain(t.text).strip())
        and t.text.strip() not in _COMMON
        and t.score >= 0.8
    ]
    return max(named)[1] if named else ""
