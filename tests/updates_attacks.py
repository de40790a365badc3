"""The attacks that The Update Framework's specification names, and some accidents, as changes to a real repository.

Each is made by somebody who holds the mirror, the network or the stick, and at most the keys that it says. A box has
version 2 of a module in use; the desk has published version 3; the attacker changes what the box gets to see.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from securesystemslib.signer import CryptoSigner, Signer
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from agent.errors import UpdateError
from tests.updates_kit import Answer, Box, Maker, Modules, clock, drip, served

GOOD, NEXT, EVIL = b"good bundle" * 3_000, b"next bundle" * 3_000, b"evil bundle" * 3_000
PATIENT, HASTY = 10.0, 0.5
"""Seconds that a server is allowed; few where it is slow on purpose."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One."""

    name: str
    make: Callable[[Maker], None]
    says: str
    """Part of the line that the person reads."""
    recovers: bool = True
    """The honest repository works again at once, without another root."""
    folder_only: bool = False
    now: datetime | None = None
    """What the box's clock says."""
    seconds: float = PATIENT
    answer: Answer | None = None
    """Where the server does it: only over the network."""


def places(attack: Attack) -> tuple[bool, ...]:
    """Whether it is tried over the network, for each try."""
    return (True,) if attack.answer else (False,) if attack.folder_only else (False, True)


def attempt(folder: Path, attack: Attack, *, web: bool) -> tuple[str, bool]:
    """Attack a box that had taken an update before.

    :returns: the line that it says, empty where it took what it was offered; whether the good version is still in use
        and, where that can be, the honest repository then brings the next one.
    """
    desk = Maker(folder / "repo")
    desk.offer("vibration", "1", b"old")
    desk.first_timestamp = (desk.folder / "metadata" / "timestamp.json").read_bytes()
    desk.offer("vibration", "2", GOOD)
    modules = Modules(vibration=("1", b"old"))
    slow = {"read_seconds": attack.seconds, "slow_seconds": attack.seconds / 2, "retries": 1}
    box = Box(folder / "updates", desk.folder / "root.json", modules, **slow)
    box.update(desk.folder)
    desk.offer("vibration", "3", NEXT)
    honest = folder / "honest"
    shutil.copytree(desk.folder, honest, symlinks=True)
    attack.make(desk)
    said = ""
    with ExitStack() as stack:
        where = stack.enter_context(served(desk.folder, attack.answer)) if web else str(desk.folder)
        if attack.now:
            stack.enter_context(clock(attack.now))
        try:
            box.update(where)
        except UpdateError as error:
            said = str(error).replace(where, "PLACE")
    held = modules.in_use == {"vibration": ("2", GOOD)}
    if held and attack.recovers:
        held = box.update(honest) == {"vibration": "installed"} and modules.in_use["vibration"] == ("3", NEXT)
    return said, held


# What an attacker does to signed metadata


def _read(desk: Maker, name: str) -> bytes:
    return (desk.folder / "metadata" / name).read_bytes()


def _write(desk: Maker, name: str, data: bytes) -> None:
    (desk.folder / "metadata" / name).write_bytes(data)


def _stamp(desk: Maker, change: Callable[[Timestamp], None], signer: Signer | None = None) -> None:
    """A timestamp that was changed and signed."""
    found = Metadata[Timestamp].from_bytes(_read(desk, "timestamp.json"))
    change(found.signed)
    found.sign(signer or desk.online["timestamp"])
    _write(desk, "timestamp.json", found.to_bytes())


def _newest(desk: Maker, role: str) -> Path:
    found = (desk.folder / "metadata").glob(f"*.{role}.json")
    return max(found, key=lambda path: int(path.name.partition(".")[0]))


def _snapshot(desk: Maker, change: Callable[[Snapshot], None]) -> None:
    """The next snapshot, changed, signed, and pointed at by a signed timestamp."""
    found = Metadata[Snapshot].from_bytes(_newest(desk, "snapshot").read_bytes())
    found.signed.version += 1
    change(found.signed)
    found.sign(desk.online["snapshot"])
    name = f"{found.signed.version}.snapshot.json"
    _write(desk, name, found.to_bytes())
    desk.at().stamp(desk.signers, snapshot_version=found.signed.version)


