"""Finding passages: BM25 proposes, coverage decides, and what is not in the books is not found.

1. The question is folded and taken apart into clauses; words that only ask (什么, 怎么, what, how) are dropped.
2. FTS5 ranks the passages that share any word with it.
3. Each candidate is measured: which part of the question's information, weighted by how rare its words are, it holds.
   Below `GATE` it is noise, unless the question says its heading. A Chinese character counts as held when a pair of
   characters it belongs to is held, so a pair that only exists across two words of the question costs nothing.
4. The rest is ordered by coverage, heading, exact phrase and BM25; the question's language breaks ties between the two
   editions of one manual.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from knowledge.limits import name_variants
from knowledge.question import clauses_of, language_of_question
from knowledge.store import PASSAGES, KnowledgeStore, StoredPassage, passage_of
from knowledge.tokens import is_chinese, pairs, place_of, tokens

__all__ = ["Hit", "search"]

GATE = 0.55
"""A passage holds at least this share of the information of one clause of the question."""
CANDIDATES = 80
"""Passages that BM25 proposes."""
MAX_UNITS = 96
"""Words of a question that are looked at; a longer one is cut."""
_FAULT_CODE = re.compile(r"[a-z]-?\d{2,}|[a-z]{2,3}\d{2,}")
"""F0021, E-17, ERR42: asked for one that no book has, another code's passage would be a wrong answer."""
_COLUMN_WEIGHTS = "4.0, 0.5, 1.0, 0.2"
_SAME_LANGUAGE = 1.35
_CLAUSE_SHARE = 0.5
"""A clause speaks for the question when it carries this share of what its heaviest clause does."""


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


@dataclass(frozen=True, slots=True)
class _Unit:
    """The smallest thing that is held or not: a Chinese character with its pairs, or a word."""

    keys: tuple[str, ...]
    """Index words that contain it; held when any of them is."""
    weight: float


@dataclass(frozen=True, slots=True)
class _Clause:
    units: tuple[_Unit, ...]
    phrase: str
    """Its words as the index holds them, for exact matches."""

    @property
    def weight(self) -> float:
        return sum(unit.weight for unit in self.units)

    def held(self, words: Collection[str]) -> float:
        """Weight of the units that a passage with these words holds."""
        return sum(unit.weight for unit in self.units if any(key in words for key in unit.keys))


def search(
    store: KnowledgeStore,
    query: str,
    *,
    limit: int,
    language: str | None = None,
    documents: Collection[str] | None = None,
) -> list[Hit]:
    """Passages that answer a question or hold a phrase, best first; one per section; nothing where nothing fits.

    :param query: a question, a name, a code; any length, untrusted.
    :param limit: passages at most.
    :param language: preferred where both languages hold the answer; None is the language of the query.
    :param documents: only in these (M1, M2 …).
    :raises KnowledgeError: the store is missing, locked or damaged.
    """
    parts = clauses_of(query, MAX_UNITS)
    if not parts:
        return []
    with store.reading() as connection:
        weights, unknown = _weights(connection, {word for part in parts for word in _index_words(part)})
        if any(_FAULT_CODE.fullmatch(word) for word in unknown):
            return []
        clauses = _speaking([_clause(part, weights) for part in parts])
        rows = _candidates(connection, [u for c in clauses for u in c.units], documents)
        wanted = language or language_of_question(query)
        hits = [_judge(row, clauses, wanted, query) for row in rows]
    kept = [hit for hit in hits if hit is not None]
    kept.sort(key=lambda hit: (-hit.score, hit.document, hit.section_order))
    return _one_per_section(kept)[:limit]


def _index_words(part: Sequence[str]) -> list[str]:
    return [word for run in part for word in (pairs(run) if is_chinese(run) else [run])]


def _weights(connection: sqlite3.Connection, words: Collection[str]) -> tuple[dict[str, float], set[str]]:
    """Information of each word, and the words that no book has: rarer is heavier, and these are the heaviest."""
    total = connection.execute("SELECT count(*) FROM passages").fetchone()[0]
    weights, unknown = {}, set()
    for word in words:
        row = connection.execute("SELECT doc FROM passage_words WHERE term = ?", (word,)).fetchone()
        weights[word] = math.log(1.0 + (total + 1.0) / ((row[0] if row else 0) + 0.5))
        if row is None:
            unknown.add(word)
    return weights, unknown


