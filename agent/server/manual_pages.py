"""A page of a manual as a picture, with the place of a quote on it.

The file is read again from where it was added from, and only as long as it is the very file that was read in: what a
person is shown as the source is what the answer was made of. It is drawn in a process of its own
(`agent.server.served_pages`), which is started when a page is wanted and ended when none was for a while.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from agent.env import Env
from agent.errors import WorkerError
from agent.values import Json
from agent.workers.launch import WorkerSpec
from agent.workers.shared import SharedBuffer
from agent.workers.supervisor import Supervisor
from agent.workers.worker import Result
from knowledge.errors import KnowledgeError
from knowledge.store import Document

__all__ = ["ManualPages", "PageBox"]

_TARGET = "agent.server.served_pages:make"
_GRACE_SECONDS = 0.2
"""After the deadline: drawing cannot be interrupted, so its process is killed."""
_NICE = 5

PageBox = tuple[float, float, float, float]
"""left, top, right, bottom as shares of the page, from its upper left corner."""
_BOXES: TypeAdapter[list[PageBox]] = TypeAdapter(Annotated[list[PageBox], Field(max_length=10_000)])


class ManualPages:
    """Pages of the manuals of a box. Safe for use from several threads; one page is drawn at a time."""

    def __init__(self, env: Env) -> None:
        """Starts nothing."""
        self._settings = env.settings.server
        self._max_bytes = env.settings.knowledge.max_file_bytes
        limits = env.settings.workers.model_copy(update={"cancel_grace_seconds": _GRACE_SECONDS, "nice": _NICE})
        prepare: dict[str, Json] = {"memory_bytes": self._settings.page_memory_bytes}
        self._drawer = Supervisor(WorkerSpec("pages of manuals", _TARGET, prepare=prepare), limits)
        self._lock = threading.Lock()
        self._calls = 0
        self._idle: threading.Timer | None = None

    @property
    def enforced(self) -> Mapping[str, str]:
        """What its process may not, and by what that is so; empty while there is none."""
        found = self._drawer.report.get("enforced")
        return {str(what): str(how) for what, how in found.items()} if isinstance(found, dict) else {}

    def has(self, document: Document) -> bool:
        """Whether its file is a PDF and still the one that was read in."""
        return document.pages is not None and self._data(document) is not None

    def picture(self, document: Document, number: int, *, pixels: int) -> bytes | None:
        """Page `number`, from 1, as JPEG; None where there is no such page any more.

        :param pixels: about so many.
        :raises KnowledgeError: it cannot be drawn, or not in time.
        """
        result = self._asked(document, number, "picture", {"pixels": pixels})
        there = result is not None and isinstance(result.value, dict) and result.value.get("there") is True
        return result.attachment if result is not None and there else None

    def boxes(self, document: Document, number: int, quote: str) -> list[PageBox]:
        """Where a quote stands on a page, a box for each line; empty where the page is a picture, is turned, or does
        not hold it.

        :raises KnowledgeError: it cannot be looked at, or not in time.
        """
        result = self._asked(document, number, "boxes", {"quote": quote})
        try:
            return _BOXES.validate_python([] if result is None else result.value)
        except ValidationError:
            raise KnowledgeError(f"{document.id}: page {number} cannot be shown: it was not told where") from None

    def close(self) -> None:
        """End its process. Calling it twice is fine."""
        with self._lock:
            if self._idle is not None:
                self._idle.cancel()
            self._drawer.stop()

    def _asked(self, document: Document, number: int, method: str, more: Mapping[str, Json]) -> Result | None:
        data = self._data(document)
        if data is None:
            return None
        self._enter()
        try:
            buffer = SharedBuffer.write(len(data), lambda view: _fill(view, data))
            deadline = time.monotonic() + self._settings.page_seconds
            return self._drawer.call(method, {"number": number, **more}, buffers=[buffer], deadline=deadline)
        except (WorkerError, OSError) as error:
            raise KnowledgeError(f"{document.id}: page {number} cannot be shown: {error}") from None
        finally:
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            self._calls += 1
            if self._idle is not None:
                self._idle.cancel()
            if self._drawer.state == "stopped":
                self._drawer.start({})

    def _leave(self) -> None:
        with self._lock:
            self._calls -= 1
            self._idle = threading.Timer(self._settings.page_idle_seconds, self._end_idle)
            self._idle.daemon = True
            self._idle.start()

    def _end_idle(self) -> None:
        with self._lock:
            if self._calls == 0:
                self._drawer.stop()

    def _data(self, document: Document) -> bytes | None:
        path = Path(document.path)
        try:
            if path.suffix.lower() != ".pdf" or path.stat().st_size > self._max_bytes:
                return None
            data = path.read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == document.sha256 else None


def _fill(view: memoryview, data: bytes) -> None:
    view[:] = data
