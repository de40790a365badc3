"""A child process may crash, hang, leak or lie: it costs a call, and leaves nothing behind."""

from __future__ import annotations

import gc
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import CallCancelled, CallFailed, WorkerBusy, WorkerDied, WorkerDown, WorkerError
from agent.settings import WorkerSettings
from agent.workers.launch import WorkerSpec, child_environment
from agent.workers.protocol import FrameError
from agent.workers.shared import SharedBuffer
from agent.workers.states import TRANSITIONS, Health, after
from agent.workers.supervisor import Supervisor
from tests.served import open_files, pair, until

SETTINGS = WorkerSettings(cancel_grace_seconds=0.3, restart_seconds=0.01, stop_seconds=2, frame_seconds=2)


def made(settings: WorkerSettings = SETTINGS, factory: str = "make", **config: Any) -> Supervisor:
    supervisor = Supervisor(WorkerSpec("bench", f"tests.served:{factory}"), settings)
    supervisor.start(config)
    return supervisor


@pytest.fixture
def bench() -> Iterator[Supervisor]:
    supervisor = made()
    yield supervisor
    supervisor.stop()


def test_a_call_gives_its_result(bench: Supervisor) -> None:
    """Arguments go over, the result comes back, and the states follow."""
    assert bench.state == "starting"
    assert bench.call("add", {"a": 2, "b": 3}).value == 5
    assert bench.state == "ready" and bench.pid == bench.report["pid"]


def test_pieces_come_as_they_are_made(bench: Supervisor) -> None:
    """In order, before the result, in the caller's thread."""
    seen: list[tuple[int, int]] = []
    result = bench.call("count", {"to": 5}, on_part=lambda part: seen.append((part, threading.get_ident())))
    assert seen == [(number, threading.get_ident()) for number in range(5)] and result.value == {"counted": 5}


def test_what_it_prints_is_not_taken_for_an_answer(bench: Supervisor) -> None:
    """Standard output goes to the log; the channel is another one."""
    assert bench.call("noise", {}).value == "quiet"
    assert bench.call("add", {"a": 1, "b": 1}).value == 2


def test_what_a_call_raises_is_told_by_class(bench: Supervisor) -> None:
    """The process lives on."""
    with pytest.raises(CallFailed, match="no such thing") as told:
        bench.call("refuse", {})
    assert told.value.kinds[:2] == ("LookupError", "Exception")
    with pytest.raises(CallFailed, match="is not served"):
        bench.call("close", {})
    assert bench.call("add", {"a": 1, "b": 1}).value == 2


def test_many_threads_may_call(bench: Supervisor) -> None:
    """Each gets its own result."""
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda n: bench.call("add", {"a": n, "b": n}).value, range(64)))
    assert found == [2 * n for n in range(64)]


def test_shared_memory_crosses_without_being_copied_into_a_message(bench: Supervisor) -> None:
    """Larger than any message may be, and read-only on both sides."""
    size = 9_000_000

    def fill(view: memoryview) -> None:
        view[:3] = b"\x01\x02\x03"

    buffer = SharedBuffer.write(size, fill)
    plain = SharedBuffer(memoryview(b"\x05\x05"), None)
    assert bench.call("read", {}, buffers=[buffer, plain, buffer]).value == [6, 10, 6]
    assert buffer.view.readonly and buffer.descriptor is not None
    with pytest.raises(PermissionError):
        os.ftruncate(buffer.descriptor, 1)
    with pytest.raises(PermissionError):
        os.pwrite(buffer.descriptor, b"x", 0)


def test_an_attachment_comes_back(bench: Supervisor) -> None:
    """Plain bytes beside the JSON."""
    result = bench.call("attach", {"size": 100_000})
    assert result.value == {"size": 100_000} and result.attachment == b"x" * 100_000


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_death_in_a_call_is_told_and_the_next_call_works(bench: Supervisor, number: signal.Signals) -> None:
    """With the signal and the last lines that it wrote."""
    with pytest.raises(WorkerDied, match=rf"bench: its process \d+ died: {number.name}.*about to fall over"):
        bench.call("crash", {"signal_number": number})
    assert bench.call("add", {"a": 1, "b": 1}).value == 2


