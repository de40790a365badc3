"""What a box does when its power goes: nine stories, each with what must be so afterwards, wherever it was cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from agent.actuator import Heard
from agent.audit import Trail
from agent.commands.approvals import open_approvals
from agent.device_commands import DeviceCommands
from agent.env import Env, load_env
from agent.errors import NeedsPerson
from agent.journal import Journal
from agent.order_answer import utterance_turn
from agent.reports.runs import Runner
from agent.reports.schedules import Order
from agent.tools import Binds, Tool, TurnView, tool
from agent.turn import Agent, TurnRecord
from agent.values import Json, Record, Term, ToolResult, say
from agent.weights.progress import SilentReporter
from agent.weights.pull import pull
from tests.devices_kit import Bed, FakeDriver
from tests.fakes import call
from tests.reports_kit import Plant
from tests.test_turn import Bench
from tests.weights_kit import MODEL, lend, make_store

__all__ = ["LOOK", "SCENARIOS", "Box", "Scenario"]

ORDER, LOOK = "打开供水阀", "供水阀以前出现过什么?"
OPEN: dict[str, Json] = {"valve": "供水阀"}
DUE = datetime(2025, 3, 10, 6, tzinfo=UTC)


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
        in_order(agent)
        for turn in box.told():
            entry = agent.journal.entry("turn", turn)
            assert entry is not None and entry.state == "finished", f"turn {turn} was told and is {entry}"
        agent.ask(LOOK)
        in_order(agent)


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
    silent(box)


def _command(box: Box) -> None:
    with closing(box.agent("open_valve")) as agent:
        agent.ask(ORDER)
        box.tell("done")


def _command_came_once(box: Box) -> None:
    before = box.moved()
    assert before <= 1 and (before or not box.told())
    with closing(box.agent()) as agent:
        agent.recover()
        in_order(agent)
        states = [e.state for e in agent.journal.entries("command", "confirmed", "failed", "unsure", "sending", "sent")]
        left = [e.state for e in agent.journal.entries("approval", "waiting", "approved")]
    assert box.moved() == before, "it was sent again at start"
    assert states == ["confirmed"] if before else states in ([], ["failed"]), f"moved {before}, command {states}"
    assert left == ([] if states else ["approved"]), f"the approval is lost: command {states}, approval {left}"
    with suppress(NeedsPerson):
        box.ask(ORDER, "open_valve")
    assert box.moved() == (0 if states == ["failed"] else 1), "one yes moved it twice"
    _turn_is_whole(silent(box))


def silent(box: Box) -> Box:
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
        in_order(agent)
        assert [e.state for e in agent.journal.entries("turn", "started", "interrupted")][-1] == "interrupted"
        assert [e.state for e in agent.journal.entries("command", "sending", "unsure", "failed")] == ["failed"]
    assert box.moved() == 0, "it was sent again at start"
    _turn_is_whole(silent(box))


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
    assert not left, f"left behind: {left}"


def _report_due(box: Box) -> None:
    """A schedule whose run is due, to be delivered into a folder."""
    with _reports(box) as runner:
        order = Order(("P-7",), 168.0, ("zh",), ("html",), (str(box.folder / "desk"),))
        runner.schedules.add("mon", "every Monday 6:00", "UTC", order, now=DUE - timedelta(hours=1))


def _report(box: Box) -> None:
    with _reports(box) as runner:
        for done in runner.tick():
            box.tell(done.run)


def _report_came_once(box: Box) -> None:
    """Whatever was cut off: the run is written, is in the trail once, and lies on the desk whole."""
    _report(box)
    with _reports(box) as runner:
        assert runner.tick() == [] and runner.outbox.waiting() == []
        trail = runner.schedules.journal.trail
        trail.verify()
        assert trail.select("PRAGMA integrity_check", ()) == [("ok",)]
        kinds = [row.kind for row in trail.rows()]
        assert kinds.count("report_due") == kinds.count("report_written") == 1, f"the run came {kinds}"
        assert runner.schedules.get("mon").next_at == DUE + timedelta(days=7)
    (page,) = (box.folder / "desk").glob("*.html")
    assert page.read_text(encoding="utf-8").rstrip().endswith("</html>"), "a torn report was delivered"


@contextmanager
def _reports(box: Box) -> Iterator[Runner]:
    env = box.env()
    with closing(Trail(env.home.watch_db, busy_seconds=5)) as trail, closing(Journal(trail)) as journal:
        yield Runner(env, Plant().host(), journal, lambda: None, now=lambda: DUE + timedelta(seconds=1))


SAID = "set lamp power on, set ac temperature 26"


@contextmanager
def _house(box: Box) -> Iterator[Bed]:
    """A house whose devices keep what they were told outside the home."""
    file = box.folder / "device"
    driver = FakeDriver(file=file)
    with suppress(FileNotFoundError):
        for line in file.read_text(encoding="utf-8").splitlines():
            device, point, value = line.split()
            driver.values[device, point] = value == "True" if value in ("True", "False") else float(value)
    with closing(Bed(box.home, driver=driver)) as bed:
        yield bed


def _house_is_known(box: Box) -> None:
    with _house(box) as bed:
        bed.agent.ask("set V-12 open off")
    (box.folder / "device").unlink()


def _say_orders(box: Box) -> None:
    with _house(box) as bed:
        bed.agent.ask(SAID, heard=Heard(utterance="m1"))
        box.tell("done")


def _orders_came_once(box: Box) -> None:
    """Wherever it was cut: no order was sent twice, what was sent is read back, and saying it again adds nothing."""
    before = box.moved()
    assert before <= 2 and (before == 2 or not box.told()), f"sent {before} times"
    with _house(box) as bed:
        bed.agent.recover()
        in_order(bed.agent)
        states = bed.states()[1:]
        assert states.count("confirmed") == before, f"sent {before}, commands {states}"
        began = bed.agent.journal.entry("turn", utterance_turn("m1")) is not None
        record = bed.agent.ask(SAID, heard=Heard(utterance="m1"))
        moved = box.moved()
        assert moved == (before if began else 2), "an utterance that came twice moved something twice"
        assert all("confirmed" in d.line["en"] for d in record.done if d.came == "confirmed")
        assert bed.say("set lamp power off") == ["confirmed|desk lamp: off, confirmed by reading back"]
        in_order(bed.agent)


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
        Scenario("orders", _house_is_known, _say_orders, _orders_came_once),
        Scenario("report", _report_due, _report, _report_came_once),
    )
}


def in_order(agent: Agent) -> None:
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
        in_order(agent)
