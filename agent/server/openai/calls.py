"""A reply that is either words or calls of the client's own functions, as a grammar and as a parser.

Models write calls in one of three ways, by how they were trained and how large they are: in their tags, in a fence of
code, or bare. All three are open, so that the model's own first token decides between words and a call; from there on
the call is held to the function's schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from agent.any_tools import AnyFunction
from agent.errors import BadReply
from agent.messages import ToolCall
from agent.tools import Parameter, Tool
from agent.values import Json

__all__ = ["ChatBound", "call_text", "described"]

_FORM = {"x-guidance": {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}}
_OPENINGS = ("<tool_call>", "```", "{")
"""How calls begin; the last one only where an answer in JSON cannot begin so too."""
_AROUND = re.compile(r"</?tool_call>|^```(?:json)?|```$", re.MULTILINE)
_WORDS = r"/[^<\[{`\s](?s:.)*/"
"""Words: nothing that opens a call."""
_ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)


@dataclass(frozen=True, slots=True)
class ChatBound:
    """What the reply to a chat may be. A `Bound`."""

    functions: tuple[AnyFunction, ...]
    form: Mapping[str, Json] | None
    """JSON schema of what is no call; None: words."""
    must_call: bool
    """Whether there has to be a call."""
    most_calls: int

    def lark(self) -> str:
        """The grammar of the reply."""
        said = "words" if self.form is None else "value"
        starts = ["tagged", "fenced", *(["bare"] if self.form is None else [])] if self.functions else []
        starts += [] if self.must_call and starts else [said]
        rules = [f"start: {' | '.join(starts)}"]
        if said in starts:
            rules.append(f"words: {_WORDS}" if self.form is None else f"value: %json {_compact(self.form)}")
        if not self.functions:
            return "\n".join(rules)
        more = self.most_calls - 1
        tagged = '<tool_call> "\\n" call "\\n" </tool_call>'
        names = [f"f{i}" for i in range(len(self.functions))]
        rules += [
            f"tagged: {_repeated(tagged, more)}",
            'fenced: "```json\\n" bare "\\n```"',
            f"bare: {_repeated('call', more)}",
            f"call: {' | '.join(names)}",
        ]
        return "\n".join([*rules, *map(_rule, names, self.functions)])

    def opens_call(self, text: str) -> bool | None:
        """Whether a reply that begins so is a call; None where it is too short to tell."""
        begun = text.lstrip()
        if not self.functions:
            return False
        openings = _OPENINGS if self.form is None else _OPENINGS[:-1]
        if begun.startswith(openings):
            return True
        return None if any(opening.startswith(begun) for opening in openings) else False

    def parse(self, text: str) -> tuple[ToolCall, ...]:
        """The calls of a reply, each once; none where it is words.

        :raises BadReply: it opens a call and is none of these functions.
        """
        if not self.opens_call(text):
            return ()
        calls: list[ToolCall] = []
        for made in _objects(_AROUND.sub("", text)):
            call = self._call(made)
            if call not in calls:
                calls.append(call)
        return tuple(calls[: self.most_calls])

    def _call(self, made: object) -> ToolCall:
        name = made.get("name") if isinstance(made, dict) else None
        arguments = made.get("arguments") if isinstance(made, dict) else None
        if name not in {one.name for one in self.functions} or not isinstance(arguments, dict):
            raise BadReply(f"no call of a function that was offered: {str(made)[:80]!r}")
        return ToolCall(str(name), {key: _trimmed(value) for key, value in arguments.items()})


def described(function: AnyFunction) -> Tool:
    """A function of a client as a model is told of it; nobody runs it here."""
    parameters = tuple(
        Parameter(name, schema, name in function.required, (), _ANYTHING)
        for name, schema in function.properties.items()
    )
    return Tool(function.name, function.description, parameters, "dangerous", _not_here)


def call_text(calls: Sequence[tuple[str, str]]) -> str:
    """Calls that were made, (name, arguments as JSON), as a model reads its own."""
    return "\n".join(
        f'<tool_call>\n{{"name": {json.dumps(name)}, "arguments": {arguments}}}\n</tool_call>'
        for name, arguments in calls
    )


def _not_here(**_: object) -> Any:
    raise BadReply("a client's own function is run by the client")


def _repeated(one: str, more: int) -> str:
    """One, and up to so many more on lines of their own."""
    return f'{one} ("\\n" {one}){{0,{more}}}' if more else one


def _rule(name: str, function: AnyFunction) -> str:
    opening = json.dumps(f'{{"name": {json.dumps(function.name)}, "arguments": ')
    return f'{name}: {opening} %json {_compact({"additionalProperties": False, **function.parameters})} "}}"'


def _compact(schema: Mapping[str, Json]) -> str:
    return json.dumps({**schema, **_FORM}, ensure_ascii=False)


def _objects(text: str) -> list[object]:
    """JSON values that stand one after another.

    :raises BadReply: something else stands there.
    """
    found: list[object] = []
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        try:
            value, end = decoder.raw_decode(rest)
        except (ValueError, RecursionError):
            raise BadReply(f"the calls are no JSON: {rest[:80]!r}") from None
        found.append(value)
        rest = rest[end:].lstrip(" \r\n\t,")
    return found


def _trimmed(value: Json) -> Json:
    """A small model begins a text with a space; no name does."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [_trimmed(one) for one in value]
    return {key: _trimmed(one) for key, one in value.items()} if isinstance(value, dict) else value
