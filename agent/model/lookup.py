"""Guesses what a reply says next where it repeats what stands in the prompt or in itself.

The model reads the guesses together with its last token and keeps those that it would have chosen, so a quoted row
takes a few passes and the reply is the same. A longer pass costs more, so guessing rests where it does not pay: what it
gained and cost is counted in milliseconds on the machine at hand.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Lookup"]

CONTEXT = 3
"""Tokens that have to recur before what followed them is guessed."""
FIRST_GUESS = 4
REST_TOKENS = 24
"""After guesses that did not pay, plain passes until the next one; doubled each time."""
NO_TOKEN = -1


class Lookup:
    """Guesses for one reply."""

    def __init__(self, most: int) -> None:
        """
        :param most: tokens guessed at once; 0 never guesses.
        """
        self._most = most
        self._length = min(FIRST_GUESS, most)
        self._history: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}
        self._plain_ms = 0.0
        self._gain_ms = 0.0
        self._rest = 0
        self._next_rest = REST_TOKENS

    def read(self, tokens: Iterable[int | None]) -> None:
        """These follow what was read so far; None for what is no token, such as an image."""
        if self._most == 0:
            return
        for token in tokens:
            if len(self._history) >= CONTEXT:
                self._after[tuple(self._history[-CONTEXT:])] = len(self._history)
            self._history.append(NO_TOKEN if token is None else token)

    def guess(self) -> list[int]:
        """What may come next; empty where nothing recurs or guessing rests."""
        if self._rest > 0:
            self._rest -= 1
            return []
        start = self._after.get(tuple(self._history[-CONTEXT:])) if self._most else None
        if start is None:
            return []
        guessed = self._history[start : start + self._length]
        return guessed[: guessed.index(NO_TOKEN)] if NO_TOKEN in guessed else guessed

    def learn(self, guessed: int, right: int, pass_ms: float) -> None:
        """What came of a pass: how many were guessed and right, and what it took."""
        if guessed == 0:
            self._plain_ms = pass_ms if self._plain_ms == 0 else 0.8 * self._plain_ms + 0.2 * pass_ms
            return
        self._length = min(self._most, 2 * self._length) if right == guessed else max(2, right + 1)
        if self._plain_ms == 0:
            return
        self._gain_ms = min(self._gain_ms + (right + 1) * self._plain_ms - pass_ms, 4 * self._plain_ms)
        if self._gain_ms < -2 * self._plain_ms:
            self._gain_ms, self._rest, self._next_rest = 0.0, self._next_rest, 2 * self._next_rest
