"""What goes to a model and what comes back: pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from agent.photo import Photo
from agent.values import Json

__all__ = ["Message", "Reply", "ToolCall", "Usage"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool and its arguments."""

    tool: str
    arguments: Mapping[str, Json]
    id: str = ""
    """C1, C2 … within the turn."""

    def to_json(self) -> dict[str, object]:
        return {"name": self.tool, "arguments": dict(self.arguments)}


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    photo: Photo | None = None
    """Pixels for a model that sees; others never get one."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a reply cost."""

    prompt_tokens: int = 0
    reused_tokens: int = 0
    """Of the prompt, taken from a cache."""
    sampled_tokens: int = 0
    """Chosen from logits."""
    forced_tokens: int = 0
    """The grammar left no choice, so no logits were looked at."""
    guessed_tokens: int = 0
    """Of both, those that were guessed right and so took no pass of their own."""
    passes: int = 0
    """Calls of llama_decode after the prompt."""
    prefill_ms: float = 0.0
    decode_ms: float = 0.0
    cached_replies: int = 0
    """Replies that were given before and cost nothing now."""

    def plus(self, other: Usage) -> Usage:
        """Both together."""
        return Usage(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said."""

    text: str
    """Without special tokens that end the turn."""
    stopped: Literal["done", "length", "aborted"]
    usage: Usage = field(default_factory=Usage)
    thought: str = ""
    """What was thought before it."""
