"""One reply being made on llama.cpp: run what is forced with what was chosen, choose, until something ends it."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Literal

import numpy as np

from agent.messages import Usage
from agent.model.constrain import Guide
from agent.model.llama_native import NativeModel
from agent.model.llama_vision import Vision
from agent.model.prefix import Entry, Memory, Picture
from agent.model.protocol import ReplyLimits

__all__ = ["Run"]


class Run:
    """One reply being made."""

    def __init__(
        self,
        native: NativeModel,
        vision: Vision | None,
        memory: Memory,
        guide: Guide,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None,
    ) -> None:
        self._native = native
        self._vision = vision
        self._memory = memory
        self._guide = guide
        self._limits = limits
        self._on_text = on_text
        self._random = np.random.default_rng(limits.seed)
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._passes = 0
        self._prefill_ms = 0.0
        self._decode_ms = 0.0
        self._forced = 0
        self.tokens: list[int] = []
        self.text = ""

    def go(self, pending: Sequence[Entry]) -> Literal["done", "length", "aborted"]:
        """Run the rest of the prompt, then choose until something ends it."""
        began = time.perf_counter()
        try:
            return self._go(list(pending), began)
        finally:
            self._decode_ms = (time.perf_counter() - began) * 1_000 - self._prefill_ms

    def _go(self, waiting: list[Entry], began: float) -> Literal["done", "length", "aborted"]:
        while True:
            waiting += self._say_forced()
            if self._guide.over:
                return "done"
            if len(self.tokens) >= self._limits.max_tokens:
                return "length"
            ready = self._decode(waiting)
            if self._passes <= 1:
                self._prefill_ms = (time.perf_counter() - began) * 1_000
            if not ready:
                return "aborted"
            token = self._guide.choose(self._native.logits(), self._limits.temperature, self._random)
            if self._native.ends(token):
                return "done"
            self._say([token])
            waiting = [token]

    def usage(self, *, prompt_tokens: int, reused_tokens: int) -> Usage:
        """What it cost."""
        return Usage(
            prompt_tokens=prompt_tokens,
            reused_tokens=reused_tokens,
            sampled_tokens=len(self.tokens) - self._forced,
            forced_tokens=self._forced,
            passes=max(0, self._passes - 1),
            prefill_ms=self._prefill_ms,
            decode_ms=self._decode_ms,
        )

    def _say_forced(self) -> list[int]:
        tokens = self._guide.forced()[: max(0, self._limits.max_tokens - len(self.tokens))]
        self._forced += len(tokens)
        self._say(tokens)
        return tokens

    def _say(self, tokens: Sequence[int]) -> None:
        self.tokens += tokens
        text = self._utf8.decode(b"".join(map(self._native.piece, tokens)))
        self.text += text
        if text and self._on_text is not None:
            self._on_text(text)

    def _decode(self, entries: Sequence[Entry]) -> bool:
        """:return: False when the reply was stopped from outside; the memory then holds what was finished."""
        for is_picture, group in groupby(entries, key=lambda entry: isinstance(entry, Picture)):
            part = list(group)
            done = self._show(part) if is_picture else self._feed(part)
            if not done:
                return False
        self._passes += 1
        return True

    def _feed(self, entries: Sequence[Entry]) -> bool:
        tokens = [entry for entry in entries if isinstance(entry, int)]
        done = self._native.decode(tokens, self._memory.position, self._limits.expired)
        self._memory.add(tokens[:done])
        return done == len(tokens)

    def _show(self, entries: Sequence[Entry]) -> bool:
        for entry in entries:
            assert isinstance(entry, Picture) and self._vision is not None
            if not self._vision.show(entry, self._memory.position, self._limits.expired):
                return False
            self._memory.add([entry])
        return True
