"""Numbers, amounts and lengths of time as people say them, in figures and in words, in both languages.

"twenty-one and a half", "二十六度半", "一百二", "三成", "百分之五十", "half an hour", "一个半小时". A number that
cannot be held is none; nothing is rounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Amount", "Duration", "amount_at", "chinese_number", "duration_at"]

Unit = Literal["", "%", "°", "°C", "°F", "K", "gear"]
_MAX_DIGITS = 9

_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_EN = {word: value for value, word in enumerate(_UNITS)} | {word: 20 + 10 * at for at, word in enumerate(_TENS)}
_ZH = {char: value for row in ("零一二三四五六七八九", "〇壹贰叁肆伍陆柒捌玖") for value, char in enumerate(row)} | {
    "两": 2
}
_ZH_STEPS = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_ZH_DIGITS, _ZH_ALL = "".join(_ZH), "".join((*_ZH, *_ZH_STEPS))
_WORD = re.compile(r"[a-z]+")
_FIGURES = re.compile(rf"\d{{1,{_MAX_DIGITS}}}(?:\.\d{{1,6}})?(?![\d.]*\d)")
_ZH_RUN = re.compile(rf"[{_ZH_ALL}]+(?:点[{_ZH_DIGITS}]+)?")
_HALF = re.compile(r"\s*(?:and (?:a |one )?(?:half|1/2)|1/2)(?![a-z]| an? )")
_UNIT_WORDS: tuple[tuple[re.Pattern[str], Unit], ...] = tuple(
    (re.compile(pattern), unit)  # type: ignore[misc]
    for pattern, unit in (
        (r"\s*(?:%|percent\b|per cent\b|pct\b)", "%"),
        (r"\s*(?:°\s*c\b|degrees?\s+(?:celsius|centigrade|c\b)|celsius\b|摄氏度|度c\b)", "°C"),
        (r"\s*(?:°\s*f\b|degrees?\s+(?:fahrenheit|f\b)|fahrenheit\b|华氏度|度f\b)", "°F"),
        (r"\s*(?:°|-?degrees?\b|度)", "°"),
        (r"\s*(?:k\b|kelvins?\b|开尔文|开(?![着启的关]))", "K"),
        (r"\s*(?:档|挡|级)", "gear"),
    )
)
_LENGTHS = (
    ("hours", re.compile(r"[\s-]*(?:hours?\b|hrs?\b|个?小时|个?钟头|个钟)")),
    ("minutes", re.compile(r"[\s-]*(?:minutes?\b|mins?\b|分(?!之)钟?)")),
    ("seconds", re.compile(r"[\s-]*(?:seconds?\b|secs?\b|秒钟?)")),
)
_BELOW = {"hours": "minutes", "minutes": "seconds"}
_FIXED: tuple[tuple[re.Pattern[str], dict[str, int]], ...] = (
    (re.compile(r"(?:a )?(?:(?:half|1/2)[ -](?:an? )?hours?|半个?小时|半个?钟头)(?![a-z])"), {"minutes": 30}),
    (re.compile(r"(?:a |one )?quarter of an hour|一刻钟"), {"minutes": 15}),
    (re.compile(r"(?:three quarters of an hour|三刻钟)"), {"minutes": 45}),
    (re.compile(r"an hour and a half(?![a-z])"), {"hours": 1, "minutes": 30}),
    (re.compile(r"a minute and a half(?![a-z])"), {"minutes": 1, "seconds": 30}),
    (re.compile(r"(?:half|1/2)[ -](?:a )?minutes?(?![a-z])|半分钟"), {"seconds": 30}),
    (re.compile(r"an? hour(?![a-z])"), {"hours": 1}),
    (re.compile(r"an? minute(?![a-z])"), {"minutes": 1}),
    (re.compile(r"a couple of minutes(?![a-z])"), {"minutes": 2}),
)
_SHARES: tuple[tuple[re.Pattern[str], float], ...] = (
    (re.compile(r"three[ -]quarters(?! of an)"), 75.0),
    (re.compile(r"(?:a |one )quarter(?! of an)"), 25.0),
    (re.compile(r"two[ -]thirds"), 67.0),
    (re.compile(r"(?:a |one )third"), 33.0),
)
_A_DEGREE = re.compile(r"(?:half )?a degree(?![a-z])")
_ZH_SHARE = re.compile(r"([二三四五六七八九十])分之([一二三四五六七八九])")
_JOIN = re.compile(r"(?:\s*,?\s*and\s+|\s*,\s*|\s*[和零又]\s*|\s*)")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit."""

    value: float
    unit: Unit = ""
    worded: bool = False
    """Said in words, which may also be no number (one, 一)."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, in the parts it was said in."""

    parts: tuple[tuple[str, int], ...]
    """("hours", 1), ("minutes", 30): as slots name them."""

    @property
    def seconds(self) -> int:
        return sum(value * {"hours": 3600, "minutes": 60, "seconds": 1}[part] for part, value in self.parts)


