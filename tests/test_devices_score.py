"""The score counts what it says: a home that moves, sets that are labelled, calls that are right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.api import say
from agent.messages import ToolCall
from plugins.devices.understanding.reading import Intent, Understood
from plugins.devices.values import DeviceMap, Write
from tests.bench.bfcl_check import calls_right, json_schema
from tests.bench.home_simulator import SimulatedHome, differences, home_with, merged
from tests.bench.score_commands_reader import SentenceReader
from tests.bench.score_commands_sets import OURS, Case, compound_cases, judge

HOME: dict[str, Any] = {
    "entities": [
        {"id": "light.a", "state": False, "attributes": {}},
        {"id": "cover.a", "state": "closed", "attributes": {"current_position": 0}},
        {"id": "media_player.a", "state": "playing", "attributes": {"volume_level": 0.6, "media_track": 1}},
    ]
}


@pytest.mark.parametrize(
    ("write", "entity", "state", "attributes"),
    [
        (Write("light.a", "power", True), "light.a", "on", {}),
        (Write("light.a", "brightness", 40.0), "light.a", "on", {"brightness": 40.0}),
        (Write("cover.a", "position", 30.0), "cover.a", "open", {"current_position": 30.0}),
        (Write("cover.a", "open", True), "cover.a", "open", {"current_position": 100}),
        (Write("media_player.a", "muted", True), "media_player.a", "playing", {"volume_level": 0.0}),
        (Write("media_player.a", "volume", 50), "media_player.a", "playing", {"volume_level": 0.5}),
        (Write("media_player.a", "track", "next"), "media_player.a", "playing", {"media_track": 2}),
    ],
)
def test_writes_change_states(write: Write, entity: str, state: str, attributes: dict[str, Any]) -> None:
    """As Home Assistant would show it."""
    home = SimulatedHome(HOME)
    home.apply([write])
    assert home.states[entity]["state"] == state
    assert attributes.items() <= home.states[entity]["attributes"].items()
    assert home.moved == (entity,)


def test_what_is_as_it_was_did_not_move() -> None:
    """true and on are one state; what a line ignores does not count."""
    home = SimulatedHome(HOME)
    home.apply([Write("light.a", "power", False)])
    assert home.moved == ()
    wanted = merged(home.before, {"cover.a": {"state": "open", "attributes": {"current_position": 100}}})
    home.apply([Write("cover.a", "position", 50.0)])
    assert differences(home.states, wanted) == ("cover.a",)
    assert differences(home.states, wanted, {"cover.a": ["current_position"]}) == ()


def test_a_setup_is_the_state_before() -> None:
    """States and attributes are merged into the home."""
    made = home_with(HOME, {"light.a": {"state": "on", "attributes": {"brightness": 10}}})
    assert SimulatedHome(made).before["light.a"] == {"state": "on", "attributes": {"brightness": 10}}
    assert HOME["entities"][0]["state"] is False


def case(**line: Any) -> Case:
    return Case("compound", "en dev", "words", HOME, "", {"expect": [], **line})


def understood(*writes: Write, problem: bool = False) -> Understood:
    said = say("否", "no") if problem else None
    return Understood("words", "en", (Intent("HassTurnOn", {}, "words", (), writes, said, exact=True),))


def test_compound_lines_want_all_writes_and_no_others() -> None:
    """One that is missing is not right; one too many also moved the wrong device; what has a problem did not move."""
    on, wide = Write("light.a", "power", True), Write("cover.a", "open", True)
    want = [{"device": "light.a", "point": "power", "value": True}]
    assert judge(case(expect=want), understood(on), DeviceMap()).right
    assert not judge(case(expect=want), understood(), DeviceMap()).right
    verdict = judge(case(expect=want), understood(on, wide), DeviceMap())
    assert not verdict.right and verdict.wrong == ("cover.a",)
    assert judge(case(), understood(on, problem=True), DeviceMap()).right
    assert judge(case(), understood(on), DeviceMap()).wrong == ("light.a",)


def test_open_and_fully_open_are_one() -> None:
    """A range is a range, and lighting a lamp by its brightness says nothing else."""
    half = [{"device": "light.a", "point": "brightness", "low": 40, "high": 60}]
    lit = (Write("light.a", "power", True), Write("light.a", "brightness", 50.0))
    assert judge(case(expect=half), understood(*lit), DeviceMap()).right
    wide = [{"device": "cover.a", "point": "open", "value": True}]
    assert judge(case(expect=wide), understood(Write("cover.a", "position", 100.0)), DeviceMap()).right


def test_our_set_is_what_it_says() -> None:
    """More than 240 lines, half of them held back, both languages, each with a home that has its devices."""
    lines = [json.loads(x) for x in (OURS / "compound_commands.jsonl").read_text("utf-8").splitlines()]
    assert len(lines) >= 240 and len({line["id"] for line in lines}) == len(lines)
    for language in ("zh", "en"):
        of_it = [line for line in lines if line["language"] == language]
        held = sum(line["set"] in ("held", "blind2") for line in of_it)
        assert len(of_it) >= 120 and 0.4 < held / len(of_it) < 0.6
    for made in compound_cases():
        ids = {entity["id"] for entity in made.home["entities"]}
        assert {write["device"] for write in made.line["expect"]} <= ids


def test_a_line_is_read_in_its_own_home() -> None:
    """The shipped reader, with milliseconds."""
    made = next(c for c in compound_cases("dev") if c.line["kind"] == "two")
    read = SentenceReader().read(made)
    assert read.milliseconds > 0 and read.devices.devices


ANSWER = [{"f": {"a": ["New York, NY", "NYC"], "n": [3], "o": ["", True]}}]
SCHEMA = {"f": json_schema({"type": "dict", "properties": {"n": {"type": "integer"}, "x": {"type": "float"}}})}


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        ({"a": "new york ny", "n": 3}, True),
        ({"a": "NYC", "n": 3, "o": True}, True),
        ({"a": "NYC", "n": 3, "o": False}, False),
        ({"a": "NYC"}, False),
        ({"a": "NYC", "n": 3.0}, False),
        ({"a": "NYC", "n": 3, "more": 1}, False),
    ],
)
def test_calls_are_held_against_possible_answers(arguments: dict[str, Any], right: bool) -> None:
    """Case and punctuation do not count; an argument that may be left out may be; whole numbers are whole."""
    assert calls_right([ToolCall("f", arguments)], ANSWER, SCHEMA) is right


def test_as_many_calls_as_wanted() -> None:
    """In any order, each once."""
    call = ToolCall("f", {"a": "NYC", "n": 3})
    assert not calls_right([call, call], ANSWER, SCHEMA)
    assert not calls_right([], ANSWER, SCHEMA)
    assert calls_right([], [], SCHEMA)
