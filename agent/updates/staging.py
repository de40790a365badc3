"""Files on their way in: fetched to `staging/`, resumed after a kill or a lost line, verified before they count.

A staged file lies at `staging/<kind>/<name>/<version>/<file>` and carries that name only once its length and its
digest are those that were signed; until then it is a `.part`. What no release wants any more is removed.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from agent.errors import PullError, UpdateError, UpdateOffline, UpdateRefused
from agent.settings import UpdateSettings, WeightsSettings
from agent.updates.items import Item, Target
from agent.updates.place import Place, PlaceFailed
from agent.weights.catalogue import WeightFile
from agent.weights.notes import remove
from agent.weights.partial import Partial, SourceFailed
from agent.weights.progress import Reporter

__all__ = ["Staging", "free_bytes"]


class Staging:
    """The folder of what has been fetched and is not yet in use."""

    def __init__(self, folder: Path, settings: UpdateSettings, partial: WeightsSettings) -> None:
        """
        :param partial: how often what was written is made durable.
        """
        self.folder = folder
        self._settings = settings
        self._partial = partial

    def place_of(self, item: Item) -> Path:
        """The folder of an item."""
        return self.folder / item.kind / item.name / item.version

    def keep_only(self, items: Iterable[Item]) -> None:
        """Remove what none of these wants.

        :raises UpdateError: the folder cannot be written.
        """
        wanted = {self.place_of(item) for item in items}
        try:
            for found in self.folder.glob("*/*/*"):
                if found not in wanted:
                    remove(found)
        except OSError as error:
            raise UpdateError(f"{self.folder}: cannot be written: {error.strerror}; make it writable") from None

    def drop(self, item: Item) -> None:
        """It is in use, or will not be."""
        with suppress(OSError):
            remove(self.place_of(item))

    def missing_bytes(self, item: Item) -> int:
        """Still to be fetched."""
        return sum(max(0, target.bytes - self._here(item, target)) for target in item.targets)

    def fetch(self, place: Place, item: Item, reporter: Reporter) -> dict[str, Path]:
        """Fetch and verify what of an item is not here yet: file name → path.

        :raises UpdateRefused: a file is not what was signed.
        :raises UpdateOffline: nobody answers; what has come is kept.
        :raises UpdateError: the place or the disk fails; what has come is kept.
        """
        folder = self.place_of(item)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return {
                target.name: self._fetch_one(place, folder / target.name, target, reporter) for target in item.targets
            }
        except PullError as error:
            raise UpdateError(
                f"{item.label}: the disk of {self.folder} is full or fails ({error.__context__ or error}); make room "
                "and update again, it goes on from there"
            ) from None
        except OSError as error:
            raise UpdateError(f"{folder}: cannot be written: {error.strerror}; make it writable") from None

    def _fetch_one(self, place: Place, path: Path, target: Target, reporter: Reporter) -> Path:
        wanted = WeightFile("", target.name, bytes=target.bytes, sha256=target.sha256)
        if _is_right(path, target):
            return path
        with Partial(path, wanted, self._partial) as part:
            reporter.started(target.path, target.bytes, part.size)
            resumed = part.size
            self._receive(place, target, part, reporter)
            if resumed and part.problem():  # what was there before may be what is wrong
                part.discard()
                self._receive(place, target, part, reporter)
            problem = part.problem()
            if problem:
                part.discard()
                raise UpdateRefused(
                    f"{place.name}: {target.path} {problem}; it is not what was signed: copy the repository again"
                )
            part.finish()
        return path

    def _receive(self, place: Place, target: Target, part: Partial, reporter: Reporter) -> None:
        """The rest of it, over as many connections as bring something."""
        failures, pause = 0, self._settings.backoff_seconds
        while part.size < target.bytes:
            before = part.size
            try:
                self._receive_some(place, target, part, reporter)
                if part.size < target.bytes:
                    raise PlaceFailed(f"{target.path} ends after {part.size} of {target.bytes} bytes", "broken")
                return
            except PlaceFailed as failed:
                failures = failures + 1 if part.size <= before else 1
                if failed.why in ("missing", "slow") or failures > self._settings.retries:
                    raise _given_up(place, failed, part.size) from None
                if part.size and failed.why == "broken" and part.size == before:
                    part.discard()  # the place cannot go on from here
            time.sleep(pause * 2 ** (failures - 1))

    def _receive_some(self, place: Place, target: Target, part: Partial, reporter: Reporter) -> None:
        with place.open(target.stored_path, part.size) as (start, pieces):
            part.cut(start)
            for piece in pieces:
                try:
                    part.write(piece)
                except SourceFailed:
                    part.discard()
                    raise UpdateRefused(
                        f"{place.name}: {target.path} is longer than the {target.bytes} bytes that were signed; copy "
                        "the repository again"
                    ) from None
                reporter.moved(part.size)

    def _here(self, item: Item, target: Target) -> int:
        path = self.place_of(item) / target.name
        for found in (path, path.with_name(f"{path.name}.part")):
            with suppress(OSError):
                return found.stat().st_size
        return 0


def _is_right(path: Path, target: Target) -> bool:
    """It got this name after it was verified; a disk may have lost it since."""
    with suppress(FileNotFoundError), path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest() == target.sha256
    return False


def _given_up(place: Place, failed: PlaceFailed, size: int) -> UpdateError:
    kind = UpdateOffline if failed.why == "offline" else UpdateError
    todo = "copy the whole repository" if failed.why == "missing" else "update again, it goes on from there"
    return kind(f"{place.name}: {failed} ({size} bytes are here); {todo}")


def free_bytes(folder: Path) -> int:
    """Of the disk that a folder lies on, or will lie on."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
