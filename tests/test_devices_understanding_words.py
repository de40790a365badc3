"""Intents that carry words, timers and questions fill the usual slots; hostile words are read in no time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.settings import UnderstandingSettings
from plugins.devices.maps.homes import home_of
from plugins.devices.understanding.lexicon import vocabulary
from plugins.devices.understanding.numbers import amount_at, duration_at
from plugins.devices.understanding.reader import RuleReader
from plugins.devices.understanding.reading import Context
from tests.test_devices_understanding import FLAT, HOUSE, READER

PHRASES = sorted({phrase for phrase, _ in vocabulary()})
_PIECES = st.one_of(
    st.sampled_from(PHRASES),
    st.sampled_from([device.names[0] for device in (*HOUSE.map.devices, *FLAT.map.devices)]),
    st.text(max_size=6),
    st.integers(-(10**12), 10**12).map(str),
)


@pytest.mark.parametrize(
    ("text", "intent", "slots"),
    [
        ("set a timer for an hour and a half", "HassStartTimer", {"hours": 1, "minutes": 30}),
        ("start a 20 minute bread timer", "HassStartTimer", {"minutes": 20, "name": "bread"}),
        ("cancel the bread timer", "HassCancelTimer", {"name": "bread"}),
        ("cancel all timers", "HassCancelAllTimers", {}),
        ("add two minutes to the pantry timer", "HassIncreaseTimer", {"minutes": 2, "area": "Pantry"}),
        ("take 30 seconds off the 5 minute timer", "HassDecreaseTimer", {"seconds": 30, "start_minutes": 5}),
        ("how long is left on the bread timer", "HassTimerStatus", {"name": "bread"}),
        ("open the drapes in 1 hour", "HassStartTimer", {"hours": 1, "conversation_command": "open the drapes"}),
        ("announce that the soup is ready and hot", "HassBroadcast", {"message": "the soup is ready and hot"}),
        ("add Oat Milk and rye to the shopping list", "HassShoppingListAddItem", {"item": "Oat Milk and rye"}),
        ("put call the bank on my errands list", "HassListAddItem", {"item": "call the bank", "name": "Errands"}),
        ("play Blue on the turntable", "HassMediaSearchAndPlay", {"search_query": "Blue", "name": "Turntable"}),
        ("what time is it", "HassGetCurrentTime", {}),
        ("never mind", "HassNevermind", {}),
        ("are any lights on in the library", "HassGetState", {"state": "on", "area": "Library"}),
        ("is the cellar hatch locked", "HassGetState", {"name": "Cellar Hatch", "state": "locked"}),
        ("what is the rain gauge", "HassGetState", {"name": "Rain Gauge"}),
        ("how warm is it in the library", "HassClimateGetTemperature", {"area": "Library"}),
        ("定一个一刻钟的闹钟", "HassStartTimer", {"minutes": 15}),
        ("半小时后关灯", "HassStartTimer", {"minutes": 30, "conversation_command": "关灯"}),
        ("给泡茶计时器再加两分半", "HassIncreaseTimer", {"minutes": 2, "seconds": 30, "name": "泡茶"}),
        ("通知大家茶泡好了", "HassBroadcast", {"message": "茶泡好了"}),
        ("记得买茶叶", "HassShoppingListAddItem", {"item": "茶叶"}),
        ("画室有没有灯开着", "HassGetState", {"area": "画室", "domain": "light", "state": "on"}),
        ("院门锁好了吗", "HassGetState", {"name": "院门", "state": "locked"}),
        ("茶室现在几度", "HassClimateGetTemperature", {"area": "茶室"}),
    ],
)  # fmt: skip
def test_words_times_and_questions_fill_the_usual_slots(text: str, intent: str, slots: dict[str, object]) -> None:
    """And write nothing."""
    home = HOUSE if text.isascii() else FLAT
    understood = READER.read(text, home.map, Context(), home.states)
    assert [(one.name, dict(one.slots)) for one in understood.intents] == [(intent, slots)], understood
    assert not any(one.writes for one in understood.intents)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("二十六度半", 26.5, "°"), ("一百二", 120, ""), ("一百零五", 105, ""), ("三成", 30, "%"), ("四成半", 45, "%"),
        ("百分之五十", 50, "%"), ("四分之三", 75, "%"), ("二点五", 2.5, ""),
        ("twenty-one and a half degrees", 21.5, "°"),
        ("a quarter", 25, "%"), ("one hundred and twenty", 120, ""), ("three thousand nine hundred k", 3900, "K"),
        ("minus five", -5, ""), ("70 fahrenheit", 70, "°F"), ("零下三度", -3, "°"), ("两千七百开", 2700, "K"),
    ],
)  # fmt: skip
def test_numbers_are_read_in_words(text: str, value: float, unit: str) -> None:
    """In both languages, with their units."""
    found = amount_at(text, 0)
    assert found is not None and (found[0].value, found[0].unit, found[1]) == (value, unit, len(text))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("half an hour", 1800), ("an hour and a half", 5400), ("1 hour and 5 minutes", 3900), ("一个半小时", 5400),
        ("三刻钟", 2700), ("两分半", 150), ("1小时10分30秒", 4230), ("90 minutes", 5400), ("1 and a half hours", 5400),
    ],
)  # fmt: skip
def test_lengths_of_time_are_read_in_words(text: str, seconds: int) -> None:
    """In falling parts."""
    found = duration_at(text, 0)
    assert found is not None and (found[0].seconds, found[1]) == (seconds, len(text))


@given(st.lists(_PIECES, max_size=12))
@settings(max_examples=150, deadline=None)
def test_whatever_is_said_is_a_value(pieces: list[str]) -> None:
    """No words raise; what asks back writes nothing; a number that is written lies within its range."""
    for home in (HOUSE, FLAT):
        understood = READER.read(" ".join(pieces), home.map, Context(), home.states)
        for intent in understood.intents:
            assert not (intent.problem and intent.writes)
            for write in intent.writes:
                point = next(d.point(write.point) for d in home.map.devices if d.id == write.device)
                assert point is not None and point.writable
                if isinstance(write.value, float) and point.low is not None and point.high is not None:
                    assert point.low <= write.value <= point.high


@given(
    st.sampled_from(["don't ", "别", "never ", "不要", "if it rains "]),
    st.sampled_from(HOUSE.map.devices + FLAT.map.devices),
)
@settings(max_examples=60, deadline=None)
def test_what_is_denied_never_moves(denial: str, device: object) -> None:
    """Whatever the device is called."""
    name = device.names[0]  # type: ignore[attr-defined]
    text = f"{denial}{'打开' if not denial.isascii() else 'turn on the '}{name}"
    for home in (HOUSE, FLAT):
        assert not [i for i in READER.read(text, home.map, Context(), home.states).intents if i.writes]


def test_a_large_home_is_read_in_milliseconds() -> None:
    """A thousand devices; the bound is wide, for a busy machine."""
    rooms = [f"Room {number}" for number in range(100)]
    entities = [
        {"name": f"{room} {kind}", "domain": domain, "area": room}
        for room in rooms
        for kind, domain in (
            ("Light", "light"),
            ("Lamp", "light"),
            ("Fan", "fan"),
            ("AC", "climate"),
            ("Plug", "switch"),
        )
    ]
    home = home_of({"areas": rooms, "entities": entities}, UnderstandingSettings())
    reader = RuleReader()
    reader.read("hello", home.map, Context(), home.states)
    start = time.perf_counter()
    for number in range(20):
        understood = reader.read(
            f"turn on the room {number} light and set the room {number} ac to 21", home.map, Context(), None
        )
        assert len(understood.intents) == 2 and all(intent.writes for intent in understood.intents)
    assert time.perf_counter() - start < 4
