"""Read a repository's signed metadata, step by step as The Update Framework says, and give what it offers.

Order: is the clock possible at all, then root, timestamp, snapshot, targets, each checked against the one before and
against what this box has seen earlier; last, is the clock behind the moment of signing? A clock in the past would let
expired metadata pass, so it is refused. What was learnt is on the disk when this returns.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError, SlowRetrievalError
from tuf.api.metadata import Metadata, TargetFile, Targets, Timestamp
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from agent.errors import UpdateError, UpdateRefused
from agent.settings import UpdateSettings
from agent.updates.items import Item, Malformed, read_items
from agent.updates.place import Place, PlaceFailed
from agent.updates.refusal import Offline, explain
from agent.updates.trust import metadata_folder, read_root

__all__ = ["SIGNED_AT", "refresh"]

SIGNED_AT = "x-watchkeeper-signed-at"
"""In a timestamp of ours: when it was signed, ISO, UTC. No honest clock is before that."""
_WRITTEN = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock can be before this program was written."""


def refresh(place: Place, folder: Path, settings: UpdateSettings) -> tuple[Item, ...]:
    """What a repository offers.

    :param folder: of updates, with the pinned root in it.
    :raises UpdateOffline: nobody answers.
    :raises UpdateRefused: it is not to be trusted; what this box knew before still holds.
    :raises UpdateError: no root is pinned, or the place or the disk fails.
    """
    now = datetime.now(UTC)
    _refuse_past(now, _WRITTEN)
    root = read_root(folder)
    metadata = metadata_folder(folder, root)
    fetcher = _Fetcher(place, settings)
    try:
        metadata.mkdir(parents=True, exist_ok=True)
        try:
            _updater(metadata, root, fetcher, settings).refresh()
        finally:
            _make_durable(metadata)
        timestamp, targets = _verified(metadata)
    except (RepositoryError, DownloadError) as error:
        raise explain(error, place.name, fetcher.last, now) from None
    except OSError as error:
        raise UpdateError(f"{metadata}: cannot be used: {error.strerror}; make room or make it writable") from None
    _refuse_past(now, _signed_at(timestamp) - timedelta(seconds=settings.clock_slack_seconds))
    try:
        return read_items((t.path, t.length, t.hashes, _described(t)) for t in targets.targets.values())
    except Malformed as error:
        raise UpdateRefused(
            f"{place.name}: {error}; it was made for another program, or by a tool that is not ours: make it again"
        ) from None


def _described(target: TargetFile) -> dict[str, object]:
    return target.custom if isinstance(target.custom, dict) else {}


class _Fetcher(FetcherInterface):
    """Gives python-tuf the files of a place, within a time for all of them."""

    def __init__(self, place: Place, settings: UpdateSettings) -> None:
        self.last = ""
        """The file that was asked for last."""
        self._place = place
        self._settings = settings
        self._until = time.monotonic() + settings.metadata_seconds

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.last = url.rpartition("/")[2]
        try:
            with self._place.open(url) as (_, pieces):
                for piece in pieces:
                    self._hurry()
                    yield piece
        except PlaceFailed as failed:
            raise _as_tuf(failed) from None
        self._hurry()

    def _hurry(self) -> None:
        if time.monotonic() > self._until:
            raise SlowRetrievalError(f"the signed metadata took longer than {self._settings.metadata_seconds:.0f} s")


def _as_tuf(failed: PlaceFailed) -> DownloadError:
    match failed.why:
        case "missing":
            return DownloadHTTPError(str(failed), 404)
        case "offline":
            return Offline(str(failed))
        case "slow":
            return SlowRetrievalError(str(failed))
        case _:
            return DownloadError(str(failed))


def _updater(metadata: Path, root: bytes, fetcher: FetcherInterface, settings: UpdateSettings) -> Updater:
    config = UpdaterConfig(
        max_root_rotations=settings.max_root_steps,
        root_max_length=settings.max_root_bytes,
        timestamp_max_length=settings.max_timestamp_bytes,
        snapshot_max_length=settings.max_snapshot_bytes,
        targets_max_length=settings.max_targets_bytes,
    )
    try:
        return Updater(str(metadata), "metadata/", fetcher=fetcher, config=config, bootstrap=root)
    except RepositoryError:
        raise UpdateError("the pinned root is damaged; pin it again: watchkeeper update trust FILE --replace") from None


def _verified(metadata: Path) -> tuple[Timestamp, Targets]:
    """What was verified and written down just now."""
    timestamp = Metadata[Timestamp].from_bytes((metadata / "timestamp.json").read_bytes())
    targets = Metadata[Targets].from_bytes((metadata / "targets.json").read_bytes())
    return timestamp.signed, targets.signed


def _make_durable(metadata: Path) -> None:
    """A power cut must not make the box forget which versions it has seen."""
    for path in [*metadata.rglob("*.json"), metadata / "root_history", metadata]:
        with suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _signed_at(timestamp: Timestamp) -> datetime:
    told = timestamp.unrecognized_fields.get(SIGNED_AT)
    try:
        when = datetime.fromisoformat(told) if isinstance(told, str) else _WRITTEN
        return max(when.astimezone(UTC), _WRITTEN)
    except (ValueError, OverflowError):
        return _WRITTEN


def _refuse_past(now: datetime, least: datetime) -> None:
    if now < least:
        raise UpdateRefused(
            f"the clock says {now:%Y-%m-%d}, but it is {least:%Y-%m-%d} or later; set the clock, then try again"
        )
