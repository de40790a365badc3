"""Weights of an update go through the weight store: the version before answers until the new one has proved itself."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from agent.env import Env, load_env
from agent.errors import ModelError
from agent.settings import Settings
from agent.updates.catalogue import ENTRY_FILE, updated_catalogue
from agent.updates.health import try_weights
from agent.updates.items import Kind, Outcome
from agent.updates.receivers import Receiver
from agent.updates.trust import pin_root
from agent.updates.update import Updates
from agent.updates.weights import WeightsReceiver
from agent.weights.catalogue import Entry, read_catalogue
from agent.weights.progress import SilentReporter
from agent.weights.pull import pull
from agent.weights.store import WeightStore
from deploy.release.repository import NewTarget
from tests.updates_kit import SETTINGS, Maker
from tests.weights_kit import CATALOGUE, MODEL, lend, make_store, sha

NEW = b"newer model bytes" * 1000


class Desk(Maker):
    """Offers weights."""

    def weights(self, name: str, version: str, data: bytes, *, entry: str = "", file: str = "m.gguf") -> None:
        source = self.folder.parent / f"{name}-{version}"
        source.mkdir(exist_ok=True)
        (source / file).write_bytes(data)
        custom = {"kind": "weights", "name": name, "version": version}
        new = [NewTarget(source / file, f"weights/{name}/{file}", custom)]
        if entry:
            (source / ENTRY_FILE).write_text(entry, encoding="utf-8")
            new.append(NewTarget(source / ENTRY_FILE, f"weights/{name}/{ENTRY_FILE}", custom))
        self.at().publish(self.signers, add=new, drop=[f"weights/{name}/"])


def described(entry: str, data: bytes, **more: object) -> str:
    """A catalogue's entry, as text."""
    file = {"role": "model", "name": "m.gguf", "bytes": len(data), "sha256": sha(data), **more}
    lines = "\n".join(f"{key} = {value!r}" for key, value in file.items())
    return f"[[entry]]\nname = '{entry}'\nkind = 'text'\ntitle = 'New'\nlicense = 'MIT'\n[[entry.file]]\n{lines}\n"


class Box:
    """One with a weight store."""

    def __init__(self, folder: Path, desk: Desk) -> None:
        self.made = make_store(folder)
        self.store = WeightStore(self.made.folder, self.made.settings, catalogue=CATALOGUE, box_key=folder / "box.key")
        self.folder = folder / "updates"
        self.problem = ""
        self.tried: list[str] = []
        self.desk = desk
        pin_root(desk.folder / "root.json", self.folder, replace=False, max_bytes=500_000)

    def update(self, *names: str) -> list[Outcome]:
        receiver = WeightsReceiver(
            self.store,
            self.folder,
            self.store.folder.parent / "box.key",
            self._health,
            SilentReporter(),
            base=CATALOGUE,
        )
        receivers: dict[Kind, Receiver] = {"weights": receiver}
        updates = Updates(self.folder, Settings.model_validate({"updates": SETTINGS}), receivers)
        return updates.update(str(self.desk.folder), SilentReporter(), names)

    def answers(self, name: str = "plain") -> bytes:
        """The bytes that a model would be loaded from, after a restart."""
        catalogue = updated_catalogue(self.folder, CATALOGUE)
        box_key = self.store.folder.parent / "box.key"
        store = WeightStore(self.store.folder, self.store.settings, catalogue=catalogue, box_key=box_key)
        with closing(store.verified(name)) as files:
            return files["model"].read_bytes()

    def _health(self, store: WeightStore, entry: Entry) -> str:
        self.tried.append(entry.files[0].sha256)
        if self.problem == "raise":
            raise ModelError("does not load")
        return self.problem


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "repo")


@pytest.fixture
def box(tmp_path: Path, desk: Desk) -> Box:
    """With the first version of `plain` in use."""
    box = Box(tmp_path / "box", desk)
    lend(box.store, "m.gguf", MODEL)
    pull(box.store, ["plain"], SilentReporter())
    return box


def test_a_stick_brings_weights_to_a_box_that_has_none(tmp_path: Path, desk: Desk) -> None:
    """What the catalogue knows needs no entry; it comes only when it is named."""
    desk.weights("plain", "1", MODEL)
    box = Box(tmp_path / "empty", desk)
    assert [done.state for done in box.update()] == ["not chosen"]
    assert [done.state for done in box.update("plain")] == ["installed"]
    assert box.answers() == MODEL
    assert [done.state for done in box.update()] == ["here"]


