"""Stand-ins for tests only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agent.bound import CallBound, PickBound
from agent.errors import ModelError
from agent.messages import Message, Reply, ToolCall, Usage
from agent.model.protocol import Bound, ReplyLimits
from agent.tools import Tool

__all__ = ["ScriptedModel", "call"]


def call(tool: str, **arguments: str) -> ToolCall:
    """A tool call for a script."""
    return ToolCall(tool, arguments)


@dataclass
class ScriptedModel:
    """Says what its script says and keeps what it was asked.

    A step of the script is a tuple: of calls (or None) for a `CallBound`, of the beginnings of quotes (or None) for a
    `PickBound`; or a text, said as it is; or an exception, raised.
    """

    script: list[object]
    name: str = "scripted"
    sees: bool = False
    seen: list[list[Message]] = field(default_factory=list)
    bounds: list[Bound | None] = field(default_factory=list)

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        bound: Bound | None,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        self.seen.append(list(messages))
        self.bounds.append(bound)
        if not self.script:
            raise ModelError("the script is over")
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return Reply(self._text(step, bound), "done", Usage(prompt_tokens=1, sampled_tokens=1))

    def close(self) -> None:
        self.script.clear()

    def _text(self, step: object, bound: Bound | None) -> str:
        if isinstance(step, str):
            return step
        assert isinstance(step, tuple)
        if isinstance(bound, CallBound):
            return bound.write(step)
        assert isinstance(bound, PickBound), f"the script has a tuple where {bound} is asked for"
        picks = [next((q for q in bound.quotes if q.text.startswith(part)), None) if part else None for part in step]
        assert all(pick for pick, part in zip(picks, step, strict=True) if part), f"no quote begins so: {step}"
        return bound.write(picks)
