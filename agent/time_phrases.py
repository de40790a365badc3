"""How people name spans of time in Chinese and English: patterns to find such phrases in a text and to take them apart.

`agent.times` says what they mean. All are searched without regard to case.
"""

from __future__ import annotations

import re

from agent.dates import CLOCK, DAY, MONTH, PART
from agent.day_spans import DAY_SPAN
from agent.late_pattern import LatePattern
from agent.numerals import ENGLISH_NUMBERS
from agent.shifts import SHIFT

__all__ = [
    "CALENDAR",
    "CALENDAR_MONTH",
    "CALENDAR_QUARTER",
    "CALENDAR_WEEK",
    "CALENDAR_YEAR",
    "CHINESE_SPAN",
    "ENGLISH_SPAN",
    "FIND",
    "LAST_NIGHT",
    "OPEN",
    "RANGE",
    "SHIFT_SPAN",
    "SINCE_RESTART",
    "SINGLE",
    "UNITS",
    "WEEKEND",
    "WEEK_OF",
]

NUMBER = r"(?:\d+|[零一二两三四五六七八九十百]+|半)"
ENGLISH_NUMBER = rf"(?:\d+|{'|'.join(ENGLISH_NUMBERS)})"
UNITS = {
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
CHINESE_SPAN = LatePattern(
    rf"(?:最近|过去|近|这|(?<![大之以])前)(?:的)?\s*(?P<n>{NUMBER})\s*"
    r"(?P<unit>分钟|个小时|小时|天|日|个星期|星期|周|个月|年)(?:内|以内|里|来)?"
)
ENGLISH_SPAN = LatePattern(
    rf"(?:in |over |within |during )?(?:the )?(?:last|past|previous) (?:(?P<n>{ENGLISH_NUMBER}) )?"
    r"(?P<unit>minute|hour|day|week|month|year)s?\b",
    re.IGNORECASE,
)
CALENDAR_WEEK = LatePattern(
    r"上上个?(?:周|星期|礼拜)(?![一二三四五六日天末])|(?:本|这|(?<!上)上)个?(?:周|星期|礼拜)(?![一二三四五六日天末])|"
    r"(?<!the )\b(?:last|previous) week\b|\bthis week\b",
    re.IGNORECASE,
)
CALENDAR_MONTH = LatePattern(
    r"本月|这个月|当月|上上个?月|上个?月|(?<!the )\b(?:last|previous) month\b|\bthis month\b", re.IGNORECASE
)
CALENDAR_QUARTER = LatePattern(
    r"本季度|这个?季度|上个?季度|(?:(?P<y>\d{4})年|(?P<yw>今年|去年))?第?(?P<q>[一二三四1-4])季度|"
    r"\b(?:last|previous|this) quarter\b|\bq(?P<eq>[1-4])(?: (?:of )?(?P<ey>\d{4}))?\b",
    re.IGNORECASE,
)
CALENDAR_YEAR = LatePattern(
    r"今年|去年|前年|(?<!\d)(?P<y>\d{4})年(?:全年)?(?!\d)|(?<!the )\b(?:last|previous) year\b|\bthis year\b|"
    r"\b(?:in |during |of )(?P<ey>(?:19|20)\d{2})\b(?![-/.:]\d)",
    re.IGNORECASE,
)
CALENDAR = (CALENDAR_QUARTER, CALENDAR_YEAR, CALENDAR_MONTH, CALENDAR_WEEK)
LAST_NIGHT = LatePattern(
    r"\blast night\b(?! shift)|\btonight\b|\bthis (?P<p>morning|afternoon|evening)\b", re.IGNORECASE
)
WEEKEND = LatePattern(
    r"(?:上个?|本|这个?)?(?:周末)|\b(?:last |this |over the |at the |on the )?weekend\b", re.IGNORECASE
)
UNKNOWN = LatePattern(
    r"每(?:天|日|周[一二三四五六日天]?|个?月)(?:的)?(?:凌晨|早上|上午|中午|下午|晚上|夜里)?\s*(?:\d{1,2}|[一二两三四五六七八九十]{1,3})点|"
    r"(?:今年|去年|前年|上个?)?(?:春节|元旦|清明|五一|端午|中秋|国庆|圣诞|春天|夏天|秋天|冬天|春季|夏季|秋季|冬季)(?:节?(?:期间|假期|前后|时候)?)|"
    r"\b(?:during |over |at |on |around |in )?(?:last |this |the )?(?:spring festival|chinese new year|"
    r"new year(?:'s(?: eve)?)?|christmas|easter|thanksgiving|holidays?|summer|winter|autumn)\b",
    re.IGNORECASE,
)
RESTART = (
    r"(?:上一?次|最近一次|最后一次)(?:重新|再)?(?:启动|重启|开机|上电|停机|停车|开车)|"
    r"(?:the )?(?:last|latest|most recent) "
    r"(?:re)?(?:start(?:-?up)?|boot|power[- ]?up|power[- ]?on|shutdown|shut-down|trip)"
)
SINCE_RESTART = LatePattern(
    rf"(?:自从?|从)?(?:{RESTART})(?:以来|之后|以后|后|起|至今)|\b(?:since|after) (?:{RESTART})\b", re.IGNORECASE
)
SEP = r"\s*(?:到|至|-|–|—|~|～|\bto\b|\buntil\b|\btill\b|\bthrough\b)\s*"
AND = r"\s*(?:,? and|和|与)\s*"
ITEM = (
    rf"(?:(?:{DAY})(?:的|\s*,)?\s*(?:T|at |in the |from |between )?(?:{SHIFT})|"
    rf"(?:{DAY})(?:(?:的|\s*,)(?=\s*(?:T|at |in the )?(?:{PART}|{CLOCK})))?"
    rf"\s*(?:T|at |in the )?(?:{PART})?\s*(?:at )?(?:{CLOCK})?|"
    rf"(?:{PART})\s*(?:at )?(?:{CLOCK})|"
    rf"(?:{CLOCK})(?:,? (?:on |of )?(?:{DAY}))?)"
)
RANGE = LatePattern(
    rf"(?:(?P<on0>{DAY})\s*,?\s*(?=\b(?:from|between)\b|从))?"
    rf"(?:(?:从|在|\bfrom\b|\bbetween\b)?\s*(?P<a>{ITEM}|{MONTH}){SEP}(?P<b>{ITEM}|{MONTH}|\d{{1,2}}[日号])|"
    rf"(?<!difference )\bbetween (?P<a2>{ITEM}|{MONTH}){AND}(?P<b2>{ITEM}|{MONTH})|"
    rf"(?P<a3>{ITEM}|{MONTH}){AND}(?P<b3>{ITEM}|{MONTH})(?=之?间))"
    rf"(?:\s*(?:,|on|of)\s*(?P<on>{DAY}))?(?:之间|期间|间)?",
    re.IGNORECASE,
)
OPEN = LatePattern(
    rf"(?:(?:自从?|从)\s*(?P<s1>{ITEM})\s*(?:以来|之后|以后|起|开始|至今)?|(?P<s2>{ITEM})\s*(?:以来|之后|以后|起|至今)|"
    rf"\b(?P<w>since|after|before|until)\s+(?P<s3>{ITEM}|{MONTH})|(?P<e1>{ITEM})\s*(?:之前|以前))",
    re.IGNORECASE,
)
SINGLE = LatePattern(
    rf"(?P<clock>{CLOCK}),? (?:on |of )?(?P<day>{DAY})|"
    rf"(?P<day2>{DAY})(?:(?:的|\s*,)?\s*(?:T|at |in the )?(?P<part>{PART}))?(?:\s*,?\s*(?:T|at )?(?P<clock2>{CLOCK}))?|"
    rf"(?P<part3>{PART})\s*(?:at )?(?P<clock3>{CLOCK})|(?P<clock4>{CLOCK})|"
    rf"(?P<month>{MONTH})|(?P<monthday>\d{{1,2}})[日号]",
    re.IGNORECASE,
)
WEEK_OF = LatePattern(
    rf"(?:in |during )?(?:the )?week (?:of|beginning|starting)(?: on)? (?P<a>{DAY})(?!{SEP}(?:{DAY}|\d))|"
    rf"(?P<b>{DAY})(?:所在的?|那一?个?|当)(?:周|星期)",
    re.IGNORECASE,
)
SHIFT_SPAN = LatePattern(rf"(?:(?P<day>{DAY})(?:的|'s|,)?\s*)?(?P<shift>{SHIFT})", re.IGNORECASE)
FIND = (SINCE_RESTART, WEEK_OF, UNKNOWN, DAY_SPAN, RANGE, OPEN, SHIFT_SPAN, CHINESE_SPAN, LAST_NIGHT, WEEKEND,
         CALENDAR_QUARTER, CALENDAR_WEEK, CALENDAR_MONTH, SINGLE, ENGLISH_SPAN, CALENDAR_YEAR)  # fmt: skip
"""In the order in which they are preferred where two begin at the same place and are equally long."""
