"""When a report is written: five fields of cron, or a phrase in Chinese or English that means the same.

    0 6 * * 1                        every Monday at 6:00
    every Monday 6:00, 每周一早上六点  likewise

The time has to be said; a phrase that is not understood whole is refused, never guessed. Instants are found in a time
zone: on the night when clocks go forward, a time that does not exist is run at the first moment after it; when they go
back, a time that comes twice is run once (as cron of Debian does).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.errors import InputError
from agent.numerals import parse_number

__all__ = ["box_zone", "next_after", "parse_when", "previous_before", "zone_of"]

_EXAMPLE = "for example “every Monday 6:00”, “每周一早上六点” or “0 6 * * 1”"
_FIELD = r"[\d*,/\-A-Za-z#]+"
_CRON = re.compile(rf"{_FIELD}(?:\s+{_FIELD}){{4}}")
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_ZH_DAYS = {c: n for n, c in enumerate("日一二三四五六")} | {"天": 0}
_NUM = r"(?:\d{1,2}|[零一二两三四五六七八九十]{1,3})"
_ZH_TIME = re.compile(
    rf"(?P<half>凌晨|清晨|早上|早晨|早|上午|中午|下午|傍晚|晚上|夜里|晚)?"
    rf"(?P<h>{_NUM})(?:[点时](?:(?P<m>半|一刻|三刻|{_NUM}分?|整))?|[:：](?P<mm>\d{{2}}))"
)
_EN_TIME = re.compile(
    r"(?:at )?(?:(?P<h>\d{1,2})(?:[:.](?P<m>\d{2}))? ?(?P<half>am|pm)|(?P<h24>\d{1,2}):(?P<m24>\d{2})|"
    r"(?P<word>noon|midnight))"
)
_EN_DAY = "|".join(rf"{d}s?|{d[:3]}" for d in _DAYS)
_AND = r"(?:, | and |, and |,)"


def parse_when(text: str) -> str:
    """The five fields that a text means.

    :raises InputError: it is not understood, or says no time.
    """
    said = " ".join(text.split())
    if _CRON.fullmatch(said):
        return _checked(said)
    cron = _english(said.casefold()) or _chinese(said.replace(" ", ""))
    if cron is None:
        raise InputError(f"{said[:80]!r}: not understood as a time to repeat; write {_EXAMPLE}")
    return _checked(cron)


def next_after(cron: str, zone: str, moment: datetime) -> datetime:
    """The first instant after a moment, in UTC.

    :raises InputError: there is none (30 February).
    """
    simulation = _simulation()
    try:
        found = next(simulation(cron, moment.astimezone(zone_of(zone))))
    except StopIteration:
        raise InputError(f"{cron}: never comes; write {_EXAMPLE}") from None
    return found.astimezone(UTC)


def previous_before(cron: str, zone: str, moment: datetime) -> datetime:
    """The last instant at or before a moment, in UTC.

    :raises InputError: there is none.
    """
    simulation = _simulation()
    at = moment.astimezone(zone_of(zone))
    if at.timestamp() == next_after(cron, zone, datetime.fromtimestamp(at.timestamp() - 1, UTC)).timestamp():
        return at.astimezone(UTC)
    try:
        found = next(simulation(cron, at, reverse=True))
    except StopIteration:
        raise InputError(f"{cron}: never came; write {_EXAMPLE}") from None
    return found.astimezone(UTC)


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name.

    :raises InputError: nobody knows it.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"{name[:60]!r}: no such time zone; write one as Asia/Shanghai or Europe/Berlin") from None


def box_zone() -> str:
    """The name of this box's own zone; UTC where it has none that is known by name."""
    try:
        parts = Path("/etc/localtime").resolve(strict=True).parts
        name = "/".join(parts[parts.index("zoneinfo") + 1 :])
        ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return "UTC"
    return name


def _simulation() -> Callable[..., Iterator[datetime]]:
    try:
        from cronsim import CronSim
    except ImportError:
        raise InputError("schedules need cronsim; run pip install 'watchkeeper[reports]'") from None
    return CronSim


def _checked(cron: str) -> str:
    simulation = _simulation()
    try:
        next(simulation(cron, datetime.now(UTC) - timedelta(days=1)))
    except StopIteration:
        raise InputError(f"{cron}: never comes; write {_EXAMPLE}") from None
    except Exception as error:
        raise InputError(f"{cron[:80]!r}: {error}; write {_EXAMPLE}") from None
    return cron


def _english(said: str) -> str | None:
    hourly = re.fullmatch(r"every (?:(\d{1,2}) )?hours?", said) or re.fullmatch(r"(hourly)", said)
    if hourly:
        return _every_hours(hourly[1])
    time = re.search(rf"\s(?:{_EN_TIME.pattern})$", said)
    if time is None:
        return None
    clock = _english_clock(time)
    day = said[: time.start()].strip().removesuffix(" at").removesuffix(",")
    return None if clock is None else _with_days(clock, _english_days(day))


