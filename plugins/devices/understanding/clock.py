"""Times of day as people say them: "at 7 pm", "half past seven", 晚上十点, 明早七点半; how long it is until then.

Said without morning or evening it is the next time that the clock shows so, and the answer says which that is. What
has passed today is tomorrow, unless today was said: that is not understood. A bare number is a time only where nothing
else can be meant: "turn it off at 7", 台灯七点关; 亮一点 and "set it at 7" stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from plugins.devices.understanding.lexicon import Sense
from plugins.devices.understanding.numbers import Duration, amount_at
from plugins.devices.understanding.ranges import BETWEEN
from plugins.devices.understanding.tokens import Token

__all__ = ["DUE", "with_times"]

_HALF_DAY = 12
DUE = "due"
"""Sense of a token that is a time of day."""
_H = r"(?P<hour>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_HALF = (
    r"(?P<part>half past|(?:a )?quarter (?:past|to)|(?:\d{1,2}|five|ten|twenty|twenty-five)(?: minutes)? (?:past|to)) "
)
_DAY = r"(?P<{}>tonight|tomorrow(?: morning| afternoon| evening| night)?|today|this (?:morning|afternoon|evening))"
_EN = re.compile(
    rf"\b(?:{_DAY.format('before')} )?(?P<at>at |around )?(?:(?P<named>noon|midday|midnight)|(?:{_HALF})?{_H}"
    r"(?::(?P<minute>[0-5]\d))?(?P<clock> ?o'?clock)?(?: ?(?P<half>am|pm|a\.m\.?|p\.m\.?))?)"
    rf"(?P<inthe> in the (?:morning|afternoon|evening)| at night)?(?: {_DAY.format('after')})?(?![a-z\d:%°])"
)
_ZH_NUMBER = r"\d{1,2}|[一二两三四五六七八九十]{1,3}"
_ZH = re.compile(
    r"(?P<lead>[在到等]|^|(?<=[,，、;；]))(?P<day>今天|今晚|明天|明早|明晚|今早|后天)?的?"
    r"(?P<part>凌晨|早上|早晨|清晨|上午|中午|正午|下午|傍晚|晚上|晚间|夜里|夜间|半夜)?"
    rf"(?P<hour>{_ZH_NUMBER})(?:点钟|点|时(?!候)|[::](?=[0-5]\d))(?P<rest>半|一刻|三刻|整|(?:{_ZH_NUMBER}|[0-5]\d)分?(?!度))?钟?"
)
_ZH_LOOSE = re.compile(_ZH.pattern.replace(r"(?P<lead>[在到等]|^|(?<=[,，、;；]))", r"(?P<lead>)"))
_ZH_ACTS = re.compile(r"(?:就|再|请|帮我|给我)?(?:把|将|打?开|关|启动|停|锁)")
_BOUNDS = ("and", "then", "mark")
_SWITCH = {"on", "off", "open", "close", "lock", "unlock", "start", "stop", "press", "light_up"}
_ANY = datetime(2000, 1, 1, 0, 0)
_EVENING = ("下午", "傍晚", "晚上", "晚间", "今晚", "明晚")
_NIGHT = ("夜里", "夜间", "半夜")
_MORNING = ("凌晨", "早上", "早晨", "清晨", "上午", "明早", "今早")
_NOON = ("中午", "正午")


def with_times(
    tokens: Sequence[Token], low: str, now: datetime | None, again: Callable[[int], tuple[Token, ...]]
) -> tuple[Token, ...]:
    """The tokens, with one in the place of each time of day: its duration is from now until then.

    Where nobody knows what time it is now, a time of day is unknown, so that nothing is done at once instead.

    :param again: gives the tokens from a position on, where one began within a time: 半关 in 七点半关灯.
    """
    found = tuple(tokens)
    for start, end, wait in (*_times(low, now or _ANY), *_bare(found, now or _ANY)):
        inside = [token for token in found if token.start < end and token.end > start]
        if not inside or inside[0].start < start or any(one.has("name", BETWEEN, DUE) for one in inside):
            continue
        due = Token(start, end, low[start:end])
        if now is not None:
            due = Token(start, end, low[start:end], (Sense(DUE, ""),), duration=_parts(wait))
        at = found.index(inside[0])
        behind = found[at + len(inside) :] if inside[-1].end <= end else again(end)
        found = (*found[:at], due, *behind)
    return found


def _times(low: str, now: datetime) -> Iterator[tuple[int, int, int]]:
    """Begin, end, seconds from now."""
    for match in _EN.finditer(low):
        wait = _english(match, now)
        if wait is not None:
            yield match.start(), match.end(), wait
    for pattern in (_ZH, _ZH_LOOSE):
        for match in pattern.finditer(low):
            wait = _chinese(match, now)
            if wait is not None:
                yield match.start(), match.end(), wait


def _bare(tokens: Sequence[Token], now: datetime) -> Iterator[tuple[int, int, int]]:
    """ "turn it off at 7", where a clause only switches: what it would set at 7 it does not say."""
    for at, token in enumerate(tokens[:-1]):
        amount = tokens[at + 1].amount
        if token.text != "at" or amount is None or amount.unit or amount.value not in range(1, 13):
            continue
        clause = _clause(tokens, at)
        ends = at + 2 == len(tokens) or tokens[at + 2].has(*_BOUNDS, "polite", "verb")
        if ends and _only_switches(clause):
            wait = _until(now, int(amount.value), 0, "", tomorrow=False, today=False)
            if wait is not None:
                yield token.start, tokens[at + 1].end, wait


def _only_switches(clause: Sequence[Token]) -> bool:
    """ "turn … off" is one verb in two words."""
    particles = {one.value("particle") for one in clause if one.has("particle")}
    verbs = {one.value("verb") for one in clause if one.has("verb")} - ({"set"} if particles else set())
    sets = any(one.has("attr", "level", "change", "color") for one in clause)
    return bool(verbs | particles) and verbs | particles <= _SWITCH and not sets


def _clause(tokens: Sequence[Token], at: int) -> Sequence[Token]:
    """The tokens of one order around a position."""
    begin = next((n + 1 for n in range(at - 1, -1, -1) if tokens[n].has(*_BOUNDS)), 0)
    end = next((n for n in range(at, len(tokens)) if tokens[n].has(*_BOUNDS)), len(tokens))
    return tokens[begin:end]


def _english(match: re.Match[str], now: datetime) -> int | None:
    said = match["before"] or match["after"] or ""
    part = " ".join(filter(None, (said, match["inthe"])))
    clear = match["minute"] or match["clock"] or match["half"] or match["part"] or part
    if match["named"]:
        hour, minute, half = (0 if match["named"] == "midnight" else 12), 0, "day"
    elif not clear or not (match["at"] or match["half"] or match["part"] or match["clock"] or said):
        return None
    else:
        hour, minute, half = _number(match["hour"]), int(match["minute"] or 0), _half(match["half"], part)
        if match["part"]:
            shift = _shift(match["part"])
            if hour > _HALF_DAY:
                return None  # "20 to 24"
            hour, minute = (hour, shift) if shift >= 0 else ((hour - 1) % 24, 60 + shift)
    return _until(
        now, hour, minute, half, tomorrow="tomorrow" in said, today=said.startswith(("today", "this", "tonight"))
    )


def _half(said: str | None, part: str) -> str:
    if said:
        return said[0] + "m"
    if any(word in part for word in ("afternoon", "evening", "night", "tonight")):
        return "pm"
    return "am" if "morning" in part else ""


def _shift(part: str) -> int:
    minutes = 30 if "half" in part else 15 if "quarter" in part else _number(part.split()[0])
    return -minutes if part.endswith("to") else minutes


def _chinese(match: re.Match[str], now: datetime) -> int | None:
    day, part, rest = match["day"] or "", match["part"] or "", match["rest"] or ""
    hour = _number(match["hour"])
    if not (day or part) and match.re is _ZH_LOOSE and (hour == 1 or not _ZH_ACTS.match(match.string, match.end())):
        return None  # 亮一点, 调高两点
    minute = {"": 0, "整": 0, "半": 30, "一刻": 15, "三刻": 45}.get(rest)
    minute = _number(rest.rstrip("分")) if minute is None else minute
    half = ""
    if part in _EVENING or day in _EVENING:
        half = "pm"
    elif part in _NIGHT:
        half = "pm" if 6 <= hour < 12 else "am"
    elif part in _MORNING or day in _MORNING:
        half = "am"
    elif part in _NOON:
        half = "pm" if hour < 11 else "day"
    days = 2 if day == "后天" else 1 if day.startswith("明") else 0
    return _until(now, hour, minute, half, tomorrow=days == 1, today=day.startswith("今"), days=days)


def _until(
    now: datetime, hour: int, minute: int, half: str, *, tomorrow: bool, today: bool, days: int = 0
) -> int | None:
    """Seconds until the clock shows so; None where it does not, or where it has and today was said."""
    days = max(days, int(tomorrow))
    midnight = half == "pm" and hour == 12 and minute < 60
    if half == "am" and hour == 12:
        hour = 0
    if half == "pm" and hour < 12:
        hour += 12
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return None
    start = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)
    hours = [hour, hour + 12] if not half and hour <= 12 and not days else [hour]
    if midnight and not days and now.hour >= 12:
        hours = [24]
    ahead = [at for h in hours if (at := start + timedelta(hours=h, minutes=minute)) > now]
    if not ahead and not today and not days:
        ahead = [start + timedelta(days=1, hours=hours[0], minutes=minute)]
    return round((ahead[0] - now).total_seconds()) if ahead else None


def _number(said: str) -> int:
    found = amount_at(said, 0)
    return int(found[0].value) if found else 99


def _parts(seconds: int) -> Duration:
    parts = (("hours", seconds // 3600), ("minutes", seconds % 3600 // 60), ("seconds", seconds % 60))
    return Duration(tuple((name, value) for name, value in parts if value) or (("seconds", 0),))
