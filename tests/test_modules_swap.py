"""A module is swapped while it is called: the new version proves itself first, and the old one was never stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.env import Env
from agent.errors import CallFailed, ModuleError, SwapFailed, WorkerDied, WorkerDown
from agent.modules.host import ModuleHost
from agent.modules.manifest import Golden
from agent.modules.module import Module
from agent.modules.states import TRANSITIONS, after
from agent.modules.trial import difference
from tests.modules_kit import installed, tally
from tests.served import open_files, until

QUICK = {
    "trial_call_seconds": 0.5, "start_seconds": 2.0, "grace_seconds": 0.3, "follow_seconds": 0.05, "drain_seconds": 5.0,
    "trial_rounds": 6, "retry_seconds": 0.2, "spare_ram_bytes": 0,
}  # fmt: skip


@pytest.fixture
def quick(env: Env) -> Env:
    modules = env.settings.modules.model_copy(update=QUICK)
    return replace(env, settings=env.settings.model_copy(update={"modules": modules}))


@pytest.fixture
def hosts() -> Iterator[list[ModuleHost]]:
    """What is appended is closed at the end."""
    made: list[ModuleHost] = []
    yield made
    for host in made:
        host.close()


@pytest.fixture
def opened(quick: Env, tmp_path: Path, hosts: list[ModuleHost]) -> Callable[..., tuple[ModuleHost, Module]]:
    """A host with version 1.0 answering and further bundles installed."""

    def make(*more: Path) -> tuple[ModuleHost, Module]:
        host = installed(quick, tally(tmp_path), *more)
        hosts.append(host)
        return host, host.open("tally")

    return make


def add(module: Module) -> Any:
    return module.call("add", {"a": 1, "b": 2}).value


def version(module: Module) -> Any:
    return module.call("version", {}).value


def test_a_swap_is_not_noticed_by_callers(opened: Callable[..., tuple[ModuleHost, Module]], tmp_path: Path) -> None:
    """Six callers, four swaps: every call is answered, each by one of the versions, and the last is the new one."""
    host, module = opened(tally(tmp_path, "1.1"))
    stop = threading.Event()
    seen: set[str] = set()

    def calls() -> int:
        count = 0
        while not stop.is_set():
            assert add(module) == 3
            seen.add(version(module))
            count += 2
        return count

    with ThreadPoolExecutor(6) as threads:
        counts = [threads.submit(calls) for _ in range(6)]
        for to in ("1.1", "1.0", "1.1", "1.0", "1.1"):
            done = host.swap("tally", to)
            assert done.version == to and done.gap_ms == 0 and not done.alone
        stop.set()
        assert sum(count.result() for count in counts) > 50
    assert seen == {"1.0", "1.1"} and version(module) == "1.1"
    assert host.store.choice("tally").previous == "1.0"


@pytest.mark.parametrize(
    ("misbehaves", "said"),
    [
        ({"at_start": "raise ValueError('no luck')"}, "does not start: no luck"),
        ({"at_start": "os._exit(3)"}, "does not start: .*exit code 3"),
        ({"at_start": "time.sleep(60)"}, r"was not ready after 2 s"),
        ({"at_add": "os.kill(os.getpid(), signal.SIGSEGV)"}, "SIGSEGV"),
        ({"at_add": "time.sleep(60)"}, "did not end a call"),
        ({"at_add": "return 6"}, "gave 6, and 5 was recorded"),
        ({"at_add": "held.append(bytearray(1_500_000))"}, "it grew by"),
        ({"well": False}, "it is not well: tally"),
        ({"at_add": "raise OSError('gone')"}, "gone"),
        ({"at_start": "bytearray(700_000_000)"}, "does not start"),
        ({"at_start": "self.check_health = lambda context: 7"}, "no list of findings"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_version_that_is_not_sound_never_answers(
    opened: Callable[..., tuple[ModuleHost, Module]], tmp_path: Path, misbehaves: dict[str, Any], said: str
) -> None:
    """It crashes, hangs, lies or leaks: rolled back, written down, and the old process was never stopped."""
    host, module = opened(tally(tmp_path, "1.1", **misbehaves))
    before = module.pid
    with pytest.raises(SwapFailed, match=said) as told:
        host.swap("tally", "1.1")
    assert str(told.value).endswith("1.0 answers as before")
    assert module.pid == before and module.state == "serving" and add(module) == 3
    choice = host.store.choice("tally")
    assert choice.current == "1.0" and "1.1" in choice.rejected
    assert not (host.store.folder / "tally" / "swap.json").exists()


def test_what_it_complained_of_before_is_no_reason(quick: Env, tmp_path: Path, hosts: list[ModuleHost]) -> None:
    """A log that is missing was missing for the old version too."""
    host = ModuleHost(quick)
    hosts.append(host)
    for one in ("1.0", "1.1"):
        host.store.install(tally(tmp_path, one, well=False))
    with pytest.raises(SwapFailed, match="no version answers"):
        host.swap("tally", "1.0")
    host.store.choose("tally", lambda choice: replace(choice, current="1.0"))
    host.open("tally")
    assert host.swap("tally", "1.1").version == "1.1"


def test_the_state_of_a_module_survives(opened: Callable[..., tuple[ModuleHost, Module]], tmp_path: Path) -> None:
    """What it wrote into its folder is there for the next version, and for the one that comes back."""
    host, module = opened(tally(tmp_path, "1.1"))
    assert module.call("count", {}).value == 1
    host.swap("tally", "1.1")
    assert module.call("count", {}).value == 2
    host.rollback("tally")
    assert module.call("count", {}).value == 3 and version(module) == "1.0"


def test_a_version_that_only_looked_sound_is_taken_back(
    opened: Callable[..., tuple[ModuleHost, Module]], tmp_path: Path
) -> None:
    """It passes its golden calls and dies in its first real ones: the one before answers again by itself."""
    host, module = opened(tally(tmp_path, "1.1"))
    host.swap("tally", "1.1")
    for _ in range(2):
        with pytest.raises(WorkerDied):
            module.call("crash", {})
    until(lambda: module.version == "1.0" and module.state == "serving", seconds=10)
    assert version(module) == "1.0"
    choice = host.store.choice("tally")
    assert (choice.current, choice.previous) == ("1.0", "") and "died in its first calls" in choice.rejected["1.1"]
    until(lambda: bool(host.notes))


def test_calls_inside_the_old_version_end_there(
    opened: Callable[..., tuple[ModuleHost, Module]], tmp_path: Path
) -> None:
    """A call that runs when the swap comes is answered by the version that it went to."""
    host, module = opened(tally(tmp_path, "1.1"))
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(lambda: module.call("hang", {"seconds": 1.0}).value)
        until(lambda: module._running is not None and module._running.inside == 1)
        done = host.swap("tally", "1.1")
        assert version(module) == "1.1" and done.drain_ms > 100
        assert slow.result() == "late"


def test_where_memory_holds_only_one(quick: Env, tmp_path: Path, hosts: list[ModuleHost]) -> None:
    """The old one is stopped first; meanwhile callers are told at once; one that fails brings the old one back."""
    host = ModuleHost(quick, free_bytes=lambda: 1)
    hosts.append(host)
    for one in (tally(tmp_path), tally(tmp_path, "1.1", at_start="time.sleep(0.4)"),
                tally(tmp_path, "1.2", at_add="return 6")):  # fmt: skip
        host.store.install(one)
    host.swap("tally", "1.0")
    module = host.open("tally")
    with ThreadPoolExecutor(1) as threads:
        swap = threads.submit(host.swap, "tally", "1.1")
        until(lambda: module.state == "starting_alone")
        with pytest.raises(WorkerDown, match="no version of this module answers now; it is starting_alone"):
            add(module)
        done = swap.result()
    assert done.alone and done.gap_ms >= 400 and version(module) == "1.1"
    with pytest.raises(SwapFailed, match=r"gave 6.*1\.1 answers as before"):
        host.swap("tally", "1.2")
    assert version(module) == "1.1" and module.state == "serving"


@pytest.mark.parametrize(("reached", "answers", "said"), [("1.0", "1.0", "was interrupted; 1"), ("1.1", "1.1", "done")])
def test_power_goes_during_a_swap(
    quick: Env, tmp_path: Path, hosts: list[ModuleHost], reached: str, answers: str, said: str
) -> None:
    """Before the choice is replaced the old version answers after the start, and from then on the new one."""
    host = installed(quick, tally(tmp_path), tally(tmp_path, "1.1"))
    host.store.begin("tally", "1.1")
    host.store.choose("tally", lambda choice: replace(choice, current=reached, previous="1.0"))
    (host.store.folder / "tally" / ".draft-x" / "site").mkdir(parents=True)
    later = ModuleHost(quick)
    hosts.append(later)
    assert version(later.open("tally")) == answers
    assert said in later.notes[0]
    assert ("1.1" in later.store.choice("tally").rejected) == (reached == "1.0")
    assert not list((host.store.folder / "tally").glob(".draft-*"))
    assert later.swap("tally", "1.1").version == "1.1"


def test_an_agent_that_runs_follows(opened: Callable[..., tuple[ModuleHost, Module]], tmp_path: Path) -> None:
    """Another program swaps, or chooses without a trial: the agent tries and swaps too, or says no."""
    host, module = opened(tally(tmp_path, "1.1"), tally(tmp_path, "1.2", at_add="return 6"))
    other = ModuleHost(host.env)
    other.swap("tally", "1.1")
    until(lambda: module.version == "1.1", seconds=10)
    other.hand_over("tally", "1.2")
    until(lambda: other.store.choice("tally").current == "1.1", seconds=10)
    assert version(module) == "1.1" and "gave 6" in other.store.choice("tally").rejected["1.2"]
    other.close()


def test_a_damaged_version_makes_room_for_the_one_before(quick: Env, tmp_path: Path, hosts: list[ModuleHost]) -> None:
    """A file of the chosen version rots: at the next start the one before answers, and that is said."""
    host = installed(quick, tally(tmp_path), tally(tmp_path, "1.1"))
    host.swap("tally", "1.1")
    (host.store.folder / "tally" / "1.1" / "site" / "tally.py").write_text("rotten")
    later = ModuleHost(quick)
    hosts.append(later)
    assert version(later.open("tally")) == "1.0"
    assert "is not what was installed" in later.notes[0]


def test_one_that_does_not_start_is_not_tried_with_every_call(
    quick: Env, tmp_path: Path, hosts: list[ModuleHost]
) -> None:
    """It is left alone for a while, and says the same meanwhile."""
    host = installed(quick, tally(tmp_path))
    note = host.store.folder / "tally" / "1.0" / "bundle.json"
    sound = note.read_text()
    note.write_text("{")
    later = ModuleHost(quick)
    hosts.append(later)
    with pytest.raises(ModuleError, match="note on disk is damaged"):
        later.open("tally")
    note.write_text(sound)
    with pytest.raises(ModuleError, match="note on disk is damaged"):
        later.open("tally")
    time.sleep(QUICK["retry_seconds"])
    assert add(later.open("tally")) == 3


def test_a_commit_that_the_disk_refuses_takes_the_swap_back(
    opened: Callable[..., tuple[ModuleHost, Module]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The choice cannot be written: the old version answers, here and after a restart."""
    host, module = opened(tally(tmp_path, "1.1"))
    choose = host.store.choose

    def full(name: str, change: Any) -> Any:
        if module.state == "trying":
            raise ModuleError("the disk is full")
        return choose(name, change)

    monkeypatch.setattr(host.store, "choose", full)
    with pytest.raises(ModuleError, match="the disk is full"):
        host.swap("tally", "1.1")
    assert version(module) == "1.0" and host.store.choice("tally").current == "1.0" and module.state == "serving"


