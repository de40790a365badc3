"""What an argument of any program's function may be, given what a request says: a piece of grammar for each.

    number, integer   one that the request says, in the unit that is asked for, a percentage as its part of one where
                      none is asked for; else the default that is described
    boolean           true or false
    choice            one of the schema's, or of those that its description puts in quotes
    string            a day in the form that is asked for; else, where it must be there, anything: names are put in
                      other forms than they are said in (GBP, Denver, CO); where it may be left out a stretch of
                      whole words of the request, and what is notation (an expression, a query) freely
    array, object     of those

None where the request has nothing for it: then the argument is left out, or the function cannot be called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.said_request import Said, shared, stems_of, words_of
from agent.said_units import numbers_in_unit
from agent.said_values import clocks_said, days_said, shares_said
from agent.values import Json

__all__ = ["Argument", "arguments_of", "choices_of", "rules_of", "sequence"]

Schema = Mapping[str, Json]

_SPAN, _FREE = "SPAN", "FREE"
_MOST_ITEMS = 16
_MOST_CHOICES = 24
_MOST_DEPTH = 3
_MOST_CHARS = 400
_LEAST_DESCRIBED = 3
"""Words of its description that a request says where it means a switch."""
_MOST_DEFAULT = 1e15
_QUOTED = re.compile(r"['\"‘’“”`]([^'\"‘’“”`\n]{1,40})['\"‘’“”`]")
_LISTED = re.compile(
    r"\b(?:e\.g\.?|i\.e\.?|such as|for example|options?(?: are)?|choices?(?: are)?|one of|possible values?(?: are)?"
    r"|like)\s*[:,]?\s*"
    r"([^.;()]{2,160})",
    re.IGNORECASE,
)
_NOTATION = re.compile(
    r"\b(?:expression|equation|formula|quer(?:y|ies) in|sql|regex|code|source|function (?:to|of|for)|the function"
    r"|lambda|in python|javascript|json|xml|html|url|dna|sequence)\b",
    re.IGNORECASE,
)
_DAY_FORM = re.compile(r"\b(?:YYYY|MM|DD)(?:[-/.](?:YYYY|MM|DD)){1,2}\b(?![-/.]\w)", re.IGNORECASE)
_BETWEEN = re.compile(r",(?!(?<=[a-z],) ?[A-Z]{2,3}\b)|\bor\b|\band\b|/")
"""What parts the values of a list; Denver, CO is one."""
_COMPOSED = re.compile(r"\bcity\b\W+(?:and\s+)?(?:state|country|region)\b", re.IGNORECASE)
"""What is wanted in two parts, of which people say one: Denver, and not Denver, CO."""
_PERCENT = re.compile(r"^(?!.*\bdecimal).*(?:per\s?cent|%)", re.IGNORECASE | re.DOTALL)
_DEFAULT = re.compile(r"\bdefaults?(?: value)?(?: is| to|:)? (-?\d{1,15}(?:\.\d{1,15})?)(?![\w%])", re.IGNORECASE)
_FORM = re.compile(r"[YMDHhmsyd\W\d]+")
"""A form that is named as such is no value."""
_ISO_DAY = "YYYY-MM-DD"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument that can be filled."""

    name: str
    required: bool
    lark: str
    """What it may be, as a grammar expression."""


def rules_of(said: Said) -> tuple[str, ...]:
    """The terminals that the grammar of an argument names."""
    words = {"substring_words": said.span_source}
    return (
        f"{_SPAN}: %regex {json.dumps(words, ensure_ascii=False)}",
        rf'{_FREE}: /([^"\\\x00-\x20]|\\["\\nt])([^"\\\x00-\x1f]|\\["\\nt]){{0,{_MOST_CHARS - 1}}}/',
    )


