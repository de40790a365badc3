"""What a part of a question asks a manual for: steps, a cause, a meaning, or any fact.

A small model points at the right quote far more often when quotes of another kind, and those that have little to do
with the question, are out of its reach (DECISIONS.md has the figures). Only a clear sign narrows the kind; where
there is none, or no quote of that kind, every kind stays.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from agent.claims import codes_in
from agent.quotes import Quote

__all__ = ["Asked", "asked_for", "likeness", "names_code_of", "offered_quotes"]

_RUN = re.compile(r"[a-z0-9_]+(?:[.\-/][a-z0-9_]+)*|[\u2e80-\u9fff\uf900-\ufaff]+")

Asked = Literal["steps", "cause", "meaning", "fact"]

_CAUSE = re.compile(r"原因|为什么|为何|怎么会|怎么回事|\bwhy\b|\bcaus(?:e[sd]?|ing)\b|\breasons?\b", re.IGNORECASE)
_STEPS = re.compile(
    r"怎么(?:办|做|处理|排除|解决|复位|停|启|开|关|更换|换|检查|操作|清|修|设|调)|"
    r"如何|怎样|步骤|处理|措施|做什么|"
    r"\bhow (?:do|can|should|to) |\bwhat (?:should|to do|can|do (?:i|we) do)\b|"
    r"\bsteps?\b|\bprocedure\b",
    re.IGNORECASE,
)
_MEANING = re.compile(
    r"什么意思|代表什么|是什么(?!原因)|什么含义|含义|表示什么|指什么|\bmeans?\b|\bmeaning\b|\bwhat is\b", re.IGNORECASE
)
_SAYS_CAUSE = re.compile(r"^.{0,12}原因|由于|因为|^(?:\w+ ){0,3}causes?\b|\bbecause\b|\bdue to\b", re.IGNORECASE)


def asked_for(part: str) -> Asked:
    """What a part asks for; `fact` where nothing says more."""
    if _CAUSE.search(part):
        return "cause"
    if _STEPS.search(part):
        return "steps"
    return "meaning" if _MEANING.search(part) else "fact"


def offered_quotes(part: str, phrase: str, quotes: Sequence[Quote], *, most: int) -> tuple[Quote, ...]:
    """The quotes that may answer a part, in the order given.

    :param phrase: what was looked up for it.
    :param most: no more than so many, those most like the phrase; one less than half as like as the best is left out.
        Where the phrase names a code that stands in some, only those.
    """
    asked, codes = asked_for(part), codes_in(phrase)
    about = [quote for quote in quotes if codes & codes_in(quote.text)] or list(quotes)
    fitting = [quote for quote in about if _fits(asked, quote)] or about
    texts = {quote: f"{quote.passage.heading} {quote.text}" for quote in fitting}
    rarity = _rarity(list(texts.values()))
    like = {quote: likeness(phrase, text, rarity) for quote, text in texts.items()}
    best = sorted(fitting, key=lambda quote: like[quote], reverse=True)[:most]
    return tuple(quote for quote in fitting if quote in best and like[quote] >= like[best[0]] / 2)


def names_code_of(phrase: str, quotes: Sequence[Quote]) -> bool:
    """Whether the phrase names a code that stands in every one of the quotes: then one of them does answer."""
    codes = codes_in(phrase)
    return bool(quotes) and all(codes & codes_in(quote.text) for quote in quotes)


def likeness(asked: str, text: str, weights: Mapping[str, float] | None = None) -> float:
    """How much of what is asked a text holds, 0 to 1.

    :param weights: of a word or letter pair; 1 where there is none.
    """
    wanted, held, by = _terms_of(asked), _terms_of(text), weights or {}
    total = sum(by.get(term, 1.0) for term in wanted)
    return sum(by.get(term, 1.0) for term in wanted & held) / total if total else 0.0


def _terms_of(text: str) -> set[str]:
    """Latin words without a plural s, numbers, and pairs of Chinese characters: what two texts can share."""
    terms = set()
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if run[0] > "\u2e80":
            terms |= {run[i : i + 2] for i in range(len(run) - 1)} or {run}
        else:
            terms.add(run.removesuffix("s") if len(run) > 3 else run)
    return terms


def _rarity(texts: Sequence[str]) -> dict[str, float]:
    """A term that stands in few of the texts tells them apart, one that stands in all does not."""
    count = Counter(term for text in texts for term in _terms_of(text))
    return {term: math.log(1 + len(texts) / times) for term, times in count.items()}


def _fits(asked: Asked, quote: Quote) -> bool:
    cause = _SAYS_CAUSE.search(quote.text) is not None
    match asked:
        case "steps":
            return quote.kind in ("steps", "code") and not cause
        case "cause":
            return cause
        case "meaning":
            return quote.kind == "sentence" and not cause
        case _:
            return True
