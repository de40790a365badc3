"""What is written ahead in `watch.db` says after any death what is so, and who has it in hand."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from agent.audit import Trail
from agent.clock import Instant, Span, read_clock
from agent.env import Env
from agent.errors import DatabaseError, InputError, IntegrityError, PhotoError
from agent.journal import NEXT, IllegalStep, Journal, Kind
from agent.owner import Owner
from agent.watch import MIGRATIONS, open_watch
from tests.fakes import call
from tests.test_turn import Bench, similar_events

HELD = """
import sys, time
from pathlib import Path
from agent.audit import Trail
from agent.journal import Journal
journal = Journal(Trail(Path(sys.argv[1]), busy_seconds=30))
with journal.writing() as pen:
    pen.begin("turn", "T1", turn="T1", body={}, told={})
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Trail(tmp_path / "watch.db", busy_seconds=1)) as trail, closing(Journal(trail)) as made:
        yield made


def begin(journal: Journal, kind: Kind = "turn", name: str = "T1") -> None:
    with journal.writing() as pen:
        pen.begin(kind, name, turn=name, body={"what": "循环\ud800"}, told={})


def test_a_database_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    """One that had the trail alone gets the rest, and its rows stay."""
    path = tmp_path / "watch.db"
    old = sqlite3.connect(path)
    MIGRATIONS.apply(Database(old), stop_before="journal")
    old.close()
    with closing(Trail(path, busy_seconds=1)) as trail:
        trail.add("t", "step", {})
        begin(Journal(trail))
        assert trail.verify() == 2


def test_every_state_can_be_reached_and_ends() -> None:
    """The table has no state that nothing leads to, and none that leads to itself again."""
    for table in NEXT.values():
        reached, open_states = set[str](), [""]
        while open_states:
            state = open_states.pop()
            following = set(table.get(state, ()))
            assert state not in following
            open_states += following - reached
            reached |= following
        assert set(table) - {""} <= reached


@pytest.mark.parametrize("kind", list(NEXT))
def test_only_the_steps_of_the_table_can_be_taken(journal: Journal, kind: Kind) -> None:
    """From every state, every other is tried."""
    states = {state for following in NEXT[kind].values() for state in following}
    for number, (state, following) in enumerate((s, f) for s, f in NEXT[kind].items() if s):
        for wanted in states:
            name = f"{number}-{wanted}"
            begin(journal, kind, name)
            journal.trail._db.execute("UPDATE journal SET state = ? WHERE id = ?", (state, name))
            entry = journal.entry(kind, name)
            assert entry is not None
            if wanted in following:
                with journal.writing() as pen:
                    pen.step(entry, wanted, {})
            else:
                with pytest.raises(IllegalStep, match=state), journal.writing() as pen:
                    pen.step(entry, wanted, {})
            now = journal.entry(kind, name)
            assert now is not None and now.state == (wanted if wanted in following else state)


def test_a_step_and_its_row_are_one(journal: Journal) -> None:
    """Neither is there without the other."""
    begin(journal)
    with pytest.raises(ZeroDivisionError), journal.writing() as pen:
        entry = pen.entry("turn", "T1")
        assert entry is not None
        pen.step(entry, "finished", {})
        raise ZeroDivisionError
    entry = journal.entry("turn", "T1")
    assert entry is not None and entry.state == "started"
    assert [row.kind for row in journal.trail.rows()] == ["turn_started"]


