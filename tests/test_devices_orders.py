"""What a person orders is judged, sent once and read back; "done" is said of nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from agent.actuator import Heard
from agent.errors import CommandNotSent
from tests.devices_kit import HOUSE, Bed, FakeDriver, quick_folder, real_reader

MakeBed = Callable[..., Bed]


@pytest.fixture
def make() -> Iterator[MakeBed]:
    beds: list[Bed] = []
    with quick_folder() as folder:

        def made(**more: object) -> Bed:
            beds.append(Bed(folder / f"home{len(beds)}", **more))  # type: ignore[arg-type]
            return beds[-1]

        yield made
        for bed in beds:
            bed.close()


def test_own_words_move_a_device_and_it_says_what_is_so(make: MakeBed) -> None:
    """Two orders, two lines, each with what the device shows; no model is asked."""
    bed = make()
    record = bed.agent.ask("set ac temperature 26, set lamp power on")
    assert record.answer.text.splitlines() == [
        "living room air conditioner: target temperature 26 °C, confirmed by reading back",
        "desk lamp: on, confirmed by reading back",
    ]
    assert sorted(bed.driver.writes) == [("ac", "temperature", 26.0), ("lamp", "power", True)]
    assert bed.states() == ["confirmed", "confirmed"] and record.rung == "rules"


def test_what_is_not_exact_waits_for_a_person(make: MakeBed) -> None:
    """Nothing moves; approved and said again it moves once, and a third time it waits anew."""
    bed = make()
    (line,) = bed.say("maybe set lamp power on")
    assert line.startswith("waits|") and bed.driver.writes == []
    bed.approve()
    assert bed.say("maybe set lamp power on") == ["confirmed|desk lamp: on, confirmed by reading back"]
    assert bed.say("maybe set lamp power on")[0].startswith("waits|") and len(bed.driver.writes) == 1


def test_an_approval_is_for_one_value(make: MakeBed) -> None:
    """Another value, device or point waits by itself."""
    bed = make()
    bed.say("maybe set ac temperature 26")
    bed.approve()
    assert bed.say("maybe set ac temperature 27")[0].startswith("waits|") and bed.driver.writes == []


def test_dangerous_waits_whatever_was_said(make: MakeBed) -> None:
    """Also where the words are exact."""
    bed = make()
    assert bed.say("set P-3 power on")[0].startswith("waits|") and bed.driver.writes == []


def test_quiet_hours_want_a_person(make: MakeBed) -> None:
    """What is free by day waits by night."""
    quiet = 'area = "living"\ndriver = "sim"\nquiet = { begin = 22:00:00, end = 07:00:00 }\n'
    text = HOUSE.replace('area = "living"\ndriver = "sim"\n', quiet)
    night = make(text=text, settings="[plant]\nclock = 2025-01-01T23:30:00\n")
    day = make(text=text, settings="[plant]\nclock = 2025-01-01T12:30:00\n")
    assert night.say("set lamp power on")[0].startswith("waits|") and night.driver.writes == []
    assert day.say("set lamp power on")[0].startswith("confirmed|")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("set ac temperature 45", "out of its range"),
        ("set ac temperature nan", "a number"),
        ("set ac temperature inf", "a number"),
        ("set ac temperature 26.3", "steps of 0.5"),
        ("set ac temperature 78 °F", "its unit is °C"),
        ("set ac power 1", "on or off"),
        ("set lamp color sunny", "no colour"),
        ("set nobody power on", "no device"),
        ("set ac speed 3", "has no speed"),
    ],
)
def test_what_does_not_fit_is_refused(make: MakeBed, words: str, why: str) -> None:
    """Range, step, unit, kind, no such thing: said, and nothing is sent."""
    bed = make()
    (line,) = bed.say(words)
    assert line.startswith("refused|") and why in line and bed.driver.writes == []


def test_an_interlock_holds_and_unknown_is_locked(make: MakeBed) -> None:
    """V-12 is never opened while P-3 runs, or while nobody knows whether it runs; closing it is free."""
    bed = make()
    bed.driver.values["P-3", "power"] = True
    assert "interlock: P-3 is on" in bed.say("set V-12 open on")[0]
    bed.driver.flaws["P-3"] = "unread"
    assert "not known" in bed.say("set V-12 open on")[0]
    assert bed.driver.writes == []
    assert bed.say("set V-12 open off")[0].startswith("confirmed|")
    bed.driver.flaws.clear()
    bed.driver.values["P-3", "power"] = False
    assert bed.say("set V-12 open on")[0].startswith("confirmed|")


def test_an_interlock_is_looked_at_again_when_it_is_sent(make: MakeBed) -> None:
    """Approved while the pump stood still, refused because it runs now: nothing left the box."""
    bed = make()
    bed.say("maybe set V-12 open on")
    bed.approve()
    bed.driver.values["P-3", "power"] = True
    assert "P-3 is on" in bed.say("maybe set V-12 open on")[0] and bed.driver.writes == []
    with pytest.raises(CommandNotSent, match="P-3 is on"):
        tool = next(t for t in bed.agent.tools if t.name == "write_point")
        tool.function(device="V-12", point="open", value=True)


@pytest.mark.parametrize(
    ("flaw", "came", "state", "said"),
    [
        ("wrong", "failed", "failed", "now off"),
        ("silent", "unsure", "unsure", "not confirmed"),
        ("late", "confirmed", "confirmed", "confirmed by"),
        ("dies", "confirmed", "confirmed", "confirmed by"),
    ],
)
def test_only_a_read_back_confirms(make: MakeBed, flaw: str, came: str, state: str, said: str) -> None:
    """A device that shows the wrong value, none, or the right one late; a connection that breaks in mid-command."""
    bed = make(driver=FakeDriver({("lamp", "power"): True}, flaws={"lamp": flaw}))
    (line,) = bed.say("set lamp power on")
    assert line.startswith(f"{came}|") and said in line
    assert bed.states() == [state] and len(bed.driver.writes) == 1


def test_a_broken_connection_that_was_silent_is_unsure(make: MakeBed) -> None:
    """Neither done nor not done is said."""
    bed = make(driver=FakeDriver(flaws={"lamp": "dies"}))
    bed.driver.late_seconds = 9.0
    bed.driver.flaws["lamp"] = "silent"
    assert bed.say("set lamp power on")[0].startswith("unsure|")


def test_an_offline_device_is_said_at_once(make: MakeBed) -> None:
    """Nothing is sent to it, and the others are moved."""
    bed = make(driver=FakeDriver(flaws={"lamp": "offline"}))
    lines = bed.say("set lamp power on, set ac temperature 20")
    assert "not done" in lines[0] and "offline" in lines[0] and lines[1].startswith("confirmed|")
    assert [w[0] for w in bed.driver.writes] == ["ac"]
    assert bed.say("set lamp power on")[0].startswith(("refused|", "failed|"))


def test_one_utterance_delivered_twice_is_one_command(make: MakeBed) -> None:
    """Also a third time, by another agent on the same box, and while the value would read otherwise."""
    bed = make()
    heard = Heard(utterance="msg-17")
    assert bed.say("set lamp power on", heard=heard)[0].startswith("confirmed|")
    lines = bed.say("set lamp power on", heard=heard)
    assert "said before" in lines[0] and "done then and confirmed" in lines[1]
    assert len(bed.driver.writes) == 1
    assert bed.say("set lamp power on", heard=Heard(utterance="msg-18"))[0].startswith("confirmed|")


def test_a_stale_utterance_moves_nothing(make: MakeBed) -> None:
    """What was said too long ago is refused."""
    bed = make()
    (line,) = bed.say("set lamp power on", heard=Heard(age_seconds=120))
    assert line.startswith("refused|") and "stale" in line and bed.driver.writes == []


def test_a_device_is_not_moved_too_often(make: MakeBed) -> None:
    """The limit is the device's, counts over processes, and stops no other device."""
    text = HOUSE.replace('id = "lamp"\n', 'id = "lamp"\nmost_writes_a_minute = 2\n')
    bed = make(text=text)
    came = [bed.say(f"set lamp power {v}")[0].split("|")[0] for v in ("on", "off", "on")]
    assert came == ["confirmed", "confirmed", "refused"]
    assert bed.say("set ac power on")[0].startswith("confirmed|")


