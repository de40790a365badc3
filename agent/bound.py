"""What a reply may be at one step of one turn.

A question is answered part by part. First each part gets the tool call it needs, then each part that found passages
gets the quote that answers it. A bound is a value: it writes itself as a llguidance grammar for a model that can be
forced, parses what came back (from any model), and holds the choices openly so that the rules rung chooses among the
same ones.

    calls   最近三天有没有类似记录? -> similar_events("循环变频故障", "最近三天")
    picks   该怎么处理? -> C

Everything but the tool's name, a choice between values and the letter is forced, so a call costs two or three sampled
tokens. The forms are this short because every token costs a small model time, and because they score better than
JSON in tags (DECISIONS.md has the figures).
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.errors import BadReply
from agent.messages import ToolCall
from agent.quotes import Quote
from agent.tools import Tool
from agent.values import Json

__all__ = [
    "DECLINE",
    "LETTERS",
    "NO_TOOL",
    "BoundArgument",
    "BoundTool",
    "CallBound",
    "CallPart",
    "ChoiceBound",
    "PickBound",
    "PickPart",
    "SchemaBound",
]

NO_TOOL = "none"
"""What a model says for a part that needs no tool: a greeting, small talk."""

DECLINE = "N"
"""The letter for 'none of these quotes'."""

LETTERS = string.ascii_uppercase.replace(DECLINE, "")
"""How quotes are named when one is picked."""

_ARROW = " -> "
_COMPACT = {"x-guidance": {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}}


@dataclass(frozen=True, slots=True)
class BoundArgument:
    """One argument and what it may be."""

    name: str
    values: tuple[Json, ...] = ()
    """The only values there are, best first. Empty: the schema decides."""
    schema: Mapping[str, Json] | None = None
    """Any value of this JSON schema."""

    def lark(self) -> str:
        """The argument's value as a grammar expression."""
        if self.values:
            return "(" + " | ".join(_literal(_json(value)) for value in self.values) + ")"
        return "%json " + _json(dict(self.schema or {}))

    def most_bytes(self) -> int | None:
        """Of the longest value; None where a schema sets no end."""
        return max(_bytes(_json(value)) for value in self.values) if self.values else None

    def admits(self, value: Json) -> bool:
        """Whether a value is one of those; a schema is checked by the tool itself."""
        return value in self.values if self.values else True


@dataclass(frozen=True, slots=True, eq=False)
class BoundTool:
    """A tool that can be called at this step; optional arguments without evidence are left out."""

    tool: Tool
    arguments: tuple[BoundArgument, ...]

    def lark(self) -> str:
        """The call as a grammar expression."""
        parts = [_literal(f"{self.tool.name}(")]
        for i, argument in enumerate(self.arguments):
            parts += [*([_literal(", ")] if i else []), argument.lark()]
        return " ".join([*parts, _literal(")")])

    def most_bytes(self) -> int | None:
        """Of the longest call; None where an argument has no end."""
        total = _bytes(f"{self.tool.name}()")
        for argument in self.arguments:
            most = argument.most_bytes()
            if most is None:
                return None
            total += _bytes(", ") + most
        return total

    def call(self, arguments: Mapping[str, Json]) -> ToolCall:
        """A call of this tool.

        :raises BadReply: an argument is unknown, missing or not in the evidence.
        """
        known = {argument.name: argument for argument in self.arguments}
        for key, value in arguments.items():
            if key not in known or not known[key].admits(value):
                raise BadReply(f"{self.tool.name}: {key}={value!r} is not in the evidence of this turn")
        missing = [key for key in known if key not in arguments]
        if missing:
            raise BadReply(f"{self.tool.name}: argument {missing[0]} is missing")
        return ToolCall(self.tool.name, dict(arguments))


