"""Which passages are looked at for a question: those that its rarest words propose, and those that mean the like.

A word that stands in a large part of the books tells little and would have to be read in all of them, so words are
taken from the rarest on until they stand in `POSTINGS` passages together. Where even the rarest stands in more, only
passages that hold several of them at once are looked at. What a dictionary gives for the words proposes passages of the
other language in the same way.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass

from knowledge.coverage import Clause, weights_of
from knowledge.meaning import Meaning
from knowledge.store import PASSAGES, StoredPassage, passage_of, vectors_stamp
from knowledge.vectors import VectorIndex, similarities

__all__ = ["Candidate", "find_candidates"]

CANDIDATES = 80
"""Passages that words propose."""
OTHERS = 40
"""Passages that words of the other language propose."""
NEAR_WINDOWS = 256
"""Windows that the index of meanings proposes; they are measured again."""
NEAR_PASSAGES = 24
"""Passages of those that are looked at."""
POSTINGS = 8_000
TOGETHER = 3
"""Of words that are all frequent, so many of the rarest must stand together."""
_COLUMN_WEIGHTS = "4.0, 0.5, 1.0, 0.2"
_RANKED = (
    f"SELECT rowid, bm25(passage_index, {_COLUMN_WEIGHTS}) AS rank FROM passage_index"
    " WHERE passage_index MATCH ?{} ORDER BY rank LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage to be judged."""

    passage: StoredPassage
    words: frozenset[str]
    """As the index holds them, its document's title included."""
    heading: tuple[str, ...]
    """Words of its heading, in order."""
    indexed: str
    """Heading and text as the index holds them, between blanks."""
    rank: float
    """bm25: negative, lower is better; 0 where no word proposed it."""
    similarity: float
    """Cosine of its closest window with the question; 0 where that is not known."""


def find_candidates(
    connection: sqlite3.Connection,
    question: str,
    clauses: Sequence[Clause],
    counts: Mapping[str, int],
    *,
    known: MutableMapping[str, tuple[int, int]],
    documents: Collection[int] | None,
    meaning: Meaning | None,
) -> tuple[list[Candidate], bool]:
    """Passages to be judged, and whether meaning was looked at.

    :param counts: in how many passages each word stands.
    :param known: counts that are kept, see `weights_of`.
    :param documents: numbers of the only documents; None is all.
    """
    proposed = _by_words(connection, clauses, counts, documents)
    for number, rank in _by_dictionary(connection, clauses, known, documents).items():
        proposed.setdefault(number, rank)
    similar: dict[int, float] = {}
    index = None if meaning is None else VectorIndex.open(meaning.index_path, vectors_stamp(connection))
    if meaning is not None and index is not None:
        vector = meaning.of(question)
        near = index.closest(vector, NEAR_WINDOWS, None if documents is None else _ranges(connection, documents))
        similar = similarities(connection, vector, [*near, *(n for n in proposed if n not in set(near))])
        best = sorted(near, key=lambda number: -similar.get(number, 0.0))[:NEAR_PASSAGES]
        proposed = proposed | {number: 0.0 for number in best if number not in proposed}
    found = _read(connection, proposed, similar)
    allowed = None if documents is None else {f"M{number}" for number in documents}
    return [c for c in found if allowed is None or c.passage.document in allowed], index is not None


def _by_words(
    connection: sqlite3.Connection,
    clauses: Sequence[Clause],
    counts: Mapping[str, int],
    documents: Collection[int] | None,
) -> dict[int, float]:
    """Passage → bm25 of those that words propose."""
    keys = dict.fromkeys(key for clause in clauses for unit in clause.units for key in unit.keys)
    words = sorted((key for key in keys if counts.get(key, 1)), key=lambda key: counts.get(key, 0))
    if not words:
        return {}
    chosen, postings = [words[0]], counts.get(words[0], 0)
    for word in words[1:]:
        postings += counts.get(word, 0)
        if postings > POSTINGS:
            break
        chosen.append(word)
    only, values = _only(documents)
    if counts.get(words[0], 0) > POSTINGS:
        return _together(connection, words[:TOGETHER], only, values)
    match = " OR ".join(f'"{word}"' for word in chosen)
    return dict(connection.execute(_RANKED.format(only), (match, *values, CANDIDATES)).fetchall())


