"""Requests and replies as JSON, for the way to a model's process and back. Both directions of each stand side by side.

What limits gain later crosses by itself: every field of `ReplyLimits` does but its functions, and the deadline as the
seconds left, because the clocks of two processes need not agree. A grammar crosses as its text, a tool as what the
model is told of it, a photo as its digest. What comes back is checked: it comes from another process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NoReturn, cast

from pydantic import TypeAdapter

from agent.errors import BadReply, ModelError, NotEnoughMemory, PromptTooLong
from agent.messages import Message, Reply
from agent.model.protocol import ReplyLimits, Request
from agent.photo import Photo
from agent.tools import Parameter, Tool
from agent.values import Json

__all__ = ["pack_reply", "pack_request", "typed_error", "unpack_reply", "unpack_request"]

_ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)
_REPLY = TypeAdapter(Reply)
_ERRORS = {kind.__name__: kind for kind in (ModelError, PromptTooLong, NotEnoughMemory, BadReply)}
"""The errors that a model's process may raise here, by name."""


@dataclass(frozen=True, slots=True)
class _Grammar:
    """A bound that has crossed."""

    text: str

    def lark(self) -> str:
        return self.text


def pack_request(request: Request) -> dict[str, Json]:
    """For `unpack_request`."""
    return {
        "messages": [
            {
                "role": message.role,
                "text": message.text,
                "photo": None if message.photo is None else message.photo.digest,
            }
            for message in request.messages
        ],
        "tools": [tool.specification() for tool in request.tools],
        "lark": None if request.bound is None else request.bound.lark(),
        "limits": _pack_limits(request.limits),
    }


def unpack_request(
    value: Mapping[str, Any],
    *,
    photo: Callable[[str], Photo],
    cancelled: Callable[[], bool],
    between: Callable[[], None],
) -> Request:
    """What `pack_request` gave.

    :param photo: the photo of a digest.
    :param cancelled, between: the functions of the limits, on this side.
    """
    lark = value["lark"]
    return Request(
        messages=[
            Message(one["role"], one["text"], None if one["photo"] is None else photo(one["photo"]))
            for one in value["messages"]
        ],
        tools=[_described(specification["function"]) for specification in value["tools"]],
        bound=None if lark is None else _Grammar(lark),
        limits=_unpack_limits(value["limits"], cancelled, between),
    )


def pack_reply(reply: Reply) -> dict[str, Json]:
    """For `unpack_reply`."""
    return asdict(reply)


def unpack_reply(value: object) -> Reply:
    """What `pack_reply` gave.

    :raises ModelError: it is nothing of the kind.
    """
    try:
        return _REPLY.validate_python(value)
    except ValueError as error:
        raise ModelError(f"the model's process gave back no reply: {error}") from None


def typed_error(name: str, message: str, kinds: tuple[str, ...]) -> ModelError | BadReply:
    """The error that was raised in the model's process, or the nearest one that may be.

    :param name: of the model, for messages.
    :param kinds: names of its class and of those above it.
    """
    for kind in kinds:
        if kind in _ERRORS:
            return _ERRORS[kind](message)
    return ModelError(f"{name}: its process failed: {kinds[0] if kinds else 'error'}: {message}")


def _pack_limits(limits: ReplyLimits) -> dict[str, Json]:
    values = {field.name: getattr(limits, field.name) for field in fields(limits)}
    plain = {name: cast(Json, value) for name, value in values.items() if not callable(value)}
    if limits.deadline is not None:
        plain["deadline"] = limits.deadline - time.monotonic()
    return plain


def _unpack_limits(
    values: Mapping[str, Any], cancelled: Callable[[], bool], between: Callable[[], None]
) -> ReplyLimits:
    left = values["deadline"]
    deadline = None if left is None else time.monotonic() + left
    return ReplyLimits(**{**values, "deadline": deadline, "cancelled": cancelled, "between": between})


def _described(function: Mapping[str, Any]) -> Tool:
    """A tool that can be described and not be run."""
    properties, required = function["parameters"]["properties"], function["parameters"]["required"]
    parameters = tuple(Parameter(name, schema, name in required, (), _ANYTHING) for name, schema in properties.items())
    return Tool(function["name"], function["description"], parameters, "dangerous", _not_here)


def _not_here(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("tools run in the agent's process, not in the model's")
