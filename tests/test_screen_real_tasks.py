"""The tasks for real screens: as data they are whole, and speak of what the programs show and record."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.screen_programs.boiler.record import START
from tests.screen_programs.boiler.words import ALARMS, BOILERS, WORDS
from tests.screen_programs.tasks import Task, read_lies, read_tasks, variants

WATER = Path(__file__).parent / "screen_programs/water"


def shown(kind: str, language: str) -> set[str]:
    """Every text that a program can show."""
    column = ("zh", "en").index(language)
    if kind == "desktop":
        words = [*WORDS.values(), *BOILERS.values(), *((text, english) for _, _, text, english in ALARMS)]
        return {pair[column] for pair in words} | {code for _, code, *_ in ALARMS}
    found = json.loads((WATER / "words.json").read_text(encoding="utf-8"))
    events = json.loads((WATER / "events.json").read_text(encoding="utf-8"))
    return {pair[column] for pair in found.values()} | {row[2 + column] for row in events} | {row[1] for row in events}


@pytest.mark.parametrize("kind", ["desktop", "web"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_tasks_name_what_the_program_can_show(kind: str, language: str) -> None:
    """A task that fails, fails for the agent's sake: what it names can be on the screen, word for word."""
    texts = shown(kind, language)
    for task in read_tasks(every=True):
        if (task.program.kind, task.program.language) == (kind, language):
            for step in task.steps:
                named = [step.target.text, step.target.near, step.target.within, step.to.text if step.to else ""]
                assert [name for name in named if name and name not in texts] == [], task.label


def test_there_are_sixty_tasks_and_all_variants_have_as_many() -> None:
    """Thirty for each program; languages and scalings are met alike."""
    tasks = read_tasks()
    assert len(tasks) == 60
    assert len({(task.program.kind, task.name) for task in tasks}) == 60
    met = Counter((task.program.language, task.program.scale) for task in tasks)
    assert set(met.values()) == {10} and len(met) == len(variants())


def test_what_is_to_be_true_at_the_end_is_not_true_at_the_beginning() -> None:
    """No task is done by doing nothing, but those that end as they began on purpose, and press something for it."""
    for task in [*read_tasks(), *read_lies()]:
        assert task.done or task.ends != "confirmed"
        assert task.may or task.ends == "stopped"
        if task.program.kind == "desktop":
            assert set(task.done) | set(task.program.start) <= set(START), task.label


def test_a_lie_is_told_while_a_step_is_done() -> None:
    """Lies name a step that exists, and something that the program knows how to do."""
    lies: list[Task] = [task for task in read_lies() if task.lie]
    assert lies
    for task in lies:
        assert task.lie and 1 <= task.lie.step <= len(task.steps) and 1 <= task.lie.look <= 3
        assert task.lie.command["do"] in {"rename", "move", "popup", "disable"}
