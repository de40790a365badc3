"""The rules of a decision, as they stand in the manuals that `field.toml` names.

    sections of these manuals → sentences and items with what leads them in → those about the decision
      → compared (`conditions`), or told as not checked where they hold a figure and are not fully understood

A table of limits in a section about the decision is a rule for each figure in it. A rule is limited to what it names,
or what its headings and its title name: another crop's rule is never this one's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import cast

from agent.api import Language, Passage
from agent.blocks import is_item
from agent.quotes import Quote, quotes_of
from agent.settings import FieldSettings, TurnSettings
from knowledge.limits import find_limits, name_variants
from knowledge.sentences import sentences
from knowledge.store import Document, KnowledgeStore, StoredPassage
from knowledge.tokens import fold
from knowledge.units import factor_between
from plugins.field.conditions import Vocabulary
from plugins.field.sheet import Decision, Figure, Scope
from plugins.field.values import Comparison, Effect, Rule, Unchecked

__all__ = ["Rulebook", "applying", "read_rules"]

_LABEL = re.compile(
    r"^\s*(?:[-*•+·]\s+|[(（][一二三四五六七八九十\d]{1,3}[)）]\s*|\d{1,3}[.)、）](?!\d)\s*|[①-⑳]\s*"
    r"|第\s?[零〇一二三四五六七八九十百千\d]{1,9}\s?条\s*|(?:Article|Clause|Art\.)\s\d{1,4}[a-z]?[.:]?(?:\s+|$)|§\s?[\d.]+\s+)"
)
_ENDS = "。.;；,，"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What the manuals say about one decision."""

    rules: tuple[Rule, ...]
    unchecked: tuple[Unchecked, ...]
    missing: tuple[str, ...]
    """Manuals that the sheet names and the store does not hold."""
    mentioned: frozenset[Scope] = frozenset()
    """What these manuals speak of: of a crop that stands nowhere in them they say nothing, also by general rules."""


@dataclass(frozen=True, slots=True)
class _Statement:
    """A sentence or an item of a section."""

    text: str
    citation: str
    lead: str
    """What leads it in; empty for a sentence."""


def read_rules(
    store: KnowledgeStore, decision: Decision, vocabulary: Vocabulary, settings: FieldSettings, turn: TurnSettings
) -> Rulebook:
    """Find and read them.

    :raises KnowledgeError: the store is missing, locked or damaged.
    """
    documents, missing = _documents(store.documents(), decision)
    rules: list[Rule] = []
    unchecked: list[Unchecked] = []
    mentioned: set[Scope] = set()
    for document in documents:
        for passage in _sections(store.sections(document.id)):
            mentioned |= set(vocabulary.scopes_in(f"{passage.title}\n{passage.path}\n{passage.text}"))
            for made in _of_section(passage, decision, vocabulary, settings, turn):
                if isinstance(made, Rule):
                    rules.append(made)
                else:
                    unchecked.append(made)
    most = settings.most_rules
    cut = [Unchecked("…", rules[most].citation, rules[most].document, "en")] if len(rules) > most else []
    return Rulebook(tuple(rules[:most]), (*unchecked[:most], *cut), missing, frozenset(mentioned))


def _documents(known: Sequence[Document], decision: Decision) -> tuple[list[Document], tuple[str, ...]]:
    """Those that the sheet names by title or id."""
    found: dict[str, Document] = {}
    missing = []
    for name in decision.rules:
        named = [d for d in known if fold(d.title).split() == fold(name).split() or d.id == name.strip().upper()]
        found |= {document.id: document for document in named}
        missing += [] if named else [name]
    return list(found.values()), tuple(missing)


def _sections(pieces: Sequence[StoredPassage]) -> Iterator[Passage]:
    """Whole sections, whose pieces a search would cut."""
    for _, group in groupby(pieces, key=lambda piece: piece.section_order):
        own = list(group)
        first, text = own[0], "\n\n".join(piece.text for piece in own)
        language = cast(Language, first.language)
        yield Passage(
            first.document, first.title, first.section, first.heading, first.page, text, language, path=first.path
        )


def _of_section(
    passage: Passage, decision: Decision, vocabulary: Vocabulary, settings: FieldSettings, turn: TurnSettings
) -> Iterator[Rule | Unchecked]:
    above = f"{passage.title}\n{passage.path}\n{passage.heading}"
    headed = vocabulary.decisions_in(passage.heading) or vocabulary.decisions_in(passage.path)
    headed = headed or vocabulary.decisions_in(passage.title)
    outer = tuple(vocabulary.scopes_in(above))
    for statement in _statements(passage, settings, turn):
        named = vocabulary.decisions_in(statement.text) or vocabulary.decisions_in(statement.lead) or headed
        if decision not in named:
            continue
        scopes = (*outer, *vocabulary.scopes_in(f"{statement.lead} {statement.text}"))
        yield from _read(statement, passage, vocabulary, settings, tuple(dict.fromkeys(scopes)))
    if decision in headed or decision in vocabulary.decisions_in(passage.text):
        yield from _limits(passage, vocabulary, outer)


