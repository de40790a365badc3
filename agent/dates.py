"""Days and clock times in the person's words: "March 9", "12月3日", "last Tuesday", "下午3点半", "10:24:33".

Patterns to find them in a text, and functions that say what one of them means. A year that was not said is the latest
that does not lie ahead, or the one in which the log has that day; `Day.note` says what was assumed. Nothing is guessed
beyond that: what cannot be a day (February 30) is None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time, timedelta

from agent.numerals import parse_number
from agent.values import Said, say

__all__ = [
    "CLOCK",
    "DAY",
    "MONTH",
    "MONTH_NAME",
    "NUMBER_OF_DAY",
    "PART",
    "Clock",
    "Day",
    "PartOfDay",
    "parse_clock",
    "parse_day",
    "parse_part",
]

_MONTHS = ("jan(?:uary)?", "feb(?:ruary)?", "mar(?:ch)?", "apr(?:il)?", "(?-i:May)", "june?", "july?", "aug(?:ust)?",
           "sept?(?:ember)?", "oct(?:ober)?", "nov(?:ember)?", "dec(?:ember)?")  # fmt: skip
MONTH_NAME = rf"(?:{'|'.join(_MONTHS)})\b\.?"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY_NAME = rf"(?:{'|'.join(_WEEKDAYS)})"
_CN = NUMBER_OF_DAY = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
_YEAR_WORDS = {"今年": 0, "去年": -1, "前年": -2}
_MONTHS_BACK = 14
_ORDINAL = r"(?:st|nd|rd|th)?"

_DAY_RULES = tuple(
    re.compile(rule, re.IGNORECASE)
    for rule in (
        r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})",
        rf"(?:(?P<y>\d{{4}})年\s*|(?P<yw>今年|去年|前年))?(?P<m>{_CN})月\s*(?P<d>{_CN})[日号]",
        rf"(?P<mn>{MONTH_NAME}) (?P<d>\d{{1,2}}){_ORDINAL}(?:,? (?P<y>\d{{4}}))?",
        rf"(?:the )?(?P<d>\d{{1,2}}){_ORDINAL}(?: of)? (?P<mn>{MONTH_NAME})(?:,? (?P<y>\d{{4}}))?",
        r"(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<y>\d{4})",
        r"(?P<word>今天|今日|昨天|昨日|大前天|前天|the day before yesterday|yesterday|today|tonight|"
        r"今|昨)",
        r"(?P<back>上上|上|本|这)?个?(?:周|星期|礼拜)(?P<wd>[一二三四五六日天])",
        rf"(?P<rel>last |this |on )?(?P<wn>{_WEEKDAY_NAME})(?: (?P<lastweek>of )?last week)?",
        rf"(?P<alone>{_CN})[日号](?:[这那当]天|全天)?|(?:on )?the (?P<alone_en>\d{{1,2}})(?:st|nd|rd|th)",
    )
)


def _unnamed(rule: str) -> str:
    return re.sub(r"\(\?P<\w+>", "(?:", rule)


_AFTER_NUMBER = r"凌晨|清晨|早[晨上]|上午|中午|下午|傍晚|晚上|夜[里间]|\d{1,2}[点时:：]|[到至~-]\s*\d{1,2}[日号]"
"""What follows the number of a day (18号早上), and not that of a machine (18号泵)."""
DAY = (
    r"(?<![\d.])\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)|"
    rf"(?:\d{{4}}年\s*|今年|去年|前年)?(?<!\d){_CN}月\s*{_CN}[日号]|"
    rf"\b{_unnamed(_DAY_RULES[2].pattern)}(?![\d:])|"
    rf"\b{_unnamed(_DAY_RULES[3].pattern)}\b|"
    r"(?<![\d/])\d{1,2}/\d{1,2}/\d{4}(?!\d)|"
    r"今天|今日|昨天|昨日|大前天|前天|\b(?:the day before yesterday|yesterday|today)\b|今(?=[早晚晨夜])|昨(?=[晚夜])|"
    r"(?:上上|上|本|这)?个?(?:周|星期|礼拜)[一二三四五六日天](?!次|台|个)|"
    rf"\b(?:last |this |on )?{_WEEKDAY_NAME}\b(?: (?:of )?last week)?|"
    rf"(?<![\d.近前第过去月])\d{{1,2}}日(?![内元均])(?:[这那当]天|全天)?|"
    rf"(?<![\d.第月])\d{{1,2}}号(?:[这那当]天|全天|(?=\s*(?:{_AFTER_NUMBER})))|"
    r"\bon the \d{1,2}(?:st|nd|rd|th)\b(?! (?:percentile|of|line|floor|[a-z]+est|most))"
)
"""Any day, as the inside of a group; to be searched without regard to case."""
MONTH = (
    rf"(?:\d{{4}}年\s*|今年|去年|前年)?(?<!\d){_CN}月份?(?!\s*{_CN}?[\d一二三四五六七八九十日号])|"
    rf"\b(?:in |during )?(?:jan(?:uary)?|feb(?:ruary)?|march|april|(?-i:May)(?= \d{{4}})|june|july|"
    r"aug(?:ust)?|sept(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?! \d{1,2}\b)(?:,? \d{4})?\b"
)
_MONTH_RULES = (
    re.compile(rf"(?:(?P<y>\d{{4}})年\s*|(?P<yw>今年|去年|前年))?(?P<m>{_CN})月份?"),
    re.compile(rf"(?:in |during )?(?P<mn>{MONTH_NAME})(?:,? (?P<y>\d{{4}}))?", re.IGNORECASE),
)
_PARTS = {
    "凌晨": (0, 6), "清晨": (5, 9), "早晨": (6, 12), "早上": (6, 12), "今早": (6, 12), "晨": (6, 12), "早": (6, 12),
    "上午": (6, 12), "中午": (11, 13), "下午": (12, 18), "傍晚": (17, 20), "晚上": (18, 24), "夜里": (18, 30),
    "夜间": (18, 30), "晚": (18, 30), "夜": (18, 30), "morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24),
    "night": (18, 30), "noon": (11, 13),
}  # fmt: skip
"""Words → hours of the day; an hour beyond 24 is of the next day. An answer states what was taken."""
PART = (
    r"凌晨|清晨|早晨|早上|上午|中午|下午|傍晚|晚上|夜里|夜间|(?<=[今昨])(?:早|晨|晚|夜)(?!班)|"
    r"\b(?:morning|afternoon|evening|night(?! shift))\b"
)
_HOUR_CN = r"(?:\d{1,2}|[零一二两三四五六七八九十]{1,3})"
CLOCK = (
    r"(?<![\d:.])\d{1,2}[:：]\d{2}(?:[:：]\d{2}(?:\.\d+)?)?(?:\s?[ap]\.?m\b\.?)?(?![\d:])|"
    r"(?<![\d:.])\d{1,2}\s?[ap]\.?m\b\.?|"
    rf"{_HOUR_CN}[点时](?:半|一刻|三刻|整|钟(?!头)|{_HOUR_CN}分(?:{_HOUR_CN}秒)?)?(?![间候段长内])|\b(?:noon|midnight)\b"
)
"""Any time of day, as the inside of a group."""
_CLOCK_DIGITS = re.compile(
    r"(?P<h>\d{1,2})(?:[:：](?P<m>\d{2}))?(?:[:：](?P<s>\d{2})(?:\.\d+)?)?\s?(?P<half>[ap])?\.?(?:m\b\.?)?",
    re.IGNORECASE,
)
_CLOCK_CHINESE = re.compile(
    rf"(?P<h>{_HOUR_CN})[点时](?P<rest>半|一刻|三刻|整|钟)?(?:(?P<m>{_HOUR_CN})分)?(?:(?P<s>{_HOUR_CN})秒)?"
)


@dataclass(frozen=True, slots=True)
class Day:
    """One day, or a month."""

    first: date
    after: date
    """The day after its last."""
    note: Said | None = None
    """What was not said, and how it was taken."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day, and how exactly it was said."""

    time: time
    length: timedelta
    """One hour for 10点, one minute for 10:24, one second for 10:24:33."""
    half_said: bool
    """Whether it is plain which half of the day: am, pm, or written with 24 hours."""


