"""What a part of a question is about by name, and which quotes concern it.

A part names something by a code, by the heading of a section, or by what its tool call looked up (an alarm, a tag, a
label); one that says little goes on about what the part before it named. Where some quotes carry the name and others
carry another thing of the same kind (the section beside it, another row of the same table), only the former concern
it. What is no such thing stays: a rule for all drives may answer about one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agent.claims import codes_in
from agent.quotes import Quote, plain
from agent.values import Passage
from knowledge.limits import name_variants
from knowledge.tokens import place_of, tokens

__all__ = ["carries", "concerning", "headings_named"]

_SHARED_TOKENS = 1
"""Headings with so many words in common name things of one kind: 循环变频故障, 补水变频故障."""


def concerning(about: str, names: Collection[str], quotes: Sequence[Quote]) -> list[Quote]:
    """The quotes that concern what is named; all where nothing is, or where none carries it.

    :param about: the words of the part and what was looked up for it.
    :param names: what its tool call looked up by name.
    """
    codes = codes_in(about)
    coded = [quote for quote in quotes if codes & codes_in(_told(quote))]
    left = coded or list(quotes)
    named = {plain(name) for name in [*names, *headings_named(about, left)]}
    carried = [quote for quote in left if carries(named, quote)]
    if not carried:
        return left
    return [quote for quote in left if quote in carried or not _is_other(quote, carried)]


def headings_named(about: str, quotes: Sequence[Quote]) -> set[str]:
    """Headings that are said word for word, in one of their languages; one word alone may be said by chance."""
    variants = {variant for quote in quotes for variant in name_variants(quote.passage.heading)}
    return {variant for variant in variants if len(tokens(variant)) > 1 and place_of(variant, about) >= 0}


def carries(named: Collection[str], quote: Quote) -> bool:
    """Whether a quote or its heading has one of the names, which are compared as `plain` has them."""
    if quote.kind == "row" and not any(plain(variant) in named for variant in name_variants(quote.passage.heading)):
        return any(name and name in plain(quote.text) for name in named)
    told = plain(_told(quote))
    return any(name and name in told for name in named)


def _told(quote: Quote) -> str:
    return f"{quote.passage.heading} {quote.about} {quote.text}"


def _is_other(quote: Quote, carried: Sequence[Quote]) -> bool:
    """Whether it stands beside one that carries the name: in its table, or in a section of the same kind."""
    return any(_is_row_beside(quote, other) or _is_section_beside(quote.passage, other.passage) for other in carried)


def _is_row_beside(quote: Quote, other: Quote) -> bool:
    return quote.kind == other.kind == "row" and quote.passage.text == other.passage.text


def _is_section_beside(passage: Passage, other: Passage) -> bool:
    """Sections of one parent, and those whose headings share a word, speak of different things of one kind."""
    if (passage.document, passage.section, passage.heading) == (other.document, other.section, other.heading):
        return False
    parent, _, last = passage.section.rpartition(".")
    beside = passage.document == other.document and bool(parent) and last.isdigit()
    shared = set(tokens(passage.heading)) & set(tokens(other.heading))
    return (beside and other.section.rpartition(".")[0] == parent) or len(shared) >= _SHARED_TOKENS