def arguments_of(
    properties: Mapping[str, Schema], required: frozenset[str], said: Said, depth: int = 0
) -> list[Argument]:
    """Those that can be filled, in the order of the schema."""
    must = [properties[name] for name in required if name in properties]
    spare = _spare_numbers(must, said)
    free = spare < 0 and bool(said.numbers)
    found = []
    for name, schema in properties.items():
        needed = name in required
        if not needed and not _asked_for(name, schema, said, spare, in_list=_takes_list(must)):
            continue
        lark = _any_number(schema) if free and _is_number(schema) else _value(name, schema, said, depth, needed=needed)
        if lark is not None:
            found.append(Argument(name, needed, lark))
    return found


def _spare_numbers(needed: Sequence[Schema], said: Said) -> int:
    """Numbers that are left when the arguments that must be there have theirs; a list takes as many as there are."""
    wanting = [schema for schema in needed if _is_number(schema) and not _defaults(schema)]
    return 0 if _takes_list(needed) else said.number_count - len(wanting)


def _takes_list(needed: Sequence[Schema]) -> bool:
    return any(_is_number(items) for schema in needed if isinstance(items := schema.get("items"), dict))


def _any_number(schema: Schema) -> str:
    """Where a request says fewer numbers than are needed, one of them follows from other words: a king is 4 cards."""
    return "%json " + json.dumps({"type": "integer" if schema.get("type") == "integer" else "number"})


def _asked_for(name: str, schema: Schema, said: Said, spare_numbers: int, *, in_list: bool) -> bool:
    """Whether a request speaks of an argument that may be left out.

    :param in_list: numbers go into a list that must be there, and nobody can tell how many of them.
    """
    own_words = words_of(name)
    if isinstance(schema.get("enum"), list):
        return any(said.holds(choice) for choice in choices_of(schema)) or said.speaks_of(own_words)
    if _is_number(schema):
        return spare_numbers > 0 or (in_list and bool(said.numbers) and said.speaks_of(own_words))
    if schema.get("type") in ("array", "tuple") and _items(schema).get("type") == "string":
        return said.speaks_of([*own_words, *(word for one in choices_of(_items(schema)) for word in words_of(one))])
    if schema.get("type") == "boolean":
        described = stems_of(words_of(str(schema.get("description") or "")))
        return said.speaks_of(own_words) or len(shared(described, said.stems)) >= _LEAST_DESCRIBED
    if schema.get("type") in ("array", "object", "dict", "tuple"):
        return said.speaks_of(own_words)
    return True


def _value(name: str, schema: Schema, said: Said, depth: int, *, needed: bool) -> str | None:
    """The grammar of one value; None where the request has nothing for it."""
    kind = str(schema.get("type", "string"))
    enum = schema.get("enum")
    if isinstance(enum, list) and enum and kind not in ("array", "tuple"):
        return _one_of(json.dumps(value, ensure_ascii=False) for value in enum)
    if kind == "boolean":
        return '("true" | "false")'
    if _is_number(schema):
        values = _numbers(name, schema, said, needed=needed)
        return _one_of(_number(value) for value in values) if values else None
    if kind in ("array", "tuple"):
        return _array(name, schema, said, depth)
    if kind in ("object", "dict"):
        return _object(schema, said, depth)
    return _string(name, schema, said, needed=needed)


def _numbers(name: str, schema: Schema, said: Said, *, needed: bool) -> list[float]:
    """Those that an argument may be."""
    about = f"{name.replace('_', ' ')}: {schema.get('description') or ''}"
    whole = schema.get("type") == "integer"
    shares = shares_said(said.request)
    unwanted = set(shares.values()) if whole or _PERCENT.search(about) else set(shares)
    found = numbers_in_unit(said.request, about, [number for number in said.numbers if number not in unwanted])
    values = [value for value in found if not whole or value == int(value)]
    return [*values, *(default for default in _defaults(schema) if needed and default not in values)]


def _defaults(schema: Schema) -> list[float]:
    """The number that an argument is where nobody says one."""
    default = schema.get("default")
    found = _DEFAULT.search(str(schema.get("description") or ""))
    if isinstance(default, int | float) and not isinstance(default, bool) and abs(default) <= _MOST_DEFAULT:
        return [float(default)]
    return [float(found[1])] if found is not None else []


