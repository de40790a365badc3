"""What a question asks of a series: which figures, above or below what, inside or outside which windows.

Rules over the person's words in Chinese and English (`words.toml`); what they do not understand is not asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal, cast

from agent.numerals import parse_number
from agent.times import find_periods
from knowledge.tokens import fold
from plugins.logs.lexicon import spaced
from plugins.logs.numerals import with_digits
from plugins.logs.spelling import respelled
from plugins.logs.wordlists import Words, load_words

__all__ = ["Figure", "Limit", "Relation", "SeriesAsk", "blank", "known_words", "understand"]

Figure = Literal[
    "maximum", "minimum", "range", "mean", "median", "deviation", "sum", "percentile", "first", "last", "value",
    "count", "share", "duration", "days", "first crossing", "last crossing", "crossings",
    "gaps", "duplicates", "order", "interval", "span", "windows", "signals", "rise", "fall", "slope", "change",
]  # fmt: skip
Relation = Literal["", "correlation", "apart", "above", "below", "which"]
"""Of two series to each other; `which`: whose figure is the higher or the lower."""
Side = Literal["above", "below", "between"]

_FILE = Path(__file__).parent / "words.toml"
_OF_LIMIT: dict[str, tuple[Figure, ...]] = {
    "days": ("days",),
    "share": ("share",),
    "longest": ("duration",),
    "crossings": ("crossings", "count"),
    "duration": ("duration",),
    "last": ("last crossing",),
    "first": ("first crossing",),
}
"""What is asked of the values on one side of a limit, in the order in which it is looked for."""
_SPELLING = """maximum minimum average averages median highest lowest largest smallest biggest hottest coldest deviation
    percentile percentage missing duration interval sampling longest difference correlation between above below exceed
    exceeded exceeds readings values samples standard duplicate duplicates first reached total fastest change changed"""
_SPELT = frozenset(_SPELLING.split())
"""Words by which figures are asked for, as they are spelt."""
_OF_VALUES = ("maximum", "minimum", "mean", "median", "deviation", "sum")
_OF_TIME = (
    "gaps",
    "duplicates",
    "order",
    "interval",
    "span",
    "rise",
    "fall",
    "slope",
    "change",
    "share",
    "duration",
    "first crossing",
    "last crossing",
    "crossings",
)
"""Figures that are never told by buckets: 几点 asks for their instant."""
_BOTH = re.compile(
    r"(?P<a>供|进|出|前|上|吸|入)(?P<b>回|出|进|入|后|下|排)(?P<of>[水风油气口侧端]?)口?(?P<what>温度?|压力?|流量?)(?:之?差|相差|落差)"
)
"""One word for two series and what lies between them: 供回水温差."""
_UNIT_SECONDS = {"秒": 1, "分": 60, "小": 3600, "个": 3600, "天": 86_400, "s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that values are held against."""

    side: Side
    low: float
    high: float
    """The same as `low` unless between."""
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class SeriesAsk:
    """What is asked."""

    figures: tuple[Figure, ...]
    limit: Limit | None = None
    by: str = ""
    """Bucket of time that figures are wanted for, or that is looked for."""
    inside: bool = False
    outside: bool = False
    before: bool = False
    after: bool = False
    """Only values inside, outside, before or after labelled windows; of several each."""
    head: int = 0
    tail: int = 0
    """Only so many values at the beginning or at the end."""
    percent: float = 50.0
    """Of a percentile."""
    longer_seconds: float | None = None
    """Gaps longer than this."""
    extremes: int = 1
    """How many of the highest or lowest values."""
    amount: bool = False
    """Whether it is about what was used or made: amounts of a span of time are added up."""
    relation: Relation = ""
    of_two: bool = False
    """Whether it is about what only two series have together (温差)."""
    compares_spans: bool = False
    """Whether several spans of time are named: then figures of one series can differ too."""
    per_seconds: float = 3600.0
    """Length of time that a rate of change is given for."""
    names_text: str = field(default="", compare=False)
    """The question without spans of time and limits: where names are looked for."""

    @property
    def by_window(self) -> bool:
        """Whether values are told apart by labelled windows."""
        return self.inside or self.outside or self.before or self.after


