"""The plugin: screens that the settings name. A box without `[screen.NAME]` has none of its tools."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import typer

from agent.api import Env, Finding, InputError, Perception, Photo, Tool, hookimpl
from agent.hookspecs import PhotoReader
from plugins.screen.actuator import ScreenActuator
from plugins.screen.commands import add_commands
from plugins.screen.links import make_link
from plugins.screen.screens import Screens
from plugins.screen.tools import ScreenTools

__all__ = ["ScreenPlugin", "plugin"]


class ScreenPlugin:
    """Hooks, and the screens that are open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: tuple[tuple[object, ...], Screens] | None = None

    @hookimpl
    def register_tools(self, env: Env, read_photo: PhotoReader) -> Iterable[Tool]:
        """To read screens, and to operate them."""
        if not env.settings.screen:
            return []
        screens = self.opened(env, read_photo)
        return ScreenTools(screens, ScreenActuator(screens), most_records=env.settings.turn.panel_items).tools()

    @hookimpl
    def register_commands(self, cli: typer.Typer) -> None:
        """`watchkeeper screen list|look|find|do`."""
        add_commands(cli, self.opened)

    @hookimpl
    def check_health(self, env: Env) -> Iterable[Finding]:
        """Whether the settings of each screen make sense; no screen is touched."""
        return [_finding(env, name) for name in env.settings.screen]

    @hookimpl
    def shutdown(self, env: Env) -> None:
        """Let go of all screens."""
        with self._lock:
            opened, self._open = self._open, None
        if opened is not None:
            opened[1].close()

    def opened(self, env: Env, read_photo: PhotoReader) -> Screens:
        """The screens of this box, as long as its settings are the same."""
        key = (env.home.folder, env.settings.screen)
        with self._lock:
            if self._open is None or self._open[0] != key:
                if self._open is not None:
                    self._open[1].close()
                self._open = (key, Screens(env, read_photo))
            return self._open[1]


def _finding(env: Env, name: str) -> Finding:
    settings = env.settings.screen[name]
    may = "may be operated, each step with a person's approval" if settings.writable else "is only read"
    try:
        make_link(name, settings)
        if settings.profile:
            Screens(env, _reads_nothing).check_profile(name)
    except InputError as error:
        return Finding(f"screen {name}", False, str(error))
    return Finding(f"screen {name}", True, f"{settings.kind} {settings.address}; it {may}")


def _reads_nothing(photo: Photo) -> Perception | None:
    return None


plugin = ScreenPlugin()
"""What the entry point names."""
