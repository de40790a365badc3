"""A person shows something in a browser: what they click and fill is heard from the page, while it is looked at.

The page only says where and what; every name is read from the picture. What a page says is untrusted: it is bounded,
and ends up in a file that a person reviews. Passwords are not heard.
"""

from __future__ import annotations

import json
import math
import queue
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Protocol, runtime_checkable

from agent.api import Perception, Photo
from agent.settings import ProcedureSettings, ScreenSettings
from plugins.screen.looking import Looker
from plugins.screen.patching import Perceive
from plugins.screen.procedures.recording import Recorded, Seen, Shown, steps_of
from plugins.screen.values import Link

__all__ = ["Showing", "ShownLink", "heard_of"]

_HEARD = "watchkeeperShown"
_MOST_CHARS = 2_000
_MOST_PX = 100_000
_KEYS = ("Enter", "Escape")
_WRITTEN = ("text", "search", "number", "tel", "email", "url", "textarea", "")
_SCRIPT = (
    """(() => {
  if (window.__watchkeeperShows) return;
  window.__watchkeeperShows = true;
  const typed = """
    + json.dumps(_WRITTEN)
    + """;
  const isField = (e) => e instanceof HTMLTextAreaElement || e instanceof HTMLSelectElement || e?.isContentEditable
    || (e instanceof HTMLInputElement && (e.type === "password" || typed.includes(e.type)));
  const tell = (what) => window.watchkeeperShown(JSON.stringify(what));
  addEventListener("click", (event) => {
    if (event.isTrusted && event.detail === 1 && !isField(event.target))
      tell({ verb: "click", x: event.clientX, y: event.clientY });
  }, true);
  addEventListener("dblclick", (event) => {
    if (event.isTrusted) tell({ verb: "double_click", x: event.clientX, y: event.clientY });
  }, true);
  addEventListener("change", (event) => {
    const field = event.target;
    if (!event.isTrusted || !isField(field)) return;
    const box = field.getBoundingClientRect();
    const secret = field.type === "password", list = field instanceof HTMLSelectElement;
    tell({ verb: "set", x: box.x + box.width / 2, y: box.y + box.height / 2,
      value: secret || list ? "" : String(field.value), secret, list });
  }, true);
  addEventListener("keydown", (event) => {
    if (event.isTrusted && ["Enter", "Escape"].includes(event.key)) tell({ verb: "press", value: event.key });
  }, true);
})();"""
)


@runtime_checkable
class ShownLink(Link, Protocol):
    """A link that can tell what a person does on its screen."""

    @property
    def scale(self) -> float:
        """Pixels of the picture for one that it tells of."""

    def listen(self, name: str, script: str, heard: Callable[[str], None]) -> None:
        """Have a script run on it; what it gives to the function of that name is heard."""


class Showing:
    """One showing on one page."""

    def __init__(
        self,
        link: ShownLink,
        perceive: Perceive,
        settings: ScreenSettings,
        limits: ProcedureSettings,
        now: Callable[[], datetime],
    ) -> None:
        """
        :param perceive: reads a photo.
        """
        self._link = link
        self._limits = limits
        self._perceive = perceive
        self._looker = Looker(link, self._read, settings, now)
        self._heard: queue.Queue[tuple[str, float]] = queue.Queue(limits.max_recorded_steps)
        self._read_at: float | None = None
        self._shown: list[Shown] = []
        self._seen: list[Seen] = []

    def begin(self) -> None:
        """Look, then listen.

        :raises ToolFailed: the page cannot be reached.
        """
        self._look()
        self._link.listen(_HEARD, _SCRIPT, self._hear)

    def go_on(self) -> Recorded:
        """Look once more, and say what was shown so far.

        :raises ToolFailed: the page cannot be reached.
        """
        self._look()
        with suppress(queue.Empty):
            while len(self._shown) < self._limits.max_recorded_steps:
                text, at = self._heard.get_nowait()
                one = heard_of(text, at, self._link.scale)
                if one is not None:
                    self._shown.append(one)
        return steps_of(self._shown, self._seen)

    def _look(self) -> None:
        self._read_at = None
        sight = self._looker.look()
        at = self._read_at or time.monotonic()
        if self._seen and self._seen[-1].sight.photo.digest == sight.photo.digest:
            self._seen.append(Seen(at, self._seen.pop().sight) if not self._between(at) else Seen(at, sight))
        else:
            self._seen.append(Seen(at, sight))
        del self._seen[: -2 * self._limits.max_recorded_steps]

    def _between(self, at: float) -> bool:
        """Whether anything was shown since the last look."""
        last = self._seen[-1].at
        return not self._heard.empty() or any(last <= one.at <= at for one in self._shown)

    def _read(self, photo: Photo) -> Perception | None:
        if self._read_at is None:
            self._read_at = time.monotonic()
        return self._perceive(photo)

    def _hear(self, text: str) -> None:
        with suppress(queue.Full):
            self._heard.put_nowait((str(text)[:_MOST_CHARS], time.monotonic()))


def heard_of(text: str, at: float, scale: float) -> Shown | None:
    """What a page said; None where it is nothing that a person can have done.

    :param scale: pixels of the picture for one of the page.
    """
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    value = str(told.get("value", ""))
    if told.get("verb") == "press":
        return Shown("press", (0, 0), at, value) if value in _KEYS else None
    x, y = _side(told.get("x")), _side(told.get("y"))
    if x is None or y is None:
        return None
    place = int(x * scale), int(y * scale)
    match told.get("verb"):
        case "click":
            return Shown("click", place, at)
        case "double_click":
            return Shown("double_click", place, at)
        case "set":
            return Shown("set", place, at, value, _unheard(told, value))
    return None


def _side(value: object) -> float | None:
    fits = isinstance(value, int | float) and math.isfinite(value) and 0 <= value < _MOST_PX
    return float(value) if fits and isinstance(value, int | float) else None


def _unheard(told: dict[str, object], value: str) -> str:
    if told.get("secret"):
        return "a password is not recorded; log in before you show it, or write `value: secret:NAME` by hand"
    if told.get("list"):
        return "what is chosen from a list of the browser is not recorded; write the step by hand"
    return "" if value.isprintable() and value else "an empty or several-line value is not recorded"
