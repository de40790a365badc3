"""Calls of any program's functions hold only what the request says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import llguidance
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.any_tools import AnyCallBound, AnyFunction, ask_for_calls
from agent.errors import BadReply
from agent.messages import Message, Reply
from agent.model.protocol import Bound, ReplyLimits
from agent.said_arguments import choices_of
from agent.said_request import Said
from agent.said_units import numbers_in_unit
from agent.said_values import clocks_said, days_said, numbers_said, shares_said
from agent.tools import Tool
from agent.values import Json

TODAY = date(2026, 5, 4)
SAYINGS = st.lists(
    st.sampled_from(
        ["5ft", "10in", "8%", "9" * 400, "1,000", "in km", "(F)", "µF", "3 h", "default is 7", "'a\"b'", "e.g. "]
    )
).map(" ".join)
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


RATES = AnyFunction(
    "rates.get",
    "Get the exchange rate of two currencies.",
    {
        "type": "object",
        "properties": {
            "base": {"type": "string", "description": "The code of the currency."},
            "place": {"type": "string", "description": "The city, e.g. Bern, Biel."},
            "fee": {"type": "number", "description": "The share that is kept. Default is 0.01."},
            "note": {"type": "string", "description": "What to write on it."},
            "marks": {"type": "array", "items": {"type": "string"}, "description": "Such as urgent, private."},
        },
        "required": ["base", "place", "fee"],
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


def calls(*made: tuple[str, Mapping[str, object]]) -> str:
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
        ("from rest to 5", (0, 5)),
        ("1e-9 and 2.5E3, 3e", (1e-9, 2500, 3)),
        ("a 4 three times, then 2 million twice", (4, 3, 2_000_000, 2)),
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
    assert days_said("on Jun.20,2023, or June01 2024", TODAY, "YYYY-MM-DD") == ("2023-06-20", "2024-06-01")
    assert clocks_said("at 7:30 pm") == ("19:30",)


@pytest.mark.parametrize(
    ("request_text", "about", "numbers", "wanted"),
    [
        ("5ft 10in and 150lbs", "Height in inches.", (5, 10, 150), (70, 150)),
        ("1 hour and 30 minutes", "in minutes", (1, 30), (90,)),
        ("100µF and 50 mH", "The inductance (L) in henries (H).", (100, 50), (100, 0.05)),
        ("100µF and 50 mH", "Capacitance (F)", (100, 50), (0.0001, 50)),
        ("5 km, then 5 miles", "in meters", (5,), (5000, 8046.72)),
        ("3 in Bern, 2in here", "in cm", (3, 2), (3, 5.08)),
        ("10 m/s over 20 meters per second", "in km", (10, 20), (10, 20)),
        ("10 m", "in meters per second", (10,), (10,)),
        ("10 m", "How long it is.", (10,), (10,)),
    ],
)
def test_quantities_in_the_unit_that_is_wanted(
    request_text: str, about: str, numbers: tuple[float, ...], wanted: tuple[float, ...]
) -> None:
    """What is said in another unit of the same kind is converted exactly, and nothing else is touched."""
    assert numbers_in_unit(request_text, about, numbers) == wanted


def test_a_percentage_is_a_part_of_one_where_none_is_asked_for() -> None:
    """Said as a number too, it may be that one as well."""
    assert shares_said("8% for 8 years, then 5 percent") == {5: 0.05}
    fill: dict[str, Json] = {"type": "number", "description": "How full."}
    for about, can, cannot in ((fill, "0.4", "40"), ({**fill, "description": "In percent."}, "40", "0.4")):
        function = AnyFunction("fill", "Fill it.", {"properties": {"level": about}, "required": ["level"]})
        lark = bound("Fill up to 40%", function).lark()
        assert f'"{can}"' in lark and f'"{cannot}"' not in lark


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


def takes(lark: str, text: str) -> bool:
    matcher = llguidance.LLMatcher(llguidance.LLTokenizer("byte"), lark)
    return matcher.try_consume_tokens(list(text.encode())) == len(text.encode()) and matcher.is_accepting()


@pytest.mark.parametrize(
    ("arguments", "may"),
    [
        ({"base": "GBP", "place": "Bern", "fee": 0.02}, True),
        ({"base": 'a "b" \\ c', "place": "Bern, BE", "fee": 0.01}, True),
        ({"base": "GBP", "place": "Bern", "fee": 0.01, "note": "for Bern", "marks": ["urgent", "pounds"]}, True),
        ({"base": "GBP", "place": "Basel", "fee": 0.02}, False),
        ({"base": "GBP", "place": "Biel", "fee": 0.02}, False),
        ({"base": "GBP", "place": "Bern", "fee": 0.03}, False),
        ({"base": "GBP", "place": "Bern", "fee": 0.02, "note": "made up"}, False),
        ({"base": "GBP", "place": "Bern", "fee": 0.02, "marks": ["made up"]}, False),
    ],
)
def test_what_must_be_there_may_be_derived_and_the_rest_is_said(arguments: dict[str, object], may: bool) -> None:
    """A name in another form where the request says none that is known; a described choice never hides longer words."""
    lark = bound("The exchange rate for pounds in Bern, BE, fee 2%, mark it urgent, note it for Bern", RATES).lark()
    assert takes(lark, calls(("rates.get", arguments))) is may


@pytest.mark.parametrize(
    ("description", "known"),
    [
        ("The city and state, e.g. Los Angeles, CA or Denver, CO", ["Los Angeles, CA", "Denver, CO"]),
        ("The code, e.g. USD, EUR.", ["USD", "EUR"]),
        ("One of 'slow' and 'fast'", ["slow", "fast"]),
        ("The day in the format YYYY-MM-DD, such as MM/DD", []),
    ],
)
def test_values_that_a_description_names(description: str, known: list[str]) -> None:
    """In quotes, or as examples; a place with its state is one of them, and a form is none."""
    assert choices_of({"description": description}) == known


def test_what_is_wanted_in_two_parts_may_be_put_together() -> None:
    """People say one of them; and a form that is not known here binds no day."""
    place: Json = {"type": "string", "description": "The city and state, e.g. Basel, BS."}
    day: Json = {"type": "string", "description": "The date as MM-DD-YYY."}
    parameters: dict[str, Json] = {"properties": {"place": place, "day": day}, "required": ["place", "day"]}
    lark = bound("A visit in Basel on May 6, 2026", AnyFunction("visit", "A visit.", parameters)).lark()
    assert takes(lark, calls(("visit", {"place": "Basel, BS", "day": "05-06-2026"})))


def test_a_described_default_stands_for_a_number_that_nobody_said() -> None:
    """The function can be called then."""
    lark = bound("The exchange rate for pounds in Bern", RATES).lark()
    assert takes(lark, calls(("rates.get", {"base": "GBP", "place": "Bern", "fee": 0.01})))


def test_another_call_needs_something_of_its_own() -> None:
    """A value that no call took, a word of the function, or a switch; described choices in other forms count."""
    visit = ("visit.book", {"day": "2026-05-06"})
    fill = ("tank.fill", {"tank": "north", "level": 40, "note": True})
    silent = ("tank.fill", {"tank": "north", "level": 40, "note": False})
    said = bound("Fill north to 40 with a note and without, visit on 2026-05-06", FILL, BOOK)
    assert len(said.parse(calls(fill, silent, visit, fill, visit))) == 3
    by_hand, heated = (("tank.fill", {"tank": way, "level": 40}) for way in ("north", "vaporization"))
    assert len(bound("Fill north to 40, vaporizing it", FILL).parse(calls(by_hand, heated))) == 2


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
@given(
    st.text(max_size=80) | SAYINGS,
    st.text(max_size=20),
    st.text(max_size=60) | SAYINGS,
    st.none() | st.integers() | st.floats() | st.text(max_size=5),
)
def test_any_request_gives_a_grammar_that_compiles(request: str, name: str, description: str, default: Json) -> None:
    """Requests, names, descriptions and defaults come from outside."""
    properties: Json = {
        name: {"type": "string", "description": description},
        "n": {"type": "array", "description": description},
        "x": {"type": "number", "description": description, "default": default},
    }
    function = AnyFunction("f", f"f {description}", {"properties": properties, "required": [name, "x"]})
    made = bound(f"f {request}", function)
    assert made.empty or llguidance.LLMatcher.validate_grammar(made.lark()) == ""
