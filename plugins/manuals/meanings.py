"""The sentence encoder of this box, loaded once, and the vectors of the manuals kept up with them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from agent.api import Env, WeightsError
from knowledge.embed import Embedder
from knowledge.errors import KnowledgeError
from knowledge.meaning import Meaning
from knowledge.store import KnowledgeStore, vectors_stamp
from knowledge.vectors import VectorIndex, build_index, embed_passages, pending_passages

__all__ = ["MeaningOfBox", "index_path"]

ENTRY = "embed"
"""In the catalogue of weights."""


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
            return Meaning(Embedder(files["model"], files["vocabulary"]), index_path(self._env))
        except (WeightsError, KnowledgeError):
            return None
