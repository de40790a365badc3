"""Whether calls are those that a question of the Berkeley Function Calling Leaderboard wants.

The rules are the board's (its abstract syntax tree check): every function once, every argument that must be there, no
other, each value one of the possible ones; case and punctuation of texts do not count; several calls in any order. An
empty text among the possible values means that the argument may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent.messages import ToolCall
from agent.values import Json

__all__ = ["calls_right", "json_schema"]

_TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": "string"}
_UNSAID = re.compile(r"[ ,./\-_*^]")


def json_schema(schema: Any) -> dict[str, Json]:
    """The board's types as those of JSON schema."""
    found: dict[str, Json] = {}
    for key, value in schema.items():
        if key == "type":
            found[key] = _TYPES.get(value, value)
        elif key == "properties":
            found[key] = {name: json_schema(inner) for name, inner in value.items()}
        elif key == "items":
            found[key] = json_schema(value)
        elif key in ("required", "enum", "description", "default"):
            found[key] = value
    return found


def calls_right(
    calls: Sequence[ToolCall], answer: Sequence[Mapping[str, Any]], functions: Mapping[str, Mapping[str, Json]]
) -> bool:
    """Whether each call is one of the answer, and each of the answer was made."""
    if len(calls) != len(answer):
        return False
    left = list(answer)
    for call in calls:
        found = next((wanted for wanted in left if _is(call, wanted, functions.get(call.tool, {}))), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _is(call: ToolCall, wanted: Mapping[str, Any], parameters: Mapping[str, Json]) -> bool:
    name, values = next(iter(wanted.items()))
    if call.tool != name or not set(call.arguments) <= set(values):
        return False
    properties = parameters.get("properties")
    known = properties if isinstance(properties, dict) else {}
    for argument, possible in values.items():
        if argument not in call.arguments:
            if "" not in possible:
                return False
        elif not _any_of(call.arguments[argument], possible, known.get(argument)):
            return False
    return True


def _any_of(value: Any, possible: Sequence[Any], schema: Any) -> bool:
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind == "integer" and (isinstance(value, bool) or not isinstance(value, int)):
        return False
    return any(_alike(value, one) for one in possible)


def _alike(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, str) and isinstance(wanted, str):
        return _text(value) == _text(wanted)
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return float(value) == float(wanted)
    if isinstance(value, list) and isinstance(wanted, list | tuple):
        return len(value) == len(wanted) and all(_alike(a, b) for a, b in zip(value, wanted, strict=True))
    if isinstance(value, dict) and isinstance(wanted, dict):
        return all(
            _any_in(value[key], wanted.get(key)) if key in value else "" in possible for key, possible in wanted.items()
        ) and set(value) <= set(wanted)
    return bool(value == wanted)


def _any_in(value: Any, possible: Any) -> bool:
    return any(_alike(value, one) for one in (possible if isinstance(possible, list) else [possible]))


def _text(text: str) -> str:
    return _UNSAID.sub("", text).lower().replace("'", '"')