@dataclass(frozen=True, slots=True)
class PartOfDay:
    """Hours of a day; beyond 24 they are of the next one."""

    start: int
    end: int


def parse_day(text: str, today: date, within: tuple[date, date] | None = None) -> Day | None:
    """What a text that DAY or MONTH found means.

    :param within: first and last day of what is searched: where a year was not said, and just one year has that day
        in there, it is meant.
    """
    said = text.strip()
    for rule in _DAY_RULES:
        if match := rule.fullmatch(said):
            return _day_of(match, today, within)
    for rule in _MONTH_RULES:
        if match := rule.fullmatch(said):
            return _month_of(match, today, within)
    return None


def parse_part(text: str) -> PartOfDay | None:
    """What a text that PART found means."""
    hours = _PARTS.get(text.strip().lower())
    return PartOfDay(*hours) if hours else None


def parse_clock(text: str, part: PartOfDay | None = None) -> Clock | None:
    """What a text that CLOCK found means; an afternoon or evening hour is counted on from noon."""
    said = text.strip().lower()
    if said in ("noon", "midnight"):
        return Clock(time(12 if said == "noon" else 0), timedelta(minutes=1), half_said=True)
    if match := _CLOCK_DIGITS.fullmatch(said):
        fields = [int(match[name]) if match[name] else None for name in "hms"]
        half = match["half"]
    elif match := _CLOCK_CHINESE.fullmatch(said):
        fields = [_count(match[name]) for name in "hms"]
        half, rest = None, {"半": 30, "一刻": 15, "三刻": 45, "整": 0}.get(match["rest"] or "")
        fields[1] = rest if rest is not None else fields[1]
    else:
        return None
    hour, minute, second = fields
    if hour is None:
        return None
    hour = _whole_hour(hour, half, part)
    length = (
        timedelta(seconds=1)
        if second is not None
        else timedelta(minutes=1)
        if minute is not None
        else timedelta(hours=1)
    )
    try:
        said_whole = half is not None or part is not None or hour > 12 or hour == 0 or ":" in said or "：" in said
        return Clock(time(hour % 24 if hour == 24 else hour, minute or 0, second or 0), length, said_whole)
    except ValueError:
        return None


