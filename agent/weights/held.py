"""A weight file that stays open from its check until it is loaded, so that no other file can be put in its place.

Libraries load by path. `/proc/<pid>/fd/<n>` is such a path, also for a process of the same user: it leads to the file
that was read, whatever stands under its name by now, or nothing does.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["Held", "VerifiedFiles"]


class Held:
    """An open file. It is closed when nobody has this object any more."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._seen = _state(descriptor)
        self._close = weakref.finalize(self, os.close, descriptor)

    @property
    def path(self) -> Path:
        """By which this and other processes of the user open it, as long as it is held."""
        return Path(f"/proc/{os.getpid()}/fd/{self.descriptor}")

    @property
    def size(self) -> int:
        """Bytes, as it was opened."""
        return self._seen.size

    def same_file(self, other: Held) -> bool:
        """Both lead to one file."""
        return (self._seen.device, self._seen.inode) == (other._seen.device, other._seen.inode)

    def unchanged(self) -> bool:
        """Nobody has written to it since it was opened, by the time of change that no program can set."""
        return not self._close.alive or _state(self.descriptor) == self._seen

    def close(self) -> None:
        """Let go of it. Calling it twice is fine."""
        self._close()


class VerifiedFiles(Mapping[str, Path]):
    """The files of one entry by role, each checked to its last byte; on slow storage as far as the first look goes."""

    def __init__(
        self, paths: Mapping[str, Path], held: Mapping[str, Held], digests: Mapping[str, str], *, previous: str = ""
    ) -> None:
        self._paths = dict(paths)
        self._held = dict(held)
        self.digests = dict(digests)
        """Role → SHA-256 of the whole, hex."""
        self.previous = previous
        """Why the version before answers; empty where these are the catalogue's files."""

    def __getitem__(self, role: str) -> Path:
        return self._paths[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def held(self, role: str) -> Path:
        """A path that leads to exactly the file that was checked; valid until `close`, or until this object is gone.

        :raises KeyError: there is no such role.
        """
        return self._held[role].path

    def is_held(self, role: str, held: Held) -> bool:
        """Whether this is the file of a role."""
        return role in self._held and self._held[role].same_file(held)

    def unchanged(self) -> bool:
        """No file was written to since its check began. Ask again after loading."""
        return all(held.unchanged() for held in self._held.values())

    def close(self) -> None:
        """Let go of all files. The paths by name stay as they are."""
        for held in self._held.values():
            held.close()


class _State(NamedTuple):
    device: int
    inode: int
    size: int
    changed_ns: int


def _state(descriptor: int) -> _State:
    found = os.fstat(descriptor)
    return _State(found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns)
