"""What a part of a question asks a manual for: steps, a cause, a meaning, or any fact.

A small model points at the right quote far more often when quotes of another kind, and those that have little to do
with the question, are out of its reach (DECISIONS.md has the figures). Only a clear sign narrows the kind; where
there is none, or no quote of that kind, every kind stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from agent.claims import codes_in
from agent.quotes import Quote, plain

__all__ = ["Asked", "asked_for", "likeness", "offered_quotes"]

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
    like = {quote: likeness(phrase, f"{quote.passage.heading} {quote.text}") for quote in fitting}
    best = sorted(fitting, key=lambda quote: like[quote], reverse=True)[:most]
    return tuple(quote for quote in fitting if quote in best and like[quote] >= like[best[0]] / 2)


def likeness(asked: str, text: str) -> float:
    """How many of the letter pairs of what is asked a text holds, 0 to 1."""
    wanted = _pairs(asked)
    return len(wanted & _pairs(text)) / len(wanted) if wanted else 0.0


def _fits(asked: Asked, quote: Quote) -> bool:
    cause = _SAYS_CAUSE.search(quote.text) is not None
    match asked:
        case "steps":
            return quote.kind == "steps" and not cause
        case "cause":
            return cause
        case "meaning":
            return quote.kind != "steps" and not cause
        case _:
            return True


def _pairs(text: str) -> set[str]:
    letters = plain(text)
    return {letters[i : i + 2] for i in range(len(letters) - 1)}