def test_killed_while_idle_it_is_started_again(bench: Supervisor) -> None:
    """Without a call that notices."""
    bench.call("add", {"a": 1, "b": 1})
    pid = bench.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: bench.state == "ready" and bench.pid != pid)
    assert bench.call("add", {"a": 1, "b": 1}).value == 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "where a message begins"),
        (struct.pack("!4sIIB", b"WKF1", 2, 0, 0) + b"{]", "not JSON"),
        (struct.pack("!4sIIB", b"WKF1", 2, 0, 0) + b"[]", "not an object"),
        (struct.pack("!4sIIB", b"WKF1", 4, 0, 0) + b"null", "not an object"),
        (struct.pack("!4sIIB", b"WKF1", 15, 0, 0) + b'{"kind":"boo!"}', "out of turn"),
        (struct.pack("!4sIIB", b"WKF1", 16, 0, 0) + b'{"kind":"ready"}', "out of turn"),
        (struct.pack("!4sIIB", b"WKF1", 24, 0, 0) + b'{"kind":"result","id":9}', "not open"),
    ],
)
def test_garbage_ends_the_process_and_nothing_else(bench: Supervisor, data: bytes, why: str) -> None:
    """The call is told why."""
    with pytest.raises(WorkerDied, match=why):
        bench.call("garbage", {"data": data.hex()})
    assert bench.call("add", {"a": 1, "b": 1}).value == 2


@pytest.mark.parametrize(("header", "attachment"), [(8_000_001, 0), (2, 64_000_001), (2**32 - 1, 2**32 - 1)])
def test_a_message_that_promises_too_much_is_not_read(bench: Supervisor, header: int, attachment: int) -> None:
    """The limit that it breaks is named."""
    with pytest.raises(WorkerDied, match=r"workers\.max_(header|attachment)_bytes"):
        bench.call("fill", {"header_bytes": header, "attachment_bytes": attachment})


def test_a_message_that_stops_in_the_middle_ends_the_process() -> None:
    """Nobody waits for the rest longer than `frame_seconds`."""
    supervisor = made(SETTINGS.model_copy(update={"frame_seconds": 0.3}))
    with pytest.raises(WorkerDied, match="stopped in the middle"):
        supervisor.call("fill", {"header_bytes": 100, "attachment_bytes": 0})
    supervisor.stop()


def test_a_result_or_a_call_that_is_too_large_is_an_error_of_that_call(bench: Supervisor) -> None:
    """Neither side sends it, and the process lives on."""
    bench.call("add", {"a": 1, "b": 1})
    pid = bench.pid
    with pytest.raises(CallFailed, match="max_header_bytes"):
        bench.call("too_much", {"size": 9_000_000})
    with pytest.raises(FrameError, match="max_header_bytes"):
        bench.call("add", {"a": "x" * 9_000_000, "b": "y"})
    with pytest.raises(FrameError, match="JSON"):
        bench.call("add", {"a": float("nan"), "b": 1})
    assert bench.call("add", {"a": 1, "b": 1}).value == 2 and bench.pid == pid


def test_pieces_that_nobody_takes_are_bounded() -> None:
    """A process that floods its parent is ended."""
    supervisor = made(SETTINGS.model_copy(update={"max_waiting_parts": 50}))
    with pytest.raises(WorkerDied, match="max_waiting_parts"):
        supervisor.call("flood", {"count": 100_000}, on_part=lambda _: time.sleep(0.01))
    supervisor.stop()


@given(data=st.binary(max_size=200), framed=st.booleans())
@settings(max_examples=150, deadline=None)
def test_no_bytes_break_the_reader(data: bytes, framed: bool) -> None:
    """Whatever comes is a frame, the end, or a FrameError."""
    raw, channel = pair()
    raw.sendall(struct.pack("!4sIIB", b"WKF1", len(data), 0, 0) + data if framed else data)
    raw.close()
    try:
        frame = channel.receive()
        assert frame is None or isinstance(frame.header, dict)
    except FrameError:
        pass
    finally:
        channel.close()


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=30), max_size=5), st.binary(max_size=50))
@settings(max_examples=50, deadline=None)
def test_what_is_sent_is_received(header: dict[str, Any], attachment: bytes) -> None:
    """Any text, lone surrogates too."""
    raw, channel = pair()
    channel.send(header, attachment=attachment)
    channel.shut()
    sent = b"".join(iter(lambda: raw.recv(4_096), b""))
    raw.close()
    channel.close()
    raw, channel = pair()
    raw.sendall(sent)
    frame = channel.receive()
    assert frame is not None and (frame.header, frame.attachment) == (header, attachment)
    raw.close()
    channel.close()


