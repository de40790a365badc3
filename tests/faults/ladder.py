"""What storage does to a weight file while a real model answers from it, or before: the next rung answers and says so,
and when a source has the file again, the model is back without a hand.

The models are the tiny random one, with its projector, and the 0.5B where it is here, each in its own process. What
needs a dying disk (a file that is not read back) is made by system calls that fail in this process, and by the signal
that the kernel sends to a process whose mapped page cannot be read.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from agent.env import load_env
from agent.model.falls import Fall, said_of
from agent.model.ladder import Ladder
from agent.model.worker import WorkerModel
from agent.weights.ladder import RULES
from tests.faults import Row
from tests.ladder_kit import QUICK, LadderBox, ask, make_box, sees
from tests.tiny_qwen3vl import write_tiny_qwen3vl

__all__ = ["FAULTS", "Fault", "run", "try_fault"]

_OTHER_BYTES = 3_000_000
_BACK_SECONDS = 90.0
_PAUSE_SECONDS = 0.05
_PROVING = QUICK.model_copy(update={"golden": True})


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to lose a file."""

    name: str
    inject: Callable[[LadderBox], None]
    fails: str = ""
    """The system call that fails on that file from then on, where the fault is the storage's."""
    errno: int = 0
    kills: bool = False
    """A process that has the file mapped gets SIGBUS, again and again."""


def run() -> Iterator[Row]:
    """A row for each fault and model: at rest and while serving."""
    vocabulary = load_env().weights.where("qwen2.5-0.5b")["model"]
    if not vocabulary.exists():
        yield Row("weights lost under a real model", 0, 0, 0.0, "needs qwen2.5-0.5b, for its vocabulary")
        return
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as name:
        made = Path(name) / "tiny"
        made.mkdir()
        models = {"tiny": sees(write_tiny_qwen3vl(vocabulary, made)), "0.5B": {"model": vocabulary}}
        for told, files in models.items():
            for fault in FAULTS:
                yield _row(Path(name) / "box", told, files, fault)


def _row(folder: Path, told: str, files: dict[str, Path], fault: Fault) -> Row:
    began, held, lost = time.perf_counter(), 0, ""
    for serving in (False, True):
        problem = try_fault(folder, files, fault, serving=serving, golden=told != "tiny")
        shutil.rmtree(folder)
        held += not problem
        lost = lost or (f"{'serving' if serving else 'at rest'}: {problem}" if problem else "")
    name = f"{told}, {fault.name}: at rest and serving → next rung, said, back"
    return Row(name, 2, held, time.perf_counter() - began, lost)


def try_fault(folder: Path, files: dict[str, Path], fault: Fault, *, serving: bool, golden: bool) -> str:
    """Lose the file and get it back.

    :param golden: the model is sane and has to prove it.
    :return: what did not hold; empty where all did.
    """
    other = folder / "other"
    folder.mkdir(parents=True, exist_ok=True)
    other.write_bytes(random.Random(4).randbytes(_OTHER_BYTES))
    box = make_box(folder, {"big": files, "other": {"det": other}}, ladder=_PROVING if golden else QUICK)
    box.env.weights.verified("big").close()  # it was in use once
    ladder = box.ladder()
    ladder.watch()
    try:
        if serving and (first := ask(ladder)) != ("big", ()):
            return f"before the fault: {first}"
        sick = box.path("big").stat().st_ino
        fault.inject(box)
        with _failing(fault, sick), _killing(ladder if fault.kills else None):
            name, falls = ask(ladder)
            if name != RULES or not _is_said(falls):
                return f"{name} answered, and said {falls}"
        with _failing(fault, sick):
            box.lend("big")
            return _comes_back(ladder)
    finally:
        ladder.close()


def _is_said(falls: tuple[Fall, ...]) -> bool:
    """Which rung, and in Chinese without a word of English beyond names and commands."""
    if [fall.rung for fall in falls] != ["big"]:
        return False
    said = said_of(falls[0], RULES)
    return "big 不可用" in said["zh"] and "big is not usable" in said["en"]


def _comes_back(ladder: Ladder) -> str:
    until = time.monotonic() + _BACK_SECONDS
    while time.monotonic() < until:
        name, falls = ask(ladder)
        if name == "big":
            again = [fall.kind for fall in falls] == ["again"]
            name, falls = ask(ladder)
            return "" if again and (name, falls) == ("big", ()) else f"it is back, and then {name} says {falls}"
        time.sleep(_PAUSE_SECONDS)
    return f"it is not back after {_BACK_SECONDS:g} s: {ladder.falls}"


@contextmanager
def _failing(fault: Fault, sick: int) -> Iterator[None]:
    """System calls on the file fail, as they do on a dying disk; on a new file in its place they do not."""
    if not fault.fails:
        yield
        return
    real = getattr(os, fault.fails)

    def failing(target: Any, *arguments: Any, **more: Any) -> Any:
        found = os.stat(target) if isinstance(target, int) or os.path.exists(target) else None  # noqa: PTH110, PTH116
        if found is not None and found.st_ino == sick:
            raise OSError(fault.errno, os.strerror(fault.errno))
        return real(target, *arguments, **more)

    with mock.patch.object(os, fault.fails, failing):
        yield


@contextmanager
def _killing(ladder: Ladder | None) -> Iterator[None]:
    """Whatever process the model runs in dies as the kernel kills one whose mapped page cannot be read."""
    over, begun = threading.Event(), threading.Event()
    if ladder is None or _pid(ladder) is None:
        yield  # nothing is mapped yet
        return

    def kill() -> None:
        while not over.wait(0.002):
            if pid := _pid(ladder):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGBUS)
                begun.set()

    thread = threading.Thread(target=kill)
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _pid(ladder: Ladder) -> int | None:
    inner: Any = ladder._standing.model
    while inner is not None and not isinstance(inner, WorkerModel):
        inner = getattr(inner, "_model", None)
    return inner.pid if inner is not None else None


def _swap(box: LadderBox) -> None:
    path, other = box.path("big"), box.path("other", "det")
    aside = path.with_name("aside")
    path.rename(aside)
    other.rename(path)
    aside.rename(other)


def _link_outside(box: LadderBox) -> None:
    path, outside = box.path("big"), box.stick.parent / "outside.gguf"
    path.rename(outside)
    path.symlink_to(outside)


def _touch_mode(box: LadderBox) -> None:
    box.path("big").chmod(0)


FAULTS = (
    Fault("truncated", lambda box: os.truncate(box.path("big"), box.path("big").stat().st_size // 2)),
    Fault("empty", lambda box: os.truncate(box.path("big"), 0)),
    Fault("swapped with another file", _swap),
    Fault("unreadable", _touch_mode, fails="open", errno=errno.EACCES),
    Fault("vanished", lambda box: box.path("big").unlink()),
    Fault("read error (EIO)", lambda box: None, fails="preadv", errno=errno.EIO, kills=True),
    Fault("link that leads outside", _link_outside),
)
