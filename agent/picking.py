"""What a model may pick from for one part of a question: the few quotes that may answer it, or none.

    concern what is named     the alarm, the tag, the section; not the one beside it
    hold what is asked for    a pressure for "which pressure"; nearly all that the question names
    best first, few           a small model takes what stands first, and declines too readily

A quote that shares the machine and lacks what is asked about it is no answer, however close it is: it is not offered,
and the part is answered with "the manuals do not say".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agent.asks import asked_for, names_code_of, offered
from agent.bound import PickPart
from agent.quotes import Quote, plain
from agent.ranking import Ranked
from agent.settings import TurnSettings
from agent.subjects import carries, headings_named
from agent.tools import Tool
from agent.values import Language
from knowledge.quantities import asked_kinds, holds

__all__ = ["pick_part"]


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
    order = offered(part, about, quotes, most=most, names=names, closeness=tool.closeness)
    if tool.said_share is None:
        return _by_words(part, about, order, language, settings)
    named = {plain(name) for name in [*names, *headings_named(about, quotes)]}
    shares = {one.quote: _share(about, one.quote, tool, language) for one in order}
    kinds = asked_kinds(part)
    explained = asked_for(part) != "fact"

    def answers(quote: Quote) -> bool:
        enough = settings.quote_said if quote.passage.language == language else settings.quote_said_foreign
        known = shares[quote] >= enough or (explained and carries(named, quote))
        return known and holds(quote.text, kinds)

    chosen = tuple(one.quote for one in order if answers(one.quote))
    sure = bool(chosen) and chosen[0].passage.language == language and shares[chosen[0]] >= settings.quote_said_sure
    return PickPart(part, chosen, likely=True, sure=sure, may_decline=not names_code_of(about, chosen))


def _share(about: str, quote: Quote, tool: Tool, language: Language) -> float:
    """How much of what is asked it says, with the headings that it stands under."""
    passage = quote.passage
    text = f"{passage.title}\n{passage.path or passage.heading}\n{quote.about}\n{quote.text}"
    return tool.said_share(about, text, passage.language) if tool.said_share else 1.0


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
