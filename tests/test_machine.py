"""What was measured is used again on the same box with the same weights, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import ModelError, NotEnoughMemory
from agent.model.cores import Cores
from agent.model.machine import MachineNotes, Remembered, describe_box, settle
from agent.settings import ModelSettings
from tests.test_room import ENTRIES, gguf

FOUND = Remembered(threads=3, kv_type="q8_0", projector="mmproj-f16", read_tok_s=190.5, write_tok_s=45.0, measured="x")
BOX = Cores(useful=4, allowed=8, physical=4, big=4, quota=None)
OPEN = ModelSettings(threads=0, kv_type="auto")
GB = 10**9


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A model with both projectors; only their headers are real."""
    eye: list[tuple[str, object]] = [
        ("general.architecture", "clip"),
        ("clip.vision.embedding_length", 1024),
        ("clip.vision.feed_forward_length", 4096),
    ]
    return {
        "model": gguf(tmp_path / "model.gguf", ENTRIES),
        "mmproj": gguf(tmp_path / "q8_0.gguf", eye),
        "mmproj-f16": gguf(tmp_path / "f16.gguf", eye),
    }


def test_what_was_measured_is_known_again(tmp_path: Path) -> None:
    """The same box and weights; later figures replace earlier ones, and what was not measured again stays."""
    notes = MachineNotes(tmp_path / "cache", box="a box")
    assert notes.recall("w") == Remembered()
    notes.remember("w", FOUND)
    assert MachineNotes(tmp_path / "cache", box="a box").recall("w") == FOUND
    notes.remember("w", Remembered(projector="mmproj"))
    kept = notes.recall("w")
    assert (kept.projector, kept.threads, kept.kv_type) == ("mmproj", 3, "q8_0")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["machine.json"]


def test_another_box_or_other_weights_know_nothing(tmp_path: Path) -> None:
    """A disk that is moved, and a model that is replaced, are measured anew."""
    MachineNotes(tmp_path, box="a box").remember("w", FOUND)
    assert MachineNotes(tmp_path, box="a box").recall("other weights") == Remembered()
    assert MachineNotes(tmp_path, box="another box").recall("w") == Remembered()
    assert MachineNotes(tmp_path).recall("w") == Remembered()


