"""Which of the quotes found answers a part best: by its words, its meaning and the kind of thing that is asked for.

    words      how much of what is asked a quote (and, less, what stands around it) holds; rare words count more
    meaning    how close its sense is, where a sentence encoder says so: the only sign across languages
    passage    how well the search thought of the section
    kind       a figure for "how many", a path for "which file", a list for "which kinds", a cause for "why"
    novelty    what only says the question again answers nothing

The numbers are weights of an order, no probabilities; the questions of `make score-turn` and `make score-answers` say
what they are worth.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.claims import numbers_in
from agent.quotes import Quote
from knowledge.quantities import Kind, asked_kinds, holds
from knowledge.question import clauses_of, language_of_question
from knowledge.tokens import tokens

__all__ = ["Closeness", "Ranked", "Wanted", "ranked", "wanted_by"]

Closeness = Callable[[str, Sequence[str]], Sequence[float] | None]
"""(question, texts) -> how close each text is in meaning, 0 to 1; None where nothing can tell."""

_ASIDE = 0.4
"""Weight of the words around a quote, beside those of its core."""
_MEANING = 1.0
_MEANING_OF_CODE = 0.5
"""An encoder of sentences has learnt little of code."""
_PASSAGE = 0.5
_EARLY = 0.25
"""What stands first is the rule, what stands last the exception."""
_KIND = 0.4
_SAYS_NOTHING = 0.5
"""Taken off where a quote holds nothing that the question and the heading do not."""
_MAX_RUNS = 40
_FEW_NEW = 2
"""New words fewer than this are next to nothing, if none of them is a number."""

_PLACE = re.compile(
    r"(?:哪|什么)(?:个|条|一)?(?:些)?(?:文件|路径|目录|命令|指令|行|配置项|参数名|选项|端口|网址|地址)|文件名|"
    r"\b(?:which|what)(?: \w+){0,2} (?:files?|lines?|commands?|paths?|folders?|director(?:y|ies)|url|package)\b",
    re.IGNORECASE,
)
_HOLDS_PLACE = re.compile(
    r"(?<![\w<])(?:~|\.{1,2})?/[\w.-]+(?:/[\w.-]+)+|[A-Za-z]:\\[\w\\.-]+|\b[\w-]+\.[a-z]{2,5}\b(?!\.)|[\w.-]+=[\w\"'.-]+"
)
_URL = re.compile(r"\w+://\S+")
_WHEN = re.compile(
    r"什么时候|何时|哪(?:一)?[年天日月]|几[月号日点]|日期|\bwhen\b|\bwhich (?:year|day|date|month)\b", re.IGNORECASE
)
_HOLDS_WHEN = re.compile(
    r"\d{4}\s*年|\d{1,2}\s*月|\d{4}-\d\d|\b\d{1,2}:\d\d\b|\b(?:19|20)\d\d\b|[时後后前](?:[,，。;；]|$)|每[隔年月周天日班次]|"
    r"\b(?:when|if|once|after|before|until|every|as soon as|daily|weekly|monthly|yearly)\b|\d\s*(?:h|hours|days)\b",
    re.IGNORECASE,
)
_MEMBERS = re.compile(
    r"哪(?:几|些)|(?:有|分|包括|包含)(?:哪|什么|几)|几(?:类|种|项|个(?!小时|月|星期))|可能.{0,4}原因|"
    r"\bwhat are\b|\bwhat (?:\w+ ){1,2}(?:should|must|have to|need to) be\b|"
    r"\bwhich (?:\w+ )?(?:kinds|types|items|parts|\w+s are)\b|\b(?:kinds|types|list) of\b|\bcauses\b",
    re.IGNORECASE,
)
_COMMA = re.compile(r"[,，、]")
_NEAR_BEST = 0.7
_WHOLE = ("steps", "table")
_COUNTS = re.compile(
    r"[\d两三四五六七八九十]\s*(?:种|类|项|级|个)|\b(?:two|three|four|five|six|seven|eight|\d) \w+", re.IGNORECASE
)
_MEANING_ASKED = re.compile(
    r"什么意思|含义|代表|表示|说明什么|\bmean(?:s|ing)?\b|\bindicates?\b|\bsignif", re.IGNORECASE
)
_SAYS_MEANING = re.compile(
    r"表示|意味|含义|是指|说明|代表|意思|\bmean(?:s|ing)?\b|\bindicat|\bsignif|\bdenotes?\b|\bstands for\b",
    re.IGNORECASE,
)
_CAUSE_ASKED = re.compile(r"原因|为什么|为何|怎么会|怎么回事|\bwhy\b|\bcaus|\breasons?\b", re.IGNORECASE)
_SAYS_CAUSE = re.compile(
    r"原因|由于|因为|导致|引起|造成|所致|\bcaus|\bbecause\b|\bdue to\b|\breasons?\b|\bresult of\b|\bindicat|\blikely\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(
    r"矩阵|数值|坐标|参数值|型号|版本|(?:什么|哪个)(?:值|号|编号|地址|代码)|"
    r"\b(?:which|what) (?:\w+ ){0,2}(?:matrix|values?|vector|coordinates|version|model|number|code|address|size)\b",
    re.IGNORECASE,
)
_MATRIX = re.compile(r"矩阵|\bmatrix\b|\bvector\b|坐标|\bcoordinates\b", re.IGNORECASE)
_MATRIX_NUMBERS = 3
_CODE_WORD = re.compile(r"\b[A-Za-z]+[-_.]?\d[\w-]*")
"""RK-37: no figure."""
_LONG = ("steps", "code", "line")
_LISTINGS = ("code",)
_CODE = ("code", "line")
_LONG_LINES = 8
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What kind of thing answers a part, as far as its words tell."""

    figures: frozenset[Kind] = frozenset()
    place: bool = False
    """A file, a path, a command, a line to be written."""
    when: bool = False
    members: bool = False
    """All of several things."""
    meaning: bool = False
    cause: bool = False
    digits: bool = False
    matrix: bool = False

    @property
    def single(self) -> bool:
        """One datum, which is not answered by a listing or a list as a whole."""
        return bool(self.figures or self.place or self.when or self.digits) and not self.members