def understand(question: str, figures: tuple[Figure, ...] = ()) -> SeriesAsk | None:
    """What a question asks of a series; None where it asks nothing that can be computed.

    :param figures: that are known to be wanted; of the question only the rest is read.
    """
    text = _BOTH.sub(r"\g<a>\g<of>\g<what>和\g<b>\g<of>\g<what>之差", spaced(fold(question)))
    right = respelled(text, _SPELT)
    return _understand(text, figures) or (_understand(right, figures) if right != text else None)


def _understand(text: str, wanted: tuple[Figure, ...]) -> SeriesAsk | None:
    words = load_words(_FILE)
    more = words["more"]
    if more["refused"].search(text):
        return None
    spans = find_periods(text)
    text = with_digits(more["positive"].sub("高于 0", more["negative"].sub("低于 0", blank(text, spans))))
    text, percent = _number_of(text, more, "percentile")
    text, extremes = _number_of(text, more, "extremes")
    text, head = _number_of(text, more, "head")
    text, tail = _number_of(text, more, "tail")
    longer = more["longer"].search(text)
    limit, text = (None, text) if longer else _limit_of(text, words["limits"])
    by = next((name for name, rule in words["buckets"].items() if rule.search(text)), "")
    amount = more["amount"].search(text) is not None
    figures = (
        _figures(text, limit, words) if limit is not None else _amounts(_figures(text, None, words), text, by, more)
    )
    moves = _moves(text, words["moves"]) if limit is None else ()
    if moves == ("change",) and {"mean", "median"} & set(figures) and len(spans) == 1:
        return None  # of a mean there are two values only where two spans are told apart
    figures = wanted or moves or figures
    figures += ("percentile",) if percent is not None else ()
    relation = _relation(text, words["relations"], figures) if limit is None else ""
    if not figures and relation:
        figures = ("mean",)
    sides = {name: rule.search(text) is not None for name, rule in words["sides"].items()}
    if any(sides.values()):
        figures = tuple(figure for figure in figures if figure not in ("windows", "duration")) or ("mean",)
    if not figures and spans:
        figures = ("value",)
    if not figures:
        return None
    return SeriesAsk(
        figures,
        limit,
        "" if {"days", "windows", *_OF_TIME} & set(figures) else by,
        **sides,
        head=int(head or 0),
        tail=int(tail or 0),
        percent=percent if percent is not None else 50.0,
        longer_seconds=float(longer["n"]) * _UNIT_SECONDS[longer["u"][0]] if longer else None,
        extremes=int(extremes or 1),
        amount=amount,
        relation=relation,
        of_two=relation == "apart" and more["of_two"].search(text) is not None,
        compares_spans=len(spans) > 1 or any(sides.values()),
        per_seconds=_per_seconds(text, words["moves"]),
        names_text=text,
    )


@cache
def known_words() -> tuple[re.Pattern[str], ...]:
    """The rules by which any word of a question was understood."""
    sections = load_words(_FILE)
    return tuple(rule for words in sections.values() for name, rule in words.items() if name != "refused")


def blank(text: str, found: list[tuple[int, str]]) -> str:
    """A text in which spans of time are blanks: their numbers and words mean nothing else."""
    for start, phrase in found:
        text = f"{text[:start]}{' ' * len(phrase)}{text[start + len(phrase) :]}"
    return text


def _number_of(text: str, words: Words, name: str) -> tuple[str, float | None]:
    """The text without a phrase, and the number of the phrase."""
    match = words[name].search(text)
    if match is None:
        return text, None
    said = next((value for value in match.groups() if value), "0")
    number = parse_number(said)
    left = text if name == "extremes" else blank(text, [(match.start(), match.group())])  # its adjective says which
    return left, number


