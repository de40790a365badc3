"""The folder of weights: nothing unverified is used, and nothing bad stays in place."""

from __future__ import annotations

import errno
import gc
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import InputError, WeightsBad, WeightsMissing, WeightsUnreadable
from agent.weights.store import WeightStore
from tests.weights_kit import BIG_EYE, EYE, MODEL, make_store, put, sha


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return make_store(tmp_path)


def test_what_is_right_is_given_by_role(store: WeightStore) -> None:
    """Verified files come as role → path."""
    model, eye = put(store, "sees/m.gguf", MODEL), put(store, "sees/p.gguf", EYE)
    assert store.verified("sees") == {"model": model, "mmproj": eye}
    assert store.status("sees").present
    assert store.present() == ("sees",)


def test_one_projector_may_stand_for_the_other(store: WeightStore) -> None:
    """A box that only has the larger projector is not told that one is missing."""
    model, eye = put(store, "sees/m.gguf", MODEL), put(store, "sees/f.gguf", BIG_EYE)
    assert store.verified("sees") == {"model": model, "mmproj": eye, "mmproj-f16": eye}
    assert store.status("sees").present


def test_a_bad_spare_file_does_not_stop_a_good_entry(store: WeightStore) -> None:
    """A bad file that is not needed is set aside, and the rest is used."""
    put(store, "sees/m.gguf", MODEL), put(store, "sees/p.gguf", EYE), put(store, "sees/f.gguf", b"bad")
    assert set(store.verified("sees")) == {"model", "mmproj"}
    assert [item.file for item in store.set_aside()] == ["sees/f.gguf"]


def test_missing_says_what_to_do(store: WeightStore) -> None:
    """The message names file, folder and command."""
    with pytest.raises(WeightsMissing, match=r"plain: m\.gguf is not in .*/plain; get it: watchkeeper weights"):
        store.verified("plain")
    with pytest.raises(InputError, match="no such weights in the catalogue"):
        store.verified("nothing")
    assert store.present() == ()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (MODEL[:-1], f"is {len(MODEL) - 1} bytes long, not {len(MODEL)}"),
        (b"", f"is empty, not {len(MODEL)} bytes long"),
        (MODEL[:-1] + b"x", "has SHA-256 "),
        (b"x" + MODEL[1:], "has SHA-256 "),
    ],
)
def test_a_bad_file_is_set_aside_with_the_reason(store: WeightStore, data: bytes, reason: str) -> None:
    """A short or changed file is renamed, its reason lies beside it; the next look finds it missing and says why."""
    path = put(store, "plain/m.gguf", data)
    with pytest.raises(WeightsBad, match=re.escape(reason)):
        store.verified("plain")
    assert not path.exists()
    assert path.with_name("m.gguf.bad").read_bytes() == data
    note = json.loads(path.with_name("m.gguf.bad.json").read_text())
    assert note["reason"].startswith(reason)
    assert (note["expected_bytes"], note["expected_sha256"]) == (len(MODEL), sha(MODEL))
    assert (note["found_bytes"], note["found_sha256"] or sha(data)) == (len(data), sha(data))
    with pytest.raises(WeightsMissing, match="was set aside: it " + re.escape(reason)):
        store.verified("plain")
    assert store.present() == ()


def test_what_is_no_file_is_set_aside(store: WeightStore, tmp_path: Path) -> None:
    """A folder, a pipe or a link to elsewhere in the place of a file is never read and never waited for."""
    path = put(store, "plain/m.gguf", b"")
    outside = tmp_path / "outside.gguf"
    outside.write_bytes(MODEL)
    for make, reason in (
        (path.mkdir, "is not a regular file"),
        (lambda: os.mkfifo(path), "is not a regular file"),
        (lambda: path.symlink_to(outside), "is a link that leads outside the weights folder"),
        (lambda: path.symlink_to(path), "is a link that leads outside the weights folder"),
        (lambda: path.symlink_to(store.folder / "gone"), "is a link that leads nowhere"),
    ):
        path.unlink(missing_ok=True)
        make()
        with pytest.raises(WeightsBad, match=reason):
            store.verified("plain")
        assert not os.path.lexists(path)
    assert outside.read_bytes() == MODEL


def test_a_link_inside_the_folder_is_fine(store: WeightStore) -> None:
    """Two entries may share one file."""
    target = put(store, "sees/m.gguf", MODEL)
    put(store, "plain/other", b"")
    (store.folder / "plain" / "m.gguf").symlink_to(target)
    assert store.verified("plain")


def test_a_disk_that_fails_is_not_the_file_s_fault(store: WeightStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """EIO names the disk, sets nothing aside, and is over as soon as the disk gives the bytes back."""
    path = put(store, "plain/m.gguf", MODEL)
    real, calls = os.preadv, []

    def fail(*_: object) -> int:
        calls.append(1)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "preadv", fail)
    with pytest.raises(
        WeightsUnreadable, match=r"m\.gguf cannot be read at byte 0: Input/output error; the disk of "
    ) as caught:
        store.verified("plain")
    assert caught.value.faults == {"m.gguf": "unreadable"}
    assert len(calls) == 2, "it is tried once more"
    assert path.exists()
    assert store.set_aside() == ()
    monkeypatch.setattr(os, "preadv", real)
    assert store.verified("plain")


def test_a_folder_that_cannot_be_written_still_refuses(store: WeightStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad file on a read-only disk is not used, and the message says that it could not be moved."""
    put(store, "plain/m.gguf", MODEL[:-1])

    def fail(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(WeightsBad, match="cannot be set aside: Read-only file system"):
        store.verified("plain")


def test_a_full_disk_loses_the_reason_only(store: WeightStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the note cannot be written, the bad file is out of the way all the same, and doctor still sees it."""
    put(store, "plain/m.gguf", b"bad")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WeightsBad, match="is 3 bytes long"):
        store.verified("plain")
    assert [(item.file, item.reason) for item in store.set_aside()] == [
        ("plain/m.gguf", "was found bad; why was not recorded")
    ]


