"""Several replies made together: each prompt is read on its own, then one pass carries a token of each.

A pass over eight tokens takes about five times as long as a pass over one, and a pass over sixteen no longer than that.
So the rows that eight replies leave free carry guesses, which cost nothing: reports on many machines say much the same.
What the prompts start with alike is read and held once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.messages import Usage
from agent.model.lanes import Lane, Lanes
from agent.model.llama_context import NativeContext
from agent.model.llama_run import Stopped, prefill
from agent.model.llama_vision import Vision
from agent.model.lookup import Lookup, Payoff
from agent.model.prefix import Entry
from agent.model.protocol import ReplyLimits
from agent.model.utterance import Utterance

__all__ = ["LONG_TOKENS", "Batch", "Job", "begin"]

TILE_ROWS = 16
"""Tokens that llama.cpp's kernels for x86 compute at once, from half as many on."""
TOGETHER_MATCH = 2
"""Tokens that have to recur before a guess takes a row that is there anyway."""
LONG_TOKENS = 16
"""More forced tokens than this are read in a pass of their own."""


@dataclass(slots=True)
class Job:
    """One of the replies."""

    lane: Lane
    prompt: Sequence[Entry]
    ends: Sequence[int]
    """Of the portions in which it is read."""
    limits: ReplyLimits
    utterance: Utterance
    lookup: Lookup
    """Shares its corpus with the others: reports on many machines repeat each other."""
    stopped: Stopped | None = None
    waiting: list[int] = field(default_factory=list)
    """Tokens that the model has to read next."""
    guessed: int = 0
    passes: int = 0
    prefill_ms: float = 0.0
    decode_ms: float = 0.0

    def take(self, context: NativeContext, index: int) -> None:
        """Choose by the logits of the last pass."""
        self.waiting = self.utterance.take(context.logits(index))
        self.stopped = self.utterance.stopped

    def take_guessed(self, context: NativeContext, lanes: Lanes, first: int, guesses: Sequence[int]) -> int:
        """Choose by the logits of the last pass, in which guesses followed what waited.

        :param first: number of the logits of the token before the guesses.
        :return: how many guesses were right; the lane then holds no others.
        """
        held = len(self.lane.entries) - len(guesses)
        right, self.waiting = self.utterance.take_guessed(lambda at: context.logits(first + at), guesses)
        if guesses:
            lanes.cut(self.lane, held + right)
            self.lookup.read(guesses[:right])
            self.guessed += right
        self.stopped = self.utterance.stopped
        return right

    def usage(self, *, prompt_tokens: int, reused_tokens: int) -> Usage:
        """What it cost; a pass over several replies counts for each of them by its share of the time."""
        cost = Usage(
            prompt_tokens=prompt_tokens,
            reused_tokens=reused_tokens,
            guessed_tokens=self.guessed,
            passes=self.passes,
            prefill_ms=self.prefill_ms,
            decode_ms=self.decode_ms,
        )
        return self.utterance.usage(cost)


def begin(context: NativeContext, lanes: Lanes, vision: Vision | None, job: Job) -> None:
    """Read a job's prompt and choose its first token.

    :raises ModelError: llama.cpp failed.
    """
    began = time.perf_counter()
    said = job.utterance.begin()
    job.stopped = job.utterance.stopped
    if job.stopped is None:
        job.lookup.read(entry if isinstance(entry, int) else None for entry in [*job.prompt, *said])
        if prefill(lanes, job.lane, vision, [*job.prompt, *said], job.ends, job.limits) is not None:
            job.take(context, -1)
        else:
            job.stopped = "aborted"
    job.prefill_ms = (time.perf_counter() - began) * 1_000


class Batch:
    """Replies that have begun, made together."""

    def __init__(self, context: NativeContext, lanes: Lanes, jobs: Sequence[Job]) -> None:
        """The jobs say in the end how they ended."""
        self._context = context
        self._lanes = lanes
        self._jobs = jobs
        self._payoff = Payoff()

    def speak(self) -> None:
        """Make all replies.

        :raises ModelError: llama.cpp failed.
        """
        while speaking := [job for job in self._jobs if job.stopped is None]:
            speaking[0].limits.between()
            for job in speaking:
                if job.limits.expired():
                    job.stopped = "aborted"
            began = time.perf_counter()
            going = [job for job in speaking if job.stopped is None]
            self._pass(going)
            for job in going:
                job.passes += 1
                job.decode_ms += (time.perf_counter() - began) * 1_000 / len(going)

    def _pass(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if len(job.waiting) > LONG_TOKENS:
                if self._lanes.read(job.lane, job.waiting, job.limits.expired):
                    job.lookup.read(job.waiting)
                    job.take(self._context, -1)
                else:
                    job.stopped = "aborted"
        together = [job for job in jobs if job.stopped is None and len(job.waiting) <= LONG_TOKENS]
        if together:
            self._pass_together(together)

    def _pass_together(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            job.lookup.read(job.waiting)
        guesses = self._guesses(jobs)
        began = time.perf_counter()
        self._lanes.read_rows(
            [(job.lane, [*job.waiting, *more], 1 + len(more)) for job, more in zip(jobs, guesses, strict=True)]
        )
        pass_ms = (time.perf_counter() - began) * 1_000
        first = right = 0
        for job, more in zip(jobs, guesses, strict=True):
            right += job.take_guessed(self._context, self._lanes, first, more)
            first += 1 + len(more)
        if any(guesses):
            self._payoff.guessed(right / len(jobs), pass_ms)
        else:
            self._payoff.plain(pass_ms)

    def _guesses(self, jobs: Sequence[Job]) -> list[list[int]]:
        """As many as fill the pass up to whole tiles, given out in turn; a tile that is half empty costs as much."""
        rows = sum(len(job.waiting) for job in jobs)
        spare = -rows % TILE_ROWS if rows >= TILE_ROWS // 2 and self._payoff.may_guess() else 0
        found = [job.lookup.guess(least_match=TOGETHER_MATCH) if spare else [] for job in jobs]
        given: list[list[int]] = [[] for _ in jobs]
        for turn in range(spare):
            for mine, all_of_it in zip(given, found, strict=True):
                if spare > 0 and len(mine) == turn < len(all_of_it):
                    mine.append(all_of_it[turn])
                    spare -= 1
        return given