def amount_at(low: str, at: int) -> tuple[Amount, int] | None:
    """The number that begins here, with its unit, and where it ends."""
    for prefix, sign, unit in (("百分之", 1, "%"), ("零下", -1, ""), ("minus ", -1, ""), ("负", -1, ""), ("-", -1, "")):
        if low.startswith(prefix, at) and (found := _number(low, at + len(prefix))) is not None:
            value, end, _ = found
            return _with_unit(low, sign * value, end, unit)
    if share := _share(low, at):
        return share
    if match := _A_DEGREE.match(low, at):
        return Amount(0.5 if match[0].startswith("half") else 1.0, "°"), match.end()
    found = _number(low, at)
    if found is None:
        return None
    value, end, worded = found
    if low.startswith("成", end) and 0 < value <= 10 and not low.startswith("成为", end):
        half = low.startswith("半", end + 1)
        return Amount(value * 10 + 5 * half, "%"), end + 1 + half
    amount, after = _with_unit(low, value, end, "")
    return Amount(amount.value, amount.unit, worded and not amount.unit), after


def _share(low: str, at: int) -> tuple[Amount, int] | None:
    """A quarter, 四分之三: as percent."""
    for pattern, share in _SHARES:
        if match := pattern.match(low, at):
            return Amount(share, "%"), match.end()
    if match := _ZH_SHARE.match(low, at):
        whole, part = _chinese(match[1]), _ZH[match[2]]
        if whole and part <= whole:
            return Amount(round(100 * part / whole), "%"), match.end()
    return None


def _with_unit(low: str, value: float, end: int, unit: str) -> tuple[Amount, int]:
    if unit == "%":
        return Amount(value, "%"), end
    for pattern, name in _UNIT_WORDS:
        if match := pattern.match(low, end):
            after = match.end()
            if low.startswith("半", after):
                return Amount(value + 0.5 if value >= 0 else value - 0.5, name), after + 1
            if halved := _HALF.match(low, after):
                return Amount(value + 0.5, name), halved.end()
            if name == "°" and (tenth := re.compile(r"[一二三四五六七八九]").match(low, after)):
                return Amount(value + _ZH[tenth[0]] / 10, name), tenth.end()
            return Amount(value, name), after
    return Amount(value), end


def _number(low: str, at: int) -> tuple[float, int, bool] | None:
    """Value, end, whether it was said in words."""
    if low.startswith("1/2", at):
        return None
    if match := _FIGURES.match(low, at):
        value, end = float(match[0]), match.end()
        half = _HALF.match(low, end)
        return (value + 0.5, half.end(), False) if half else (value, end, False)
    if match := _ZH_RUN.match(low, at):
        chinese = _chinese(match[0])
        return (chinese, match.end(), True) if chinese is not None else None
    return _english(low, at)