def test_a_new_version_takes_over_and_the_old_one_is_kept(box: Box, desk: Desk) -> None:
    """The release brings its catalogue entry; after a restart the new version answers."""
    desk.weights("plain", "2", NEW, entry=described("plain", NEW))
    (done,) = box.update()
    assert (done.state, done.was) == ("installed", sha(MODEL)[:12])
    assert box.answers() == NEW
    assert (box.store.folder / "plain" / "previous" / "m.gguf").read_bytes() == MODEL
    assert [done.state for done in box.update()] == ["here"]
    assert box.tried == [sha(NEW)]


@pytest.mark.parametrize("problem", ["answers in Latin", "raise"])
def test_a_version_that_does_not_work_leaves_the_one_before(box: Box, desk: Desk, problem: str) -> None:
    """It verifies and it fails: the version before answers, also after a restart, and it is not tried again."""
    desk.weights("plain", "2", NEW, entry=described("plain", NEW))
    box.problem = problem
    (done,) = box.update()
    assert done.state == "kept"
    assert "the version before answers" in done.problem
    assert box.answers() == MODEL
    assert [done.state for done in box.update()] == ["held back"]
    assert len(box.tried) == 1
    desk.weights("plain", "3", NEW + b"!", entry=described("plain", NEW + b"!"))
    box.problem = ""
    assert [done.state for done in box.update()] == ["installed"]
    assert box.answers() == NEW + b"!"


def test_weights_that_were_never_here_and_do_not_work_are_forgotten(tmp_path: Path, desk: Desk) -> None:
    """Nothing answered under that name before, so nothing is lost."""
    desk.weights("fresh", "1", NEW, entry=described("fresh", NEW))
    box = Box(tmp_path / "empty", desk)
    box.problem = "says nothing"
    (done,) = box.update("fresh")
    assert done.state == "kept"
    assert "fresh" not in [entry.name for entry in updated_catalogue(box.folder, CATALOGUE).entries]


def test_an_update_that_is_cut_off_goes_on(box: Box, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Power goes after the new entry counts and before the new files are here: the old version answers meanwhile."""
    desk.weights("plain", "2", NEW, entry=described("plain", NEW))

    class Down(BaseException):
        pass

    def down(*_: object, **__: object) -> None:
        raise Down

    with monkeypatch.context() as patch, pytest.raises(Down):
        patch.setattr("agent.updates.weights.pull", down)
        box.update()
    assert box.answers() == MODEL
    assert [done.state for done in box.update()] == ["installed"]
    assert box.answers() == NEW


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "[[entry]]",
        "not toml [",
        described("other", NEW),
        described("plain", NEW, name="../../m.gguf"),
        described("plain", NEW, sha256=""),
        described("plain", NEW, name="other.gguf"),
        described("plain", NEW).replace("[[entry.file]]", "[entry.file]"),
    ],
)
def test_an_entry_that_does_not_fit_changes_nothing(box: Box, desk: Desk, entry: str) -> None:
    """Signed nonsense is one line, and the version in use stays."""
    desk.weights("plain", "2", NEW, entry=entry)
    (done,) = box.update()
    assert done.state == "failed"
    assert "made again" in done.problem or "made with its entry" in done.problem
    assert "\n" not in done.problem
    assert box.answers() == MODEL


def test_a_newer_program_brings_its_own_entry_back(box: Box, desk: Desk) -> None:
    """An update's entry stands in for the one that was packaged then; the files that are here answer meanwhile."""
    desk.weights("plain", "2", NEW, entry=described("plain", NEW))
    box.update()
    packaged = read_catalogue(described("plain", b"newest"))
    assert updated_catalogue(box.folder, packaged) == packaged
    box_key = box.store.folder.parent / "box.key"
    store = WeightStore(box.store.folder, box.store.settings, catalogue=packaged, box_key=box_key)
    with closing(store.verified("plain")) as files:
        assert files["model"].read_bytes() in (MODEL, NEW)


def test_what_lies_in_the_catalogue_folder_and_is_none_is_passed_over(box: Box) -> None:
    """A damaged file there does not take the packaged catalogue away."""
    folder = box.folder / "catalogue"
    folder.mkdir()
    (folder / "plain.toml").write_bytes(b"\xff\xfe")
    (folder / "x.toml").write_text("entry = 3")
    assert updated_catalogue(box.folder, CATALOGUE) == CATALOGUE


def test_the_packaged_catalogue_is_what_a_fresh_box_knows(env: Env) -> None:
    """Without updates nothing is different."""
    assert env.weights.catalogue == load_env({"WATCHKEEPER_HOME": str(env.home.folder)}).weights.catalogue


@pytest.mark.weights
def test_a_real_model_is_tried(weights_env: Env) -> None:
    """The smallest model loads and says something; other weights need only verify."""
    catalogue = weights_env.weights.catalogue
    assert try_weights(weights_env, weights_env.weights, catalogue.entry("ocr-tiny")) == ""
    assert try_weights(weights_env, weights_env.weights, catalogue.entry("qwen2.5-0.5b")) == ""
