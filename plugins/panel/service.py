"""The reader of this process: loaded at the first photo that is not in the cache, used by one thread at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from threading import Lock

from agent.api import Env, Perception, Photo, PhotoError, Text
from plugins.panel.cache import PerceptionCache
from plugins.panel.profiles import Profile, read_known
from plugins.panel.reader import PARSER, read_panel
from plugins.panel.texts.module_ocr import chosen_reader
from plugins.panel.texts.ocr import OcrEngine, open_engine

__all__ = ["PanelService"]

CACHE_FILE = "panel.db"


class PanelService:
    """Perceptions of photos."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._engine: OcrEngine | None = None
        self._engine_for: Hashable = None

    def perceive(self, photo: Photo, env: Env) -> Perception:
        """What is on a photo; from the cache where the same pixels were read with the same settings."""
        settings = env.settings.panel
        cache = PerceptionCache(env.home.cache / CACHE_FILE, settings.cache_entries)
        key = _key(photo, env)
        kept = cache.get(key)
        if kept is not None:
            return kept
        with self._lock:
            engine, notes = self._opened(env)
            perception = read_panel(photo, engine, settings, notes)
        if not notes:
            cache.put(key, perception)
        return perception

    def read_known(
        self, photo: Photo, profile: Profile, env: Env, last: Mapping[str, float] | None = None
    ) -> Perception:
        """What the known fields of a panel show; never from the cache.

        :raises PhotoError: this box has no reader.
        """
        with self._lock:
            engine, notes = self._opened(env)
            if engine is None:
                raise PhotoError(f"{photo.name}: {notes[-1] if notes else 'this box has no reader'}")
            return read_known(photo, profile, engine, env.settings.panel, last)

    def read_text(self, photo: Photo, env: Env) -> tuple[Text, ...] | None:
        """Every run of text on a picture, in no particular order; None where this box has no reader."""
        with self._lock:
            engine, _ = self._opened(env)
            return None if engine is None else engine.read(photo.pixels)

    def close(self) -> None:
        """Free the reader."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()
            self._engine, self._engine_for = None, None

    def _opened(self, env: Env) -> tuple[OcrEngine | None, tuple[str, ...]]:
        """The reader for these settings. A second choice is not kept, so that weights that arrive later are found."""
        wanted = (env.weights.folder, env.settings.panel, chosen_reader(env).partition(" ")[0])
        if self._engine is not None and self._engine_for == wanted:
            return self._engine, ()
        if self._engine is not None:
            self._engine.close()
        self._engine, notes = open_engine(env)
        self._engine_for = wanted if not notes else None
        return self._engine, notes


def _key(photo: Photo, env: Env) -> str:
    settings = env.settings.panel.model_dump_json(exclude={"cache_entries", "threads"})
    return f"{photo.digest}-{hashlib.sha256(f'{PARSER} {settings} {chosen_reader(env)}'.encode()).hexdigest()[:16]}"