def _statements(passage: Passage, settings: FieldSettings, turn: TurnSettings) -> Iterator[_Statement]:
    """Every sentence that is no part of a list, and every item with its lead."""
    loose = turn.model_copy(update={"quote_min_chars": 1, "quote_max_chars": 4 * settings.max_rule_chars})
    for quote in quotes_of(passage, "", loose):
        if quote.kind == "sentence":
            yield _stated(quote, quote.said, "")
        elif quote.kind == "steps":
            lines = quote.text.split("\n")
            lead = "" if is_item(lines[0]) else lines[0]
            for line in lines[1:] if lead else lines:
                for sentence in sentences(line) or [line]:
                    yield _stated(quote, sentence, lead)


def _stated(quote: Quote, text: str, lead: str) -> _Statement:
    """Without its label, and cited where it stands."""
    own = replace(quote, text=text, core="")
    return _Statement(_LABEL.sub("", text).strip(), own.citation, _LABEL.sub("", lead).strip())


def _read(
    statement: _Statement, passage: Passage, vocabulary: Vocabulary, settings: FieldSettings, scopes: tuple[Scope, ...]
) -> Iterator[Rule | Unchecked]:
    """A rule where it is fully understood; to be read by a person where it holds a figure and is not."""
    text = statement.text
    place = statement.citation, passage.document, passage.language
    understood = vocabulary.understand(text) if len(text) <= settings.max_rule_chars else None
    effect = understood.effect if understood else None
    if statement.lead and (understood is None or effect is None):
        effect = vocabulary.lead_effect(statement.lead)
    elif statement.lead and vocabulary.lead_effect(statement.lead) not in (effect, None):
        effect = None  # the list says one thing and its item another
    if understood is not None and effect is not None:
        quote = f"{statement.lead} … {text}" if statement.lead else text
        yield Rule(quote.rstrip(_ENDS), *place, effect, understood.comparisons, understood.every, scopes)
    elif (
        any(c.isdigit() for c in vocabulary.blanked(text))
        or vocabulary.figures_in(text)
        or (vocabulary.scopes_in(text) and vocabulary.excepts(text))
    ):
        yield Unchecked(text[: settings.max_rule_chars].rstrip(_ENDS), *place, scopes)


def _limits(passage: Passage, vocabulary: Vocabulary, scopes: tuple[Scope, ...]) -> Iterator[Rule | Unchecked]:
    """The rows of its tables of limits: each demands that a figure lies within."""
    for limit in find_limits(passage.text):
        quote = " | ".join(cell.strip() for cell in limit.row_text.strip("| ").split("|"))
        named = _figures(limit.name, vocabulary)
        place = passage.citation, passage.document, passage.language
        if len(named) != 1 or named[0].adds_up or factor_between(named[0].unit or limit.unit, limit.unit) is None:
            yield Unchecked(quote, *place, scopes)
            continue
        low, high = limit.low, limit.high
        made = [Comparison(named[0], "ge", low, low, limit.unit)] if low is not None else []
        made += [Comparison(named[0], "le", high, high, limit.unit)] if high is not None else []
        demand: Effect = "demand"
        yield Rule(quote, *place, demand, tuple(made), True, scopes)


def _figures(name: str, vocabulary: Vocabulary) -> list[Figure]:
    """The figure that a row of a table is about: its name and nothing else."""
    variants = [fold(variant) for variant in name_variants(name)]
    return [f for f in vocabulary.sheet.figures if any(fold(own) in variants for own in f.names)]


def applying(
    rules: Iterable[Rule | Unchecked], asked: Sequence[Scope]
) -> tuple[list[Rule | Unchecked], list[Rule | Unchecked]]:
    """Those that hold for what is asked about, and those that are limited to something that was not named."""
    holding: list[Rule | Unchecked] = []
    other: list[Rule | Unchecked] = []
    for rule in rules:
        named = {scope.kind: scope for scope in asked}
        kinds = {kind: [s for s in rule.scopes if s.kind == kind] for kind in {s.kind for s in rule.scopes}}
        if any(kind in named and named[kind] not in own for kind, own in kinds.items()):
            continue
        (holding if all(kind in named for kind in kinds) else other).append(rule)
    return holding, other
