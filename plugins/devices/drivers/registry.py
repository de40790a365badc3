"""Which driver serves a connection: those that are installed under the entry point group `watchkeeper.drivers`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points

from agent.api import InputError
from agent.settings import DriverSettings
from plugins.devices.drivers.driver import Driver, MakeDriver
from plugins.devices.values import Device

__all__ = ["GROUP", "install_line", "make_driver", "make_drivers"]

GROUP = "watchkeeper.drivers"
_EXTRAS = {"asyncua": "opcua"}
"""Package → the extra that brings it, where that is not `devices`."""


def install_line(error: ImportError) -> str:
    """How a package is had that a driver needs and that is not here."""
    package = (error.name or "").partition(".")[0]
    return f"pip install 'watchkeeper[{_EXTRAS.get(package, 'devices')}]'"


def make_drivers(devices: Sequence[Device], limits: DriverSettings) -> dict[str, Driver]:
    """One driver for each connection that a device names; none is open yet.

    :return: name of the connection → its driver.
    :raises InputError: a device names a connection that the settings do not have, or an address is wrong.
    """
    wanted: dict[str, list[Device]] = {}
    for device in devices:
        if device.driver:
            wanted.setdefault(device.driver, []).append(device)
    return {name: make_driver(name, mine, limits) for name, mine in wanted.items()}


def make_driver(name: str, devices: Sequence[Device], limits: DriverSettings) -> Driver:
    """The driver of one connection.

    :raises InputError: no such connection, no such driver, a package of it is missing, or an address is wrong.
    """
    connection = limits.connections.get(name)
    if connection is None:
        raise InputError(
            f"device {devices[0].id if devices else '?'}: no connection {name!r}; add [drivers.connections.{name}] to "
            "the settings"
        )
    found = {entry.name: entry for entry in entry_points(group=GROUP)}.get(connection.kind)
    if found is None:
        raise InputError(f"connection {name}: no driver of kind {connection.kind!r} is installed")
    try:
        make: MakeDriver = found.load().make_driver
    except ImportError as error:
        raise InputError(f"connection {name}: {error}; {install_line(error)}") from None
    return make(name, connection, devices, limits)
