"""Names that a speech recogniser spelt wrong are heard, and nothing else is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.devices.understanding.sounds import Names, names_of
from plugins.devices.understanding.sounds_en import distance, sound_of
from plugins.devices.values import Area, Device, DeviceMap, Floor

CHINESE = Names(
    ["厨房灯", "客厅空调", "床头灯", "新风", "扫地机", "二号循环泵", "一号循环泵", "排污阀", "电视", "卧室"]
)
ENGLISH = Names(["Reading Lamp", "Kitchen Spots", "Front Door", "Lounge Blinds", "Pedestal Fan", "Feed Pump", "TV"])


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("打开出房灯", "打开厨房灯"),
        ("把可厅空调调到26度", "把客厅空调调到26度"),
        ("关掉穿头灯", "关掉床头灯"),
        ("打开心风", "打开新风"),
        ("让扫地鸡打扫", "让扫地机打扫"),
        ("启动二好循环泵", "启动二号循环泵"),
        ("打开排屋阀,关掉店视", "打开排污阀,关掉电视"),
    ],
)
def test_chinese_names_are_heard(said: str, meant: str) -> None:
    """The same or a confused syllable is the name, also twice in one text."""
    mended = CHINESE.mended(said)
    assert mended is not None and mended.text == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("turn on the reeding lamb", "turn on the Reading Lamp"),
        ("lock the frond door", "lock the Front Door"),
        ("close the lounge blinks", "close the Lounge Blinds"),
        ("turn on the pedal still fan", "turn on the Pedestal Fan"),
        ("start the feet pump", "start the Feed Pump"),
    ],
)
def test_english_names_are_heard(said: str, meant: str) -> None:
    """Words that sound alike are the name, also where they were cut in another place."""
    mended = ENGLISH.mended(said)
    assert mended is not None and mended.text == meant


@pytest.mark.parametrize(
    "said",
    ["打开书房灯", "今天天气真不错", "打开厨房灯", "我想喝水", "", "what time is it", "turn on the sauna", "☃" * 50],
)
def test_other_words_are_no_names(said: str) -> None:
    """What is no name, and what is written right, is left alone."""
    assert CHINESE.mended(said) is None
    assert ENGLISH.mended(said) is None


def test_two_names_that_are_equally_close_are_neither() -> None:
    """A guess would move the wrong device."""
    assert Names(["一号泵机", "易好泵机"]).mended("启动以豪泵机") is None
    assert Names(["Lamp Bea", "Lamp Pea"]).mended("turn on lamb bee") is None


def test_where_it_was_heard() -> None:
    """Places are those of the text that was given, closest first."""
    heard = CHINESE.certain("请打开出房灯")
    assert heard is not None and (heard.start, heard.end, heard.name, heard.distance) == (3, 6, "厨房灯", 0.0)


def test_all_names_of_a_map_count() -> None:
    """Devices, areas and floors, each once."""
    devices = DeviceMap(
        (Device("light.a", ("Lamp", "灯"), "light"), Device("light.b", ("Lamp",), "light")),
        (Area("hall", ("Hall",)),),
        (Floor("up", ("楼上",)),),
    )
    assert names_of(devices) == ("Lamp", "灯", "Hall", "楼上")


def test_without_readings_of_characters_nothing_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A box without the extra still takes names that are written right."""
    monkeypatch.setattr("plugins.devices.understanding.sounds.can_read", lambda: False)
    assert Names(["厨房灯"]).mended("打开出房灯") is None


def test_five_hundred_names_take_milliseconds() -> None:
    """Once a home is known, a sentence costs little processor time."""
    names = [
        f"{room}{what}{n}"
        for room in ("厨房", "客厅", "书房", "阳台")
        for what in ("灯", "风扇", "插座")
        for n in range(42)
    ]
    home = Names(names)
    home.mended("打开出房灯")
    began = time.process_time()
    for _ in range(10):
        home.mended("请帮我把出房的灯打开然后把可厅风扇调到二十六")
    assert (time.process_time() - began) / 10 < 0.05


def test_sounds_of_english_words() -> None:
    """Spelling is not sound."""
    assert sound_of("knight") == sound_of("nite")
    assert sound_of("phone") == sound_of("fone")
    assert distance(sound_of("lamb"), sound_of("lamp")) < distance(sound_of("lamb"), sound_of("fan"))


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=8))
def test_any_text_is_survived(text: str, names: list[str]) -> None:
    """Neither a text nor a name, which come from outside, can break it; what is mended holds the name."""
    mended = Names(names).mended(text)
    assert mended is None or all(heard.name in mended.text for heard in mended.heard)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", max_size=12), st.text(alphabet="abcdefghij", max_size=12))
def test_distance_is_one(one: str, other: str) -> None:
    """Between nothing and one, the same in both directions."""
    there, back = distance(sound_of(one), sound_of(other)), distance(sound_of(other), sound_of(one))
    assert abs(there - back) < 1e-9 and 0 <= there <= 1
