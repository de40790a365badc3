"""Loading may begin while verification runs: what is loaded early is exactly what is verified, or it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import InputError, WeightsBad, WeightsMissing
from agent.settings import WeightsSettings
from agent.weights.catalogue import Catalogue, Entry, WeightFile
from agent.weights.chunks import CHUNK_BYTES
from agent.weights.store import WeightStore
from tests.weights_kit import big_bytes, sha

DATA = big_bytes(2 * CHUNK_BYTES + 9)
ENTRY = Entry("thing", "text", "A thing", "MIT", (WeightFile("model", "m", bytes=len(DATA), sha256=sha(DATA)),))


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    made = WeightStore(tmp_path, WeightsSettings(), catalogue=Catalogue((ENTRY,)), box_key=tmp_path / "box.key")
    path = tmp_path / "thing" / "m"
    path.parent.mkdir()
    path.write_bytes(DATA)
    return made


def spoil(store: WeightStore, at: int) -> Path:
    path = store.where("thing")["model"]
    data = bytearray(DATA)
    data[at] ^= 1
    path.write_bytes(bytes(data))
    return path


def test_nothing_is_loaded_early_that_was_never_verified(store: WeightStore) -> None:
    """The first time the outcome is waited for; from then on the chunks are known."""
    first = store.begin("thing")
    assert first.early == {}
    assert not first.same(first.result(30))
    again = store.begin("thing")
    assert again.early["model"].read_bytes() == DATA
    assert again.same(again.result(30))


def test_a_bad_beginning_is_not_loaded_and_a_bad_end_does_not_answer(store: WeightStore) -> None:
    """What a parser would read first is right before it may; the rest decides whether it may answer."""
    store.verified("thing")
    spoil(store, 70)
    begun = store.begin("thing")
    assert begun.early == {}
    with pytest.raises(WeightsBad):
        begun.result(30)
    spoil(store, len(DATA) - 1)
    begun = store.begin("thing")
    assert set(begun.early) == {"model"}
    with pytest.raises(WeightsBad):
        begun.result(30)


def test_a_swap_between_load_and_check_is_told(store: WeightStore) -> None:
    """A good file put in the place of the one that was loaded verifies, and is another one."""
    store.verified("thing")
    path = store.where("thing")["model"]
    begun = store.begin("thing")
    files = begun.result(30)
    assert begun.same(files)
    path.with_name("new").write_bytes(DATA)
    path.with_name("new").replace(path)
    assert not begun.same(store.verified("thing"))
    begun = store.begin("thing")
    with path.open("r+b") as file:
        file.write(DATA[:1])
    assert not begun.same(begun.result(30)), "written to while it was loaded"


def test_errors_come_with_the_outcome(store: WeightStore) -> None:
    """A missing file is no error of the beginning; an unknown name is."""
    store.where("thing")["model"].unlink()
    begun = store.begin("thing")
    assert begun.early == {}
    with pytest.raises(WeightsMissing):
        begun.result(30)
    with pytest.raises(InputError):
        store.begin("nothing")
