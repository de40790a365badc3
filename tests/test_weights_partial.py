"""A file on its way in: what is not durable is cut off, what is not right is not put in place."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import PullError
from agent.weights.partial import SourceFailed
from agent.weights.store import WeightStore
from tests.weights_kit import FILE, MODEL, grow, make_store, put, sha


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return make_store(tmp_path)


def test_only_durable_bytes_are_kept(tmp_path: Path) -> None:
    """What a power cut may have lost or garbled lies behind the last checkpoint, and is cut off."""
    store = make_store(tmp_path, checkpoint_bytes=1000)
    with grow(store, FILE) as part:
        part.write(MODEL[:1500])
    path = store.folder / "plain" / "m.gguf.part"
    path.write_bytes(path.read_bytes() + bytes(500))
    with grow(store, FILE) as part:
        assert part.size == 1500
        part.write(MODEL[1500:])
        assert part.finish() == sha(MODEL)
    assert sorted(item.name for item in (store.folder / "plain").iterdir()) == ["m.gguf"]


@pytest.mark.parametrize(
    "journal",
    [b"", b"{}", b'{"sha256": "other", "bytes": 500}', b'{"bytes": -1}', b"[1]", b'{"sha256": 1, "bytes": "x"}'],
)
def test_a_foreign_journal_means_from_the_beginning(store: WeightStore, journal: bytes) -> None:
    """A journal of another file, or none, keeps nothing."""
    put(store, "plain/m.gguf.part", MODEL[:900])
    put(store, "plain/m.gguf.part.json", journal)
    with grow(store, FILE) as part:
        assert part.size == 0


def test_a_journal_that_promises_too_much_is_bounded(store: WeightStore) -> None:
    """More bytes than there are, or than the file can have, are not believed."""
    put(store, "plain/m.gguf.part", MODEL + MODEL)
    put(store, "plain/m.gguf.part.json", json.dumps({"sha256": FILE.sha256, "bytes": 10**12}).encode())
    with grow(store, FILE) as part:
        assert part.size == len(MODEL)


def test_a_part_that_is_a_link_is_not_written_through(store: WeightStore, tmp_path: Path) -> None:
    """Nobody makes a pull write elsewhere."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (store.folder / "plain").mkdir(parents=True)
    (store.folder / "plain" / "m.gguf.part").symlink_to(victim)
    with pytest.raises(PullError, match=r"m\.gguf\.part: cannot be written"), grow(store, FILE):
        pass
    assert victim.read_text() == "precious"


def test_a_full_disk_is_told_and_keeps_what_is_there(store: WeightStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """No space left ends the pull with one line, and the next one goes on."""
    real = os.pwrite
    with (
        pytest.raises(PullError, match=r"disk of .*/plain is full after 500 bytes; make room"),
        grow(store, FILE) as part,
    ):
        part.write(MODEL[:500])

        def full(*_: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "pwrite", full)
        part.write(MODEL[500:])
    monkeypatch.setattr(os, "pwrite", real)
    with grow(store, FILE) as part:
        assert part.size == 500


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.one_of(st.integers(1, 4000).map(lambda n: ("write", n)), st.integers(0, 12_000).map(lambda n: ("cut", n))),
        max_size=12,
    )
)
def test_count_and_digest_follow_every_step(
    tmp_path_factory: pytest.TempPathFactory, steps: Sequence[tuple[str, int]]
) -> None:
    """However it is written, cut and checkpointed, the end is the whole file or a refusal."""
    store = make_store(tmp_path_factory.mktemp("w"), checkpoint_bytes=1500, read_bytes=700)
    with grow(store, FILE) as part:
        for step, count in steps:
            if step == "cut":
                part.cut(count)
            elif part.size + count <= len(MODEL):
                part.write(MODEL[part.size : part.size + count])
            else:
                with pytest.raises(SourceFailed):
                    part.write(bytes(count))
        assert bool(part.problem()) == (part.size != len(MODEL))
        part.write(MODEL[part.size :])
        assert part.finish() == sha(MODEL)
    assert (store.folder / "plain" / "m.gguf").read_bytes() == MODEL
