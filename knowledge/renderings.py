"""What a dictionary gives for the words of a question, as words of the index, to be sought in the other language.

A Chinese run is taken apart into every stretch that a dictionary may have; English words stand alone and with their
neighbours (`dew point`). Meanings of a single character are left out: they stand in words that mean something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from knowledge.bilingual import MAX_PHRASE_WORDS, MAX_WORD_CHARS
from knowledge.tokens import is_chinese, pairs

__all__ = ["Rendering", "renderings_of", "translatable"]


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a dictionary gives for a word of a clause."""

    runs: range
    """The runs that it stands for: several for an English phrase."""
    places: range
    """Of a Chinese run, the characters; of others the only one."""
    words: tuple[frozenset[str], ...]
    """Each a way to say it, as words of the index."""


def translatable(stems: Sequence[str]) -> set[str]:
    """The words and phrases of a clause that a dictionary may have.

    :param stems: its runs as `knowledge.tokens.runs` has them.
    """
    return {key for _, _, key in _phrases(stems)}


def renderings_of(stems: Sequence[str], translations: Mapping[str, Sequence[str]]) -> tuple[Rendering, ...]:
    """What the dictionary gave for a clause, in the order of its words."""
    found = []
    for runs, places, key in _phrases(stems):
        ways = tuple(frozenset(_as_indexed(value)) for value in translations.get(key, ()) if len(value) > 1)
        if ways:
            found.append(Rendering(runs, places, ways))
    return tuple(found)


def _phrases(stems: Sequence[str]) -> Iterator[tuple[range, range, str]]:
    """Runs, characters, and the word as the dictionary has it."""
    for number, run in enumerate(stems):
        if is_chinese(run):
            for first in range(len(run)):
                for last in range(first + 2, min(len(run), first + MAX_WORD_CHARS) + 1):
                    yield range(number, number + 1), range(first, last), run[first:last]
            continue
        for end in range(number + 1, min(len(stems), number + MAX_PHRASE_WORDS) + 1):
            if is_chinese(stems[end - 1]):
                break
            yield range(number, end), range(1), " ".join(stems[number:end])


def _as_indexed(value: str) -> list[str]:
    return pairs(value) if is_chinese(value) else value.split()
