"""One task on one program, as an agent with a person's approval does it: a step after the other until one stops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from PIL import Image

from agent.api import Env, Perception, Photo, ToolFailed, say
from agent.settings import ScreenSettings
from plugins import panel
from plugins.screen.acting import Operator
from plugins.screen.links import browser, vnc
from plugins.screen.looking import Looker
from plugins.screen.values import Link, Outcome
from tests.screen_programs.desktop import opened_on
from tests.screen_programs.judged import Judgement, judge
from tests.screen_programs.lying import LyingLink
from tests.screen_programs.opened import SIZES, Opened, Program, wait_until
from tests.screen_programs.tasks import Task
from tests.screen_programs.web import opened_web
from tests.servers.desktop import Desktop, running_desktop

__all__ = ["Bench", "keep_picture", "run_trial"]

CONNECT_SECONDS = 60.0
"""A browser starts as slowly as the machine is busy; this is no part of a step."""


@dataclass
class Bench:
    """What trials share: the reader of pictures, and a desktop of each size once it is needed."""

    env: Env
    _open: ExitStack
    _desktops: dict[float, Desktop] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def opened(cls, env: Env) -> Iterator[Bench]:
        """
        :raises ServerMissing: later, where a desktop or a browser cannot be had.
        """
        with ExitStack() as stack:
            yield cls(env, stack)

    def perceive(self, photo: Photo) -> Perception | None:
        return panel.perceive(photo, self.env)

    @contextmanager
    def program(self, program: Program) -> Iterator[Opened]:
        """A program as it is at the beginning."""
        if program.kind == "web":
            with opened_web(program) as opened:
                yield opened
            return
        if program.scale not in self._desktops:
            self._desktops[program.scale] = self._open.enter_context(running_desktop(SIZES[program.scale]))
        with opened_on(self._desktops[program.scale], program) as opened:
            yield opened


def run_trial(task: Task, bench: Bench) -> Judgement:
    """Do it and judge it."""
    with bench.program(task.program) as opened:
        settings = ScreenSettings(**opened.settings, writable=True, connect_seconds=CONNECT_SECONDS)
        with _linked(settings) as plain:
            plain.look()  # which is when a browser starts
            wait_until(opened.record, "the program shows nothing")
            link = LyingLink(plain, opened, task.lie)
            outcomes = _do(task, link, Operator(Looker(link, bench.perceive, settings, datetime.now), settings))
            return judge(task, opened, link, outcomes)


def _do(task: Task, link: LyingLink, operator: Operator) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for step in task.steps:
        link.begin_step()
        try:
            outcomes.append(operator.do(step))
        except ToolFailed as error:
            outcomes.append(Outcome("stopped", say(f"看不到屏幕:{error}", f"the screen cannot be seen: {error}")))
        if outcomes[-1].came != "confirmed":
            break
    return outcomes


@contextmanager
def _linked(settings: ScreenSettings) -> Iterator[Link]:
    link: Link = {"vnc": vnc, "browser": browser}[settings.kind].open_link("trial", settings)
    try:
        yield link
    finally:
        link.close()


def keep_picture(judged: Judgement, folder: Path) -> None:
    """What the agent saw last, for people."""
    last = judged.outcomes[-1].after if judged.outcomes else None
    if last is not None:
        folder.mkdir(parents=True, exist_ok=True)
        name = "".join(sign if sign.isalnum() else "-" for sign in judged.task.label)
        Image.fromarray(last.photo.pixels).save(folder / f"{name}.png")
