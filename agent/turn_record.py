"""What a turn leaves behind: its record, and the clock of its stages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from agent.answer import Answer
from agent.messages import ToolCall, Usage
from agent.model.falls import Fall
from agent.orders import Done
from agent.perception import Perception

__all__ = ["StageClock", "TurnRecord"]


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """A turn that has ended."""

    id: str
    question: str
    answer: Answer
    rung: str
    falls: tuple[Fall, ...]
    perception: Perception | None
    calls: tuple[ToolCall, ...]
    usage: Usage
    stages_ms: dict[str, float]
    """load, photo, panel, model, tools, other, total; look, where the model read a part of the photo."""
    problems: tuple[str, ...]
    """What a person has to put right: a missing database, say. The rest was answered."""
    done: tuple[Done, ...] = ()
    """What was ordered, and what became of it."""

    @property
    def waits(self) -> bool:
        """Whether something that was ordered waits for a person."""
        return any(one.came == "waits" for one in self.done)

    def to_json(self) -> dict[str, object]:
        return {
            "turn": self.id,
            "question": self.question,
            "answer": self.answer.text,
            "language": self.answer.language,
            "parts": [part.to_json() for part in self.answer.parts],
            "citations": list(self.answer.citations),
            "rung": self.rung,
            "falls": [fall.to_json() for fall in self.falls],
            "calls": [call.to_json() for call in self.calls],
            "ms": {stage: round(ms, 1) for stage, ms in self.stages_ms.items()},
            "tokens": {
                "prompt": self.usage.prompt_tokens,
                "reused": self.usage.reused_tokens,
                "sampled": self.usage.sampled_tokens,
                "forced": self.usage.forced_tokens,
                "cached_replies": self.usage.cached_replies,
            },
            "problems": list(self.problems),
            **({"done": [one.to_json() for one in self.done]} if self.done else {}),
        }


@dataclass(slots=True)
class StageClock:
    """Milliseconds by stage."""

    ms: dict[str, float] = field(default_factory=lambda: {"photo": 0.0, "panel": 0.0, "model": 0.0, "tools": 0.0})
    began: float = field(default_factory=time.perf_counter)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.ms[name] = self.ms.get(name, 0.0) + (time.perf_counter() - start) * 1000

    def all(self) -> dict[str, float]:
        total = (time.perf_counter() - self.began) * 1000
        return {**self.ms, "other": total - sum(self.ms.values()), "total": total}
