"""`watchkeeper devices discover`: what a broker or a server tells of its devices, as a map for a person to check.

Who can tell is installed under the entry point group `watchkeeper.maps`, by the kind of connection.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Protocol

import typer

from agent.api import Env, InputError
from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.registry import install_line
from plugins.devices.maps.checks import limit_passed, unknown_reference
from plugins.devices.maps.discovery import Discovered
from plugins.devices.maps.writing import map_text

__all__ = ["GROUP", "discover_devices"]

GROUP = "watchkeeper.maps"
_CONNECTION = typer.Argument(help="A connection of [drivers.connections]: a broker with discovery messages, OPC UA.")


class _Discover(Protocol):
    def __call__(self, name: str, connection: ConnectionSettings, limits: DriverSettings) -> Discovered: ...


def discover_devices(context: typer.Context, connection: str = _CONNECTION) -> None:
    """Print what a connection tells of its devices as a map; look through it, then keep it as devices.toml.

    Example: watchkeeper devices discover home > devices.toml
    """
    env: Env = context.obj
    found = env.settings.drivers.connections.get(connection)
    if found is None:
        raise InputError(f"{connection[:60]!r} is no connection; see [drivers.connections] in the settings")
    discovered = _teller(found.kind)(connection, found, env.settings.drivers)
    problem = limit_passed(discovered.devices, env.settings.devices) or unknown_reference(discovered.devices)
    if problem:
        raise InputError(f"{connection}: {problem}")
    typer.echo(map_text(discovered.devices))
    for line in discovered.left_out:
        typer.echo(f"left out: {line}", err=True)


def _teller(kind: str) -> _Discover:
    """Who can ask a connection of this kind what it has."""
    entry = {one.name: one for one in entry_points(group=GROUP)}.get(kind)
    if entry is None:
        raise InputError(f"a connection of kind {kind!r} cannot tell its devices; write them into devices.toml")
    try:
        discover: _Discover = entry.load()
    except ImportError as error:
        raise InputError(f"connections of kind {kind}: {error}; {install_line(error)}") from None
    return discover
