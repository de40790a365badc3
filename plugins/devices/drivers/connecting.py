"""What every driver needs: addresses taken apart, secrets, pauses between tries, values held against their point."""

from __future__ import annotations

import math
import random
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from agent.api import InputError
from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.driver import WrongValue
from plugins.devices.values import Device, Point, Value

__all__ = ["Place", "check_value", "finite", "password", "pauses", "place_of", "tls_context"]

MAX_PASSWORD_CHARS = 4_096


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens."""

    scheme: str
    host: str
    port: int


def place_of(name: str, connection: ConnectionSettings, ports: dict[str, int]) -> Place:
    """The address of a connection.

    :param ports: scheme → port where the address names none.
    :raises InputError: it is no such address.
    """
    try:
        parts = urlsplit(connection.address)
        port = parts.port
    except ValueError as error:
        raise InputError(f"connection {name}: address {connection.address!r}: {error}") from None
    if parts.scheme not in ports or not parts.hostname:
        known = " or ".join(f"{scheme}://host" for scheme in ports)
        raise InputError(f"connection {name}: address {connection.address!r}: write {known}")
    if parts.username or parts.password:
        raise InputError(f"connection {name}: the address holds a user; use `user` and `password_file`")
    return Place(parts.scheme, parts.hostname, port or ports[parts.scheme])


def password(name: str, connection: ConnectionSettings) -> str:
    """The first line of the password file; empty where there is none.

    :raises InputError: the file cannot be read.
    """
    if connection.password_file is None:
        return ""
    try:
        with connection.password_file.open(encoding="utf-8") as file:
            return file.readline(MAX_PASSWORD_CHARS).rstrip("\r\n")
    except (OSError, UnicodeError) as error:
        raise InputError(f"connection {name}: password_file: {error}") from None


def tls_context(name: str, connection: ConnectionSettings) -> ssl.SSLContext:
    """Always checks the server's certificate and name; shows the box's own where one is set.

    :raises InputError: a certificate cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=_path(connection.ca_file))
        context.sslsocket_class = _Handshaking
        if connection.certificate_file:
            context.load_cert_chain(connection.certificate_file, _path(connection.key_file))
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"connection {name}: certificates: {error}") from None
    return context


class _Handshaking(ssl.SSLSocket):
    """Closes itself when the handshake fails: paho forgets such a socket, and a box that tries for weeks runs out."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def pauses(limits: DriverSettings) -> Iterator[float]:
    """Seconds between one try to connect and the next, without end."""
    seconds = limits.retry_seconds
    while True:
        yield seconds * (1 + limits.retry_jitter * random.random())
        seconds = min(limits.retry_most_seconds, seconds * 2)


def check_value(device: Device, point: Point, value: Value) -> Value:
    """The last look before the wire, whatever was checked above.

    :return: the value; a number as float.
    :raises WrongValue: the point is not writable, or cannot take this.
    """
    what = f"{device.id} {point.name}"
    if not point.writable:
        raise WrongValue(f"{what}: it can only be read")
    if point.kind == "number":
        number = None if isinstance(value, str) else finite(value)
        if number is None:
            raise WrongValue(f"{what}: {value!r} is no number")
        if (point.low is not None and number < point.low) or (point.high is not None and number > point.high):
            raise WrongValue(f"{what}: {number:g} is not within {point.low} to {point.high} {point.unit}".rstrip())
        return number
    if isinstance(value, bool) != (point.kind == "bool") or not isinstance(value, bool | str):
        raise WrongValue(f"{what}: {value!r} is no {point.kind}")
    if point.kind == "choice" and point.choices and value not in point.choices:
        raise WrongValue(f"{what}: {str(value)[:40]!r} is none of {', '.join(point.choices)[:200]}")
    return value


def finite(value: object) -> float | None:
    """A number from outside, or text that is one; None where it is none that can be reckoned with."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _path(path: Path | None) -> str | None:
    return str(path) if path else None
