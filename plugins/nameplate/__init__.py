"""Type plates: what a photo of one says, as fields, and whether its type is on a list of models to be phased out.

The reader of photos gives the texts, the manuals hold the lists. Start at `tools`.
"""

from __future__ import annotations

from collections.abc import Iterable

import typer

from agent.api import Env, Photo, Tool, hookimpl
from plugins.nameplate.command import add_plate_command
from plugins.nameplate.reflections import LastPhoto
from plugins.nameplate.tools import PlateTools

__all__ = ["perceive", "register_commands", "register_tools", "shutdown"]


_last = LastPhoto()


@hookimpl(tryfirst=True)
def perceive(photo: Photo, env: Env) -> None:
    """Reads nothing: keeps the photo, so that a reflection beside a type can be seen."""
    _last.keep(photo)


@hookimpl
def register_tools(env: Env) -> Iterable[Tool]:
    """`nameplate`."""
    return PlateTools(env, _last).tools()


@hookimpl
def register_commands(cli: typer.Typer) -> None:
    """`watchkeeper plate PHOTO...`."""
    add_plate_command(cli, _last)


@hookimpl
def shutdown(env: Env) -> None:
    """Let go of the photo."""
    _last.clear()
