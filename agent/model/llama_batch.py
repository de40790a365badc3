"""Several replies made together: each prompt is read on its own, then one pass carries a token of each.

A pass over eight tokens takes about four times as long as a pass over one, so scheduled work gets through twice as
fast. What the prompts start with alike is read and held once.
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
from agent.model.prefix import Entry
from agent.model.protocol import ReplyLimits
from agent.model.utterance import Utterance

__all__ = ["Job", "begin", "speak"]

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
    stopped: Stopped | None = None
    waiting: list[int] = field(default_factory=list)
    """Tokens that the model has to read next."""
    passes: int = 0
    prefill_ms: float = 0.0
    decode_ms: float = 0.0

    def take(self, context: NativeContext, index: int) -> None:
        """Choose by the logits of the last pass."""
        self.waiting = self.utterance.take(context.logits(index))
        self.stopped = self.utterance.stopped

    def usage(self, *, prompt_tokens: int, reused_tokens: int) -> Usage:
        """What it cost; a pass over several replies counts for each of them by its share of the time."""
        said = self.utterance
        return Usage(
            prompt_tokens=prompt_tokens,
            reused_tokens=reused_tokens,
            sampled_tokens=len(said.tokens) + len(said.thought) - said.forced,
            forced_tokens=said.forced,
            passes=self.passes,
            prefill_ms=self.prefill_ms,
            decode_ms=self.decode_ms,
        )


def begin(context: NativeContext, lanes: Lanes, vision: Vision | None, job: Job) -> None:
    """Read a job's prompt and choose its first token.

    :raises ModelError: llama.cpp failed.
    """
    began = time.perf_counter()
    said = job.utterance.begin()
    job.stopped = job.utterance.stopped
    if job.stopped is None:
        if prefill(lanes, job.lane, vision, [*job.prompt, *said], job.ends, job.limits):
            job.take(context, -1)
        else:
            job.stopped = "aborted"
    job.prefill_ms = (time.perf_counter() - began) * 1_000


def speak(context: NativeContext, lanes: Lanes, jobs: Sequence[Job]) -> None:
    """Make all replies that have begun; each job says then how it ended.

    :raises ModelError: llama.cpp failed.
    """
    while speaking := [job for job in jobs if job.stopped is None]:
        speaking[0].limits.between()
        for job in speaking:
            if job.limits.expired():
                job.stopped = "aborted"
        _pass(context, lanes, [job for job in speaking if job.stopped is None])


def _pass(context: NativeContext, lanes: Lanes, jobs: Sequence[Job]) -> None:
    began = time.perf_counter()
    for job in jobs:
        if len(job.waiting) > LONG_TOKENS:
            if lanes.read(job.lane, job.waiting, job.limits.expired):
                job.take(context, -1)
            else:
                job.stopped = "aborted"
    together = [job for job in jobs if job.stopped is None and len(job.waiting) <= LONG_TOKENS]
    if together:
        lanes.read_rows([(job.lane, job.waiting) for job in together])
        for index, job in enumerate(together):
            job.take(context, index)
    spent = (time.perf_counter() - began) * 1_000
    for job in jobs:
        job.passes += 1
        job.decode_ms += spent / len(jobs)