def _english_clock(time: re.Match[str]) -> tuple[int, int] | None:
    if time["word"]:
        return (12 if time["word"] == "noon" else 0), 0
    if time["h24"]:
        return _clock(int(time["h24"]), int(time["m24"]))
    hour = int(time["h"])
    if not 1 <= hour <= 12:
        return None
    return _clock(hour % 12 + (12 if time["half"] == "pm" else 0), int(time["m"] or 0))


def _english_days(said: str) -> tuple[str, str] | None:
    """Day of the month and of the week."""
    if re.fullmatch(r"(?:every day|daily|each day)", said):
        return "*", "*"
    if re.fullmatch(r"(?:every|each|on) (?:weekdays?|working days?)|weekdays", said):
        return "*", "1-5"
    week = re.fullmatch(
        rf"(?:every|each|on|weekly on|every week on) (?P<days>(?:{_EN_DAY})(?:{_AND}(?:{_EN_DAY}))*)", said
    )
    if week:
        names = re.findall(_EN_DAY, week["days"])
        return "*", ",".join(str(n) for n in sorted({_day_number(name) for name in names}))
    month = re.fullmatch(r"(?:monthly|every month|each month)(?: on)? the (\d{1,2})(?:st|nd|rd|th)?", said)
    return (month[1], "*") if month else None


def _day_number(name: str) -> int:
    return next(n for n, day in enumerate(_DAYS) if day.startswith(name[:3]))


def _chinese(said: str) -> str | None:
    hourly = re.fullmatch(rf"每(?:隔)?(?P<n>{_NUM})?个?(?:小时|钟头)", said)
    if hourly:
        return _every_hours(str(_count(hourly["n"])) if hourly["n"] else "")
    time = re.search(rf"(?:的|在)?(?:{_ZH_TIME.pattern})$", said)
    if time is None:
        return None
    return _with_days(_chinese_clock(time), _chinese_days(said[: time.start()]))


def _chinese_clock(time: re.Match[str]) -> tuple[int, int] | None:
    hour, minute = _count(time["h"]), time["m"] or ""
    minutes = {"": 0, "整": 0, "半": 30, "一刻": 15, "三刻": 45}
    past = minutes[minute] if minute in minutes else _count(minute.removesuffix("分"))
    past = int(time["mm"]) if time["mm"] else past
    if hour is None or past is None:
        return None
    half = time["half"] or ""
    if half in ("下午", "傍晚", "晚上", "晚", "夜里") and 1 <= hour < 12 and not (half == "夜里" and hour < 6):
        hour += 12
    elif half in ("晚上", "晚", "夜里") and hour == 12:
        hour = 0
    elif half == "中午" and hour in (1, 2):
        hour += 12
    return None if half in ("凌晨", "清晨", "早上", "早晨", "早", "上午") and hour > 12 else _clock(hour, past)


def _chinese_days(said: str) -> tuple[str, str] | None:
    if said in ("每天", "每日", "天天"):
        return "*", "*"
    if said in ("每个工作日", "每工作日", "工作日"):
        return "*", "1-5"
    if said in ("每周末", "每个周末"):
        return "*", "0,6"
    week = re.fullmatch(
        r"每个?(?:周|星期|礼拜)((?:[一二三四五六日天])(?:[、,,和及]?(?:周|星期)?[一二三四五六日天])*)", said
    )
    if week:
        return "*", ",".join(str(n) for n in sorted({_ZH_DAYS[c] for c in week[1] if c in _ZH_DAYS}))
    month = re.fullmatch(rf"每个?月(?:的)?(?P<n>{_NUM})[号日]", said)
    return (str(_count(month["n"])), "*") if month else None


def _with_days(clock: tuple[int, int] | None, days: tuple[str, str] | None) -> str | None:
    if clock is None or days is None:
        return None
    return f"{clock[1]} {clock[0]} {days[0]} * {days[1]}"


def _every_hours(count: str | None) -> str | None:
    """Only what divides a day, so that the distance is the same over midnight."""
    if not count or count == "hourly":
        return "0 * * * *"
    if not count.isdigit():
        return None
    return f"0 */{count} * * *" if int(count) and 24 % int(count) == 0 and int(count) < 24 else None


def _count(text: str | None) -> int | None:
    number = parse_number(text or "")
    return None if number is None else int(number)


def _clock(hour: int, minute: int) -> tuple[int, int] | None:
    return (hour, minute) if 0 <= hour < 24 and 0 <= minute < 60 else None
