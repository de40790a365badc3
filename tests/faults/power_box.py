"""A box that loses power: runs in a process that has `shim.c`, forks one process for each try, and kills it.

    python -m tests.faults.power_box FOLDER power|disk|clock SCENARIO ROUNDS     (with `tests.faults.shim.environment`)

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
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from agent.audit import Trail
from agent.commands.approvals import open_approvals
from agent.device_commands import DeviceCommands
from agent.env import Env, load_env
from agent.errors import NeedsPerson, WatchkeeperError
from agent.journal import Journal
from agent.tools import Binds, Tool, TurnView, tool
from agent.turn import Agent, TurnRecord
from agent.values import Json, Record, Term, ToolResult, say
from agent.weights.progress import SilentReporter
from agent.weights.pull import pull
from tests.fakes import call
from tests.faults.shim import COUNT, FAIL, KILL, TEAR, Shim
from tests.test_turn import Bench
from tests.weights_kit import MODEL, TEXT, lend, make_store

__all__ = ["FAULTS", "SCENARIOS", "WAYS", "Box"]

ORDER, LOOK = "打开供水阀", "供水阀以前出现过什么?"
OPEN: dict[str, Json] = {"valve": "供水阀"}
MOST_POINTS = 2_000
WAYS = ((KILL, False), (TEAR, False), (KILL, True))
"""How it dies, and whether what was not synced is lost with it; one after another in the rounds."""


@dataclass(frozen=True, slots=True)
class Box:
    """A home, and what stays when it burns: the device, and what callers were told."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def shadow(self) -> Path:
        return self.folder / "shadow"

    def env(self) -> Env:
        return load_env({"WATCHKEEPER_HOME": str(self.home)})

    def tell(self, what: str) -> None:
        """The caller was told so."""
        with (self.folder / "told").open("a", encoding="utf-8") as file:
            file.write(f"{what}\n")

    def told(self) -> list[str]:
        with suppress(FileNotFoundError):
            return (self.folder / "told").read_text(encoding="utf-8").splitlines()
        return []

    def moved(self) -> int:
        """How often the device was told to move."""
        with suppress(FileNotFoundError):
            return len((self.folder / "device").read_text(encoding="utf-8").splitlines())
        return 0

    def tools(self) -> tuple[Tool, Tool]:
        @tool(risk="write", read_back=lambda valve: self.moved() > 0)
        def open_valve(turn: TurnView, valve: Annotated[str, Binds("label")]) -> ToolResult:
            """Open a valve."""
            with (self.folder / "device").open("a", encoding="utf-8") as file:
                file.write(f"{valve}\n")
            return ToolResult(notes=(say("已打开", "opened"),))

        @tool(risk="read")
        def past_events(turn: TurnView, like: Annotated[str, Binds("label")]) -> ToolResult:
            """Earlier events."""
            return ToolResult(records=(Record("E1", "event", say("1 条", "1 event"), {}),))

        return open_valve, past_events

    def agent(self, *calls: str) -> Agent:
        """One whose model makes these calls."""
        said = {"open_valve": call("open_valve", valve="供水阀"), "past_events": call("past_events", like="供水阀")}
        bench = Bench(self.env(), *self.tools(), script=[(said[name],) for name in calls])
        bench.host.known = [Term("label", "供水阀", "question", 0)]
        return bench.agent

    def ask(self, question: str, name: str) -> TurnRecord:
        with closing(self.agent(name)) as agent:
            return agent.ask(question)

    def approve(self) -> None:
        with open_approvals(self.env()) as (approvals, _):
            (request,) = [r for r in approvals.waiting() if r.state == "waiting"]
            approvals.answer(request.id, approve=True, person="Li")
            self.tell("approved")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that may be cut off anywhere."""

    name: str
    prepare: Callable[[Box], None]
    act: Callable[[Box], None]
    check: Callable[[Box], None]
    """Raises AssertionError where something was lost or came twice."""


def _nothing(box: Box) -> None:
    pass


def _first_turn(box: Box) -> None:
    box.ask(LOOK, "past_events")


def _turn(box: Box) -> None:
    with closing(box.agent("past_events")) as agent:
        box.tell(agent.ask(LOOK).id)  # told before an orderly end could write anything more


def _turn_is_whole(box: Box) -> None:
    with closing(box.agent("past_events")) as agent:
        agent.recover()
        _in_order(agent)
        for turn in box.told():
            entry = agent.journal.entry("turn", turn)
            assert entry is not None and entry.state == "finished", f"turn {turn} was told and is {entry}"
        agent.ask(LOOK)
        _in_order(agent)


def _wait(box: Box) -> None:
    with suppress(NeedsPerson):
        box.ask(ORDER, "open_valve")


def _ask_for_it(box: Box) -> None:
    with closing(box.agent("open_valve")) as agent:
        try:
            agent.ask(ORDER)
        except NeedsPerson as waits:
            box.tell(str(waits).split("approvals approve ")[1].split(",")[0])


def _request_is_kept(box: Box) -> None:
    with open_approvals(box.env()) as (approvals, _):
        waiting = [request.id for request in approvals.waiting()]
    assert set(box.told()) <= set(waiting) and len(waiting) <= 1, f"told {box.told()}, waiting {waiting}"
    _wait(box)
    box.approve()
    _moves_once(box)


def _approve(box: Box) -> None:
    box.approve()


def _approval_is_kept(box: Box) -> None:
    with open_approvals(box.env()) as (approvals, _):
        (request,) = approvals.waiting()
    assert request.state == "approved" or not box.told(), "an approval that was told is gone"
    if request.state == "waiting":
        box.approve()
    _moves_once(box)


def _approved(box: Box) -> None:
    _wait(box)
    box.approve()
    _silent(box)


def _command(box: Box) -> None:
    with closing(box.agent("open_valve")) as agent:
        agent.ask(ORDER)
        box.tell("done")


def _command_came_once(box: Box) -> None:
    before = box.moved()
    assert before <= 1 and (before or not box.told())
    with closing(box.agent()) as agent:
        agent.recover()
        _in_order(agent)
        states = [e.state for e in agent.journal.entries("command", "confirmed", "failed", "unsure", "sending", "sent")]
        left = [e.state for e in agent.journal.entries("approval", "waiting", "approved")]
    assert box.moved() == before, "it was sent again at start"
    assert states == ["confirmed"] if before else states in ([], ["failed"]), f"moved {before}, command {states}"
    assert left == ([] if states else ["approved"]), f"the approval is lost: command {states}, approval {left}"
    with suppress(NeedsPerson):
        box.ask(ORDER, "open_valve")
    assert box.moved() == (0 if states == ["failed"] else 1), "one yes moved it twice"
    _turn_is_whole(_silent(box))


def _silent(box: Box) -> Box:
    with suppress(FileNotFoundError):
        (box.folder / "told").unlink()
    return box


def _half_done(box: Box) -> None:
    """A home in which a turn had begun and a command was being sent when the power went."""
    _approved(box)
    with closing(Trail(box.env().home.watch_db, busy_seconds=5)) as trail, closing(Journal(trail)) as journal:
        commands = DeviceCommands(journal)
        (approval,) = journal.entries("approval", "approved")
        assert approval.span is not None
        with journal.writing() as pen:
            pen.begin("turn", "T1", turn="T1", body={}, told={})
            pen.step(approval, "used", {})
            planned = commands.plan(pen, approval.id, turn="T1", tool="open_valve", arguments=OPEN, span=approval.span)
            commands.start(pen, commands.approve(pen, planned, person="Li"))


def _recover(box: Box) -> None:
    with closing(box.agent()) as agent:
        agent.recover()
        box.tell("recovered")


def _recovered(box: Box) -> None:
    _recover(box)
    with closing(box.agent()) as agent:
        _in_order(agent)
        assert [e.state for e in agent.journal.entries("turn", "started", "interrupted")][-1] == "interrupted"
        assert [e.state for e in agent.journal.entries("command", "sending", "unsure", "failed")] == ["failed"]
    assert box.moved() == 0, "it was sent again at start"
    _turn_is_whole(_silent(box))


def _stick(box: Box) -> None:
    lend(make_store(box.home), "plain/m.gguf", MODEL)


def _pull(box: Box) -> None:
    pull(make_store(box.home), ["plain"], SilentReporter())
    box.tell("pulled")


def _pulled(box: Box) -> None:
    store = make_store(box.home)
    if box.told():
        assert store.verified("plain")["model"].read_bytes() == MODEL, "it was pulled and is not there"
    pull(store, ["plain"], SilentReporter())
    assert store.verified("plain")["model"].read_bytes() == MODEL
    left = [path.name for path in (store.folder / "plain").iterdir() if ".part" in path.name]
    assert TEXT.name == "plain" and not left, f"left behind: {left}"


SCENARIOS = {
    s.name: s
    for s in (
        Scenario("first start", _nothing, _turn, _turn_is_whole),
        Scenario("turn", _first_turn, _turn, _turn_is_whole),
        Scenario("request", _first_turn, _ask_for_it, _request_is_kept),
        Scenario("approval", _wait, _approve, _approval_is_kept),
        Scenario("command", _approved, _command, _command_came_once),
        Scenario("recovery", _half_done, _recover, _recovered),
        Scenario("pull", _stick, _pull, _pulled),
    )
}


def _in_order(agent: Agent) -> None:
    """The database is whole, the chain verifies, and nothing is half done."""
    agent.trail.verify()
    assert agent.trail.select("PRAGMA integrity_check", ()) == [("ok",)]
    assert not agent.journal.abandoned("turn", "started"), "a turn is half done"
    assert not agent.journal.abandoned("command", "sending", "sent"), "a command is half done"


def _moves_once(box: Box) -> None:
    box.ask(ORDER, "open_valve")
    with suppress(NeedsPerson):
        box.ask(ORDER, "open_valve")
    assert box.moved() == 1, f"one yes moved it {box.moved()} times"
    with closing(box.agent()) as agent:
        _in_order(agent)


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


FAULTS: dict[str, Callable[..., Tally]] = {"power": lose_power, "disk": fill_disk, "clock": jump_clock}


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
