"""Procedures on the command line: reviewed, approved, drawn before they are run, asked about step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest
import typer
from typer.testing import CliRunner, Result

from tests.test_screen_procedures_runs import TEXT, Box

Run = Callable[..., Result]


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    made = Box(tmp_path / "home")
    monkeypatch.setattr("plugins.screen.screens.make_link", lambda name, settings: made.screen)
    yield made
    made.agent.close()


@pytest.fixture
def run(box: Box) -> Run:
    """The commands of the box."""
    app = typer.Typer()

    @app.callback()
    def root(context: typer.Context) -> None:
        context.obj = box.env
        context.meta["plugins"] = box.agent.plugins

    box.agent.plugins.add_commands(app)

    def call(*arguments: str, said: str = "") -> Result:
        return CliRunner().invoke(app, ["screen", *arguments], input=said)

    return call


def run_of(result: Result) -> str:
    return result.output.split()[1]


def test_each_step_is_asked_about_and_the_run_is_taken_back(box: Box, run: Run) -> None:
    """Two yeses do it; the list has it; --undo asks again and puts back what was there."""
    done = run("run", "limit", "--set", "pressure=0.6 MPa", said="y\ny\n")
    assert (done.exit_code, box.limit()) == (0, "0.6"), done.output
    assert "全部完成" in done.output
    assert run("procedure", "runs").output.count("confirmed") == 2
    box.screen.focus = None
    back = run("run", "limit", "--undo", run_of(done), said="y\n")
    assert (back.exit_code, box.limit()) == (0, "0.50"), back.output


def test_a_no_stops_and_nobody_there_waits(box: Box, run: Run) -> None:
    """Nothing is sent without an answer; what was left goes on where it stopped."""
    left = run("run", "limit", "--set", "pressure=0.6")
    assert (left.exit_code, box.screen.clicks) == (4, [])
    no = run("run", "limit", "--set", "pressure=0.6", said="n\n")
    assert (no.exit_code, box.screen.clicks) == (1, [])
    half = run("run", "limit", "--set", "pressure=0.6", said="y\nn\n")
    assert (half.exit_code, box.limit(), len(box.screen.clicks)) == (1, "0.6", 1)
    assert "--undo" in half.output
    rest = run("run", "limit", "--resume", run_of(half), said="y\n")
    assert (rest.exit_code, len(box.screen.clicks)) == (0, 2), rest.output


def test_a_dry_run_draws_what_would_be_used_and_sends_nothing(box: Box, run: Run, tmp_path: Path) -> None:
    """The first step is drawn, the rest named."""
    dry = run("run", "limit", "--set", "pressure=0.6", "--dry-run", str(tmp_path / "dry.png"))
    assert dry.exit_code == 1, dry.output
    assert "没有“参数" in dry.output
    box.file.write_text("\n".join(line for line in TEXT.splitlines() if "harmless" not in line), encoding="utf-8")
    box.approve()
    dry = run("run", "limit", "--set", "pressure=0.6", "--dry-run", str(tmp_path / "dry.png"))
    assert (dry.exit_code, box.screen.clicks, box.screen.sent) == (0, [], [])
    assert "0.6 MPa" in dry.output
    picture = cv2.imread(str(tmp_path / "dry.png"))
    assert picture is not None
    assert (picture[:, :, 1] == 150).any()


def test_a_text_is_approved_by_who_has_seen_it(box: Box, run: Run) -> None:
    """It is shown before it is asked about; a change is seen, and a wrong digest approves nothing."""
    box.file.write_text(TEXT.replace("0.8}", "0.7}"), encoding="utf-8")
    no = run("procedure", "approve", str(box.file), said="n\n")
    assert no.exit_code == 1
    assert "0.3 to 0.7 MPa" in no.output
    assert "{pressure before}" in no.output
    assert run("procedure", "approve", str(box.file), "--digest", "0" * 64).exit_code != 0
    assert run("procedure", "approve", str(box.file), "--by", "Wu", said="y\n").exit_code == 0
    assert "approved by Wu" in run("procedure", "list").output
    assert "asked" in run("procedure", "show", "limit").output
    (row,) = [row for row in box.agent.trail.rows() if row.kind == "procedure_approved"]
    assert row.body["person"] == "Wu"
    (box.actuator.shelf.folder / "limit.yaml").write_text(TEXT, encoding="utf-8")
    assert "NOT approved" in run("procedure", "list").output


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--set", "pressure"), "NAME=VALUE"),
        (("--set", "pressure=9"), "range"),
        ((), "missing"),
        (("--resume", "00000000"), "no run"),
        (("--undo", "00000000"), "no run"),
    ],
)
def test_what_was_given_wrongly_is_said(box: Box, run: Run, arguments: tuple[str, ...], why: str) -> None:
    """Nothing waits and nothing is sent."""
    done = run("run", "limit", *arguments)
    assert why in str(done.exception)
    assert (box.agent.approvals.waiting(), box.screen.clicks) == ([], [])


def test_steps_that_a_person_names_are_done_and_written_down(box: Box, run: Run, tmp_path: Path) -> None:
    """Over VNC: what failed is left out and said; what is written can be approved and run."""
    said = "set: 上限, within: 回水压力, value: 0.6, unit: MPa\nclick: 复位\nnonsense\nclick: 保存\n\n"
    out = tmp_path / "shown.yaml"
    done = run("record", "boiler", str(out), "--by-name", "--parameter", "pressure=0.6", said=said)
    assert done.exit_code == 1, done.output
    assert "灰" in done.output
    text = out.read_text(encoding="utf-8")
    assert "{pressure}" in text
    assert "参数已保存" in text
    assert "NOT recorded" in text
    assert run("procedure", "approve", str(out), said="y\n").exit_code == 0
    assert run("record", "boiler", str(out), said="").exit_code != 0
