"""`watchkeeper paint`: a wish in words, its picture in a file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import typer

from agent.api import Env, InputError, emit
from agent.console import JSON_OPTION
from plugins.painter.lexicon import is_chinese
from plugins.painter.painter import Painter

__all__ = ["add_commands"]

_OUT = typer.Option(..., "--out", help="PNG file to write.")


def add_commands(cli: typer.Typer) -> None:
    """Add `paint`."""
    cli.command("paint")(paint)


def paint(
    context: typer.Context,
    wish: str = typer.Argument(..., help="An animal, one or two features, a place."),
    out: Path = _OUT,
    as_json: bool = JSON_OPTION,
) -> None:
    """Paint an animal for a child.

    Example: watchkeeper paint "穿雨靴的小猫 在海边" --out cat.png
    """
    env: Env = context.obj
    if not env.settings.painter.enabled:
        raise InputError("the painter is off; set enabled = true under [painter] in the settings")
    with closing(Painter(env)) as painter:
        picture = painter.paint(painter.read(wish))
    out.write_bytes(picture.png)
    said = picture.said["zh" if is_chinese(wish) else "en"]
    told = {"file": str(out), "wish": picture.wish.key, "zh": picture.said["zh"], "en": picture.said["en"]}
    emit({**told, "by": picture.by, "kept": picture.kept}, as_json=as_json, human=f"{out}: {said}")