def test_one_swap_at_a_time(opened: Callable[..., tuple[ModuleHost, Module]], tmp_path: Path) -> None:
    """A second one waits for its turn, and is refused after a while."""
    host, module = opened(tally(tmp_path, "1.1", at_start="time.sleep(0.6)"))
    short = host.env.settings.modules.model_copy(update={"lock_seconds": 0.05})
    settings = host.env.settings.model_copy(update={"modules": short})
    other = ModuleHost(replace(host.env, settings=settings))
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(host.swap, "tally", "1.1")
        until(lambda: module.state == "starting")
        with pytest.raises(ModuleError, match="another program changes this module"):
            other.swap("tally", "1.0")
        assert first.result().version == "1.1"
    other.close()


def test_a_call_that_fails_is_the_modules_own(opened: Callable[..., tuple[ModuleHost, Module]]) -> None:
    """An error of the module is told by class; only deaths count against a version."""
    _, module = opened()
    for _ in range(3):
        with pytest.raises(CallFailed):
            module.call("add", {"a": 1})
    assert version(module) == "1.0"


def test_nothing_is_left_behind(opened: Callable[..., tuple[ModuleHost, Module]], tmp_path: Path) -> None:
    """After ten swaps one process runs, and after closing none."""
    host, module = opened(tally(tmp_path, "1.1"))
    pids = {module.pid}
    files = len(open_files())
    for to in ("1.1", "1.0") * 3:
        host.swap("tally", to)
        pids.add(module.pid)
    assert len(pids) == 7
    until(lambda: sum(_lives(pid) for pid in pids) == 1)
    until(lambda: len(open_files()) <= files)
    host.close()
    until(lambda: not any(_lives(pid) for pid in pids))
    with pytest.raises(WorkerDown):
        add(module)


