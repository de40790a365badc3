"""From text to words with senses: the cheapest way to cover an utterance with what is known.

The vocabulary and a home's names lie in two tries. Names of the home win over the vocabulary, long over short, few
over many; what nothing covers is unknown, which costs most and is never passed over in silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from plugins.devices.understanding.lexicon import Sense, squeezed, vocabulary
from plugins.devices.understanding.normalise import Words, is_cjk
from plugins.devices.understanding.numbers import Amount, Duration, amount_at, duration_at

__all__ = ["Token", "Trie", "tokens_of", "words_trie"]

_SKIPPED = " -'_"
_COST = {"name": 0.8, "area": 0.85, "floor": 0.85, "piece": 1.2, "word": 1.3}
_COST_WORD, _COST_CHAR, _COST_LITTLE, _COST_PLURAL_NAME = 1.0, 1.4, 0.1, 2.0
_COST_UNKNOWN_CHAR, _COST_UNKNOWN_WORD, _COST_MARK = 5.0, 7.0, 1.5
_LITTLE = ("func", "polite", "too", "then", "and")
_END = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the utterance."""

    start: int
    end: int
    text: str
    """Lowered."""
    senses: tuple[Sense, ...] = ()
    """Empty: unknown."""
    amount: Amount | None = None
    duration: Duration | None = None

    def sense(self, kind: str) -> Sense | None:
        return next((sense for sense in self.senses if sense.kind == kind), None)

    def value(self, *kinds: str) -> str:
        """The concept it stands for, of the first of these kinds; empty: none."""
        return next((sense.value for kind in kinds for sense in self.senses if sense.kind == kind), "")

    def has(self, *kinds: str) -> bool:
        return any(sense.kind in kinds for sense in self.senses)

    @property
    def unknown(self) -> bool:
        return not (self.senses or self.amount or self.duration)


@dataclass(slots=True)
class Trie:
    """Phrases by their letters, without spaces."""

    root: dict[str, object] = field(default_factory=dict)

    def add(self, phrase: str, sense: Sense) -> None:
        node = self.root
        for char in squeezed(phrase):
            node = node.setdefault(char, {})  # type: ignore[assignment]
        senses = node.setdefault(_END, [])
        if isinstance(senses, list) and sense not in senses:
            senses.append(sense)

    def matches(self, low: str, at: int) -> Iterable[tuple[int, list[Sense]]]:
        """Ends and senses of all phrases that begin here and end with a word."""
        node = self.root
        for end in range(at, len(low)):
            char = low[end]
            if char in _SKIPPED and end > at:
                if char == "-" and low[end - 1] == " ":
                    return
                continue
            found = node.get(char)
            if not isinstance(found, dict):
                return
            node = found
            senses = node.get(_END)
            if isinstance(senses, list) and _breaks(low, end + 1):
                yield end + 1, senses


def _breaks(low: str, at: int) -> bool:
    """Whether a word may end, or begin, before this position."""
    if at <= 0 or at >= len(low):
        return True
    before, after = low[at - 1], low[at]
    return not (_letter(before) and _letter(after)) or (
        before.isdigit() and not after.isdigit() and not after.isascii()
    )


def _letter(char: str) -> bool:
    return char.isalnum() and not is_cjk(char)


@cache
def words_trie() -> Trie:
    trie = Trie()
    for phrase, sense in vocabulary():
        trie.add(phrase, sense)
    return trie


def tokens_of(words: Words, names: Trie) -> tuple[Token, ...]:
    """The utterance as the cheapest row of tokens."""
    low = words.low
    best: list[tuple[float, Token | None]] = [(0.0, None)] * (len(low) + 1)
    for at in range(len(low) - 1, -1, -1):
        if low[at] == " ":
            best[at] = (best[at + 1][0], None)
            continue
        options = _options(low, at, names) if _breaks(low, at) or is_cjk(low[at]) else []
        options.append(_unknown(low, at))
        best[at] = min(((cost + best[token.end][0], token) for cost, token in options), key=lambda option: option[0])
    row: list[Token] = []
    at = 0
    while at < len(low):
        token = best[at][1]
        if token is not None:
            row.append(token)
        at = token.end if token else at + 1
    return tuple(row)


def _options(low: str, at: int, names: Trie) -> list[tuple[float, Token]]:
    by_end: dict[int, list[Sense]] = {}
    for trie in (names, words_trie()):
        for end, senses in trie.matches(low, at):
            by_end.setdefault(end, []).extend(senses)
    amount, duration = amount_at(low, at), duration_at(low, at)
    ends = set(by_end) | {found[1] for found in (amount, duration) if found}
    options = []
    for end in ends:
        numbers = amount[0] if amount and amount[1] == end else None
        length = duration[0] if duration and duration[1] == end else None
        found = tuple(dict.fromkeys(by_end.get(end, ())))
        token = Token(at, end, low[at:end], found, numbers, length)
        options.append((_cost(token), token))
    return options


def _cost(token: Token) -> float:
    costs = [_COST.get(sense.kind, _COST_WORD) for sense in token.senses if not (sense.kind == "name" and sense.many)]
    if any(sense.kind == "name" and sense.many for sense in token.senses):
        costs.append(_COST_PLURAL_NAME)
    if token.amount or token.duration:
        costs.append(0.9 if token.duration or not (token.amount and token.amount.worded) else 1.0)
    cost = min(costs)
    if cost == _COST_WORD and len(token.text) == 1 and is_cjk(token.text):
        cost = _COST_CHAR
    if token.senses and all(sense.kind in _LITTLE for sense in token.senses):
        cost += _COST_LITTLE
    return cost


def _unknown(low: str, at: int) -> tuple[float, Token]:
    if is_cjk(low[at]) or not low[at].isalnum():
        cost = _COST_UNKNOWN_CHAR if is_cjk(low[at]) else _COST_MARK
        return cost, Token(at, at + 1, low[at : at + 1])
    end = at
    while end < len(low) and (_letter(low[end]) or (low[end] in "'-" and end + 1 < len(low) and _letter(low[end + 1]))):
        end += 1
    return _COST_UNKNOWN_WORD, Token(at, end, low[at:end])
