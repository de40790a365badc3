"""The one protocol that every model implements, so that loop, audit and claims check do not know who spoke."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from agent.messages import Message, Reply
from agent.tools import Tool

__all__ = ["Bound", "ManyAtOnce", "Model", "ReplyLimits", "Request"]


class Bound(Protocol):
    """What a reply may be at this step of this turn. `agent.bound` has the kinds."""

    def lark(self) -> str:
        """A llguidance Lark grammar whose start rule is `start`; special tokens are written as `<tool_call>`."""
        ...


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """Bounds of one reply."""

    max_tokens: int
    temperature: float = 0.0
    """0 is greedy."""
    seed: int = 0
    deadline: float | None = None
    """`time.monotonic()` value after which the reply stops as aborted."""
    think_tokens: int = 0
    """Tokens that a model which thinks may do so before it replies; 0 is none. They are no part of the reply."""
    lookup_tokens: int = 0
    """Most tokens that are guessed ahead where the reply repeats the prompt; the reply is the same. 0 guesses none."""
    draft: str = ""
    """What the reply probably is. It makes the reply quicker where it is right, and never another one."""
    reusable: bool = False
    """Whether the same question may get the reply that it got before: nothing that it can lead to changes anything."""
    cancelled: Callable[[], bool] = lambda: False
    """Asked between passes, and within long ones."""
    between: Callable[[], None] = lambda: None
    """Called between passes; another reply may be made on the same model meanwhile."""

    def expired(self) -> bool:
        """Whether the reply has to stop now."""
        return (self.deadline is not None and time.monotonic() > self.deadline) or self.cancelled()


@dataclass(frozen=True, slots=True)
class Request:
    """A reply that is wanted; see `Model.reply`."""

    messages: Sequence[Message]
    tools: Sequence[Tool]
    bound: Bound | None
    limits: ReplyLimits


class Model(Protocol):
    """A model that is loaded and answers. Not safe for use from two threads at once."""

    @property
    def name(self) -> str:
        """As the catalogue calls it: qwen2.5-1.5b, rules, remote:NAME."""
        ...

    @property
    def sees(self) -> bool:
        """Takes photos."""
        ...

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        bound: Bound | None,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """Answer the last message.

        :param messages: the whole conversation, stable part first, so that its prefix can be reused.
        :param tools: described to the model in the system prompt; the same for every step of a turn.
        :param bound: the reply is in this grammar; None is free text.
        :param on_text: called with each piece of text as it is decided.
        :raises BadReply: the reply does not fit the bound (only models that cannot be bound by force).
        :raises ModelError: the model failed; the ladder takes the next rung.
        """
        ...

    def close(self) -> None:
        """Free what it holds. Calling it twice is fine."""
        ...


@runtime_checkable
class ManyAtOnce(Protocol):
    """A model that can make several replies side by side, for scheduled work."""

    def reply_many(self, requests: Sequence[Request], *, limits: ReplyLimits) -> Sequence[Reply | Exception]:
        """A reply for each request, or why there is none.

        :param limits: of all together: their deadline, and who cancels them.
        :raises ModelError: the model failed.
        """
        ...
