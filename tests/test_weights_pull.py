"""A pull never harms what is there."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.errors import PullError, WeightsBad
from agent.weights.progress import SilentReporter
from agent.weights.pull import pull
from agent.weights.store import WeightStore
from tests.weights_kit import BIG_EYE, EYE, FILE, MODEL, grow, lend, make_store, put, sha


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return make_store(tmp_path)


def test_a_second_pull_leaves_all_as_it_is(store: WeightStore) -> None:
    """What is here and right is said to be here."""
    lend(store, "m.gguf", MODEL)
    assert [file.source for file in pull(store, ["plain", "plain"], SilentReporter())] == ["file"]
    before = (store.folder / "plain" / "m.gguf").stat().st_mtime_ns
    assert [file.source for file in pull(store, ["plain"], SilentReporter())] == ["here"]
    assert (store.folder / "plain" / "m.gguf").stat().st_mtime_ns == before


def test_a_pull_replaces_a_bad_file_and_forgets_it(store: WeightStore) -> None:
    """A bad file is set aside, replaced, and no longer reported."""
    put(store, "plain/m.gguf", b"bad")
    lend(store, "m.gguf", MODEL)
    pull(store, ["plain"], SilentReporter())
    assert store.verified("plain")
    assert store.set_aside() == ()
    assert sorted(path.name for path in (store.folder / "plain").iterdir()) == [".lock", "m.gguf", "m.gguf.chunks.json"]


def test_spare_files_are_fetched_when_asked_for(store: WeightStore) -> None:
    """Files that only stand for others are left out, unless wanted."""
    for name, data in (("m.gguf", MODEL), ("p.gguf", EYE), ("f.gguf", BIG_EYE)):
        lend(store, name, data)
    assert [file.role for file in pull(store, ["sees"], SilentReporter())] == ["model", "mmproj"]
    assert [file.role for file in pull(store, ["sees"], SilentReporter(), optional=True)][-1] == "mmproj-f16"


def test_a_pull_stopped_before_the_rename_asks_nobody(tmp_path: Path) -> None:
    """All bytes were there when it was killed: the next pull only verifies and renames."""
    store = make_store(tmp_path, sources=())
    with grow(store, FILE) as part:
        part.write(MODEL)
    assert [file.source for file in pull(store, ["plain"], SilentReporter())] == ["earlier pull"]
    assert store.verified("plain")


def test_no_room_is_told_before_the_first_byte(store: WeightStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how much is missing."""
    lend(store, "m.gguf", MODEL)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1000))
    with pytest.raises(PullError, match=rf"plain: {len(MODEL) - 1000} B of disk are missing in .*; make room or set"):
        pull(store, ["plain"], SilentReporter())
    assert not (store.folder / "plain" / "m.gguf.part").exists()


def test_an_open_digest_is_pinned_by_the_first_pull(store: WeightStore) -> None:
    """What the catalogue leaves open is recorded once, listed as such, and held against the file ever after."""
    lend(store, "open.bin", b"first seen like this")
    pull(store, ["open"], SilentReporter())
    (status,) = store.status("open").files
    assert status.pin is not None
    assert (status.pin.sha256, status.pin.source) == (sha(b"first seen like this"), "file")
    assert store.verified("open")
    put(store, "open/open.bin", b"first seen like thiS")
    with pytest.raises(WeightsBad, match="has SHA-256"):
        store.verified("open")


def test_two_pulls_do_not_collide(store: WeightStore) -> None:
    """Two pulls of the same weights at once: one fetches, the other waits and finds them here."""
    lend(store, "m.gguf", MODEL)
    sources: list[str] = []
    threads = [
        threading.Thread(target=lambda: sources.append(pull(store, ["plain"], SilentReporter())[0].source))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sources) == ["file", "here", "here"]


def test_a_pull_does_not_wait_for_ever(tmp_path: Path) -> None:
    """A lock that is never given back ends in one line."""
    store = make_store(tmp_path, lock_seconds=0.1)
    lend(store, "m.gguf", MODEL)
    (store.folder / "plain").mkdir(parents=True)
    with (store.folder / "plain" / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(PullError, match="another pull has held it"):
            pull(store, ["plain"], SilentReporter())


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A weights folder under a file is one clear line."""
    (tmp_path / "weights").write_text("a file")
    with pytest.raises(PullError, match="cannot be written: Not a directory"):
        pull(make_store(tmp_path), ["plain"], SilentReporter())


def test_no_source_allowed_is_told(tmp_path: Path) -> None:
    """Settings that leave no source say so."""
    with pytest.raises(PullError, match=r"no source could give m\.gguf: the settings allow only hf"):
        pull(make_store(tmp_path, sources=("hf",)), ["plain"], SilentReporter())
