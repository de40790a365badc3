"""What a thief of some keys, the holder of a mirror or a hostile server makes out of an honest repository."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from securesystemslib.signer import CryptoSigner, Signer
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from tests.updates_kit import Answer, Maker, drip

GOOD, NEXT, EVIL = b"good bundle" * 3_000, b"next bundle" * 3_000, b"evil bundle" * 3_000


# What an attacker does to signed metadata


def read(desk: Maker, name: str) -> bytes:
    return (desk.folder / "metadata" / name).read_bytes()


def write(desk: Maker, name: str, data: bytes) -> None:
    (desk.folder / "metadata" / name).write_bytes(data)


def stamp(desk: Maker, change: Callable[[Timestamp], None], signer: Signer | None = None) -> None:
    """A timestamp that was changed and signed."""
    found = Metadata[Timestamp].from_bytes(read(desk, "timestamp.json"))
    change(found.signed)
    found.sign(signer or desk.online["timestamp"])
    write(desk, "timestamp.json", found.to_bytes())


def newest(desk: Maker, role: str) -> Path:
    found = (desk.folder / "metadata").glob(f"*.{role}.json")
    return max(found, key=lambda path: int(path.name.partition(".")[0]))


def snapshot(desk: Maker, change: Callable[[Snapshot], None]) -> None:
    """The next snapshot, changed, signed, and pointed at by a signed timestamp."""
    found = Metadata[Snapshot].from_bytes(newest(desk, "snapshot").read_bytes())
    found.signed.version += 1
    change(found.signed)
    found.sign(desk.online["snapshot"])
    name = f"{found.signed.version}.snapshot.json"
    write(desk, name, found.to_bytes())
    desk.at().stamp(desk.signers, snapshot_version=found.signed.version)


def targets(desk: Maker, change: Callable[[Targets], None], signer: Signer | None = None) -> None:
    """The next targets, changed, signed, and pointed at by all the rest."""
    found = Metadata[Targets].from_bytes(newest(desk, "targets").read_bytes())
    found.signed.version += 1
    change(found.signed)
    found.sign(signer or desk.online["targets"])
    write(desk, f"{found.signed.version}.targets.json", found.to_bytes())
    desk.at().refresh(desk.signers, targets_version=found.signed.version)


def stranger(desk: Maker) -> None:
    stamp(desk, lambda timestamp: None, CryptoSigner.generate_ed25519())


def stranger_targets(desk: Maker) -> None:
    targets(desk, lambda targets: None, CryptoSigner.generate_ed25519())


def edited(desk: Maker) -> None:
    name = newest(desk, "targets").name
    write(desk, name, read(desk, name).replace(b"-3-py3", b"-4-py3"))


def bundle(desk: Maker) -> Path:
    return next((desk.folder / "targets").glob("modules/vibration/*-3-*.whl"))


def arbitrary(desk: Maker) -> None:
    bundle(desk).write_bytes(EVIL)


def short(desk: Maker) -> None:
    bundle(desk).write_bytes(NEXT[:-100])


def long(desk: Maker) -> None:
    bundle(desk).write_bytes(NEXT + b"x" * 2_000_000)


def gone(desk: Maker) -> None:
    bundle(desk).unlink()


def old_timestamp(desk: Maker) -> None:
    write(desk, "timestamp.json", desk.first_timestamp)


def old_snapshot(desk: Maker) -> None:
    """A new timestamp names the first snapshot."""

    def back(timestamp: Timestamp) -> None:
        timestamp.version += 1
        timestamp.snapshot_meta = MetaFile.from_data(1, read(desk, "1.snapshot.json"), ["sha256"])

    stamp(desk, back)


def old_targets(desk: Maker) -> None:
    """A new snapshot names the first targets."""

    def back(snapshot: Snapshot) -> None:
        snapshot.meta["targets.json"] = MetaFile.from_data(1, read(desk, "1.targets.json"), ["sha256"])

    snapshot(desk, back)


def without_targets(desk: Maker) -> None:
    snapshot(desk, lambda snapshot: snapshot.meta.clear())


def old_root(desk: Maker) -> None:
    write(desk, "2.root.json", read(desk, "1.root.json"))


def next_root(desk: Maker, signers: list[CryptoSigner]) -> None:
    """A root in which a key of the attacker signs everything."""
    root = Metadata[Root].from_bytes(read(desk, "1.root.json"))
    key = CryptoSigner.generate_ed25519()
    root.signed.version = 2
    for role in ("targets", "snapshot", "timestamp"):
        root.signed.add_key(key.public_key, role)
    root.signatures.clear()
    for signer in signers:
        root.sign(signer, append=True)
    write(desk, "2.root.json", root.to_bytes())


def one_root_key(desk: Maker) -> None:
    next_root(desk, desk.roots[:1])


def one_root_key_twice(desk: Maker) -> None:
    """One stolen key under two names does not make two."""
    twin = CryptoSigner(desk.roots[0]._private_key, desk.roots[0].public_key)
    next_root(desk, [desk.roots[0], twin, CryptoSigner.generate_ed25519()])


def skipped_root(desk: Maker) -> None:
    """The keys of a dropped root sign for their successors' successor: version 3 stands where 2 has to."""
    next_root(desk, desk.roots)
    root = Metadata[Root].from_bytes(read(desk, "2.root.json"))
    root.signed.version = 3
    root.signatures.clear()
    for signer in desk.roots:
        root.sign(signer, append=True)
    write(desk, "2.root.json", root.to_bytes())


