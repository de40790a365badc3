"""A way into a program that has the program lie after a certain look of a certain step."""

from __future__ import annotations

from collections.abc import Sequence

from agent.api import Photo
from plugins.screen.values import Control, Link
from tests.screen_programs.opened import Opened
from tests.screen_programs.tasks import Lie

__all__ = ["LyingLink"]


class LyingLink:
    """Passes everything on, and counts the looks of a step."""

    def __init__(self, link: Link, opened: Opened, lie: Lie | None) -> None:
        self.name = link.name
        self.link = link
        self.lied = False
        self.seen_since = False
        """Whether the screen was looked at between the lie and what was sent next: no look, no way to know."""
        self._opened = opened
        self._lie = lie
        self._step = self._looks = 0
        self._sent = False

    def begin_step(self) -> None:
        self._step += 1
        self._looks = 0

    def look(self) -> Photo:
        photo = self.link.look()
        self._looks += 1
        if self.lied and not self._sent:
            self.seen_since = True
        if self._lie and not self.lied and (self._step, self._looks) == (self._lie.step, self._lie.look):
            self.lied = True
            self._opened.tell(self._lie.command)
        return photo

    def named(self) -> Sequence[Control]:
        return self.link.named()

    def click(self, x: int, y: int, *, times: int = 1) -> None:
        self._send()
        self.link.click(x, y, times=times)

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        self._send()
        self.link.drag(start, end)

    def scroll(self, x: int, y: int, *, notches: int) -> None:
        self.link.scroll(x, y, notches=notches)

    def type(self, text: str) -> None:
        self._send()
        self.link.type(text)

    def press(self, key: str) -> None:
        self._send()
        self.link.press(key)

    def close(self) -> None:
        self.link.close()

    def _send(self) -> None:
        self._sent = self._sent or self.lied
