"""Pieces of a prompt to tokens, so that only the template's markup can become control tokens.

Two traps are avoided here. llama.cpp reads user-defined tokens such as `<tool_call>` out of any text, also when told
not to parse special ones: so content that spells one is cut inside it and tokenised in two. And tokenising markup and
content apart would merge other pairs than the model was trained on: so a run reaches from one control token to the
next, over piece boundaries, and is tokenised as one text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from agent.model.template import Content, Known, Markup, Piece

__all__ = ["PromptTokenizer"]


class PromptTokenizer:
    """Tokenises prompts for one vocabulary."""

    def __init__(self, specials: Mapping[str, int], plain: Callable[[str], list[int]], *, first: int | None) -> None:
        """
        :param specials: spelling → id of every control and user-defined token.
        :param plain: tokenises text; control tokens in it stay text.
        :param first: a token that every prompt starts with; None where there is none.
        """
        self._specials = dict(specials)
        self._plain = plain
        self._first = first
        spellings = sorted((text for text in specials if len(text) > 1), key=len, reverse=True)
        self._in_markup = re.compile("|".join(map(re.escape, spellings)) or r"(?!)")
        # A lookahead finds overlapping spellings too. Runs of spaces or newlines are tokens on purpose in some models.
        marks = [text for text in spellings if text.strip() == text]
        self._in_content = re.compile("(?=" + ("|".join(map(re.escape, marks)) or "(?!)") + ")")

    def encode(self, pieces: Sequence[Piece]) -> list[int]:
        """The tokens of a prompt."""
        tokens: list[int] = [] if self._first is None else [self._first]
        run: list[str] = []
        for part in self._parts(pieces):
            if isinstance(part, str):
                run.append(part)
                continue
            tokens += self._encode_run("".join(run))
            run.clear()
            tokens += part
        tokens += self._encode_run("".join(run))
        if self._first is not None and tokens[1:2] == [self._first]:
            del tokens[0]
        return tokens

    def _parts(self, pieces: Sequence[Piece]) -> Iterable[str | tuple[int, ...]]:
        """Plain text as str, finished tokens as tuple."""
        for piece in pieces:
            match piece:
                case Known(tokens):
                    yield tokens
                case Content(text):
                    yield text
                case Markup(text):
                    end = 0
                    for found in self._in_markup.finditer(text):
                        yield text[end : found.start()]
                        yield (self._specials[found[0]],)
                        end = found.end()
                    yield text[end:]

    def _encode_run(self, text: str) -> list[int]:
        tokens: list[int] = []
        start = 0
        for found in self._in_content.finditer(text):
            tokens += self._plain(text[start : found.start() + 1])
            start = found.start() + 1
        return tokens + (self._plain(text[start:]) if start < len(text) else [])