def test_a_cancelled_call_ends_soon_and_gives_what_it_has(bench: Supervisor) -> None:
    """It is asked, not killed."""
    bench.call("add", {"a": 1, "b": 1})
    pid, seen = bench.pid, list[int]()
    value = bench.call(
        "count", {"to": 1_000, "pause": 0.01}, cancelled=lambda: len(seen) > 3, on_part=seen.append
    ).value
    assert 3 < value["cancelled_at"] < 100 and bench.pid == pid


def test_a_call_that_does_not_listen_is_killed(bench: Supervisor) -> None:
    """After the grace, and the caller is told so."""
    bench.call("add", {"a": 1, "b": 1})
    with pytest.raises(WorkerDied, match="did not end a call"):
        bench.call("hang", {}, deadline=time.monotonic() + 0.05)
    assert bench.call("add", {"a": 1, "b": 1}).value == 2


def test_a_call_that_its_caller_left_does_not_block_the_next(bench: Supervisor) -> None:
    """Ctrl-C in the caller: the call is cancelled, and killed if that is not enough."""
    bench.call("add", {"a": 1, "b": 1})

    def interrupted() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.call("hang", {}, cancelled=interrupted)
    assert bench.call("add", {"a": 1, "b": 1}).value == 2


def test_the_deadline_is_told_as_what_is_left(bench: Supervisor) -> None:
    """The clocks of two processes need not agree."""
    left = bench.call("describe", {}, deadline=time.monotonic() + 7).value["deadline"]
    assert 5 < left <= 7
    assert bench.call("describe", {}).value["deadline"] is None
    with pytest.raises(CallCancelled):
        supervisor = made(factory="make_slowly", seconds=1)
        try:
            supervisor.call("add", {"a": 1, "b": 1}, deadline=time.monotonic() + 0.1)
        finally:
            supervisor.stop()


def test_one_call_too_many_is_refused() -> None:
    """Those that wait go on waiting."""
    supervisor = made(SETTINGS.model_copy(update={"max_waiting_calls": 2}))
    release = threading.Event()
    with ThreadPoolExecutor(4) as threads:
        running = threads.submit(supervisor.call, "nest", {"seconds": 9}, cancelled=release.is_set)
        until(lambda: supervisor.state == "busy")
        waiting = [threads.submit(supervisor.call, "add", {"a": 1, "b": n}) for n in range(2)]
        until(lambda: len(supervisor._line) == 2)
        with pytest.raises(WorkerBusy, match="max_waiting_calls"):
            supervisor.call("add", {"a": 1, "b": 1})
        release.set()
        assert running.result().value == "nested" and [call.result().value for call in waiting] == [1, 2]
    supervisor.stop()


def test_interactive_calls_go_first() -> None:
    """Of those that wait; each kind in its order."""
    supervisor = made()
    order: list[str] = []

    def ask(priority: Any, name: str) -> None:
        supervisor.call("count", {"to": 1}, priority=priority, on_part=lambda _: order.append(name))

    release = threading.Event()
    with ThreadPoolExecutor(4) as threads:
        threads.submit(supervisor.call, "nest", {"seconds": 9}, priority="scheduled", cancelled=release.is_set)
        until(lambda: supervisor.state == "busy")
        for index, priority in enumerate(("scheduled", "interactive", "interactive")):
            threads.submit(ask, priority, f"{priority} {index}")
            until(lambda index=index: len(supervisor._line) == index + 1)  # type: ignore[misc]
        release.set()
    assert order == ["interactive 1", "interactive 2", "scheduled 0"]
    supervisor.stop()


def test_an_interactive_call_runs_inside_a_scheduled_one() -> None:
    """Where the worker says that it can; the scheduled one goes on after it."""
    supervisor = made(nests=True)
    release = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(
            supervisor.call, "nest", {"seconds": 9}, priority="scheduled", cancelled=release.is_set
        )
        until(lambda: supervisor.state == "busy")
        assert supervisor.call("add", {"a": 1, "b": 2}).value == 3
        assert not running.done()
        release.set()
        assert running.result().value == "nested"
    supervisor.stop()


