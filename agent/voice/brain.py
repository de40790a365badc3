"""Turns for voices: one thread makes them, one after another, and remembers a few conversations."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from agent.due import Ring, run_due, say_on_console
from agent.orders import Heard, Order
from agent.turn import Agent, Conversation
from agent.turn_record import TurnRecord

__all__ = ["Brain"]

_CONVERSATIONS = 32
_Given = TypeVar("_Given")


class Brain:
    """Safe for use from several threads."""

    def __init__(self, make: Callable[[], Agent]) -> None:
        """
        :param make: opens the agent, in the thread that uses it.
        :raises DatabaseError: `watch.db` cannot be used.
        """
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="voice turns")
        self._known: OrderedDict[str, Conversation] = OrderedDict()
        self._agent: Agent = self._run(make)

    def ask(self, text: str, heard: Heard, *, conversation: str = "") -> TurnRecord:
        """Make a turn.

        :param conversation: continue the one of that name; empty asks on its own.
        :raises WatchkeeperError: it cannot be made.
        """
        return self._run(lambda: self._agent.ask(text, heard=heard, conversation=self._of(conversation)))

    def read(self, text: str, heard: Heard) -> tuple[Order, ...]:
        """What a text would order, without carrying anything out."""
        agent = self._agent
        found = self._run(lambda: agent.plugins.read_orders(text, agent.env, heard, agent.ladder))
        return () if found is None else found.orders

    def run_due(self, ring: Ring | None = None) -> None:
        """Carry out what was ordered for now.

        :param ring: says at a satellite what rings there.
        """
        self._run(lambda: run_due(self._agent, say_on_console, ring))

    def close(self) -> None:
        """Let the running turn end, and close the agent."""
        self._run(self._agent.close)
        self._thread.shutdown()

    def _run(self, work: Callable[[], _Given]) -> _Given:
        return self._thread.submit(work).result()

    def _of(self, name: str) -> Conversation:
        if not name:
            return Conversation()
        found = self._known.pop(name, None) or Conversation()
        self._known[name] = found
        while len(self._known) > _CONVERSATIONS:
            self._known.popitem(last=False)
        return found
