"""Calls of functions that some other program describes, bound to the words of a request.

    functions   name, description and parameters, as OpenAI's and the Model Context Protocol's tools are described
    bound       a function can be called where the request says something for every argument that it must have; a
                number is one that is said, a text is a stretch of the request or a choice that the description names
    reply       one call a line, or none:   set_level(tank="north", percent=40)

A value that the request does not hold can then not be made up, and a function whose numbers nobody said is none that
was asked for. What has to be put in another form (an expression, a query) is written freely, and so are values of
functions that ask for a form which is not known here. An argument that may be left out is left out unless the request
speaks of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.bound import NO_TOOL
from agent.errors import BadReply
from agent.messages import Message, Reply, ToolCall
from agent.model.protocol import Model, ReplyLimits
from agent.said_arguments import Argument, Said, arguments_of, choices_of, sequence, stems_of, words_of
from agent.values import Json

__all__ = ["AnyCallBound", "AnyFunction", "ask_for_calls", "messages_for"]

_SYSTEM = """You turn a request into calls of the functions that are listed with it.
Write one call a line: function(argument=value, argument=value). Take the values from the request.
If the request asks for several things, write one call for each of them, in their order; else write one call.
If none of the functions does what is asked, write: none

Functions:
tank.set_level(tank: string, percent: integer) - Fill a tank up to a level.
Request: Fill the north tank to 40 percent and the south tank to 65 percent.
tank.set_level(tank="north", percent=40)
tank.set_level(tank="south", percent=65)

Functions:
find_recipe(dish: string, servings?: integer) - Look up a recipe.
Request: How tall is the tallest building of Chicago?
none

