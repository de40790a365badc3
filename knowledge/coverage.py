"""How much of a question a passage holds: word by word, and where it can be told in other words too.

A question is its clauses; a clause is its units, each with the information it carries (rarer is more). A Chinese
character counts as held when a pair of characters it belongs to is held, so that a pair that only exists across two
words costs nothing. A unit that is not held word for word may be held by what a dictionary gives for it in the other
language (`knowledge.renderings`), or by meaning (`knowledge.meaning`): in the question's language only by what is as
good as the same word, across languages by the closest word there is, as far as it is close.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Collection, MutableMapping, Sequence
from dataclasses import dataclass

from knowledge.meaning import Meaning
from knowledge.renderings import Rendering
from knowledge.tokens import fold, is_chinese, pairs, stem

__all__ = ["Clause", "clauses", "index_words", "meant", "meant_shares", "weights_of"]

MAX_UNITS = 96
"""Words of a question that are looked at; a longer one is cut."""
CLAUSE_SHARE = 0.5
"""A clause speaks for the question when it carries this share of what its heaviest clause does."""
FREQUENT = 1_000
"""Passages from which the count of a word is kept; that of a rare one is asked again, for it may have gone."""
MAX_KNOWN = 50_000
SAME_WORD = 0.8
"""Cosine from which two words of one language are as good as the same."""
OTHER_WORD = (0.45, 0.7)
"""Cosine up to which a word of the other language says nothing, and from which it says the same."""
_LATIN = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest thing that is held or not: a Chinese character with its pairs, or a word."""

    keys: tuple[str, ...]
    """Index words that contain it; held when any of them is."""
    weight: float
    run: int
    """Which run of the clause it belongs to."""
    place: int
    """Its place in that run."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a question that asks for something."""

    runs: tuple[str, ...]
    """Chinese runs whole, words as they were written."""
    stems: tuple[str, ...]
    """The same, words as the index holds them."""
    units: tuple[Unit, ...]
    phrase: str
    """Its words as the index holds them, for exact matches."""
    renderings: tuple[Rendering, ...] = ()
    """In the other language."""

    @property
    def weight(self) -> float:
        """What all its units carry."""
        return sum(unit.weight for unit in self.units)

    def held(self, words: frozenset[str] | set[str], *, other: bool = False) -> float:
        """What the units carry that a passage with these words holds.

        :param other: the passage is in the other language, where the dictionary counts.
        """
        return sum(unit.weight for unit in self.units_held(words, other=other))

    def units_held(self, words: frozenset[str] | set[str], *, other: bool) -> list[Unit]:
        """The units that a passage with these words holds."""
        said = [r for r in self.renderings if any(way <= words for way in r.words)] if other else []
        return [
            unit
            for unit in self.units
            if any(key in words for key in unit.keys)
            or any(unit.run in r.runs and unit.place in r.places for r in said)
        ]


def index_words(part: Sequence[str]) -> list[str]:
    """The runs of a clause as words of the index."""
    return [word for run in part for word in (pairs(run) if is_chinese(run) else [run])]


def weights_of(
    connection: sqlite3.Connection, words: Collection[str], known: MutableMapping[str, tuple[int, int]]
) -> tuple[dict[str, float], dict[str, int]]:
    """Information of each word, and in how many passages it stands.

    :param known: counts of frequent words with the number of passages they were counted in; kept up here, because to
        count a word takes as long as it is frequent.
    """
    total = int(connection.execute("SELECT coalesce(max(id), 0) FROM passages").fetchone()[0])
    counts: dict[str, int] = {}
    for word in words:
        count, counted_in = known.get(word, (0, -1))
        if counted_in != total:
            row = connection.execute("SELECT doc FROM passage_words WHERE term = ?", (word,)).fetchone()
            count = int(row[0]) if row else 0
            if count >= FREQUENT and len(known) < MAX_KNOWN:
                known[word] = (count, total)
        counts[word] = count
    return {word: math.log(1.0 + (total + 1.0) / (count + 0.5)) for word, count in counts.items()}, counts


def clauses(parts: Sequence[Sequence[str]], question: str, weights: dict[str, float]) -> list[Clause]:
    """The clauses that speak for a question, of those that `clauses_of` found in it."""
    written = {stem(word): word for word in _LATIN.findall(fold(question))}
    made = [_clause(part, written, weights) for part in parts]
    heaviest = max(clause.weight for clause in made)
    return [clause for clause in made if clause.weight >= CLAUSE_SHARE * heaviest]


def meant(clause: Clause, words: Collection[str], others: Sequence[str], meaning: Meaning, *, same: bool) -> float:
    """What the units carry that a passage holds, word for word, by the dictionary or by meaning.

    :param words: its words as the index holds them.
    :param others: its words as `Meaning.words` finds them.
    :param same: whether it is in the question's language.
    """
    held = clause.units_held(frozenset(words), other=not same)
    total = sum(unit.weight for unit in held)
    missing = [unit for unit in clause.units if unit not in held]
    if not missing:
        return total
    low, high = (SAME_WORD - 0.05, SAME_WORD) if same else OTHER_WORD
    for number in dict.fromkeys(unit.run for unit in missing):
        run, units = clause.runs[number], [unit for unit in missing if unit.run == number]
        shares = meant_shares(run, {unit.place for unit in units}, others, meaning, low, high)
        total += sum(unit.weight * shares.get(unit.place, 0.0) for unit in units)
    return total


def _clause(part: Sequence[str], written: dict[str, str], weights: dict[str, float]) -> Clause:
    units: list[Unit] = []
    for number, run in enumerate(part):
        if not is_chinese(run):
            units.append(Unit((run,), 2.0 * weights[run], number, 0))  # a word says as much as two characters
            continue
        around = pairs(run)
        for i in range(len(run)):
            keys = (run,) if len(run) == 1 else (around[max(0, i - 1)], around[min(i, len(run) - 2)])
            units.append(Unit(tuple(dict.fromkeys(keys)), min(weights[key] for key in keys), number, i))
    kept = sorted({unit.keys: unit for unit in reversed(units)}.values(), key=lambda unit: -unit.weight)[:MAX_UNITS]
    runs = tuple(written.get(run, run) for run in part)
    return Clause(runs, tuple(part), tuple(kept), " ".join(index_words(part)))


def meant_shares(
    run: str, places: Collection[int], others: Sequence[str], meaning: Meaning, low: float, high: float
) -> dict[int, float]:
    """How far each place of a run is held by meaning: of the ways to cut it into words the one that is held best.

    :param places: those that are looked at.
    :param low, high: cosine up to which a word says nothing, and from which it says the same.
    """
    if any(c.isdigit() for c in run):
        return {}  # a code or a figure has no other words
    spans = [(0, len(run))] if not is_chinese(run) else meaning.cuts(run)
    spans = [span for span in spans if any(span[0] <= place < span[1] for place in places)]
    close = meaning.closeness([run[first:last] for first, last in spans], others)
    share = {span: min(1.0, max(0.0, (float(c) - low) / (high - low))) for span, c in zip(spans, close, strict=True)}
    if not is_chinese(run):
        return {0: share.get((0, len(run)), 0.0)}
    best: list[tuple[float, list[tuple[int, int]]]] = [(0.0, [])]
    for end in range(1, len(run) + 1):
        ways = [best[end - 1]]
        for span in (span for span in spans if span[1] == end):
            before, chosen = best[span[0]]
            ways.append((before + (end - span[0]) * share[span], [*chosen, span]))
        best.append(max(ways, key=lambda way: way[0]))
    return {place: share[span] for span in best[-1][1] for place in range(*span)}