def test_orders_to_one_device_keep_their_order(make: MakeBed) -> None:
    """Others run beside them."""
    bed = make()
    bed.say("set ac power on, set lamp power on, set ac temperature 20, set ac temperature 21")
    assert [w for w in bed.driver.writes if w[0] == "ac"] == [
        ("ac", "power", True),
        ("ac", "temperature", 20.0),
        ("ac", "temperature", 21.0),
    ]


def test_too_many_orders_at_once_are_refused_together(make: MakeBed) -> None:
    """No half of them is carried out."""
    bed = make(settings="[turn]\nmost_orders = 2\n")
    lines = bed.say("set lamp power on, set ac power on, set ac temperature 20")
    assert all(line.startswith("refused|") for line in lines) and bed.driver.writes == []


def test_the_rest_of_an_utterance_is_a_question(make: MakeBed) -> None:
    """An order and a question in one breath: both are answered."""
    bed = make()
    record = bed.agent.ask("set lamp power on, what does alarm 7 mean?")
    assert record.done[0].came == "confirmed" and len(record.answer.parts) == 2


def test_devices_of_one_name_want_a_person(make: MakeBed) -> None:
    """The map loads and says so; by such a name nothing moves without approval."""
    text = HOUSE.replace('names = ["台灯", "desk lamp"]', 'names = ["客厅空调", "desk lamp"]')
    bed = make(text=text)
    assert bed.say("set lamp power on")[0].startswith("waits|") and bed.driver.writes == []
    (finding,) = [f for f in bed.host.own_health(bed.env) if f.name == "devices"]
    assert not finding.ok and "both called" in finding.text