def _clause(part: Sequence[str], weights: dict[str, float]) -> _Clause:
    units: dict[tuple[str, ...], float] = {}
    for run in part:
        if not is_chinese(run):
            units[(run,)] = 2.0 * weights[run]  # a word says as much as two characters
            continue
        around = pairs(run)
        for i in range(len(run)):
            keys = (
                (run,) if len(run) == 1 else tuple(dict.fromkeys((around[max(0, i - 1)], around[min(i, len(run) - 2)])))
            )
            units[keys] = units.get(keys, 0.0) + min(weights[key] for key in keys)
    kept = sorted(units.items(), key=lambda item: -item[1])[:MAX_UNITS]
    return _Clause(tuple(_Unit(keys, weight) for keys, weight in kept), " ".join(_index_words(part)))


def _speaking(clauses: list[_Clause]) -> list[_Clause]:
    heaviest = max(clause.weight for clause in clauses)
    return [clause for clause in clauses if clause.weight >= _CLAUSE_SHARE * heaviest]


def _candidates(
    connection: sqlite3.Connection, units: Sequence[_Unit], documents: Collection[str] | None
) -> list[sqlite3.Row]:
    words = list(dict.fromkeys(key for unit in units for key in unit.keys))[: 2 * MAX_UNITS]
    match = " OR ".join(f'"{word}"' for word in words)
    only = "" if documents is None else f" AND p.document IN ({', '.join('?' * len(documents))})"
    numbers = [int(d.upper().removeprefix("M")) for d in documents or () if d.upper().removeprefix("M").isdecimal()]
    if documents is not None:
        only = f" AND p.document IN ({', '.join('?' * len(numbers))})"
    select = PASSAGES.replace(
        " FROM passages p",
        f", i.heading, i.path, i.body, i.chars, bm25(passage_index, {_COLUMN_WEIGHTS}) AS rank"
        " FROM passage_index i JOIN passages p ON p.id = i.rowid",
        1,
    )
    sql = f"{select} WHERE passage_index MATCH ?{only} ORDER BY rank LIMIT ?"
    return connection.execute(sql, (match, *numbers, CANDIDATES)).fetchall()


def _judge(row: Sequence[object], clauses: Sequence[_Clause], language: str, query: str) -> Hit | None:
    passage: StoredPassage = passage_of(row[:10])
    heading, path, body, chars, rank = (str(row[10]), str(row[11]), str(row[12]), str(row[13]), float(str(row[14])))
    words = {*heading.split(), *path.split(), *body.split(), *chars.split()}
    best = max(clauses, key=lambda clause: clause.held(words) / clause.weight)
    coverage = best.held(words) / best.weight
    named = _names_heading(query, passage.heading)
    if coverage < GATE and not named:
        return None
    score = (1.0 if named else 0.0) + 1.4 * coverage + 0.3 * _exact(best, f" {heading} {body} ")
    score += 0.8 * _heading_fit(heading.split(), clauses)
    score += 0.5 * (-rank / (8.0 - rank))  # bm25() is negative, better is lower; this runs from 0 to 1
    score *= _SAME_LANGUAGE if passage.language == language else 1.0
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
    )


def _names_heading(query: str, heading: str) -> bool:
    """Whether the question says a heading, or one of its two languages, word for word."""
    return any(len(tokens(part)) > 1 and place_of(part, query) >= 0 for part in name_variants(heading))


def _heading_fit(heading: Sequence[str], clauses: Sequence[_Clause]) -> float:
    """How well a heading is what was asked for: the part of the clause it holds, and the part of it that was asked."""
    if not heading:
        return 0.0
    known = set(heading)
    best = 0.0
    for clause in clauses:
        asked = {key for unit in clause.units for key in unit.keys}
        recall = clause.held(known) / clause.weight
        precision = sum(1 for word in heading if word in asked) / len(heading)
        best = max(best, math.sqrt(recall * precision))
    return best


def _exact(clause: _Clause, indexed: str) -> float:
    return 1.0 if f" {clause.phrase} " in indexed else 0.0


def _one_per_section(hits: Sequence[Hit]) -> list[Hit]:
    seen: set[tuple[str, int]] = set()
    out = []
    for hit in hits:
        if (hit.document, hit.section_order) not in seen:
            seen.add((hit.document, hit.section_order))
            out.append(hit)
    return out
