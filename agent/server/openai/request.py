"""A chat completion as it is asked for. What this box does not know is passed over, as other servers do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.any_tools import AnyFunction
from agent.server.openai.schemas import plain_schema
from agent.server.problems import Problem
from agent.settings import OpenAISettings
from agent.values import Json, say

__all__ = ["ChatMessage", "ChatRequest", "body_schema", "parse_request"]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class ImageUrl(_Lenient):
    """A picture."""

    url: str = Field(description="A data URI; nothing is fetched from anywhere.")


class Part(_Lenient):
    """A piece of a message."""

    type: str
    text: str = ""
    image_url: ImageUrl | None = None


class Function(_Lenient):
    """What a client can do."""

    name: str = Field(pattern=r"^[\w.$-]{1,128}$")
    description: str = ""
    parameters: dict[str, Any] | None = None

    def described(self) -> AnyFunction:
        """:raises Problem: its parameters are nothing that can be bound."""
        found = plain_schema(self.parameters or {}, f"tools: {self.name}")
        return AnyFunction(self.name, self.description, {"type": "object", "properties": {}, **found})


class Offered(_Lenient):
    """A tool of the client."""

    type: Literal["function"] = "function"
    function: Function


class Called(_Lenient):
    """The function of a call that was made."""

    name: str
    arguments: str = "{}"


class Call(_Lenient):
    """A call that was made."""

    id: str = ""
    function: Called


class ChatMessage(_Lenient):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    tool_calls: list[Call] | None = None

    @property
    def text(self) -> str:
        """All it says."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.text)
        return self.content or ""

    @property
    def images(self) -> list[str]:
        """Addresses of its pictures."""
        parts = self.content if isinstance(self.content, list) else []
        return [part.image_url.url for part in parts if part.image_url is not None]


class Named(_Lenient):
    """The one function that is wanted."""

    function: Called


class NamedSchema(_Lenient):
    """A form of the answer."""

    name: str = ""
    schema_: dict[str, Any] = Field(default_factory=dict, alias="schema")


class Form(_Lenient):
    """What form the answer is to have."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: NamedSchema | None = None

    def schema_of(self) -> Mapping[str, Json] | None:
        """JSON schema of the answer; None where it is words.

        :raises Problem: it is nothing that can be bound.
        """
        if self.type == "json_schema" and self.json_schema is not None:
            return plain_schema(self.json_schema.schema_, "response_format")
        return {"type": "object"} if self.type == "json_object" else None


class StreamOptions(_Lenient):
    """What a stream holds besides."""

    include_usage: bool = False


class ChatRequest(_Lenient):
    """A conversation whose last message is to be answered."""

    model: str = ""
    messages: list[ChatMessage] = Field(min_length=1)
    tools: list[Offered] = []
    tool_choice: Literal["none", "auto", "required"] | Named = "auto"
    parallel_tool_calls: bool = True
    response_format: Form = Form()
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float = Field(default=0.0, ge=0, le=2)
    seed: int = Field(default=0, ge=-(2**63), lt=2**63)
    stop: str | list[str] = Field(default_factory=list)
    n: Literal[1] = 1

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        """Clients write null for what they do not give."""
        return {name: one for name, one in value.items() if one is not None} if isinstance(value, dict) else value

    @property
    def functions(self) -> list[AnyFunction]:
        """What may be called; nothing where the client says so.

        :raises Problem: one cannot be bound, or the one that is wanted is not there.
        """
        offered = [] if self.tool_choice == "none" else [one.function for one in self.tools]
        if isinstance(self.tool_choice, Named):
            wanted = self.tool_choice.function.name
            offered = [one for one in offered if one.name == wanted]
            if not offered:
                raise _bad(f"tool_choice: no tool is named {wanted[:80]!r}")
        return [one.described() for one in offered]

    @property
    def must_call(self) -> bool:
        """Whether words are no answer."""
        return self.tool_choice == "required" or isinstance(self.tool_choice, Named)

    @property
    def stops(self) -> list[str]:
        """What ends an answer before its end."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop
        return [text for text in given if text]


def parse_request(body: bytes, settings: OpenAISettings) -> ChatRequest:
    """What is asked.

    :raises Problem: it is no chat completion, or larger than the limits.
    """
    try:
        request = ChatRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise _bad(f"{where}: {first['msg']}") from None
    if len(request.messages) > settings.most_messages:
        raise _bad(f"messages: {len(request.messages)} of them, {settings.most_messages} are the limit; send fewer")
    if len(request.tools) > settings.most_tools:
        raise _bad(f"tools: {len(request.tools)} of them, {settings.most_tools} are the limit; offer fewer")
    told = [one.function.model_dump() for one in request.tools]
    described = json.dumps([told, request.response_format.model_dump()], ensure_ascii=False, default=str)
    if len(described) > settings.max_tool_chars:
        raise _bad(
            f"tools, response_format: {len(described)} characters, the limit is {settings.max_tool_chars}; shorten them"
        )
    return request


def body_schema() -> dict[str, Any]:
    """JSON schema of a request, with all that it refers to in its place."""
    schema = ChatRequest.model_json_schema(mode="validation")
    known = schema.pop("$defs", {})

    def placed(value: Any) -> Any:
        if isinstance(value, dict) and "$ref" in value:
            return placed(known[value["$ref"].rpartition("/")[2]])
        if isinstance(value, dict):
            return {name: placed(one) for name, one in value.items()}
        return [placed(one) for one in value] if isinstance(value, list) else value

    made: dict[str, Any] = placed(schema)
    return made


def _bad(told: str) -> Problem:
    return Problem(400, "invalid_request", say("请求格式不对。", told))
