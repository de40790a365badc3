"""Finding passages: words and meanings propose, coverage decides, and what is not in the books is not found.

1. The question is folded and taken apart into clauses; words that only ask (什么, 怎么, what, how) are dropped.
2. FTS5 ranks the passages that share its rarer words; the index of meanings adds those that are close to it.
3. Each candidate is measured: which part of the question's information, weighted by how rare its words are, it holds,
   word for word or in other words (`knowledge.coverage`). Below the gate it is noise, unless the question says its
   heading. A fault code must stand there as it is, and a question for a figure needs a figure of that kind.
4. The rest is ordered by coverage, heading, exact phrase, BM25 and closeness; exact words weigh more than meaning, and
   the question's language breaks ties between the two editions of one manual.

Without a loaded encoder, or while its index is missing or stale, steps 2 and 3 go by words alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache

from knowledge.candidates import Candidate, find_candidates
from knowledge.coverage import MAX_UNITS, Clause, clauses, index_words, meant, weights_of
from knowledge.focus import focus_of
from knowledge.limits import name_variants
from knowledge.meaning import Meaning
from knowledge.quantities import Kind, asked_kinds, holds
from knowledge.question import clauses_of, language_of_question
from knowledge.renderings import renderings_of, translatable
from knowledge.store import KnowledgeStore
from knowledge.tokens import place_of, tokens

__all__ = ["Found", "Hit", "find", "search"]

GATE = 0.55
"""By words alone: a passage holds at least this share of the information of one clause of the question."""
EVIDENCE = 0.9
"""By words and meaning: that share and the closeness of the passage come to this together. Where every word is held no
closeness is asked for; a passage that is as close as such passages get (0.5) may lack half of them. Set where questions
without an answer are refused most often for each answered one that is lost: see `make bench-knowledge`."""
OTHER_EVIDENCE = 1.0
"""The same for a passage of the other language, whose words are only held by meaning."""
_FAULT_CODE = re.compile(r"[a-z]-?\d{2,}|[a-z]{2,3}-?\d{2,}")
"""F0021, E-17, ERR42: asked for one that no book has, another code's passage would be a wrong answer."""
SAME_THING, OTHER_THING = 0.75, 0.6
"""Cosine from which a word means the thing that is asked for, in the question's language and across languages."""
TELLING: frozenset[Kind] = frozenset({"temperature", "voltage", "frequency", "torque", "noise", "money", "phone"})
"""Kinds of figure whose unit says what it is, so that the passage need not name it."""
_SAME_LANGUAGE = 1.15
_MEASURED = 16
"""Candidates whose words are compared by meaning, the most promising ones."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that answers."""

    document: str
    title: str
    section: str
    heading: str
    path: str
    page: int | None
    text: str
    language: str
    score: float
    """Comparable within one search."""
    coverage: float
    """0 to 1: the share of the question's information that it holds."""
    section_order: int
    similarity: float = 0.0
    """Cosine of its closest window with the question; 0 where meaning was not looked at."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    hits: list[Hit]
    by_meaning: bool
    """False where words alone decided: no encoder, or no index of the vectors as they are now."""


@dataclass(frozen=True, slots=True)
class _Asked:
    text: str
    clauses: list[Clause]
    kinds: frozenset[Kind]
    focus: list[str]
    language: str
    """Of the question."""
    wanted: str
    """Language of the answer."""


def search(
    store: KnowledgeStore,
    query: str,
    *,
    limit: int,
    language: str | None = None,
    documents: Collection[str] | None = None,
    meaning: Meaning | None = None,
) -> list[Hit]:
    """The hits of `find`."""
    return find(store, query, limit=limit, language=language, documents=documents, meaning=meaning).hits


def find(
    store: KnowledgeStore,
    query: str,
    *,
    limit: int,
    language: str | None = None,
    documents: Collection[str] | None = None,
    meaning: Meaning | None = None,
) -> Found:
    """Passages that answer a question or hold a phrase, best first; one per section; nothing where nothing fits.

    :param query: a question, a name, a code; any length, untrusted.
    :param limit: passages at most.
    :param language: preferred where both languages hold the answer; None is the language of the query.
    :param documents: only in these (M1, M2 …).
    :param meaning: compares by meaning too.
    :raises KnowledgeError: the store is missing, locked or damaged.
    """
    parts = clauses_of(query, MAX_UNITS)
    if not parts:
        return Found([], meaning is not None)
    with nullcontext() if meaning is None else meaning.embedder.one_thread():
        return _find(store, query, parts, limit=limit, language=language, documents=documents, meaning=meaning)


def _find(
    store: KnowledgeStore,
    query: str,
    parts: Sequence[Sequence[str]],
    *,
    limit: int,
    language: str | None,
    documents: Collection[str] | None,
    meaning: Meaning | None,
) -> Found:
    with store.reading() as connection:
        weights, counts = weights_of(
            connection, {word for part in parts for word in index_words(part)}, store.frequent_words
        )
        codes = {word for word in counts if _FAULT_CODE.fullmatch(word)}
        if any(not counts[code] for code in codes):
            return Found([], meaning is not None)
        spoken = language_of_question(query)
        asked = _Asked(
            query,
            _clauses(parts, query, weights, meaning),
            asked_kinds(query),
            focus_of(query),
            spoken,
            language or spoken,
        )
        found, by_meaning = find_candidates(
            connection,
            query,
            asked.clauses,
            counts,
            known=store.frequent_words,
            documents=None if documents is None else _numbers(documents),
            meaning=meaning,
        )
    if codes:
        found = [candidate for candidate in found if codes & candidate.words]
    measured = sorted(found, key=lambda c: -(c.similarity + _covered(asked, c, None)))
    hits = []
    for place, candidate in enumerate(measured):
        coverage = _covered(asked, candidate, meaning if by_meaning and place < _MEASURED else None)
        if _answers(candidate, asked, coverage, meaning if by_meaning else None):
            hits.append(_hit(candidate, asked, coverage))
    hits.sort(key=lambda hit: (-hit.score, hit.document, hit.section_order))
    return Found(_one_per_section(hits)[:limit], by_meaning)


def _clauses(
    parts: Sequence[Sequence[str]], query: str, weights: dict[str, float], meaning: Meaning | None
) -> list[Clause]:
    """The clauses, with what the dictionary gives for their words."""
    made = clauses(parts, query, weights)
    if meaning is None or meaning.dictionary is None:
        return made
    translations = meaning.dictionary.translations(set().union(*(translatable(clause.stems) for clause in made)))
    return [replace(clause, renderings=renderings_of(clause.stems, translations)) for clause in made]


def _numbers(documents: Collection[str]) -> list[int]:
    digits = [document.upper().removeprefix("M") for document in documents]
    return [int(number) for number in digits if number.isascii() and number.isdigit() and len(number) < 10]


def _covered(asked: _Asked, candidate: Candidate, meaning: Meaning | None) -> float:
    """The share of the best clause that a candidate holds; its title counts, for it is what the book is about."""
    passage = candidate.passage
    words = candidate.words | _title_words(passage.title)
    same = passage.language == asked.language
    literal = max(clause.held(words, other=not same) / clause.weight for clause in asked.clauses)
    if meaning is None or literal > 1.0 - 1e-9:
        return literal
    others = meaning.words(f"{passage.title} {passage.path} {passage.text}")
    return max(meant(clause, words, others, meaning, same=same) / clause.weight for clause in asked.clauses)


@lru_cache(maxsize=1_000)
def _title_words(title: str) -> frozenset[str]:
    return frozenset(tokens(title))


def _answers(candidate: Candidate, asked: _Asked, coverage: float, meaning: Meaning | None) -> bool:
    """Whether there is reason to believe that a passage answers."""
    passage = candidate.passage
    if not holds(f"{passage.path} {passage.text}", asked.kinds):
        return False
    if _names_heading(asked.text, passage.heading):
        return True
    if meaning is None:
        return coverage >= GATE and _speaks_of(asked, candidate, None)
    needed = EVIDENCE if passage.language == asked.language else OTHER_EVIDENCE
    return coverage + max(0.0, candidate.similarity) >= needed and _speaks_of(asked, candidate, meaning)


def _speaks_of(asked: _Asked, candidate: Candidate, meaning: Meaning | None) -> bool:
    """Whether a passage has the thing that is asked for by name, as it was said or as something that means it."""
    passage = candidate.passage
    if not asked.focus or asked.kinds & TELLING:
        return True
    if any(set(tokens(word)) <= candidate.words for word in asked.focus):
        return True
    if meaning is None:
        return passage.language != asked.language
    closest = meaning.closeness(asked.focus, meaning.words(f"{passage.path} {passage.text}"))
    return float(closest.max()) >= (SAME_THING if passage.language == asked.language else OTHER_THING)


def _hit(candidate: Candidate, asked: _Asked, coverage: float) -> Hit:
    passage = candidate.passage
    named = _names_heading(asked.text, passage.heading)
    score = (
        (1.0 if named else 0.0)
        + 1.4 * coverage
        + 0.8 * _heading_fit(candidate.heading, asked.clauses, other=passage.language != asked.language)
    )
    score += 0.3 * any(f" {clause.phrase} " in candidate.indexed for clause in asked.clauses)
    score += 0.5 * (-candidate.rank / (8.0 - candidate.rank))  # bm25 is negative; this runs from 0 to 1
    score += 2.0 * max(0.0, candidate.similarity)
    score *= _SAME_LANGUAGE if passage.language == asked.wanted else 1.0
    return Hit(
        document=passage.document,
        title=passage.title,
        section=passage.section,
        heading=passage.heading,
        path=passage.path,
        page=passage.page,
        text=passage.text,
        language=passage.language,
        score=round(score, 4),
        coverage=round(coverage, 3),
        section_order=passage.section_order,
        similarity=round(candidate.similarity, 3),
    )


def _names_heading(query: str, heading: str) -> bool:
    """Whether the question says a heading, or one of its two languages, word for word."""
    return any(len(tokens(part)) > 1 and place_of(part, query) >= 0 for part in name_variants(heading))


def _heading_fit(heading: Sequence[str], clauses: Sequence[Clause], *, other: bool) -> float:
    """How well a heading is what was asked for: the part of the clause it holds, and the part of it that was asked."""
    if not heading:
        return 0.0
    known = set(heading)
    best = 0.0
    for clause in clauses:
        asked = {key for unit in clause.units for key in unit.keys}
        if other:
            asked |= {
                word for rendering in clause.renderings for way in rendering.words if way <= known for word in way
            }
        recall = clause.held(known, other=other) / clause.weight
        precision = sum(1 for word in heading if word in asked) / len(heading)
        best = max(best, math.sqrt(recall * precision))
    return best


def _one_per_section(hits: Sequence[Hit]) -> list[Hit]:
    seen: set[tuple[str, int]] = set()
    out = []
    for hit in hits:
        if (hit.document, hit.section_order) not in seen:
            seen.add((hit.document, hit.section_order))
            out.append(hit)
    return out
