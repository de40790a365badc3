"""Repair: only what is damaged is fetched, nothing wrong gets into place, and what is right is never lost."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import PullError, WeightsBad, WeightsUnreadable
from agent.settings import WeightsSettings
from agent.weights.catalogue import Catalogue, Entry, HubPlace, PackagePlace, WeightFile
from agent.weights.chunks import CHUNK_BYTES, ChunkedDigest, root_of
from agent.weights.progress import SilentReporter
from agent.weights.pull import PulledFile, pull
from agent.weights.repairer import Repairer
from agent.weights.store import WeightStore
from tests.sources_kit import Served, build_wheel, serving
from tests.weights_kit import big_bytes

DATA = big_bytes(4 * CHUNK_BYTES + 1234)
_digest = ChunkedDigest()
_digest.update(DATA)
DIGESTS = _digest.digests()
PLACE = HubPlace("Org/Repo", "main", "m.gguf")
PART = 3 * CHUNK_BYTES // 2
FILE = WeightFile(
    "model",
    "m.gguf",
    bytes=len(DATA),
    sha256=DIGESTS.sha256,
    chunks_sha256=root_of(DIGESTS.chunks),
    hf=PLACE,
    pypi=PackagePlace("parts-{n}", "1.0", "parts_{n}/p.bin", parts=3, part_bytes=PART),
)


class Told(SilentReporter):
    """Keeps the remarks."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def served() -> Served:
    return Served(body=DATA)


@pytest.fixture
def url(served: Served) -> Iterator[str]:
    with serving(served) as address:
        yield address


def make(tmp_path: Path, url: str = "http://127.0.0.1:9", file: WeightFile = FILE, **more: object) -> WeightStore:
    values = {"sources": ("hf",), "hf_url": url, "backoff_seconds": 0, "retries": 1, "spare_bytes": 0, **more}
    entry = Entry("thing", "text", "A thing", "MIT", (file,))
    settings = WeightsSettings.model_validate(values)
    return WeightStore(tmp_path / "w", settings, catalogue=Catalogue((entry,)), box_key=tmp_path / "box.key")


def damaged(store: WeightStore, *at: int, data: bytes = DATA) -> Path:
    """A file that was verified once, and was damaged after that."""
    path = store.folder / "thing" / "m.gguf"
    path.parent.mkdir(parents=True)
    path.write_bytes(DATA)
    assert store.verified("thing")
    spoiled = bytearray(data)
    for place in at:
        spoiled[place] ^= 4
    path.write_bytes(bytes(spoiled))
    return path


def repair(store: WeightStore) -> PulledFile:
    (done,) = pull(store, ["thing"], SilentReporter())
    assert (store.folder / "thing" / "m.gguf").read_bytes() == DATA
    assert store.set_aside() == ()
    assert sorted(item.name for item in (store.folder / "thing").iterdir()) == [".lock", "m.gguf", "m.gguf.chunks.json"]
    return done


def test_only_the_damaged_chunks_are_asked_for(tmp_path: Path, url: str, served: Served) -> None:
    """Two flipped bits in two chunks: two ranges of the hub, the rest is what was here."""
    store = make(tmp_path, url)
    damaged(store, 5, 4 * CHUNK_BYTES + 1)
    with pytest.raises(WeightsBad, match=r"m\.gguf has wrong bytes in 2 of 5 chunks \(number 0, 4\)") as caught:
        store.verified("thing")
    assert caught.value.faults == {"m.gguf": "wrong bytes"}
    done = repair(store)
    assert (done.source, done.mended_chunks) == ("hf", 2)
    assert [asked[1] for asked in served.asked] == [
        f"bytes=0-{CHUNK_BYTES - 1}",
        f"bytes={4 * CHUNK_BYTES}-{len(DATA) - 1}",
    ]
    assert store.verified("thing")


