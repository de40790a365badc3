"""What a question asks of a series: which figures, above or below what, inside or outside which windows.

Rules over the person's words in Chinese and English; what they do not understand is not asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from agent.times import find_periods
from knowledge.tokens import fold
from plugins.logs.lexicon import spaced

__all__ = ["Figure", "Limit", "SeriesAsk", "blank", "understand"]

Figure = Literal[
    "maximum", "minimum", "range", "mean", "median", "deviation", "count", "share", "duration", "first crossing",
    "last crossing", "crossings", "gaps", "duplicates", "order", "interval", "span", "first", "last", "value", "windows", "sum",
]  # fmt: skip
Side = Literal["above", "below", "between"]

_WORDS: tuple[tuple[Figure, str], ...] = (
    ("maximum", r"最大|最高|峰值|顶点|极大|最热|\b(?:max|maximum|maxima|highest|peak(?:s|ed)?|largest|biggest|greatest|hottest|top)\b"),
    ("minimum", r"最小|最低|谷值|极小|最冷|\b(?:min|minimum|minima|lowest|smallest|coldest|least|bottom)\b"),
    ("range", r"极差|变化范围|波动范围|变化幅度|(?<!时间)范围|\b(?:peak[- ]to[- ]peak|spread|value range|range of (?:the )?values?|"
              r"range(?! of time))\b"),
    ("mean", r"平均|均值|\b(?:mean|average|avg)\b"),
    ("median", r"中位|\bmedian\b"),
    ("deviation", r"标准差|标准偏差|\b(?:std|standard deviation|stdev)\b"),
    ("sum", r"总和|累计值|合计值|\bsum of\b"),
    ("gaps", r"缺失|缺数|间断|断点|缺口|中断|空档|断档|丢失|漏采|\b(?:gaps?|missing|interruptions?|dropouts?)\b"),
    ("duplicates", r"重复|\b(?:duplicat\w*|repeated (?:time ?)?stamps?|more than once)\b"),
    ("order", r"乱序|顺序|排序|有序|先后次序|\b(?:in (?:time |chronological )?order|sorted|out of order|unordered|chronological\w*|monotonic\w*)\b"),
    ("interval", r"采样(?:间隔|周期|频率|率|时间)|间隔(?:是)?多[少久长]|时间间隔|多久(?:采|记录|一个)|"
                 r"\b(?:sampling|sample) (?:interval|period|rate|frequency|time|step)|\bsampled\b|\btime step\b|\binterval between\b|"
                 r"\bhow often (?:is|was|are|were) (?:it|the \w+|\w+ (?:data|values?)) (?:sampled|recorded|measured|logged)\b"),
    ("span", r"时间(?:范围|跨度|区间)|起止|从什么时候|什么时候开始.*结束|覆盖|\b(?:time (?:range|span|period)|start and end|first and last (?:time|stamp|date)\w*|"
             r"date range|cover(?:s|ed|age)?|from when|(?:which|what) period)\b"),
    ("windows", r"(?:标注|标记|标签)的?异常|异常(?:的)?(?:时间段|时段|区间|窗口|片段)(?!内|外|中|里|期)|异常(?:是|发生|出现)?(?:在|于)?(?:什么时候|何时|哪)|"
                r"\b(?:labell?ed|annotated|marked)\b(?! data)|\banomal(?:y|ies|ous)(?: windows?| periods?| intervals?| segments?)\b|"
                r"\bwhen (?:is|was|were|are|did) the (?:\w+ )?(?:anomal\w+|faults?)\b|"
                r"\b(?:start|end|begin\w*) of the (?:\w+ )?anomal\w+"),
)  # fmt: skip
_NUMBER = r"(?P<n>[-+−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?)"
_ABOVE_WORDS = (
    r"高于|超过|大于|多于|超出|突破|高过|不低于|不小于|大于等于|≥|>=|>|"
    r"\b(?:above|over|exceed(?:s|ed|ing)?|greater than|more than|higher than|larger than|at least|rise[sn]? above|rose above|hotter than)\b"
)
_BELOW_WORDS = (
    r"低于|不足|小于|少于|跌破|低过|不高于|不超过|不大于|小于等于|≤|<=|<|"
    r"\b(?:below|under|less than|lower than|smaller than|at most|f[ae]ll(?:s|en)? below|drop(?:s|ped)? below|colder than)\b"
)
_LIMITS = (
    ("between", re.compile(rf"(?:介于|在)\s*{_NUMBER}\s*(?P<u1>[^\d\s]{{0,3}})(?:到|至|和|与|-|~)\s*{_NUMBER.replace('<n>', '<m>')}\s*\S{{0,3}}?之?间|"
                           rf"\bbetween {_NUMBER.replace('<n>', '<n2>')}\s*\S{{0,3}} ?(?:and|to) {_NUMBER.replace('<n>', '<m2>')}")),
    ("below", re.compile(rf"(?:{_BELOW_WORDS})\s*(?:了|the (?:limit|threshold|value) of )?\s*{_NUMBER}")),
    ("above", re.compile(rf"(?:{_ABOVE_WORDS})\s*(?:了|the (?:limit|threshold|value) of )?\s*{_NUMBER}")),
    ("below", re.compile(rf"{_NUMBER}\s*[^\d\s,，。?？]{{0,4}}?(?:以下|之下)")),
    ("above", re.compile(rf"{_NUMBER}\s*[^\d\s,，。?？]{{0,4}}?(?:以上|之上)")),
    ("above", re.compile(rf"(?:达到|升到|升至|reach(?:es|ed)?|hits?)\s*{_NUMBER}")),
    ("below", re.compile(rf"(?:降到|降至|跌到|跌至|drops? to|dropped to|falls? to|fell to)\s*{_NUMBER}")),
)  # fmt: skip
_STRICT = re.compile(
    r"不低于|不小于|大于等于|≥|>=|at least|不高于|不超过|不大于|小于等于|≤|<=|at most|达到|升|降|跌至|跌到|以上|以下|reach|hit| to "
)
_HOW_MANY = re.compile(r"多少|几|数量|个数|行数|条数|\bhow (?:many|often)\b|\bcount\b|\bnumber of\b|\btimes\b")
_ROWS = re.compile(
    r"(?:多少|几)\s*(?:条|个|行|组)?\s*(?:数据|记录|样本|读数|采样|测量|值|点|行)|数据(?:量|点数|行数|条数)|(?:行|条|点|样本)数|"
    r"\b(?:how many|number of|count of)\b.*?\b(?:rows|values?|readings|samples|data ?points|points|measurements|records|observations|entries)\b"
)
_SHARE = re.compile(r"占比|比例|百分|占多少|\b(?:share|percent(?:age)?|fraction|proportion|portion)\b|%")
_DURATION = re.compile(
    r"多久|多长|总时间|时长|持续|多少(?:分钟|小时|秒|天)|几个?(?:分钟|小时)|\bhow long\b|\bduration\b|\bhow many (?:minutes|hours|seconds|days)\b|\btotal time\b"
)
_FIRST = re.compile(r"第一|首次|首个|最早|最先|\b(?:first|earliest)\b|什么时候(?:开始|就)?|何时|\bwhen\b")
_LAST = re.compile(r"最后|末次|最近一次|上一?次|\b(?:last|latest|most recent)\b")
_TIMES = re.compile(r"多少次|几次|多少回|\bhow many times\b|\bhow often\b")
_ENDS: tuple[tuple[Figure, re.Pattern[str]], ...] = (
    ("first", re.compile(r"第一个(?:值|读数|数据)|最早的?(?:一个)?(?:值|读数|数据)|起始值|\b(?:first|earliest|initial|starting) (?:\w+ )?(?:value|reading|sample|measurement)")),
    ("last", re.compile(r"最后(?:一个|的)?的?(?:值|读数|数据)|最新(?:的)?(?:一个)?(?:值|读数|数据)?|末值|\b(?:last|latest|final|most recent|newest) (?:\w+ )?(?:value|reading|sample|measurement|temperature|pressure|level)")),
)  # fmt: skip
_INSIDE = re.compile(
    r"异常(?:时?段|期间?|区间|窗口)?(?:之|以)?[内中里]|异常期间|标注(?:时?段|区间|窗口)(?:之|以)?[内中里]|\b(?:inside|within|during) (?:of )?(?:the )?(?:and (?:outside|out)\b|labell?ed|anomal|windows?|fault|it)|\binside\b|\bin the anomal|\banomalous (?:part|period|data|rows|segment|samples)"
)
_OUTSIDE = re.compile(
    r"异常(?:时?段|期间?|区间|窗口)?(?:之|以)?外|段外|窗口外|[内中里][外]|非异常|正常(?:时?段|期间|区间|运行|数据|情况)|\boutside\b|\bnormal (?:operation|period|data|part|rows|samples|segment|time)|\brest of\b|\bnon-?anomalous"
)
_BY = (
    ("month", re.compile(r"哪(?:一)?个?月|每个?月|各月|按月|\b(?:which|what|per|each|every|by|monthly) ?month|\bmonthly\b")),
    ("day", re.compile(r"哪(?:一|几)?[天日]|每[天日]|各[天日]|按[天日]|日均|\b(?:which|what|per|each|every|by) (?:day|date)|\bdaily\b")),
    ("hour of day", re.compile(r"一天中.*小时|哪个钟点|几点|\bhour of (?:the )?day|\btime of (?:the )?day")),
    ("hour", re.compile(r"哪(?:一)?个?小时|每个?小时|各小时|按小时|\b(?:which|what|per|each|every|by) hour|\bhourly\b")),
    ("week", re.compile(r"哪(?:一)?周|每周|各周|按周|\b(?:which|per|each|every|by) week|\bweekly\b")),
)  # fmt: skip
_LONGER = re.compile(
    r"(?:超过|大于|长于|longer than|more than|over|exceeding|greater than|>)\s*(?P<n>\d+(?:\.\d+)?)\s*(?P<u>秒|分钟|个?小时|天|s\b|sec\w*|min\w*|h\b|hours?|days?)"
)
_UNIT_SECONDS = {"秒": 1, "分": 60, "小": 3600, "个": 3600, "天": 86_400, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_NOT_HISTORY = re.compile(
    r"怎么办|如何|怎么(?:办|做|处理|调|设|排除)|为什么|为何|什么原因|什么意思|允许|额定|设定|整定|上限|下限|限值|应该|规定|要求|手册|说明书|推荐|"
    r"\b(?:why|should|allowed|permitted|permissible|rated|rating|recommended|setpoint|set point|limits? of|manual|specified|meaning|means|"
    r"how (?:do|to|can))\b"
)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that values are held against."""

    side: Side
    low: float
    high: float
    """The same as `low` unless between."""
    inclusive: bool = False

    def shown(self) -> tuple[str, str]:
        """In Chinese and in English."""
        if self.side == "between":
            return f"介于 {self.low:g} 和 {self.high:g}", f"between {self.low:g} and {self.high:g}"
        if self.side == "above":
            return (
                (f"≥ {self.low:g}", f">= {self.low:g}")
                if self.inclusive
                else (f"高于 {self.low:g}", f"above {self.low:g}")
            )
        return (
            (f"≤ {self.low:g}", f"<= {self.low:g}") if self.inclusive else (f"低于 {self.low:g}", f"below {self.low:g}")
        )