def _targets(desk: Maker, change: Callable[[Targets], None], signer: Signer | None = None) -> None:
    """The next targets, changed, signed, and pointed at by all the rest."""
    found = Metadata[Targets].from_bytes(_newest(desk, "targets").read_bytes())
    found.signed.version += 1
    change(found.signed)
    found.sign(signer or desk.online["targets"])
    _write(desk, f"{found.signed.version}.targets.json", found.to_bytes())
    desk.at().refresh(desk.signers, targets_version=found.signed.version)


def _stranger(desk: Maker) -> None:
    _stamp(desk, lambda timestamp: None, CryptoSigner.generate_ed25519())


def _stranger_targets(desk: Maker) -> None:
    _targets(desk, lambda targets: None, CryptoSigner.generate_ed25519())


def _edited(desk: Maker) -> None:
    name = _newest(desk, "targets").name
    _write(desk, name, _read(desk, name).replace(b"-3-py3", b"-4-py3"))


def _bundle(desk: Maker) -> Path:
    return next((desk.folder / "targets").glob("modules/vibration/*-3-*.whl"))


def _arbitrary(desk: Maker) -> None:
    _bundle(desk).write_bytes(EVIL)


def _short(desk: Maker) -> None:
    _bundle(desk).write_bytes(NEXT[:-100])


def _long(desk: Maker) -> None:
    _bundle(desk).write_bytes(NEXT + b"x" * 2_000_000)


def _gone(desk: Maker) -> None:
    _bundle(desk).unlink()


def _old_timestamp(desk: Maker) -> None:
    _write(desk, "timestamp.json", desk.first_timestamp)


def _old_snapshot(desk: Maker) -> None:
    """A new timestamp names the first snapshot."""

    def back(timestamp: Timestamp) -> None:
        timestamp.version += 1
        timestamp.snapshot_meta = MetaFile.from_data(1, _read(desk, "1.snapshot.json"), ["sha256"])

    _stamp(desk, back)


def _old_targets(desk: Maker) -> None:
    """A new snapshot names the first targets."""

    def back(snapshot: Snapshot) -> None:
        snapshot.meta["targets.json"] = MetaFile.from_data(1, _read(desk, "1.targets.json"), ["sha256"])

    _snapshot(desk, back)


def _without_targets(desk: Maker) -> None:
    _snapshot(desk, lambda snapshot: snapshot.meta.clear())


def _old_root(desk: Maker) -> None:
    _write(desk, "2.root.json", _read(desk, "1.root.json"))


def _next_root(desk: Maker, signers: list[CryptoSigner]) -> None:
    """A root in which a key of the attacker signs everything."""
    root = Metadata[Root].from_bytes(_read(desk, "1.root.json"))
    key = CryptoSigner.generate_ed25519()
    root.signed.version = 2
    for role in ("targets", "snapshot", "timestamp"):
        root.signed.add_key(key.public_key, role)
    root.signatures.clear()
    for signer in signers:
        root.sign(signer, append=True)
    _write(desk, "2.root.json", root.to_bytes())


def _one_root_key(desk: Maker) -> None:
    _next_root(desk, desk.roots[:1])


def _one_root_key_twice(desk: Maker) -> None:
    """One stolen key under two names does not make two."""
    twin = CryptoSigner(desk.roots[0]._private_key, desk.roots[0].public_key)
    _next_root(desk, [desk.roots[0], twin, CryptoSigner.generate_ed25519()])


def _skipped_root(desk: Maker) -> None:
    """The keys of a dropped root sign for their successors' successor: version 3 stands where 2 has to."""
    _next_root(desk, desk.roots)
    root = Metadata[Root].from_bytes(_read(desk, "2.root.json"))
    root.signed.version = 3
    root.signatures.clear()
    for signer in desk.roots:
        root.sign(signer, append=True)
    _write(desk, "2.root.json", root.to_bytes())