@pytest.mark.parametrize("size", [4 * CHUNK_BYTES, 3 * CHUNK_BYTES + 9, len(DATA) + 50])
def test_a_file_of_another_length_is_repaired(tmp_path: Path, url: str, served: Served, size: int) -> None:
    """Cut short or grown: what stands before is right, and is kept."""
    store = make(tmp_path, url)
    damaged(store, data=(DATA + bytes(50))[:size])
    with pytest.raises(WeightsBad, match=f"is {size} bytes long"):
        store.verified("thing")
    done = repair(store)
    assert done.mended_chunks == max(0, 5 - size // CHUNK_BYTES if size < len(DATA) else 0)
    assert served.sent < 2 * CHUNK_BYTES + 1234


def test_a_stick_gives_chunks(tmp_path: Path) -> None:
    """Also where the first file of that name on it is a wrong one."""
    usb = tmp_path / "usb"
    for folder, data in (("a", bytes(len(DATA))), ("b", DATA)):
        (usb / folder).mkdir(parents=True)
        (usb / folder / "m.gguf").write_bytes(data)
    store = make(tmp_path, sources=("file",), usb_folders=(usb,))
    damaged(store, 2 * CHUNK_BYTES)
    assert repair(store).mended_chunks == 1


def test_packages_give_their_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk that lies over the edge of two packages comes from both, and no third one is downloaded."""
    links = tmp_path / "links"
    for number in (1, 2):
        build_wheel(links, f"parts_{number}", {f"parts_{number}/p.bin": DATA[(number - 1) * PART : number * PART]})
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    store = make(tmp_path, sources=("pypi",))
    damaged(store, CHUNK_BYTES + 7)
    done = repair(store)
    assert (done.source, done.mended_chunks) == ("pypi", 1)


def test_wrong_pieces_never_get_into_place(tmp_path: Path, url: str, served: Served) -> None:
    """A source whose bytes are as wrong as ours: the file stays aside, and the reason is told."""
    store = make(tmp_path, url)
    path = damaged(store, 5)
    served.body = bytes([DATA[0] ^ 1]) + DATA[1:]
    told = Told()
    with pytest.raises(PullError, match="no source could give"):
        pull(store, ["thing"], told)
    assert any("hf: has other bytes there; it is fetched whole" in note for note in told.notes)
    assert not path.exists()
    assert path.with_name("m.gguf.bad").exists()
    assert not path.with_name("m.gguf.mend").exists()


@pytest.mark.parametrize("mood", ["whole files only", "endless", "short"])
def test_a_hub_with_moods_is_survived(tmp_path: Path, url: str, served: Served, mood: str) -> None:
    """No ranges, a flood, a line that breaks: each ends in the whole file or in one line."""
    store = make(tmp_path, url)
    damaged(store, 5)
    if mood == "whole files only":
        served.ranges = False
        assert repair(store).mended_chunks == 0
    elif mood == "short":
        served.drop_after = [100]
        assert repair(store).mended_chunks == 1
    else:
        served.endless = True
        with pytest.raises(PullError):
            pull(store, ["thing"], SilentReporter())


def test_mostly_damaged_is_fetched_whole(tmp_path: Path, url: str, served: Served) -> None:
    """Where most chunks are wrong, one download is better than many."""
    store = make(tmp_path, url)
    damaged(store, *(number * CHUNK_BYTES for number in range(4)))
    assert repair(store).mended_chunks == 0
    assert [asked[1] for asked in served.asked] == [None]


def test_a_forged_note_repairs_nothing(tmp_path: Path, url: str, served: Served) -> None:
    """Chunk digests that do not lead to the pinned root are worth nothing: the file comes whole."""
    store = make(tmp_path, url)
    path = damaged(store, 5)
    note = path.with_name("m.gguf.chunks.json")
    note.write_text(note.read_text().replace(DIGESTS.chunks[0].hex(), "0" * 64))
    assert repair(store).mended_chunks == 0


def test_without_a_pinned_root_this_box_s_own_note_serves(tmp_path: Path, url: str, served: Served) -> None:
    """The first full check writes down the chunks; with that the file is repaired, and without the key it is not."""
    file = WeightFile("model", "m.gguf", bytes=len(DATA), sha256=DIGESTS.sha256, hf=PLACE)
    store = make(tmp_path, url, file)
    damaged(store, 5)
    assert repair(store).mended_chunks == 1
    (store.folder / "thing" / "m.gguf").write_bytes(DATA[:-1] + b"x")
    (tmp_path / "box.key").unlink()
    assert repair(make(tmp_path, url, file)).mended_chunks == 0


def test_a_bad_sector_is_repaired_from_elsewhere(
    tmp_path: Path, url: str, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk does not give one place back, that chunk is fetched and the file is written anew."""
    store = make(tmp_path, url)
    path = damaged(store)
    sick, real = path.stat().st_ino, os.preadv

    def fail(descriptor: int, buffers: list[memoryview], at: int) -> int:
        if at // CHUNK_BYTES == 2 and os.fstat(descriptor).st_ino == sick:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, buffers, at)

    monkeypatch.setattr(os, "preadv", fail)
    with pytest.raises(WeightsUnreadable):
        store.verified("thing")
    assert repair(store).mended_chunks == 1
    assert store.verified("thing")


def test_repair_goes_on_until_the_source_returns(tmp_path: Path, url: str, served: Served) -> None:
    """While the agent runs: nobody answers, then somebody does, and the ladder is told once."""
    served.statuses = [503] * 8
    store = make(tmp_path, url, repair_seconds=0.05, repair_most_seconds=0.1)
    damaged(store, 5)
    with pytest.raises(WeightsBad):
        store.verified("thing")
    back, names = threading.Event(), []

    def repaired(name: str) -> None:
        names.append(name)
        back.set()

    repairer = Repairer(store, repaired).start()
    try:
        assert back.wait(20)
        assert store.verified("thing")
        back.clear()
        (store.folder / "thing" / "m.gguf").unlink()
        repairer.want("thing")
        assert back.wait(20)
    finally:
        repairer.close()
    assert names == ["thing", "thing"]
    assert repairer.last_problem == ""
