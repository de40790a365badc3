"""Texts as pieces of a SentencePiece unigram vocabulary: the most probable way to cut a text into known pieces.

The model file is a protocol buffer whose field 1 holds the pieces with their log probabilities, in the order of their
ids. Of that format only what is needed is read, and nothing in the file is trusted: it is verified by its digest before
it gets here, and what does not look like a vocabulary is refused in one line.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from knowledge.errors import KnowledgeError

__all__ = ["WordPieces"]

BLANK = "\u2581"
"""How the vocabulary writes a blank."""
_UNKNOWN, _BEGIN, _END = 0, 1, 2
_UNKNOWN_PENALTY = 10.0
"""A character without a piece costs this much more than the least probable piece."""
_SPACES = re.compile(r"[\s\u200b\ufeff]+")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class WordPieces:
    """A vocabulary.

    :raises KnowledgeError: the file is not a SentencePiece model.
    """

    def __init__(self, path: Path) -> None:
        try:
            entries = list(_entries(path.read_bytes()))
        except (OSError, ValueError, IndexError, struct.error) as error:
            raise KnowledgeError(f"{path}: not a SentencePiece model: {error}") from None
        if len(entries) <= _END:
            raise KnowledgeError(f"{path}: not a SentencePiece model: it holds no pieces")
        self._names = [name for name, _ in entries]
        self._scores = [score for _, score in entries]
        self._unknown_score = min(self._scores) - _UNKNOWN_PENALTY
        self._ids: dict[str, int] = {}
        self._begun: set[str] = set()
        for number, (name, _) in enumerate(entries):
            self._ids.setdefault(name, number)
            self._begun.update(name[:end] for end in range(1, len(name)))

    def __len__(self) -> int:
        return len(self._names)

    def ids(self, text: str) -> list[int]:
        """Ids of the pieces of a text, between the marks of its begin and end."""
        return [_BEGIN, *(number for number, _ in self._cut(_written(text))), _END]

    def pieces(self, text: str) -> list[str]:
        """The same as strings, blanks removed; what has no piece stays as it is."""
        return [piece for _, name in self._cut(_written(text)) if (piece := name.replace(BLANK, ""))]

    def _cut(self, text: str) -> list[tuple[int, str]]:
        """The most probable cut: best[i] is the best way to write the first i characters."""
        size = len(text)
        best = [0.0] + [-1e30] * size
        came: list[tuple[int, int]] = [(0, _UNKNOWN)] * (size + 1)
        for start in range(size):
            base, end = best[start], start + 1
            if base + self._unknown_score > best[end]:
                best[end], came[end] = base + self._unknown_score, (start, _UNKNOWN)
            while end <= size:
                part = text[start:end]
                number = self._ids.get(part)
                if number is not None and base + self._scores[number] > best[end]:
                    best[end], came[end] = base + self._scores[number], (start, number)
                if part not in self._begun:
                    break
                end += 1
        return list(_walked_back(text, came))[::-1]


def _walked_back(text: str, came: list[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    end = len(text)
    while end > 0:
        start, number = came[end]
        yield number, text[start:end]
        end = start


def _written(text: str) -> str:
    """As the vocabulary was learnt: NFKC, one blank between words and one before the first, written as a mark."""
    plain = _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip()
    return BLANK + plain.replace(" ", BLANK) if plain else ""


def _entries(data: bytes) -> Iterator[tuple[str, float]]:
    """Pieces with their scores."""
    for field, value in _fields(data):
        if field != 1 or not isinstance(value, bytes):
            continue
        name, score = "", 0.0
        for inner, held in _fields(value):
            if inner == 1 and isinstance(held, bytes):
                name = held.decode("utf-8")
            elif inner == 2 and isinstance(held, bytes) and len(held) == 4:
                (score,) = struct.unpack("<f", held)
        if name:
            yield name, score


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """The fields of one message of a protocol buffer.

    :raises ValueError: the bytes end inside a field, or are of a kind that the format does not know.
    """
    place = 0
    while place < len(data):
        key, place = _number(data, place)
        kind = key & 7
        if kind == _VARINT:
            value, place = _number(data, place)
            yield key >> 3, value
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(kind)
        if kind == _BYTES:
            size, place = _number(data, place)
        if size is None or place + size > len(data):
            raise ValueError(f"damaged at byte {place}")
        yield key >> 3, data[place : place + size]
        place += size


def _number(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if shift > 63:
            raise ValueError(f"damaged at byte {place}")
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
