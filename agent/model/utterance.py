"""One reply as it is said: what is forced, what is chosen, what of it is text, and when it is over.

It knows nothing of passes or memory: whoever runs the model hands it logits and gets back the tokens that the model has
to read next. So a reply is the same whether it is made alone, in a batch, or with guesses ahead.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.messages import Usage
from agent.model.constrain import Guide
from agent.model.draft import NO_GUESS, Guess
from agent.model.protocol import ReplyLimits

__all__ = ["Utterance", "Vocabulary"]


class Vocabulary(Protocol):
    """What tokens mean."""

    def piece(self, token: int) -> bytes:
        """What a token spells."""
        ...

    def ends(self, token: int) -> bool:
        """This token ends a reply."""
        ...


class Utterance:
    """One reply being said."""

    def __init__(
        self, vocabulary: Vocabulary, guide: Guide, limits: ReplyLimits, on_text: Callable[[str], None] | None = None
    ) -> None:
        self._vocabulary = vocabulary
        self._guide = guide
        self._limits = limits
        self._on_text = on_text
        self._random = np.random.default_rng(limits.seed)
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self.tokens: list[int] = []
        """Of the text."""
        self.thought: list[int] = []
        """Said before it, and no part of it."""
        self.forced = 0
        """Of both, those without a choice."""
        self.text = ""
        self.stopped: Literal["done", "length"] | None = None

    def begin(self) -> list[int]:
        """What is said before any choice; the model reads it after the prompt, unless the reply is over by it."""
        return self._force()

    def take(self, logits: NDArray[np.float32]) -> list[int]:
        """Choose the next token.

        :return: that token and what it forces, for the model to read; empty where the reply is over.
        """
        thinking = self._guide.thinking
        token = self._guide.choose(logits, self._limits.temperature, self._random)
        if self._vocabulary.ends(token):
            self.stopped = "done"
            return []
        self._say([token], thinking=thinking)
        forced = self._force()
        return [] if self.stopped else [token, *forced]

    def foresee(self, text: str) -> Guess:
        """The tokens that come next if the reply goes on with a text."""
        return NO_GUESS if self.stopped else self._guide.foresee(text)

    def take_guessed(
        self, logits: Callable[[int], NDArray[np.float32]], guesses: Sequence[int]
    ) -> tuple[int, list[int]]:
        """Choose after the last token and after each guess, as long as the guess was what is chosen.

        :param logits: by how many guesses stand before the choice; asked where one is made.
        :return: how many guesses were right, and what the model has to read next; empty where the reply is over.
        """
        right = 0
        while True:
            said = self.take(logits(right))
            same = 0
            while same < len(said) and right + same < len(guesses) and guesses[right + same] == said[same]:
                same += 1
            right += same
            if not said or same < len(said):
                return right, said[same:]

    def usage(self, cost: Usage) -> Usage:
        """What was said, added to what it cost."""
        sampled = len(self.tokens) + len(self.thought) - self.forced
        return cost.plus(Usage(sampled_tokens=sampled, forced_tokens=self.forced))

    def _force(self) -> list[int]:
        said: list[int] = []
        whole = True
        while True:
            thinking = self._guide.thinking
            tokens = self._guide.forced()
            if not thinking:
                room = max(0, self._limits.max_tokens - len(self.tokens))
                whole, tokens = len(tokens) <= room, tokens[:room]
            self._say(tokens, thinking=thinking)
            self.forced += len(tokens)
            said += tokens
            if not thinking or not tokens:
                break
        if self._guide.over and whole:
            self.stopped = "done"
        elif len(self.tokens) >= self._limits.max_tokens:
            self.stopped = "length"
        return said

    def _say(self, tokens: Sequence[int], *, thinking: bool) -> None:
        if thinking:
            self.thought += tokens
            return
        self.tokens += tokens
        text = self._utf8.decode(b"".join(map(self._vocabulary.piece, tokens)))
        self.text += text
        if text and self._on_text is not None:
            self._on_text(text)
