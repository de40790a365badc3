"""The folder of weights: nothing unverified is used, nothing bad stays in place, a pull never harms what is there."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import json
import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from agent.errors import InputError, PullError, WeightsBad, WeightsMissing
from agent.settings import Settings, WeightsSettings
from agent.weights.catalogue import Catalogue, Entry, WeightFile, load_catalogue, read_catalogue
from agent.weights.commands import commands
from agent.weights.partial import Partial, SourceFailed
from agent.weights.progress import BarReporter, LineReporter, SilentReporter, choose_reporter
from agent.weights.pull import pull
from agent.weights.store import WeightStore

MODEL, EYE, BIG_EYE = b"model bytes" * 1000, b"projector" * 500, b"projector, larger" * 500


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def weight(role: str, name: str, data: bytes, stands_for: str = "") -> WeightFile:
    return WeightFile(role, name, bytes=len(data), sha256=sha(data), stands_for=stands_for)


SEES = Entry(
    "sees",
    "vision",
    "Sees",
    "MIT",
    (
        weight("model", "m.gguf", MODEL),
        weight("mmproj", "p.gguf", EYE),
        weight("mmproj-f16", "f.gguf", BIG_EYE, "mmproj"),
    ),
    ram_bytes=1,
)
TEXT = Entry("plain", "text", "Plain", "MIT", (weight("model", "m.gguf", MODEL),))
OPEN = Entry("open", "embedding", "Open", "MIT", (WeightFile("model", "open.bin", about_bytes=20),))
CATALOGUE = Catalogue((SEES, TEXT, OPEN))


def make_store(tmp_path: Path, **more: object) -> WeightStore:
    values = {"usb_folders": (tmp_path / "usb",), "spare_bytes": 0, "sources": ("file",), **more}
    return WeightStore(tmp_path / "weights", WeightsSettings.model_validate(values), catalogue=CATALOGUE)


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return make_store(tmp_path)


def put(store: WeightStore, name: str, data: bytes) -> Path:
    path = store.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def lend(store: WeightStore, name: str, data: bytes) -> None:
    """Lay a file on the stick."""
    (usb,) = store.settings.usb_folders
    (usb / name).parent.mkdir(parents=True, exist_ok=True)
    (usb / name).write_bytes(data)


# The catalogue


def test_the_packaged_catalogue_is_whole() -> None:
    """Every file is pinned, named once in its entry, and can be had from somewhere."""
    catalogue = load_catalogue()
    names = [entry.name for entry in catalogue.entries]
    assert names == [
        "qwen3-vl-4b",
        "qwen3-vl-2b",
        "qwen2.5-1.5b",
        "qwen2.5-0.5b",
        "ocr-small",
        "ocr-tiny",
        "asr-base",
        "tts-zh",
        "embed",
    ]
    for entry in catalogue.entries:
        for attribute in ("role", "name"):
            values = [getattr(file, attribute) for file in entry.files]
            assert len(set(values)) == len(values)
        for file in entry.files:
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
            assert file.size > 0
            assert file.name == Path(file.name).name
            assert file.pypi or file.hf or file.modelscope
            assert not file.stands_for or file.stands_for in {other.role for other in entry.required}
    digests = [file.sha256 for entry in catalogue.entries for file in entry.files]
    assert len(set(digests)) == len(digests)


def test_parts_add_up() -> None:
    """The parts of a file cover it exactly: all but the last are full, the last is not empty and not larger."""
    for entry in load_catalogue().entries:
        for file in entry.files:
            if file.pypi and file.pypi.parts > 1:
                last = file.bytes - (file.pypi.parts - 1) * file.pypi.part_bytes
                assert 0 < last <= file.pypi.part_bytes
                assert file.pypi.requirement(0) != file.pypi.requirement(1)


def test_the_readers_have_their_roles() -> None:
    """The panel parser and the models find their files by these roles."""
    catalogue = load_catalogue()
    for name in ("ocr-small", "ocr-tiny"):
        assert [file.role for file in catalogue.entry(name).required] == ["det", "rec", "det-config", "rec-config"]
    for model in catalogue.chat_models:
        assert {file.role for file in model.required} == ({"model", "mmproj"} if model.kind == "vision" else {"model"})


def test_unknown_names_are_answered_with_the_nearest() -> None:
    """A slip of the finger is one clear line."""
    with pytest.raises(PullError, match=r"qwen2\.5-1b: no such weights; did you mean qwen2\.5-"):
        load_catalogue().entry("qwen2.5-1b")
    with pytest.raises(PullError, match=r"gpt: no such weights; known are qwen3-vl-4b, "):
        load_catalogue().entry("gpt")


def test_an_entry_may_name_every_source() -> None:
    """The form of the file, as a new entry would be written."""
    catalogue = read_catalogue(
        """
        [[entry]]
        name = "x"
        kind = "text"
        title = "X"
        license = "MIT"
        [[entry.file]]
        role = "model"
        name = "x.gguf"
        pypi = { package = "x-{n}", version = "1", member = "x_{n}/p{n:02d}", parts = 2, part_bytes = 10 }
        hf = { repo = "o/x", revision = "main", path = "x.gguf" }
        """
    )
    file = catalogue.entry("x").files[0]
    assert file.pypi is not None
    assert (file.pypi.requirement(1), file.pypi.path(1)) == ("x-2==1", "x_2/p02")
    assert file.hf is not None
    assert file.modelscope is None


# Verifying


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
        (b"", f"is 0 bytes long, not {len(MODEL)}"),
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
        (lambda: path.symlink_to(store.folder / "gone"), "cannot be read: No such file or directory"),
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


def test_a_file_that_cannot_be_read_is_set_aside(store: WeightStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing disk is a reason like any other."""
    put(store, "plain/m.gguf", MODEL)

    def fail(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "preadv", fail)
    with pytest.raises(WeightsBad, match="cannot be read: Input/output error"):
        store.verified("plain")
    assert store.set_aside()[0].reason == "cannot be read: Input/output error"


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