def _lives(pid: int | None) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_the_table_of_states() -> None:
    """Every state is reached and left, and what is not listed is a bug."""
    reached = {state for events in TRANSITIONS.values() for state in events.values()}
    assert reached == set(TRANSITIONS)
    assert all(TRANSITIONS.values())
    with pytest.raises(RuntimeError, match="a module that is empty was told proved"):
        after("empty", "proved")


@pytest.mark.parametrize(
    ("bound", "value", "fits"),
    [
        ({"equals": 5}, 5, True), ({"equals": 5}, True, False), ({"equals": 1}, 1.0, True),
        ({"equals": [1]}, [1, 2], False),
        ({"equals": {"a": 0.1}}, {"a": 0.1 + 1e-9}, True), ({"equals": {"a": 1}}, {"a": 1, "b": 2}, False),
        ({"contains": {"a": "lo"}}, {"a": "hello", "b": 2}, True), ({"contains": {"a": "lo"}}, [], False),
        ({"contains": [{"k": 1}]}, [{"k": 2}, {"k": 1, "m": 3}], True), ({"contains": ["x"]}, ["y"], False),
        ({"at_least": 2}, 3, True), ({"at_least": 2}, 1, False), ({"at_most": 2}, "1", False),
        ({"at_least": 0, "at_most": 1}, 0.5, True), ({"at_most": 1}, float("nan"), False),
        ({"at_least": 0}, True, False),
    ],
)  # fmt: skip
def test_what_a_golden_call_must_give(bound: dict[str, Any], value: Any, fits: bool) -> None:
    """Equal, containing, or within bounds."""
    assert (difference(Golden(method="m", **bound), value) == "") == fits
