"""A box that loses power: runs in a process that has `shim.c`, forks one process for each try, and kills it.

    python -m tests.faults.power_box FOLDER power|disk|live|clock SCENARIO ROUNDS    (with the environment of `shim.py`)

For each point at which a scenario changes a file: the home as it was before, the scenario up to that point, the fault;
then a fresh process must find everything in order, and do what the scenario was about. What a caller was told is kept
outside the home: nothing of that may be lost. Prints one JSON line.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.errors import WatchkeeperError
from tests.faults.power_scenarios import LOOK, SCENARIOS, Box, Scenario
from tests.faults.shim import COUNT, FAIL, KILL, TEAR, Shim

__all__ = ["FAULTS", "WAYS"]

MOST_POINTS = 2_000
WAYS = ((KILL, False), (TEAR, False), (KILL, True))
"""How it dies, and whether what was not synced is lost with it; one after another in the rounds."""


@dataclass(slots=True)
class Tally:
    """What came of all tries."""

    points: int = 0
    tried: int = 0
    held: int = 0
    first_lost: str = ""

    def add(self, what: str, problem: str) -> None:
        """One try more; `problem` is empty where all held."""
        self.tried += 1
        self.held += not problem
        if problem and not self.first_lost:
            self.first_lost = f"{what}: {problem}"


def lose_power(folder: Path, scenario: Scenario, *, rounds: int) -> Tally:
    """Die at every point, so many times, in each of the ways in turn."""
    shim, tally = Shim(), Tally()
    base = _prepared(folder, scenario)
    tally.points = _count(shim, base, folder / "count", scenario)
    for number in range(rounds):
        mode, loses = WAYS[number % len(WAYS)]
        for point in range(1, tally.points + 1):
            box = _copy(base, folder / "try")
            died = _die(shim, box, scenario, at=point, mode=mode, loses=loses, seed=number * MOST_POINTS + point)
            tally.add(f"point {point}, {'power' if loses else 'kill'}", died or _check(box, scenario))
    return tally


def fill_disk(folder: Path, scenario: Scenario, *, rounds: int) -> Tally:
    """From every point on, nothing can be written: one clear line, and all is well when there is room again."""
    shim, tally = Shim(), Tally()
    base = _prepared(folder, scenario)
    tally.points = _count(shim, base, folder / "count", scenario)
    for error in (errno.ENOSPC, errno.EROFS, errno.EIO)[:rounds]:
        for point in range(1, tally.points + 1):
            box = _copy(base, folder / "try")

            def act(box: Box = box, point: int = point, error: int = error) -> None:
                shim.arm(box.home, at=point, mode=FAIL, error=error)
                _fails_clearly(lambda: scenario.act(box))

            said = _forked(act)
            tally.add(f"point {point}, {errno.errorcode[error]}", said or _check(box, scenario))
    return tally


def outlive_disk(folder: Path, scenario: Scenario, *, rounds: int) -> Tally:
    """The same agent: its disk is full from some write of a turn on, then there is room, and it just goes on."""
    shim, tally = Shim(), Tally()
    base = _prepared(folder, scenario)
    tally.points = _count(shim, base, folder / "count", scenario)
    for error in (errno.ENOSPC, errno.EROFS, errno.EIO)[:rounds]:
        for point in range(1, tally.points + 1):
            box = _copy(base, folder / "try")

            def act(box: Box = box, point: int = point, error: int = error) -> None:
                with closing(box.agent("past_events", "past_events", "past_events")) as agent:
                    agent.ask(LOOK)
                    shim.arm(box.home, at=point, mode=FAIL, error=error)
                    _fails_clearly(lambda: agent.ask(LOOK))
                    shim.disarm()
                    box.tell(agent.ask(LOOK).id)

            tally.add(f"point {point}, {errno.errorcode[error]}", _forked(act) or _check(box, scenario))
    return tally


def _fails_clearly(run: Callable[[], None]) -> None:
    """Whatever it raises is an error that the command line tells in one line."""
    try:
        run()
    except WatchkeeperError as told:
        assert "\n" not in str(told) and len(str(told)) > 20, f"no clear line: {told!r}"
    except OSError as told:
        assert told.filename, f"no clear line: {told!r}"


def jump_clock(folder: Path, scenario: Scenario, *, rounds: int) -> Tally:
    """Before, during and after, the wall clock stands in other years."""
    shim, tally = Shim(), Tally()
    years = 365 * 86_400
    for before, during, after in itertools.product((0, -int(time.time()), 10 * years)[: rounds + 1], repeat=3):
        box = Box(folder / f"{before}.{during}.{after}")
        box.folder.mkdir(parents=True)
        said = ""
        for shift, run in ((before, scenario.prepare), (during, scenario.act), (after, scenario.check)):

            def part(shift: int = shift, run: Callable[[Box], None] = run, box: Box = box) -> None:
                shim.shift_clock(shift)
                run(box)

            said = said or _forked(part)
        shim.shift_clock(0)
        shutil.rmtree(box.folder)
        tally.add(f"clock off by {before}, {during}, {after} s", said)
    return tally


FAULTS: dict[str, Callable[..., Tally]] = {
    "power": lose_power,
    "disk": fill_disk,
    "live": outlive_disk,
    "clock": jump_clock,
}


def _prepared(folder: Path, scenario: Scenario) -> Box:
    base = Box(folder / "base")
    base.folder.mkdir(parents=True)
    problem = _forked(lambda: scenario.prepare(base))
    if problem:
        raise RuntimeError(f"{scenario.name} cannot be prepared: {problem}")
    base.home.mkdir(exist_ok=True)
    return base


def _check(box: Box, scenario: Scenario) -> str:
    return _forked(lambda: scenario.check(box))


def _count(shim: Shim, base: Box, folder: Path, scenario: Scenario) -> int:
    box = _copy(base, folder)

    def act() -> None:
        shim.arm(box.home, at=0, mode=COUNT)
        scenario.act(box)

    problem = _forked(act)
    if problem or not 0 < shim.count() < MOST_POINTS:
        raise RuntimeError(f"{scenario.name} does not run: {problem or shim.count()}")
    return shim.count()


def _die(shim: Shim, box: Box, scenario: Scenario, *, at: int, mode: int, loses: bool, seed: int) -> str:
    """:return: what else happened than death."""
    if loses:
        shutil.copytree(box.home, box.shadow)

    def act() -> None:
        shim.arm(box.home, at=at, mode=mode, shadow=box.shadow if loses else None, seed=seed)
        scenario.act(box)

    problem = _forked(act)
    if loses:
        shutil.rmtree(box.home)
        box.shadow.rename(box.home)
    return "" if problem in ("", "died") else problem


def _copy(base: Box, folder: Path) -> Box:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base.folder, folder)
    return Box(folder)


def _forked(run: Callable[[], None]) -> str:
    """Run it in a process of its own.

    :return: empty; or "died"; or what was raised.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            run()
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            os.write(writing, f"{type(error).__name__}: {error} ({where.name}:{where.lineno})".encode()[:2_000])
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    return "died" if os.WIFSIGNALED(status) else said


def main() -> None:
    """Make one fault in one scenario, and print what came of it."""
    folder, fault, name, rounds = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    began = time.perf_counter()
    tally = FAULTS[fault](folder / f"{fault}-{name.replace(' ', '-')}", SCENARIOS[name], rounds=rounds)
    print(json.dumps({**asdict(tally), "seconds": time.perf_counter() - began}, ensure_ascii=False))


if __name__ == "__main__":
    main()