@pytest.mark.parametrize(
    ("how", "kind", "why"),
    [
        ("raise", CallFailed, "no such file"),
        ("crash", WorkerDied, "SIGSEGV"),
        ("exit", WorkerDied, "exit code 3; it last wrote: good bye"),
        ("sleep", WorkerDied, r"not ready after 0.5 s \(workers\.start_seconds\)"),
    ],
)
def test_one_that_never_gets_ready_is_told(how: str, kind: type[WorkerError], why: str) -> None:
    """Those who wait are told at once, and so is who comes later, without another try."""
    seconds = 0.5 if how == "sleep" else 60.0
    slow = SETTINGS.model_copy(update={"start_seconds": seconds, "restart_seconds": 20.0})
    supervisor = made(slow, "make_never", how=how)
    for _ in range(2):
        with pytest.raises(kind, match=why):
            supervisor.call("add", {"a": 1, "b": 1})
    supervisor.stop()


def test_a_system_that_gives_no_more_processes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own words where there are some, and nothing is left open."""
    before = open_files()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    for place in (
        "agent.workers.worker.launch",
        "agent.workers.worker.socket.socketpair",
        "agent.workers.worker.os.pipe",
    ):
        with monkeypatch.context() as patch:
            patch.setattr(place, refuse)
            supervisor = made(SETTINGS.model_copy(update={"restart_seconds": 20.0}))
            with pytest.raises(WorkerDied, match=r"temporarily unavailable|open files or threads"):
                supervisor.call("add", {"a": 1, "b": 1})
            supervisor.stop()
    assert open_files() == before


def test_limits_hold_in_the_child() -> None:
    """Memory and priority, where the settings say so."""
    supervisor = made(SETTINGS.model_copy(update={"nice": 5, "max_address_bytes": 2_000_000_000}))
    assert supervisor.call("describe", {}).value["nice"] == 5
    with pytest.raises(CallFailed) as told:
        supervisor.call("grow", {"size": 3_000_000_000})
    assert told.value.kinds[0] == "MemoryError"
    assert supervisor.call("add", {"a": 1, "b": 1}).value == 2
    supervisor.stop()


def test_a_target_that_is_not_there_is_told() -> None:
    """By the import's own words."""
    supervisor = Supervisor(WorkerSpec("x", "agent.no_such_module:make"), SETTINGS)
    supervisor.start({})
    with pytest.raises(CallFailed, match="no_such_module"):
        supervisor.call("add", {})
    supervisor.stop()


def test_a_module_prepares_before_it_is_told_what_to_load(tmp_path: Path) -> None:
    """So that its imports run while the parent still checks files."""
    mark = tmp_path / "mark"
    supervisor = Supervisor(WorkerSpec("bench", "tests.served:make", prepare={"mark": str(mark)}), SETTINGS)
    supervisor.spawn()
    until(mark.exists)
    supervisor.start({})
    assert supervisor.call("add", {"a": 1, "b": 1}).value == 2
    supervisor.stop()


