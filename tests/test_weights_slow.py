"""Slow storage: a first look, then the rest behind the work, and what it finds is told at once."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from agent.errors import WeightsBad
from agent.settings import WeightsSettings
from agent.weights.catalogue import Catalogue, Entry, WeightFile
from agent.weights.chunks import CHUNK_BYTES
from agent.weights.store import WeightStore
from tests.weights_kit import big_bytes, sha

DATA = big_bytes(6 * CHUNK_BYTES + 5)
ENTRY = Entry("thing", "text", "A thing", "MIT", (WeightFile("model", "m", bytes=len(DATA), sha256=sha(DATA)),))
SLOW = 1e15
"""Every disk is slower than this."""


def make(tmp_path: Path, **more: object) -> WeightStore:
    values = {"slow_bytes_per_second": SLOW, "sample_chunks": 2, "later_pause_seconds": 0, **more}
    settings = WeightsSettings.model_validate(values)
    return WeightStore(tmp_path, settings, catalogue=Catalogue((ENTRY,)), box_key=tmp_path / "box.key")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that was verified once, so that its chunks are known."""
    path = tmp_path / "thing" / "m"
    path.parent.mkdir()
    path.write_bytes(DATA)
    assert make(tmp_path).verified("thing")
    return path


class Bad:
    """Collects what is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def __call__(self, name: str, file: str, reason: str) -> None:
        self.told.append((name, file, reason))


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    real, read = os.preadv, [0]

    def counted(descriptor: int, buffers: list[memoryview], at: int) -> int:
        got = real(descriptor, buffers, at)
        read[0] += got
        return got

    monkeypatch.setattr(os, "preadv", counted)
    return read


def test_a_first_look_reads_a_part(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Header and samples before the files may be used, all of it in the end."""
    monkeypatch.setattr("agent.weights.store.verify_later", lambda *_: FakeThread())
    read = count_reads(monkeypatch)
    assert make(tmp_path).verified("thing", on_bad=Bad())["model"] == path
    assert read[0] < 3 * CHUNK_BYTES
    read[0] = 0
    assert make(tmp_path).verified("thing")
    assert read[0] == len(DATA), "who does not listen for what comes later gets the full check"
    read[0] = 0
    assert make(tmp_path, slow_bytes_per_second=0).verified("thing", on_bad=Bad())
    assert read[0] >= len(DATA), "nor is anything put off where the disk is fast"


class FakeThread:
    """Does not run."""

    def join(self, _: float | None) -> None:
        """Nothing."""

    def is_alive(self) -> bool:
        return False


def test_nothing_is_said_about_a_sound_file(tmp_path: Path, path: Path) -> None:
    """The rest is read and right."""
    store, bad = make(tmp_path), Bad()
    store.verified("thing", on_bad=bad)
    assert store.wait(30)
    assert bad.told == []
    assert path.exists()


@pytest.mark.parametrize("chunk", range(7))
def test_wherever_the_damage_is_it_is_found(tmp_path: Path, path: Path, chunk: int) -> None:
    """By the samples before anybody uses it, or behind the work; either way it is set aside and told."""
    spoiled = bytearray(DATA)
    spoiled[min(chunk * CHUNK_BYTES + 70_000, len(DATA) - 1)] ^= 1
    path.write_bytes(bytes(spoiled))
    store, bad = make(tmp_path), Bad()
    try:
        store.verified("thing", on_bad=bad)
    except WeightsBad as error:
        assert f"number {chunk}" in str(error)
    else:
        assert store.wait(30)
        assert bad.told == [("thing", "m", f"has wrong bytes in chunk {chunk}")]
    assert not path.exists()
    assert [item.fault for item in store.set_aside()] == ["wrong bytes"]


def test_a_file_cut_short_behind_the_work_is_told(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The card loses the end of the file after the first look."""
    store, bad = make(tmp_path), Bad()
    real = store._verify_later

    def cut_first(*arguments: object) -> None:
        os.truncate(path, CHUNK_BYTES + 1)
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "_verify_later", cut_first)
    store.verified("thing", on_bad=bad)
    assert store.wait(30)
    assert [(name, file) for name, file, _ in bad.told] == [("thing", "m")]
    assert "was cut short at byte" in bad.told[0][2] or "wrong bytes" in bad.told[0][2]


def test_a_disk_that_fails_behind_the_work_is_told_and_the_file_stays(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EIO is the disk's doing: told at once, nothing renamed."""
    store, bad = make(tmp_path, sample_chunks=1), Bad()
    real = os.preadv

    def fail(descriptor: int, buffers: list[memoryview], at: int) -> int:
        if at // CHUNK_BYTES == 3:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, buffers, at)

    monkeypatch.setattr(os, "preadv", fail)
    store.verified("thing", on_bad=bad)
    assert store.wait(30)
    assert bad.told == [("thing", "m", f"cannot be read at byte {3 * CHUNK_BYTES}: Input/output error")]
    assert path.exists()
