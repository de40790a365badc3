"""Pieces of the person's own words: what stands between the words that the grammar knows."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.devices.understanding.normalise import Words
from plugins.devices.understanding.tokens import Token

__all__ = ["between", "order_words", "trimmed"]

_EDGES = ("func", "polite", "too", "mark", "and", "then")


def trimmed(tokens: Sequence[Token]) -> Sequence[Token]:
    """Without little words at either end."""
    begin, end = 0, len(tokens)
    while begin < end and _edge(tokens[begin]):
        begin += 1
    while end > begin and _edge(tokens[end - 1]):
        end -= 1
    return tokens[begin:end]


def between(words: Words, tokens: Sequence[Token]) -> str:
    """The words that these neighbouring tokens cover, as the person wrote them."""
    kept = trimmed(tokens)
    return words.cut(kept[0].start, kept[-1].end) if kept else ""


def order_words(words: Words, tokens: Sequence[Token]) -> str:
    """The words of an order: "turn it off" keeps its last word."""
    kept = [token for token in tokens if not token.has("mark")]
    while kept and kept[0].has("polite", "then", "and") and not kept[0].has("verb"):
        kept.pop(0)
    while kept and (kept[-1].has("polite", "then", "and") or (kept[-1].has("func") and not kept[-1].has("particle"))):
        kept.pop()
    return words.cut(kept[0].start, kept[-1].end) if kept else ""


def _edge(token: Token) -> bool:
    return token.has(*_EDGES) and not token.has("name", "area", "verb") and not token.amount
