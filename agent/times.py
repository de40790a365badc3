"""Spans of time in the person's words, resolved to explicit instants that an answer states.

First form: durations ("最近三天", "past 24 hours") and calendar spans (today, 昨天, this week). `find_periods` finds
the phrases, `resolve_period` turns one into a start and an end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["Period", "find_periods", "parse_number", "resolve_period"]

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ENGLISH = {word: i for i, word in enumerate(_WORDS)}
_NUMBER = r"(?:\d+|[零一二两三四五六七八九十百]+|半)"
_ENGLISH_NUMBER = rf"(?:\d+|{'|'.join(_ENGLISH)})"
_UNITS = {
    "分钟": "minutes",
    "个小时": "hours",
    "小时": "hours",
    "天": "days",
    "日": "days",
    "周": "weeks",
    "个星期": "weeks",
    "星期": "weeks",
    "个月": "months",
    "minute": "minutes",
    "hour": "hours",
    "day": "days",
    "week": "weeks",
    "month": "months",
    "年": "years",
    "year": "years",
}
_CHINESE_SPAN = re.compile(
    rf"(?:最近|过去|近|这|(?<!大)前)(?:的)?\s*(?P<n>{_NUMBER})\s*"
    r"(?P<unit>分钟|个小时|小时|天|日|个星期|星期|周|个月|年)(?:内|以内|里|来)?"
)
_ENGLISH_SPAN = re.compile(
    rf"(?:in |over |within |during )?(?:the )?(?:last|past|previous) (?:(?P<n>{_ENGLISH_NUMBER}) )?"
    r"(?P<unit>minute|hour|day|week|month|year)s?\b",
    re.IGNORECASE,
)
_CALENDAR = re.compile(
    r"今天|今日|昨天|昨日|大前天|前天|上上周(?![一二三四五六日天末])|(?:本周|这周|(?<!上)上周)(?![一二三四五六日天末])|"
    r"本月|这个月|上个月|\b(?:today|the day before yesterday|yesterday|this week|this month)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open span of time."""

    phrase: str
    """As the person said it."""
    start: datetime
    end: datetime

    def stated(self) -> str:
        """Start and end as an answer states them, to the minute."""
        return f"{self.start:%Y-%m-%d %H:%M} – {self.end:%Y-%m-%d %H:%M}"


def find_periods(text: str) -> list[tuple[int, str]]:
    """Where spans of time stand in a text: (offset, phrase), in order."""
    found = [
        (m.start(), m.group().strip())
        for rule in (_CHINESE_SPAN, _ENGLISH_SPAN, _CALENDAR)
        for m in rule.finditer(text)
    ]
    return sorted(found)


def parse_number(text: str) -> float | None:
    """A count in digits, Chinese numerals up to 999, or an English word up to twelve; None where it is neither."""
    word = text.strip().lower()
    if re.fullmatch(r"\d+(?:\.\d+)?", word):
        return float(word)
    if word in _ENGLISH:
        return float(_ENGLISH[word])
    if word == "半":
        return 0.5
    return _chinese_number(word)


def resolve_period(phrase: str, now: datetime) -> Period | None:
    """The instants that a phrase means.

    :param phrase: one that `find_periods` found.
    :param now: the plant's clock; its offset (or lack of one) is kept.
    :returns: None where the phrase is not a span of time.
    """
    span = _CHINESE_SPAN.fullmatch(phrase) or _ENGLISH_SPAN.fullmatch(phrase)
    if span:
        count = parse_number(span["n"]) if span["n"] else 1.0
        if count is None:
            return None
        try:
            return Period(phrase, now - _length(count, _UNITS[span["unit"].lower()]), now)
        except OverflowError:  # longer than there are years
            return None
    if _CALENDAR.fullmatch(phrase):
        return _calendar(phrase, now)
    return None


def _length(count: float, unit: str) -> timedelta:
    if unit in ("months", "years"):
        return timedelta(days=(30 if unit == "months" else 365) * count)
    return timedelta(**{unit: count})


def _calendar(phrase: str, now: datetime) -> Period:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    match phrase.lower():
        case "今天" | "今日" | "today":
            return Period(phrase, today, now)
        case "昨天" | "昨日" | "yesterday":
            return Period(phrase, today - timedelta(days=1), today)
        case "大前天":
            return Period(phrase, today - timedelta(days=3), today - timedelta(days=2))
        case "上上周":
            return Period(phrase, monday - timedelta(days=14), monday - timedelta(days=7))
        case "前天" | "the day before yesterday":
            return Period(phrase, today - timedelta(days=2), today - timedelta(days=1))
        case "本周" | "这周" | "this week":
            return Period(phrase, monday, now)
        case "上周":
            return Period(phrase, monday - timedelta(days=7), monday)
        case "上个月":
            return Period(phrase, (first - timedelta(days=1)).replace(day=1), first)
        case _:
            return Period(phrase, first, now)


def _chinese_number(word: str) -> float | None:
    if not word or any(c not in _DIGITS and c not in "十百" for c in word):
        return None
    total, digit = 0, 0
    for c in word:
        if c in _DIGITS:
            digit = _DIGITS[c]
        else:
            total += (digit or 1) * (10 if c == "十" else 100)
            digit = 0
    return float(total + digit)
