"""What was ordered for later, carried out when it is due by whichever process stays: the server, or the voice.

A plugin writes down that it gives something before it gives it, so it is carried out once, whoever asks; what was
given and not carried out, for the power went, is not given again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from agent.console import complain, emit
from agent.errors import WatchkeeperError
from agent.order_answer import known_now
from agent.orders import Due
from agent.tool_run import read_back_with
from agent.turn import Agent
from agent.values import Said

__all__ = ["DueKeeper", "Ring", "run_due", "say_on_console"]

Told = Callable[[Said], None]
Ring = Callable[[Due], bool]
"""Says something where it was ordered; False where it cannot be heard there."""


def run_due(agent: Agent, told: Told, ring: Ring | None = None) -> None:
    """Look once: carry out what is due, and see what became of commands that nobody knew about.

    :param told: says to people what is due and what became of it.
    :param ring: says at a satellite what rings there; None: this process has none.
    :raises WatchkeeperError: it cannot be looked at.
    """
    every = agent.env.settings.devices.unsure_poll_seconds
    for entry in agent.commands.look_again(read_back_with(agent.tools), every_seconds=every):
        told(known_now(entry, agent.tools))
    for due in agent.plugins.take_due(agent.env, aloud=ring is not None):
        if not due.orders:
            if not (ring is not None and due.area and ring(due)):
                told(due.said)
            due.ended(())
            continue
        done = agent.order(due.orders, by=due.by, words=due.words)
        due.ended(done)
        for one in done:
            told(one.line)


def say_on_console(said: Said) -> None:
    """Where nobody listens."""
    emit(dict(said), as_json=False, human=f"{said['zh']} / {said['en']}")


class DueKeeper:
    """Looks again and again, in a thread of its own."""

    def __init__(self, look: Callable[[], None], *, seconds: float) -> None:
        """
        :param look: looks once.
        :param seconds: between two looks.
        """
        self._look, self._seconds = look, seconds
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, name="due", daemon=True)

    def start(self) -> None:
        """Look now, and again and again."""
        self._thread.start()

    def close(self, seconds: float = 5.0) -> None:
        """Look no more; what is being carried out has so long."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _work(self) -> None:
        problem = ""
        while not self._end.wait(self._seconds):
            try:
                self._look()
                told = ""
            except WatchkeeperError as error:
                told = str(error)
            except Exception as error:
                told = f"what is due cannot be carried out: {type(error).__name__}: {error}"
            if told and told != problem and not self._end.is_set():
                complain(told)
            problem = told
