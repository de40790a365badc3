"""A command of which nobody knew whether it arrived is known as soon as its device tells; it is never sent again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from agent.due import run_due
from agent.server.turn_store import TurnStore
from plugins.devices.values import Value
from tests.devices_kit import Bed, FakeDriver, quick_folder
from tests.server_kit import asked, served, wait_until

MakeBed = Callable[[FakeDriver], Bed]
OFTEN = "[devices]\nunsure_poll_seconds = 0.0\ntimer_poll_seconds = 0.02\n"


@pytest.fixture
def make() -> Iterator[MakeBed]:
    beds: list[Bed] = []
    with quick_folder() as folder:

        def made(driver: FakeDriver) -> Bed:
            beds.append(Bed(folder / "home", driver=driver, settings=OFTEN))
            return beds[-1]

        yield made
        for bed in beds:
            bed.close()


def going() -> FakeDriver:
    """A lamp that is gone as soon as it was sent to."""
    return FakeDriver(flaws={"lamp": "silent"})


def come_back(driver: FakeDriver, shows: Value) -> None:
    driver.flaws.clear()
    driver.values["lamp", "power"] = shows
    driver.told_at["lamp", "power"] = time.monotonic()


def look(bed: Bed) -> list[str]:
    told: list[str] = []
    bed.agent.commands._looks_at = 0.0
    run_due(bed.agent, lambda said: told.append(said["en"]))
    return told


def test_a_device_that_comes_back_tells_and_nothing_is_sent(make: MakeBed) -> None:
    """In the running process, without a restart: the outcome is said, and stands in the trail under its turn."""
    driver = going()
    bed = make(driver)
    record = bed.agent.ask("set lamp power on")
    (done,) = record.done
    assert done.came == "unsure"
    driver.flaws["lamp"] = "offline"
    assert look(bed) == [] and bed.states() == ["unsure"]
    come_back(driver, True)
    (line,) = look(bed)
    assert line == "known now of a command that was not confirmed: desk lamp: on, confirmed by reading back"
    assert bed.states() == ["confirmed"] and driver.writes == [("lamp", "power", True)]
    assert [row.kind for row in bed.agent.trail.rows(turn=record.id)][-2:] == ["turn_finished", "command_confirmed"]
    assert look(bed) == [], "it is told once"


def test_that_it_was_not_done_has_to_be_seen_twice(make: MakeBed) -> None:
    """A device that comes back tells first how it was, and then does what its broker kept for it."""
    driver = going()
    bed = make(driver)
    bed.say("set lamp power on")
    come_back(driver, False)
    assert look(bed) == [] and bed.states() == ["unsure"]
    (line,) = look(bed)
    assert line.endswith("desk lamp: not done (wanted on, now off)") and bed.states() == ["failed"]
    assert driver.writes == [("lamp", "power", True)]


def test_looking_takes_little_of_the_time_of_a_box(make: MakeBed) -> None:
    """After a look that took long it rests twenty times as long."""
    driver = going()
    bed = make(driver)
    bed.say("set lamp power on")
    began = time.monotonic()
    commands = bed.agent.commands
    commands.look_again(lambda entry: time.sleep(0.05), every_seconds=0.0)
    assert commands._looks_at - began > 1.0
    assert commands.look_again(lambda entry: True, every_seconds=0.0) == [] and bed.states() == ["unsure"]


def test_whoever_asked_sees_it_at_the_turn(make: MakeBed) -> None:
    """The answer stays as it was given, and says beside it what is known since; also after the server forgot it."""
    driver = going()
    bed = make(driver)
    with served(bed.agent) as address, httpx.Client(base_url=address, timeout=30) as client:
        turn = asked(client, "set lamp power on")
        assert turn["answer"]["done"][0]["came"] == "unsure" and "later" not in turn["answer"]["done"][0]
        come_back(driver, True)

        def later() -> object:
            (done,) = client.get(f"/api/turns/{turn['turn']}").json()["answer"]["done"]
            return done["came"] == "unsure" and done.get("later")

        wait_until(lambda: bool(later()))
        told = later()
        assert isinstance(told, dict) and told["came"] == "confirmed" and told["at"]
        store = TurnStore(bed.agent.trail, bed.env.home.cache / "turns", photo_bytes=0, kept_turns=10)
        who = store.asked(str(turn["turn"]))
        assert who is not None
        past = store.past(who)
        assert past.answer is not None and past.answer["done"][0]["later"] == told
        assert past.steps[-1]["kind"] == "command_confirmed"
