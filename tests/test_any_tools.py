"""Calls of any program's functions hold only what the request says."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date

import llguidance
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.any_tools import AnyCallBound, AnyFunction, ask_for_calls
from agent.errors import BadReply
from agent.messages import Message, Reply
from agent.model.protocol import Bound, ReplyLimits
from agent.said_arguments import Said
from agent.said_values import clocks_said, days_said, numbers_said
from agent.tools import Tool

TODAY = date(2026, 5, 4)
FILL = AnyFunction(
    "tank.fill",
    "Fill a tank up to a level.",
    {
        "type": "object",
        "properties": {
            "tank": {"type": "string", "description": "Which tank."},
            "level": {"type": "integer", "description": "In percent."},
            "mode": {"type": "string", "enum": ["slow", "fast"]},
            "note": {"type": "boolean", "description": "Write a note."},
        },
        "required": ["tank", "level"],
    },
)
BOOK = AnyFunction(
    "visit.book",
    "Book a visit.",
    {
        "type": "object",
        "properties": {"day": {"type": "string", "description": "The date as YYYY-MM-DD."}},
        "required": ["day"],
    },
)


class Says:
    """A model that says one thing, and keeps what it was shown."""

    name, sees = "says", False

    def __init__(self, text: str) -> None:
        self.text = text
        self.shown: list[Sequence[Message]] = []

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        bound: Bound | None,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        self.shown.append(messages)
        return Reply(self.text, "done")

    def close(self) -> None: ...


def bound(request: str, *functions: AnyFunction) -> AnyCallBound:
    return AnyCallBound(functions or (FILL,), Said(request, TODAY), most_calls=4)


def calls(*made: tuple[str, dict[str, object]]) -> str:
    return json.dumps([{"name": name, "arguments": arguments} for name, arguments in made])


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("fill 40 percent", (40, 0.4)),
        ("$1,250.5 and two hundred and five", (1250.5, 205)),
        ("between -3 and 2.5 million", (-3, 2_500_000)),
        ("values [200,300,400]", (200300400, 200, 300, 400)),
        ("二十六度和百分之三十", (26, 30, 0.3)),
        ("the 3rd of a dozen", (3, 12)),
        ("none at all", ()),
    ],
)
def test_numbers_that_are_said(text: str, numbers: tuple[float, ...]) -> None:
    """In digits and words, each once, in their order."""
    assert numbers_said(text) == numbers


def test_days_and_times_in_the_form_that_is_wanted() -> None:
    """A day is written as the description has it."""
    assert days_said("on March 10, 2022", TODAY, "YYYY-MM-DD") == ("2022-03-10",)
    assert days_said("on March 10, 2022", TODAY, "MM/DD/YYYY") == ("03/10/2022",)
    assert clocks_said("at 7:30 pm") == ("19:30",)


def test_only_numbers_that_are_said_can_be_given() -> None:
    """A grammar holds them and no others."""
    lark = bound("Fill tank north to 40 percent").lark()
    assert llguidance.LLMatcher.validate_grammar(lark) == ""
    assert '"40"' in lark and '"50"' not in lark


def test_a_function_without_its_numbers_cannot_be_called() -> None:
    """Nobody is asked: there is nothing that it could be called with."""
    model = Says("[]")
    said = Said("Fill the tank please", TODAY)
    assert ask_for_calls(model, [FILL], said, limits=ReplyLimits(9), most_calls=4) == ((), None)
    assert model.shown == []


def test_a_function_of_which_no_word_is_said_cannot_be_called() -> None:
    """What a request does not speak of was not asked for."""
    assert bound("How tall are 3 houses in 40 streets?").empty
    assert not bound("Fill up the 3rd one to 40").empty


def test_an_optional_argument_needs_words_of_its_own() -> None:
    """A choice that is said, a name that is said; else it is left out."""
    assert '\\"mode\\"' not in bound("Fill tank a to 40").lark()
    assert '\\"mode\\"' in bound("Fill tank a to 40, fast").lark()
    assert '\\"note\\"' in bound("Fill tank a to 40 and note it").lark()


def test_a_day_is_one_of_the_request() -> None:
    """Written as it is wanted."""
    assert '\\"2022-03-10\\"' in bound("Book a visit on March 10, 2022", BOOK).lark()


def test_calls_are_parsed_and_each_made_once() -> None:
    """What repeats an earlier call, or only adds what nobody said, is no call."""
    one = ("tank.fill", {"tank": "north", "level": 40})
    other = ("tank.fill", {"tank": "south", "level": 40})
    again = ("tank.fill", {"tank": "north", "level": 40, "mode": "slow"})
    found = bound("Fill north and south to 40, fast").parse(calls(one, other, again, one))
    assert [dict(call.arguments) for call in found] == [one[1], other[1]]


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[1]",
        calls(("tank.empty", {})),
        calls(("tank.fill", {"tank": "north"})),
        calls(("tank.fill", {"tank": "north", "level": 40, "colour": "red"})),
        "[" * 100_000,
    ],
)
def test_what_fits_no_function_is_a_bad_reply(text: str) -> None:
    """From a model that cannot be bound."""
    with pytest.raises(BadReply):
        bound("Fill tank north to 40").parse(text)


def test_a_request_is_shown_after_what_never_changes() -> None:
    """The functions are the stable beginning."""
    model = Says(calls(("tank.fill", {"tank": "north", "level": 40})))
    said = Said("Fill tank north to 40", TODAY)
    made, _ = ask_for_calls(model, [FILL], said, limits=ReplyLimits(99), most_calls=4)
    assert made[0].tool == "tank.fill"
    assert [message.role for message in model.shown[0]] == ["system", "user"]
    assert "tank.fill" in model.shown[0][0].text and model.shown[0][1].text == said.request


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(max_size=20), st.text(max_size=60))
def test_any_request_gives_a_grammar_that_compiles(request: str, name: str, description: str) -> None:
    """Requests, names and descriptions come from outside."""
    properties = {name: {"type": "string", "description": description}, "n": {"type": "array"}}
    function = AnyFunction("f", description, {"properties": properties, "required": [name]})
    made = bound(request, function)
    assert made.empty or llguidance.LLMatcher.validate_grammar(made.lark()) == ""
