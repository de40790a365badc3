"""Whether a finished text is in a grammar, for models that cannot be bound by force.

llguidance answers it over a vocabulary of single bytes, with the special tokens that the grammar itself names.
"""

from __future__ import annotations

import re
from typing import Any

from agent.errors import ModelError

__all__ = ["fit"]

SPECIAL = re.compile(r"<[^<>\s\"]+>")
"""How a special token is spelled, in a grammar and in a reply."""
END = b"<|end of reply|>"


class _Bytes:
    """What llguidance asks of a tokeniser."""

    bos_token_id = None

    def __init__(self, specials: list[str]) -> None:
        self.tokens = [bytes([value]) for value in range(256)] + [name.encode() for name in specials] + [END]
        self.eos_token_id = len(self.tokens) - 1
        self.special_token_ids = list(range(256, len(self.tokens)))

    def __call__(self, text: bytes) -> list[int]:
        return list(text)


def fit(lark: str, text: str) -> bool:
    """Whether the whole text is a sentence of the grammar.

    :raises ModelError: llguidance does not take the grammar.
    """
    from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper

    specials = sorted(set(SPECIAL.findall(lark)))
    make: Any = TokenizerWrapper
    matcher = LLMatcher(LLTokenizer(make(_Bytes(specials))), LLMatcher.grammar_from_lark(lark), log_level=0)
    if matcher.is_error():
        raise ModelError(f"the grammar of this reply does not compile: {matcher.get_error()}")
    return any(_accepts(matcher.deep_copy(), tokens) for tokens in _spellings(text, specials))


def _accepts(matcher: Any, tokens: list[int]) -> bool:
    return matcher.try_consume_tokens(tokens) == len(tokens) and bool(matcher.is_accepting())


def _spellings(text: str, specials: list[str]) -> list[list[int]]:
    """As plain bytes, and with special tokens where they are spelled: a server sends both alike."""
    plain = list(text.encode("utf-8", "replace"))
    if not specials:
        return [plain]
    tokens: list[int] = []
    for part in re.split("(" + "|".join(map(re.escape, specials)) + ")", text):
        tokens += [256 + specials.index(part)] if part in specials else list(part.encode("utf-8", "replace"))
    return [tokens, plain]
