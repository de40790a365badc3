"""Texts as vectors of meaning: the Universal Sentence Encoder, multilingual 3, in numpy.

What the model computes (Yang et al. 2019, "Multilingual Universal Sentence Encoder for Semantic Retrieval", its
convolutional variant; weights Apache-2.0): pieces become vectors of 512 numbers; three branches look at 2, 3 and 5
neighbouring pieces; the sum over the pieces, divided by the square root of their number, passes four dense layers.
Texts of one meaning lie close to each other in any of its 16 languages, Chinese and English among them.

The pieces' vectors are kept as the file has them, one byte a number in 17 blocks of their own scale (65 MB), and are
only scaled for the pieces at hand. Texts are put through together, in batches of `_BATCH_PIECES`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from knowledge.errors import KnowledgeError
from knowledge.wordpieces import WordPieces

__all__ = ["DIMENSIONS", "Embedder", "packed"]

DIMENSIONS = 512
_BLOCKS = 17
_BRANCH = 256
_BRANCHES = ((2, 0), (3, 1), (5, 2))
"""Pieces that a branch looks at, and how many of them stand before the one it looks from."""
_BATCH_PIECES = 512
_MAX_PIECES = 512
"""A longer text is cut."""
Floats = NDArray[np.float32]


class Embedder:
    """The model, loaded.

    :param weights: the `.npz` with its weights.
    :param vocabulary: the SentencePiece model.
    :raises KnowledgeError: the files are not this model.
    """

    def __init__(self, weights: Path, vocabulary: Path) -> None:
        self.pieces = WordPieces(vocabulary)
        try:
            with np.load(weights, allow_pickle=False) as file:
                blocks = [file[f"q{number + 1}"] for number in range(_BLOCKS)]
                self._w: dict[str, Floats] = {
                    name: np.asarray(file[name], np.float32) for name in file.files if not name.startswith("q")
                }
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise KnowledgeError(f"{weights}: not the weights of the sentence encoder: {error}") from None
        self._bytes: NDArray[np.uint8] = np.empty((_BLOCKS * len(blocks[0]), DIMENSIONS), np.uint8)
        for number, block in enumerate(blocks):
            self._bytes[number::_BLOCKS] = block
        self._eps = float(self._w["eps"])
        self._threads = ThreadpoolController()

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors of length 1, one row of 512 a text."""
        with self.one_thread():
            return self._encode_all(texts)

    def one_thread(self) -> AbstractContextManager[object]:
        """While it lasts numpy multiplies on one thread: on a busy box threads that wait for each other cost more."""
        limit: AbstractContextManager[object] = self._threads.limit(limits=1, user_api="blas")
        return limit

    def _encode_all(self, texts: Sequence[str]) -> Floats:
        out: Floats = np.empty((len(texts), DIMENSIONS), np.float32)
        batch: list[list[int]] = []
        held = first = 0
        for at, text in enumerate(texts):
            ids = self.pieces.ids(text)[:_MAX_PIECES]
            if batch and held + len(ids) > _BATCH_PIECES:
                out[first:at] = self._encode(batch)
                batch, held, first = [], 0, at
            batch.append(ids)
            held += len(ids)
        if batch:
            out[first:] = self._encode(batch)
        return out

    def _encode(self, batch: list[list[int]]) -> Floats:
        lengths = np.array([len(ids) for ids in batch])
        ids = np.concatenate([np.array(one) for one in batch])
        ids = np.where(ids < len(self._bytes), ids, 0)
        block = (ids % _BLOCKS)[:, None]
        pieces = self._bytes[ids] * self._w["scale"][block] + self._w["lo"][block]
        windows = _neighbours(lengths)
        features = [pieces, *(self._branch(pieces, windows, size, before) for size, before in _BRANCHES)]
        joined = self._level(np.concatenate(features, axis=1), "ln_g", "ln_b")
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        summed = np.add.reduceat(joined, starts, axis=0) @ self._w["cnn_W"] + lengths[:, None] * self._w["cnn_b"]
        return self._dense((summed / np.sqrt(lengths)[:, None]).astype(np.float32))

    def _branch(self, pieces: Floats, windows: NDArray[np.intp], size: int, before: int) -> Floats:
        """What one branch makes of each piece and its neighbours: two layers, each added to what went in."""
        held = self._level(pieces @ self._w[f"proj{size}"] + self._w[f"proj_b{size}"], f"ln_g{size}", f"ln_b{size}")
        widest = max(b for _, b in _BRANCHES)
        around = windows[:, widest - before : widest - before + size]
        for layer in ("1", "2"):
            padded = np.concatenate((held, np.zeros((1, _BRANCH), np.float32)))
            seen = padded[around].reshape(len(held), size * _BRANCH)
            held = held + np.maximum(seen @ self._w[f"w{layer}_{size}"] + self._w[f"b{layer}_{size}"], 0.0)
        return held

    def _level(self, rows: Floats, gain: str, shift: str) -> Floats:
        centred = rows - rows.mean(axis=1, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + self._eps)
        return np.asarray(centred / spread * self._w[gain] + self._w[shift], np.float32)

    def _dense(self, rows: Floats) -> Floats:
        w = self._w
        first = np.maximum(rows @ w["d0"], 0.0)
        second = np.maximum(rows @ w["p1"] + first @ w["d1"], 0.0)
        third = np.maximum(second @ w["d2"], 0.0)
        last = np.tanh(second @ w["p3"] + third @ w["d3"])
        return np.asarray(last / np.maximum(np.linalg.norm(last, axis=1, keepdims=True), 1e-9), np.float32)


def packed(vectors: Floats) -> NDArray[np.int8]:
    """Vectors with one byte a number, each scaled to its largest: directions are kept, lengths are not."""
    largest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
    return np.asarray(np.rint(vectors * (127.0 / largest)), np.int8)


def _neighbours(lengths: NDArray[np.int_]) -> NDArray[np.intp]:
    """For each piece the rows of those around it within its text; one past the last row stands for none."""
    before = max(b for _, b in _BRANCHES)
    after = max(size - 1 - b for size, b in _BRANCHES)
    total = int(lengths.sum())
    ends = np.repeat(np.cumsum(lengths), lengths)[:, None]
    begins = ends - np.repeat(lengths, lengths)[:, None]
    rows = np.arange(total)[:, None] + np.arange(-before, after + 1)
    return np.where((rows >= begins) & (rows < ends), rows, total)
