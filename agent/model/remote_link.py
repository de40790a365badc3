"""The way to a model server on the plant's network: its address, and a client that believes and follows nothing.

The address comes from the settings alone; no proxy, no redirect, no compression is followed, and a link that is dead
is noticed by the kernel.
"""

from __future__ import annotations

import socket

import httpx

from agent.errors import SettingsError
from agent.settings import RemoteSettings

__all__ = ["SHOWN_CHARS", "address_of", "open_client", "printable"]

SHOWN_CHARS = 200
"""Of what a server said, in a message."""


def address_of(settings: RemoteSettings) -> str:
    """Where its API begins, without a slash at the end.

    :raises SettingsError: the address is not an http(s) URL, or no model is named.
    """
    try:
        address = httpx.URL(settings.url)
    except httpx.InvalidURL:
        address = httpx.URL("")
    if address.scheme not in ("http", "https") or not address.host:
        raise SettingsError(f"remote.url: {settings.url!r} is not an address such as http://10.0.0.5:8000/v1")
    if not settings.model:
        raise SettingsError("remote.model: name the model that the server runs")
    return str(address).rstrip("/")


def open_client(settings: RemoteSettings) -> httpx.Client:
    """A client for that server alone; whoever opens it closes it."""
    headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
    if settings.api_key:
        headers["Authorization"] = f"Bearer {settings.api_key}"
    transport = httpx.HTTPTransport(trust_env=False, socket_options=_dead_link(settings.dead_link_seconds))
    return httpx.Client(headers=headers, trust_env=False, follow_redirects=False, transport=transport)


def printable(data: bytes) -> str:
    """What a server said, as far as a message shows it."""
    text = data[:SHOWN_CHARS].decode("utf-8", "replace")
    return "".join(char if char.isprintable() else " " for char in text).strip() or "nothing"


def _dead_link(seconds: int) -> list[tuple[int, int, int]]:
    """Options of a socket with which the kernel notices within about so long that nothing arrives any more: a cable
    that was pulled says no farewell, and a server that is merely slow still answers the kernel's own probes.
    """
    probe = max(1, seconds // 3)
    named = {"TCP_KEEPIDLE": probe, "TCP_KEEPINTVL": probe, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": seconds * 1_000}
    options = [
        (socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in named.items() if hasattr(socket, name)
    ]
    return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *options]