def test_nothing_of_the_parent_is_inherited(bench: Supervisor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No open file, no secret, no core dump; few files of its own."""
    with (tmp_path / "secret").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        monkeypatch.setenv("WATCHKEEPER_REMOTE__API_KEY", "hidden")
        supervisor = made()
        seen = supervisor.call("describe", {}).value
        supervisor.stop()
    assert seen["files"][0].startswith("/dev/null") and len([f for f in seen["files"] if "secret" in f]) == 0
    assert len([f for f in seen["files"] if f.startswith("socket:")]) == 1
    assert "hidden" not in seen["environment"].values()
    assert (seen["core"], seen["open_files"]) == ("0", "256")


def test_the_environment_is_an_allow_list() -> None:
    """Keys, tokens and addresses with a password stay here."""
    environ = {
        "PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "OMP_NUM_THREADS": "2", "WATCHKEEPER_HOME": "/w",
        "AWS_SECRET": "s", "LD_PRELOAD": "x", "WATCHKEEPER_REMOTE__API_KEY": "k", "WATCHKEEPER_X_TOKEN": "t",
        "WATCHKEEPER_DB": "postgres://me:pw@host/db", "WATCHKEEPER_REMOTE__URL": "http://host:8000/v1",
    }  # fmt: skip
    passed = child_environment(environ, {"EXTRA": "1"})
    passed.pop("PYTHONPATH", None)
    assert sorted(passed) == [
        "EXTRA", "HOME", "LC_ALL", "OMP_NUM_THREADS", "PATH", "WATCHKEEPER_HOME", "WATCHKEEPER_REMOTE__URL",
    ]  # fmt: skip


def test_stop_leaves_nothing(tmp_path: Path) -> None:
    """No zombie, no descriptor, no thread, and nothing that the child started."""
    gc.collect()
    before = (open_files(), threading.active_count())
    supervisor = made()
    other = supervisor.call("start_other", {}).value
    supervisor.call("read", {}, buffers=[SharedBuffer.write(10, lambda view: None)])
    with pytest.raises(WorkerDied):
        supervisor.call("crash", {"signal_number": signal.SIGKILL})
    supervisor.call("add", {"a": 1, "b": 1})
    pid = supervisor.pid
    supervisor.stop()
    supervisor.stop()
    gc.collect()
    until(lambda: threading.active_count() == before[1])
    assert open_files() == before[0]
    assert not psutil.pid_exists(pid or 0) and supervisor.state == "stopped"
    until(lambda: not psutil.pid_exists(other) or psutil.Process(other).status() == psutil.STATUS_ZOMBIE)
    with pytest.raises(WorkerDown, match="stopped"):
        supervisor.call("add", {"a": 1, "b": 1})
    supervisor.start({})
    assert supervisor.call("add", {"a": 1, "b": 1}).value == 2
    supervisor.stop()


def test_stopping_does_not_wait_for_one_that_is_loading() -> None:
    """Ctrl-C while a large model loads."""
    supervisor = made(factory="make_slowly", seconds=30)
    until(lambda: supervisor.pid is not None)
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 5


def test_draining_lets_the_running_call_end() -> None:
    """And takes no other."""
    supervisor = made()
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(supervisor.call, "nest", {"seconds": 0.3})
        until(lambda: supervisor.state == "busy")
        draining = threading.Thread(target=supervisor.drain, args=(5,))
        draining.start()
        until(lambda: supervisor.state == "draining")
        with pytest.raises(WorkerDown, match="draining"):
            supervisor.call("add", {"a": 1, "b": 1})
        assert running.result().value == "nested"
        draining.join()
    assert supervisor.state == "stopped"
    idle = made()
    idle.call("add", {"a": 1, "b": 1})
    assert idle.drain(1)


PARENT = """
import sys, time, signal
from agent.settings import WorkerSettings
from agent.workers.launch import WorkerSpec
from agent.workers.supervisor import Supervisor
signal.signal(signal.SIGINT, signal.SIG_IGN)
supervisor = Supervisor(WorkerSpec("bench", "tests.served:make"), WorkerSettings())
supervisor.start({})
supervisor.call("add", {"a": 1, "b": 1})
print(supervisor.pid, flush=True)
for line in sys.stdin:
    print(supervisor.call("describe", {}).value["pid"], flush=True)
"""


def test_the_child_outlives_ctrl_c_and_not_its_parent() -> None:
    """SIGINT to the whole group leaves it at work; when the parent is killed it is gone."""
    root = Path(__file__).parent.parent
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root, process_group=0
    )
    with parent:
        assert parent.stdout and parent.stdin
        pid = int(parent.stdout.readline())
        os.killpg(parent.pid, signal.SIGINT)
        os.kill(pid, signal.SIGINT)
        parent.stdin.write(b"\n")
        parent.stdin.flush()
        assert int(parent.stdout.readline()) == pid
        parent.kill()
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_a_fresh_process_takes_over_in_time(tmp_path: Path) -> None:
    """It is started first; no call waits for it, and none is lost."""
    started = tmp_path / "started"
    supervisor = made(SETTINGS.model_copy(update={"recycle_calls": 3}), started=str(started))
    first = [supervisor.call("describe", {}).value["pid"] for _ in range(3)]
    until(lambda: len(started.read_text().split()) == 2)
    until(lambda: supervisor.pid not in (None, first[0]))
    assert len(set(first)) == 1
    assert supervisor.call("describe", {}).value["pid"] == int(started.read_text().split()[1])
    until(lambda: not psutil.pid_exists(first[0]))
    supervisor.stop()


def test_one_that_grows_is_replaced() -> None:
    """By memory of its own, measured after a call."""
    supervisor = made(SETTINGS.model_copy(update={"recycle_growth_bytes": 30_000_000}))
    supervisor.call("grow", {"size": 1_000})
    pid = supervisor.pid
    supervisor.call("grow", {"size": 60_000_000})
    until(lambda: supervisor.pid not in (None, pid))
    assert supervisor.call("grow", {"size": 1_000}).value == 1
    supervisor.stop()


def test_a_replacement_that_dies_changes_nothing(tmp_path: Path) -> None:
    """The old one goes on."""
    started = tmp_path / "started"
    supervisor = made(SETTINGS.model_copy(update={"recycle_calls": 2}), started=str(started))
    supervisor.call("add", {"a": 1, "b": 1})
    pid = supervisor.pid
    started.unlink()
    started.mkdir()  # so that the factory fails
    supervisor.call("add", {"a": 1, "b": 1})
    until(lambda: supervisor._replacement is None)
    assert supervisor.call("add", {"a": 1, "b": 1}).value == 2 and supervisor.pid == pid
    supervisor.stop()


def test_the_table_of_states_is_closed() -> None:
    """Every state is reached, can be stopped, and what is not in the table is a bug."""
    reached = {state for row in TRANSITIONS.values() for state in row.values()}
    assert reached == set(TRANSITIONS)
    assert {after(state, "stop") for state in TRANSITIONS} == {"stopped"}
    with pytest.raises(RuntimeError, match="stopped was told call"):
        after("stopped", "call")


def test_rests_double_up_to_a_limit_and_have_jitter() -> None:
    """And are short again once deaths lie far apart."""
    now = [0.0]
    limits = WorkerSettings(
        restart_seconds=1, restart_most_seconds=6, restart_jitter=0.5, breaker_deaths=9, breaker_window_seconds=100
    )
    health = Health(limits, clock=lambda: now[0], random=lambda: 0.5)
    assert [health.died() for _ in range(4)] == [("died", 1.25), ("died", 2.5), ("died", 5.0), ("died", 7.5)]
    now[0] = 101.0
    assert health.died() == ("died", 1.25)


def test_too_many_deaths_break_the_circuit_until_a_call_succeeds() -> None:
    """After the rest there is one try: another death and it rests again."""
    now = [0.0]
    limits = WorkerSettings(breaker_deaths=3, breaker_rest_seconds=30, breaker_window_seconds=60, restart_jitter=0)
    health = Health(limits, clock=lambda: now[0], random=lambda: 0.0)
    assert [health.died()[0] for _ in range(3)] == ["died", "died", "died_too_often"]
    now[0] = 100.0
    assert health.died() == ("died_too_often", 30)
    health.succeeded()
    assert health.died()[0] == "died"


def test_a_broken_worker_refuses_at_once_and_comes_back() -> None:
    """The refusal tells the last death."""
    rests: list[tuple[float, Callable[[], None]]] = []
    limits = SETTINGS.model_copy(update={"breaker_deaths": 2, "restart_jitter": 0.0})
    supervisor = Supervisor(
        WorkerSpec("bench", "tests.served:make"), limits, later=lambda seconds, run: rests.append((seconds, run))
    )
    supervisor.start({})
    for _ in range(2):
        with pytest.raises(WorkerDied):
            supervisor.call("crash", {"signal_number": signal.SIGKILL})
        until(lambda: supervisor.state in ("backing_off", "broken"))
        if supervisor.state == "backing_off":
            rests[-1][1]()
    assert supervisor.state == "broken" and [seconds for seconds, _ in rests] == [0.01, 30]
    with pytest.raises(WorkerDown, match=r"died too often.*SIGKILL"):
        supervisor.call("add", {"a": 1, "b": 1})
    rests[-1][1]()
    assert supervisor.call("add", {"a": 1, "b": 1}).value == 2
    supervisor.stop()


def test_a_message_to_a_child_is_json_and_nothing_else() -> None:
    """No pickle anywhere in the package."""
    folder = Path(__file__).parent.parent / "agent" / "workers"
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    assert "import pickle" not in text and "multiprocessing" not in text
