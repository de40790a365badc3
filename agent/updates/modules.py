"""Module bundles out of an update: handed to whoever installs modules, who tries them and goes back by himself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from agent.errors import NeedsPerson, UpdateError, WatchkeeperError
from agent.updates.items import Item
from agent.updates.receivers import NotHealthy

__all__ = ["ModuleHost", "ModuleReceiver"]


class ModuleHost(Protocol):
    """What an update needs of the modules of this box."""

    def version(self, name: str) -> str:
        """The version that answers; empty where there is none."""
        ...

    def bundle_sha256(self, name: str) -> str:
        """Of the bundle that the version which answers came from, hex; empty where there is none."""
        ...

    def install_bundle(self, path: Path) -> object:
        """Check, unpack, start beside the old version, ask for health, swap; on any failure the old one stays.

        :raises NeedsPerson: it asks for something that nobody has agreed to.
        :raises WatchkeeperError: it does not answer now; the old version does.
        """
        ...


class ModuleReceiver:
    """Items of the kind `module`."""

    def __init__(self, host: ModuleHost) -> None:
        self._host = host

    def version(self, name: str) -> str:
        return self._host.version(name)

    def has(self, name: str) -> bool:
        return bool(self._host.version(name))

    def uses(self, item: Item) -> bool:
        return self._host.bundle_sha256(item.name) == item.targets[0].sha256

    def room_bytes(self, item: Item) -> int:
        """Unpacked beside its bundle; what exactly that takes is checked when it is unpacked."""
        return 3 * item.bytes

    def put_in_use(self, item: Item, files: Mapping[str, Path]) -> None:
        (bundle,) = files.values()
        try:
            self._host.install_bundle(bundle)
        except NeedsPerson as error:
            raise UpdateError(f"{item.label}: {error} (the bundle waits in {bundle})") from None
        except WatchkeeperError as error:
            before = self._host.version(item.name)
            stays = f"{before} stays in use" if before else "nothing was in use before"
            raise NotHealthy(f"{error}; {stays}") from None
        if not self.uses(item):
            raise NotHealthy(f"{bundle.name} is the bundle of another module or version than was signed for it")