@dataclass(frozen=True, slots=True)
class Ranked:
    """A quote and why it stands where it does."""

    quote: Quote
    words: float
    """Share of what is asked, 0 to 1, not counting what the title of the book says."""
    meaning: float
    """0 to 1; 0 where nothing can tell."""
    score: float
    fits: bool = False
    """Whether it holds the kind of thing that is asked for."""


def wanted_by(part: str) -> Wanted:
    """What a part asks for."""
    return Wanted(
        figures=asked_kinds(part),
        place=_PLACE.search(part) is not None,
        when=_WHEN.search(part) is not None,
        members=_MEMBERS.search(part) is not None,
        meaning=_MEANING_ASKED.search(part) is not None,
        cause=_CAUSE_ASKED.search(part) is not None,
        digits=_DIGITS.search(part) is not None,
        matrix=_MATRIX.search(part) is not None,
    )


def ranked(part: str, phrase: str, quotes: Sequence[Quote], closeness: Closeness | None = None) -> list[Ranked]:
    """Quotes, best first.

    :param part: the person's words.
    :param phrase: what was looked up for it.
    """
    wanted, language = wanted_by(part), language_of_question(part)
    said = [set(tokens(f"{quote.passage.title} {_spoken(quote)}")) for quote in quotes]
    around = [_around(quote) for quote in quotes]
    asked, rarity = _asked(phrase), _rarity(said)
    known = closeness(phrase, [_spoken(quote) for quote in quotes]) if closeness and quotes else None
    near = known or [0.0] * len(quotes)
    most = max((quote.passage.score for quote in quotes), default=0.0)
    early = _early(quotes)
    made = []
    for i, quote in enumerate(quotes):
        words = _held(asked, said[i], rarity)
        score = (1 - _ASIDE) * words + _ASIDE * _held(asked, around[i], rarity)
        if known and quote.passage.language != language:  # words are not comparable across languages
            score = near[i]
        score += (_MEANING_OF_CODE if quote.kind in _CODE else _MEANING) * near[i] + _PASSAGE * (
            quote.passage.score / most if most > 0 else 0.0
        )
        score += _EARLY * early[i] + _fit(wanted, part, quote) - _empty(part, quote)
        own = _held(asked, said[i] - set(tokens(quote.passage.title)), rarity)
        made.append(Ranked(quote, own, near[i], score, _fit(wanted, part, quote) > 0))
    best = sorted(made, key=lambda one: one.score, reverse=True)
    listed = [one for one in best if _names_several(one.quote)] if wanted.members else []
    return listed if listed and listed[0].score >= _NEAR_BEST * best[0].score else best


def _names_several(quote: Quote) -> bool:
    """A list, a table, or a sentence that counts or enumerates."""
    return quote.kind in _WHOLE or _COUNTS.search(quote.said) is not None or len(_COMMA.findall(quote.said)) > 1


def _around(quote: Quote) -> set[str]:
    passage = quote.passage
    return set(tokens(f"{passage.title} {passage.path} {passage.heading} {quote.about} {quote.text}"))


def _early(quotes: Sequence[Quote]) -> list[float]:
    """1 for the first quote of its passage, falling to 0 after the last."""
    total = Counter(quote.passage.text for quote in quotes)
    seen = Counter[str]()
    early = []
    for quote in quotes:
        early.append(1 - seen[quote.passage.text] / total[quote.passage.text])
        seen[quote.passage.text] += 1
    return early


def _spoken(quote: Quote) -> str:
    """What its words and its meaning are taken from: code says little without what leads it in."""
    return f"{quote.passage.heading} {quote.text if quote.kind == 'code' else quote.said}"


def _fit(wanted: Wanted, part: str, quote: Quote) -> float:
    """For holding the kind of thing asked for, beyond what the question says itself; against being too much."""
    said = _without_numbers_of(part, quote.said)
    fit = 0.0
    if wanted.figures:
        named = _CODE_WORD.sub("", said)
        fit += (_KIND if _NUMBER.search(named) else _KIND / 2) if holds(named, wanted.figures) else -_KIND
    if wanted.when:
        fit += _KIND if _HOLDS_WHEN.search(said) else 0.0
    if wanted.place:
        fit += _KIND if _HOLDS_PLACE.search(_URL.sub("", quote.text)) else -_KIND / 2
    if wanted.matrix:
        fit += _KIND if len(_NUMBER.findall(said)) >= _MATRIX_NUMBERS else 0.0
    elif wanted.digits:
        fit += _KIND if _NUMBER.search(said) else 0.0
    if wanted.meaning:
        fit += _KIND if _SAYS_MEANING.search(quote.said) else 0.0
    if wanted.cause:
        fit += _KIND if _SAYS_CAUSE.search(quote.text) else 0.0
    if wanted.members:
        fit += _KIND if _names_several(quote) else 0.0
    elif quote.kind == "table" or (quote.kind in (_LISTINGS if not wanted.single else _LONG) and _is_long(quote)):
        fit -= _KIND
    return fit


def _is_long(quote: Quote) -> bool:
    return quote.said.count("\n") >= _LONG_LINES


def _empty(part: str, quote: Quote) -> float:
    """Taken off what says nothing new."""
    new = _asked(quote.said) - set(tokens(f"{part} {quote.passage.heading}"))
    if numbers_in(quote.said) - numbers_in(part):
        return 0.0
    return _SAYS_NOTHING if len(new) < _FEW_NEW else 0.0


def _without_numbers_of(part: str, text: str) -> str:
    """A figure of the question is not the figure that it asks for."""
    known = set(_NUMBER.findall(part))
    return _NUMBER.sub(lambda found: "" if found.group() in known else found.group(), text)


def _asked(phrase: str) -> set[str]:
    """The words of a question that carry something: not those that only ask."""
    return {
        token for clause in clauses_of(_PLACE.sub(" ", phrase), _MAX_RUNS) for run in clause for token in tokens(run)
    }


def _held(asked: set[str], words: set[str], rarity: Mapping[str, float]) -> float:
    total = sum(rarity.get(word, 1.0) for word in asked)
    return sum(rarity.get(word, 1.0) for word in asked & words) / total if total else 0.0


def _rarity(texts: Sequence[set[str]]) -> dict[str, float]:
    """A word that stands in few of the texts tells them apart, one that stands in all does not."""
    count = Counter(word for words in texts for word in words)
    return {word: math.log(1 + len(texts) / times) for word, times in count.items()}
