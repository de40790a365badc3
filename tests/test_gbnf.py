"""A step's grammar in llama.cpp's own notation: the same closed lists, or nothing at all."""

from __future__ import annotations

import re
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.bound import BoundArgument, BoundTool, CallBound, CallPart, ChoiceBound, SchemaBound
from agent.model.fits import fit
from agent.model.gbnf import to_gbnf
from agent.model.golden import GoldenBound
from agent.tools import Binds, tool
from agent.values import ToolResult

_ESCAPE = re.compile(r'\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|([nrt"\\]))')
_PLAIN = {"n": "\n", "r": "\r", "t": "\t"}


def read_back(literal: str) -> str:
    """What llama.cpp reads in a string of a grammar."""
    return _ESCAPE.sub(lambda m: _PLAIN.get(m[3], m[3]) if m[3] else chr(int(m[1] or m[2], 16)), literal)


@tool(risk="read")
def search(like: Annotated[str, Binds("alarm")]) -> ToolResult:
    """Look."""
    return ToolResult()


def test_a_step_of_a_turn() -> None:
    """Rules, groups, choices and strings, rule by rule; the first one is called root."""
    bound = BoundTool(search, (BoundArgument("like", ("循环泵", 'a "b"\n')),))
    lark = CallBound((CallPart("怎么办?", (bound,), may_decline=True),)).lark()
    assert to_gbnf(lark) == "\n".join(
        [
            "root ::= p0",
            r'p0t0 ::= "search(" ( "\"循环泵\"" | "\"a \\\"b\\\"\\n\"" ) ")"',
            r'p0 ::= "怎么办? -> " ( "none" | p0t0 ) "\n"',
        ]
    )


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=5, unique=True))
def test_whatever_the_choices_are(choices: list[str]) -> None:
    """Quotes, backslashes, control characters, any script: each choice stands in it as it is, and nothing else."""
    bound = ChoiceBound(tuple(text.encode("utf-8", "replace").decode() for text in choices))
    made = to_gbnf(bound.lark())
    assert made is not None and "\n" not in made and made.startswith("root ::= ( ")
    found = [read_back(text) for text in re.findall(r'"((?:[^"\\]|\\.)*)"', made)]
    assert tuple(found) == bound.choices
    assert fit(bound.lark(), found[0])


@pytest.mark.parametrize(
    "lark",
    [
        GoldenBound().lark(),
        SchemaBound({"type": "object"}).lark(),
        'start: <tool_call> "x"',
        'start: "a"\n%ignore " "',
        'start: "a',
        "start:",
        "",
        'start: A\nA: "x"',
        'start: "a" "b" // more',
    ],
)
def test_what_is_more_than_closed_lists_is_not_translated(lark: str) -> None:
    """Then the server is told nothing."""
    assert to_gbnf(lark) is None


@given(st.text(max_size=120))
def test_any_text_is_translated_or_not(text: str) -> None:
    """Nothing is raised, whatever a grammar looks like."""
    made = to_gbnf(text)
    assert made is None or "::=" in made
