"""Chunks, their root and the note beside a file: what it proves, and what it does not."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.weights.chunks import (
    CHUNK_BYTES,
    ChunkedDigest,
    ReadFailed,
    Shortened,
    chunk_count,
    hash_chunks,
    hash_whole,
    root_of,
)
from agent.weights.header import header_length
from agent.weights.manifest import Manifest, make_manifest, manifest_path, read_manifest, write_manifest
from tests.weights_kit import big_bytes, sha

SECRET, OTHER = b"s" * 32, b"o" * 32
FIELDS = ["size", "sha256", "chunks", "proof", "header_bytes", "header_sha256", "x"]
SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES + 5)


def opened(path: Path, data: bytes) -> int:
    path.write_bytes(data)
    return os.open(path, os.O_RDONLY)


def expected_chunks(data: bytes) -> tuple[bytes, ...]:
    pieces = [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)] or [b""]
    return tuple(hashlib.sha256(piece).digest() for piece in pieces)


@pytest.mark.parametrize("size", SIZES)
def test_all_ways_of_reading_agree(tmp_path: Path, size: int) -> None:
    """On every core, in order, or as the bytes arrive: the same digests, at every edge of a chunk."""
    data = big_bytes(size)
    descriptor = opened(tmp_path / "f", data)
    arriving = ChunkedDigest()
    for at in range(0, size, 3_000_001):
        arriving.update(data[at : at + 3_000_001])
    try:
        with ThreadPoolExecutor(2) as pool:
            chunks = hash_chunks(descriptor, size, pool)
            whole = hash_whole(descriptor, size, pool)
    finally:
        os.close(descriptor)
    assert chunks == whole.chunks == arriving.digests().chunks == expected_chunks(data)
    assert whole.sha256 == arriving.digests().sha256 == sha(data)
    assert len(chunks) == chunk_count(size)


def test_a_file_that_shrinks_while_it_is_read_is_told(tmp_path: Path) -> None:
    """Cut short behind our back: an error with the place, no crash and no digest of less."""
    descriptor = opened(tmp_path / "f", big_bytes(CHUNK_BYTES + 100))
    os.truncate(tmp_path / "f", CHUNK_BYTES + 7)
    try:
        with ThreadPoolExecutor(2) as pool:
            for read in (hash_chunks, hash_whole):
                with pytest.raises(Shortened, match=f"cut short at byte {CHUNK_BYTES + 7}"):
                    read(descriptor, CHUNK_BYTES + 100, pool)
    finally:
        os.close(descriptor)


def test_one_failed_read_is_forgiven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that fails once and works the second time is no fault; one that fails again names its place."""
    data = big_bytes(CHUNK_BYTES + 100)
    descriptor = opened(tmp_path / "f", data)
    real, failures = os.preadv, [1]

    def flaky(number: int, buffers: list[memoryview], at: int) -> int:
        if at >= CHUNK_BYTES and failures:
            failures.pop()
            raise OSError(5, "Input/output error")
        return real(number, buffers, at)

    monkeypatch.setattr(os, "preadv", flaky)
    try:
        with ThreadPoolExecutor(2) as pool:
            for read in (
                lambda: hash_chunks(descriptor, len(data), pool),
                lambda: hash_whole(descriptor, len(data), pool).chunks,
            ):
                failures[:] = [1]
                assert read() == expected_chunks(data)
                failures[:] = [1, 1]
                with pytest.raises(ReadFailed, match=f"at byte {CHUNK_BYTES}: Input/output error"):
                    read()
    finally:
        os.close(descriptor)


def made(path: Path, data: bytes) -> Manifest:
    descriptor = opened(path, data)
    try:
        with ThreadPoolExecutor(2) as pool:
            return make_manifest(descriptor, len(data), hash_whole(descriptor, len(data), pool), sha256=sha(data))
    finally:
        os.close(descriptor)


def test_a_note_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """By this box; another box, or another key, reads it and does not believe it."""
    data = big_bytes(CHUNK_BYTES + 100)
    manifest = made(tmp_path / "f", data)
    write_manifest(tmp_path / "f", manifest, secret=SECRET)
    assert read_manifest(tmp_path / "f", secret=SECRET) == manifest
    assert (manifest.size, manifest.sha256, manifest.root) == (len(data), sha(data), root_of(expected_chunks(data)))
    assert (manifest.header_bytes, manifest.header_sha256) == (65_536, sha(data[:65_536]))
    foreign = read_manifest(tmp_path / "f", secret=OTHER)
    assert foreign is not None
    assert (foreign.chunks, foreign.by_box) == (manifest.chunks, False)


@pytest.mark.parametrize("field", ["size", "sha256", "header_bytes", "header_sha256", "chunks"])
def test_no_field_of_a_note_can_be_changed(tmp_path: Path, field: str) -> None:
    """Whatever is edited, the proof does not fit any more."""
    write_manifest(tmp_path / "f", made(tmp_path / "f", big_bytes(CHUNK_BYTES + 100)), secret=SECRET)
    place = manifest_path(tmp_path / "f")
    values = json.loads(place.read_text())
    changed = {"size": values["size"] - 1, "header_bytes": 5, "chunks": values["chunks"][::-1]}.get(field, "0" * 64)
    place.write_text(json.dumps({**values, field: changed}))
    note = read_manifest(tmp_path / "f", secret=SECRET)
    assert note is not None
    assert not note.by_box


@settings(max_examples=60, deadline=None)
@given(
    junk=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["size", "sha256", "chunks", "proof", "header_bytes", "header_sha256", "x"]), inner
                )
            ),
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_any_note_is_read_or_left(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    """Whatever lies there, it is no error and it is not believed."""
    path = tmp_path_factory.mktemp("m") / "f"
    manifest_path(path).write_bytes(junk)
    note = read_manifest(path, secret=SECRET)
    assert note is None or not note.by_box


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


HEADER = (
    struct.pack("<4sIQQ", b"GGUF", 3, 1, 4)
    + (text("a") + struct.pack("<II", 4, 7))
    + (text("b") + struct.pack("<I", 8) + text("words"))
    + (text("c") + struct.pack("<IIQ", 9, 8, 2) + text("one") + text("two"))
    + (text("d") + struct.pack("<IIQ", 9, 5, 3) + bytes(12))
    + (text("t") + struct.pack("<IQQIQ", 2, 3, 4, 0, 0))
)


def test_the_header_of_a_gguf_ends_behind_its_tensors(tmp_path: Path) -> None:
    """Metadata of every kind and the list of tensors; what comes after is weights."""
    descriptor = opened(tmp_path / "f", HEADER + bytes(500_000))
    assert header_length(descriptor, len(HEADER) + 500_000) == len(HEADER)
    os.close(descriptor)


@settings(max_examples=150, deadline=None)
@given(at=st.integers(4, len(HEADER) - 1), value=st.integers(0, 255), cut=st.integers(0, len(HEADER)))
def test_a_hostile_header_is_bounded(tmp_path_factory: pytest.TempPathFactory, at: int, value: int, cut: int) -> None:
    """Absurd lengths and counts end at once, within the file."""
    data = bytearray(HEADER)
    data[at] = value
    whole = bytes(data[:cut] if cut > at else data)
    descriptor = opened(tmp_path_factory.mktemp("h") / "f", whole)
    assert 0 <= header_length(descriptor, len(whole)) <= len(whole)
    os.close(descriptor)
