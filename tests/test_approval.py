"""Nothing that changes something runs without a person's yes, and one yes is one run."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.approval import Approvals, call_digest, call_text
from agent.audit import Trail
from agent.cli import run
from agent.clock import Instant, Span, read_clock
from agent.commands.approvals import open_approvals
from agent.device_commands import DeviceCommands
from agent.env import Env
from agent.errors import InputError, NeedsPerson, ToolDenied
from agent.journal import IllegalStep, Journal
from agent.settings import ApprovalSettings
from agent.tools import Binds, Tool, TurnView, tool
from agent.values import Json, ToolResult, say
from tests.fakes import call
from tests.test_turn import PANEL, SEEN, Bench

OPEN: dict[str, Json] = {"valve": "供水温度"}
ORDER = "打开供水温度"
KEY = b"k" * 32
STATES = ("planned", "approved", "sending", "sent")
YEARS = 10 * 365 * 86_400.0


@dataclass
class Clock:
    """Both clocks of a box, as a test sets them."""

    now: Instant = field(default_factory=lambda: Instant(1_790_000_000.0, "boot-1", 500.0))

    def __call__(self) -> Instant:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now = replace(self.now, wall=self.now.wall + seconds, up=self.now.up + seconds)

    def jumps(self, seconds: float) -> None:
        self.now = replace(self.now, wall=self.now.wall + seconds)

    def restarts(self, wall: float) -> None:
        self.now = Instant(wall, f"{self.now.boot}+", 1.0)


@dataclass
class Box:
    """Approvals on a trail of their own."""

    path: Path
    clock: Clock = field(default_factory=Clock)
    settings: ApprovalSettings = field(default_factory=ApprovalSettings)

    def __post_init__(self) -> None:
        self.trail = Trail(self.path, busy_seconds=5)
        self.journal = Journal(self.trail, clock=self.clock)
        self.approvals = Approvals(self.journal, self.settings, key=KEY)
        self.commands = DeviceCommands(self.journal)

    def ask(self, tool: str = "open_valve", arguments: dict[str, Json] | None = None) -> str:
        with self.journal.writing() as pen:
            return self.approvals.ask(pen, "t1", tool, OPEN if arguments is None else arguments).id

    def take(self, tool: str = "open_valve", arguments: dict[str, Json] | None = None) -> bool:
        with self.journal.writing() as pen:
            return self.approvals.take(pen, tool, OPEN if arguments is None else arguments) is not None

    def approved(self) -> str:
        request = self.ask()
        self.approvals.answer(request, approve=True, person="Li")
        return request


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "watch.db")


def test_one_yes_is_one_run(box: Box) -> None:
    """Before it nothing, after it once, and then nothing again; the trail says who and what."""
    request = box.ask()
    assert not box.take()
    box.approvals.answer(request, approve=True, person="Li")
    assert box.take() and not box.take()
    kinds = [row.kind for row in box.trail.rows()]
    assert kinds == ["approval_waiting", "approval_approved", "approval_used"]
    told = list(box.trail.rows())
    assert told[1].body["person"] == "Li" and told[0].body["digest"] == told[2].body["digest"]


@given(tool=st.text(min_size=1), arguments=st.dictionaries(st.text(), st.booleans() | st.integers() | st.text()))
def test_a_yes_is_for_one_call_alone(tool: str, arguments: dict[str, Json]) -> None:
    """Another tool, argument or end, and another type of the same number, make another call."""
    span = Span(Instant(1.0, "b", 1.0), 9.0)
    digest = call_digest(tool, arguments, span)
    assert call_digest(tool, dict(reversed(arguments.items())), span) == digest
    others = [{**arguments, "": [0]}, *({**arguments, name: str(value)} for name, value in arguments.items())]
    others += [{**arguments, name: float(value)} for name, value in arguments.items() if isinstance(value, int)]
    assert all(call_digest(tool, other, span) != digest for other in others if repr(other) != repr(arguments))
    assert call_digest(f"{tool}x", arguments, span) != digest
    assert call_digest(tool, arguments, replace(span, seconds=10.0)) != digest


def test_another_call_is_not_approved(box: Box) -> None:
    """And the one that was stays approved."""
    box.approved()
    assert not box.take(arguments={"valve": "回水温度"}) and not box.take(tool="close_valve")
    assert box.take()


def test_the_same_call_is_asked_for_once(box: Box) -> None:
    """And no more may wait than a person can oversee."""
    assert box.ask() == box.ask()
    crowded = Box(box.path, settings=ApprovalSettings(max_waiting_calls=1, max_argument_chars=60))
    with pytest.raises(NeedsPerson, match="approvals list"):
        crowded.ask(arguments={"valve": "other"})
    with pytest.raises(ToolDenied, match="max_argument_chars"):
        crowded.ask(arguments={"valve": "x" * 60})


def test_a_person_sees_what_is_asked_for(box: Box) -> None:
    """Characters that turn text around, clear the screen or are none at all show as numbers."""
    odd: dict[str, Json] = {"valve": "A\u202eB\x1b[2J\ud800\n"}
    assert call_text("open_valve", odd) == 'open_valve {"valve": "A\\u202eB\\u001b[2J\\ud800\\n"}'
    box.approvals.answer(box.ask(arguments=odd), approve=True, person="Li")
    assert box.take(arguments=odd) and box.trail.verify() == 3


def test_a_no_is_final_and_a_yes_can_be_taken_back(box: Box) -> None:
    """Until it is used."""
    request = box.ask()
    box.approvals.answer(request, approve=False, person="Li")
    with pytest.raises(InputError, match="refused already"):
        box.approvals.answer(request, approve=True, person="Wang")
    second = box.approved()
    box.approvals.answer(second, approve=False, person="Wang")
    assert not box.take()
    third = box.approved()
    assert box.take()
    with pytest.raises(InputError, match="used already"):
        box.approvals.answer(third, approve=False, person="Li")
    with pytest.raises(InputError, match="no such request"):
        box.approvals.answer("nothing", approve=True, person="Li")


def test_late_is_no(box: Box) -> None:
    """Neither an answer nor a call counts after the time is over; what is over is closed."""
    request = box.approved()
    box.clock.passes(899)
    waiting = box.ask("other")
    box.clock.passes(2)
    assert not box.take()
    box.clock.passes(899)
    with pytest.raises(InputError, match="too late"):
        box.approvals.answer(waiting, approve=True, person="Li")
    assert box.approvals.waiting() == [] and box.approvals.expire() == 2 and box.approvals.expire() == 0
    entry = box.journal.entry("approval", request)
    assert entry is not None and entry.state == "expired"


@pytest.mark.parametrize("jump", [-YEARS, -3_600.0, 3_600.0, YEARS])
def test_a_clock_that_jumps_changes_nothing(box: Box, jump: float) -> None:
    """While the box runs, nobody can make an approval longer or shorter by setting its clock."""
    box.approved()
    box.clock.jumps(jump)
    assert box.approvals.expire() == 0
    box.clock.passes(899)
    assert box.take()
    box.approved()
    box.clock.passes(901)
    box.clock.jumps(-jump)
    assert not box.take()


@pytest.mark.parametrize(
    ("seconds", "holds"), [(10, True), (899, True), (901, False), (-1, False), (-YEARS, False), (YEARS, False)]
)
def test_after_a_restart_the_wall_clock_decides(box: Box, seconds: float, holds: bool) -> None:
    """One that stands before the request, as in 1970, approves nothing."""
    box.approved()
    box.clock.restarts(box.clock.now.wall + seconds)
    assert box.take() is holds


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE journal SET state = 'approved'",
        "UPDATE journal SET state = 'approved', person = 'Li', seal = ''",
        """UPDATE journal SET state = 'approved', person = 'Li', seal = (SELECT seal FROM journal WHERE seal != '')""",
    ],
)
def test_a_row_that_was_changed_approves_nothing(box: Box, sql: str) -> None:
    """Whoever can write the database cannot write a yes."""
    box.approved()
    box.take()
    box.ask(arguments={"valve": "回水温度"})
    database = sqlite3.connect(box.path)
    database.execute(f"{sql} WHERE state = 'waiting'")
    database.commit()
    database.close()
    assert not box.take(arguments={"valve": "回水温度"})


@pytest.mark.parametrize(
    "sql", ["UPDATE journal SET body = '{'", "UPDATE journal SET body = '[]'", "UPDATE journal SET seconds = 'x'"]
)
def test_a_row_that_was_spoiled_stops_nothing_else(box: Box, sql: str) -> None:
    """It approves nothing, and another one does."""
    box.approved()
    database = sqlite3.connect(box.path)
    database.execute(sql)
    database.commit()
    database.close()
    assert not box.take()
    box.approved()
    assert box.take()


USE = """
import sys
from pathlib import Path
from agent.approval import Approvals
from agent.audit import Trail
from agent.journal import Journal
from agent.settings import ApprovalSettings
journal = Journal(Trail(Path(sys.argv[1]), busy_seconds=30))
approvals = Approvals(journal, ApprovalSettings(), key=b"k" * 32)
with journal.writing() as pen:
    print(approvals.take(pen, "open_valve", {"valve": "供水温度"}) is not None)
