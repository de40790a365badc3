"""An update brings the new version in use, or leaves the last good one; whatever happens in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from agent.errors import UpdateError, UpdateOffline, UpdateRefused
from agent.updates import staging
from agent.weights.progress import SilentReporter
from tests.updates_kit import KILLED, Box, Maker, Modules, served

OLD, NEW = b"old bundle" * 100, b"new bundle!" * 5_000


@pytest.fixture(scope="module")
def desk_once(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    desk = Maker(tmp_path_factory.mktemp("desk") / "repo")
    desk.offer("vibration", "2", NEW)
    desk.offer("gauge", "1", b"gauge")
    return desk


@pytest.fixture
def modules() -> Modules:
    return Modules(vibration=("1", OLD))


@pytest.fixture
def box(tmp_path: Path, desk_once: Maker, modules: Modules) -> Box:
    return Box(tmp_path / "updates", desk_once.folder / "root.json", modules)


@pytest.fixture(params=["folder", "web"])
def place(request: pytest.FixtureRequest, desk_once: Maker) -> Iterator[str]:
    """The same repository on a stick and on a server."""
    if request.param == "folder":
        yield str(desk_once.folder)
    else:
        with served(desk_once.folder) as url:
            yield url


def test_an_update_brings_what_is_newer_and_is_then_done(box: Box, modules: Modules, place: str) -> None:
    """What this box uses is brought up to date; what it has none of is left; a second update finds nothing to do."""
    assert box.check(place) == {"vibration": "available", "gauge": "not chosen"}
    assert box.update(place) == {"vibration": "installed", "gauge": "not chosen"}
    assert modules.in_use == {"vibration": ("2", NEW)}
    assert box.update(place) == {"vibration": "here", "gauge": "not chosen"}
    assert modules.taken == 1
    assert not list((box.folder / "staging").rglob("*.whl"))


def test_what_is_named_comes_though_the_box_had_none(box: Box, modules: Modules, place: str) -> None:
    """A name brings that and nothing else."""
    assert box.update(place, "gauge") == {"gauge": "installed"}
    assert modules.in_use == {"vibration": ("1", OLD), "gauge": ("1", b"gauge")}


def test_a_name_that_is_not_offered_is_said(box: Box, place: str) -> None:
    """The line names what there is."""
    with pytest.raises(UpdateError, match="pump: not offered; offered are gauge, vibration"):
        box.update(place, "pump")


def test_a_version_that_fails_is_held_back_until_it_is_named(box: Box, modules: Modules, place: str) -> None:
    """The last good stays; a timer does not try the same again, a person may."""
    modules.sick = {"2"}
    (first, _) = sorted(box.updates.update(place, SilentReporter()), key=lambda done: done.name, reverse=True)
    assert (first.state, first.was, first.problem) == ("kept", "1", "golden call 1 answers nothing")
    assert modules.in_use["vibration"] == ("1", OLD)
    assert box.update(place)["vibration"] == "held back"
    assert modules.taken == 1
    modules.sick = set()
    assert box.update(place, "vibration") == {"vibration": "installed"}


def test_a_version_that_takes_the_box_down_is_held_back(box: Box, modules: Modules, place: str) -> None:
    """Power that goes each time while a version is put in use is its fault after the third time."""

    class Down(BaseException):
        pass

    def down(*_: object) -> None:
        raise Down

    working = modules.put_in_use
    modules.put_in_use = down  # type: ignore[method-assign]
    for _ in range(3):
        with pytest.raises(Down):
            box.update(place)
    assert box.update(place)["vibration"] == "held back"
    modules.put_in_use = working  # type: ignore[method-assign]
    assert box.update(place, "vibration") == {"vibration": "installed"}


def test_a_broken_connection_goes_on_where_it_was(desk_once: Maker, box: Box, modules: Modules) -> None:
    """Bytes that came are not asked for again."""
    asked: list[str] = []

    def breaks(handler: BaseHTTPRequestHandler, data: bytes) -> bool:
        if not handler.path.endswith(".whl"):
            return False
        asked.append(handler.headers.get("Range", ""))
        if len(asked) > 2:
            return False
        at = int(asked[-1][6:-1] or 0) if asked[-1] else 0
        handler.send_response(206 if at else 200)
        if at:
            handler.send_header("Content-Range", f"bytes {at}-{len(data) - 1}/{len(data)}")
        handler.send_header("Content-Length", str(len(data) - at))
        handler.end_headers()
        handler.wfile.write(data[at : at + 20_000])
        handler.wfile.flush()
        handler.connection.close()
        return True

    with served(desk_once.folder, breaks) as url:
        assert box.update(url)["vibration"] == "installed"
    assert asked == ["", "bytes=20000-", "bytes=40000-"]
    assert modules.in_use["vibration"] == ("2", NEW)


def test_a_server_without_ranges_starts_again(desk_once: Maker, box: Box, modules: Modules) -> None:
    """What was there is thrown away, and the file is right."""
    part = box.folder / "staging/module/vibration/2/vibration-2-py3-none-any.whl.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(NEW[:1000])

    def whole(handler: BaseHTTPRequestHandler, data: bytes) -> bool:
        del handler.headers["Range"]
        return False

    with served(desk_once.folder, whole) as url:
        assert box.update(url)["vibration"] == "installed"
    assert modules.in_use["vibration"] == ("2", NEW)


def test_one_update_at_a_time(box: Box, modules: Modules, place: str) -> None:
    """The second is told so at once."""
    begun, may_end = threading.Event(), threading.Event()
    working = modules.put_in_use

    def slow(*arguments: object) -> None:
        begun.set()
        may_end.wait(10)
        working(*arguments)  # type: ignore[arg-type]

    modules.put_in_use = slow  # type: ignore[method-assign]
    thread = threading.Thread(target=box.update, args=(place,))
    thread.start()
    assert begun.wait(10)
    with pytest.raises(UpdateError, match="another update is running"):
        box.check(place)
    may_end.set()
    thread.join()
    assert modules.in_use["vibration"] == ("2", NEW)


def test_no_room_is_said_before_the_first_byte(
    box: Box, place: str, monkeypatch: pytest.MonkeyPatch, modules: Modules
) -> None:
    """What is missing is named, and nothing is fetched."""
    monkeypatch.setattr("agent.updates.update.free_bytes", lambda folder: 50_000)
    with pytest.raises(UpdateError, match=r"of disk are missing in .*make room"):
        box.update(place)
    assert not list((box.folder / "staging").rglob("*.whl*"))
    assert modules.version("vibration") == "1"


def test_a_disk_that_is_full_keeps_what_came(box: Box, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says what to do; the next update ends what this one began."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", _full)
        with pytest.raises(UpdateError, match="make room and update again"):
            box.update(place)
    assert box.update(place)["vibration"] == "installed"


def test_a_damaged_file_in_staging_is_fetched_again(box: Box, modules: Modules, place: str) -> None:
    """What the disk lost since it was verified is not handed on."""
    staged = box.folder / "staging/module/vibration/2/vibration-2-py3-none-any.whl"
    staged.parent.mkdir(parents=True)
    staged.write_bytes(NEW[:-1] + b"?")
    assert box.update(place)["vibration"] == "installed"
    assert modules.in_use["vibration"] == ("2", NEW)


def test_what_no_release_wants_leaves_the_staging(box: Box, place: str) -> None:
    """Staged files of an earlier release give their disk back."""
    old = box.folder / "staging/module/vibration/1.5/x.whl.part"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"x")
    box.update(place)
    assert not old.exists()


@pytest.mark.parametrize("where", ["", "/no/such/folder", "ftp://10.0.0.1/x", "http://[::1", "https://"])
def test_a_place_that_is_none_is_one_line(box: Box, where: str) -> None:
    """Whatever is given as a place, the line says what to do."""
    with pytest.raises(UpdateError) as told:
        box.update(where)
    assert "\n" not in str(told.value)


def test_nobody_answers(box: Box) -> None:
    """Offline is its own error, so that a timer can keep quiet."""
    with pytest.raises(UpdateOffline, match="cannot be reached"):
        box.check("http://127.0.0.1:9")


def test_a_damaged_memory_is_learnt_again(box: Box, place: str) -> None:
    """Files that a power cut left empty or wrong, of what this box knew, do not stop an update."""
    box.check(place)
    for content in (b"", b"{}", b"\xff"):
        for file in (box.folder / "metadata").rglob("*.json"):
            if not file.is_symlink():
                file.write_bytes(content)
        assert box.check(place)["vibration"] == "available"


def test_a_damaged_root_is_said(box: Box, place: str) -> None:
    """It is the box's own file that is wrong, not the repository."""
    (box.folder / "root.json").write_bytes(b"{}")
    with pytest.raises(UpdateError, match="the pinned root is damaged; pin it again"):
        box.check(place)