def _string(name: str, schema: Schema, said: Said, *, needed: bool) -> str:
    about = f"{name.replace('_', ' ')}: {schema.get('description') or ''}"
    if _NOTATION.search(about):
        return _quoted(_FREE)
    forms = _DAY_FORM.findall(about) or ([_ISO_DAY] if re.search(r"\bdates?\b", about, re.IGNORECASE) else [])
    formed = [day for form in forms for day in days_said(said.request, said.today, form.upper())]
    if re.search(r"\btime\b|HH:MM", about):
        formed += clocks_said(said.request)
    if formed and _DAY_FORM.search(about) is not None:
        return _one_of(_text(day) for day in formed)
    known = choices_of(schema)
    if needed and (_COMPOSED.search(about) or not any(map(said.says, known))):
        return _quoted(_FREE)
    chosen = [choice for choice in known if said.says(choice)] or known
    choices = [_literal(_text(value)[1:-1]) for value in dict.fromkeys([*formed, *chosen])]
    return _quoted(f"({' | '.join([_SPAN, *choices])})")


def _array(name: str, schema: Schema, said: Said, depth: int) -> str | None:
    inner = _items(schema)
    one = _value(name, inner, said, depth + 1, needed=False) if depth < _MOST_DEPTH else None
    if one is None:
        return None
    return f'"[" {one} (", " {one}){{0,{_MOST_ITEMS - 1}}} "]"'


def _items(schema: Schema) -> Schema:
    """What a list holds."""
    items = schema.get("items")
    return {"description": schema.get("description"), **(items if isinstance(items, dict) else {"type": "string"})}


def _object(schema: Schema, said: Said, depth: int) -> str | None:
    found = schema.get("properties")
    named = {key: value for key, value in found.items() if isinstance(value, dict)} if isinstance(found, dict) else {}
    if not named:
        return '%json {"type": "object"}'
    if depth >= _MOST_DEPTH:
        return None
    needed = schema.get("required")
    required = frozenset(map(str, needed)) if isinstance(needed, list) else frozenset(named)
    inside = sorted(arguments_of(named, required, said, depth + 1), key=lambda a: not a.required)
    if not required & set(named) <= {a.name for a in inside}:
        return None
    pieces = [f"{_literal(_text(a.name) + ': ')} {a.lark}" for a in inside]
    return sequence(pieces, [a.required for a in inside], "{", "}")


def sequence(pieces: Sequence[str], required: Sequence[bool], opening: str, closing: str) -> str:
    """Pieces with commas between them, those that must be there first; the others may be left out."""
    must = [piece for piece, needed in zip(pieces, required, strict=True) if needed]
    may = [piece for piece, needed in zip(pieces, required, strict=True) if not needed]
    comma = _literal(", ")
    tails = [" ".join([f"({comma} {piece})?" for piece in may[i:]]) for i in range(len(may) + 1)]
    if must:
        inside = f" {comma} ".join(must) + " " + tails[0]
    else:
        starts = [f"{piece} {tails[i + 1]}" for i, piece in enumerate(may)]
        inside = f"({' | '.join(starts)})?" if starts else ""
    return f"{_literal(opening)} {inside} {_literal(closing)}"


def choices_of(schema: Schema) -> list[str]:
    """Values that the schema, or the words of its description, names."""
    enum = schema.get("enum")
    if isinstance(enum, list):
        return [str(value) for value in enum]
    about = str(schema.get("description") or "")
    found = _QUOTED.findall(about)
    for listed in _LISTED.findall(about):
        found += [piece.strip(" '\"") for piece in _BETWEEN.split(listed)]
    short = [c for c in found if 0 < len(c) <= 40 and len(c.split()) <= 4 and not _FORM.fullmatch(c)]
    return list(dict.fromkeys(short))[:_MOST_CHOICES]


def _is_number(schema: Schema) -> bool:
    return schema.get("type") in ("integer", "number", "float") and "enum" not in schema


def _one_of(values: Iterable[str]) -> str:
    return "(" + " | ".join(_literal(value) for value in dict.fromkeys(values)) + ")"


def _quoted(rule: str) -> str:
    return rf'"\"" {rule} "\""'


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
