"""A draft of a reply: what it probably is, said by somebody who is quick, such as the rules.

The model reads a draft together with the prompt and keeps it as far as it would have said the same; so a reply that the
rules foresaw costs no pass of its own, and one that they did not is the same as without them.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NO_GUESS", "Draft", "Guess"]


@dataclass(frozen=True, slots=True)
class Guess:
    """Tokens that may come next."""

    tokens: tuple[int, ...] = ()
    asked: tuple[int, ...] = (0,)
    """Where a choice is made, by how many guesses stand before it; the last is after some or all of them."""

    @staticmethod
    def free(tokens: list[int]) -> Guess:
        """A choice before each token and after the last."""
        return Guess(tuple(tokens), tuple(range(len(tokens) + 1)))

    def upto(self, most: int) -> Guess:
        """No more than so many tokens."""
        if len(self.tokens) <= most:
            return self
        asked = tuple(at for at in self.asked if at <= max(0, most))
        return Guess(self.tokens[: asked[-1]], asked)


NO_GUESS = Guess()


class Draft:
    """What a whole reply may be."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines(keepends=True)

    def rest(self, said: str) -> str:
        """What may follow what was said. A line that went otherwise is left; the next one may be foreseen again."""
        number = said.count("\n")
        begun = said[said.rfind("\n") + 1 :]
        if number >= len(self._lines) or not self._lines[number].startswith(begun):
            return ""
        return self._lines[number][len(begun) :] + "".join(self._lines[number + 1 :])
