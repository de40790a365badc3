"""JSON schemas of clients, reduced to what a grammar can be held to safely.

A schema comes from outside and becomes a grammar that the model's process runs: patterns, formats and huge counts could
make that slow or break it, and with it the rung that answers everybody. So what says of which kind a value is and what
it may be is kept, and all else is left out: the reply is then of the right form, and not held to the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.server.problems import Problem
from agent.values import Json, say

__all__ = ["plain_schema"]

_KINDS = ("object", "array", "string", "number", "integer", "boolean", "null")
_AS_IT_IS = ("description", "const", "enum")
_OF_SCHEMAS = ("anyOf", "oneOf", "allOf")
_BY_NAME = ("properties", "$defs", "definitions")
_MOST_DEPTH = 12
_MOST_NODES = 2_000
_MOST_ITEMS = 64


def plain_schema(schema: Mapping[str, Any], place: str) -> dict[str, Json]:
    """A schema without what a grammar is not to be held to.

    :param place: where it stands, for messages.
    :raises Problem: it is no schema, or too deep or large.
    """
    return _Reduced(place).schema(schema, 0)


class _Reduced:
    """One schema; counts what it holds."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._nodes = 0

    def schema(self, found: object, depth: int) -> dict[str, Json]:
        self._nodes += 1
        if depth > _MOST_DEPTH or self._nodes > _MOST_NODES:
            raise self._wrong("is too deep or too large; make it simpler")
        if found is True:
            return {}
        if not isinstance(found, Mapping):
            raise self._wrong("is no JSON schema of an object")
        kept: dict[str, Json] = {key: found[key] for key in _AS_IT_IS if key in found}
        if isinstance(kept.get("enum", []), list) and not kept.get("enum", [None]):
            raise self._wrong("has an enum without values")
        kept |= self._kind(found)
        for key in _BY_NAME:
            if isinstance(found.get(key), Mapping):
                kept[key] = {str(name): self.schema(one, depth + 1) for name, one in found[key].items()}
        for key in _OF_SCHEMAS:
            if isinstance(found.get(key), list) and found[key]:
                several: list[Json] = [self.schema(one, depth + 1) for one in found[key]]
                kept["anyOf" if key == "oneOf" else key] = several
        if isinstance(found.get("$ref"), str) and found["$ref"].startswith("#/"):
            kept["$ref"] = found["$ref"]
        if isinstance(found.get("items"), Mapping):
            kept["items"] = self.schema(found["items"], depth + 1)
        return kept | self._bounds(found, kept)

    def _kind(self, found: Mapping[str, Any]) -> dict[str, Json]:
        kind = found.get("type")
        kinds = kind if isinstance(kind, list) else [kind]
        known: list[Json] = [one for one in kinds if one in _KINDS]
        if kind is not None and not known:
            raise self._wrong(f"names a type that does not exist: {str(kind)[:40]}")
        return {} if not known else {"type": known if len(known) > 1 else known[0]}

    def _bounds(self, found: Mapping[str, Any], kept: Mapping[str, Json]) -> dict[str, Json]:
        bounds: dict[str, Json] = {}
        if isinstance(found.get("required"), list):
            properties = kept.get("properties")
            named = properties if isinstance(properties, dict) else {}
            bounds["required"] = [str(name) for name in found["required"] if isinstance(name, str) and name in named]
        if "properties" in kept:
            bounds["additionalProperties"] = False
        for key in ("minItems", "maxItems"):
            count = found.get(key)
            if isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= _MOST_ITEMS:
                bounds[key] = count
        for key in ("minimum", "maximum"):
            limit = found.get(key)
            if isinstance(limit, int | float) and not isinstance(limit, bool) and abs(limit) < 1e12:
                bounds[key] = limit
        return bounds

    def _wrong(self, told: str) -> Problem:
        return Problem(400, "invalid_request", say("JSON schema 无法使用。", f"{self._place}: its schema {told}"))
