"""One reply being made on llama.cpp: read the prompt, then run what is chosen with what it forces and what is guessed
to follow, until something ends it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import groupby
from typing import Literal

from agent.messages import Usage
from agent.model.draft import NO_GUESS, Draft, Guess
from agent.model.lanes import Lane, Lanes
from agent.model.llama_context import NativeContext
from agent.model.llama_vision import Vision
from agent.model.lookup import Lookup, Payoff
from agent.model.prefix import Entry, Picture, cells_of
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
        self._draft = Draft(limits.draft) if limits.draft else None
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
        begun = [*prompt, *waiting]
        guess = self._foresee().upto(self._context.tokens - cells_of(begun))
        read = prefill(self._lanes, self._lane, self._vision, begun, ends, self._limits, guess)
        self._prefill_ms = (time.perf_counter() - began) * 1_000
        self._lookup.read(entry if isinstance(entry, int) else None for entry in begun)
        try:
            return "aborted" if read is None else self._speak(self._check(read))
        finally:
            self._decode_ms = (time.perf_counter() - began) * 1_000 - self._prefill_ms

    def _speak(self, waiting: Sequence[int]) -> Stopped:
        """:param waiting: what has to be read next."""
        while waiting:
            self._limits.between()
            self._lookup.read(waiting)
            guess = self._foresee()
            repeats = not guess.tokens and self._payoff.may_guess()
            room = min(self._room() - len(waiting), self._lanes.batch_room(len(waiting)))
            guess = (Guess.free(self._lookup.guess()) if repeats else guess).upto(room)
            began = time.perf_counter()
            tokens = [*waiting, *guess.tokens]
            wanted = [len(waiting) - 1 + at for at in guess.asked]
            if not self._lanes.read(self._lane, tokens, self._limits.expired, wanted=wanted):
                return "aborted"
            self._passes += 1
            before, plain = self._guessed, len(tokens) == 1
            waiting = self._check(guess)
            pass_ms = (time.perf_counter() - began) * 1_000
            if repeats and guess.tokens:
                self._lookup.learn(len(guess.tokens), self._guessed - before)
                self._payoff.guessed(self._guessed - before, pass_ms)
            elif plain:
                self._payoff.plain(pass_ms)
        return self._utterance.stopped or "done"

    def _foresee(self) -> Guess:
        """What comes next if the reply is as its draft."""
        rest = self._draft.rest(self._utterance.text) if self._draft else ""
        return self._utterance.foresee(rest) if rest else NO_GUESS

    def _room(self) -> int:
        """Tokens that the context still takes."""
        return self._context.tokens - self._lane.cells

    def _check(self, guess: Guess) -> list[int]:
        """Choose; of the guesses the lane then holds those that were right.

        :return: what has to be read next.
        """
        held = len(self._lane.entries) - len(guess.tokens)
        right, waiting = self._utterance.take_guessed(
            lambda at: self._context.logits(guess.asked.index(at)), guess.tokens
        )
        if guess.tokens:
            self._guessed += right
            self._lookup.read(guess.tokens[:right])
            self._lanes.cut(self._lane, held + right)
        return waiting

    def usage(self, *, prompt_tokens: int, reused_tokens: int) -> Usage:
        """What it cost."""
        cost = Usage(
            prompt_tokens=prompt_tokens,
            reused_tokens=reused_tokens,
            guessed_tokens=self._guessed,
            passes=self._passes,
            prefill_ms=self._prefill_ms,
            decode_ms=self._decode_ms,
        )
        return self._utterance.usage(cost)


def prefill(
    lanes: Lanes,
    lane: Lane,
    vision: Vision | None,
    entries: Sequence[Entry],
    ends: Sequence[int],
    limits: ReplyLimits,
    guess: Guess = NO_GUESS,
) -> Guess | None:
    """Read what a lane does not hold yet of these entries, of which it holds the beginning.

    :param ends: of the portions in which they are read.
    :param guess: read with the last portion, where it fits into a batch with it.
    :return: the guess that was read; None when the reply was stopped, and the lane holds what was finished.
    """
    parts: list[tuple[bool, list[Entry]]] = []
    for start, end in zip([0, *ends], [*ends, len(entries)], strict=True):
        portion = entries[max(start, len(lane.entries)) : end]
        groups = groupby(portion, key=lambda entry: isinstance(entry, Picture))
        parts += [(is_picture, list(group)) for is_picture, group in groups]
    for number, (is_picture, part) in enumerate(parts):
        limits.between()
        if is_picture:
            shown = vision is not None and all(
                isinstance(entry, Picture) and vision.show(entry, lanes, lane, limits.expired) for entry in part
            )
            if not shown:
                return None
            continue
        tokens = [entry for entry in part if isinstance(entry, int)]
        *before, last = lanes.pieces(tokens)
        for piece in before:
            if not lanes.read(lane, piece, limits.expired):
                return None
            limits.between()
        if number < len(parts) - 1:
            done = lanes.read(lane, last, limits.expired)
        else:
            guess = guess.upto(lanes.batch_room(len(last)))
            wanted = [len(last) - 1 + at for at in guess.asked]
            done = lanes.read(lane, [*last, *guess.tokens], limits.expired, wanted=wanted)
        if not done:
            return None
    return guess
