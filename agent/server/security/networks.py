"""Which addresses are served at all."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from agent.errors import SettingsError

__all__ = ["Networks", "is_loopback"]


class Networks:
    """An allow-list of networks."""

    def __init__(self, networks: Iterable[str]) -> None:
        """
        :raises SettingsError: one of them is none.
        """
        try:
            self._networks = tuple(ip_network(one, strict=False) for one in networks)
        except ValueError as error:
            raise SettingsError(f"server.networks: {error}; write them as 192.168.10.0/24") from None

    def __contains__(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    @property
    def only_loopback(self) -> bool:
        """Whether nobody but this machine itself is served."""
        return all(network.is_loopback for network in self._networks)


def is_loopback(address: str) -> bool:
    """Whether an address, or localhost, is this machine's own."""
    parsed = _parsed(address)
    return address == "localhost" if parsed is None else parsed.is_loopback


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """An address without its zone; an IPv4 one that came over IPv6 is the IPv4 one."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed
