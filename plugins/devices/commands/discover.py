"""`watchkeeper devices discover`: what a broker tells of its devices, as a map for a person to look through."""

from __future__ import annotations

import typer

from agent.api import Env, InputError
from plugins.devices.maps.checks import limit_passed, unknown_reference
from plugins.devices.maps.discovery import discover
from plugins.devices.maps.writing import map_text

__all__ = ["discover_devices"]

_CONNECTION = typer.Argument(help="A connection of [drivers.connections] with Home Assistant's discovery messages.")


def discover_devices(context: typer.Context, connection: str = _CONNECTION) -> None:
    """Print what a broker tells of its devices as a map; look through it, then keep it as devices.toml.

    Example: watchkeeper devices discover home > devices.toml
    """
    env: Env = context.obj
    found = env.settings.drivers.connections.get(connection)
    if found is None or found.kind != "mqtt":
        raise InputError(f"{connection[:60]!r} is no mqtt connection of [drivers.connections]")
    discovered = discover(connection, found, env.settings.drivers)
    problem = limit_passed(discovered.devices, env.settings.devices) or unknown_reference(discovered.devices)
    if problem:
        raise InputError(f"{connection}: {problem}")
    typer.echo(map_text(discovered.devices))
    for line in discovered.left_out:
        typer.echo(f"left out: {line}", err=True)