def _expired(role: str) -> Callable[[Maker], None]:
    def make(desk: Maker) -> None:
        before = datetime.now(UTC) - timedelta(days=2)
        days = {"targets": 365, "snapshot": 90, "timestamp": 30, role: 1}
        desk.offer("vibration", "3", NEXT, now=before, **days)

    return make


def _expired_root(desk: Maker) -> None:
    repository = desk.at(datetime.now(UTC) - timedelta(days=3), root=1)
    repository.draft_root({})
    repository.sign_root(desk.roots)


def _mixed(desk: Maker) -> None:
    """The snapshot of one release among the files of another."""
    newest = _newest(desk, "snapshot")
    newest.write_bytes(_read(desk, "1.snapshot.json"))


def _mixed_targets(desk: Maker) -> None:
    newest = _newest(desk, "targets")
    newest.write_bytes(_read(desk, "1.targets.json"))


def _huge(name: str) -> Callable[[Maker], None]:
    def make(desk: Maker) -> None:
        with (desk.folder / "metadata" / name).open("ab") as file:
            file.truncate(30_000_000)

    return make


def _garbage(data: bytes) -> Callable[[Maker], None]:
    return lambda desk: _write(desk, "timestamp.json", data)


def _path(path: str, **more: object) -> Callable[[Maker], None]:
    """Signed with the right key, and yet not what a target may be called."""

    def make(desk: Maker) -> None:
        def add(targets: Targets) -> None:
            custom = {"kind": "module", "name": "vibration", "version": "3", **more}
            targets.targets = {path: TargetFile(len(EVIL), {"sha256": "0" * 64}, path, {"custom": custom})}

        _targets(desk, add)

    return make


def _two_versions(desk: Maker) -> None:
    desk.at().publish(desk.signers, add=[desk.bundle("vibration", "4", EVIL)])


def _weak_hash(desk: Maker) -> None:
    def weak(targets: Targets) -> None:
        for target in targets.targets.values():
            target.hashes = {"md5": "0" * 32}

    _targets(desk, weak)


def _link_out(desk: Maker) -> None:
    outside = desk.folder.parent / "secret"
    outside.write_bytes(NEXT)
    _bundle(desk).unlink()
    (desk.folder / "targets/modules/vibration").rename(desk.folder.parent / "elsewhere")
    (desk.folder / "targets/modules/vibration").symlink_to(desk.folder.parent / "elsewhere")


def _nothing(desk: Maker) -> None:
    """The repository is honest."""


# What a server does


def _endless(ending: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, data: bytes) -> bool:
        if not handler.path.endswith(ending):
            return False
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65_536)

    return answer


def _slow(ending: str, *, head: bool = False) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, data: bytes) -> bool:
        if not handler.path.endswith(ending):
            return False
        drip(handler, seconds=20, head=head)
        return True

    return answer


def _redirected(handler: BaseHTTPRequestHandler, data: bytes) -> bool:
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:9/")
    handler.end_headers()
    return True


def _packed(handler: BaseHTTPRequestHandler, data: bytes) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.end_headers()
    handler.wfile.write(data)
    return True


_NOT_SIGNED = "not signed by enough of the keys that this box trusts; use a repository of your plant"
_STALE = "is older or of another version than this box has to expect; get the newest stick"
_EXPIRED = "has expired, and the clock says"
_MIXED = "is not the file that was signed with the rest; copy the repository again"
_FORM = "it was made for another program, or by a tool that is not ours"
_TOO_LARGE = "is larger than it can be; do not use this place"
_LATER = "try again later or use a stick"
_GOES_ON = "bytes are here); update again, it goes on from there"
_FUTURE, _PAST = datetime(2099, 5, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 3, tzinfo=UTC)

