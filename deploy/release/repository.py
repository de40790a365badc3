"""A repository as files, and every way in which it changes. Nothing here asks or prints; `release.py` does.

    REPO/root.json                    the newest root: what a box pins
    REPO/root.draft.json              a new root that still waits for signatures
    REPO/metadata/N.root.json  N.snapshot.json  N.targets.json  timestamp.json
    REPO/targets/<kind>s/<name>/<sha256>.<file>

Each change is written so that a box which reads at that instant, or after a power cut, sees the old state or the new
one: files first, then targets, snapshot, and last the timestamp.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from securesystemslib.signer import Key, Signer
from tuf.api.exceptions import RepositoryError, UnsignedMetadataError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from agent.updates.refresh import SIGNED_AT

__all__ = ["DAYS", "Expiry", "NewTarget", "ReleaseProblem", "Repository"]

ONLINE = ("targets", "snapshot", "timestamp")
_Payload = TypeVar("_Payload", Root, Targets, Snapshot, Timestamp)


class ReleaseProblem(Exception):
    """It cannot be done. The text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """For how many days a signature of each role holds."""

    root: int = 730
    targets: int = 365
    snapshot: int = 90
    timestamp: int = 30
    """How old a stick may be, and how long an attacker can hold back news."""


DAYS = Expiry()


@dataclass(frozen=True, slots=True)
class NewTarget:
    """A file to offer."""

    source: Path
    path: str
    """`weights/<name>/<file>` or `modules/<name>/<file>`."""
    custom: Mapping[str, str]
    """kind, name, version."""


