"""Numbers that are written as words, in Chinese (一百二十, 零点五, 负三) and English (forty eight), made digits.

Only what is plainly a number: a single 一 or "one" stands in too many names and turns of phrase.
"""

from __future__ import annotations

import re

__all__ = ["with_digits"]

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_SCALES = {"十": 10, "百": 100, "千": 1000}
_D = "[零〇一二两三四五六七八九]"
_CHINESE = re.compile(
    rf"负?(?:(?:{_D}[十百千万]|十)(?:{_D}|[十百千万])*(?:点{_D}+)?|{_D}点{_D}+)(?![点月日号周零〇一二两三四五六七八九十百千万])|负{_D}(?![{_D[1:-1]}十百千])"
)
_SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen"""
_ONES = {word: at for at, word in enumerate(_SMALL.split())}
_TENS = dict(twenty=20, thirty=30, forty=40, fifty=50, sixty=60, seventy=70, eighty=80, ninety=90)  # noqa: C408
_ANY = "|".join([*_ONES, *_TENS, "hundred", "thousand"])
_ENGLISH = re.compile(rf"\b(?:minus )?(?:{_ANY})(?:[ -](?:and )?(?:{_ANY}))*(?: point(?: (?:{'|'.join(_ONES)}))+)?\b")
_LEAST = 13
"""A smaller English word stands in too many phrases ("one of the pumps", "two days")."""


def with_digits(text: str) -> str:
    """A folded text with its written-out numbers as digits."""
    return _ENGLISH.sub(_from_english, _CHINESE.sub(_from_chinese, text))


def _from_chinese(match: re.Match[str]) -> str:
    whole, _, part = match.group().removeprefix("负").partition("点")
    sign = "-" if match.group().startswith("负") else ""
    decimals = "".join(str(_DIGITS[c]) for c in part)
    return f"{sign}{_whole(whole)}{'.' if decimals else ''}{decimals}"


def _whole(word: str) -> int:
    """一千二百零五 is 1205, 一百二 is 120, 三万五 is 35000."""
    high, ten_thousand, rest = word.rpartition("万")
    if ten_thousand and len(rest) == 1 and rest in _DIGITS:
        return _whole(high) * 10_000 + _DIGITS[rest] * 1000
    total, digit, scale, zero = (_whole(high) * 10_000 if ten_thousand else 0), 0, 1, False
    for c in rest:
        if c in _SCALES:
            scale, zero = _SCALES[c], False
            total, digit = total + (digit or 1) * scale, 0
        else:
            digit, zero = _DIGITS[c], zero or c in "零〇"
    return total + digit * (scale // 10 if digit and not zero and scale > 10 else 1)


def _from_english(match: re.Match[str]) -> str:
    words = re.split(r"[ -]", match.group().removeprefix("minus "))
    sign = "-" if match.group().startswith("minus ") else ""
    at = words.index("point") if "point" in words else len(words)
    total = part = 0
    for word in words[:at]:
        if word == "hundred":
            part = (part or 1) * 100
        elif word == "thousand":
            total, part = total + (part or 1) * 1000, 0
        else:
            part += _ONES.get(word, _TENS.get(word, 0))
    decimals = "".join(str(_ONES[word]) for word in words[at + 1 :])
    if total + part < _LEAST and not decimals and not sign:
        return match.group()
    return f"{sign}{total + part}{'.' if decimals else ''}{decimals}"
