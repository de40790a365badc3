"""Deaths of the model's process: killed at random moments, and its file cut short while it is mapped.

The model is a tiny one with random weights; what is tried is the process around it. Nothing may wait past its deadline,
and the next call is answered.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.env import load_env
from agent.errors import ModelError
from agent.messages import Message, Reply
from agent.model.protocol import ReplyLimits
from agent.model.worker import WorkerModel
from agent.settings import ModelSettings, WorkerSettings
from tests.faults import Row
from tests.tiny_qwen3vl import write_tiny_qwen3vl

__all__ = ["kill_at_random", "run", "truncate_while_mapped"]

KILLS, CUTS = 200, 20
SEED = 4
DEADLINE_SECONDS = 20.0
SLACK_SECONDS = 1.0
"""That a call may end after its deadline, on a machine that does other things too."""
LONGEST_WAIT_SECONDS = 0.15
"""From the beginning of a call to the kill: before, in, and after it."""
_SETTINGS = ModelSettings(
    context_tokens=512, batch_tokens=128, micro_batch_tokens=64, image_tokens=64, prefix_cache_bytes=0, threads=1
)
_WORKERS = WorkerSettings(
    restart_seconds=0.01, restart_most_seconds=0.05, breaker_deaths=1_000_000, cancel_grace_seconds=2, stop_seconds=1
)


def run() -> Iterator[Row]:
    """Both rows, as they come."""
    vocabulary = next(iter(sorted((load_env().weights.folder / "qwen2.5-0.5b").glob("*.gguf"))), None)
    if vocabulary is None:
        reason = "needs the vocabulary of qwen2.5-0.5b: watchkeeper weights pull qwen2.5-0.5b"
        yield from (Row(told, 0, 0, 0.0, reason) for told in ("kill -9 of a worker", "file truncated while mapped"))
        return
    with tempfile.TemporaryDirectory() as folder:
        tiny = write_tiny_qwen3vl(vocabulary, Path(folder)).model
        yield kill_at_random(tiny, KILLS)
        yield truncate_while_mapped(tiny, CUTS)


def kill_at_random(file: Path, times: int) -> Row:
    """Each time: a call, its process killed at some moment, and one more call, which must be answered."""
    chosen, held, lost, slowest, died = random.Random(SEED), 0, "", 0.0, 0
    began = time.perf_counter()
    with _started(file) as model:
        first = _ask(model)
        for number in range(times):
            while not (pid := model.pid):  # killed late, and starting again
                _ask(model)
            killer = threading.Timer(chosen.uniform(0, LONGEST_WAIT_SECONDS), _kill, (pid,))
            killer.start()
            start = time.monotonic()
            outcome = _outcome(model, tokens=chosen.choice((4, 100, 400)))
            took = time.monotonic() - start
            killer.join()
            slowest = max(slowest, took)
            died += outcome.startswith("ModelError")
            again = _outcome(model, tokens=4, tries=2)
            fine = took < DEADLINE_SECONDS + SLACK_SECONDS and again == first.text
            held += fine
            lost = lost or ("" if fine else f"kill {number}: {outcome!r:.120} after {took:.1f} s, then {again!r:.200}")
    note = lost or f"{died} calls were hit; the slowest one took {slowest:.2f} s of {DEADLINE_SECONDS:g} s"
    return Row("kill -9 of a worker, at random moments", times, held, time.perf_counter() - began, note)


def truncate_while_mapped(file: Path, times: int) -> Row:
    """Each time: mapped, cut short, called; the call fails in words; the file back, the next one is answered."""
    held, lost, buses = 0, "", 0
    began = time.perf_counter()
    for number in range(times):
        copy = file.with_name("mapped.gguf")
        shutil.copyfile(file, copy)
        with _started(copy) as model:
            first = _ask(model)
            os.truncate(copy, 4_096 * (1 + number))
            start = time.monotonic()
            outcome = _outcome(model, tokens=8, text="another question, so that nothing of it is known")
            took = time.monotonic() - start
            shutil.copyfile(file, copy)
            again = _outcome(model, tokens=4, tries=3)
        buses += "SIGBUS" in outcome
        fine = outcome.startswith("ModelError") and took < DEADLINE_SECONDS + SLACK_SECONDS and again == first.text
        held += fine
        lost = lost or ("" if fine else f"cut {number}: {outcome!r:.300} after {took:.1f} s, then {again!r:.200}")
    note = lost or f"{buses} died of SIGBUS"
    return Row("file truncated while mapped", times, held, time.perf_counter() - began, note)


@contextmanager
def _started(file: Path) -> Iterator[WorkerModel]:
    model = WorkerModel("tiny", settings=_SETTINGS, workers=_WORKERS)
    try:
        model.load(file)
        yield model
    finally:
        model.close()


def _ask(model: WorkerModel, tokens: int = 4, text: str = "hello") -> Reply:
    limits = ReplyLimits(tokens, deadline=time.monotonic() + DEADLINE_SECONDS)
    messages = [Message("system", "You watch over machines."), Message("user", text)]
    return model.reply(messages, (), bound=None, limits=limits)


def _outcome(model: WorkerModel, *, tokens: int, text: str = "hello", tries: int = 1) -> str:
    """What was said; or, in words, why not. A process that was killed between two calls is noticed by the second."""
    told = ""
    for _ in range(tries):
        try:
            return _ask(model, tokens, text).text
        except ModelError as error:
            told = f"ModelError: {error}"
    return told


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
