"""The painter as the agent sees it: a command, a page, a line of `doctor`."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from agent.api import Env, Finding, Site, hookimpl
from plugins.painter.commands import add_commands
from plugins.painter.diffusion import model_problem
from plugins.painter.painter import Painter
from plugins.painter.vector import can_draw

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = ["PainterPlugin", "plugin"]

_PAGE = Path(__file__).parent / "page"


class PainterPlugin:
    """One painter for as long as the process lives."""

    def __init__(self) -> None:
        self._painters: list[Painter] = []

    @hookimpl
    def register_commands(self, cli: typer.Typer) -> None:
        """`watchkeeper paint`."""
        add_commands(cli)

    @hookimpl
    def register_sites(self, env: Env) -> Iterable[Site]:
        """`/painter`, where it is wanted."""
        if not env.settings.painter.enabled:
            return []
        painter = Painter(env)
        self._painters.append(painter)

        def routes() -> APIRouter:
            made: APIRouter = import_module("plugins.painter.routes").make_router(painter)  # needs FastAPI
            return made

        return [Site("painter", _PAGE, routes)]

    @hookimpl
    def check_health(self, env: Env) -> Iterable[Finding]:
        """Whether it can draw, and what is wrong with a model that it was given."""
        if not env.settings.painter.enabled:
            return []
        if not can_draw():
            return [Finding("painter", False, "resvg-py is not installed: pip install 'watchkeeper[painter]'")]
        problem = model_problem(env)
        return [Finding("painter", not problem, problem or "it paints at /painter")]

    @hookimpl
    def shutdown(self, env: Env) -> None:
        """Close what was opened."""
        while self._painters:
            self._painters.pop().close()


plugin = PainterPlugin()
