"""The sentence encoder of this box, loaded once a process, and the vectors of the manuals kept up with them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from agent.api import Env, WeightsError
from knowledge.bilingual import Dictionary
from knowledge.embed import Embedder
from knowledge.errors import KnowledgeError
from knowledge.meaning import Meaning
from knowledge.store import KnowledgeStore, vectors_stamp
from knowledge.vectors import VectorIndex, build_index, embed_passages, pending_passages

__all__ = ["MeaningOfBox", "index_path"]

ENTRY, DICTIONARY = "embed", "dictionary"
"""In the catalogue of weights."""
_Mark = tuple[str, int, int, int]


def index_path(env: Env) -> Path:
    """Where the index of the vectors lies; it may be deleted at any time."""
    return env.home.cache / "knowledge.vec"


class MeaningOfBox:
    """The encoder, loaded when it is first asked for; none where its weights are not here or cannot be used."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._lock = threading.Lock()
        self._loaded: Meaning | None = None
        self._looked = False
        self._renewal: threading.Thread | None = None

    def get(self) -> Meaning | None:
        """The loaded encoder; None where there is none. Weights are looked for once."""
        with self._lock:
            if not self._looked:
                self._looked, self._loaded = True, self._load()
            return self._loaded

    def bring_up_to_date(self, store: KnowledgeStore, on_done: Callable[[int], None] = lambda _: None) -> int | None:
        """Embed the passages that have no vectors yet and write the index if it is not that of the vectors.

        :returns: passages that were embedded; None where there is no encoder.
        :raises KnowledgeError: the store or the index cannot be written.
        """
        meaning = self.get()
        if meaning is None:
            return None
        settings = self._env.settings.knowledge
        done = embed_passages(
            store,
            meaning.embedder,
            window_chars=settings.embed_window_chars,
            max_windows=settings.embed_max_windows,
            on_done=on_done,
        )
        if not self._has_index(store):
            build_index(store, meaning.index_path)
        return done

    def is_up_to_date(self, store: KnowledgeStore) -> bool:
        """Whether every passage has vectors and the index is made from them.

        :raises KnowledgeError: the store cannot be read.
        """
        return self._has_index(store) and not pending_passages(store)

    def _has_index(self, store: KnowledgeStore) -> bool:
        with store.reading() as connection:
            return VectorIndex.open(index_path(self._env), vectors_stamp(connection)) is not None

    def renew_behind(self, store: KnowledgeStore) -> None:
        """Bring it up to date in the background, once at a time; what fails there is told by the next ingest."""
        with self._lock:
            if self._renewal is not None and self._renewal.is_alive():
                return
            self._renewal = threading.Thread(target=self._renew, args=(store,), name="knowledge-index", daemon=True)
            self._renewal.start()

    def _renew(self, store: KnowledgeStore) -> None:
        try:
            self.bring_up_to_date(store)
        except KnowledgeError:
            return

    def _load(self) -> Meaning | None:
        try:
            files = self._env.weights.verified(ENTRY)
            embedder = _embedder(_mark(files["model"]), _mark(files["vocabulary"]))
            return Meaning(embedder, index_path(self._env), self._dictionary())
        except (OSError, WeightsError, KnowledgeError):
            return None

    def _dictionary(self) -> Dictionary | None:
        """The dictionary between Chinese and English; without it meaning alone crosses languages."""
        try:
            words = self._env.weights.verified(DICTIONARY)["words"]
            return Dictionary.made(words, self._env.home.cache / "dictionary.db")
        except (WeightsError, KnowledgeError):
            return None


def _mark(path: Path) -> _Mark:
    """Tells a file from another one that takes its place."""
    status = path.stat()
    return str(path), status.st_ino, status.st_mtime_ns, status.st_size


@lru_cache(maxsize=1)
def _embedder(weights: _Mark, vocabulary: _Mark) -> Embedder:
    """The encoder of files that were verified: its 70 MB and half a second are spent once, whoever asks."""
    return Embedder(Path(weights[0]), Path(vocabulary[0]))
