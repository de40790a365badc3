"""Calls of functions that some other program describes, bound to the words of a request.

    functions   name, description and parameters, as OpenAI's and the Model Context Protocol's tools are described
    bound       a function can be called where the request speaks of it and has a number for each that it must have; a
                number is one that is said, in the unit that is asked for, and what may be left out has to be said
    reply       the calls as a JSON array:   [{"name": "set_level", "arguments": {"tank": "north", "percent": 40}}]

Whether to call, and what, is so decided by what the request holds: a function whose numbers nobody said is none that
was asked for, and a call that says nothing new is dropped. A text that must be there is written freely where the
request names none of its known values, since it may have to be put in another form (pounds: GBP; an expression).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.errors import BadReply
from agent.messages import Message, Reply, ToolCall
from agent.model.protocol import Model, ReplyLimits
from agent.said_arguments import Argument, arguments_of, choices_of, rules_of, sequence
from agent.said_request import Said, shared, stems_of, words_of
from agent.values import Json

__all__ = ["AnyCallBound", "AnyFunction", "ask_for_calls", "messages_for"]

_SYSTEM = """You are given functions, and a request. Reply with a JSON array of the calls that the request needs, each
as {"name": function, "arguments": {argument: value}}. Take the values from the request. Several things asked need
several calls, one thing one call. If no function does what is asked, reply with an empty array: []
Functions:
"""
_LEAST_SAID = 0.25
"""The part of a function's own words that a request says which does not name it."""
_NAME = re.compile(r"[\w.$-]{1,128}")


@dataclass(frozen=True, slots=True)
class AnyFunction:
    """A function of another program."""

    name: str
    description: str
    parameters: Mapping[str, Json]
    """JSON schema of an object; its properties are the arguments."""

    def line(self) -> str:
        """As a model sees it."""
        described = {"name": self.name, "description": self.description, "parameters": dict(self.parameters)}
        return json.dumps(described, ensure_ascii=False)

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
        pieces = [f"{_literal(json.dumps(argument.name) + ': ')} {argument.lark}" for argument in self.arguments]
        opening = f'{{"name": {json.dumps(self.function.name)}, "arguments": {{'
        return sequence(pieces, [a.required for a in self.arguments], opening, "}}")


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
        calls = f'"[" call (", " call){{0,{self._most_calls - 1}}} "]"'
        rules = [f'start: "[]" | {calls}', f"call: {' | '.join(names)}"]
        rules += [f"{name}: {one.lark()}" for name, one in zip(names, self._callables, strict=True)]
        return "\n".join([*rules, *rules_of(self._said)])

    def parse(self, text: str) -> tuple[ToolCall, ...]:
        """The calls that the request asks for, each once.

        :raises BadReply: it is no array of calls of these functions.
        """
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise BadReply(f"the calls are no JSON: {text[:80]!r}") from None
        functions = {c.function.name: c for c in self._callables}
        calls: list[ToolCall] = []
        for made in found if isinstance(found, list) else [found]:
            call = _checked(made, functions)
            if _says_more(call, calls, {name: c.function for name, c in functions.items()}, self._said):
                calls.append(call)
        return tuple(calls)


def _checked(made: object, functions: Mapping[str, _Callable]) -> ToolCall:
    """One call of a reply.

    :raises BadReply: no such function, or an argument that it does not have or lacks.
    """
    name = made.get("name") if isinstance(made, dict) else None
    arguments = made.get("arguments") if isinstance(made, dict) else None
    if not isinstance(name, str) or name not in functions or not isinstance(arguments, dict):
        raise BadReply(f"no call of a function that can be called: {str(made)[:80]!r}")
    known = {argument.name: argument.required for argument in functions[name].arguments}
    for argument, required in known.items():
        if required and argument not in arguments:
            raise BadReply(f"{name}: argument {argument} is missing")
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        raise BadReply(f"{name}: {unknown[0]} is no argument that the request says anything of")
    return ToolCall(name, arguments)


def messages_for(functions: Sequence[AnyFunction], request: str) -> list[Message]:
    """What a model is told: what never changes first."""
    listed = "\n".join(function.line() for function in functions)
    return [Message("system", _SYSTEM + listed), Message("user", request)]


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
    if reply.stopped != "done":
        raise BadReply(f"the calls were cut off after {reply.usage.sampled_tokens} tokens ({reply.stopped})")
    return bound.parse(reply.text), reply


def _callable(function: AnyFunction, said: Said) -> _Callable | None:
    """With its arguments bound; None where the request has nothing for one that it must have, or says no word of it."""
    properties = function.properties
    if said.is_latin and not _is_spoken_of(function, said):
        return None
    arguments = arguments_of(properties, function.required, said)
    if not all(name in {a.name for a in arguments} for name in function.required if name in properties):
        return None
    return _Callable(function, tuple(sorted(arguments, key=lambda a: not a.required)))


def _stems(function: AnyFunction) -> frozenset[str]:
    return stems_of(words_of(f"{function.name} {function.description}"))


def _is_spoken_of(function: AnyFunction, said: Said) -> bool:
    """Whether a request says a word of the function's name, enough of its description, or one of its choices."""
    own = _stems(function)
    named = shared(stems_of(words_of(function.name)), said.stems)
    if named or len(shared(own, said.stems)) >= _LEAST_SAID * max(1, len(own)):
        return True
    return any(
        said.holds(choice) and not stems_of([choice]) & stems_of(words_of(name))
        for name, schema in function.properties.items()
        for choice in choices_of(schema)
    )


def _says_more(call: ToolCall, before: Sequence[ToolCall], functions: Mapping[str, AnyFunction], said: Said) -> bool:
    """Whether the request asks for one more call: small models go on calling when everything was done.

    The same function again takes other values; another one takes a value of the request that none took before, or has
    a word of its own in it.
    """
    takes = _said_values(call, said)
    same = [_said_values(earlier, said) for earlier in before if earlier.tool == call.tool]
    if same:
        return not any(takes <= earlier for earlier in same)
    if not before or not said.is_latin:
        return True
    if takes - frozenset[str]().union(*(_said_values(earlier, said) for earlier in before)):
        return True
    known = frozenset[str]().union(*(_stems(functions[earlier.tool]) for earlier in before))
    return bool(shared(_stems(functions[call.tool]) - known, said.stems))


def _said_values(call: ToolCall, said: Said) -> frozenset[str]:
    """Those that stand in the request, each as text; of lists and objects what is in them; what is switched."""
    switched = (f"{name}: {value}" for name, value in call.arguments.items() if isinstance(value, bool))
    return frozenset([*switched, *_texts(call.arguments.values(), said)])


def _texts(values: Iterable[Json], said: Said) -> set[str]:
    found: set[str] = set()
    for value in values:
        if isinstance(value, list | dict):
            inner = value if isinstance(value, list) else list(value.values())
            found |= {json.dumps(value, sort_keys=True)} if _texts(inner, said) else set()
        elif isinstance(value, str) and said.says(value):
            found.add(value.casefold())
        elif isinstance(value, int | float) and not isinstance(value, bool) and float(value) in said.numbers:
            found.add(str(float(value)))
        elif isinstance(value, str) and value[:1].isdigit():
            found.add(value)
    return found


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