Functions:
area_of_circle(radius: number) - The area of a circle.
convert_length(value: number, from: string, to: string) - Convert a length into another unit.
Request: How many inches are 12.5 meters?
convert_length(value=12.5, from="meters", to="inches")"""
_TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": "string"}
_NAME = re.compile(r"[\w.$-]{1,128}")
_MOST_SHOWN_CHARS = 300
"""Of a description."""


@dataclass(frozen=True, slots=True)
class AnyFunction:
    """A function of another program."""

    name: str
    description: str
    parameters: Mapping[str, Json]
    """JSON schema of an object; its properties are the arguments."""

    def line(self) -> str:
        """As a model sees it: its arguments with their types, then what each is for."""
        properties = self.properties
        shown = [
            f"{name}{'' if name in self.required else '?'}: {_type_of(schema)}" for name, schema in properties.items()
        ]
        about = [
            f"  {name}: {_short(schema.get('description'))}"
            for name, schema in properties.items()
            if schema.get("description")
        ]
        return "\n".join([f"{self.name}({', '.join(shown)}) - {_short(self.description)}", *about])

    @property
    def properties(self) -> Mapping[str, Mapping[str, Json]]:
        found = self.parameters.get("properties")
        named = found.items() if isinstance(found, dict) else ()
        return {name: schema for name, schema in named if isinstance(schema, dict)}

    @property
    def required(self) -> frozenset[str]:
        found = self.parameters.get("required")
        return frozenset(str(name) for name in found) if isinstance(found, list) else frozenset()


@dataclass(frozen=True, slots=True)
class _Callable:
    """A function that the request says enough for."""

    function: AnyFunction
    arguments: tuple[Argument, ...]
    """Those it must have first."""

    def lark(self) -> str:
        """The call; every optional argument may be there."""
        pieces = [f"{json.dumps(argument.name + '=')} {argument.lark}" for argument in self.arguments]
        return sequence(pieces, [a.required for a in self.arguments], f"{self.function.name}(", ")")


class AnyCallBound:
    """What may be called for one request. A `Bound`."""

    def __init__(self, functions: Sequence[AnyFunction], said: Said, *, most_calls: int) -> None:
        """
        :param said: the values of the request.
        :param most_calls: in one reply.
        """
        self._callables = tuple(c for f in functions if (c := _callable(f, said)) is not None)
        self._said = said
        self._most_calls = most_calls

    @property
    def empty(self) -> bool:
        """Whether nothing can be called, so that nobody need be asked."""
        return not self._callables

    def lark(self) -> str:
        """The grammar of the reply."""
        names = [f"f{i}" for i in range(len(self._callables))]
        calls = f'call "\\n" (call "\\n"){{0,{self._most_calls - 1}}}' if names else ""
        start = " | ".join([json.dumps(f"{NO_TOOL}\n"), *([calls] if calls else [])])
        rules = [f"start: {start}", *([f"call: {' | '.join(names)}"] if names else [])]
        rules += [f"{name}: {one.lark()}" for name, one in zip(names, self._callables, strict=True)]
        return "\n".join([*rules, *self._said.rules])

    def parse(self, text: str) -> tuple[ToolCall, ...]:
        """The calls that the request asks for, each once.

        :raises BadReply: a line is no call of one of the functions.
        """
        functions = {c.function.name: c.function for c in self._callables}
        calls: list[ToolCall] = []
        for line in filter(None, map(str.strip, text.splitlines())):
            if line == NO_TOOL:
                continue
            call = self._parse_call(line)
            if _says_more(call, calls, functions, self._said):
                calls.append(call)
        return tuple(calls)

    def _parse_call(self, line: str) -> ToolCall:
        name, _, rest = line.partition("(")
        known = next((c for c in self._callables if c.function.name == name), None)
        if known is None or not rest.endswith(")"):
            raise BadReply(f"no call of a function that can be called: {line[:80]!r}")
        arguments: dict[str, Json] = {}
        left = rest[:-1]
        for argument in known.arguments:
            opening = argument.name + "="
            left = left.removeprefix(", ") if arguments else left
            if not left.startswith(opening):
                if argument.required:
                    raise BadReply(f"{name}: argument {argument.name} is missing: {line[:80]!r}")
                continue
            try:
                value, end = json.JSONDecoder().raw_decode(left, len(opening))
            except (ValueError, RecursionError):
                raise BadReply(f"{name}: argument {argument.name} is no value: {line[:80]!r}") from None
            arguments[argument.name], left = value, left[end:]
        if left:
            raise BadReply(f"{name}: {left[:40]!r} is no argument of it")
        return ToolCall(name, arguments)


def messages_for(functions: Sequence[AnyFunction], request: str) -> list[Message]:
    """What a model is told: what never changes first."""
    listed = "\n".join(function.line() for function in functions)
    return [Message("system", _SYSTEM), Message("user", f"Functions:\n{listed}\nRequest: {' '.join(request.split())}")]


def ask_for_calls(
    model: Model, functions: Sequence[AnyFunction], said: Said, *, limits: ReplyLimits, most_calls: int
) -> tuple[tuple[ToolCall, ...], Reply | None]:
    """The calls that a request needs; none where no function fits, and then perhaps without asking anybody.

    :raises BadReply: the model, one that cannot be bound, wrote something else.
    :raises ModelError: the model failed.
    """
    usable = [function for function in functions if _NAME.fullmatch(function.name)]
    bound = AnyCallBound(usable, said, most_calls=most_calls)
    if bound.empty:
        return (), None
    reply = model.reply(messages_for(usable, said.request), (), bound=bound, limits=limits)
    return bound.parse(_whole_lines(reply)), reply


def _whole_lines(reply: Reply) -> str:
    """A reply that was cut off has a last line that says nothing."""
    return reply.text if reply.stopped == "done" else reply.text[: reply.text.rfind("\n") + 1]


def _callable(function: AnyFunction, said: Said) -> _Callable | None:
    """With its arguments bound; None where the request has nothing for one that it must have, or says no word of it."""
    properties = function.properties
    if said.is_latin and not said.stems & _stems(function) and not _choice_said(function, said):
        return None
    arguments = arguments_of(properties, function.required, said)
    if not all(name in {a.name for a in arguments} for name in function.required if name in properties):
        return None
    return _Callable(function, tuple(sorted(arguments, key=lambda a: not a.required)))


def _stems(function: AnyFunction) -> frozenset[str]:
    return stems_of(words_of(f"{function.name} {function.description}"))


def _choice_said(function: AnyFunction, said: Said) -> bool:
    return any(said.holds(choice) for schema in function.properties.values() for choice in choices_of(schema))


def _says_more(call: ToolCall, before: Sequence[ToolCall], functions: Mapping[str, AnyFunction], said: Said) -> bool:
    """Whether the request asks for one more call: small models go on calling when everything was done.

    The same function again takes a value that it did not have yet; another one has a word of its own in the request.
    """
    same = [earlier for earlier in before if earlier.tool == call.tool]
    if same:
        had = {value for earlier in same for value in _said_values(earlier.arguments.values(), said)}
        return bool(_said_values(call.arguments.values(), said) - had)
    if not before or not said.is_latin:
        return True
    known = frozenset[str]().union(*(_stems(functions[earlier.tool]) for earlier in before))
    return bool((_stems(functions[call.tool]) - known) & said.stems)


def _said_values(values: Iterable[Json], said: Said) -> set[str]:
    """Those that stand in the request, each as text; of lists and objects what is in them."""
    found: set[str] = set()
    for value in values:
        if isinstance(value, list | dict):
            inner = value if isinstance(value, list) else list(value.values())
            found |= {json.dumps(value, sort_keys=True)} if _said_values(inner, said) else set()
        elif isinstance(value, str) and said.holds(value):
            found.add(value.casefold())
        elif isinstance(value, int | float) and not isinstance(value, bool) and float(value) in said.numbers:
            found.add(str(float(value)))
        elif isinstance(value, str) and value[:1].isdigit():
            found.add(value)
    return found


def _type_of(schema: Mapping[str, Json]) -> str:
    kind = str(schema.get("type", "string"))
    kind = _TYPES.get(kind, kind)
    items = schema.get("items")
    if kind == "array" and isinstance(items, dict):
        return f"[{_type_of(items)}]"
    return kind


def _short(text: object) -> str:
    return " ".join(str(text or "").split())[:_MOST_SHOWN_CHARS]