def test_signed_metadata_has_a_time_for_all_of_it(
    tmp_path: Path, desk_once: Maker, modules: Modules, place: str
) -> None:
    """A place that gives every file just in time is given up all the same."""
    box = Box(tmp_path / "hasty", desk_once.folder / "root.json", modules, metadata_seconds=0)
    with pytest.raises(UpdateError, match="the signed metadata took longer than 0 s; try again later or use a stick"):
        box.check(place)


def test_without_a_pinned_root_nothing_is_trusted(tmp_path: Path, modules: Modules, place: str) -> None:
    """A box that was told nothing believes nobody."""
    with pytest.raises(UpdateError, match="watchkeeper update trust FILE"):
        Box(tmp_path / "fresh", None, modules).update(place)


def test_another_root_is_pinned_only_on_purpose(tmp_path: Path, box: Box, desk_once: Maker, modules: Modules) -> None:
    """A second root needs --replace; after that the first repository is refused."""
    other = Maker(tmp_path / "other")
    root = other.folder / "root.json"
    with pytest.raises(UpdateError, match="add --replace"):
        Box(box.folder, root, modules)
    box.check(desk_once.folder)
    (box.folder / "root.json").write_bytes(root.read_bytes())
    with pytest.raises(UpdateRefused, match="not signed by enough"):
        box.check(desk_once.folder)


@pytest.mark.parametrize("point", [1, 8, 15, 22, 29, 36])
def test_a_kill_at_any_point_leaves_the_last_good(
    tmp_path: Path, desk_once: Maker, modules: Modules, point: int
) -> None:
    """Killed at a write, the old version is in use or the new one is, whole; and the next update ends it."""
    folder = tmp_path / "updates"
    folder.mkdir()
    (folder / "in-use").write_bytes(OLD)
    run = [sys.executable, "-c", KILLED, str(folder), str(desk_once.folder), str(point)]
    code = subprocess.run(run, check=False, timeout=60).returncode
    assert code in (0, -signal.SIGKILL)
    assert (folder / "in-use").read_bytes() in (OLD, NEW)
    assert Box(folder, desk_once.folder / "root.json", modules).update(desk_once.folder)["vibration"] == "installed"
    assert modules.in_use["vibration"] == ("2", NEW)


def test_free_disk_is_asked_of_the_nearest_folder(tmp_path: Path) -> None:
    """Also for a folder that is yet to be made."""
    assert staging.free_bytes(tmp_path / "a" / "b") > 0


def _full(*_: object) -> int:
    raise OSError(28, "No space left on device")