# The growing file


def grow(store: WeightStore, file: WeightFile) -> Partial:
    folder = store.folder / "plain"
    folder.mkdir(parents=True, exist_ok=True)
    return Partial(folder / file.name, file, store.settings)


FILE = TEXT.files[0]


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


# Pulling


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
    assert sorted(path.name for path in (store.folder / "plain").iterdir()) == [".lock", "m.gguf"]


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


# Progress


def test_lines_are_few_and_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """A log gets about ten lines a file, whatever the number of pieces."""
    with LineReporter() as reporter:
        reporter.started("plain/m.gguf", 200_000_000, 0)
        for done in range(0, 200_000_001, 100_000):
            reporter.moved(done)
    out, err = capsys.readouterr()
    assert out == ""
    assert 10 <= len(err.splitlines()) <= 12
    assert "plain/m.gguf: 200.0 MB of 200.0 MB" in err


def test_a_bar_shows_bytes(tmp_path: Path) -> None:
    """On a terminal there is one bar a file, and remarks stand above it."""
    shown = io.StringIO()
    with BarReporter(Console(file=shown, force_terminal=True, width=100)) as reporter:
        reporter.moved(1)
        reporter.started("plain/m.gguf", 200_000_000, 50_000_000)
        reporter.note("a remark about [this]")
        reporter.moved(200_000_000)
    assert "plain/m.gguf" in shown.getvalue()
    assert "200.0/200.0 MB" in shown.getvalue()
    assert "a remark about [this]" in shown.getvalue()


def test_no_terminal_means_lines() -> None:
    """Captured output is no terminal."""
    assert isinstance(choose_reporter(), LineReporter)


# The command line


def run(store: WeightStore, *arguments: str) -> tuple[str, BaseException | None]:
    """What a command prints on stdout, and the error that ends it."""
    env = SimpleNamespace(weights=store, settings=Settings(weights=store.settings))
    result = CliRunner().invoke(commands(), list(arguments), obj=env)
    return result.stdout, None if isinstance(result.exception, SystemExit) else result.exception


