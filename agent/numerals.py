"""Counts in digits, in Chinese numerals and in English words."""

from __future__ import annotations

import re

__all__ = ["ENGLISH_NUMBERS", "parse_number"]

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
ENGLISH_NUMBERS = {word: i for i, word in enumerate(_WORDS)}


def parse_number(text: str) -> float | None:
    """A count in digits, Chinese numerals up to 999, or an English word up to twelve; None where it is neither."""
    word = text.strip().lower()
    if re.fullmatch(r"\d+(?:\.\d+)?", word):
        return float(word)
    if word in ENGLISH_NUMBERS:
        return float(ENGLISH_NUMBERS[word])
    if word == "半":
        return 0.5
    return _chinese_number(word)


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
