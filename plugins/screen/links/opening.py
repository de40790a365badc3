"""Which way leads into a screen: those that are installed under the entry point group `watchkeeper.screens`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from agent.api import InputError
from agent.settings import ScreenSettings
from plugins.screen.values import Link

__all__ = ["GROUP", "OpenLink", "first_line", "make_link", "refuse_outside"]

GROUP = "watchkeeper.screens"
OpenLink = Callable[[str, ScreenSettings], Link]
"""Makes a link; nothing is connected before its first look."""
_MOST_PASSWORD_BYTES = 4_096


def make_link(name: str, settings: ScreenSettings) -> Link:
    """The link to one screen; not connected yet.

    :raises InputError: no such way in, a package of it is missing, or the address is wrong.
    """
    found = {entry.name: entry for entry in entry_points(group=GROUP)}.get(settings.kind)
    if found is None:
        raise InputError(f"screen {name}: no way in of kind {settings.kind!r} is installed; use vnc or browser")
    try:
        make: OpenLink = found.load().open_link
    except ImportError as error:
        raise InputError(f"screen {name}: {error}; install watchkeeper[screen]") from None
    return make(name, settings)


def first_line(path: Path, name: str) -> str:
    """A password from its file.

    :raises InputError: it cannot be read, others may read it, or it is empty.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise InputError(f"screen {name}: {path} can be read by others; chmod 600 it")
        with path.open("rb") as file:
            lines = file.read(_MOST_PASSWORD_BYTES).decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise InputError(f"screen {name}: {path} cannot be read: {error.strerror}") from None
    if not lines or not lines[0]:
        raise InputError(f"screen {name}: {path} is empty; write the password into its first line")
    return lines[0]


def refuse_outside(name: str, place: tuple[int, int], size: tuple[int, int] | None) -> str:
    """Why a place on the picture that was looked at last is none; empty where it is one."""
    if size is None:
        return f"screen {name}: nothing was looked at yet, so no place on it is known; look first"
    if not (0 <= place[0] < size[0] and 0 <= place[1] < size[1]):
        return f"screen {name}: the place {place} lies outside its picture ({size[0]}×{size[1]}); look again"
    return ""
