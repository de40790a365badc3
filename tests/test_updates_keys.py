"""Keys come and go, and a box that was away for years follows; a thief of a few keys is locked out again."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner, _key
from tuf.api.metadata import Metadata, Timestamp

from agent.errors import UpdateError, UpdateRefused
from agent.updates.trust import pin_root
from deploy.release.keys import KeyProblem, make_key, read_public, read_signer
from deploy.release.repository import ReleaseProblem, Repository
from tests.updates_kit import Box, Maker, Modules, clock


@pytest.fixture
def desk(tmp_path: Path) -> Maker:
    desk = Maker(tmp_path / "repo")
    desk.offer("vibration", "2", b"good bundle")
    return desk


@pytest.fixture
def box(tmp_path: Path, desk: Maker) -> Box:
    box = Box(tmp_path / "updates", desk.folder / "root.json", Modules(vibration=("1", b"old")))
    box.update(desk.folder)
    return box


def rotate(desk: Maker, role: str) -> None:
    """A new key for a role, signed by the root's keys."""
    new = CryptoSigner.generate_ed25519()
    desk.at().draft_root({role: ([desk.online[role].public_key.keyid], [new.public_key])})
    assert desk.at().sign_root(desk.roots[:2]) == 0
    desk.online[role] = new


@pytest.mark.parametrize("role", ["targets", "snapshot", "timestamp"])
def test_a_new_key_for_a_role_is_followed(desk: Maker, box: Box, role: str) -> None:
    """A box learns the new key from the root and takes what it signed."""
    rotate(desk, role)
    desk.offer("vibration", "3", b"next")
    assert box.update(desk.folder) == {"vibration": "installed"}


def test_a_key_that_was_dropped_signs_nothing_any_more(desk: Maker, box: Box) -> None:
    """What a stolen key signed after it was replaced is refused."""
    stolen = desk.online["timestamp"]
    rotate(desk, "timestamp")
    desk.offer("vibration", "3", b"next")
    path = desk.folder / "metadata" / "timestamp.json"
    forged = Metadata[Timestamp].from_bytes(path.read_bytes())
    forged.signed.version += 1
    forged.sign(stolen)
    path.write_bytes(forged.to_bytes())
    with pytest.raises(UpdateRefused, match="not signed by enough"):
        box.update(desk.folder)


def test_all_root_keys_change_one_after_the_other(desk: Maker, box: Box) -> None:
    """A box that was away finds its way from the root that it knows to one that shares no key with it."""
    for number in range(3):
        new = CryptoSigner.generate_ed25519()
        desk.at().draft_root({"root": ([desk.roots[number].public_key.keyid], [new.public_key])})
        assert desk.at().sign_root([*(key for i, key in enumerate(desk.roots) if i != number), new]) == 0
        desk.roots[number] = new
    desk.offer("vibration", "3", b"next")
    assert box.update(desk.folder) == {"vibration": "installed"}


def test_a_root_waits_until_enough_have_signed(desk: Maker) -> None:
    """One signature of two leaves the old root in force."""
    before = (desk.folder / "root.json").read_bytes()
    desk.at().draft_root({})
    assert desk.at().sign_root(desk.roots[:1]) == 1
    assert desk.at().sign_root(desk.roots[:1]) == 1
    assert (desk.folder / "root.json").read_bytes() == before
    assert desk.at().sign_root(desk.roots[2:]) == 0
    assert not (desk.folder / "root.draft.json").exists()


def test_a_version_that_runs_ahead_is_healed_by_new_keys(desk: Maker, box: Box) -> None:
    """A thief who signed version 2³¹ cannot lock a box out for ever."""
    path = desk.folder / "metadata" / "timestamp.json"
    honest = path.read_bytes()
    forged = Metadata[Timestamp].from_bytes(honest)
    forged.signed.version = 2**31
    forged.sign(desk.online["timestamp"])
    path.write_bytes(forged.to_bytes())
    box.check(desk.folder)
    path.write_bytes(honest)
    with pytest.raises(UpdateRefused, match="older"):
        box.check(desk.folder)
    rotate(desk, "timestamp")
    desk.offer("vibration", "3", b"next")
    assert box.update(desk.folder) == {"vibration": "installed"}


def test_an_expired_root_is_followed_to_the_next(tmp_path: Path, desk: Maker) -> None:
    """A box that comes out of a store room after years takes the chain of roots, if it ends with a valid one."""
    old = desk.at(datetime.now(UTC) - timedelta(days=900), root=100)
    old.draft_root({})
    old.sign_root(desk.roots)
    pinned = tmp_path / "shipped.json"
    pinned.write_bytes((desk.folder / "root.json").read_bytes())
    desk.at().draft_root({})
    desk.at().sign_root(desk.roots)
    box = Box(tmp_path / "old box", pinned, Modules(vibration=("1", b"old")))
    assert box.update(desk.folder) == {"vibration": "installed"}


