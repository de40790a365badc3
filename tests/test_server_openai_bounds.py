"""What a client describes becomes a grammar that holds, or is refused before a model sees it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.any_tools import AnyFunction
from agent.errors import BadReply
from agent.messages import ToolCall
from agent.model.fits import fit
from agent.server.openai.calls import ChatBound
from agent.server.openai.request import parse_request
from agent.server.openai.schemas import plain_schema
from agent.server.openai.threads import Threads
from agent.server.problems import Problem
from agent.settings import OpenAISettings

LIGHT = AnyFunction(
    "turn_on", "Turn on", {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
)
ONE = '{"name": "turn_on", "arguments": {"name": "a"}}'
TWO = '{"name": "turn_on", "arguments": {"name": "b"}}'


def bound(*, must_call: bool = False, most_calls: int = 4, form: Any = None) -> ChatBound:
    """With one function."""
    return ChatBound((LIGHT,), form, must_call, most_calls)


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        (ONE, 1),
        (f"{ONE}\n{TWO}", 2),
        (f"```json\n{ONE}\n```", 1),
        (f"```json\n{ONE}\n{TWO}\n```", 2),
        (f"<tool_call>\n{ONE}\n</tool_call>", 1),
        (f"<tool_call>\n{ONE}\n</tool_call>\n<tool_call>\n{TWO}\n</tool_call>", 2),
        (f"{ONE}\n{ONE}", 1),
        ("It is on.", 0),
        ("好的,已经打开。", 0),
    ],
)
def test_words_and_calls_in_every_form_are_told_apart(text: str, calls: int) -> None:
    """Tags, fences and bare calls are the same calls, each once; all else is words."""
    assert fit(bound().lark(), text)
    assert len(bound().parse(text)) == calls


def test_one_call_and_no_words_where_that_is_wanted() -> None:
    """`required` leaves no words, and without parallel calls there is one."""
    one = bound(must_call=True, most_calls=1)
    assert fit(one.lark(), ONE) and not fit(one.lark(), "It is on.") and not fit(one.lark(), f"{ONE}\n{TWO}")


@pytest.mark.parametrize("text", ['{"name": "other", "arguments": {}}', '{"name": "turn_on"}', "{", "```json\nno\n```"])
def test_what_is_no_call_is_an_error(text: str) -> None:
    """A reply of a model that cannot be bound is checked here."""
    with pytest.raises(BadReply):
        bound().parse(text)


def test_texts_are_trimmed_as_deep_as_they_are() -> None:
    """A small model's leading space is no part of a name."""
    text = '{"name": "turn_on", "arguments": {"name": [" a", {"b": " c "}]}}'
    assert bound().parse(text) == (ToolCall("turn_on", {"name": ["a", {"b": "c"}]}),)


def test_a_form_and_a_call_are_both_open() -> None:
    """With functions and a form, what is no call has the form."""
    both = bound(form={"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})
    call = f"```json\n{ONE}\n```"
    assert fit(both.lark(), call) and fit(both.lark(), '{"n": 1}') and not fit(both.lark(), "words")
    assert len(both.parse(call)) == 1 and both.parse('{"n": 1}') == ()


_ODD = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
_KEYS = st.sampled_from(
    ["type", "properties", "items", "enum", "const", "anyOf", "required", "$ref", "pattern", "minItems", "maximum", "x"]
)
_ANY = st.recursive(
    _ODD | st.sampled_from(["object", "array", "string", "integer", "#/$defs/a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(schema=st.dictionaries(_KEYS, _ANY, max_size=5))
def test_whatever_a_schema_says_it_is_reduced_or_refused(schema: dict[str, Any]) -> None:
    """Nothing but a `Problem` comes of it, and what is kept holds no pattern and can be written as JSON."""
    try:
        kept = plain_schema(schema, "here")
    except Problem as problem:
        assert problem.status == 400
        return
    assert "pattern" not in kept and "x" not in kept
    json.dumps(kept)


def test_deep_and_wide_schemas_are_refused() -> None:
    """Both cost more than they tell."""
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(40):
        deep = {"type": "array", "items": deep}
    wide = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(3_000)}}
    for schema in (deep, wide):
        with pytest.raises(Problem):
            plain_schema(schema, "here")


@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=300) | _ANY.map(lambda value: json.dumps(value).encode()))
def test_whatever_is_sent_is_a_request_or_refused(body: bytes) -> None:
    """No other error comes of a body."""
    with pytest.raises(Problem):
        parse_request(body, OpenAISettings())


def test_limits_are_kept() -> None:
    """Messages, tools and their descriptions are bounded, each with its own line."""
    message = {"role": "user", "content": "x"}
    offered = {"type": "function", "function": {"name": "f", "description": "y" * 50}}
    few = OpenAISettings(most_messages=2, most_tools=2, max_tool_chars=300)
    for body in (
        {"messages": [message] * 3},
        {"messages": [message], "tools": [offered] * 3},
        {"messages": [message], "tools": [{**offered, "function": {"name": "f", "description": "y" * 400}}]},
    ):
        with pytest.raises(Problem, match="limit"):
            parse_request(json.dumps(body).encode(), few)
    told = {"messages": [message], "tools": [offered], "temperature": None, "seed": None, "unknown": 1}
    assert parse_request(json.dumps(told).encode(), few).functions[0].name == "f"


def test_conversations_are_known_by_what_was_said() -> None:
    """The same messages of the same client go on; changed ones, and another client, do not; the oldest goes first."""
    threads = Threads(2)
    said = [("user", "a"), ("assistant", "b ")]
    threads.keep("me", said, "one")
    assert threads.name("me", [("user", "a"), ("assistant", "b")]) == "one"
    assert threads.name("you", said) != "one" and threads.name("me", said[:1]) != "one"
    threads.keep("me", [("user", "c")], "two")
    threads.keep("me", [("user", "d")], "three")
    assert threads.name("me", said) != "one" and threads.name("me", [("user", "d")]) == "three"
