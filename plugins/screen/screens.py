"""The screens of one box: opened when first used, used by one caller at a time, let go together."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from agent.api import Env, InputError
from agent.hookspecs import PhotoReader
from agent.settings import ScreenSettings
from plugins.screen.acting import Operator
from plugins.screen.known_fields import KnownField, known_fields
from plugins.screen.likeness import plain
from plugins.screen.links import make_link
from plugins.screen.looking import Looker

__all__ = ["Screens"]

_ANY_SCREEN = ("屏幕", "画面", "触摸屏", "人机界面", "screen", "hmi", "panel pc")


@dataclass(slots=True)
class _Screen:
    """One screen; `operator` is None before its first use."""

    settings: ScreenSettings
    lock: threading.RLock = field(default_factory=threading.RLock)
    operator: Operator | None = None


class Screens:
    """Screens by the names of the settings. Safe for use from several threads."""

    def __init__(self, env: Env, read: PhotoReader) -> None:
        """
        :param read: reads a picture, as plugins do.
        """
        self._env = env
        self._read = read
        self._screens = {name: _Screen(settings) for name, settings in env.settings.screen.items()}

    @property
    def names(self) -> Sequence[str]:
        """As the settings call them."""
        return tuple(self._screens)

    def settings(self, name: str) -> ScreenSettings:
        """
        :raises InputError: there is no such screen.
        """
        return self._known(name).settings

    @contextmanager
    def use(self, name: str) -> Iterator[Operator]:
        """A screen, for the block alone.

        :raises InputError: there is no such screen, or its settings are wrong.
        """
        screen = self._known(name)
        with screen.lock:
            if screen.operator is None:
                link = make_link(name, screen.settings)
                looker = Looker(link, self._read, screen.settings, self._env.now)
                screen.operator = Operator(looker, screen.settings, self._fields(screen.settings))
            yield screen.operator

    def meant(self, words: str) -> str | None:
        """The screen that a person's words name; where there is only one, "the screen" is it."""
        said = plain(words)
        named = [
            (len(plain(call)), name)
            for name, screen in self._screens.items()
            for call in (name, *screen.settings.names)
            if plain(call) and plain(call) in said
        ]
        speaks = any(plain(word) in said for word in _ANY_SCREEN)
        if not speaks:
            return None
        if named:
            longest = max(length for length, _ in named)
            best = {name for length, name in named if length == longest}
            return best.pop() if len(best) == 1 else None
        return next(iter(self._screens)) if len(self._screens) == 1 else None

    def check_profile(self, name: str) -> None:
        """
        :raises InputError: there is no such screen, or its panel profile cannot be read.
        """
        self._fields(self._known(name).settings)

    def close(self) -> None:
        """Let go of all."""
        for screen in self._screens.values():
            with screen.lock:
                operator, screen.operator = screen.operator, None
                if operator is not None:
                    with suppress(Exception):
                        operator.looker.link.close()

    def _known(self, name: str) -> _Screen:
        found = self._screens.get(name)
        if found is None:
            known = ", ".join(self._screens) or "none; add [screen.NAME] to the settings"
            raise InputError(f"{name[:60]}: there is no such screen; there is {known}")
        return found

    def _fields(self, settings: ScreenSettings) -> tuple[KnownField, ...]:
        return known_fields(self._env.home.profiles, settings.profile) if settings.profile else ()
