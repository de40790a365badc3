"""`bench model`: each trial is a process of its own, the best is picked with care, and what is kept is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.cli import run
from agent.commands import bench as command
from agent.env import Env
from agent.model.bench import Bench, Row, calibrate_projector, is_disturbed, pick, projectors_of, thread_counts
from agent.model.cores import Cores
from agent.model.machine import Remembered
from agent.settings import ModelSettings, WorkerSettings

SETTINGS = ModelSettings(threads=2, bench_limit_seconds=2.0)
WORKERS = WorkerSettings(cancel_grace_seconds=0.5, stop_seconds=2)
MODULE = "tests.trials"
PLAIN = Row(2, "f16", read_tok_s=100, write_tok_s=20)


def box(useful: int, allowed: int = 0) -> Cores:
    """So many cores, and hyper-threads."""
    return Cores(useful, allowed or useful, useful, useful, None)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Names and sizes; nothing reads them."""
    made = {"model": tmp_path / "model", "mmproj": tmp_path / "mmproj-f16", "mmproj-q8": tmp_path / "mmproj-q8_0"}
    for place, path in enumerate(made.values()):
        path.write_bytes(b"x" * (9 - place))
    return made


def test_which_numbers_of_threads_are_tried() -> None:
    """Each up to four, then steps; cores and hyper-threads always; few where it has to be quick."""
    assert thread_counts(box(1)) == (1,)
    assert thread_counts(box(2, 4)) == (1, 2, 3, 4)
    assert thread_counts(box(10, 20)) == (1, 2, 3, 4, 6, 8, 10, 12, 16, 20)
    assert thread_counts(Cores(4, 8, 8, 4, None)) == (1, 2, 3, 4, 6, 8)
    assert thread_counts(box(8, 16), quick=True) == (4, 8)
    assert thread_counts(box(1), quick=True) == (1,)


def test_a_crash_and_a_hang_cost_a_row(files: dict[str, Path]) -> None:
    """The rows before and after have their figures; what another process gives that is no figure counts as none."""
    bench = Bench(files, box(4), SETTINGS, WORKERS, module=MODULE)
    rows = list(bench.rows())
    assert len(rows) == bench.trials == 7
    good = [row for row in rows if not row.problem]
    assert [(row.threads, row.kv_type, row.projector) for row in good] == [
        (1, "f16", ""), (2, "f16", ""), (2, "q8_0", ""),
        (2, "f16", "mmproj-q8"), (2, "f16", "mmproj"),
    ]  # fmt: skip
    assert good[1].write_tok_s == 20 and good[1].load_ms == 12.5 and good[1].others == 0.1
    assert "SIGSEGV" in rows[2].problem and "no figures" in rows[3].problem
    best = pick(rows, noise=0.03)
    assert best == Remembered(2, "f16", "mmproj", 80.0, 20.0, best.measured if best else "")
    assert bench.bandwidth(2) == 2e10


def test_a_model_that_does_not_load(files: dict[str, Path], tmp_path: Path) -> None:
    """Each row says why, and nothing is picked."""
    broken = {"model": tmp_path / "broken"}
    rows = list(Bench(broken, box(1), SETTINGS, WORKERS, module=MODULE).rows())
    assert len(rows) == 2 and all("damaged" in row.problem for row in rows)
    assert pick(rows, noise=0.03) is None


def test_the_best_is_picked_with_care() -> None:
    """Fewer threads within the noise; a packed context only where it is faster beyond it; no row without figures."""
    assert pick([], noise=0.03) is None
    assert pick([Row(2, "f16", problem="died")], noise=0.03) is None
    more = replace(PLAIN, threads=4, read_tok_s=102, write_tok_s=20.4)
    faster = replace(PLAIN, threads=4, read_tok_s=110, write_tok_s=22)
    packed = replace(PLAIN, kv_type="q8_0", read_tok_s=102, write_tok_s=20.4)
    packed_faster = replace(PLAIN, kv_type="q8_0", read_tok_s=120, write_tok_s=24)
    for rows, threads, kind in (
        ([more, PLAIN], 2, "f16"),
        ([PLAIN, faster], 4, "f16"),
        ([PLAIN, packed], 2, "f16"),
        ([PLAIN, packed_faster], 2, "q8_0"),
    ):
        best = pick(rows, noise=0.03)
        assert best is not None and (best.threads, best.kv_type) == (threads, kind)


def test_the_smaller_projector_wins_a_tie() -> None:
    """Memory decides where the time does not."""
    small = Row(2, "f16", "mmproj", encode_ms=102, peak_bytes=8)
    large = Row(2, "f16", "mmproj-f16", encode_ms=100, peak_bytes=9)
    for rows, wanted in (([small, large], "mmproj"), ([replace(small, encode_ms=150), large], "mmproj-f16")):
        best = pick([PLAIN, *rows], noise=0.03)
        assert best is not None and best.projector == wanted


def test_a_busy_box_is_noticed() -> None:
    """One disturbed trial is enough: it may be the one that lost."""
    assert not is_disturbed([PLAIN, replace(PLAIN, others=0.1)], share=0.15)
    assert is_disturbed([PLAIN, replace(PLAIN, others=0.2)], share=0.15)


