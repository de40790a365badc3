"""A turn that the server has in hand: where it stands, and its events."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.answer import AnswerPart
from agent.perception import Perception
from agent.server.events import EventLog
from agent.server.outcomes import with_outcome
from agent.server.problems import Problem
from agent.server.queue import Job
from agent.server.turn_store import Asked

__all__ = ["LiveTurn"]


@dataclass(eq=False, slots=True)
class LiveTurn:
    """Changed by the thread of the turns, read by every other."""

    asked: Asked
    keep: bool
    """Whether it goes on when nobody listens any more."""
    state: str = "queued"
    """queued | running | finished | failed | interrupted"""
    position: int = 0
    estimate_s: float = 0.0
    steps: list[Mapping[str, object]] = field(default_factory=list)
    parts: tuple[AnswerPart, ...] = ()
    """What was found so far."""
    perception: Perception | None = None
    answer: Mapping[str, Any] | None = None
    error: Problem | None = None
    log: EventLog = field(default_factory=EventLog)
    cancelled: threading.Event = field(default_factory=threading.Event)
    job: Job | None = None

    def moved(self, position: int, seconds: float) -> None:
        """Its place in the queue has changed."""
        self.position, self.estimate_s = position, round(seconds, 1)
        self.log.add("position", {"position": position, "estimate_s": self.estimate_s})

    def step(self, step: Mapping[str, object]) -> None:
        """Something was done."""
        self.steps.append(step)
        self.log.add("step", step)

    def said(self, text: str) -> None:
        """The answer, line by line."""
        for line in text.splitlines(keepends=True):
            self.log.add("token", {"token": line})

    def finish(self, answer: Mapping[str, Any]) -> None:
        """It has an answer."""
        self.answer, self.state = answer, "finished"
        self.log.add("answer", {"answer": answer})

    def known_later(self, kind: str, at: str, body: Mapping[str, Any]) -> None:
        """What became of a command that nobody knew about when it ended."""
        if self.answer is not None:
            self.answer = with_outcome(self.answer, kind, at, body)

    def fail(self, problem: Problem, state: str) -> None:
        """It has none."""
        self.error, self.state = problem, state
        self.log.add("error", {**problem.to_json(), "state": state})

    def to_json(self) -> dict[str, object]:
        return {
            "turn": self.asked.id,
            "question": self.asked.question,
            "conversation": self.asked.conversation,
            "photo": self.asked.photo,
            "at": self.asked.at,
            "state": self.state,
            "position": self.position,
            "estimate_s": self.estimate_s,
            "steps": list(self.steps),
            "parts": [part.to_json() for part in self.parts],
            "answer": self.answer,
            "error": None if self.error is None else self.error.to_json()["error"],
        }