@dataclass(frozen=True, slots=True)
class SeriesAsk:
    """What is asked."""

    figures: tuple[Figure, ...]
    limit: Limit | None = None
    by: str = ""
    """Bucket of time that figures are wanted for, or that is looked for."""
    inside: bool = False
    outside: bool = False
    """Only values inside or outside labelled windows; both: the two are compared."""
    longer_seconds: float | None = None
    """Gaps longer than this."""
    names_text: str = field(default="", compare=False)
    """The question without spans of time and limits: where names are looked for."""


def understand(question: str) -> SeriesAsk | None:
    """What a question asks of a series; None where it asks nothing that can be computed."""
    text = spaced(fold(question))
    if _NOT_HISTORY.search(text):
        return None
    found = find_periods(text)
    text = blank(text, found)
    longer = _LONGER.search(text)
    limit, without = _limit_of(text) if longer is None else (None, text)
    figures = _figures(without, limit)
    inside, outside = _INSIDE.search(without) is not None, _OUTSIDE.search(without) is not None
    if (inside or outside) and not figures:
        figures = ("mean",)
    if not figures and found:
        figures = ("value",)
    if inside or outside:
        figures = tuple(figure for figure in figures if figure != "windows") or ("mean",)
    if not figures:
        return None
    by = next((name for name, rule in _BY if rule.search(without)), "")
    seconds = float(longer["n"]) * _UNIT_SECONDS[longer["u"][0]] if longer else None
    return SeriesAsk(figures, limit, by, inside, outside, seconds, without)


