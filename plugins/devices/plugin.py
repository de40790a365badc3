"""The plugin: devices that a person reads and moves in so many words.

A box without a map of devices has no tools of this plugin and reads no orders. The house is opened once in a process
and let go at its end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

import typer

from agent.actuator import Heard
from agent.api import Env, Finding, InputError, Series, Tool, hookimpl
from agent.model.protocol import Model
from agent.orders import Due, Orders
from plugins.devices.as_series import series_now
from plugins.devices.commands.devices import add_commands
from plugins.devices.commands.timers import add_timers
from plugins.devices.commands.understand import add_command
from plugins.devices.drivers.registry import make_driver
from plugins.devices.emitter import Emitter
from plugins.devices.firing import due_now
from plugins.devices.hearing import Hearing
from plugins.devices.house import MakeOne, open_house
from plugins.devices.later import Later
from plugins.devices.opened import OpenHouse, OpenTimers
from plugins.devices.tools import DeviceTools
from plugins.devices.understanding.reader import RuleReader
from plugins.devices.understanding.reading import Reader
from plugins.devices.understanding.sounds_reader import SoundReader
from plugins.devices.undoing import is_undo, undo_orders

__all__ = ["DevicesPlugin", "plugin"]


class DevicesPlugin:
    """Hooks, and the one house that is open."""

    def __init__(self, reader: Callable[[Env], Reader], make: MakeOne = make_driver) -> None:
        """
        :param reader: makes who reads utterances.
        :param make: makes the driver of a connection.
        """
        self._reader, self._make = reader, make
        self._lock = threading.Lock()
        self._open: tuple[tuple[Path, object, object], OpenHouse] | None = None

    @hookimpl
    def register_tools(self, env: Env) -> Iterable[Tool]:
        """To read and move devices, now and later; none where the map is missing or wrong (`doctor` says so)."""
        try:
            opened = self._opened(env)
        except InputError:
            return []
        return [*DeviceTools(opened.house, opened.emitter).tools(), *opened.later.tools()] if opened else []

    @hookimpl
    def register_commands(self, cli: typer.Typer) -> None:
        """`watchkeeper devices`, `undo`, `timers`, `command`."""
        add_commands(cli, self.opened)
        add_command(cli, self.opened)
        add_timers(cli, self.opened)

    @hookimpl
    def read_orders(self, question: str, env: Env, heard: Heard, model: Model) -> Orders | None:
        """What the words order or ask of the devices."""
        opened = self._opened(env)
        if opened is None:
            return None
        if is_undo(question):
            return undo_orders(env, opened.house)
        return opened.hearing.orders(question, heard, model)

    @hookimpl
    def take_due(self, env: Env, aloud: bool) -> Iterable[Due]:
        """Timers that have ended, and what was ordered for now."""
        try:
            opened = self._opened(env)
        except InputError:  # the map is wrong now; `doctor` says so
            return []
        return due_now(opened, env.now(), aloud=aloud) if opened is not None else []

    @hookimpl
    def names_to_hear(self, env: Env) -> Iterable[str]:
        """Rooms, then devices, by their first names and then by the others."""
        opened = self._opened(env)
        if opened is None:
            return []
        known = opened.house.map
        named = [*(area.names for area in known.areas), *(device.names for device in known.devices)]
        most = max(map(len, named), default=0)
        return [names[i] for i in range(most) for names in named if i < len(names)]

    @hookimpl
    def read_series(self, tags: Sequence[str], start: datetime, end: datetime, env: Env) -> Iterable[Series]:
        """What the sensors of these names show now.

        :raises InputError: the map or a connection of it is wrong.
        """
        opened = self._opened(env)
        return list(series_now(opened.house, tags, start, end)) if opened is not None else []

    @hookimpl
    def check_health(self, env: Env) -> Iterable[Finding]:
        """Whether the map can be read, and what in it may not be meant so."""
        try:
            opened = self._opened(env)
        except InputError as error:
            return [Finding("devices", False, str(error))]
        if opened is None:
            return [Finding("devices", True, f"none; write {env.home.devices} to read and move some")]
        warned = opened.house.warnings
        count = f"{len(opened.house.map.devices)} devices"
        return [Finding("devices", not warned, "; ".join([count, *warned[:5]]))]

    @hookimpl
    def shutdown(self, env: Env) -> None:
        """Let go of all connections."""
        with self._lock:
            opened, self._open = self._open, None
        if opened is not None:
            opened[1].close()

    def opened(self, env: Env) -> OpenHouse:
        """For the command line.

        :raises InputError: there is no map, or it is wrong.
        """
        found = self._opened(env)
        if found is None:
            raise InputError(f"{env.home.devices}: no map of devices; write one, or set [devices] map")
        return found

    def _opened(self, env: Env) -> OpenHouse | None:
        """What is open for this box; opened anew where the settings are others, None where there is no map.

        :raises InputError: the map is wrong.
        """
        key = (env.home.folder, env.settings.devices, env.settings.drivers)
        with self._lock:
            if self._open is not None and self._open[0] == key:
                return self._open[1]
            before, self._open = self._open, None
            if before is not None:
                before[1].close()
            house = open_house(env, make=self._make)
            if house is None:
                return None
            hearing = Hearing(house, self._reader(env), env.settings.understanding, env.now)
            emitter, timers = Emitter(house, hearing, env.now), OpenTimers(env)
            later = Later(house, emitter, hearing, timers, env.now)
            self._open = (key, OpenHouse(house, hearing, emitter, later, timers))
            return self._open[1]


plugin = DevicesPlugin(lambda env: SoundReader(RuleReader(env.settings.understanding)))
"""What the entry point names."""