"""


def test_two_processes_use_one_yes_once(tmp_path: Path) -> None:
    """Whoever comes second finds it used."""
    box = Box(tmp_path / "watch.db", clock=read_clock)  # type: ignore[arg-type]
    box.approved()
    command = [sys.executable, "-c", USE, str(box.path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sorted(process.communicate()[0].strip() for process in both) == ["False", "False", "True"]
    assert box.trail.verify() == 3


class Device:
    """A valve that counts what it is told."""

    def __init__(self, *, sees: bool | None = True, fails: bool = False) -> None:
        self.told: list[str] = []
        self.sees = sees
        self.fails = fails

    def tool(self) -> Tool:
        @tool(risk="write", name="open_valve", read_back=lambda valve: self.sees)
        def open_valve(turn: TurnView, valve: Annotated[str, Binds("label")]) -> ToolResult:
            """Open a valve."""
            self.told.append(valve)
            if self.fails:
                raise TimeoutError("no answer")
            return ToolResult(notes=(say("已打开", "opened"),))

        return open_valve


def bench_of(env: Env, device: Device, times: int = 1) -> Bench:
    script: list[object] = [(call("open_valve", **OPEN),)] * times  # type: ignore[arg-type]
    return Bench(env, device.tool(), script=script, perception=SEEN)


def approve_what_waits(env: Env) -> str:
    with open_approvals(env) as (approvals, _):
        (request,) = approvals.waiting()
        approvals.answer(request.id, approve=True, person="Li")
    return request.id


def test_an_approved_call_moves_the_device_once(env: Env) -> None:
    """Asked, approved in another process, asked again: it runs; asked a third time, a person is needed anew."""
    device = Device()
    bench = bench_of(env, device, 3)
    with pytest.raises(NeedsPerson) as caught:
        bench.ask(ORDER, photo=PANEL)
    request = approve_what_waits(env)
    assert f"approvals approve {request}" in str(caught.value)
    assert "已打开" in bench.ask(ORDER, photo=PANEL).answer.text
    with pytest.raises(NeedsPerson):
        bench.ask(ORDER, photo=PANEL)
    assert device.told == ["供水温度"]
    kinds = [row.kind for row in bench.agent.trail.rows() if row.kind.startswith("command")]
    assert kinds == ["command_planned", "command_approved", "command_sending", "command_sent", "command_confirmed"]


@pytest.mark.parametrize(
    ("sees", "fails", "state", "said"),
    [
        (True, True, "confirmed", "no answer"),
        (False, True, "failed", "no answer"),
        (None, True, "unsure", "no answer"),
        (False, False, "failed", "it was not done"),
        (None, False, "unsure", "没有回读确认"),
    ],
)
def test_done_is_said_after_a_look_only(env: Env, sees: bool | None, fails: bool, state: str, said: str) -> None:
    """What a device does not show is not told as done, and is not sent again."""
    device = Device(sees=sees, fails=fails)
    bench = bench_of(env, device, 2)
    with pytest.raises(NeedsPerson):
        bench.ask(ORDER, photo=PANEL)
    key = approve_what_waits(env)
    assert said in bench.ask(ORDER, photo=PANEL).answer.text
    entry = bench.agent.journal.entry("command", key)
    assert entry is not None and entry.state == state and device.told == ["供水温度"]


def test_a_used_yes_that_was_set_back_runs_nothing(env: Env) -> None:
    """Its command has begun, and a command begins once."""
    device = Device()
    bench = bench_of(env, device, 3)
    with pytest.raises(NeedsPerson):
        bench.ask(ORDER, photo=PANEL)
    approve_what_waits(env)
    bench.ask(ORDER, photo=PANEL)
    bench.agent.trail._db.execute("UPDATE journal SET state = 'approved' WHERE kind = 'approval'")
    assert "was used before" in bench.ask(ORDER, photo=PANEL).answer.text and len(device.told) == 1


def abandon(env: Env, state: str, clock: Callable[[], Instant] = read_clock) -> str:
    """A command that its process left in a state when it died."""
    with closing(Trail(env.home.watch_db, busy_seconds=1)) as trail, closing(Journal(trail, clock=clock)) as journal:
        commands = DeviceCommands(journal)
        with journal.writing() as pen:
            span = Span(pen.now, 900)
            entry = commands.plan(pen, "K1", turn="t", tool="open_valve", arguments=OPEN, span=span)
            if state != "planned":
                entry = commands.approve(pen, entry, person="Li")
            for step in ("sending", "sent")[
                : ("approved", "sending", "sent").index(state) if state != "planned" else 0
            ]:
                entry = pen.step(entry, step, {})
    return "K1"


@pytest.mark.parametrize("state", ["sending", "sent"])
@pytest.mark.parametrize(("sees", "then"), [(True, "confirmed"), (False, "failed"), (None, "unsure")])
def test_a_restart_reads_back_and_never_sends(env: Env, state: str, sees: bool | None, then: str) -> None:
    """A command that may have been sent is looked for, not repeated; where nobody can tell, a person closes it."""
    key, device = abandon(env, state), Device(sees=sees)
    bench = bench_of(env, device)
    bench.agent.recover()
    entry = bench.agent.journal.entry("command", key)
    assert entry is not None and entry.state == then and device.told == []
    kinds = [row.kind for row in bench.agent.trail.rows()]
    assert "command_unsure" in kinds and bench.agent.trail.verify() == len(kinds)
    if then == "unsure":
        assert bench.agent.commands.close_by_hand(key, done=True, person="Li").state == "confirmed"
    with pytest.raises(InputError, match="no command"):
        bench.agent.commands.close_by_hand(key, done=True, person="Li")


@pytest.mark.parametrize("state", ["planned", "approved"])
def test_a_late_command_never_fires(env: Env, state: str) -> None:
    """At start it is closed; and whoever holds it cannot start it any more."""
    key = abandon(env, state, clock=Clock())
    with closing(Trail(env.home.watch_db, busy_seconds=1)) as trail:
        commands = DeviceCommands(Journal(trail))
        entry = commands.journal.entry("command", key)
        assert entry is not None
        with pytest.raises(ToolDenied, match="too late"), commands.journal.writing() as pen:
            commands.start(pen, replace(entry, state="approved"))
        commands.settle(lambda _: True)
        now = commands.journal.entry("command", key)
        assert now is not None and now.state == "expired"


def test_a_command_begins_once_under_its_key(box: Box) -> None:
    """And is started once, whoever has it."""
    with box.journal.writing() as pen:
        entry = box.commands.plan(pen, "K1", turn="t", tool="x", arguments={}, span=Span(pen.now, 9))
        entry = box.commands.approve(pen, entry, person="Li")
    with pytest.raises(IllegalStep, match="has begun before"), box.journal.writing() as pen:
        box.commands.plan(pen, "K1", turn="t", tool="x", arguments={}, span=Span(pen.now, 9))
    with box.journal.writing() as pen:
        box.commands.start(pen, entry)
    with pytest.raises(IllegalStep, match="is sending"), box.journal.writing() as pen:
        box.commands.start(pen, entry)


def test_a_living_process_keeps_what_it_has_in_hand(env: Env) -> None:
    """Another agent that starts meanwhile closes nothing of it."""
    with closing(Trail(env.home.watch_db, busy_seconds=1)) as trail, closing(Journal(trail)) as journal:
        with journal.writing() as pen:
            pen.begin("turn", "T1", turn="T1", body={}, told={})
        other = bench_of(env, Device()).agent
        other.recover()
        entry = journal.entry("turn", "T1")
        assert entry is not None and entry.state == "started"
    other._owes = True
    other.recover()
    entry = other.journal.entry("turn", "T1")
    assert entry is not None and entry.state == "interrupted"


def test_the_command_line(environ: Path, env: Env, capsys: pytest.CaptureFixture[str]) -> None:
    """List, approve, refuse; an unknown request is one line and exit code 2."""
    with pytest.raises(NeedsPerson):
        bench_of(env, Device()).ask(ORDER, photo=PANEL)
    assert run(["approvals", "list", "--json"]) == 0
    request = json.loads(capsys.readouterr().out)
    assert request["state"] == "waiting" and request["arguments"] == OPEN
    assert run(["approvals", "approve", request["id"], "--by", "Li\n\x1b[1m"]) == 0
    assert "approved" in capsys.readouterr().out
    assert run(["approvals", "refuse", request["id"]]) == 0
    assert run(["approvals", "approve", request["id"]]) == 2
    assert "refused already" in capsys.readouterr().err
    assert run(["approvals", "list"]) == 0
    assert capsys.readouterr().out == "nothing waits\n"
    key = abandon(env, "sent")
    bench_of(env, Device(sees=None)).agent.recover()
    assert run(["approvals", "list"]) == 0 and "approvals settle" in capsys.readouterr().out
    assert run(["approvals", "settle", key, "--not-done"]) == 0 and "failed" in capsys.readouterr().out
