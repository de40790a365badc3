"""Wishes that name no device are proposals, and other talk is nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from agent.bound import ChoiceBound
from agent.errors import BadReply, ModelError
from agent.messages import Message, Reply
from agent.model.protocol import Bound, ReplyLimits
from agent.settings import UnderstandingSettings
from agent.tools import Tool
from plugins.devices.maps.homes import HomeFile, home_of
from plugins.devices.understanding.model_path import ModelPath
from plugins.devices.understanding.needs import helps, orders_nothing
from plugins.devices.understanding.reader import RuleReader
from plugins.devices.understanding.reading import Context, Understood
from plugins.devices.understanding.sounds_reader import SoundReader

HOMES = json.loads((Path(__file__).parent / "data" / "compound_homes.json").read_text("utf-8"))
FLAT, HOUSE, BOILER = (home_of(HOMES[n], UnderstandingSettings()) for n in ("flat_zh", "townhouse_en", "boiler_zh"))


class Hears:
    """A model that says what it is told to say, in turn."""

    name, sees = "hears", False

    def __init__(self, *said: str | Exception) -> None:
        self.said = list(said)
        self.shown: list[tuple[Sequence[Message], Bound | None]] = []

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        bound: Bound | None,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        self.shown.append((messages, bound))
        said = self.said.pop(0)
        if isinstance(said, Exception):
            raise said
        return Reply(said, "done")

    def close(self) -> None: ...


def wished(text: str, model: Hears, home: HomeFile = FLAT, area: str = "客厅") -> Understood:
    reader = RuleReader()
    context = Context(area)
    understood = reader.read(text, home.map, context, home.states)
    return ModelPath(reader).read(understood, home.map, context, home.states, model)


def test_a_wish_becomes_a_proposal() -> None:
    """Never exact, with the path that it took, and with the person's own words."""
    (intent,) = wished("有点闷", Hears("bad air")).intents
    assert (intent.path, intent.exact, intent.text) == ("model", False, "有点闷")
    assert [(w.device, w.point, w.value) for w in intent.writes] == [("fan.fresh", "power", True)]


def test_other_talk_stays_what_it_was() -> None:
    """Nothing is proposed, and the part is still left."""
    understood = wished("有点闷", Hears("nothing"))
    assert understood.intents == () and understood.left == ("有点闷",)


@pytest.mark.parametrize(
    "text", ["为什么这么闷", "别开窗", "如果闷就开窗", "is it stuffy?", "don't worry about the heat", "他说太闷了"]
)
def test_what_asks_denies_or_supposes_is_no_wish(text: str) -> None:
    """The model is not even asked."""
    assert orders_nothing(text)


def test_a_polite_question_is_a_wish() -> None:
    """It asks for something."""
    assert not orders_nothing("could you freshen this place up?")


def test_several_devices_are_chosen_among() -> None:
    """By the model, which may find none of them right."""
    chosen = wished("想洗个热水澡", Hears("wants something made", "热水器"), area="卫生间")
    assert chosen.intents[0].devices == ("switch.heater",)
    assert wished("想洗个热水澡", Hears("wants something made", "none"), area="卫生间").intents == ()


@pytest.mark.parametrize("failed", [ModelError("the process died"), BadReply("no need")])
def test_a_model_that_fails_changes_nothing(failed: Exception) -> None:
    """The part is left, and why is said."""
    understood = wished("有点闷", Hears(failed))
    assert understood.intents == () and understood.left == ("有点闷",)
    assert "no model could be asked" in understood.why[-1]


def test_a_reply_that_is_no_choice_changes_nothing() -> None:
    """From a model that cannot be bound: no other device can be named."""
    assert wished("有点闷", Hears("unlock the door")).intents == ()


def test_nothing_that_lets_in_or_out_meets_a_need() -> None:
    """Locks, valves, garages and gates are never proposed."""
    for home in (FLAT, HOUSE, BOILER):
        for need in ("bad air", "wants something made", "too hot", "too dark"):
            for helped in helps(need, "", home.map, Context(), home.states):
                assert helped.device.domain not in ("lock", "valve")
                assert helped.device.device_class not in ("door", "garage", "gate")


def test_what_helps_is_in_the_room() -> None:
    """That is named, else that it is said in; and what stands open is not opened."""
    lights = helps("too dark", "", HOUSE.map, Context("Study"), HOUSE.states)
    assert {h.device.id for h in lights} == {"light.study", "light.desk"}
    named = helps("too dark", "the hall is a cave", HOUSE.map, Context("Study"), HOUSE.states)
    assert {h.device.id for h in named} == {"light.hall"}


def test_what_never_changes_comes_first() -> None:
    """The same beginning in every home: it is read once."""
    one, other = Hears("nothing"), Hears("nothing")
    wished("有点闷", one)
    wished("my bones ache", other, home=HOUSE, area="Lounge")
    assert one.shown[0][0][:-1] == other.shown[0][0][:-1]
    assert one.shown[0][0][-1].text == "有点闷"


def test_a_need_that_nothing_here_meets_is_not_offered() -> None:
    """A boiler house has no vacuum cleaner."""
    model = Hears("nothing")
    wished("嗡嗡的", model, home=BOILER, area="泵房")
    bound = model.shown[0][1]
    assert isinstance(bound, ChoiceBound) and "dirty floor" not in bound.choices and "bad air" in bound.choices


@pytest.mark.parametrize(
    ("text", "devices", "paths"),
    [
        ("打开出房灯", ("light.kitchen",), ("names",)),
        ("把可厅空调调到26度并打开新风", ("climate.living", "fan.fresh"), ("names", "rules")),
        ("打开书房灯", (), ()),
    ],
)
def test_names_that_were_heard_wrong_are_never_exact(
    text: str, devices: tuple[str, ...], paths: tuple[str, ...]
) -> None:
    """What was read without that stays exact."""
    understood = SoundReader(RuleReader()).read(text, FLAT.map, Context(), FLAT.states)
    assert tuple(d for i in understood.intents for d in i.devices) == devices
    assert tuple(i.path for i in understood.intents) == paths
    assert all(i.exact == (i.path == "rules") for i in understood.intents)


def test_a_word_that_people_say_is_no_name_heard_wrong() -> None:
    """There is a Bathroom and no room called bedroom."""
    understood = SoundReader(RuleReader()).read("set the bedroom one to 18", HOUSE.map, Context(), HOUSE.states)
    assert not [i for i in understood.intents if i.path == "names"]