def test_undo_puts_back_what_was_read_before(make: MakeBed) -> None:
    """Spoken it waits, for the words name no device; then each point has its value from before."""
    bed = make(driver=FakeDriver({("ac", "temperature"): 22.0, ("lamp", "power"): False}))
    bed.say("set ac temperature 26, set lamp power on")
    lines = bed.say("undo that")
    assert all(line.startswith("waits|") for line in lines) and len(lines) == 2
    bed.approve()
    assert all(line.startswith("confirmed|") for line in bed.say("undo that"))
    assert bed.driver.values["ac", "temperature"] == 22.0 and bed.driver.values["lamp", "power"] is False
    assert bed.say("撤销刚才的操作")[0].startswith("waits|")


def test_reported_words_order_nothing(make: MakeBed) -> None:
    """What a sign says is not what the person says."""
    bed = make()
    for words in ("the sign says open, set V-12 open on", "手册上写着, set V-12 open on"):
        record = bed.agent.ask(words)
        assert bed.driver.writes == [] and not record.waits


def test_a_box_without_a_map_is_as_before(tmp_path: Path) -> None:
    """No tools, no orders, nothing to say about devices."""
    bed = Bed(tmp_path / "home")
    (tmp_path / "home" / "devices.toml").unlink()
    bed.plugin.shutdown(bed.env)
    assert list(bed.plugin.register_tools(bed.env)) == [] and bed.agent.ask("set lamp power on").done == ()
    bed.close()


def test_what_interlocks_tie_together_is_moved_in_order(make: MakeBed) -> None:
    """Start the pump and open the valve in one breath: the second is looked at when the first has been done."""
    text = HOUSE.replace('risk = "dangerous"\n', "")
    bed = make(text=text)
    lines = bed.say("set P-3 power on, set V-12 open on, set lamp power on")
    assert [line.split("|")[0] for line in lines] == ["confirmed", "failed", "confirmed"]
    assert "interlock: P-3 is on" in lines[1] and ("V-12", "open", True) not in bed.driver.writes


def test_later_is_not_now(make: MakeBed) -> None:
    """A delayed order moves nothing now, and is said to be noted."""
    bed = make(reader=real_reader)
    for words in ("1小时后关台灯", "turn off the desk lamp in ten minutes"):
        record = bed.agent.ask(words)
        assert bed.driver.writes == [] and [one.came for one in record.done] == ["confirmed"]
        assert record.done[0].line["en"].endswith("noted")


def test_a_stolen_name_moves_nobody_by_itself(make: MakeBed) -> None:
    """Another device takes the lamp's name, in its area or elsewhere: nothing moves before a person has decided."""
    for area in ("hall", "living"):
        stolen = HOUSE.replace('"valve 12"]', '"valve 12", "台灯"]').replace('area = "hall"', f'area = "{area}"')
        bed = make(text=stolen, reader=real_reader)
        bed.agent.ask("打开台灯")
        assert bed.driver.writes == []


def test_questions_of_technicians_are_left_to_the_rest(make: MakeBed) -> None:
    """About a photo, a log, a manual; nothing moves, and no device answers in their place."""
    bed = make(reader=real_reader)
    image = io.BytesIO()
    Image.new("RGB", (64, 48), "gray").save(image, "PNG")
    assert bed.agent.ask("Is the desk lamp on?", photo=image.getvalue()).done == ()
    assert [done.came for done in bed.agent.ask("Is the desk lamp on?").done] == ["told"]
    for words in (
        "What has to be done on the compressor after 4000 hours?",
        "Is the return temperature OK?",
        "循环变频故障以前出现过吗?",
        "三号泵为什么停机?",
        "How do I open valve 12?",
    ):
        assert bed.agent.ask(words).done == (), words
    assert bed.driver.writes == []
