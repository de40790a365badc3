"""Two programs of one box, the server and a command line, move the same devices by the same rules."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.devices_kit import Bed, FakeDriver, quick_folder

MakeBed = Callable[..., Bed]
ROOT = Path(__file__).parents[1]
VALVE = """
[[device]]
id = "V-{one}"
names = ["{one}号阀", "valve {one}"]
domain = "valve"
driver = "sim"
[[device.point]]
name = "open"
kind = "bool"
writable = true
read_back = {{ within_seconds = 0.4 }}
[[device.interlock]]
point = "open"
value = true
device = "V-{other}"
seen = "open"
forbids = [true]
"""
VALVES = VALVE.format(one=1, other=2) + VALVE.format(one=2, other=1)


@pytest.fixture
def make() -> Iterator[MakeBed]:
    beds: list[Bed] = []
    with quick_folder() as folder:

        def made(driver: FakeDriver, settings: str = "") -> Bed:
            beds.append(Bed(folder / "home", text=VALVES, driver=driver, settings=settings))
            return beds[-1]

        yield made
        for bed in beds:
            bed.close()


def closed_valves() -> FakeDriver:
    return FakeDriver(values={("V-1", "open"): False, ("V-2", "open"): False})


class Sending:
    """A bed that stands between being told to send and sending, until it is let go."""

    def __init__(self, bed: Bed, driver: FakeDriver, words: str) -> None:
        self.lines: list[str] = []
        self._sends, self._go = threading.Event(), threading.Event()

        def hold() -> None:
            driver.before_write = None
            self._sends.set()
            self._go.wait(20)

        driver.before_write = hold
        self._thread = threading.Thread(target=lambda: self.lines.extend(bed.say(words)))
        self._thread.start()
        assert self._sends.wait(20)

    def end(self) -> None:
        self._go.set()
        self._thread.join(20)


def test_of_two_orders_that_exclude_each_other_one_is_carried_out(make: MakeBed) -> None:
    """Both are judged while both valves are closed; the second waits for the first, and then finds it open."""
    driver = closed_valves()
    one, other = make(driver), make(driver)
    first = Sending(one, driver, "set V-1 open on")
    timer = threading.Timer(0.3, first.end)
    timer.start()
    (line,) = other.say("set V-2 open on")
    timer.join()
    assert first.lines == ["confirmed|valve 1: open, confirmed by reading back"]
    assert line == "failed|valve 2: not done (wanted open): interlock: valve 1 is open"
    assert driver.writes == [("V-1", "open", True)]


def test_what_does_not_end_is_not_waited_for_without_end(make: MakeBed) -> None:
    """The person is told that nothing was sent, and why."""
    driver = closed_valves()
    one = make(driver, "[turn]\nlane_wait_seconds = 0.2\n")
    other = make(driver)
    first = Sending(one, driver, "set V-1 open on")
    (line,) = other.say("set V-2 open on")
    first.end()
    assert line.startswith("refused|valve 2: not done (open)") and "has not ended yet" in line
    assert driver.writes == [("V-1", "open", True)]
    assert other.states() == ["confirmed", "approved"], "it was never begun to be sent"


def test_a_program_that_died_in_the_middle_blocks_nobody(make: MakeBed) -> None:
    """A real process is killed after it began to send; the other one goes on at once, by what the devices show."""
    driver = closed_valves()
    bed = make(driver)
    told = [sys.executable, "-c", _DYING, str(bed.env.home.folder)]
    child = subprocess.Popen(told, cwd=ROOT, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"sending\n"
    waits = threading.Thread(target=lambda: lines.extend(bed.say("set V-2 open on")))
    lines: list[str] = []
    waits.start()
    waits.join(0.3)
    assert waits.is_alive() and driver.writes == [], "the other process has it in hand"
    child.kill()
    child.communicate()
    waits.join(20)
    assert lines == ["confirmed|valve 2: open, confirmed by reading back"]


_DYING = """
import sys, time
from pathlib import Path
from tests.devices_kit import Bed, FakeDriver

def hold():
    print("sending", flush=True)
    time.sleep(60)

driver = FakeDriver(values={("V-1", "open"): False, ("V-2", "open"): False}, before_write=hold)
Bed(Path(sys.argv[1]), driver=driver).say("set V-1 open on")
"""