def _by_dictionary(
    connection: sqlite3.Connection,
    clauses: Sequence[Clause],
    known: MutableMapping[str, tuple[int, int]],
    documents: Collection[int] | None,
) -> dict[int, float]:
    """Passage → bm25 of those that words of the other language propose, the rarest first as far as `POSTINGS` goes."""
    ways = {way for clause in clauses for rendering in clause.renderings for way in rendering.words}
    if not ways:
        return {}
    _, counts = weights_of(connection, {word for way in ways for word in way}, known)
    least = {way: min(counts[word] for word in way) for way in ways}
    chosen, postings = list[frozenset[str]](), 0
    for way in sorted((way for way in ways if least[way]), key=lambda way: (least[way], sorted(way))):
        postings += least[way]
        if postings > POSTINGS:
            break
        chosen.append(way)
    if not chosen:
        return {}
    match = " OR ".join("(" + " AND ".join(f'"{word}"' for word in sorted(way)) + ")" for way in chosen)
    only, values = _only(documents)
    return dict(connection.execute(_RANKED.format(only), (match, *values, OTHERS)).fetchall())


def _only(documents: Collection[int] | None) -> tuple[str, list[int]]:
    """A condition that a passage is of one of some documents, and its values."""
    if documents is None:
        return "", []
    marks = ", ".join("?" * len(documents))
    return f" AND rowid IN (SELECT id FROM passages WHERE document IN ({marks}))", list(documents)


def _together(
    connection: sqlite3.Connection, words: Sequence[str], only: str, values: Sequence[int]
) -> dict[int, float]:
    """Passages that hold frequent words together; where that are too many, those first that have them in their heading.

    They are not ranked: each one of what may be a hundred thousand would have to be read for that.
    """
    together = " AND ".join(f'"{word}"' for word in words)
    sql = f"SELECT rowid FROM passage_index WHERE passage_index MATCH ?{only} LIMIT ?"
    found = connection.execute(sql, (together, *values, CANDIDATES)).fetchall()
    if len(found) >= CANDIDATES:
        found = connection.execute(sql, (f"{{heading}} : ({together})", *values, CANDIDATES)).fetchall() + found
    return dict.fromkeys((int(row[0]) for row in found[:CANDIDATES]), 0.0)


def _ranges(connection: sqlite3.Connection, documents: Collection[int]) -> list[tuple[int, int]]:
    """First and last passage of each document."""
    marks = ", ".join("?" * len(documents))
    sql = f"SELECT min(id), max(id) FROM passages WHERE document IN ({marks}) GROUP BY document"
    return sorted(connection.execute(sql, list(documents)).fetchall())


def _read(
    connection: sqlite3.Connection, proposed: Mapping[int, float], similar: Mapping[int, float]
) -> list[Candidate]:
    select = PASSAGES.replace(" FROM passages p", _INDEXED, 1)
    marks = ", ".join("?" * len(proposed))
    rows = connection.execute(f"{select} WHERE p.id IN ({marks})", list(proposed)).fetchall()
    return [_candidate(row, proposed[row[0]], similar.get(row[0], 0.0)) for row in rows]


_INDEXED = ", i.heading, i.path, i.body, i.chars FROM passages p JOIN passage_index i ON i.rowid = p.id"


def _candidate(row: Sequence[object], rank: float, similarity: float) -> Candidate:
    heading, path, body, chars = (str(cell) for cell in row[10:14])
    words = frozenset((*heading.split(), *path.split(), *body.split(), *chars.split()))
    return Candidate(passage_of(row[:10]), words, tuple(heading.split()), f" {heading} {body} ", rank, similarity)
