"""Guesses what a reply says next where it repeats what stands in a prompt, in itself, or in another reply of its batch.

The model reads the guesses together with its last token and keeps those that it would have chosen, so a quoted row
takes a few passes and the reply is the same. A longer pass costs more, so only a long repetition is followed, and
guessing rests where it does not pay: what it gained and cost is counted in milliseconds on the machine at hand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

__all__ = ["Corpus", "Lookup", "Payoff"]

LEAST_MATCH = 6
"""Tokens that have to recur before what followed them is guessed. Fewer are chance more often than they pay."""
SURE_MATCH = 12
"""From so many on, as many as allowed are guessed, and before that at most `SHORT_GUESS`."""
SHORT_GUESS = 15
"""With the token that is known, a pass of 16: a tile of llama.cpp's kernels for x86, of which half costs as much."""
CANDIDATES = 16
"""Places that are compared, the latest first."""
REST_PASSES = 24
"""Without guesses, after some that did not pay; doubled each time."""
NO_TOKEN = -1


class Corpus:
    """Where pairs of tokens stand in some histories."""

    def __init__(self) -> None:
        self._places: defaultdict[tuple[int, int], list[tuple[list[int], int]]] = defaultdict(list)

    def add(self, history: list[int], token: int) -> None:
        """A history goes on with a token."""
        if len(history) >= 2:
            self._places[history[-2], history[-1]].append((history, len(history)))
        history.append(token)

    def longest(self, history: list[int]) -> tuple[int, list[int], int]:
        """Where the end of a history has stood before.

        :return: how many tokens are the same, in which history, and where what followed begins.
        """
        best: tuple[int, list[int], int] = (0, [], 0)
        if len(history) < 2:
            return best
        for other, at in reversed(self._places.get((history[-2], history[-1]), [])[-CANDIDATES:]):
            same = 2
            while same < min(at, len(history), SURE_MATCH) and other[at - 1 - same] == history[-1 - same] != NO_TOKEN:
                same += 1
            if same > best[0]:
                best = (same, other, at)
        return best


class Lookup:
    """Guesses for one reply."""

    def __init__(self, most: int, corpus: Corpus | None = None) -> None:
        """
        :param most: tokens guessed at once; 0 never guesses.
        :param corpus: shared with other replies; None looks into this one alone.
        """
        self._most = most
        self._corpus = corpus or Corpus()
        self._history: list[int] = []
        self._was_right = False

    def read(self, tokens: Iterable[int | None]) -> None:
        """These follow what was read so far; None for what is no token, such as an image."""
        if self._most:
            for token in tokens:
                self._corpus.add(self._history, NO_TOKEN if token is None else token)

    def guess(self, *, least_match: int = LEAST_MATCH) -> list[int]:
        """What may come next; empty where nothing recurs."""
        if not self._most:
            return []
        same, other, at = self._corpus.longest(self._history)
        if same < (2 if self._was_right else least_match):
            return []
        length = self._most if same >= SURE_MATCH else min(self._most, SHORT_GUESS)
        guessed = other[at : at + length]
        return guessed[: guessed.index(NO_TOKEN)] if NO_TOKEN in guessed else guessed

    def learn(self, guessed: int, right: int) -> None:
        """How many were guessed, and right. What was wholly right is followed further."""
        self._was_right = guessed > 0 and right == guessed


class Payoff:
    """Whether guessing pays on this machine, in milliseconds."""

    def __init__(self) -> None:
        self._plain_ms = 0.0
        self._gain_ms = 0.0
        self._rest = 0
        self._next_rest = REST_PASSES

    def may_guess(self) -> bool:
        """Asked once before each pass."""
        self._rest = max(0, self._rest - 1)
        return self._rest == 0 and self._plain_ms > 0

    def plain(self, pass_ms: float) -> None:
        """A pass without guesses took so long."""
        self._plain_ms = pass_ms if self._plain_ms == 0 else 0.8 * self._plain_ms + 0.2 * pass_ms

    def guessed(self, passes_saved: float, pass_ms: float) -> None:
        """A pass with guesses took so long, and saved so many plain ones."""
        gain = (1 + passes_saved) * self._plain_ms - pass_ms
        self._gain_ms = min(self._gain_ms + gain, 8 * self._plain_ms)
        if self._gain_ms < -8 * self._plain_ms:
            self._gain_ms, self._rest, self._next_rest = 0.0, self._next_rest, 2 * self._next_rest