def test_a_file_replaced_while_it_was_read_is_not_blamed(store: WeightStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a pull puts a good file in place of a bad one during the check, the good one is read, not set aside."""
    path = put(store, "plain/m.gguf", b"x" + MODEL[1:])
    real = os.preadv
    calls: list[int] = []

    def swap(*arguments: object) -> int:
        if not calls:
            path.with_name("new").write_bytes(MODEL)
            path.with_name("new").replace(path)
        calls.append(1)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "preadv", swap)
    assert store.verified("plain")
    assert store.set_aside() == ()


def test_foreign_notes_are_ignored(store: WeightStore) -> None:
    """A sidecar that is not ours neither helps nor harms."""
    for number, data in enumerate((b"", b"[]", b"{}", b'{"file": 1}', b"\xff\xfe", b"[" * 9000, b"{" * 20_000)):
        put(store, f"plain/{number}.bad.json", data)
        put(store, f"plain/{number}.bad", b"")
    put(store, "open/open.bin", b"something")
    put(store, "open/open.bin.pin.json", b'{"sha256": 5}')
    assert {item.reason for item in store.set_aside()} == {"was found bad; why was not recorded"}
    with pytest.raises(WeightsBad, match="has no pinned digest"):
        store.verified("open")


def test_where_names_the_place_of_what_is_not_there(store: WeightStore) -> None:
    """`where` needs no file."""
    assert store.where("plain") == {"model": store.folder / "plain" / "m.gguf"}
    with pytest.raises(InputError):
        store.where("nothing")


@settings(max_examples=40, deadline=None)
@given(at=st.integers(0, len(MODEL) - 1), mask=st.integers(1, 255))
def test_any_changed_byte_is_found(tmp_path_factory: pytest.TempPathFactory, at: int, mask: int) -> None:
    """Wherever one byte is changed, the file is refused."""
    store = make_store(tmp_path_factory.mktemp("w"), read_bytes=1000)
    data = bytearray(MODEL)
    data[at] ^= mask
    put(store, "plain/m.gguf", bytes(data))
    with pytest.raises(WeightsBad):
        store.verified("plain")


def test_swapped_names_are_named(store: WeightStore) -> None:
    """A file that is another one of the catalogue is called by its right name, whether sizes differ or not."""
    put(store, "sees/m.gguf", MODEL), put(store, "sees/p.gguf", BIG_EYE)
    with pytest.raises(WeightsBad, match=r"p\.gguf is f\.gguf of sees") as caught:
        store.verified("sees")
    assert caught.value.faults == {"p.gguf": "swapped"}


def test_a_file_that_vanishes_is_missing(store: WeightStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gone while it was read, for example with its card: not here, and nobody is blamed."""
    path = put(store, "plain/m.gguf", MODEL)
    real = os.preadv

    def pull_the_card(*arguments: object) -> int:
        path.unlink(missing_ok=True)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "preadv", pull_the_card)
    with pytest.raises(WeightsMissing) as caught:
        store.verified("plain")
    assert caught.value.faults == {"m.gguf": "missing"}
    assert store.set_aside() == ()


def test_a_file_cut_short_while_it_is_read_is_refused(store: WeightStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size was right when it was opened, and is not any more."""
    path = put(store, "plain/m.gguf", MODEL)
    real = os.preadv

    def cut(*arguments: object) -> int:
        os.truncate(path, 0)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "preadv", cut)
    with pytest.raises(WeightsBad, match="was cut short at byte 0 while it was read") as caught:
        store.verified("plain")
    assert caught.value.faults == {"m.gguf": "truncated"}


def test_no_other_file_can_take_the_place_of_a_checked_one(store: WeightStore) -> None:
    """Between check and load the name may lead elsewhere: the held path leads to what was read, in any process."""
    path = put(store, "plain/m.gguf", MODEL)
    files = store.verified("plain")
    path.with_name("evil").write_bytes(b"evil")
    path.with_name("evil").replace(path)
    assert files["model"].read_bytes() == b"evil"
    assert files.held("model").read_bytes() == MODEL
    read = [sys.executable, "-c", "import sys; sys.stdout.write(open(sys.argv[1]).read())", str(files.held("model"))]
    assert subprocess.run(read, capture_output=True, check=True).stdout == MODEL
    files.close()
    files.close()


def test_writing_to_a_checked_file_is_noticed(store: WeightStore) -> None:
    """Who loads asks again afterwards."""
    path = put(store, "plain/m.gguf", MODEL)
    files = store.verified("plain")
    assert files.unchanged()
    with path.open("r+b") as file:
        file.write(b"x")
    assert not files.unchanged()


def test_nobody_s_files_stay_open(store: WeightStore) -> None:
    """Descriptors go with what `verified` gave."""
    put(store, "sees/m.gguf", MODEL), put(store, "sees/p.gguf", EYE), put(store, "sees/f.gguf", b"bad")
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        assert store.verified("sees")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_chunks_are_known_after_the_first_check(store: WeightStore) -> None:
    """What lies beside a sound file is this box's own, and is not written again."""
    path = put(store, "plain/m.gguf", MODEL)
    store.verified("plain")
    note = store.manifest(path)
    assert note is not None
    assert (note.size, note.sha256, note.by_box) == (len(MODEL), sha(MODEL), True)
    before = path.with_name("m.gguf.chunks.json").stat().st_mtime_ns
    store.verified("plain")
    assert path.with_name("m.gguf.chunks.json").stat().st_mtime_ns == before
