"""Words that a speech recogniser spelt by their sound are read as what was said."""

from __future__ import annotations

import pytest

from agent.settings import Settings
from plugins.devices.maps.homes import home_of
from plugins.devices.understanding.reader import RuleReader
from plugins.devices.understanding.reading import Context, Understood
from plugins.devices.understanding.sounds_reader import SoundReader

SETTINGS = Settings().understanding
HOME = home_of(
    {
        "areas": ["客厅", "厨房"],
        "entities": [
            {"name": "客厅空调", "domain": "climate", "area": "客厅"},
            {"name": "新风", "domain": "fan"},
            {"name": "厨房灯", "domain": "light", "area": "厨房"},
        ],
    },
    SETTINGS,
    where="test",
)
WINDOW = home_of(
    {
        "areas": ["客厅"],
        "entities": [
            {"name": "窗户", "domain": "cover", "area": "客厅"},
            {"name": "大凯灯", "domain": "light", "area": "客厅"},
        ],
    },
    SETTINGS,
    where="test",
)
READER = SoundReader(RuleReader(SETTINGS))


def read(text: str) -> Understood:
    return READER.read(text, HOME.map, Context(), HOME.states)


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("把客厅空调吊到26度并打开新风", "把客厅空调调到26度并打开新风"),
        ("把客厅空调条到26度", "把客厅空调调到26度"),
        ("观闭厨房灯", "关闭厨房灯"),
        ("大开新风", "打开新风"),
        ("请大开厨房灯,然后达开新风", "请打开厨房灯,然后打开新风"),
    ],
)
def test_a_verb_of_the_same_sound_is_that_verb(heard: str, said: str) -> None:
    """Device and value are the person's words, so it is as exact as it would have been; how it was read is told."""
    found, meant = read(heard), read(said)
    assert [(i.name, dict(i.slots), i.writes, i.exact) for i in found.intents] == [
        (i.name, dict(i.slots), i.writes, i.exact) for i in meant.intents
    ]
    assert found.text == heard and any("sounds the same as" in line for line in found.why)


@pytest.mark.parametrize("text", ["窗户大开", "窗户大开着", "窗户大开了", "大开大合", "大开门诊", "大开眼界"])
def test_what_sounds_like_a_verb_elsewhere_stays(text: str) -> None:
    """Only at the head of a clause, and only where all of it is an order then."""
    plain = RuleReader(SETTINGS)
    found, meant = READER.read(text, WINDOW.map, Context(), None), plain.read(text, WINDOW.map, Context(), None)
    assert found == meant


def test_a_verb_by_its_sound_leaves_names_alone() -> None:
    """The lamp of one whose name sounds like an order."""
    (intent,) = READER.read("大凯灯开一点", WINDOW.map, Context(), None).intents
    assert intent.devices == ("light.大凯灯",)


def test_a_name_of_nearly_the_same_sound_has_to_be_confirmed() -> None:
    """The person did not write that name."""
    (intent,) = read("打开出房灯").intents
    assert (intent.slots["name"], intent.path, intent.exact) == ("厨房灯", "names", False)


@pytest.mark.parametrize(
    "text", ["别观闭厨房灯", "客厅空调掉了26块钱的漆", "我在厨房灯下雕刻", "厨房灯吊着", "观地,厨房灯"]
)
def test_other_words_move_nothing(text: str) -> None:
    """What is no order stays none."""
    assert not [i for i in read(text).intents if i.writes and i.exact]


def test_a_name_beside_what_was_not_understood_orders_nothing() -> None:
    """关闭 that was heard as 观地 may not turn the device on, not even as a proposal."""
    understood = read("观地,厨房灯")
    assert not understood.intents and "厨房灯" in understood.left