ATTACKS = [
    Attack("wrong signature on the timestamp", _stranger, _NOT_SIGNED),
    Attack("wrong signature on the targets", _stranger_targets, _NOT_SIGNED, recovers=False),
    Attack("targets edited after they were signed", _edited, _MIXED),
    Attack("arbitrary software in place of a bundle", _arbitrary, "it is not what was signed"),
    Attack("a bundle that is too short", _short, _GOES_ON),
    Attack("a bundle that is too long", _long, "is longer than the"),
    Attack("a bundle that is missing", _gone, "copy the whole repository"),
    Attack("rollback of the timestamp", _old_timestamp, _STALE),
    Attack("rollback of the snapshot (timestamp key stolen)", _old_snapshot, _STALE, recovers=False),
    Attack("rollback of the targets (snapshot key stolen)", _old_targets, _STALE, recovers=False),
    Attack("a snapshot without targets (its key stolen)", _without_targets, "form of signed metadata", recovers=False),
    Attack("rollback of the root", _old_root, _STALE),
    Attack("a root that skips one", _skipped_root, _STALE),
    Attack("one root key stolen, two have to sign", _one_root_key, _NOT_SIGNED),
    Attack("one root key stolen and used twice", _one_root_key_twice, _NOT_SIGNED),
    Attack("freeze: expired timestamp", _expired("timestamp"), f"timestamp.json {_EXPIRED}"),
    Attack("freeze: expired snapshot", _expired("snapshot"), f"snapshot.json {_EXPIRED}", recovers=False),
    Attack("freeze: expired targets", _expired("targets"), f"targets.json {_EXPIRED}", recovers=False),
    Attack("freeze: expired root", _expired_root, _EXPIRED, recovers=False),
    Attack("mix-and-match: snapshot of another release", _mixed, _MIXED),
    Attack("mix-and-match: targets of another release", _mixed_targets, _MIXED),
    Attack("a timestamp larger than it can be", _huge("timestamp.json"), _TOO_LARGE),
    Attack("a next root larger than it can be", _huge("2.root.json"), _TOO_LARGE),
    Attack("endless timestamp", _nothing, _TOO_LARGE, answer=_endless("timestamp.json")),
    Attack("endless root", _nothing, _TOO_LARGE, answer=_endless("2.root.json")),
    Attack("endless bundle", _nothing, "is longer than the", answer=_endless(".whl")),
    Attack("slow timestamp", _nothing, _LATER, seconds=HASTY, answer=_slow("timestamp.json")),
    Attack("slow head of an answer", _nothing, _LATER, seconds=HASTY, answer=_slow("timestamp.json", head=True)),
    Attack("slow bundle", _nothing, _GOES_ON, seconds=HASTY, answer=_slow(".whl")),
    Attack("slow head before a bundle", _nothing, _GOES_ON, seconds=HASTY, answer=_slow(".whl", head=True)),
    Attack("a redirect elsewhere", _nothing, "answers 302", answer=_redirected),
    Attack("packed answers", _nothing, "another encoding", answer=_packed),
    Attack("a stick whose folder is a link that leads out", _link_out, "leads out of", folder_only=True),
    Attack("target path that leads out", _path("../../../etc/cron.d/x"), _FORM, recovers=False),
    Attack("absolute target path", _path("/etc/cron.d/x"), _FORM, recovers=False),
    Attack("dots within a target path", _path("modules/../x.whl"), _FORM, recovers=False),
    Attack("target of another name", _path("modules/gauge/x.whl"), _FORM, recovers=False),
    Attack("target of another kind", _path("weights/vibration/x.whl"), _FORM, recovers=False),
    Attack("version that leads out", _path("modules/vibration/x.whl", version="../../x"), _FORM, recovers=False),
    Attack("two versions of one name", _two_versions, _FORM, recovers=False),
    Attack("a hash that is too weak", _weak_hash, _FORM, recovers=False),
    Attack("no JSON", _garbage(b"\x00\xff" * 50), "not in the form of signed metadata"),
    Attack("deeply nested JSON", _garbage(b"[" * 16_000), "not in the form of signed metadata"),
    Attack("empty metadata", _garbage(b""), "not in the form of signed metadata"),
    Attack("the clock says 1970", _nothing, "the clock says 1970-01-01, but it is 2026", now=_PAST),
    Attack(
        "the clock is far ahead", _nothing, "the clock says 2099-05-01; set the clock if that is wrong", now=_FUTURE
    ),
]