@dataclass(frozen=True, slots=True)
class CallPart:
    """One part of the question and the tools it may call."""

    text: str
    tools: tuple[BoundTool, ...]
    may_decline: bool = False
    """Whether it may need none: small talk. A small model declines far too readily, so only what asks nothing may."""

    def parse(self, body: str) -> ToolCall | None:
        """The call of this part; None where it needs none.

        :raises BadReply: an unknown tool or arguments that do not fit.
        """
        if self.may_decline and body == NO_TOOL:
            return None
        name, _, rest = body.partition("(")
        bound = next((b for b in self.tools if b.tool.name == name), None)
        if bound is None:
            raise BadReply(f"no tool named {name!r} at this step")
        try:
            values = json.loads(f"[{rest.removesuffix(')')}]")
        except ValueError:
            raise BadReply(f"{name}: arguments are not JSON values: {rest[:80]!r}") from None
        if len(values) != len(bound.arguments):
            raise BadReply(f"{name}: {len(values)} arguments where {len(bound.arguments)} are wanted: {rest[:80]!r}")
        return bound.call({argument.name: value for argument, value in zip(bound.arguments, values, strict=True)})

    def write(self, call: ToolCall) -> str:
        """A call in the form that `parse` reads."""
        bound = next(b for b in self.tools if b.tool.name == call.tool)
        values = [call.arguments[a.name] for a in bound.arguments if a.name in call.arguments]
        return f"{call.tool}({_json(values)[1:-1]})"


@dataclass(frozen=True, slots=True)
class CallBound:
    """One tool call, or none, for each part."""

    parts: tuple[CallPart, ...]

    def lark(self) -> str:
        """The grammar of this step."""
        rules = []
        for i, part in enumerate(self.parts):
            names = [f"p{i}t{j}" for j in range(len(part.tools))]
            rules += [f"{name}: {bound.lark()}" for name, bound in zip(names, part.tools, strict=True)]
            decline = [_literal(NO_TOOL)] if part.may_decline else []
            rules.append(_line_rule(i, part.text, [*decline, *names]))
        return _grammar(rules, len(self.parts))

    def most_bytes(self) -> int | None:
        """Of the longest reply, which is also the most tokens that it can have; None where there is no end."""
        total = 0
        for part in self.parts:
            calls = [bound.most_bytes() for bound in part.tools]
            known = [most for most in calls if most is not None]
            if len(known) < len(calls):
                return None
            total += _bytes(f"{part.text}{_ARROW}\n") + max([_bytes(NO_TOOL), *known])
        return total

    def write(self, calls: Sequence[ToolCall | None]) -> str:
        """Calls in the form that `parse` reads."""
        bodies = [part.write(call) if call else NO_TOOL for part, call in zip(self.parts, calls, strict=True)]
        return _write([part.text for part in self.parts], bodies)

    def parse(self, text: str) -> tuple[ToolCall | None, ...]:
        """The call of each part.

        :raises BadReply: a line is missing, or a call is not one of those possible.
        """
        bodies = _bodies(text, [part.text for part in self.parts])
        return tuple(part.parse(body) for part, body in zip(self.parts, bodies, strict=True))


@dataclass(frozen=True, slots=True)
class PickPart:
    """One part of the question and the quotes that it may be answered with."""

    text: str
    quotes: tuple[Quote, ...]
    """Best first."""
    likely: bool = False
    """Whether the first is close enough in words or meaning for a rung that cannot read."""
    sure: bool = False
    """Whether it holds so much of what is asked that the grammar leaves no 'none of these': a small model declines too
    readily. One that is not forced may still say so."""
    may_decline: bool = True
    """Whether 'none of these' is open: not where the question names a code that stands in all of them."""