def test_a_clock_behind_the_signing_is_refused(desk: Maker, box: Box) -> None:
    """A clock set back would let expired metadata pass; the line says since when it cannot be right."""
    signed = datetime.now(UTC)
    with clock(signed - timedelta(days=10)), pytest.raises(UpdateRefused, match=r"set the clock, then try again"):
        box.check(desk.folder)
    with clock(signed - timedelta(hours=20)):
        assert box.check(desk.folder) == {"vibration": "here"}


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[" * 10_000, b"\xff", b'{"signed": {"_type": "root"}, "signatures": []}']
)
def test_what_is_no_root_is_not_pinned(tmp_path: Path, content: bytes) -> None:
    """Refused in one line, and nothing is pinned."""
    file = tmp_path / "root.json"
    file.write_bytes(content)
    with pytest.raises(UpdateRefused) as told:
        pin_root(file, tmp_path / "updates", replace=False, max_bytes=500_000)
    assert "\n" not in str(told.value)
    assert not (tmp_path / "updates").exists()


def test_other_signed_metadata_is_no_root(tmp_path: Path, desk: Maker) -> None:
    """A timestamp in its place is refused, and so is a file beyond the limit or none at all."""
    for file, most in ((desk.folder / "metadata" / "timestamp.json", 500_000), (desk.folder / "root.json", 100)):
        with pytest.raises(UpdateRefused):
            pin_root(file, tmp_path / "updates", replace=False, max_bytes=most)
    with pytest.raises(UpdateError, match="cannot be read"):
        pin_root(tmp_path, tmp_path / "updates", replace=False, max_bytes=100)


def test_a_root_signed_by_too_few_of_its_own_keys_is_not_pinned(tmp_path: Path, desk: Maker) -> None:
    """The threshold counts from the first day."""
    value = json.loads((desk.folder / "root.json").read_bytes())
    value["signatures"] = value["signatures"][:1]
    file = tmp_path / "one.json"
    file.write_text(json.dumps(value))
    with pytest.raises(UpdateRefused, match="its own keys have signed"):
        pin_root(file, tmp_path / "updates", replace=False, max_bytes=500_000)


def test_signatures_are_checked_without_the_compiled_library(tmp_path: Path, desk: Maker, box: Box) -> None:
    """A box needs no compiled cryptography: the same key says yes and no in plain Python."""
    desk.offer("vibration", "3", b"next")
    path = desk.folder / "metadata" / "timestamp.json"
    forged = Metadata[Timestamp].from_bytes(path.read_bytes())
    forged.sign(CryptoSigner.generate_ed25519())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_key, "CRYPTO_IMPORT_ERROR", "not here")
        assert box.update(desk.folder) == {"vibration": "installed"}
        path.write_bytes(forged.to_bytes())
        with pytest.raises(UpdateRefused, match="not signed by enough"):
            box.update(desk.folder)


def test_keys_are_files_for_their_owner_and_are_never_overwritten(tmp_path: Path) -> None:
    """The private half opens with its password only; the public half is the same key."""
    public = make_key(tmp_path, "targets", "secret")
    private = tmp_path / "targets.pem"
    assert private.stat().st_mode & 0o077 == 0
    assert read_public(tmp_path / "targets.pub.json") == public == read_signer(private, "secret").public_key
    for password in ("", "wrong"):
        with pytest.raises(KeyProblem, match="RELEASE_KEY_PASSWORD"):
            read_signer(private, password)
    with pytest.raises(KeyProblem, match="is there already"):
        make_key(tmp_path, "targets")
    for path in (tmp_path / "none.pub.json", private):
        with pytest.raises(KeyProblem, match="no public key"):
            read_public(path)


def test_a_desk_refuses_what_boxes_would_refuse(tmp_path: Path, desk: Maker) -> None:
    """A wrong key, a threshold that nobody can reach, a second repository in the same folder."""
    wrong = {**desk.online, "targets": CryptoSigner.generate_ed25519()}
    with pytest.raises(ReleaseProblem, match="does not name"):
        desk.at().publish(wrong)
    with pytest.raises(ReleaseProblem, match="would be left"):
        desk.at().draft_root({"targets": ([desk.online["targets"].public_key.keyid], [])})
    with pytest.raises(ReleaseProblem, match="is no key of"):
        desk.at().draft_root({"targets": (["0" * 64], [])})
    with pytest.raises(ReleaseProblem, match="already"):
        desk.at().create([key.public_key for key in desk.roots], 2, {})
    with pytest.raises(ReleaseProblem, match="cannot sign"):
        Repository(tmp_path / "x").create([desk.roots[0].public_key], 2, {})
    with pytest.raises(ReleaseProblem, match="no signed root"):
        Repository(tmp_path / "y").latest()


def test_a_repository_holds_no_private_key(desk: Maker) -> None:
    """Nothing that is handed out can sign."""
    for folder, _, names in os.walk(desk.folder):
        for name in names:
            assert b"PRIVATE" not in (Path(folder) / name).read_bytes()
