"""Real programs are operated: a boiler house in Tk over VNC, a water treatment plant in Chromium.

What was done is told by the programs' own records. `make score-screen` runs all tasks; here are some of each kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.env import load_env
from tests.conftest import weights_environ
from tests.screen_programs.judged import Judgement
from tests.screen_programs.tasks import Task, read_lies, read_tasks
from tests.screen_programs.trial import Bench, run_trial
from tests.servers.debian import ServerMissing

pytestmark = pytest.mark.weights

DONE = (
    "desktop, zh, 1.25: log in",
    "desktop, en, 1: upper limit of the supply temperature",
    "desktop, zh, 1.5: an alarm far down the list",
    "desktop, zh, 1.5: another boiler takes the load",
    "web, zh, 1.25: dose of antiscalant",
    "web, zh, 1: remote control is given up",
)
LIES = (
    "desktop, zh, 1: a button is renamed after the look (look 2)",
    "desktop, zh, 1.25: a notice comes between look and click (look 2)",
    "desktop, zh, 1.5: a value jumps after it was saved",
    "desktop, zh, 1: two buttons have one name",
    "web, zh, 1.25: a button with the wanted name is there and cannot be seen",
    "web, en, 1.5: a text gives orders",
)


@pytest.fixture(scope="module")
def bench(real_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    home = tmp_path_factory.mktemp("screens")
    with Bench.opened(load_env(weights_environ(home / "home", real_weights))) as opened:
        yield opened


def one(tasks: list[Task], label: str) -> Task:
    """The task whose label begins so."""
    (found,) = [task for task in tasks if task.label.startswith(label)]
    return found


def tried(task: Task, bench: Bench) -> Judgement:
    try:
        return run_trial(task, bench)
    except ServerMissing as error:
        pytest.skip(f"no screen can be had here: {error}")


@pytest.mark.parametrize("label", DONE)
def test_what_is_wanted_is_done_and_nothing_else_is_pressed(bench: Bench, label: str) -> None:
    """Each step is confirmed by a second look, and the program is as it was to be."""
    judged = tried(one(read_tasks(), label), bench)
    assert judged.completed and not judged.wrong, judged.said


@pytest.mark.parametrize("label", LIES)
def test_a_screen_that_lies_is_not_fallen_for(bench: Bench, label: str) -> None:
    """It stops with a reason in both languages, or does what was wanted; nothing is pressed that may not be."""
    judged = tried(one(read_lies(), label), bench)
    assert judged.right_end and not judged.wrong, judged.said
