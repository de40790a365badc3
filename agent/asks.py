"""What a part of a question asks a manual for: steps, a cause, a meaning, or any fact.

A small model points at the right quote far more often when quotes of another kind, and those that have little to do
with the question, are out of its reach (DECISIONS.md has the figures). Only a clear sign narrows the kind; where
there is none, or no quote of that kind, every kind stays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Literal

from agent.claims import codes_in
from agent.quotes import Quote
from agent.ranking import Closeness, Ranked, ranked, wanted_by
from agent.subjects import concerning

__all__ = ["Asked", "asked_for", "defines", "explains", "likeness", "names_code_of", "offered", "offered_quotes"]

Asked = Literal["steps", "cause", "meaning", "fact"]

_RUN = re.compile(r"[a-z0-9_]+(?:[.\-/][a-z0-9_]+)*|[\u2e80-\u9fff\uf900-\ufaff]+")
_CAUSE = re.compile(r"原因|为什么|为何|怎么会|怎么回事|\bwhy\b|\bcaus(?:e[sd]?|ing)\b|\breasons?\b", re.IGNORECASE)
_STEPS = re.compile(
    r"怎么(?:办|做|处理|排除|解决|复位|停|启|开|关|更换|换|检查|操作|清|修|设|调|拆|装|接)|"
    r"如何|怎样|步骤|处理|措施|做什么|"
    r"\bhow (?:do|can|should|to) |\bwhat (?:should|to do|can|do (?:i|we) do)\b|"
    r"\bsteps?\b|\bprocedure\b",
    re.IGNORECASE,
)
_MEANING = re.compile(
    r"什么意思|代表什么|是什么(?!原因)|什么含义|含义|表示什么|指什么|"
    r"\bmeans?\b|\bmeaning\b|\bindicates?\b|\bsignif|\bwhat is\b",
    re.IGNORECASE,
)
_EXPLAINED = re.compile(
    r"怎么办|(?:怎么|怎样|如何)(?:做|处理|排除|解决|复位|停|启|更换|换|检查|操作|清|修|拆|装|接)|应采取|处理步骤|什么措施|"
    r"为什么|为何|什么原因|的?原因(?:是|有)|什么意思|什么含义|代表什么|含义是|"
    r"\bhow (?:do|should|can) (?:i|we|you) (?!know\b|see\b|read\b)|"
    r"\bwhat (?:should (?:i|we|be)|to do|do (?:i|we) do)\b|"
    r"\bwhat (?:does|do) .{1,60}\bmean\b|\bwhat is the meaning\b|^\W*why\b|\bwhat caused\b|\bcauses? of\b",
    re.IGNORECASE,
)
_WHOLE = ("steps", "table")
_NEAR_BEST = 0.75
"""Quotes of the asked kind are offered alone where the best of them is at least this good beside the best of all."""
_LEADS_CAUSES = re.compile(r"^.{0,6}原因[:：]|^(?:\w+ ){0,2}causes?:", re.IGNORECASE)
_SAYS_CAUSE = re.compile(r"^.{0,12}原因|由于|因为|^(?:\w+ ){0,3}causes?\b|\bbecause\b|\bdue to\b", re.IGNORECASE)


def asked_for(part: str) -> Asked:
    """What a part asks for; `fact` where nothing says more."""
    if _CAUSE.search(part):
        return "cause"
    if _STEPS.search(part):
        return "steps"
    return "meaning" if _MEANING.search(part) else "fact"


def explains(part: str) -> bool:
    """Whether a part plainly asks for an explanation or for steps, which no reading and no lamp gives."""
    return _EXPLAINED.search(part) is not None


def offered_quotes(part: str, phrase: str, quotes: Sequence[Quote], *, most: int) -> tuple[Quote, ...]:
    """The quotes that may answer a part, best first; see `offered`."""
    return tuple(one.quote for one in offered(part, phrase, quotes, most=most))


def offered(
    part: str,
    phrase: str,
    quotes: Sequence[Quote],
    *,
    most: int,
    names: Collection[str] = (),
    closeness: Closeness | None = None,
) -> tuple[Ranked, ...]:
    """The quotes that may answer a part, best first, each text once.

    :param phrase: what was looked up for it.
    :param most: no more than so many; one less than half as good as the best is left out.
    :param names: what was looked up by name: those about another thing of its kind are left out.
    :param closeness: tells how close in meaning texts are, where there is an encoder.
    """
    asked, codes = asked_for(part), codes_in(phrase)
    about = concerning(phrase, names, quotes)
    if asked == "steps" and explains(part):
        about = [quote for quote in about if not _LEADS_CAUSES.search(quote.text)]
    order = ranked(part, phrase, about, closeness)
    members = wanted_by(part).members
    fitting = [
        one
        for one in order
        if _fits(asked, one.quote) or (members and one.quote.kind in _WHOLE) or defines(codes, one.quote)
    ]
    if fitting and fitting[0].score >= _NEAR_BEST * order[0].score:
        order = fitting
    texts: dict[str, Ranked] = {}
    for one in order:
        texts.setdefault(one.quote.text, one)
    best = list(texts.values())[:most]
    return tuple(one for one in best if one.score >= best[0].score / 2)


def names_code_of(phrase: str, quotes: Sequence[Quote]) -> bool:
    """Whether the phrase names a code that stands in every one of the quotes: then one of them does answer."""
    codes = codes_in(phrase)
    return bool(quotes) and all(codes & codes_in(quote.text) for quote in quotes)


def likeness(asked: str, text: str) -> float:
    """How much of what is asked a text holds, 0 to 1."""
    wanted = _terms_of(asked)
    return len(wanted & _terms_of(text)) / len(wanted) if wanted else 0.0


def _terms_of(text: str) -> set[str]:
    """Latin words without a plural s, numbers, and pairs of Chinese characters: what two texts can share."""
    terms = set()
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if run[0] > "\u2e80":
            terms |= {run[i : i + 2] for i in range(len(run) - 1)} or {run}
        else:
            terms.add(run.removesuffix("s") if len(run) > 3 else run)
    return terms


def defines(codes: Collection[str], quote: Quote) -> bool:
    """Whether it is the row of a table that one of the codes heads: its meaning, its cause and what to do."""
    return quote.kind == "row" and bool(codes_in(quote.said.splitlines()[-1].partition("|")[0]) & set(codes))


def _fits(asked: Asked, quote: Quote) -> bool:
    cause = _SAYS_CAUSE.search(quote.text) is not None
    match asked:
        case "steps":
            return quote.kind in ("steps", "code", "line") and not cause
        case "cause":
            return cause and quote.kind != "item"  # one of several causes is half an answer
        case "meaning":
            return quote.kind == "sentence" and not cause
        case _:
            return True