def test_another_library_knows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer llama.cpp may be fast where the old one was slow."""
    MachineNotes(tmp_path, box="a box").remember("w", FOUND)
    monkeypatch.setattr("agent.model.machine.version", lambda _: "99")
    assert MachineNotes(tmp_path, box="a box").recall("w") == Remembered()


@pytest.mark.parametrize(
    "change",
    [
        {"threads": -1},
        {"threads": 10**6},
        {"threads": "4"},
        {"kv_type": "q2"},
        {"read_tok_s": -1.0},
        {"projector": "x" * 1_000},
    ],
)
def test_values_that_cannot_be_are_ignored(tmp_path: Path, change: dict[str, object]) -> None:
    """One wrong value, and the file is not ours; the next measurement writes a good one."""
    notes = MachineNotes(tmp_path, box="a box")
    notes.remember("w", FOUND)
    path = tmp_path / "machine.json"
    (key,) = values = json.loads(path.read_text())
    path.write_text(json.dumps({key: {**values[key], **change}}))
    assert notes.recall("w") == Remembered()
    notes.remember("w", FOUND)
    assert notes.recall("w") == FOUND


@given(data=st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_a_spoiled_file_is_as_good_as_none(tmp_path: Path, data: bytes) -> None:
    """Whatever stands in it."""
    (tmp_path / "machine.json").write_bytes(data)
    assert MachineNotes(tmp_path, box="a box").recall("w") == Remembered()


def test_a_file_that_is_none_or_endless(tmp_path: Path) -> None:
    """A folder in its place, and megabytes, are passed over."""
    (tmp_path / "machine.json").mkdir()
    notes = MachineNotes(tmp_path, box="a box")
    assert notes.recall("w") == Remembered()
    with pytest.raises(OSError):
        notes.remember("w", FOUND)
    (tmp_path / "machine.json").rmdir()
    (tmp_path / "machine.json").write_bytes(b"{" + b" " * 5_000_000 + b"}")
    assert notes.recall("w") == Remembered()


def test_a_folder_that_takes_nothing(tmp_path: Path) -> None:
    """The error is raised, for the caller to tell; to recall is no error."""
    (tmp_path / "file").write_text("")
    notes = MachineNotes(tmp_path / "file", box="a box")
    with pytest.raises(OSError):
        notes.remember("w", FOUND)
    assert notes.recall("w") == Remembered()


def test_the_file_stays_small(tmp_path: Path) -> None:
    """The newest few dozen are kept."""
    notes = MachineNotes(tmp_path, box="a box")
    for number in range(40):
        notes.remember(str(number), FOUND)
    assert notes.recall("0") == Remembered() and notes.recall("39") == FOUND
    assert len(json.loads((tmp_path / "machine.json").read_text())) == 32


def test_a_box_has_a_name(tmp_path: Path) -> None:
    """The processor as the kernel calls it, or the board of a small one."""
    (tmp_path / "device-tree").mkdir()
    (tmp_path / "device-tree" / "model").write_bytes(b"Radxa ROCK 5B\0")
    assert describe_box(tmp_path).startswith("Radxa ROCK 5B, ")
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: A fast one\n")
    assert describe_box(tmp_path).startswith("A fast one, ")


def test_open_settings_are_filled_in(files: dict[str, Path]) -> None:
    """By cores and memory at first, by measurement later; nothing is open afterwards."""
    first = settle(OPEN, files, free_bytes=20 * GB, cores=BOX)
    assert (first.settings.threads, first.settings.kv_type, first.projector) == (4, "f16", files["mmproj"])
    assert first.why_threads == "4 threads, 4 cores, 8 hyper-threads"
    later = settle(OPEN, files, free_bytes=20 * GB, cores=BOX, remembered=FOUND)
    assert (later.settings.threads, later.settings.kv_type, later.projector) == (3, "q8_0", files["mmproj-f16"])
    assert (first.projector_role, later.projector_role) == ("mmproj", "mmproj-f16")
    assert later.why_threads == "3 threads, as measured"
    assert later.settings.image_tokens == OPEN.image_tokens


def test_what_a_person_set_stays(files: dict[str, Path]) -> None:
    """A measurement changes no setting that names a value."""
    named = ModelSettings(threads=2, kv_type="f16", context_tokens=4_096)
    settled = settle(named, files, free_bytes=20 * GB, cores=BOX, remembered=FOUND)
    assert settled.settings == named
    assert settled.why_threads == "2 threads, by the settings"


def test_a_measurement_is_not_trusted_blindly(files: dict[str, Path]) -> None:
    """Fewer cores than then, a quota, a projector that is gone or is none, a type that needs flash attention."""
    many = Remembered(threads=64, kv_type="q8_0", projector="model")
    less = Cores(useful=2, allowed=2, physical=2, big=2, quota=1.5)
    settled = settle(OPEN, files, free_bytes=20 * GB, cores=less, remembered=many)
    assert settled.settings.threads == 1
    assert settled.projector == files["mmproj"]
    plain = OPEN.model_copy(update={"flash_attention": False})
    assert settle(plain, files, free_bytes=20 * GB, cores=BOX, remembered=FOUND).settings.kv_type == "f16"
    text = {"model": files["model"]}
    assert settle(OPEN, text, free_bytes=20 * GB, cores=BOX, remembered=FOUND).projector is None


def test_what_does_not_fit_or_is_damaged(files: dict[str, Path]) -> None:
    """The errors are those of the plan and of the header."""
    with pytest.raises(NotEnoughMemory):
        settle(OPEN, files, free_bytes=1, cores=BOX)
    files["model"].write_bytes(b"GGUF")
    with pytest.raises(ModelError, match="damaged"):
        settle(OPEN, files, free_bytes=20 * GB, cores=BOX)
