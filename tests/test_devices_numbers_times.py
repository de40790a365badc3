"""Devices that numbers tell apart, times of day, and what is to last: read from homes made here."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.devices.understanding.clock import with_times
from plugins.devices.understanding.normalise import normalise
from plugins.devices.understanding.reader import RuleReader
from plugins.devices.understanding.reading import Context, Understood
from plugins.devices.understanding.tokens import Trie, tokens_of
from plugins.devices.values import Area, Device, DeviceMap, Point

POWER = (Point("power", "bool", writable=True),)
NOW = datetime.fromisoformat("2026-05-04T21:15:00")
NUMBERED = (
    *(("f", f"Feed Pump {n}", n) for n in (1, 2, 3)),
    *(("d", f"Dosing Pump {n}", n) for n in (3, 4)),
    *(("g", f"{n}号给水泵", n) for n in (1, 2, 3)),
    *(("y", f"{n}号引风机", n) for n in (1, 2)),
)
MILL = DeviceMap(
    (
        *(Device(f"{kind}{n}", (name,), "switch", "hall", points=POWER) for kind, name, n in NUMBERED),
        Device("lamp", ("Bench Lamp", "工作台灯"), "light", "hall", points=POWER),
        Device("gate", ("Gate Lock",), "lock", "hall", points=(Point("locked", "bool", writable=True),)),
    ),
    (Area("hall", ("Hall", "大厅")),),
)


def read(text: str, *, now: datetime | None = NOW) -> Understood:
    return RuleReader().read(text, MILL, Context(now=now), None)


def moved(understood: Understood) -> set[tuple[str, object]]:
    return {(w.device, w.value) for i in understood.intents if i.problem is None for w in i.writes}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("start feed pumps one and two", {"f1", "f2"}),
        ("start feed pump 1 and 3", {"f1", "f3"}),
        ("start number two feed pump", {"f2"}),
        ("start feed pumps 1, 2 and 3", {"f1", "f2", "f3"}),
        ("start feed pump number three", {"f3"}),
        ("启动一号和二号给水泵", {"g1", "g2"}),
        ("1号、3号给水泵都启动", {"g1", "g3"}),
        ("启动二号引风机", {"y2"}),
        ("启动2号给水泵和1号引风机", {"g2", "y1"}),
    ],
)
def test_numbers_name_devices(text: str, wanted: set[str]) -> None:
    """Each number is a device of its own, and no other is touched."""
    understood = read(text)
    assert moved(understood) == {(device, True) for device in wanted} and not understood.left


def test_a_number_that_nothing_has_moves_nothing() -> None:
    """It is never passed over, and never another one's."""
    for text in ("start feed pump 7", "start feed pump number seven", "启动八号给水泵", "启动5号"):
        assert moved(read(text)) == set(), text
    assert moved(read("start feed pumps 1 and 7")) == {("f1", True)}
    assert read("start feed pumps 1 and 7").left


def test_some_of_several_are_never_all() -> None:
    """Which of them is not known, so none moves."""
    for text in (
        "stop one of the feed pumps",
        "stop feed pumps other than 2",
        "start the first of the feed pumps",
        "start two feed pumps",
        "start feed pumps one or two",
        "don't start feed pumps one and two",
        "启动一台给水泵",
        "一号或二号给水泵启动",
    ):
        assert moved(read(text)) == set(), text


def test_a_short_name_stands_for_one_device_and_never_for_one_of_two() -> None:
    """ "pump 4" is one; "pump 3" could be two, and asks. A short name is never exact."""
    (one,) = read("start pump 4").intents
    assert one.devices == ("d4",) and not one.exact
    (two,) = read("start pump 3").intents
    assert two.problem is not None and two.writes == ()


def test_a_verb_behind_several_is_of_all() -> None:
    """turn X and Y off."""
    assert moved(read("turn feed pump 1 and the bench lamp off")) == {("f1", False), ("lamp", False)}
    assert moved(read("turn feed pump 1, feed pump 2 and the bench lamp on")) == {
        ("f1", True), ("f2", True), ("lamp", True),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("turn the bench lamp off at 10 pm", 45),
        ("turn the bench lamp off at ten o'clock", 45),
        ("at half past ten turn the bench lamp off", 75),
        ("at quarter to ten turn off the bench lamp", 30),
        ("turn off the bench lamp at 22:00", 45),
        ("turn off the bench lamp at midnight", 165),
        ("turn off the bench lamp at 7 am", 585),
        ("turn off the bench lamp at 7:30 tomorrow morning", 615),
        ("晚上十点关工作台灯", 45),
        ("工作台灯晚上十点半关", 75),
        ("把工作台灯晚上十点关掉", 45),
        ("明早七点半关工作台灯", 615),
        ("22:00关工作台灯", 45),
        ("明天中午十二点关工作台灯", 885),
        ("凌晨一点关工作台灯", 225),
    ],
)
def test_a_time_of_day_is_a_delay(text: str, minutes: int) -> None:
    """Nothing moves now; what is due then keeps its device."""
    understood = read(text)
    (timer,) = understood.intents
    slots = {key: value for key, value in timer.slots.items() if key != "conversation_command"}
    assert timer.name == "HassStartTimer" and moved(understood) == set()
    assert slots == {k: v for k, v in (("hours", minutes // 60), ("minutes", minutes % 60)) if v}
    assert [w.device for one in timer.later for w in one.writes] == ["lamp"]


def test_a_time_that_cannot_be_kept_is_not_now() -> None:
    """Without a clock, passed today, or a bare number: nothing moves, and it is left."""
    for text in ("turn off the bench lamp at 10 pm", "晚上十点关工作台灯", "一点关工作台灯"):
        assert moved(read(text, now=None)) == set() and read(text, now=None).left
    for text in ("今天下午三点关工作台灯", "the bench lamp at 7", "turn off the bench lamp at 8 pm today"):
        assert moved(read(text)) == set() and read(text).left, text


def test_a_question_sets_no_timer() -> None:
    """It only asks what was, or what would be."""
    for text in ("did you turn the bench lamp off at 10 pm", "晚上十点关工作台灯了吗"):
        assert not [i for i in read(text).intents if i.name == "HassStartTimer"], text


def test_what_is_to_last_is_set_back() -> None:
    """On now, and off when the time is over; a lock that is opened is not left to the clock."""
    on, timer = read("turn on the bench lamp for ten minutes").intents
    assert moved(read("turn on the bench lamp for ten minutes")) == {("lamp", True)} and on.exact
    assert timer.slots["minutes"] == 10
    assert [(w.device, w.value) for one in timer.later for w in one.writes] == [("lamp", False)]
    assert moved(read("unlock the gate lock for ten minutes")) == set()


@given(st.text(alphabet="一二三十点半分钟晚上早明今天后0123456789:： apm关灯开号和", max_size=24))
def test_no_time_is_before_now(text: str) -> None:
    """Whatever is said: a time of day lies ahead, by three days at the most, and tokens stay in order."""
    words = normalise(text)
    tokens = with_times(tokens_of(words, Trie()), words.low, NOW, lambda start: ())
    assert [t.start for t in tokens] == sorted(t.start for t in tokens)
    for token in tokens:
        if token.has("due") and token.duration:
            assert timedelta(0) < timedelta(seconds=token.duration.seconds) <= timedelta(days=3)


def test_what_is_to_stay_is_left_alone() -> None:
    """Whatever is ordered beside it."""
    assert moved(read("1号给水泵保持运行,启动2号给水泵")) == {("g2", True)}
    assert moved(read("leave the bench lamp on and start feed pump 2")) == {("f2", True)}