def test_projectors_are_told_apart(files: dict[str, Path]) -> None:
    """The smallest first; one file that stands for two roles is one."""
    assert list(projectors_of(files)) == ["mmproj-q8", "mmproj"]
    assert len(projectors_of({**files, "mmproj-q8": files["mmproj"]})) == 1
    assert projectors_of({"model": files["model"]}) == {}


def test_calibration_alone(files: dict[str, Path]) -> None:
    """The faster projector for a first start; without a choice nothing is run."""
    found = calibrate_projector(files, box(2), SETTINGS, WORKERS, module=MODULE)
    assert found == Remembered(projector="mmproj")
    del files["mmproj"]
    assert calibrate_projector(files, box(2), SETTINGS, WORKERS, module="no.such") == Remembered()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command with trials that are made up: gives exit code, stdout and stderr."""
    monkeypatch.setattr(command, "Bench", partial(Bench, module=MODULE))

    def say(*arguments: str) -> tuple[int, str, str]:
        code = run(["bench", "model", *arguments])
        return code, *capsys.readouterr()

    return say


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        ([], 3, "no model is here to measure; get one: watchkeeper weights pull"),
        (["--model", "qwen2.5-0.6b"], 2, "did you mean qwen2.5-0.5b?"),
        (["--model", "rules"], 2, "no weights to measure"),
        (["--model", "qwen2.5-0.5b"], 3, "weights pull qwen2.5-0.5b"),
        (["--threads", "2"], 2, "No such option"),
    ],
)
def test_what_cannot_be_measured(environ: Path, said: Any, arguments: list[str], code: int, why: str) -> None:
    """One line that says what to do."""
    found, out, err = said(*arguments)
    assert found == code and out == "" and err.count("\n") == 1 and why in err


@pytest.fixture
def weights_home(weights_env: Env, monkeypatch: pytest.MonkeyPatch) -> Iterator[Env]:
    """The command line on the real weights."""
    monkeypatch.setenv("WATCHKEEPER_HOME", str(weights_env.home.folder))
    monkeypatch.setenv("WATCHKEEPER_WEIGHTS__FOLDER", str(weights_env.weights.folder))
    monkeypatch.setenv("WATCHKEEPER_MODEL__BENCH_LIMIT_SECONDS", "2")
    yield weights_env


@pytest.mark.weights
def test_the_table_and_what_is_kept(weights_home: Env, said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table for people, lines for programs; the best is remembered, and `doctor` knows it."""
    code, out, err = said("--model", "qwen2.5-0.5b", "--quick")
    assert code == 0 and "| threads | context in |" in out and "used from now on" in out
    assert "20.0 GB/s" in out and "tok/s" in err
    code, out, _ = said("--model", "qwen2.5-0.5b", "--quick", "--json")
    *rows, last = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and rows[-1]["kv_type"] == "q8_0" and last["kept"]
    assert rows[0]["write_tok_s_per_gb_s"] == pytest.approx(rows[0]["write_tok_s"] / 20, abs=0.01)
    kept = command.notes_of(weights_home).recall(command.sha256_of(weights_home, "qwen2.5-0.5b"))
    assert kept == Remembered(**last["best"])
    monkeypatch.setenv("WATCHKEEPER_MODEL__NAME", "qwen2.5-0.5b")
    monkeypatch.setenv("WATCHKEEPER_MODEL__BENCH_OTHERS", "0.05")
    code, out, _ = said("--quick")
    assert code == 0 and "not kept: other programs took 10% of the box" in out


@pytest.mark.weights
def test_doctor_tells_threads_memory_and_measurement(
    weights_home: Env, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the best rung would be loaded with, and what is missing where it does not fit."""
    monkeypatch.setenv("WATCHKEEPER_MODEL__NAME", "qwen2.5-0.5b")
    run(["doctor", "--json"])
    found = {line["name"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert "threads" in found["threads"]["text"]
    assert found["memory"]["ok"] and "context" in found["memory"]["text"]
    assert "watchkeeper bench model" in found["bench"]["text"]
    digest = command.sha256_of(weights_home, "qwen2.5-0.5b")
    command.notes_of(weights_home).remember(digest, Remembered(threads=1, read_tok_s=99, measured="2026-01-01"))
    monkeypatch.setenv("WATCHKEEPER_MODEL__MAX_RAM_BYTES", "400000000")
    run(["doctor", "--json"])
    found = {line["name"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert not found["memory"]["ok"] and "MB of memory are missing" in found["memory"]["text"]
    monkeypatch.delenv("WATCHKEEPER_MODEL__MAX_RAM_BYTES")
    run(["doctor", "--json"])
    found = {line["name"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert found["threads"]["text"].startswith("1 threads, as measured")
    assert found["bench"]["text"].startswith("2026-01-01: reads 99")


@pytest.mark.weights
def test_a_real_trial(weights_env: Env) -> None:
    """The 0.5B has figures that can be."""
    files = {"model": weights_env.weights.where("qwen2.5-0.5b")["model"]}
    quick = ModelSettings(context_tokens=1_024, bench_prompt_tokens=64, bench_reply_tokens=10, bench_quick_seconds=1)
    bench = Bench(files, box(1), quick, WorkerSettings(), quick=True)
    row = next(bench.rows())
    assert row.problem == ""
    assert 1 < row.write_tok_s < row.read_tok_s < 100_000
    assert 500e6 < row.peak_bytes < 1_000e6 and 0 < row.load_ms < row.first_token_ms
    assert 1e8 < bench.bandwidth(1) < 1e12
