"""Whether a passage says in other words, or in another language, what a question says.

A word of a question that a passage does not hold may be held by one that means the same: 法律 by 本法, 轴承 by bearing.
Single words are compared, not sentences, because a sentence about the discharge temperature of a pump is close to one
about that of a compressor, while the words pump and compressor are not. Words are cut by the encoder's own vocabulary,
so Chinese needs no dictionary of its own. Vectors of words are kept, `_KEPT_WORDS` of them (1 kB each).
"""

from __future__ import annotations

import itertools
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.bilingual import Dictionary
from knowledge.embed import Embedder
from knowledge.tokens import HAN

__all__ = ["Meaning"]

_KEPT_WORDS = 40_000
_HAN_RUN = re.compile(f"[{HAN}]+")
_WORD = re.compile(r"[A-Za-zÀ-ÿ]{3,}")
_MAX_WORD_CHARS = 4
"""Neighbouring pieces of Chinese are also looked at as one word up to this length: 空|压|机 is 空压机."""


class Meaning:
    """Meanings of texts and words, by a loaded encoder.

    :param index_path: where the index of the passages' vectors lies; see `knowledge.vectors`.
    :param dictionary: Chinese and English words for each other; None where there is none.
    """

    def __init__(self, embedder: Embedder, index_path: Path, dictionary: Dictionary | None = None) -> None:
        self.embedder = embedder
        self.index_path = index_path
        self.dictionary = dictionary
        self._kept: OrderedDict[str, NDArray[np.float16]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, text: str) -> NDArray[np.float32]:
        """The vector of one text, length 1."""
        vector: NDArray[np.float32] = self.embedder.encode([text])[0]
        return vector

    def alike(self, text: str, others: Sequence[str]) -> list[float]:
        """How close each of the others is to a text in meaning, 0 to 1."""
        vectors = self.embedder.encode([text, *others])
        return [max(0.0, float(cosine)) for cosine in vectors[1:] @ vectors[0]]

    def words(self, text: str) -> list[str]:
        """Words that a text could be made of, each once: Chinese ones as pieces and as neighbouring pieces together."""
        found: dict[str, None] = dict.fromkeys(word.lower() for word in _WORD.findall(text))
        for run in dict.fromkeys(_HAN_RUN.findall(text)):
            found.update(dict.fromkeys(run[first:last] for first, last in self.cuts(run)))
        return list(found)

    def closeness(self, words: Sequence[str], others: Sequence[str]) -> NDArray[np.float32]:
        """For each word the cosine of the closest of the others; 0 where there are none."""
        if not words or not others:
            return np.zeros(len(words), np.float32)
        vectors = self._vectors([*words, *others])
        closest: NDArray[np.float32] = (vectors[: len(words)] @ vectors[len(words) :].T).max(axis=1)
        return closest

    def cuts(self, run: str) -> list[tuple[int, int]]:
        """Where words could stand in a run of Chinese, first and last + 1: pieces, and neighbouring ones together."""
        pieces = self.embedder.pieces.pieces(run)
        ends = [0, *itertools.accumulate(len(piece) for piece in pieces)]
        if ends[-1] != len(run):
            return [(0, len(run))]  # compatibility forms that the vocabulary writes with other characters
        return [
            (first, last)
            for at, first in enumerate(ends)
            for last in ends[at + 1 :]
            if 1 < last - first <= _MAX_WORD_CHARS
        ]

    def _vectors(self, words: Sequence[str]) -> NDArray[np.float32]:
        with self._lock:
            known = {word: self._kept[word] for word in words if word in self._kept}
            new = [word for word in dict.fromkeys(words) if word not in known]
        if new:
            known.update(zip(new, self.embedder.encode(new).astype(np.float16), strict=True))
        with self._lock:
            for word in known:
                self._kept[word] = known[word]
                self._kept.move_to_end(word)
            while len(self._kept) > _KEPT_WORDS:
                self._kept.popitem(last=False)
        return np.array([known[word] for word in words], np.float32)