class Repository:
    """A folder of it."""

    def __init__(self, folder: Path, *, days: Expiry = DAYS, now: datetime | None = None) -> None:
        """
        :param now: the time of signing; None is the clock.
        """
        self.folder = folder
        self._days = days
        self._now = (now or datetime.now(UTC)).replace(microsecond=0)

    def create(self, root_keys: Sequence[Key], threshold: int, online: Mapping[str, Key]) -> None:
        """Draft the first root.

        :param threshold: so many of the root keys have to sign.
        :param online: one key for each of targets, snapshot and timestamp.
        :raises ReleaseProblem: there is a repository here, or the threshold cannot be reached.
        """
        if (self.folder / "root.json").exists() or self._draft.exists():
            raise ReleaseProblem(f"{self.folder}: a repository is here already; name another folder")
        if not 1 <= threshold <= len({key.keyid for key in root_keys}):
            raise ReleaseProblem(f"{threshold} of {len(root_keys)} root keys cannot sign; name as many different keys")
        root = Root(version=1, expires=self._until(self._days.root), consistent_snapshot=True)
        for key in root_keys:
            root.add_key(key, Root.type)
        root.roles[Root.type].threshold = threshold
        for role, key in online.items():
            root.add_key(key, role)
        self._write(self._draft, Metadata(root))

    def draft_root(self, changes: Mapping[str, tuple[Sequence[str], Sequence[Key]]], threshold: int = 0) -> None:
        """Draft the next root; without changes only its expiry moves.

        :param changes: role → ids of the keys to drop, keys to add.
        :param threshold: of the root role; 0 leaves it.
        :raises ReleaseProblem: a key is not of that role, or too few would be left.
        """
        root = self.root().signed
        for role, (dropped, added) in changes.items():
            for keyid in dropped:
                try:
                    root.revoke_key(keyid, role)
                except ValueError:
                    raise ReleaseProblem(f"{keyid}: is no key of {role}; see: show") from None
            for key in added:
                root.add_key(key, role)
        root.roles[Root.type].threshold = threshold or root.roles[Root.type].threshold
        for name, kept in root.roles.items():
            if len(kept.keyids) < kept.threshold:
                raise ReleaseProblem(f"{name}: {len(kept.keyids)} keys would be left, {kept.threshold} have to sign")
        root.version += 1
        root.expires = self._until(self._days.root)
        self._write(self._draft, Metadata(root))

    def sign_root(self, signers: Iterable[Signer]) -> int:
        """Add signatures to the draft; with enough of them it becomes the root.

        :returns: how many signatures are still missing.
        :raises ReleaseProblem: there is no draft.
        """
        if not self._draft.exists():
            raise ReleaseProblem(f"{self.folder}: no root waits for signatures; draft one first")
        draft = Metadata[Root].from_bytes(self._draft.read_bytes())
        for signer in signers:
            draft.sign(signer, append=True)
        before = self.root().signed if draft.signed.version > 1 else None
        result = draft.signed.get_root_verification_result(before, draft.signed_bytes, draft.signatures)
        lacking = max(result.first.missing, result.second.missing)
        self._write(self._draft, draft)
        if not lacking:
            self._write(self._metadata / f"{draft.signed.version}.root.json", draft)
            self._write(self.folder / "root.json", draft)
            self._draft.unlink()
        return lacking

    def publish(
        self, signers: Mapping[str, Signer], *, add: Sequence[NewTarget] = (), drop: Sequence[str] = ()
    ) -> None:
        """Offer new files, stop offering others, and sign targets, snapshot and timestamp again.

        :param signers: by role, for targets, snapshot and timestamp.
        :param drop: beginnings of target paths, such as `modules/vibration/`; adding to one drops what it held.
        :raises ReleaseProblem: a file cannot be read, a key is the wrong one, or the root waits for signatures.
        """
        targets = self._next(Targets, "targets")
        for path in [path for path in targets.targets if path.startswith(tuple(drop))] if drop else []:
            del targets.targets[path]
        for new in add:
            targets.targets[new.path] = self._take(new)
        targets.expires = self._until(self._days.targets)
        self._sign(targets, signers, f"{targets.version}.targets.json")
        self.refresh(signers, targets_version=targets.version)

    def refresh(self, signers: Mapping[str, Signer], *, targets_version: int = 0) -> None:
        """Sign snapshot and timestamp again, which is what keeps sticks and boxes going between releases.

        :param targets_version: where it changed.
        """
        snapshot = self._next(Snapshot, "snapshot")
        version = targets_version or snapshot.meta["targets.json"].version
        snapshot.meta["targets.json"] = self._meta_of(f"{version}.targets.json", version)
        snapshot.expires = self._until(self._days.snapshot)
        self._sign(snapshot, signers, f"{snapshot.version}.snapshot.json")
        self.stamp(signers, snapshot_version=snapshot.version)

    def stamp(self, signers: Mapping[str, Signer], *, snapshot_version: int = 0) -> None:
        """Sign the timestamp again: the one role whose key has to be at hand often.

        :param snapshot_version: where it changed.
        """
        timestamp = self._next(Timestamp, "timestamp")
        version = snapshot_version or timestamp.snapshot_meta.version
        timestamp.snapshot_meta = self._meta_of(f"{version}.snapshot.json", version)
        timestamp.expires = self._until(self._days.timestamp)
        timestamp.unrecognized_fields[SIGNED_AT] = self._now.isoformat()
        self._sign(timestamp, signers, "timestamp.json")

    def root(self) -> Metadata[Root]:
        """The newest root.

        :raises ReleaseProblem: there is none.
        """
        try:
            return Metadata[Root].from_bytes((self.folder / "root.json").read_bytes())
        except (OSError, RepositoryError):
            raise ReleaseProblem(f"{self.folder}: no signed root is here; create and sign one first") from None

    def latest(self) -> tuple[Root, Targets | None, Snapshot | None, Timestamp | None]:
        """What is signed now."""
        found = (self._latest(Targets, "targets"), self._latest(Snapshot, "snapshot"))
        return self.root().signed, *found, self._latest(Timestamp, "timestamp")

    @property
    def _metadata(self) -> Path:
        return self.folder / "metadata"

    @property
    def _draft(self) -> Path:
        return self.folder / "root.draft.json"

    def _until(self, days: int) -> datetime:
        return self._now + timedelta(days=days)

    def _latest(self, kind: type[_Payload], role: str) -> _Payload | None:
        paths = [self._metadata / "timestamp.json"] if role == "timestamp" else self._metadata.glob(f"*.{role}.json")
        newest = max((path for path in paths if path.exists()), key=_version_of, default=None)
        return None if newest is None else Metadata[_Payload].from_bytes(newest.read_bytes()).signed

    def _next(self, kind: type[_Payload], role: str) -> _Payload:
        """What is signed now, with the number of the version to come."""
        found = self._latest(kind, role)
        if found is None:
            return kind()
        found.version += 1
        return found

    def _take(self, new: NewTarget) -> TargetFile:
        """Copy a file in under its digest."""
        try:
            target = TargetFile.from_file(new.path, str(new.source))
            folder, _, name = new.path.rpartition("/")
            place = self.folder / "targets" / folder / f"{target.hashes['sha256']}.{name}"
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                draft = place.with_name(f"{place.name}.new")
                shutil.copyfile(new.source, draft)
                draft.replace(place)
        except OSError as error:
            raise ReleaseProblem(f"{new.source}: cannot be copied: {error.strerror}; make room or correct it") from None
        target.unrecognized_fields["custom"] = dict(new.custom)
        return target

    def _meta_of(self, name: str, version: int) -> MetaFile:
        data = (self._metadata / name).read_bytes()
        return MetaFile.from_data(version, data, ["sha256"])

    def _sign(self, payload: _Payload, signers: Mapping[str, Signer], name: str) -> None:
        root = self.root().signed
        signed = Metadata(payload)
        signed.sign(signers[payload.type])
        try:
            root.verify_delegate(payload.type, signed.signed_bytes, signed.signatures)
        except UnsignedMetadataError:
            raise ReleaseProblem(
                f"{payload.type}: signed by a key that root {root.version} does not name; bring the right key, or sign "
                "the draft of the new root first"
            ) from None
        self._write(self._metadata / name, signed)

    def _write(self, path: Path, metadata: Metadata[_Payload]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.new")
        with draft.open("wb") as out:
            out.write(metadata.to_bytes())
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)


def _version_of(path: Path) -> int:
    number = path.name.partition(".")[0]
    return int(number) if number.isdigit() else 0
