"""Spans of days that share a month or a year: "between 10 and 12 June 2024", "June 10-12", "6月10-12日".

Each end is a day once what it leaves out is taken from the other; `agent.dates` says which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from agent.dates import MONTH_NAME, NUMBER_OF_DAY, Day, parse_day
from agent.late_pattern import LatePattern

__all__ = ["DAY_SPAN", "parse_day_span"]

_TO = r"\s*(?:-|–|—|~|～|\bto\b|\bthrough\b|\buntil\b|\btill\b|(?P<j>\band\b))\s*(?:the )?"
"""`and` joins two days, and is a span only after `between`."""
_NUMBER = r"\d{1,2}(?:st|nd|rd|th)?"
_BEGIN = r"(?:\b(?:from|(?P<i>between))\b (?:the )?)?"
_NO_CLOCK = rf"(?![\d:/.]|\s?[ap]\.?m\b| (?:of )?{MONTH_NAME})"
_CHINESE_TO = r"\s*(?:到|至|-|–|—|~|～|[和与](?=\s*\S{1,4}[日号]?之?间))\s*"


def _numbered(pattern: str, number: int) -> str:
    """The names of a pattern's groups, so that they stand once in the whole."""
    return re.sub(r"\(\?P<(\w)>", rf"(?P<\g<1>{number}>", pattern)


_SPANS = (
    rf"{_BEGIN}(?<![\d.,:/-])(?P<a>{_NUMBER}){_TO}(?P<b>{_NUMBER})(?: of)? (?P<m>{MONTH_NAME})(?:,? (?P<y>\d{{4}})\b)?",
    rf"{_BEGIN}\b(?P<m>{MONTH_NAME}) (?P<a>{_NUMBER}){_TO}(?P<b>{_NUMBER}){_NO_CLOCK}(?:,? (?P<y>\d{{4}})\b)?",
    rf"[从在]?(?:(?P<y>\d{{4}})年\s*)?(?<!\d)(?P<m>{NUMBER_OF_DAY})月\s*(?P<a>{NUMBER_OF_DAY})[日号]?"
    rf"{_CHINESE_TO}(?P<b>{NUMBER_OF_DAY})[日号](?:之间|期间|间)?",
)
DAY_SPAN = LatePattern("|".join(_numbered(span, i) for i, span in enumerate(_SPANS)), re.IGNORECASE)
_CHINESE = 2


def parse_day_span(match: re.Match[str], today: date, within: tuple[date, date] | None) -> tuple[Day, Day] | None:
    """First and last day of a span that DAY_SPAN found; None where one of them is no day, or it runs backwards."""
    said = {name[0]: text for name, text in match.groupdict().items() if text}
    chinese = match[f"m{_CHINESE}"] is not None
    if "j" in said and "i" not in said:
        return None
    first = parse_day(_written(said, said["a"], said.get("y"), chinese=chinese), today, within)
    if first is None:
        return None
    last = parse_day(_written(said, said["b"], f"{first.first.year}", chinese=chinese), today, within)
    return None if last is None or last.first < first.first else (first, last)


def _written(said: Mapping[str, str], day: str, year: str | None, *, chinese: bool) -> str:
    if chinese:
        return f"{year}年{said['m']}月{day}日" if year else f"{said['m']}月{day}日"
    return f"{said['m']} {day}{f', {year}' if year else ''}"
