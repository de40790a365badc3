"""One reply being made on llama.cpp: read the prompt, then run what is chosen with what it forces and what is guessed
to follow, until something ends it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import groupby
from typing import Literal

from agent.messages import Usage
from agent.model.lanes import Lane, Lanes
from agent.model.llama_context import NativeContext
from agent.model.llama_vision import Vision
from agent.model.lookup import Lookup, Payoff
from agent.model.prefix import Entry, Picture
from agent.model.protocol import ReplyLimits
from agent.model.utterance import Utterance

__all__ = ["Run", "prefill"]

Stopped = Literal["done", "length", "aborted"]


class Run:
    """One reply in one lane."""

    def __init__(
        self,
        context: NativeContext,
        lanes: Lanes,
        lane: Lane,
        vision: Vision | None,
        utterance: Utterance,
        limits: ReplyLimits,
    ) -> None:
        self._context = context
        self._lanes = lanes
        self._lane = lane
        self._vision = vision
        self._utterance = utterance
        self._limits = limits
        self._lookup = Lookup(limits.lookup_tokens)
        self._payoff = Payoff()
        self._passes = 0
        self._guessed = 0
        self._prefill_ms = 0.0
        self._decode_ms = 0.0

    def go(self, prompt: Sequence[Entry], ends: Sequence[int]) -> Stopped:
        """Read the rest of the prompt, then choose until something ends it.

        :param ends: of the portions in which it is read.
        """
        began = time.perf_counter()
        waiting = self._utterance.begin()
        if self._utterance.stopped:
            return self._utterance.stopped
        ready = prefill(self._lanes, self._lane, self._vision, [*prompt, *waiting], ends, self._limits)
        self._prefill_ms = (time.perf_counter() - began) * 1_000
        self._lookup.read(entry if isinstance(entry, int) else None for entry in [*prompt, *waiting])
        try:
            return self._speak() if ready else "aborted"
        finally:
            self._decode_ms = (time.perf_counter() - began) * 1_000 - self._prefill_ms

    def _speak(self) -> Stopped:
        waiting = self._utterance.take(self._context.logits())
        while waiting:
            self._limits.between()
            self._lookup.read(waiting)
            guesses = self._lookup.guess()[: self._room() - len(waiting)] if self._payoff.may_guess() else []
            began = time.perf_counter()
            if not self._lanes.read(self._lane, [*waiting, *guesses], self._limits.expired, wanted=1 + len(guesses)):
                return "aborted"
            self._passes += 1
            pass_ms = (time.perf_counter() - began) * 1_000
            if guesses:
                waiting = self._check(guesses, pass_ms)
            else:
                if len(waiting) == 1:
                    self._payoff.plain(pass_ms)
                waiting = self._utterance.take(self._context.logits())
        return self._utterance.stopped or "done"

    def _room(self) -> int:
        """Tokens that the context still takes."""
        return self._context.tokens - self._lane.cells

    def _check(self, guesses: Sequence[int], pass_ms: float) -> list[int]:
        """Keep the guesses that were right; the lane then holds nothing else.

        :return: what has to be read next.
        """
        held = len(self._lane.entries) - len(guesses)
        right, waiting = self._utterance.take_guessed(self._context.logits, guesses)
        self._guessed += right
        self._lookup.read(guesses[:right])
        self._lookup.learn(len(guesses), right)
        self._payoff.guessed(right, pass_ms)
        self._lanes.cut(self._lane, held + right)
        return waiting

    def usage(self, *, prompt_tokens: int, reused_tokens: int) -> Usage:
        """What it cost."""
        said = self._utterance
        return Usage(
            prompt_tokens=prompt_tokens,
            reused_tokens=reused_tokens,
            sampled_tokens=len(said.tokens) + len(said.thought) - said.forced,
            forced_tokens=said.forced,
            guessed_tokens=self._guessed,
            passes=self._passes,
            prefill_ms=self._prefill_ms,
            decode_ms=self._decode_ms,
        )


def prefill(
    lanes: Lanes,
    lane: Lane,
    vision: Vision | None,
    entries: Sequence[Entry],
    ends: Sequence[int],
    limits: ReplyLimits,
) -> bool:
    """Read what a lane does not hold yet of these entries, of which it holds the beginning.

    :param ends: of the portions in which they are read.
    :return: False when the reply was stopped; the lane then holds what was finished.
    """
    for start, end in zip([0, *ends], [*ends, len(entries)], strict=True):
        stretch = entries[max(start, len(lane.entries)) : end]
        for is_picture, group in groupby(stretch, key=lambda entry: isinstance(entry, Picture)):
            part = list(group)
            if is_picture:
                done = vision is not None and all(
                    isinstance(entry, Picture) and vision.show(entry, lanes, lane, limits.expired) for entry in part
                )
            else:
                tokens = [entry for entry in part if isinstance(entry, int)]
                done = lanes.read(lane, tokens, limits.expired)
            if not done:
                return False
    return True
