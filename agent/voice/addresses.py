"""Addresses of other servers in the settings: "tcp://HOST:PORT"."""

from __future__ import annotations

import re

from agent.errors import SettingsError

__all__ = ["address_of", "is_address"]

_SCHEME = "tcp://"
_PLACE = re.compile(r"tcp://(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]@]+):(?P<port>\d{1,5})/?")


def is_address(setting: str) -> bool:
    """Whether a setting names a server."""
    return setting.startswith(_SCHEME)


def address_of(setting: str) -> tuple[str, int]:
    """Host and port.

    :raises SettingsError: it is no address.
    """
    found = _PLACE.fullmatch(setting)
    if found is None or int(found["port"]) not in range(1, 65_536):
        raise SettingsError(f"voice: {setting!r} is no address; write tcp://HOST:PORT")
    return found["host"].strip("[]"), int(found["port"])