@dataclass(frozen=True, slots=True)
class PickBound:
    """One quote, or none, for each part: the model points, the program copies."""

    parts: tuple[PickPart, ...]
    quotes: tuple[Quote, ...]
    """At most as many as there are letters."""

    def lark(self) -> str:
        """The grammar of this step."""
        rules = []
        for i, part in enumerate(self.parts):
            letters = [self._letter(quote) for quote in part.quotes] + [DECLINE] * (part.may_decline and not part.sure)
            rules.append(_line_rule(i, part.text, [_literal(letter) for letter in letters]))
        return _grammar(rules, len(self.parts))

    def most_bytes(self) -> int:
        """Of every reply, which is also the most tokens that it can have."""
        return sum(_bytes(f"{part.text}{_ARROW}{DECLINE}\n") for part in self.parts)

    def write(self, picks: Sequence[Quote | None]) -> str:
        """Picks in the form that `parse` reads."""
        letters = [self._letter(quote) if quote else DECLINE for quote in picks]
        return _write([part.text for part in self.parts], letters)

    def parse(self, text: str) -> tuple[Quote | None, ...]:
        """The quote of each part.

        :raises BadReply: a line is missing, or a letter names no quote.
        """
        picks: list[Quote | None] = []
        letters = _bodies(text, [part.text for part in self.parts])
        for part, letter in zip(self.parts, letters, strict=True):
            named = {self._letter(quote): quote for quote in part.quotes}
            if letter not in named and not (part.may_decline and letter == DECLINE):
                raise BadReply(f"no quote is named {letter[:20]!r}")
            picks.append(named.get(letter))
        return tuple(picks)

    def _letter(self, quote: Quote) -> str:
        return LETTERS[self.quotes.index(quote)]


@dataclass(frozen=True, slots=True)
class ChoiceBound:
    """The reply is one of some words."""

    choices: tuple[str, ...]

    def lark(self) -> str:
        """The grammar."""
        return f"start: ({' | '.join(_literal(choice) for choice in self.choices)})"

    def parse(self, text: str) -> str:
        """The choice.

        :raises BadReply: it is none of them.
        """
        said = text.strip()
        if said not in self.choices:
            raise BadReply(f"none of {', '.join(self.choices)}: {said[:80]!r}")
        return said


@dataclass(frozen=True, slots=True)
class SchemaBound:
    """The reply is one JSON value of a schema, written without spaces: every token costs a small model time."""

    schema: Mapping[str, Json]
    """JSON schema; keys of an object are written in its order."""

    def lark(self) -> str:
        """The grammar of the reply."""
        return "start: %json " + _json({**self.schema, **_COMPACT})

    def parse(self, text: str) -> Json:
        """The value.

        :raises BadReply: it is no JSON. Whether it fits the schema is left to who knows what it is for.
        """
        try:
            value: Json = json.loads(text)
        except (ValueError, RecursionError):
            raise BadReply(f"the reply is no JSON: {text[:80]!r}") from None
        return value


def _line_rule(i: int, part: str, choices: Sequence[str]) -> str:
    return f"p{i}: {_literal(part + _ARROW)} ({' | '.join(choices)}) {_literal(chr(10))}"


def _grammar(rules: Sequence[str], parts: int) -> str:
    return "\n".join([f"start: {' '.join(f'p{i}' for i in range(parts))}", *rules])


def _write(parts: Sequence[str], bodies: Sequence[str]) -> str:
    return "".join(f"{part}{_ARROW}{body}\n" for part, body in zip(parts, bodies, strict=True))


def _bodies(text: str, parts: Sequence[str]) -> list[str]:
    """What stands behind each part's arrow."""
    bodies = []
    for part in parts:
        found = re.search(rf"^{re.escape(part + _ARROW)}(.*)$", text, re.MULTILINE)
        if found is None:
            raise BadReply(f"no line for {part[:60]!r} in {text[:80]!r}")
        bodies.append(found.group(1).strip())
    return bodies


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _literal(text: str) -> str:
    """A Lark string; its escapes are those of JSON, and control characters beyond ASCII are escaped too."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() or ord(c) > 0xFFFF else f"\\u{ord(c):04x}" for c in quoted)
