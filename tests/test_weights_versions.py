"""The version before: kept by a pull, in use until the new one is whole, and after the new one fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.errors import PullError, WeightsBad, WeightsMissing
from agent.settings import WeightsSettings
from agent.weights.catalogue import Catalogue, Entry
from agent.weights.progress import SilentReporter
from agent.weights.pull import pull
from agent.weights.store import WeightStore
from tests.weights_kit import EYE, MODEL, weight

NEW_MODEL, NEW_EYE = b"newer model bytes" * 900, EYE[:-1] + b"!"


def catalogue(model: bytes, eye: bytes) -> Catalogue:
    return Catalogue(
        (Entry("sees", "vision", "Sees", "MIT", (weight("model", "m", model), weight("mmproj", "p", eye))),)
    )


def store_of(tmp_path: Path, known: Catalogue, **more: object) -> WeightStore:
    values = {"usb_folders": (tmp_path / "usb",), "sources": ("file",), "spare_bytes": 0, **more}
    settings = WeightsSettings.model_validate(values)
    return WeightStore(tmp_path / "weights", settings, catalogue=known, box_key=tmp_path / "box.key")


def lend(tmp_path: Path, model: bytes | None, eye: bytes | None) -> None:
    (tmp_path / "usb").mkdir(exist_ok=True)
    for name, data in (("m", model), ("p", eye)):
        (tmp_path / "usb" / name).unlink(missing_ok=True)
        if data is not None:
            (tmp_path / "usb" / name).write_bytes(data)


@pytest.fixture
def newer(tmp_path: Path) -> WeightStore:
    """A box that runs the old version, and a program that knows a new one."""
    lend(tmp_path, MODEL, EYE)
    pull(store_of(tmp_path, catalogue(MODEL, EYE)), ["sees"], SilentReporter())
    return store_of(tmp_path, catalogue(NEW_MODEL, NEW_EYE))


def contents(store: WeightStore) -> tuple[bytes, bytes]:
    files = store.verified("sees")
    assert files.held("model").read_bytes() == files["model"].read_bytes()
    return files["model"].read_bytes(), files["mmproj"].read_bytes()


OLD, NEW = (MODEL, EYE), (NEW_MODEL, NEW_EYE)


def test_a_sound_file_of_an_earlier_version_is_no_bad_file(newer: WeightStore) -> None:
    """After an update of the program the old weights answer, are called what they are, and stay."""
    assert newer.present() == ("sees",)
    assert contents(newer) == OLD
    assert "m is sound, and of an earlier version" in newer.verified("sees").previous
    assert newer.set_aside() == ()
    assert {file.state for file in newer.status("sees").files} <= {"earlier version", "present"}


def test_a_damaged_earlier_version_is_not_used(newer: WeightStore) -> None:
    """What this box wrote down about it is held against it."""
    (newer.folder / "sees" / "m").write_bytes(MODEL[:-1] + b"x")
    with pytest.raises(WeightsBad):
        newer.verified("sees")


def test_another_box_s_word_counts_nothing(newer: WeightStore, tmp_path: Path) -> None:
    """Without this box's key nobody knows what the old version should be."""
    (tmp_path / "box.key").unlink()
    stranger = store_of(tmp_path, newer.catalogue)
    with pytest.raises(WeightsBad):
        stranger.verified("sees")


def test_the_old_set_answers_until_the_new_one_is_whole(newer: WeightStore, tmp_path: Path) -> None:
    """Half of a pull never mixes versions."""
    lend(tmp_path, NEW_MODEL, None)
    with pytest.raises(PullError):
        pull(newer, ["sees"], SilentReporter())
    assert (newer.folder / "sees" / "m").read_bytes() == NEW_MODEL
    assert contents(newer) == OLD
    with pytest.raises(PullError):
        pull(newer, ["sees"], SilentReporter())
    assert contents(newer) == OLD, "a second half of a pull does not take the first one's file for the old version's"
    lend(tmp_path, NEW_MODEL, NEW_EYE)
    pull(newer, ["sees"], SilentReporter())
    assert contents(newer) == NEW
    assert newer.verified("sees").previous == ""


def test_a_new_version_that_turns_bad_falls_back(newer: WeightStore, tmp_path: Path) -> None:
    """Last good is kept: one flipped bit in the new one, and the old one answers and says why."""
    lend(tmp_path, *NEW)
    pull(newer, ["sees"], SilentReporter())
    (newer.folder / "sees" / "m").write_bytes(NEW_MODEL[:-1] + b"x")
    files = newer.verified("sees")
    assert "m has SHA-256" in files.previous
    assert contents(newer) == OLD
    assert newer.present() == ("sees",)


def test_a_version_that_does_not_work_is_rejected(newer: WeightStore, tmp_path: Path) -> None:
    """Rolled back over restarts, until another version comes; without one before there is nothing to go back to."""
    lend(tmp_path, *NEW)
    pull(newer, ["sees"], SilentReporter())
    newer.reject("sees", "does not load")
    again = store_of(tmp_path, newer.catalogue)
    assert contents(again) == OLD
    assert "this version was rejected: does not load" in again.verified("sees").previous
    third = store_of(tmp_path, catalogue(MODEL + b"3", NEW_EYE))
    lend(tmp_path, MODEL + b"3", NEW_EYE)
    pull(third, ["sees"], SilentReporter())
    assert contents(third) == (MODEL + b"3", NEW_EYE)
    alone = store_of(tmp_path / "other", newer.catalogue)
    lend_other = tmp_path / "other"
    lend_other.mkdir()
    lend(lend_other, *NEW)
    pull(alone, ["sees"], SilentReporter())
    with pytest.raises(WeightsBad, match="there is no version before"):
        alone.reject("sees", "x")


def test_where_disk_is_short_only_one_version_is_kept(tmp_path: Path, newer: WeightStore) -> None:
    """The second slot is given back where the setting says so."""
    lend(tmp_path, *NEW)
    pull(store_of(tmp_path, newer.catalogue, previous_slot=False), ["sees"], SilentReporter())
    assert not (newer.folder / "sees" / "previous").exists()
    assert contents(newer) == NEW


def test_a_disk_without_links_still_updates(
    newer: WeightStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No second slot then, and no error."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    lend(tmp_path, *NEW)
    pull(newer, ["sees"], SilentReporter())
    assert contents(newer) == NEW
    (newer.folder / "sees" / "p").unlink()
    with pytest.raises(WeightsMissing):
        newer.verified("sees")


def test_a_half_bad_version_does_not_take_the_place_of_a_whole_one(newer: WeightStore, tmp_path: Path) -> None:
    """The slot is for what can answer: a set with a damaged file leaves the older, whole one there."""
    lend(tmp_path, *NEW)
    pull(newer, ["sees"], SilentReporter())
    (newer.folder / "sees" / "m").write_bytes(NEW_MODEL[:-1] + b"x")
    third = store_of(tmp_path, catalogue(b"third", NEW_EYE + b"3"))
    lend(tmp_path, None, None)
    with pytest.raises(PullError):
        pull(third, ["sees"], SilentReporter())
    assert contents(third) == OLD
