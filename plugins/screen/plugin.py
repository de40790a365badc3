"""The plugin: screens that the settings name. A box without `[screen.NAME]` has none of its tools."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import typer

from agent.api import Env, Finding, InputError, Perception, Photo, Tool, hookimpl
from agent.hookspecs import PhotoReader
from agent.orders import Orders
from plugins.screen.actuator import ScreenActuator
from plugins.screen.commands import add_commands
from plugins.screen.links import make_link
from plugins.screen.procedures.actuator import ProcedureActuator
from plugins.screen.procedures.asking import read_procedure_order
from plugins.screen.procedures.commands import add_procedure_commands
from plugins.screen.procedures.pictures import Pictures
from plugins.screen.procedures.record_command import add_record_command
from plugins.screen.procedures.runs import Runs
from plugins.screen.procedures.shelf import Shelf
from plugins.screen.procedures.tools import procedure_tool
from plugins.screen.screens import Screens
from plugins.screen.tools import ScreenTools

__all__ = ["ScreenPlugin", "plugin"]


class ScreenPlugin:
    """Hooks, and the screens that are open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: tuple[tuple[object, ...], Screens, ProcedureActuator] | None = None

    @hookimpl
    def register_tools(self, env: Env, read_photo: PhotoReader) -> Iterable[Tool]:
        """To read screens, and to operate them."""
        if not env.settings.screen:
            return []
        screens, procedures = self.opened(env, read_photo), self.procedures(env, read_photo)
        most = env.settings.turn.panel_items
        return [*ScreenTools(screens, ScreenActuator(screens), most_records=most).tools(), procedure_tool(procedures)]

    @hookimpl(tryfirst=True)
    def read_orders(self, question: str, env: Env) -> Orders | None:
        """An approved procedure by its name: only where that is all that was said."""
        with self._lock:
            opened = self._open
        return read_procedure_order(question, opened[2]) if opened is not None and env.settings.screen else None

    @hookimpl
    def register_commands(self, cli: typer.Typer) -> None:
        """`watchkeeper screen list|look|find|do|run|record|procedure`."""
        screen = add_commands(cli, self.opened)
        add_procedure_commands(screen, self.opened, self.procedures)
        add_record_command(screen, self.opened)

    @hookimpl
    def check_health(self, env: Env) -> Iterable[Finding]:
        """Whether the settings of each screen make sense, and its procedures are approved; no screen is touched."""
        return [*(_finding(env, name) for name in env.settings.screen), *_procedures(env)]

    @hookimpl
    def shutdown(self, env: Env) -> None:
        """Let go of all screens."""
        with self._lock:
            opened, self._open = self._open, None
        if opened is not None:
            opened[1].close()
            opened[2].runs.close()

    def opened(self, env: Env, read_photo: PhotoReader) -> Screens:
        """The screens of this box, as long as its settings are the same."""
        return self._opened(env, read_photo)[1]

    def procedures(self, env: Env, read_photo: PhotoReader) -> ProcedureActuator:
        """What is done on them again and again."""
        return self._opened(env, read_photo)[2]

    def _opened(self, env: Env, read_photo: PhotoReader) -> tuple[object, Screens, ProcedureActuator]:
        key = (env.home.folder, env.settings.screen)
        with self._lock:
            if self._open is None or self._open[0] != key:
                if self._open is not None:
                    self._open[1].close()
                    self._open[2].runs.close()
                screens = Screens(env, read_photo)
                self._open = (key, screens, ProcedureActuator(screens, Shelf(env), Runs(env), Pictures(env)))
            return self._open


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


def _procedures(env: Env) -> Iterable[Finding]:
    shelf = Shelf(env)
    for key in shelf.names():
        try:
            person = shelf.approved_by(shelf.read(key))
        except InputError as error:
            yield Finding(f"procedure {key}", False, str(error))
            continue
        said = f"approved by {person}" if person else "nobody has approved it as it is now; review it: screen procedure"
        yield Finding(f"procedure {key}", bool(person), said)


def _reads_nothing(photo: Photo) -> Perception | None:
    return None


plugin = ScreenPlugin()
"""What the entry point names."""