def _chinese(run: str) -> float | None:
    """二十六, 一百二 (120), 一百零五, 二点五, 五零 (50)."""
    whole, _, part = run.partition("点")
    fraction = float("0." + "".join(str(_ZH[char]) for char in part)) if part else 0.0
    if not any(char in _ZH_STEPS for char in whole):
        if len(whole) > _MAX_DIGITS:
            return None
        return int("".join(str(_ZH[char]) for char in whole)) + fraction
    total, digit, last = 0, 0, 0
    seen_digit = False
    for char in whole:
        if char in _ZH_STEPS:
            step = _ZH_STEPS[char]
            if last and step >= last:
                return None
            total += (digit if seen_digit else 1) * step
            digit, seen_digit, last = 0, False, step
        else:
            digit, seen_digit = _ZH[char], True
            last = 10 if char in "零〇" else last
    if seen_digit:
        total += digit * (last // 10 if last > 10 and whole[-2:-1] not in "零〇" and whole[-2] in _ZH_STEPS else 1)
    return total + fraction


def chinese_number(number: int) -> str:
    """0 to 99 as it is said: 12 is 十二, 20 二十."""
    tens, ones = divmod(number, 10)
    digits = "零一二三四五六七八九"
    if not tens:
        return digits[ones]
    return (digits[tens] if tens > 1 else "") + "十" + (digits[ones] if ones else "")


def _english(low: str, at: int) -> tuple[float, int, bool] | None:
    total, current, end, seen = 0, 0, at, False
    position = at
    while match := _WORD.match(low, position):
        word = match[0]
        if word in _EN:
            if seen and current % 10 and _EN[word] < 10:
                break
            current, seen = current + _EN[word], True
        elif word == "thousand" and 0 < current < 100:
            total, current = current * 1000, 0
        elif word == "hundred" and (seen or low[max(0, at - 2) : at] == "a "):
            current = (current or 1) * 100
        elif word == "a" and low.startswith("a hundred", position):
            current, seen, match = 100, True, re.compile("a hundred").match(low, position) or match
        elif word == "and" and seen and current % 100 == 0 and current:
            ahead = _WORD.match(low, match.end() + 1)
            if not ahead or ahead[0] not in _EN:
                break
            position = match.end() + 1
            continue
        else:
            break
        end = match.end()
        position = end + 1 if low[end : end + 1] in (" ", "-") else len(low)
    if not seen:
        return None
    value = float(total + current)
    if match := re.compile(r" point((?: (?:" + "|".join(_UNITS[:10]) + r"))+)").match(low, end):
        value += float("0." + "".join(str(_EN[word]) for word in match[1].split()))
        end = match.end()
    if half := _HALF.match(low, end):
        value, end = value + 0.5, half.end()
    return value, end, True


def duration_at(low: str, at: int) -> tuple[Duration, int] | None:
    """The length of time that begins here, in falling parts, and where it ends."""
    parts: dict[str, int] = {}
    position, end = at, at
    while position < len(low):
        found = _length(low, position)
        if found is None or any(
            name in parts or _rank(name) <= max(map(_rank, parts), default=-1) for name in found[0]
        ):
            break
        parts |= found[0]
        end = found[1]
        join = _JOIN.match(low, end)
        position = join.end() if join else end
    return (Duration(tuple(parts.items())), end) if parts else None


def _rank(name: str) -> int:
    return ("hours", "minutes", "seconds").index(name)


def _length(low: str, at: int) -> tuple[dict[str, int], int] | None:
    for pattern, parts in _FIXED:
        if match := pattern.match(low, at):
            return dict(parts), match.end()
    halved = re.compile(r"([一二两三四五六七八九十\d]+)个半(?=小时|钟头)").match(low, at)
    number = _number(low, at)
    if number is None:
        return None
    value, end, _ = number
    if halved:
        value, end = value + 0.5, halved.end()
    for name, pattern in _LENGTHS:
        if match := pattern.match(low, end):
            end = match.end()
            if low.startswith("半", end):
                value, end = value + 0.5, end + 1
            elif half := _HALF.match(low, end):
                value, end = value + 0.5, half.end()
            return _parts(name, value), end
    return None


def _parts(name: str, value: float) -> dict[str, int]:
    whole, rest = int(value), value - int(value)
    parts = {name: whole} if whole or not rest else {}
    if rest and name in _BELOW:
        parts[_BELOW[name]] = round(rest * 60)
    return parts
