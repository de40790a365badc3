"""What kind of figure a question asks for, and whether a text holds one of that kind.

"How long is the warranty?" is not answered by a passage without a duration, however many of its words it shares. Only
the kind is looked at, never the value. Where a question names no kind (多少, how many) any number will do; where it
asks for no figure, every text will do.
"""

from __future__ import annotations

import re
from typing import Literal

from knowledge.tokens import fold

__all__ = ["Kind", "asked_kinds", "holds"]

Kind = Literal[
    "time", "money", "length", "mass", "volume", "area", "pressure", "temperature", "voltage", "current", "power",
    "frequency", "rotation", "speed", "resistance", "torque", "noise", "phone", "number",
]  # fmt: skip

_ZH_NUMBER = "[一二两三四五六七八九十百千万几半双〇零]"
_TIME_UNIT_ZH = "秒|分钟|小时|天|日|周|星期|个?月|季度|年|班|夜"
_TIME_UNIT_EN = "milliseconds?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|shifts?|quarters?"
_UNITS: dict[Kind, str] = {
    "time": rf"{_TIME_UNIT_ZH}|\b(?:{_TIME_UNIT_EN}|hourly|daily|weekly|monthly|quarterly|yearly|annual(?:ly)?)\b"
    r"|(?<![a-z])(?:ms|s|sec|min|h|hrs?)(?![a-z])",
    "money": r"元|[¥$€£]|\b(?:usd|rmb|cny|eur|yuan|dollars?|euros?|pounds?)\b",
    "length": r"毫米|厘米|公分|分米|公里|千米|微米|英寸|米"
    r"|(?<![a-z])(?:[μunmck]?m|in|inch(?:es)?|ft|feet|foot|met(?:er|re)s?)(?![a-z²³/·*^])",
    "mass": r"公斤|千克|毫克|克|吨|(?<![a-z])(?:kg|mg|g|t|tons?|tonnes?|lbs?|kilograms?|grams?)(?![a-z/])",
    "volume": r"毫升|升|立方|(?<![a-z])(?:m?l|m³|m3|lit(?:er|re)s?|gal(?:lons?)?)(?![a-z])",
    "area": r"平方|(?<![a-z])(?:[cmk]?m²|[cmk]?m2|square)(?![a-z])|㎡",
    "pressure": r"帕|(?<![a-z])(?:[hkm]?pa|m?bar|psi|kgf)(?![a-z])|公斤|大气压",
    "temperature": r"°|摄氏|度|(?<![a-z])(?:degrees?|k|celsius)(?![a-z])|℃",
    "voltage": r"伏|(?<![a-z])(?:[mk]?v|volts?|vac|vdc)(?![a-z])",
    "current": r"安|(?<![a-z])(?:m?a|amps?|amperes?)(?![a-z])",
    "power": r"瓦|马力|(?<![a-z])(?:[kmg]?w|kva|hp|watts?)(?![a-z])",
    "frequency": r"赫|(?<![a-z])[kmg]?hz(?![a-z])",
    "rotation": r"转|(?<![a-z])(?:rpm|r/min|min-1|revolutions?)(?![a-z])",
    "speed": r"米/|转/|\d ?%|(?<![a-z])(?:[mkc]?m/(?:s|min|h)|mph|rpm|r/min|bps|[km]bit/s|baud|hz)(?![a-z])"
    r"|(?:速度?|speed|baud)\W{0,4}\d",
    "resistance": r"欧|[ωΩ]|\bohms?\b",
    "torque": r"牛|(?<![a-z])n[·.* ]?m(?![a-z])",
    "noise": r"分贝|(?<![a-z])db",
    "phone": r"\+?\d[\d \-()]{5,}\d",
    "number": rf"\d|{_ZH_NUMBER}"
    r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|once|twice|double|triple|half|none|zero)\b",
}
_NAMES_ZH: dict[Kind, str] = {
    "money": "价格|价钱|费用|工资|成本|售价",
    "length": "直径|半径|长度|高度|宽度|厚度|跨度|深度|间距|海拔",
    "mass": "重量|质量|自重|净重|毛重",
    "volume": "容积|体积|容量",
    "area": "面积|截面积?",
    "pressure": "压力|压强",
    "temperature": "温度|露点",
    "voltage": "电压",
    "current": "电流",
    "power": "功率",
    "frequency": "频率",
    "rotation": "转速",
    "speed": "速度",
    "resistance": "电阻|阻值",
    "torque": "扭矩|力矩|转矩",
    "noise": "噪声|噪音",
}
_NAMES_EN: dict[Kind, str] = {
    "money": "price|cost|salary|fee",
    "length": "diameter|length|height|width|thickness|depth|altitude|clearance",
    "mass": "weight|mass",
    "volume": "volume|capacity",
    "area": "area|cross[- ]section",
    "pressure": "pressure",
    "temperature": "temperature|dew point",
    "voltage": "voltage",
    "current": "rated current|current draw",
    "power": "power rating|rated power|power consumption",
    "frequency": "frequency",
    "rotation": "speed of rotation|rotational speed",
    "speed": "speed",
    "resistance": "resistance",
    "torque": "torque",
    "noise": "noise level",
}
_LIMIT_ZH = r"(?:的?(?:上限|下限|最大值|最小值|额定值|设定值|范围|限值|值|水平|等级))?"
_ASKED_ZH = (
    rf"{_LIMIT_ZH}(?:应该|应当|应|要|一般|通常)?(?:是|为|有|不超过|不低于|达到)?(?:多少|多大|多高|几)(?!个|种|类|项|条)"
)
_ASKED_EN = r"\b(?:what(?:'s| is| are| was)?|which|how much)\b(?: \w+){{0,4}}? (?:{0})\b"
_ASKING: tuple[tuple[re.Pattern[str], frozenset[Kind]], ...] = (
    (
        re.compile(rf"多久|多长时间|(?:多少|几)个?(?:{_TIME_UNIT_ZH})|何时|保修期|有效期(?:是|为)?多"),
        frozenset({"time"}),
    ),
    (re.compile(rf"\bhow (?:often|soon)\b|\bhow many (?:{_TIME_UNIT_EN})\b|\bwarranty\b"), frozenset({"time"})),
    (re.compile(r"\bhow long\b|多长"), frozenset({"time", "length"})),
    (re.compile(r"罚款多少|罚多少|多少(?:钱|元|万)|多少罚款|工资"), frozenset({"money"})),
    (
        re.compile(r"\bhow heavy\b|\bhow many (?:kg|kilograms?|tons?)\b|多重(?:$|[??])|多少(?:公斤|千克|吨)"),
        frozenset({"mass"}),
    ),
    (re.compile(r"\bhow many (?:lit(?:er|re)s?|gallons?)\b|多少升"), frozenset({"volume"})),
    (re.compile(r"\bhow (?:tall|wide|thick|deep)\b|多远|多厚|多宽|多深|多少(?:毫米|厘米|米)"), frozenset({"length"})),
    (re.compile(r"\b(?:tele)?phone(?: number)?\b|电话(?:号码)?(?:是|为)?(?:多少|什么|几)"), frozenset({"phone"})),
    *((re.compile(rf"(?:{names}){_ASKED_ZH}"), frozenset({kind})) for kind, names in _NAMES_ZH.items()),
    *((re.compile(_ASKED_EN.format(names)), frozenset({kind})) for kind, names in _NAMES_EN.items()),
    (re.compile(r"多少|(?<!哪)几(?:次|个|条|人|台|遍|级)|\bhow (?:many|much)\b"), frozenset({"number"})),
)
_MEANING_ASKED = re.compile(r"\bwhat (?:does|do|did)\b.*\bmean\b|什么意思|什么含义|含义是")
"""What does "return pressure high" mean? asks for no pressure."""
_HOLDING = {kind: re.compile(units) for kind, units in _UNITS.items()}


def asked_kinds(question: str) -> frozenset[Kind]:
    """The kinds of figure of which the answer is one; none where no figure is asked for."""
    folded = fold(question)
    if _MEANING_ASKED.search(folded):
        return frozenset()
    return next((kinds for asking, kinds in _ASKING if asking.search(folded)), frozenset())


def holds(text: str, kinds: frozenset[Kind]) -> bool:
    """Whether a text holds a figure of one of the kinds; true where none is asked for."""
    folded = fold(text)
    return not kinds or any(_HOLDING[kind].search(folded) for kind in kinds)