def _limit_of(text: str, words: Words) -> tuple[Limit | None, str]:
    for side in ("between", "below", "above"):
        match = words[side].search(text)
        if match is None:
            continue
        numbers = sorted(float(n.replace(",", "").replace("−", "-")) for n in match.groups() if n)
        inclusive = words["inclusive"].search(match.group()) is not None
        limit = Limit(side, numbers[0], numbers[-1], inclusive)
        return limit, blank(text, [(match.start(), match.group())])
    return None, text


def _amounts(figures: tuple[Figure, ...], text: str, by: str, more: Words) -> tuple[Figure, ...]:
    """What was used or made is added up, where no other figure is asked for or where buckets of time are compared."""
    amount = more["amount"].search(text) is not None
    most = more["most"].search(text) is not None or "maximum" in figures
    least = more["least"].search(text) is not None or "minimum" in figures
    others = set(figures) - {"maximum", "minimum", "sum", "count"}
    recurring = by == "weekday" or (by == "hour of day" and more["recurring"].search(text) is not None)
    if by and (most or least) and (not others or (recurring and others == {"mean"})):
        extreme: Figure = "maximum" if most else "minimum"
        if (recurring and (others or by != "weekday")) or (by in ("weekday", "hour of day") and amount):
            return extreme, "mean"  # there are more of one weekday than of another
        return (extreme, "sum") if amount or "sum" in figures else (extreme,)
    if amount and not figures and more["how_much"].search(text):
        return ("sum",)
    return figures


def _moves(text: str, words: Words) -> tuple[Figure, ...]:
    """Rises and falls: the largest from one value to the next, the mean rate, or from the beginning to the end."""
    up, down = words["up"].search(text) is not None, words["down"].search(text) is not None
    either = words["change"].search(text) is not None
    if words["rate"].search(text) and (up or down or either):
        return ("slope",)
    if words["largest"].search(text) and (up or down or either):
        return (*(("rise",) if up or not down else ()), *(("fall",) if down or not up else ()))
    return ("change",) if (up or down or either) and words["much"].search(text) else ()


def _per_seconds(text: str, words: Words) -> float:
    lengths = {"second": 1.0, "minute": 60.0, "day": 86_400.0}
    return next((seconds for name, seconds in lengths.items() if words[f"per_{name}"].search(text)), 3600.0)


def _relation(text: str, words: Words, figures: tuple[Figure, ...]) -> Relation:
    """How two series are held against each other, should the question name two."""
    found = [cast(Relation, name) for name, rule in words.items() if rule.search(text)]
    if "correlation" in found:
        return "correlation"
    if "which" in found and set(figures) & set(_OF_VALUES):
        return "which"
    return next((name for name in ("apart", "above", "below") if name in found), "")


def _figures(text: str, limit: Limit | None, words: dict[str, Words]) -> tuple[Figure, ...]:
    found = [cast(Figure, name) for name, rule in words["figures"].items() if rule.search(text)]
    if limit is not None:
        of_limit = next((f for name, f in _OF_LIMIT.items() if words["limited"][name].search(text)), None)
        return of_limit or tuple(figure for figure in found if figure in _OF_VALUES) or ("count",)
    if "maximum" in found and "minimum" in found and words["more"]["difference"].search(text):
        found = ["range", *found]
    if "gaps" in found:  # they are told by their length
        found = [figure for figure in found if figure not in ("maximum", "minimum")]
    if "range" in found and "span" in found:
        found.remove("range")
    if {"span", "interval", "gaps", "windows", "count", "duplicates"} & set(found):
        found = [figure for figure in found if figure != "sum"]
    if len(found) > 1:  # how many readings there are is said with every answer
        found = [figure for figure in found if figure not in ("count", "signals")]
    return tuple(dict.fromkeys(found))
