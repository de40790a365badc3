"""Values that a request says: its numbers, in digits or words, and its days and times in the form that is asked for.

They are what an argument may be; nothing is computed beyond what the words mean (five per cent is 5 and 0.05, two
million is 2000000).
"""

from __future__ import annotations

import re
from datetime import date
from math import isfinite

from agent.dates import CLOCK, DAY, parse_clock, parse_day
from agent.numerals import parse_number

__all__ = ["clocks_said", "days_said", "numbers_said", "rates_said", "shares_said"]

_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000, "dozen": 12}
_SHORT = {"k": 1_000, "m": 1_000_000, "million": 1_000_000, "billion": 1_000_000_000, "thousand": 1_000, "万": 10_000,
          "亿": 100_000_000, "千": 1_000, "hundred": 100}  # fmt: skip
_SMALL = {word: i for i, word in enumerate(_UNITS)} | {word: 10 * i for i, word in enumerate(_TENS, 2)}
_RATES = {
    "decade": 10,
    "century": 100,
    "yearly": 1,
    "annually": 1,
    "quarterly": 4,
    "monthly": 12,
    "weekly": 52,
    "daily": 365,
    "double": 2,
    "half": 0.5,
    "twice": 2,
    "thrice": 3,
}
"""How many years, how often in a year, how many times."""
_DIGITS = re.compile(
    r"(?<![A-Za-z\d.])(?P<sign>[-−](?=\d))?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?:\d+(?:\.\d+)?|\.\d+)"
    r"(?:[eE][-+]?\d{1,3}(?!\w))?)"
    r"\s?(?P<scale>%|percent\b|per cent\b|million\b|billion\b|thousand\b|hundred\b|[kK]\b|M\b|万|亿|千)?"
)
_WORD = rf"(?:{'|'.join([*_SMALL, *_SCALES])})"
_WORDS = re.compile(
    rf"\b(?:(?<!\d )|(?!(?:{'|'.join(_SCALES)})\b)){_WORD}(?:[\s-]+(?:and\s+)?{_WORD})*\b(?P<percent>\s+per\s?cent)?",
    re.IGNORECASE,
)
"""In words; a scale behind a figure is the figure's (2 million)."""
_RATE = re.compile(rf"\b(?:{'|'.join(_RATES)})\b", re.IGNORECASE)
_CHINESE = re.compile(r"(?:百分之)?[零一二两三四五六七八九十百]+(?:点[零一二三四五六七八九]+)?")
_PLACE = re.compile(rf"\b(?:{'|'.join(_ORDINALS)})\b|\b(\d+)(?:st|nd|rd|th)\b", re.IGNORECASE)
_STILL = re.compile(r"\b(?:from|at) rest\b", re.IGNORECASE)
"""A speed of nought, in the words of physics."""
_JOINED = re.compile(r"(?<=[A-Za-z])\.?(?=\d)|(?<=\d),(?=\d{4}\b)")
"""Where a space is left out in a day: Jun.20,2023."""


def numbers_said(text: str) -> tuple[float, ...]:
    """Every number of a text, each once, in its order; a percentage also as a part of one."""
    found: list[tuple[int, float]] = []
    for match in _DIGITS.finditer(text):
        found += [(match.start(), value) for value in _from_digits(match)]
        found += [(match.start(), float(part)) for part in _listed(text, match)]
    for match in _WORDS.finditer(text):
        value = _from_words(match.group().lower())
        found += [(match.start(), value)] + ([(match.start(), value / 100)] if match["percent"] else [])
    for match in _CHINESE.finditer(text):
        found += [(match.start(), value) for value in _from_chinese(match.group())]
    for match in _PLACE.finditer(text):
        place = int(match[1]) if match[1] else _ORDINALS.index(match.group().lower()) + 1
        found.append((match.start(), float(place)))
    for match in _RATE.finditer(text):
        found.append((match.start(), float(_RATES[match.group().lower()])))
    found += [(match.start(), 0.0) for match in _STILL.finditer(text)]
    return tuple(dict.fromkeys(value for _, value in sorted(found, key=lambda f: f[0]) if isfinite(value)))


def rates_said(text: str) -> int:
    """How many words say a number as a rate: monthly, twice."""
    return len(_RATE.findall(text))


def shares_said(text: str) -> dict[float, float]:
    """Numbers that are said as percentages and not otherwise, and what part of one they are."""
    plain: set[float] = set()
    shares: dict[float, float] = {}
    for match in _DIGITS.finditer(text):
        values = _from_digits(match)
        if (match["scale"] or "").startswith(("%", "per")):
            shares[values[0]] = values[1]
        else:
            plain |= set(values)
    return {value: share for value, share in shares.items() if value not in plain}


def days_said(text: str, today: date, form: str) -> tuple[str, ...]:
    """Every day of a text, written as `form` has it: any of YYYY, MM, DD with what stands between them."""
    spaced = _JOINED.sub(" ", text)
    found = (parse_day(match.group(), today) for match in re.finditer(DAY, spaced, re.IGNORECASE))
    return tuple(dict.fromkeys(_formed(day.first, form) for day in found if day is not None))


def clocks_said(text: str) -> tuple[str, ...]:
    """Every time of day of a text, as HH:MM."""
    found = (parse_clock(match.group()) for match in re.finditer(CLOCK, text, re.IGNORECASE))
    return tuple(dict.fromkeys(f"{clock.time:%H:%M}" for clock in found if clock is not None))


def _formed(day: date, form: str) -> str:
    parts = {"YYYY": f"{day.year:04}", "MM": f"{day.month:02}", "DD": f"{day.day:02}"}
    for name, part in parts.items():
        form = form.replace(name, part)
    return form


def _listed(text: str, match: re.Match[str]) -> list[str]:
    """The numbers of [200,300,400]: in brackets, commas part them."""
    inside = text[: match.start()].rfind("[") > text[: match.start()].rfind("]")
    return match["digits"].split(",") if inside and "," in match["digits"] else []


def _from_digits(match: re.Match[str]) -> list[float]:
    value = float(match["digits"].replace(",", "")) * (-1 if match["sign"] else 1)
    scale = match["scale"] or ""
    if scale.startswith(("%", "per")):
        return [value, round(value / 100, 10)]
    known = _SHORT.get(scale.lower())
    if known is None:
        return [value]
    return [value, value * known] if scale in ("k", "K", "M") else [value * known]


def _from_words(words: str) -> float:
    """one hundred and twenty-five → 125."""
    total, part = 0, 0
    for word in re.findall(r"[a-z]+", words):
        if word in _SMALL:
            part += _SMALL[word]
        elif word in ("hundred", "dozen"):
            part = max(part, 1) * _SCALES[word]
        elif word in _SCALES:
            total, part = total + max(part, 1) * _SCALES[word], 0
    return float(total + part)


def _from_chinese(said: str) -> list[float]:
    whole, _, after = said.removeprefix("百分之").partition("点")
    value = parse_number(whole)
    if value is None:
        return []
    if after:
        digits = "".join(str(int(parse_number(c) or 0)) for c in after)
        value += float(f"0.{digits}")
    return [value, round(value / 100, 10)] if said.startswith("百分之") else [value]
