"""What is no single value and no name: two values, an ordinal, a bare hour. None of them is ever guessed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.devices_kit import HOUSE, Bed, FakeDriver, quick_folder, real_reader

LAMP = """
[[device]]
id = "{id}"
names = ["{zh}", "{en}"]
domain = "light"
area = "bed"
driver = "sim"
[[device.point]]
name = "power"
kind = "bool"
writable = true
read_back = {{ within_seconds = 0.4 }}
[[device.point]]
name = "brightness"
kind = "number"
unit = "%"
low = 0
high = 100
writable = true
read_back = {{ within_seconds = 0.4 }}
"""
BEDROOM = '\n[[area]]\nid = "bed"\nnames = ["卧室", "bedroom"]\n\n[[device]]'
NUMBERED = [("一号灯", "lamp 1"), ("二号灯", "lamp 2"), ("三号灯", "lamp 3")]
CLOCK = "[plant]\nclock = 2025-05-05T15:00:00\n"


def house(lamps: list[tuple[str, str]]) -> str:
    made = "".join(LAMP.format(id=f"L{n}", zh=zh, en=en) for n, (zh, en) in enumerate(lamps, 1))
    return HOUSE.replace("\n[[device]]", BEDROOM, 1) + made


def bed_of(lamps: list[tuple[str, str]]) -> Iterator[Bed]:
    with quick_folder() as folder:
        driver = FakeDriver(values={("ac", "temperature"): 22.0})
        made = Bed(folder / "home", text=house(lamps), reader=real_reader, driver=driver, settings=CLOCK)
        yield made
        made.close()


@pytest.fixture
def bed() -> Iterator[Bed]:
    yield from bed_of(NUMBERED)


@pytest.fixture
def named_bed() -> Iterator[Bed]:
    yield from bed_of([("床头灯", "bedside lamp"), ("落地灯", "floor lamp")])


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("set the living room air conditioner between 20 and 24 degrees", "20 – 24"),
        ("set the living room air conditioner to 20 to 24 degrees", "20 – 24"),
        ("客厅空调设为20度到24度之间", "20 – 24"),
        ("把客厅空调调到二十到二十四度", "20 – 24"),
        ("客厅空调20-24度", "20 – 24"),
        ("set lamp 1 brightness between 20 and 40 percent", "20 – 40"),
    ],
)
def test_of_two_values_it_is_asked_which(bed: Bed, words: str, value: str) -> None:
    """Neither the first nor the last of them is taken."""
    (line,) = bed.say(words)
    assert line.startswith("told|") and value in line and ("Which value" in line or "哪一个值" in line)
    assert bed.driver.writes == []


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("set the living room air conditioner to 24 degrees", [("ac", "temperature", 24.0)]),
        ("set lamp 1 and lamp 2 to 40 percent", [("L1", "brightness", 40.0), ("L2", "brightness", 40.0)]),
        ("一号灯调到40%", [("L1", "brightness", 40.0)]),
    ],
)
def test_numbers_that_are_no_range_stay_what_they_are(
    bed: Bed, words: str, wanted: list[tuple[str, str, object]]
) -> None:
    """The number of a lamp and its brightness are no two values."""
    bed.say(words)
    assert sorted(bed.driver.writes) == wanted


@pytest.mark.parametrize(
    ("words", "moved"),
    [
        ("turn on the second lamp", ["L2"]),
        ("打开第二盏灯", ["L2"]),
        ("把第三盏灯打开", ["L3"]),
        ("turn on the first and third lamp", ["L1", "L3"]),
        ("turn on the 3rd lamp in the bedroom", ["L3"]),
        ("turn on the first light in the living room", ["lamp"]),
    ],
)
def test_the_second_is_number_two(bed: Bed, words: str, moved: list[str]) -> None:
    """Where numbers from one on tell such things apart; and the first of one is that one."""
    bed.say(words)
    assert sorted(device for device, _, _ in bed.driver.writes) == moved


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("turn on the second lamp in the bedroom", "Which one is meant? 床头灯 (卧室), 落地灯 (卧室)"),
        ("打开卧室的第二盏灯", "是哪一个?床头灯 (卧室), 落地灯 (卧室)"),
        ("turn on the third lamp in the bedroom", "only 2 of them"),
        ("turn on the second light in the living room", "only 1 of them"),
    ],
)
def test_where_nothing_counts_them_it_is_asked_which(named_bed: Bed, words: str, asked: str) -> None:
    """Nobody knows where a person begins to count."""
    (line,) = named_bed.say(words)
    assert line.startswith("told|") and asked in line and named_bed.driver.writes == []


def test_first_may_also_be_no_ordinal(bed: Bed) -> None:
    """ "first, turn on …" begins a row of orders."""
    bed.say("first turn on the desk lamp")
    assert bed.driver.writes == [("lamp", "power", True)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("turn off the desk lamp at 7", "19:00 desk lamp → off: noted"),
        ("turn the desk lamp off at seven please", "19:00 desk lamp → off: noted"),
        ("at 2 turn off the desk lamp", "02:00 tomorrow desk lamp → off: noted"),
        ("七点关台灯", "19:00 台灯 → 关:已记下"),
        ("台灯七点关", "19:00 台灯 → 关:已记下"),
        ("两点把台灯关了", "明天02:00 台灯 → 关:已记下"),
    ],
)
def test_a_bare_hour_is_the_next_one_and_is_said(bed: Bed, words: str, said: str) -> None:
    """It is three in the afternoon; the answer says which seven is meant, and nothing moves now."""
    (line,) = bed.say(words)
    assert line == f"confirmed|{said}" and bed.driver.writes == []


@pytest.mark.parametrize("words", ["set the living room air conditioner at 22", "turn on the living room lamps a bit"])
def test_a_number_that_may_be_a_value_is_no_hour(bed: Bed, words: str) -> None:
    """Only a clause that switches and sets nothing may end with a bare hour."""
    bed.say(words)
    assert bed.plugin.opened(bed.env).timers().open() == []
