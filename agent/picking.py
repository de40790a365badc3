"""What a model may pick from for one part of a question: the few quotes that may answer it, or none.

    concern what is named     the alarm, the tag, the section; not the one beside it
    hold what is asked for    a pressure for "which pressure"; nearly all that the question names
    best first, few           a small model takes what stands first, and declines too readily

A quote that shares the machine and lacks what is asked about it is no answer, however close it is: it is not offered,
and the part is answered with "the manuals do not say".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from agent.asks import asked_for, defines, explains, names_code_of, offered
from agent.bound import PickPart
from agent.claims import codes_in
from agent.quotes import Quote, plain
from agent.ranking import Ranked, wanted_by
from agent.settings import TurnSettings
from agent.subjects import carries, headings_named
from agent.tools import Tool
from agent.values import Language
from knowledge.quantities import asked_kinds, holds

__all__ = ["pick_part"]

_WEIGHED = 8
"""Quotes of one part of which it is looked at what they say."""
_DEFINES = 0.5
"""For the row that a code heads, beside what only mentions the code."""
_MANY_THINGS = ("steps", "table")
_MOST_LINES = 24
"""A longer list is looked at as a whole."""


def pick_part(
    part: str,
    about: str,
    quotes: Sequence[Quote],
    *,
    names: Collection[str],
    tool: Tool,
    language: Language,
    most: int,
    settings: TurnSettings,
) -> PickPart:
    """The quotes offered for one part, best first.

    :param about: the words of the part, with what was looked up for it where they do not say it.
    :param names: what was looked up by name.
    :param tool: that found the passages.
    :param language: of the person.
    """
    order = offered(part, about, quotes, most=_WEIGHED, names=names, closeness=tool.closeness)
    if tool.said_share is None:
        return _by_words(part, about, order[:most], language, settings)
    named = {plain(name) for name in [*names, *headings_named(about, quotes)]}
    weighed = [_weighed(part, about, one, tool) for one in order]
    weighed.sort(key=lambda one: one.score, reverse=True)
    best = [one for one in weighed if _answers(one, part, named, language, settings)][:most]
    chosen = tuple(one.quote for one in best)
    sure = bool(best) and chosen[0].passage.language == language and best[0].share >= settings.quote_said_sure
    return PickPart(part, chosen, likely=True, sure=sure, may_decline=not names_code_of(about, chosen))


@dataclass(frozen=True, slots=True)
class _Weighed:
    quote: Quote
    meaning: float
    share: float
    """Of what is asked, that it says."""
    defines: bool
    """Whether it is the row that a code of the question heads."""
    holds: bool
    """A figure of the kind that is asked for, where it says the most."""
    score: float


def _weighed(part: str, about: str, one: Ranked, tool: Tool) -> _Weighed:
    """How much of what is asked a quote says, with the headings that it stands under.

    A list or a table says many things: for one datum, one line of it has to say what is asked. What explains leans on
    the text around it.
    """
    passage, kinds = one.quote.passage, asked_kinds(part)
    lines = one.quote.text.splitlines()
    texts = [passage.text if explains(part) else one.quote.text]
    single = asked_for(part) == "fact" and not wanted_by(part).members
    if single and one.quote.kind in _MANY_THINGS and 2 < len(lines) <= _MOST_LINES:
        texts = [f"{lines[0]}\n{line}" for line in lines[1:]]
    under = f"{passage.title}\n{passage.path or passage.heading}\n{one.quote.about}"
    said = [
        (holds(text, kinds), tool.said_share(about, f"{under}\n{text}", passage.language) if tool.said_share else 1.0)
        for text in texts
    ]
    best = max(said)
    is_row = defines(codes_in(about), one.quote)
    return _Weighed(one.quote, one.meaning, best[1], is_row, best[0], one.score + best[1] + _DEFINES * is_row)


def _answers(one: _Weighed, part: str, named: Collection[str], language: Language, settings: TurnSettings) -> bool:
    """Whether it says what is asked, explains what is named, or says half of it and means nearly the same."""
    enough = settings.quote_said if one.quote.passage.language == language else settings.quote_said_foreign
    close = (one.meaning >= settings.quote_close or one.defines) and one.share >= settings.quote_said_close
    known = one.share >= enough or close or (explains(part) and carries(named, one.quote))
    return known and one.holds


def _by_words(part: str, about: str, order: Sequence[Ranked], language: Language, settings: TurnSettings) -> PickPart:
    """Where the tool cannot tell what a quote says, words and closeness decide."""
    likely = bool(order) and _is_likely(order[0], language, settings)
    if order and order[0].meaning > 0 and not likely and asked_for(part) == "fact":
        order = ()  # a small model picks even what has next to nothing to do with the question
    chosen = tuple(one.quote for one in order)
    sure = bool(order) and order[0].words >= settings.quote_sure_words
    return PickPart(part, chosen, likely=likely, sure=sure, may_decline=not names_code_of(about, chosen))


def _is_likely(best: Ranked, language: Language, settings: TurnSettings) -> bool:
    """By words or meaning; a foreign passage that holds what is asked for needs less, since words do not count."""
    enough = settings.quote_meaning
    if best.fits and best.quote.passage.language != language:
        enough *= settings.quote_foreign
    return best.words >= settings.quote_words or best.meaning >= enough