def test_list_shows_the_packaged_catalogue(tmp_path: Path) -> None:
    """One line an entry, for people and as JSON."""
    store = WeightStore(tmp_path, WeightsSettings())
    text, error = run(store, "list")
    assert error is None
    assert len(text.splitlines()) == len(store.catalogue.entries)
    rows = [json.loads(line) for line in run(store, "list", "--json")[0].splitlines()]
    assert [row["name"] for row in rows] == [entry.name for entry in store.catalogue.entries]
    assert not any(row["present"] for row in rows)


def test_list_tells_of_pins_and_of_what_was_set_aside(store: WeightStore) -> None:
    """What is out of the ordinary stands in the list."""
    lend(store, "open.bin", b"first seen like this")
    pull(store, ["open"], SilentReporter())
    put(store, "plain/m.gguf", b"bad")
    with pytest.raises(WeightsBad):
        store.verified("plain")
    text, _ = run(store, "list")
    assert "pinned by its first pull" in text
    assert f"plain/m.gguf set aside: is 3 bytes long, not {len(MODEL)}" in text
    rows = {row["name"]: row for row in map(json.loads, run(store, "list", "--json")[0].splitlines())}
    assert rows["plain"]["set_aside"][0]["file"] == "plain/m.gguf"
    assert rows["open"]["files"]["model"]["pinned_at"]


def test_pull_verify_where(store: WeightStore) -> None:
    """The way of a file through the three commands."""
    lend(store, "m.gguf", MODEL)
    pulled = json.loads(run(store, "pull", "plain", "--json")[0])
    assert pulled["files"][0]["source"] == "file"
    assert "was here" in run(store, "pull", "plain")[0]
    assert json.loads(run(store, "verify", "--json")[0])["ok"]
    assert run(store, "where")[0].strip() == str(store.folder)
    assert json.loads(run(store, "where", "plain", "--json")[0])["files"]["model"]["state"] == "present"
    assert str(store.folder / "plain" / "m.gguf") in run(store, "where", "plain")[0]


def test_verify_ends_with_the_exit_code_of_bad_weights(store: WeightStore) -> None:
    """Every entry is looked at, then the command fails with code 3."""
    put(store, "plain/m.gguf", b"bad"), put(store, "sees/m.gguf", MODEL), put(store, "sees/p.gguf", EYE)
    text, error = run(store, "verify", "--json")
    assert isinstance(error, WeightsBad)
    assert error.exit_code == 3
    assert {row["name"]: row["ok"] for row in map(json.loads, text.splitlines())} == {"sees": True, "plain": False}
    assert isinstance(run(store, "verify", "plain")[1], WeightsMissing)


def test_pull_fails_with_exit_code_two(store: WeightStore) -> None:
    """A pull that cannot be done is the person's to mend."""
    for arguments in (["pull", "plain"], ["pull", "nonsense"]):
        error = run(store, *arguments)[1]
        assert isinstance(error, PullError)
        assert error.exit_code == 2


@pytest.mark.parametrize("command", ["list", "pull", "verify", "where"])
def test_help_has_an_example(command: str) -> None:
    """Each command shows how it is called."""
    app = commands()
    assert isinstance(app, typer.Typer)
    assert f"Example: watchkeeper weights {command}" in CliRunner().invoke(app, [command, "--help"]).stdout


@pytest.mark.weights
def test_the_real_small_weights_verify() -> None:
    """What the tests run on is what the catalogue names."""
    home = Path(os.environ.get("WATCHKEEPER_HOME") or Path.home() / ".local" / "share" / "watchkeeper")
    store = WeightStore(home / "weights", WeightsSettings())
    assert set(store.verified("ocr-small")) == {"det", "rec", "det-config", "rec-config"}
    assert set(store.verified("qwen2.5-0.5b")) == {"model"}