def _whole_hour(hour: int, half: str | None, part: PartOfDay | None) -> int:
    if half == "p" or (half is None and part is not None and part.start >= 12):
        return hour + 12 if hour < 12 else hour
    if half == "a" and hour == 12:
        return 0
    if part is not None and part.start == 11 and hour < 3:
        return hour + 12
    return hour


def _day_of(match: re.Match[str], today: date, within: tuple[date, date] | None) -> Day | None:
    said = match.groupdict()
    if said.get("word"):
        back = {"昨": 1, "昨天": 1, "昨日": 1, "yesterday": 1, "前天": 2, "the day before yesterday": 2, "大前天": 3}
        return _one(today - timedelta(days=back.get(said["word"].lower(), 0)))
    if alone := said.get("alone") or said.get("alone_en"):
        return _numbered(_count(alone), today, within)
    if said.get("wd") or said.get("wn"):
        return _weekday(said, today)
    if said.get("a"):
        return _slashed(int(said["a"]), int(said["b"]), int(said["y"]))
    month, day = _month_number(said), _count(said["d"])
    if month is None or day is None:
        return None
    year = _said_year(said, today)
    if year is not None:
        return _one(_date(year, month, day))
    found = _latest([_date(y, month, day) for y in range(today.year, today.year - 80, -1)], today, within)
    return None if found is None else Day(found, found + timedelta(days=1), _year_note(found, today))


