"""What an argument of any program's function may be, given what a request says: a piece of grammar for each.

    number, integer   one that the request says
    boolean           true or false
    choice            one of the schema's, or of those that its description puts in quotes
    string            a stretch of whole words of the request; a day or time in the form that is asked for; and what is
                      notation (an expression, a query) freely
    array, object     of those

None where the request has nothing for it: then the argument is left out, or the function cannot be called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from agent.said_values import clocks_said, days_said, numbers_said
from agent.values import Json

__all__ = ["Argument", "Said", "arguments_of", "choices_of", "sequence", "shared", "stems_of", "words_of"]

Schema = Mapping[str, Json]

_SPAN, _FREE = "SPAN", "FREE"
_MOST_ITEMS = 16
_MOST_CHOICES = 24
_MOST_DEPTH = 3
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
_FIGURE = re.compile(r"(?<![\w.])[-−]?[\d.,]*\d(?!(?:st|nd|rd|th)\b)")
_DAY_FORM = re.compile(r"\b(?:YYYY|MM|DD)(?:[-/.](?:YYYY|MM|DD)){1,2}\b")
_FORM = re.compile(r"[YMDHhmsyd\W\d]+")
"""A form that is named as such is no value."""
_ISO_DAY = "YYYY-MM-DD"
_WORD = re.compile(r"[A-Za-z]{3,}|[\u3400-\u9fff]")
_SAYS_NOTHING = frozenset(
    [
        "the", "and", "for", "from", "with", "this", "that", "its", "are", "can", "has", "all", "one", "two", "into",
        "not", "between", "which", "given", "specified", "specific", "based", "certain", "particular", "using", "use",
        "get", "find", "calculate", "compute", "return", "returns", "provide", "fetch", "retrieve", "function", "name",
        "type", "value", "values", "number", "numbers", "list", "unit", "flag", "whether", "default", "optional",
        "string", "data", "information",
    ]
)  # fmt: skip
_STEM_CHARS = 5
_LEAST_STEM = 4


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument that can be filled."""

    name: str
    required: bool
    lark: str
    """What it may be, as a grammar expression."""


@dataclass(frozen=True, slots=True)
class Said:
    """A request and the values that it holds."""

    request: str
    today: date
    """For days that are said without a year."""
    numbers: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", numbers_said(self.request))

    @property
    def rules(self) -> tuple[str, ...]:
        """The terminals that the grammar of an argument names."""
        words = {"substring_words": self.span_source}
        return (
            f"{_SPAN}: %regex {json.dumps(words, ensure_ascii=False)}",
            rf'{_FREE}: /[^"\\\n]{{1,200}}/',
        )

    @property
    def span_source(self) -> str:
        """The request without what a quoted value cannot hold."""
        return " ".join(re.sub(r'["\\\x00-\x1f]', " ", self.request).split())

    @property
    def number_count(self) -> int:
        """How many numbers it says for something: "two charges of 5 and 7" is two; where there are no digits, all."""
        return len(_FIGURE.findall(self.request)) or len(self.numbers)

    def holds(self, phrase: str) -> bool:
        """Whether it says these words."""
        return re.search(rf"(?<!\w){re.escape(phrase.casefold())}(?!\w)", self.request.casefold()) is not None

    def speaks_of(self, words: Iterable[str]) -> bool:
        """Whether a word of it begins like one of these."""
        return bool(shared(stems_of(words), self.stems))

    @property
    def stems(self) -> frozenset[str]:
        """How its words begin."""
        return stems_of(_WORD.findall(self.request))

    @property
    def is_latin(self) -> bool:
        """Whether its words can be held against English descriptions."""
        return not re.search(r"[\u0370-\uffff]", self.request)


def stems_of(words: Iterable[str]) -> frozenset[str]:
    """The first letters of the words that say something, which stay where a word is inflected."""
    return frozenset(word.casefold()[:_STEM_CHARS] for word in words if word.casefold() not in _SAYS_NOTHING)


def shared(some: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """Those that stand among the others too, whole or as the beginning of one: prob, probability."""
    return frozenset(
        one
        for one in some
        if any(
            one == o or (min(len(one), len(o)) >= _LEAST_STEM and (one.startswith(o) or o.startswith(one)))
            for o in others
        )
    )


def words_of(text: str) -> list[str]:
    """The words of a name or a description."""
    return _WORD.findall(text.replace("_", " ").replace(".", " "))


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
        lark = _any_number(schema) if free and _is_number(schema) else _value(name, schema, said, depth)
        if lark is not None:
            found.append(Argument(name, needed, lark))
    return found


def _spare_numbers(needed: Sequence[Schema], said: Said) -> int:
    """Numbers that are left when the arguments that must be there have theirs; a list takes as many as there are."""
    return 0 if _takes_list(needed) else said.number_count - sum(map(_is_number, needed))


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
    if schema.get("type") in ("boolean", "array", "object", "dict", "tuple"):
        return said.speaks_of(own_words)
    return True


def _value(name: str, schema: Schema, said: Said, depth: int) -> str | None:
    """The grammar of one value; None where the request has nothing for it."""
    kind = str(schema.get("type", "string"))
    enum = schema.get("enum")
    if isinstance(enum, list) and enum and kind not in ("array", "tuple"):
        return _one_of(json.dumps(value, ensure_ascii=False) for value in enum)
    if kind == "boolean":
        return '("true" | "false")'
    if _is_number(schema):
        whole = kind == "integer"
        values = [value for value in said.numbers if not whole or value == int(value)]
        return _one_of(_number(value) for value in values) if values else None
    if kind in ("array", "tuple"):
        return _array(name, schema, said, depth)
    if kind in ("object", "dict"):
        return _object(schema, said, depth)
    return _string(name, schema, said)


def _string(name: str, schema: Schema, said: Said) -> str:
    about = f"{name.replace('_', ' ')}: {schema.get('description') or ''}"
    if _NOTATION.search(about):
        return _quoted(_FREE)
    forms = _DAY_FORM.findall(about) or ([_ISO_DAY] if re.search(r"\bdates?\b", about, re.IGNORECASE) else [])
    formed = [day for form in forms for day in days_said(said.request, said.today, form)]
    if re.search(r"\btime\b|HH:MM", about):
        formed += clocks_said(said.request)
    if formed and (form := _DAY_FORM.search(about)) is not None and form.group():
        return _one_of(_text(day) for day in formed)
    literals = [_text(value) for value in (*formed, *choices_of(schema))]
    return f"({' | '.join([*map(_literal, literals), _quoted(_SPAN)])})"


def _array(name: str, schema: Schema, said: Said, depth: int) -> str | None:
    items = schema.get("items")
    inner: dict[str, Json] = dict(items) if isinstance(items, dict) else {"type": "string"}
    inner.setdefault("description", schema.get("description"))
    one = _value(name, inner, said, depth + 1) if depth < _MOST_DEPTH else None
    if one is None:
        return None
    return f'"[" {one} (", " {one}){{0,{_MOST_ITEMS - 1}}} "]"'


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
        found += [piece.strip(" '\"") for piece in re.split(r",|\bor\b|\band\b|/", listed)]
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
