"""A short version of `make faults`: power lost once at every write, a full disk, a jumping clock, dying workers."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.table import at_least, at_most, told
from tests.faults import Row
from tests.faults.__main__ import report, subjects
from tests.faults.power import CLOCK, POWER, run_box
from tests.faults.power_box import FAULTS
from tests.faults.power_scenarios import SCENARIOS
from tests.faults.shim import build, why_not
from tests.faults.storage import storage_rows
from tests.faults.workers import kill_at_random, truncate_while_mapped
from tests.tiny_qwen3vl import TinyFiles

LEAST_POINTS = {"turn": 40, "command": 60}
"""Fewer would mean that the writes are not seen."""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if reason := why_not():
        pytest.skip(reason)
    return build(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where that can be had: thousands of files are synced."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as name:
        yield Path(name)


@pytest.mark.parametrize("scenario", POWER)
def test_killed_at_every_write(shim: Path, folder: Path, scenario: str) -> None:
    """Nothing that was told is lost, nothing comes twice, the database and the chain are whole, the next one works."""
    came = run_box(folder, shim, "power", scenario, 1)
    assert came["held"] == came["tried"] > 0, came["first_lost"]
    assert came["points"] >= LEAST_POINTS.get(scenario, 1)


def test_power_lost_at_every_write(shim: Path, folder: Path) -> None:
    """The same where writes are torn, and where what was not synced is gone."""
    came = run_box(folder, shim, "power", "approval", 3)
    assert came["held"] == came["tried"] > 0, came["first_lost"]


@pytest.mark.parametrize("scenario", ["turn", "approval"])
def test_a_disk_that_is_full_from_some_write_on(shim: Path, folder: Path, scenario: str) -> None:
    """One clear line; and with room again, all goes on."""
    came = run_box(folder, shim, "disk", scenario, 1)
    assert came["held"] == came["tried"] > 0, came["first_lost"]


def test_an_agent_outlives_a_full_disk(shim: Path, folder: Path) -> None:
    """The turn fails in one line, and the next one of the same agent is answered."""
    came = run_box(folder, shim, "live", "turn", 1)
    assert came["held"] == came["tried"] > 0, came["first_lost"]


@pytest.mark.parametrize("scenario", CLOCK)
def test_a_clock_that_jumps(shim: Path, folder: Path, scenario: str) -> None:
    """To 1970 and back, before, in and after."""
    came = run_box(folder, shim, "clock", scenario, 1)
    assert came["held"] == came["tried"] == 8, came["first_lost"]


def test_the_harness_sees_a_loss(shim: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a database that does not sync, the same tries find what is lost."""
    code = tmp_path / "sitecustomize.py"
    code.write_text(
        "import agent.watch as w, sqlite3\n"
        "real = w._prepare\n"
        "def lazy(c, d):\n    real(c, d)\n    c.execute('PRAGMA synchronous = OFF')\n"
        "w._prepare = lazy\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parent.parent}")
    came = run_box(folder, shim, "power", "approval", 3)
    assert came["held"] < came["tried"] and came["first_lost"]


def test_a_real_disk_without_room() -> None:
    """Mounted for the test where the system lets anybody do that; one that takes no output is everywhere."""
    rows = storage_rows(1)
    assert not [row for row in rows if row.lost], rows


@pytest.mark.weights
def test_a_worker_that_is_killed_holds_nobody_up(tiny: TinyFiles) -> None:
    """At any moment of a call, and between calls."""
    row = kill_at_random(tiny.model, 4)
    assert row.held == row.tried == 4, row.note


@pytest.mark.weights
def test_a_file_cut_short_under_the_model_costs_one_call(tiny: TinyFiles) -> None:
    """The agent lives, that call fails in words, and with the file back the next one is answered."""
    row = truncate_while_mapped(tiny.model, 1)
    assert row.held == row.tried == 1, row.note


def test_the_report_survives_what_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    """A subject that cannot run is a loss, and the others are still told; the last line is for programs."""

    def broken() -> list[Row]:
        raise OSError("no such thing")

    good = [Row("a fault", 3, 3, 1.0), Row("not possible here", 0, 0, 0.0, "needs root")]
    assert report([("good", lambda: good)]) == 0
    assert report([("broken", broken), ("good", lambda: good)]) == 1
    assert report([("bad", lambda: [Row("a fault", 3, 2, 1.0, "the second")])]) == 1
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["rows"][0]["lost"] == 1 and last["machine"]["cores"] >= 1


def test_figures_with_a_target_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """As many tries as the target names; one that is not met is lost."""
    figures = [at_least("found of 1000", 1_000, 1_000), at_most("loaded", 0, 0), told("seconds", 3.0)]
    assert report([("weights", lambda: figures)]) == 0
    assert report([("weights", lambda: [at_least("found of 1000", 999, 1_000)])]) == 1
    assert report([("weights", lambda: [at_most("loaded", 2, 0)])]) == 1
    (row,) = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert row["note"] == "2 instead of <= 0"


def test_every_subject_is_found() -> None:
    """A module of the folder with `run` is part of the report."""
    assert {"power", "workers"} <= {name for name, _ in subjects()}
    assert set(POWER) == set(SCENARIOS) and set(FAULTS) == {"power", "disk", "live", "clock"}
