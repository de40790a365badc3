"""Home Assistant's value templates in their simple forms, evaluated without Jinja: what a broker sends is no program.

    {{ value }}   {{ value_json.color.x }}   {{ value_json['temperature'] | float / 10 }}
    {{ (value_json.level * 0.5) | round(1) }}   {{ 'ON' if value_json.occupancy else 'OFF' }}

Anything else (blocks, calls, comparisons, variables) is not read, and whoever asks is told so: the point is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from agent.api import Json

__all__ = ["ABSENT", "Absent", "NotSimple", "Template", "read_template"]

MAX_CHARS = 500
MAX_DEPTH = 16
TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>'[^'\\]*'|\"[^\"\\]*\")|(?P<name>[A-Za-z_]\w*)|(?P<mark>[-+*/|().\[\],]))"
)


class NotSimple(Exception):
    """A template of another form."""


class Absent:
    """What a message does not speak of."""


ABSENT = Absent()
Found = Json | Absent
Step = Callable[[str, Json], Found]
"""From a message's text and its JSON to a value."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read."""

    source: str
    step: Step
    wants_json: bool
    """False: only the payload's text is looked at."""

    def value(self, text: str, parsed: Json) -> Found:
        """:return: what it makes of a message; `ABSENT` where the message does not have it."""
        try:
            return self.step(text, parsed)
        except (TypeError, ValueError, OverflowError, ZeroDivisionError):
            return None


def read_template(source: str) -> Template:
    """:raises NotSimple: it is of another form."""
    inner = re.fullmatch(r"\s*\{\{-?(.*?)-?\}\}\s*", source, re.DOTALL) if len(source) <= MAX_CHARS else None
    if inner is None or "{{" in inner[1] or "}}" in inner[1]:
        raise NotSimple(source[:80])
    reader = _Reader(inner[1])
    step = reader.choice(0)
    if reader.peek is not None:
        raise NotSimple(source[:80])
    return Template(source, step, reader.wants_json)


class _Reader:
    """A descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        self.wants_json = False
        position = 0
        text = text.rstrip()
        while position < len(text):
            match = TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise NotSimple(text[:80])
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    @property
    def peek(self) -> str | None:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else None

    def choice(self, depth: int) -> Step:
        """`A if B else C`, or a sum."""
        if depth > MAX_DEPTH:
            raise NotSimple("too deep")
        first = self._sum(depth)
        if self.peek != "if":
            return first
        self._take()
        test = self._sum(depth)
        self._want("else")
        other = self.choice(depth + 1)
        return lambda text, parsed: _chosen(test(text, parsed), first, other, text, parsed)

    def _sum(self, depth: int) -> Step:
        return self._chain(self._product, "+-", depth)

    def _product(self, depth: int) -> Step:
        return self._chain(self._filtered, "*/", depth)

    def _chain(self, part: Callable[[int], Step], marks: str, depth: int) -> Step:
        left = part(depth)
        while self.peek is not None and self.peek in marks and self._tokens[self._at][0] == "mark":
            left = _reckoned(self._take(), left, part(depth))
        return left

    def _filtered(self, depth: int) -> Step:
        step = self._atom(depth)
        while self.peek == "|":
            self._take()
            name = self._take("name")
            arguments: list[Json] = []
            if self.peek == "(":
                self._take()
                while self.peek != ")":
                    arguments.append(self._literal())
                    if self.peek == ",":
                        self._take()
                self._take()
            step = _filter(name, arguments, step)
        return step

    def _atom(self, depth: int) -> Step:
        if self.peek == "(":
            self._take()
            step = self.choice(depth + 1)
            self._want(")")
            return step
        if self.peek == "value":
            self._take()
            return lambda text, parsed: text
        if self.peek == "value_json":
            self._take()
            self.wants_json = True
            path = self._path()
            return lambda text, parsed: _walk(parsed, path)
        literal = self._literal()
        return lambda text, parsed: literal

    def _path(self) -> list[str | int]:
        path: list[str | int] = []
        while self.peek in (".", "["):
            if self._take() == ".":
                path.append(self._take("name"))
                continue
            literal = self._literal()
            if not isinstance(literal, str | int) or isinstance(literal, bool):
                raise NotSimple("an index")
            path.append(literal)
            self._want("]")
        return path

    def _literal(self) -> Json:
        sign = -1 if self.peek == "-" else 1
        if sign < 0:
            self._take()
        if self._at >= len(self._tokens):
            raise NotSimple("it ends early")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return sign * (float(text) if "." in text else int(text))
        if kind == "text":
            return text[1:-1]
        named: dict[str, Json] = {
            "true": True,
            "True": True,
            "false": False,
            "False": False,
            "none": None,
            "None": None,
        }
        if kind == "name" and text in named:
            return named[text]
        raise NotSimple(text)

    def _take(self, kind: str | None = None) -> str:
        if self._at >= len(self._tokens) or (kind and self._tokens[self._at][0] != kind):
            raise NotSimple("it ends early")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _want(self, text: str) -> None:
        if self.peek != text:
            raise NotSimple(f"no {text}")
        self._at += 1


def _walk(value: Json, path: list[str | int]) -> Found:
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and -len(value) <= part < len(value):
            value = value[part]
        else:
            return ABSENT
    return value


def _chosen(test: Found, first: Step, other: Step, text: str, parsed: Json) -> Found:
    if isinstance(test, Absent):
        return ABSENT
    return first(text, parsed) if test else other(text, parsed)


def _reckoned(mark: str, left: Step, right: Step) -> Step:
    def step(text: str, parsed: Json) -> Found:
        values = left(text, parsed), right(text, parsed)
        if any(isinstance(value, Absent) for value in values):
            return ABSENT
        a, b = (_number(value) for value in values)
        return a + b if mark == "+" else a - b if mark == "-" else a * b if mark == "*" else a / b

    return step


def _filter(name: str, arguments: list[Json], step: Step) -> Step:
    """:raises NotSimple: no such filter, or arguments that it does not take."""
    plain: dict[str, Callable[[Json], Json]] = {
        "lower": lambda value: str(value).lower(),
        "upper": lambda value: str(value).upper(),
        "trim": lambda value: str(value).strip(),
        "string": lambda value: value if isinstance(value, str) else json.dumps(value),
        "abs": lambda value: abs(_number(value)),
        "float": _number,
        "int": lambda value: int(_number(value)),
        "bool": _truth,
    }
    if name == "round" and len(arguments) <= 1 and all(isinstance(a, int) and 0 <= a <= 9 for a in arguments):
        digits = int(_number(arguments[0])) if arguments else 0
        plain["round"] = lambda value: round(_number(value), digits)
    elif name == "default" and len(arguments) <= 2:
        # A made-up value in place of one that the device did not tell would be believed; it stays absent.
        return step
    elif arguments and not (name in ("float", "int") and len(arguments) == 1):
        raise NotSimple(name)
    if name not in plain:
        raise NotSimple(name)
    work = plain[name]

    def filtered(text: str, parsed: Json) -> Found:
        value = step(text, parsed)
        return ABSENT if isinstance(value, Absent) else work(value)

    return filtered


def _number(value: Found) -> float:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float | str):
        return float(value)
    raise TypeError("no number")


def _truth(value: Json) -> Json:
    if isinstance(value, str):
        return value.strip().lower() in ("true", "on", "yes", "1", "enable")
    return bool(value)
