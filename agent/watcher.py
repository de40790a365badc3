"""Whoever watches a turn while it runs: what they are told beyond the trail, and whether they still want the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.answer import AnswerPart
from agent.errors import TurnCancelled
from agent.perception import Perception

__all__ = ["Watcher"]


def _nothing(told: object) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Functions that are called in the thread of the turn; by default nobody watches."""

    seen: Callable[[Perception], None] = _nothing
    """What was read from the photo."""
    found: Callable[[tuple[AnswerPart, ...]], None] = _nothing
    """Parts of the answer that will not change but for a line that is added to them."""
    cancelled: Callable[[], bool] = lambda: False
    """Asked before each stage, and between the passes of a model."""

    def check(self) -> None:
        """Before a stage.

        :raises TurnCancelled: the answer is not wanted any more.
        """
        if self.cancelled():
            raise TurnCancelled("it was cancelled by whoever asked")
