"""Keeps a reply inside its grammar, with llguidance: what is forced, what is allowed, when it is over.

Grammars come from `Bound.lark()`; a special token stands in them as `<tool_call>`. Compiling takes about a millisecond
and the tokenizer about half a second, so both are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.errors import ModelError
from agent.model.draft import NO_GUESS, Guess
from agent.model.llama_native import NativeModel

__all__ = ["Constraint", "Free", "Grammars", "Guide", "choose"]

DENSE_BYTES = 1_024
"""With more mask bytes set than this, masking all logits beats gathering the allowed ones."""
FORESEEN_BYTES = 128
"""Longer than any token; more of a draft need not be tokenised to know its next one."""
ERROR_CHARS = 300
MIN_TEMPERATURE = 1e-4
"""Below this the best token has all the weight anyway."""


class Guide(Protocol):
    """Says what may come next."""

    def forced(self) -> list[int]:
        """Tokens without a choice, which are taken as said by asking."""
        ...

    def choose(self, logits: NDArray[np.float32], temperature: float, random: np.random.Generator) -> int:
        """The next token; it is taken as said."""
        ...

    def foresee(self, text: str) -> Guess:
        """The tokens that come next if the reply goes on with a text; asking changes nothing."""
        ...

    @property
    def over(self) -> bool:
        """Nothing can follow."""
        ...

    @property
    def thinking(self) -> bool:
        """What comes next is thought, and no part of the reply."""
        ...


class Free:
    """No grammar."""

    over = False
    thinking = False

    def forced(self) -> list[int]:
        return []

    def choose(self, logits: NDArray[np.float32], temperature: float, random: np.random.Generator) -> int:
        return choose(logits, None, temperature, random)

    def foresee(self, text: str) -> Guess:
        return NO_GUESS


class Constraint:
    """One reply in one grammar."""

    thinking = False

    def __init__(self, matcher: Any, native: NativeModel) -> None:
        self._matcher = matcher
        self._native = native
        self._mask = np.zeros((native.vocabulary_size + 31) // 32, np.int32)

    @property
    def over(self) -> bool:
        self._check()
        return bool(self._matcher.is_stopped())

    def forced(self) -> list[int]:
        if self._matcher.is_stopped():
            return []
        tokens: list[int] = self._matcher.compute_ff_tokens()
        if tokens:
            self._matcher.consume_tokens(tokens)
            self._check()
        return tokens

    def choose(self, logits: NDArray[np.float32], temperature: float, random: np.random.Generator) -> int:
        self._matcher.unsafe_compute_mask_ptr(self._mask.ctypes.data, self._mask.nbytes)
        self._check()
        token = choose(logits, self._mask.view(np.uint8), temperature, random)
        self._matcher.consume_token(token)
        self._check()
        return token

    def foresee(self, text: str) -> Guess:
        """As far as the grammar admits the text, without what is forced after the last choice: it is never read."""
        ahead = self._matcher.deep_copy()
        rest = text.encode("utf-8", "replace")
        tokens: list[int] = []
        asked: list[int] = []
        while rest:
            asked.append(len(tokens))
            if rest[0] & 0xC0 == 0x80:  # a choice within a character, which no text can spell
                break
            token = self._native.tokenize(rest[:FORESEEN_BYTES].decode("utf-8", "ignore"))[0]
            if ahead.try_consume_tokens([token]) != 1 or ahead.is_stopped():
                break
            run = [token, *ahead.compute_ff_tokens()]
            ahead.consume_tokens(run[1:])
            spelled = b"".join(map(self._native.piece, run))
            if ahead.is_stopped() or not rest.startswith(spelled):
                break
            tokens += run
            rest = rest[len(spelled) :]
        else:
            asked.append(len(tokens))
        return Guess(tuple(tokens), tuple(asked))

    def _check(self) -> None:
        if self._matcher.is_error():
            raise ModelError(f"the grammar of this reply broke: {_first_line(self._matcher.get_error())}")


class Grammars:
    """Compiled grammars over one vocabulary."""

    def __init__(self, native: NativeModel, *, entries: int) -> None:
        self._native = native
        self._entries = entries
        self._tokenizer: Any = None
        self._compiled: OrderedDict[str, Any] = OrderedDict()

    def constraint(self, lark: str) -> Constraint:
        """
        :raises ModelError: llguidance does not take the grammar.
        """
        matcher = self._compiled.pop(lark, None) or self._compile(lark)
        self._compiled[lark] = matcher
        while len(self._compiled) > self._entries:
            self._compiled.popitem(last=False)
        return Constraint(matcher.deep_copy(), self._native)

    def _compile(self, lark: str) -> Any:
        from llguidance import LLMatcher

        if self._tokenizer is None:
            self._tokenizer = _tokenizer_of(self._native)
        matcher = LLMatcher(self._tokenizer, LLMatcher.grammar_from_lark(lark), log_level=0)
        if matcher.is_error():
            raise ModelError(f"the grammar of this reply does not compile: {_first_line(matcher.get_error())}")
        return matcher


def _first_line(error: str) -> str:
    """Without llguidance's dump of its state and of the whole grammar."""
    return error.strip().splitlines()[0][:ERROR_CHARS] if error.strip() else "no reason given"


def _tokenizer_of(native: NativeModel) -> Any:
    """The vocabulary as llguidance wants it: special tokens carry a leading byte 0xFF, which no text has."""
    from llguidance import LLTokenizer

    special = set(native.special_tokens().values())
    pieces = [
        b"\xff" + native.piece(token) if token in special else native.piece(token)
        for token in range(native.vocabulary_size)
    ]
    make: Any = LLTokenizer  # its stub leaves `from_llamacpp` out
    return make.from_llamacpp(
        tokens=pieces,
        vocab_ptr=native.vocabulary,
        tokenize_fptr=native.tokenize_address,
        eos_token=native.end_token,
        slices=None,
    )


def choose(
    logits: NDArray[np.float32],
    mask: NDArray[np.uint8] | None,
    temperature: float,
    random: np.random.Generator,
) -> int:
    """The next token: the best one at temperature 0, else drawn.

    :param logits: shape (vocabulary,).
    :param mask: one bit per token, lowest bit first; None allows all.
    """
    best = int(logits.argmax())
    if temperature <= 0 and (mask is None or mask[best >> 3] >> (best & 7) & 1):
        return best
    allowed = None if mask is None else _allowed(mask, logits.size)
    scores = logits if allowed is None else logits[allowed]
    if scores.size == 0:
        raise ModelError("the grammar of this reply allows no token here")
    index = int(scores.argmax()) if temperature <= 0 else _draw(scores, temperature, random)
    return index if allowed is None else int(allowed[index])


def _allowed(mask: NDArray[np.uint8], size: int) -> NDArray[np.int64]:
    places = np.flatnonzero(mask)
    if places.size > DENSE_BYTES:
        return np.flatnonzero(np.unpackbits(mask, count=size, bitorder="little"))
    bits = np.unpackbits(mask[places, None], axis=1, bitorder="little").astype(bool)
    tokens: NDArray[np.int64] = (places[:, None] * 8 + np.arange(8))[bits]
    return tokens[tokens < size]


def _draw(scores: NDArray[np.float32], temperature: float, random: np.random.Generator) -> int:
    weights = np.exp((scores.astype(np.float64) - scores.max()) / max(temperature, MIN_TEMPERATURE))
    total = np.cumsum(weights)
    place = int(np.searchsorted(total, random.random() * total[-1], side="right"))
    return min(place, scores.size - 1)
