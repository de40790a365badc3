"""Thinking before a reply: free text up to a budget, closed by force, and only then the reply's own grammar.

Qwen's thinking models write `<think>`, their thoughts, `</think>` and an empty line. A model that has no such tokens
does not think.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.model.constrain import Guide, choose
from agent.model.draft import NO_GUESS, Guess

__all__ = ["ThinkMarks", "Thinking", "think_marks"]

THINK, THINK_END = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class ThinkMarks:
    """How thinking is marked in one vocabulary."""

    opening: tuple[int, ...]
    """Said before the first thought; empty where the prompt has said it."""
    close: int
    after: tuple[int, ...]
    """Said after `close`: an empty line."""
    cut: tuple[int, ...]
    """Said before `close` when the budget is spent: the end of a line."""
    ends: tuple[int, ...]
    """Tokens that would end the reply; a thought cannot."""

    @property
    def tokens(self) -> int:
        """That they take at most, besides the thoughts."""
        return len(self.opening) + len(self.cut) + 1 + len(self.after)


class Thinking:
    """A guide that lets the model think first."""

    def __init__(self, reply: Guide, marks: ThinkMarks, budget: int) -> None:
        """
        :param budget: most tokens of free thought.
        """
        self._reply = reply
        self._marks = marks
        self._left = budget
        self._due: Sequence[int] = marks.opening
        self._closed = False
        self.thinking = True

    @property
    def over(self) -> bool:
        return not self.thinking and self._reply.over

    def forced(self) -> list[int]:
        if not self.thinking:
            return self._reply.forced()
        if self._left <= 0 and not self._closed:
            self._due = (*self._due, *self._marks.cut, self._marks.close, *self._marks.after)
            self._closed = True
        due, self._due = list(self._due), ()
        self.thinking = not self._closed
        return due

    def foresee(self, text: str) -> Guess:
        return NO_GUESS if self.thinking else self._reply.foresee(text)

    def choose(self, logits: NDArray[np.float32], temperature: float, random: np.random.Generator) -> int:
        if not self.thinking:
            return self._reply.choose(logits, temperature, random)
        free = logits.copy()
        free[list(self._marks.ends)] = -np.inf
        token = choose(free, None, temperature, random)
        self._left -= 1
        if token == self._marks.close:
            self._due, self._closed = self._marks.after, True
        return token


def think_marks(
    specials: Mapping[str, int], tokenize: Callable[[str], list[int]], ends: Callable[[int], bool]
) -> ThinkMarks | None:
    """How a vocabulary marks thinking; None where it does not.

    :param specials: spelling → id of its control and user-defined tokens.
    :param ends: whether a token ends a reply.
    """
    if THINK not in specials or THINK_END not in specials:
        return None
    return ThinkMarks(
        opening=(specials[THINK], *tokenize("\n")),
        close=specials[THINK_END],
        after=tuple(tokenize("\n\n")),
        cut=tuple(tokenize("\n")),
        ends=tuple(token for token in specials.values() if ends(token)),
    )