def blank(text: str, found: list[tuple[int, str]]) -> str:
    """A text in which spans of time are blanks: their numbers and words mean nothing else."""
    for start, phrase in found:
        text = f"{text[:start]}{' ' * len(phrase)}{text[start + len(phrase) :]}"
    return text


def _limit_of(text: str) -> tuple[Limit | None, str]:
    for side, rule in _LIMITS:
        match = rule.search(text)
        if match is None:
            continue
        said = match.groupdict()
        low = said.get("n") or said.get("n2")
        high = said.get("m") or said.get("m2") or low
        without = text[: match.start()] + " " * len(match.group()) + text[match.end() :]
        a, b = sorted((_number(low), _number(high)))
        kind: Side = "between" if side == "between" else "below" if side == "below" else "above"
        return Limit(kind, a, b, _STRICT.search(match.group()) is not None), without
    return None, text


def _number(text: str | None) -> float:
    return float((text or "0").replace(",", "").replace("−", "-"))


def _figures(text: str, limit: Limit | None) -> tuple[Figure, ...]:
    if limit is not None:
        return _of_limit(text)
    found: list[Figure] = [figure for figure, rule in _WORDS if re.search(rule, text)]
    if "range" in found and "span" in found:
        found.remove("range")
    found += [figure for figure, rule in _ENDS if rule.search(text)]
    if _ROWS.search(text) and not found:
        found.append("count")
    return tuple(dict.fromkeys(found))


def _of_limit(text: str) -> tuple[Figure, ...]:
    """With a limit, the question is about the values on one side of it."""
    if _SHARE.search(text):
        return ("share",)
    if _TIMES.search(text):
        return ("crossings", "count")
    if _DURATION.search(text):
        return ("duration",)
    if _LAST.search(text):
        return ("last crossing",)
    if _FIRST.search(text):
        return ("first crossing",)
    asked: list[Figure] = [figure for figure, rule in _WORDS[:6] if re.search(rule, text)]
    return tuple(asked) or ("count",)
