"""Answers as clients of OpenAI's chat completions expect them, whole and in pieces."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.messages import ToolCall
from agent.server.problems import Problem

__all__ = ["DONE", "Answered", "Completion", "error_body", "usage_of"]

DONE = "data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Answered:
    """What is said in the end."""

    text: str
    finish: str
    """stop | length | tool_calls"""
    usage: Mapping[str, object]
    calls: tuple[ToolCall, ...] = ()
    more: Mapping[str, object] = field(default_factory=dict)
    """Besides what the protocol has: the turn, its citations and actions."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One chat completion; its parts share id, time and model."""

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, answered: Answered) -> dict[str, object]:
        """The answer in one piece."""
        message: dict[str, object] = {"role": "assistant", "content": answered.text or None, "refusal": None}
        if answered.calls:
            message["tool_calls"] = _calls(answered.calls)
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answered.finish}
        return {**self._head("chat.completion"), "choices": [choice], "usage": answered.usage, **_more(answered)}

    def opening(self) -> str:
        """The first piece."""
        return self._piece({"role": "assistant", "content": ""})

    def text(self, text: str) -> str:
        """Some words."""
        return self._piece({"content": text})

    def ending(self, answered: Answered, *, include_usage: bool) -> list[str]:
        """What comes after the words: calls, why it is over, and what it cost where that is wanted."""
        pieces = [self._piece({"tool_calls": [{"index": n, **one}]}) for n, one in _numbered(answered)]
        pieces.append(self._piece({}, answered.finish, _more(answered)))
        if include_usage:
            pieces.append(_data({**self._head("chat.completion.chunk"), "choices": [], "usage": answered.usage}))
        return [*pieces, DONE]

    def _piece(self, delta: Mapping[str, object], finish: str | None = None, more: Mapping[str, object] = {}) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data({**self._head("chat.completion.chunk"), "choices": [choice], **more})

    def _head(self, kind: str) -> dict[str, object]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def usage_of(prompt: int, said: int, reused: int) -> dict[str, object]:
    """What it cost, in tokens."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": said,
        "total_tokens": prompt + said,
        "prompt_tokens_details": {"cached_tokens": reused},
    }


def error_body(problem: Problem) -> dict[str, object]:
    """An error in the protocol's form: its message is one text."""
    kind = "invalid_request_error" if problem.status < 500 else "server_error"
    told = f"{problem.message['en']} {problem.message['zh']}"
    return {"error": {"message": told, "type": kind, "param": None, "code": problem.code, "hint": problem.hint}}


def _calls(calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{uuid.uuid4().hex[:24]}",
            "type": "function",
            "function": {"name": call.tool, "arguments": json.dumps(dict(call.arguments), ensure_ascii=False)},
        }
        for call in calls
    ]


def _numbered(answered: Answered) -> list[tuple[int, dict[str, Any]]]:
    return list(enumerate(_calls(answered.calls)))


def _more(answered: Answered) -> dict[str, object]:
    return {"watchkeeper": dict(answered.more)} if answered.more else {}


def _data(value: Mapping[str, object]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False, default=str)}\n\n"