def expired(role: str) -> Callable[[Maker], None]:
    def make(desk: Maker) -> None:
        before = datetime.now(UTC) - timedelta(days=2)
        days = {"targets": 365, "snapshot": 90, "timestamp": 30, role: 1}
        desk.offer("vibration", "3", NEXT, now=before, **days)

    return make


def expired_root(desk: Maker) -> None:
    repository = desk.at(datetime.now(UTC) - timedelta(days=3), root=1)
    repository.draft_root({})
    repository.sign_root(desk.roots)


def mixed(desk: Maker) -> None:
    """The snapshot of one release among the files of another."""
    place = newest(desk, "snapshot")
    place.write_bytes(read(desk, "1.snapshot.json"))


def mixed_targets(desk: Maker) -> None:
    place = newest(desk, "targets")
    place.write_bytes(read(desk, "1.targets.json"))


def huge(name: str) -> Callable[[Maker], None]:
    def make(desk: Maker) -> None:
        with (desk.folder / "metadata" / name).open("ab") as file:
            file.truncate(30_000_000)

    return make


def garbage(data: bytes) -> Callable[[Maker], None]:
    return lambda desk: write(desk, "timestamp.json", data)


def path(path: str, **more: object) -> Callable[[Maker], None]:
    """Signed with the right key, and yet not what a target may be called."""

    def make(desk: Maker) -> None:
        def add(targets: Targets) -> None:
            custom = {"kind": "module", "name": "vibration", "version": "3", **more}
            targets.targets = {path: TargetFile(len(EVIL), {"sha256": "0" * 64}, path, {"custom": custom})}

        targets(desk, add)

    return make


def two_versions(desk: Maker) -> None:
    desk.at().publish(desk.signers, add=[desk.bundle("vibration", "4", EVIL)])


def weak_hash(desk: Maker) -> None:
    def weak(targets: Targets) -> None:
        for target in targets.targets.values():
            target.hashes = {"md5": "0" * 32}

    targets(desk, weak)


def link_out(desk: Maker) -> None:
    outside = desk.folder.parent / "secret"
    outside.write_bytes(NEXT)
    bundle(desk).unlink()
    (desk.folder / "targets/modules/vibration").rename(desk.folder.parent / "elsewhere")
    (desk.folder / "targets/modules/vibration").symlink_to(desk.folder.parent / "elsewhere")


def nothing(desk: Maker) -> None:
    """The repository is honest."""


# What a server does


def endless(ending: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, data: bytes) -> bool:
        if not handler.path.endswith(ending):
            return False
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65_536)

    return answer


def slow(ending: str, *, head: bool = False) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, data: bytes) -> bool:
        if not handler.path.endswith(ending):
            return False
        drip(handler, seconds=20, head=head)
        return True

    return answer


def redirected(handler: BaseHTTPRequestHandler, data: bytes) -> bool:
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:9/")
    handler.end_headers()
    return True


def packed(handler: BaseHTTPRequestHandler, data: bytes) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.end_headers()
    handler.wfile.write(data)
    return True
