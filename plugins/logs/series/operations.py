"""What a model may be asked about a question of a series: which figure it wants, or which series a word means.

Only where the rules have no word for it. The figures are a closed list with names in the question's language; the
examples are of no plant. Which span of time, limit and number is meant stays with the rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.api import Choice
from plugins.logs.series.asked import Figure

__all__ = ["figure_choice", "figures_of", "name_choice"]


@dataclass(frozen=True, slots=True)
class _Operation:
    """What can be asked of a series."""

    figures: tuple[Figure, ...]
    zh: str
    """Its name, as a model says it."""
    en: str

    def name(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


_OPERATIONS: dict[str, _Operation] = {
    "maximum": _Operation(("maximum",), "最大值", "highest"),
    "minimum": _Operation(("minimum",), "最小值", "lowest"),
    "mean": _Operation(("mean",), "平均值", "average"),
    "median": _Operation(("median",), "中位数", "middle value"),
    "deviation": _Operation(("deviation",), "波动", "scatter"),
    "range": _Operation(("range",), "高低差", "high minus low"),
    "sum": _Operation(("sum",), "总和", "total"),
    "first": _Operation(("first",), "最早的值", "first value"),
    "last": _Operation(("last",), "最新的值", "latest value"),
    "gaps": _Operation(("gaps",), "缺失", "missing data"),
    "interval": _Operation(("interval",), "采样间隔", "sampling interval"),
    "span": _Operation(("span",), "数据起止", "time covered"),
}
"""Without a limit."""
_TASK = {
    "zh": "有人问机器的测量数据。他要的是哪一个数?只回答下面的一个词:\n{names}\n"
    "都不是(问原因、含义、办法、设备,或别的事)",
    "en": "Somebody asks about measured data of a machine. Which figure is wanted? Answer with one of these alone:\n"
    "{names}\nnone of these (asks for a cause, meaning, remedy, device or anything else)",
}
_NONE = {"zh": "都不是", "en": "none of these"}
_SHOWN = {
    "zh": (
        ("轧辊力冲到多猛", "maximum"), ("盐浓度跌到什么地步", "minimum"), ("一般来说流速在什么水平", "mean"),
        ("电极电位稳不稳", "deviation"), ("轧辊力是什么东西", ""), ("这几天一共送出多少蒸汽", "sum"),
        ("盐浓度眼下如何", "last"), ("刚开机那会儿油压是多少", "first"), ("流速计坏了找谁", ""),
        ("流速偏大要紧吗,用不用停", ""), ("罐里盐浓度还有多少", "last"), ("流速偏低怎么调", ""),
        ("中间有没有丢点", "gaps"),
        ("记录得有多密", "interval"), ("这批数据从哪天记到哪天", "span"), ("高低之间差多少", "range"),
        ("一半时间高于多少", "median"), ("盐浓度怎么标定", ""),
    ),
    "en": (
        ("how bad did the roll force get at its worst", "maximum"), ("how far down did the brine level go", "minimum"),
        ("roughly where does the flow sit", "mean"), ("how steady is the electrode potential", "deviation"),
        ("what is a roll force sensor", ""), ("how much steam went out altogether", "sum"),
        ("brine level right now", "last"), ("what did it read to begin with", "first"),
        ("who repairs the flow meter", ""), ("all in all, where was the flow", "mean"),
        ("does the flow swing a lot", "deviation"), ("flow is too low, is that bad", ""),
        ("did the recorder drop points", "gaps"),
        ("how densely was it logged", "interval"), ("which dates does this file run over", "span"),
        ("distance from crest to valley", "range"), ("half of the time it is above what", "median"),
        ("how is the brine level calibrated", ""),
    ),
}  # fmt: skip
_NAME_TASK = {
    "zh": "日志里有下面这些信号。有人说的词指的是其中哪一个?只回答它的名字;指的是别的东西就回答“都不是”。",
    "en": "A log has some signals. Which of them does a word mean that somebody says? Answer with its name alone, or "
    "“none of these” where it means another thing.",
}
_NAMES_SHOWN = {
    "zh": (
        ("信号:Roll Force、Strip Speed\n词:轧制力", "Roll Force"),
        ("信号:Roll Force、Strip Speed\n词:夜班", ""),
        ("信号:盐浓度、泵频率\n词:变频器赫兹数", "泵频率"),
        ("信号:盐浓度、泵频率\n词:出口压力", ""),
        ("信号:盐浓度、泵频率\n词:停泵检修", ""),
        ("信号:盐浓度、泵电流、主电机\n词:盐度", "盐浓度"),
        ("信号:泵电流、主电机、料温\n词:生产旺季", ""),
        ("信号:泵电流、主电机、料温\n词:断网", ""),
        ("信号:O2、NOx\n词:含氧量", "O2"),
        ("信号:O2、NOx\n词:二号炉", ""),
    ),
    "en": (
        ("Signals: Roll Force, Strip Speed\nWord: rolling load", "Roll Force"),
        ("Signals: Roll Force, Strip Speed\nWord: night crew", ""),
        ("Signals: 盐浓度, 泵频率\nWord: brine strength", "盐浓度"),
        ("Signals: 盐浓度, 泵频率\nWord: outlet pressure", ""),
        ("Signals: 主电机, 盐浓度\nWord: main motor", "主电机"),
        ("Signals: O2, NOx\nWord: oxygen", "O2"),
        ("Signals: O2, NOx\nWord: boiler two", ""),
    ),
}
_HAN = re.compile(r"[\u3400-\u9fff]")
_MOST = 24


def figure_choice(question: str) -> Choice:
    """Which figure is wanted."""
    language = _language(question)
    names = {key: operation.name(language) for key, operation in _OPERATIONS.items()}
    shown = tuple((said, names.get(key, _NONE[language])) for said, key in _SHOWN[language])
    task = _TASK[language].format(names="\n".join(names.values()))
    return Choice("operation", task, shown, question, {name: key for key, name in names.items()}, _NONE[language])


def figures_of(operation: str) -> tuple[Figure, ...]:
    """The figures of an operation that was chosen; none of an unknown one."""
    return _OPERATIONS[operation].figures if operation in _OPERATIONS else ()


def name_choice(question: str, word: str, names: Sequence[str], *, parameter: str) -> Choice:
    """Which of the names that exist a word of a question means."""
    language = _language(question)
    listed = list(dict.fromkeys(names))[:_MOST]
    mark, label, said = ("、", "信号", "词") if language == "zh" else (", ", "Signals", "Word")
    shown = tuple((asked, name or _NONE[language]) for asked, name in _NAMES_SHOWN[language])
    text = (
        f"{label}:{mark.join(listed)}\n{said}:{word}"
        if language == "zh"
        else (f"{label}: {mark.join(listed)}\n{said}: {word}")
    )
    return Choice(parameter, _NAME_TASK[language], shown, text, {name: name for name in listed}, _NONE[language])


def _language(question: str) -> str:
    return "zh" if _HAN.search(question) else "en"