def test_a_dead_process_has_nothing_in_hand(tmp_path: Path, journal: Journal) -> None:
    """As long as it lives its turn is its own; when it is killed, the turn can be closed."""
    command = [sys.executable, "-c", HELD, str(journal.trail.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        assert journal.abandoned("turn", "started") == []
        holder.kill()
        holder.wait()
    assert [entry.id for entry in journal.abandoned("turn", "started")] == ["T1"]
    assert len(list(journal.trail.path.with_suffix(".running").iterdir())) == 1, "the dead one's file is gone"


def test_no_thread_takes_what_another_one_has_just_begun(journal: Journal) -> None:
    """Turns begin and end in some threads, while another looks for abandoned ones."""
    stop = threading.Event()
    seen: list[str] = []

    def look() -> None:
        while not stop.is_set():
            seen.extend(entry.id for entry in journal.abandoned("turn", "started"))

    def take(number: int) -> None:
        begin(journal, name=f"T{number}")
        with journal.writing() as pen:
            entry = pen.entry("turn", f"T{number}")
            assert entry is not None
            pen.step(entry, "finished", {})

    with ThreadPoolExecutor(4) as threads:
        looking = threads.submit(look)
        list(threads.map(take, range(30)))
        stop.set()
        looking.result()
    assert seen == [] and journal.trail.verify() == 60


def test_owners(tmp_path: Path) -> None:
    """Alive until closed; what is no owner's name is dead, and reaches no file."""
    one, two = Owner(tmp_path / "running"), Owner(tmp_path / "running")
    assert one.lives(two.id) and two.lives(one.id) and one.lives(one.id)
    two.close()
    two.close()
    assert not one.lives(two.id)
    (tmp_path / "victim").touch()
    assert not one.lives("../victim") and (tmp_path / "victim").exists()
    one.close()
    with pytest.raises(InputError, match="make it writable"):
        Owner(tmp_path / "victim" / "running")


@given(st.floats(0, 1e9), st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_span_ends_whatever_the_clock_says(jump: float, seconds: float, passed: float) -> None:
    """In the same run of the box, only time that really passed counts."""
    begun = Instant(1e9, "b", 10.0)
    for wall in (begun.wall + jump, begun.wall - jump):
        now = Instant(wall, "b", begun.up + passed)
        assert Span(begun, seconds).holds(now) is (begun.up + passed < begun.up + seconds)


def test_the_clock_goes_on() -> None:
    """Of one start of the box."""
    one, two = read_clock(), read_clock()
    assert one.boot == two.boot and one.up <= two.up


def test_the_error_that_ended_a_turn_is_the_one_that_is_told(env: Env, tmp_path: Path) -> None:
    """Also where the trail cannot be written any more; the turn is closed as soon as it can."""
    (tmp_path / "x.png").write_bytes(b"no image")
    bench = Bench(env, similar_events, script=[])
    agent = bench.agent
    look = agent._look

    def look_and_lock(*arguments: object) -> object:
        agent.trail._db.execute("PRAGMA query_only = ON")
        return look(*arguments)  # type: ignore[arg-type]

    agent._look = look_and_lock  # type: ignore[assignment, method-assign]
    with pytest.raises(PhotoError, match=r"x\.png") as caught:
        agent.ask("这是什么?", photo=tmp_path / "x.png")
    assert "cannot be written" in caught.value.__notes__[0]
    agent.trail._db.execute("PRAGMA query_only = OFF")
    agent._look = look  # type: ignore[method-assign]
    agent.ask("循环变频故障以前出现过吗?")
    kinds = [row.kind for row in agent.trail.rows()]
    assert kinds[:3] == ["turn_started", "turn_interrupted", "turn_started"]


def test_a_journal_that_was_spoiled_is_said_and_stops_nothing(env: Env) -> None:
    """Its entry counts for nothing; asked for by name, the error says what to do."""
    bench = Bench(env, similar_events, script=[(call("similar_events", like="x"),)])
    begin(bench.agent.journal)
    bench.agent.trail._db.execute("UPDATE journal SET body = 'x'")
    assert bench.agent.journal.spoiled() == 1
    bench.agent.recover()
    with pytest.raises(IntegrityError, match="spoiled"):
        bench.agent.journal.entry("turn", "T1")


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """A database without write access names what to do."""
    with pytest.raises(DatabaseError, match=r"none/watch\.db: cannot be opened"):
        open_watch(tmp_path / "none" / "watch.db", busy_seconds=0.1)
    with pytest.raises(DatabaseError, match="cannot be opened"):
        open_watch(Path(os.devnull) / "watch.db", busy_seconds=0.1)
