"""From a wish to its picture: kept, painted by a model where there is one, else drawn. Start here.

    wish → its key → the picture that is kept under it
                   → a model's (`diffusion`), where the settings name one and it works
                   → ours (`vector`): always
         → kept

What a model failed at is drawn, and not kept as its own, so that the model is asked again after a rest.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Literal

from agent.api import Env, InputError, Said, WeightsError
from agent.box_key import box_secret
from agent.console import complain
from agent.errors import WorkerBusy, WorkerError
from agent.model.reply_store import ReplyStore
from plugins.painter.diffusion import DiffusionPainter
from plugins.painter.reading import read_wish
from plugins.painter.vector import draw_png, hand
from plugins.painter.wishes import Wish, caption

__all__ = ["Painter", "Picture"]

_REST_SECONDS = 600.0
"""After a model failed, before it is asked again."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished picture."""

    wish: Wish
    png: bytes
    said: Said
    """What is to be seen, in both languages."""
    by: Literal["drawn", "model"]
    kept: bool
    """Whether it was there already."""


class Painter:
    """The painter of a box. Safe for use from several threads."""

    def __init__(self, env: Env) -> None:
        settings = env.settings.painter
        self._settings = settings
        self._model = DiffusionPainter(env) if settings.model_file else None
        self._rests_until = 0.0
        self._lock = threading.Lock()
        self._drawing = threading.Lock()
        """One picture at a time, so that many children leave a core to the machines."""
        self._store = ReplyStore(
            env.home.cache / "painter.db",
            max_rows=settings.cache_rows,
            max_bytes=settings.cache_bytes,
            busy_seconds=settings.cache_busy_seconds,
            secret=box_secret(env.home.box_key),
        )

    def read(self, text: str, *, language: str = "") -> Wish:
        """A wish that was typed.

        :param language: in which a hint is worded; empty is that of the text.
        :raises NotYet: it is no wish that is drawn.
        """
        settings = self._settings
        return read_wish(
            text, least_words=settings.least_words, most_words=settings.most_words, max_chars=settings.max_text_chars,
            language=language,
        )  # fmt: skip

    def paint(self, wish: Wish) -> Picture:
        """The picture of a wish.

        :raises InputError: what draws is not installed.
        """
        said = caption(wish)
        if self._model is not None:
            key = f"model|{self._settings.model_sha256}|{self._settings.model_side_px}|{wish.key}"
            if kept := self._kept(key):
                return Picture(wish, kept, said, "model", True)
            if painted := self._painted(self._model, wish):
                self._keep(key, painted)
                return Picture(wish, painted, said, "model", False)
        key = f"drawn|{hand()}|{self._settings.side_px}|{wish.key}"
        if kept := self._kept(key):
            return Picture(wish, kept, said, "drawn", True)
        with self._drawing:
            if kept := self._kept(key):
                return Picture(wish, kept, said, "drawn", True)
            drawn = draw_png(wish, self._settings.side_px)
            self._keep(key, drawn)
        return Picture(wish, drawn, said, "drawn", False)

    def close(self) -> None:
        """Free what it holds."""
        with self._lock:
            self._store.close()
        if self._model is not None:
            self._model.close()

    def _painted(self, model: DiffusionPainter, wish: Wish) -> bytes | None:
        if time.monotonic() < self._rests_until:
            return None
        try:
            return model.paint(wish)
        except WorkerBusy:
            return None
        except (InputError, WeightsError, WorkerError) as error:
            self._rests_until = time.monotonic() + _REST_SECONDS
            complain(f"painter: {error}; the picture is drawn instead")
            return None

    def _kept(self, key: str) -> bytes | None:
        with self._lock:
            return self._store.get_bytes(key)

    def _keep(self, key: str, png: bytes) -> None:
        with self._lock:
            self._store.put_bytes(key, png)