def _month_of(match: re.Match[str], today: date, within: tuple[date, date] | None) -> Day | None:
    said = match.groupdict()
    month, year = _month_number(said), _said_year(said, today)
    if month is None or not 1 <= month <= 12:
        return None
    if year is not None:
        first = _date(year, month, 1)
        return None if first is None else Day(first, _next_month(first))
    found = _latest([_date(y, month, 1) for y in range(today.year, today.year - 80, -1)], today, within)
    return None if found is None else Day(found, _next_month(found), _year_note(found, today))


def _latest(days: list[date | None], today: date, within: tuple[date, date] | None) -> date | None:
    """The only one inside `within`, else the latest that does not lie ahead."""
    real = [day for day in days if day is not None and day <= today]
    if within is not None:
        inside = [day for day in real if within[0].replace(day=1) <= day <= within[1]]
        if len(inside) == 1:
            return inside[0]
    return real[0] if real else None


def _year_note(day: date, today: date) -> Said | None:
    if day.year == today.year:
        return None
    return say(f"没有说年份,按 {day.year} 年", f"no year was said; taken as {day.year}")


def _weekday(said: dict[str, str | None], today: date) -> Day | None:
    monday = today - timedelta(days=today.weekday())
    if said.get("wd"):
        number = "一二三四五六日".find((said["wd"] or "").replace("天", "日"))
        weeks = {"上": 1, "上上": 2, "本": 0, "这": 0}.get(said["back"] or "")
    else:
        number = _WEEKDAYS.index((said["wn"] or "").lower())
        in_last_week = "last week" in (said.get("lastweek") or "") or (said["rel"] is None and said.get("lastweek"))
        weeks = 1 if in_last_week else 0 if (said["rel"] or "").lower() == "this " else None
    if weeks is not None:
        return _one(monday - timedelta(days=7 * weeks - number))
    back = (today.weekday() - number) % 7 or 7
    found = today - timedelta(days=back)
    note = say(f"按最近的一个({found:%Y-%m-%d})", f"taken as the latest one before today ({found:%Y-%m-%d})")
    return Day(found, found + timedelta(days=1), note)


def _numbered(number: int | None, today: date, within: tuple[date, date] | None) -> Day | None:
    """The day of a month that was not said: the latest one inside `within`, else the latest that does not lie ahead."""
    months = [(today.year * 12 + today.month - 1 - back) for back in range(_MONTHS_BACK)]
    if within is not None:
        months = [within[1].year * 12 + within[1].month - 1 - back for back in range(_MONTHS_BACK)]
    days = [day for month in months if number and (day := _date(month // 12, month % 12 + 1, number))]
    days = [day for day in days if day <= today and (within is None or within[0] <= day <= within[1])]
    if not days:
        return None
    note = say(f"没有说月份,按 {days[0]:%Y-%m-%d}", f"no month was said; taken as {days[0]:%Y-%m-%d}")
    return Day(days[0], days[0] + timedelta(days=1), None if within is not None and len(days) == 1 else note)


def _slashed(a: int, b: int, year: int) -> Day | None:
    month, day = (b, a) if a > 12 else (a, b)
    found = _date(year, month, day)
    if found is None:
        return None
    open_order = a <= 12 and b <= 12 and a != b
    note = say(f"{a}/{b} 按月/日", f"{a}/{b} taken as month/day") if open_order else None
    return Day(found, found + timedelta(days=1), note)


def _month_number(said: dict[str, str | None]) -> int | None:
    name = said.get("mn")
    if name:
        return next(i for i, rule in enumerate(_MONTHS, 1) if re.fullmatch(rf"{rule}\.?", name, re.IGNORECASE))
    return _count(said["m"])


def _said_year(said: dict[str, str | None], today: date) -> int | None:
    if said.get("y"):
        return int(said["y"] or 0)
    return today.year + _YEAR_WORDS[said["yw"] or ""] if said.get("yw") else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1) if first.year < 9999 else date(9999, 12, 31)


def _one(day: date | None) -> Day | None:
    return None if day is None or day >= date(9999, 12, 31) else Day(day, day + timedelta(days=1))


def _count(text: str | None) -> int | None:
    value = None if text is None else parse_number(text)
    return None if value is None else int(value)
