"""Reading panels: one look at a photo gives its texts, readings, lamps and alarm rows.

Order of a look: cache → OCR (loaded at the first photo) → layout → numbers checked → lamps → cache. Nothing guesses:
what cannot be told from the photo carries a flag, has no value, or is left out.
"""

from __future__ import annotations

import typer

from agent.api import Env, Finding, Perception, Photo, Text, Tool, WeightsError, hookimpl
from plugins.panel.command import add_panel_command
from plugins.panel.service import PanelService
from plugins.panel.tools import PanelTools
from plugins.panel.watch_command import add_watch_command

__all__ = ["check_health", "perceive", "read_page", "register_commands", "register_tools", "shutdown"]

_service = PanelService()


@hookimpl
def perceive(photo: Photo, env: Env) -> Perception:
    """Read a photo, or find what was read from it before."""
    return _service.perceive(photo, env)


@hookimpl
def read_page(photo: Photo, env: Env) -> tuple[Text, ...] | None:
    """The text on a picture of a page; None where this box has no reader."""
    return _service.read_text(photo, env)


@hookimpl
def register_tools(env: Env) -> list[Tool]:
    """The readings of the turn's photo, held against the manuals' limits, and its lamps."""
    return PanelTools(env).tools()


@hookimpl
def register_commands(cli: typer.Typer) -> None:
    """`watchkeeper panel IMAGE...` and `watchkeeper watch SOURCE`."""
    add_panel_command(cli, _service)
    add_watch_command(cli, _service)


@hookimpl
def check_health(env: Env) -> list[Finding]:
    """Whether text can be read on this box, and by whom."""
    wanted = f"ocr-{env.settings.panel.ocr}"
    problems = []
    for name in (wanted, "ocr-tiny" if wanted == "ocr-small" else "ocr-small"):
        try:
            env.weights.verified(name)
        except WeightsError as error:
            problems.append(str(error))
            continue
        read_by = f"{name} reads panels"
        return [Finding("panel", name == wanted, "; ".join([read_by, *problems]))]
    return [
        Finding("panel", False, f"no text can be read: {'; '.join(problems)}; run `watchkeeper weights pull {wanted}`")
    ]


@hookimpl
def shutdown(env: Env) -> None:
    """Close the reader."""
    _service.close()
