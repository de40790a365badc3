"""What is said for later happens once, at its time, or is said not to have happened."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from agent.actuator import Heard
from agent.due import DueKeeper, run_due
from agent.errors import DatabaseError
from agent.orders import Due
from agent.watch import MIGRATIONS
from plugins.devices.firing import due_now
from tests.devices_kit import HOUSE, Bed, quick_folder, real_reader

MakeBed = Callable[..., Bed]
ROOT = Path(__file__).parents[1]


@pytest.fixture
def make() -> Iterator[MakeBed]:
    beds: list[Bed] = []
    with quick_folder() as folder:

        def made(name: str = "home", **more: object) -> Bed:
            beds.append(Bed(folder / name, reader=real_reader, **more))  # type: ignore[arg-type]
            return beds[-1]

        yield made
        for bed in beds:
            bed.close()


def pass_time(bed: Bed, seconds: float) -> None:
    """All that runs ends so much earlier."""
    timers = bed.plugin.opened(bed.env).timers()
    timers.move(timers.open(), -round(seconds) - 1, now=bed.env.now().timestamp())


def fire(bed: Bed) -> list[str]:
    told: list[str] = []
    run_due(bed.agent, lambda said: told.append(said["en"]))
    return told


def states(bed: Bed) -> list[str]:
    timers = bed.plugin.opened(bed.env).timers()
    return [timer.state for timer in [*timers.open(), *timers.ended()]]


def test_an_order_for_later_moves_the_device_once_and_reads_back(make: MakeBed) -> None:
    """Nothing moves when it is said; when it is due it is sent once, and said with what the device shows."""
    bed = make()
    (line,) = bed.say("turn on the desk lamp in ten minutes")
    assert line.startswith("confirmed|") and line.endswith("desk lamp → on: noted") and bed.driver.writes == []
    assert fire(bed) == []
    pass_time(bed, 600)
    assert fire(bed) == ["desk lamp: on, confirmed by reading back"]
    assert fire(bed) == [] and bed.driver.writes == [("lamp", "power", True)]
    assert states(bed) == ["fired"]


def test_what_is_to_last_ends_by_itself(make: MakeBed) -> None:
    """台灯开十分钟: on now, off then."""
    bed = make()
    lines = bed.say("台灯开十分钟")
    assert [line.partition("|")[0] for line in lines] == ["confirmed", "confirmed"]
    pass_time(bed, 600)
    fire(bed)
    assert bed.driver.writes == [("lamp", "power", True), ("lamp", "power", False)]


def test_the_device_meant_is_the_one_when_it_was_said(make: MakeBed) -> None:
    """ "it" is what was spoken of then, whatever is said in between."""
    bed = make()
    bed.say("turn on the desk lamp and turn it off in ten minutes")
    bed.say("set the living room air conditioner to 24 degrees")
    pass_time(bed, 600)
    fire(bed)
    assert bed.driver.writes[-1] == ("lamp", "power", False)


def test_what_came_due_while_the_box_was_off_is_said_and_not_sent(make: MakeBed) -> None:
    """A stale order expires; a timer that only rings is told, with how long ago."""
    bed = make()
    bed.say("turn on the desk lamp in ten minutes")
    bed.say("set a timer for 5 minutes")
    opened, later = bed.plugin.opened(bed.env), bed.env.now() + timedelta(hours=2)
    due = due_now(opened, later)
    assert [bool(one.orders) for one in due] == [False, False]
    assert "5 min has ended (1 h 55 min ago)" in due[0].said["en"]
    assert "was not done" in due[1].said["en"] and due_now(opened, later) == []
    assert bed.driver.writes == []


def test_a_timer_rings_where_it_was_set(make: MakeBed) -> None:
    """It knows its satellite. Who cannot be heard there leaves it for a moment to who can, and then tells it; an order
    that is due is carried out by whichever process is first.
    """
    bed = make(settings="[devices]\nring_leave_seconds = 100.0\n")
    bed.say("set a timer for 5 minutes", heard=Heard(area="living"))
    bed.say("turn on the desk lamp in 5 minutes", heard=Heard(area="living"))
    opened = bed.plugin.opened(bed.env)
    pass_time(bed, 300)
    assert fire(bed) == ["desk lamp: on, confirmed by reading back"]
    rung: list[str] = []
    told: list[str] = []

    def ring(due: Due) -> bool:
        rung.append(due.area)
        return True

    run_due(bed.agent, lambda said: told.append(said["en"]), ring)
    assert rung == ["living"] and told == []
    bed.say("set a timer for 5 minutes", heard=Heard(area="living"))
    (due,) = due_now(opened, bed.env.now() + timedelta(seconds=401))
    assert "5 min has ended" in due.said["en"]


def test_timers_of_an_earlier_version_go_on(make: MakeBed) -> None:
    """They know no satellite, and are told as before."""
    with quick_folder() as folder:
        (folder / "home").mkdir()
        before = sqlite3.connect(folder / "home/watch.db", isolation_level=None)
        MIGRATIONS.apply(Database(before), stop_before="timers_heard")
        row = ("T1", "running", "a timer for 5 minutes", "", "", 300, 0.0, 0.0, None, "[]", "")
        before.execute(f"INSERT INTO timers VALUES ({', '.join('?' * len(row))})", row)
        before.close()
        bed = Bed(folder / "home", reader=real_reader)
        (line,) = fire(bed)
        assert "5 min has ended" in line and states(bed) == ["fired"]
        bed.close()


def test_a_timer_that_nobody_can_hear_there_is_told(make: MakeBed) -> None:
    """The satellite is gone, or it was typed."""
    bed = make()
    bed.say("set a timer for 5 minutes", heard=Heard(area="living"))
    bed.say("set a timer for 5 minutes")
    pass_time(bed, 300)
    told: list[str] = []
    run_due(bed.agent, lambda said: told.append(said["en"]), lambda due: False)
    assert len(told) == 2


def test_dangerous_devices_are_not_kept_for_later(make: MakeBed) -> None:
    """Nobody would be there to say yes."""
    bed = make()
    (line,) = bed.say("turn on pump 3 in ten minutes")
    assert line.startswith("refused|") and "not kept for later" in line
    assert states(bed) == [] and bed.agent.approvals.waiting() == []


def test_a_wrong_value_is_refused_when_it_is_said(make: MakeBed) -> None:
    """Not only when it is due and nobody listens."""
    bed = make()
    lines = bed.say("set the living room air conditioner to 60 degrees in ten minutes")
    assert not any(line.startswith("confirmed") for line in lines) and states(bed) == []


def test_interlocks_are_looked_at_when_it_is_due(make: MakeBed) -> None:
    """What is locked then is not moved, though it was free when it was said."""
    bed = make()
    bed.say("open valve 12 in ten minutes")
    bed.driver.values["P-3", "power"] = True
    pass_time(bed, 600)
    (line,) = fire(bed)
    assert bed.driver.writes == [] and "confirmed" not in line


def test_words_that_a_program_passed_on_wait(make: MakeBed) -> None:
    """They stand for no order now, and for none later."""
    bed = make()
    (line,) = bed.say("turn on the desk lamp in ten minutes", heard=Heard(relayed=True))
    assert line.startswith("waits|") and states(bed) == []
    bed.approve()
    (request,) = [r for r in bed.agent.approvals.waiting() if r.state == "approved"]
    assert bed.agent.run_approved(request).came == "confirmed"
    assert states(bed) == ["running"] and bed.driver.writes == []


@pytest.mark.parametrize(
    "words",
    [
        "did you turn on the desk lamp in ten minutes",
        "don't turn on the desk lamp in ten minutes",
        "the manual says turn on the desk lamp in ten minutes",
        "如果我说十分钟后开台灯",
        "Li said: turn on the desk lamp in ten minutes",
    ],
)
def test_what_orders_nothing_now_orders_nothing_later(make: MakeBed, words: str) -> None:
    """Questions, denials, reported and supposed speech."""
    bed = make()
    bed.agent.ask(words, only_orders=True)
    assert states(bed) == [] and bed.driver.writes == []


def test_timers_are_told_paused_changed_and_cancelled(make: MakeBed) -> None:
    """By name, by length, or the only one; which one is asked where several fit."""
    bed = make()
    assert "until" in bed.say("set a 20 minute timer")[0]
    bed.say("start a timer for 5 minutes called eggs")
    assert "Which timer is meant?" in bed.say("cancel the timer")[0]
    assert "eggs" in bed.say("pause the eggs timer")[0]
    assert states(bed).count("paused") == 1
    bed.say("add 2 minutes to the eggs timer")
    assert "7 min" in bed.say("how long is left on the eggs timer")[0] or "6 min 59 s" in bed.say("timer status")[0]
    bed.say("resume the eggs timer")
    assert "1 timer cancelled" in bed.say("cancel the 20 minute timer")[0]
    assert "1 timer cancelled" in bed.say("cancel all timers")[0]
    assert bed.say("取消计时器") == ["told|没有这样的计时器。"]


def test_the_clock_and_what_is_not_kept_are_said_plainly(make: MakeBed) -> None:
    """Time and date from the box; weather, lists and announcements are not its business."""
    bed = make()
    now = bed.env.now()
    assert f"{now:%Y-%m-%d}" in bed.say("what's the date")[0]
    assert bed.say("现在几点了")[0].startswith("told|现在")
    assert "no shopping list" in bed.say("add milk to the shopping list")[0]


def test_timers_outlive_the_process(make: MakeBed) -> None:
    """Another process on the same box fires what the first one kept; two that look at once fire it once."""
    first = make()
    first.say("turn on the desk lamp in ten minutes")
    first.close()
    one, two = make(), make()
    pass_time(one, 600)
    assert [*fire(one), *fire(two)] == ["desk lamp: on, confirmed by reading back"]
    assert one.driver.writes + two.driver.writes == [("lamp", "power", True)]


KILLED = """
import os, sys
from pathlib import Path
from agent.turn import Agent
from agent.due import run_due
from tests.devices_kit import Bed, real_reader
from tests.test_devices_timers import pass_time
bed = Bed(Path(sys.argv[1]), reader=real_reader)
bed.say("turn on the desk lamp in ten minutes")
pass_time(bed, 600)
bed.agent.order = lambda *a, **k: os._exit(9)
run_due(bed.agent, print)
"""


def test_a_kill_between_taking_and_sending_never_sends_twice(tmp_path: Path) -> None:
    """Taken is written down first: after the restart nothing is sent, and it is told that nobody knows."""
    run = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, timeout=60, check=False)
    assert run.returncode == 9
    bed = Bed(tmp_path, reader=real_reader)
    try:
        assert fire(bed) == [] and bed.driver.writes == [] and states(bed) == ["firing"]
    finally:
        bed.close()


def test_the_keeper_looks_until_it_is_closed_and_survives_what_fails() -> None:
    """A database that cannot be used is said once, and looked at again."""
    looked: list[float] = []

    def look() -> None:
        looked.append(time.monotonic())
        if len(looked) < 3:
            raise DatabaseError("watch.db: locked")

    keeper = DueKeeper(look, seconds=0.01)
    keeper.start()
    deadline = time.monotonic() + 5
    while len(looked) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    keeper.close()
    seen = len(looked)
    time.sleep(0.05)
    assert seen >= 5 and len(looked) == seen


def test_a_house_keeps_no_more_timers_than_set(make: MakeBed) -> None:
    """The next one is refused, and said so."""
    bed = make(settings="[devices]\nmost_timers = 1\n", text=HOUSE)
    bed.say("set a timer for 5 minutes")
    assert "too many timers" in bed.say("set a timer for 6 minutes")[0].lower()
    assert len(states(bed)) == 1
