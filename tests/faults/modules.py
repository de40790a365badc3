"""Faults of modules: swaps under load, versions that do not behave, processes that are killed, memory that grows.

Callers never stop while it happens. What has to hold: no failed call, no call past its deadline, the old version never
stopped by a bad one, and after any kill the module answers with one of its versions.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from agent.env import Env, load_env
from agent.errors import SwapFailed, WorkerError
from agent.home import find_home
from agent.modules.host import ModuleHost
from agent.modules.module import Module
from agent.modules.plugin_wire import pack_photo
from agent.modules.remote_plugin import pack_env
from agent.photo import Photo
from agent.settings import WorkerSettings
from agent.workers.launch import WorkerSpec
from agent.workers.process import own_memory_bytes
from agent.workers.shared import SharedBuffer
from agent.workers.supervisor import Supervisor
from tests.faults import Row
from tests.modules_kit import installed, tally

CALLERS = 16
SWAPS = 50
PHASES = 10
"""The swaps are spread over as many phases, each beside one without swaps, so that the box's moods fall on both."""
WORK_SECONDS = 0.002
PAUSE_SECONDS = 0.005
"""Before a caller that was told of a death asks again."""
KILLS = 200
DEADLINE_SECONDS = 2.0
GRACE_SECONDS = 0.5
SETTLE_SECONDS = 1.0
"""For the process that follows the last one killed."""
POWER_LOSSES = 30
OCR_CALLS = 10_000
OCR_RECYCLE = 2_000
FLAT = 0.1
"""By which memory may differ."""
SLACK_SECONDS = 0.3
"""For this process to notice, on a box that does other things."""
BAD: dict[str, dict[str, object]] = {
    "crashes": {"at_add": "os.kill(os.getpid(), signal.SIGSEGV)"},
    "crashes at its start": {"at_start": "os._exit(3)"},
    "hangs": {"at_add": "time.sleep(600)"},
    "lies": {"at_add": "return 6"},
    "says that it is not well": {"well": False},
    "leaks": {"at_add": "held.append(bytearray(1_000_000))"},
}
SEED = 7


def run() -> list[Row]:
    """The rows of the fault table that are about modules."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for number, fault in enumerate((_swaps_under_load, _bad_versions, _kills, _power_losses, _ocr_calls)):
            begun = time.monotonic()
            row = fault(Path(scratch) / str(number))
            rows.append(replace(row, seconds=round(time.monotonic() - begun, 1)))
    return rows


def _env(folder: Path, **modules: float) -> Env:
    env = load_env({"WATCHKEEPER_HOME": str(folder / "home")})
    changed = env.settings.modules.model_copy(update={"spare_ram_bytes": 0, **modules})
    return replace(env, settings=env.settings.model_copy(update={"modules": changed}))


# Swaps under load


@contextmanager
def _callers(call: Callable[[], None]) -> Iterator[tuple[list[float], list[Exception]]]:
    """Callers that never pause: seconds of each call, and what failed."""
    took: list[float] = []
    failed: list[Exception] = []
    stop = threading.Event()

    def go() -> None:
        while not stop.is_set():
            begun = time.perf_counter()
            try:
                call()
            except Exception as error:
                failed.append(error)
            took.append(time.perf_counter() - begun)

    with ThreadPoolExecutor(CALLERS) as threads:
        for _ in range(CALLERS):
            threads.submit(go)
        try:
            yield took, failed
        finally:
            stop.set()


def _swaps_under_load(folder: Path) -> Row:
    slow = f"time.sleep({WORK_SECONDS})"
    host = installed(
        _env(folder, trial_rounds=3), tally(folder, at_add=slow), tally(folder, "1.1", at_add=slow)
    )  # fmt: skip
    module = host.open("tally")
    quiet: list[float] = []
    busy: list[float] = []
    failures: list[Exception] = []
    gaps: list[float] = []
    swapped: list[float] = []
    for _ in range(PHASES):
        begun = time.perf_counter()
        with _callers(lambda: _add(module)) as (took, failed):
            for _ in range(SWAPS // PHASES):
                at = time.perf_counter()
                done = host.swap("tally", "1.1" if module.version == "1.0" else "1.0")
                swapped.append((time.perf_counter() - at) * 1000)
                gaps.append(done.gap_ms)
        seconds = time.perf_counter() - begun
        busy += took
        failures += failed
        with _callers(lambda: _add(module)) as (took, failed):
            time.sleep(seconds)
        quiet += took
        failures += failed
    host.close()
    with_swaps, without = _p99(busy) * 1000, _p99(quiet) * 1000
    sound = not failures and with_swaps <= 2 * without and max(gaps) == 0
    note = (
        f"{len(failures)} of {len(busy)} calls failed; p99 {with_swaps:.0f} ms with swaps, {without:.0f} ms without; "
        f"a swap took {statistics.median(swapped):.0f} ms, and nobody answered for {max(gaps):g} ms"
    )
    return Row(f"swapped under {CALLERS} callers", SWAPS, SWAPS if sound else 0, 0, note)


def _add(module: Module) -> None:
    assert module.call("add", {"a": 1, "b": 2}).value == 3


def _p99(seconds: list[float]) -> float:
    return float(np.percentile(seconds, 99))


# Versions that do not behave


def _bad_versions(folder: Path) -> Row:
    env = _env(folder, trial_call_seconds=1.0, start_seconds=5.0, grace_seconds=0.5)
    bundles = [tally(folder, f"2.{number}", **how) for number, how in enumerate(BAD.values())]  # type: ignore[arg-type]
    host = installed(env, tally(folder), *bundles)
    module = host.open("tally")
    pid, refused = module.pid, 0
    with _callers(lambda: _add(module)) as (took, failed):
        for number in range(len(BAD)):
            try:
                host.swap("tally", f"2.{number}")
            except SwapFailed:
                refused += 1
    same = module.pid == pid and module.version == "1.0"
    host.close()
    note = f"{', '.join(BAD)}; {len(failed)} of {len(took)} calls meanwhile failed"
    return Row("swapped to a bad version", len(BAD), refused if same and not failed else 0, 0, note)


# Killed processes


def _kills(folder: Path) -> Row:
    """SIGKILL at random moments; each call has a deadline."""
    env = _env(folder, grace_seconds=GRACE_SECONDS, probation_calls=0)
    workers = env.settings.workers.model_copy(
        update={"restart_seconds": 0.01, "restart_most_seconds": 0.02, "breaker_deaths": 10 * KILLS}
    )
    env = replace(env, settings=env.settings.model_copy(update={"workers": workers}))
    host = installed(env, tally(folder, at_add="time.sleep(0.001)"))
    module = host.open("tally")
    chosen = random.Random(SEED)
    died: list[str] = []

    def call() -> None:
        with suppress(WorkerError):
            module.call("add", {"a": 1, "b": 2}, deadline=time.monotonic() + DEADLINE_SECONDS)
            return
        died.append("")
        time.sleep(PAUSE_SECONDS)

    killed: set[int] = set()
    with _callers(call) as (took, failed):
        while len(killed) < KILLS:
            time.sleep(chosen.uniform(0, 0.3))
            pid = module.pid
            if pid is not None and pid not in killed:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)
    time.sleep(SETTLE_SECONDS)
    answered = module.call("add", {"a": 1, "b": 2}, deadline=time.monotonic() + DEADLINE_SECONDS).value == 3
    host.close()
    late = sum(seconds > DEADLINE_SECONDS + GRACE_SECONDS + SLACK_SECONDS for seconds in took)
    note = f"{len(took)} calls, {len(died)} told that it died, longest {max(took):.2f} s of {DEADLINE_SECONDS:g} s"
    note += f"; first failure: {failed[0]!r:.200}" if failed else ""
    return Row("kill -9 of a worker", KILLS, KILLS if answered and not (failed or late) else 0, 0, note)


# Loss of power


_SWAP_FOREVER = """
import sys
from pathlib import Path
from tests.faults.modules import _env
from agent.modules.host import ModuleHost
host = ModuleHost(_env(Path(sys.argv[1])))
host._recover()
while True:
    for version in ("1.1", "1.0"):
        host.swap("tally", version)
        print(version, flush=True)
"""


def _power_losses(folder: Path) -> Row:
    """A process that swaps without end is killed at random moments; then the module has to answer."""
    env = _env(folder)
    host = installed(env, tally(folder), tally(folder, "1.1"))
    host.close()
    chosen = random.Random(SEED)
    whole = 0
    for _ in range(POWER_LOSSES):
        process = subprocess.Popen([sys.executable, "-c", _SWAP_FOREVER, str(folder)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chosen.uniform(0, 0.3))
        process.kill()
        process.wait()
        process.stdout.close()
        after = ModuleHost(env)
        module = after.open("tally")
        told_version = module.call("version", {}).value
        left = list((env.home.modules / "tally").glob(".draft-*")) + list(
            (env.home.modules / "tally").glob("swap.json")
        )
        whole += told_version == after.version("tally") and not left
        after.close()
    return Row(
        "kill -9 of an agent that swaps", POWER_LOSSES, whole, 0, "one of both versions answers, nothing is left over"
    )


# Memory


def _ocr_calls(folder: Path) -> Row:
    """Photos that differ, read by the real reader in its process, which is replaced every so many calls."""
    weights = load_env({"WATCHKEEPER_HOME": str(find_home(os.environ).folder)}).weights
    env = load_env({"WATCHKEEPER_HOME": str(folder / "home"), "WATCHKEEPER_WEIGHTS__FOLDER": str(weights.folder)})
    if not {"ocr-tiny", "ocr-small"} & set(weights.present()):
        return Row("calls of the reader", 0, 0, 0, "needs its weights: watchkeeper weights pull ocr-tiny")
    panel = env.settings.panel.model_copy(update={"ocr": "tiny", "side_px": 320, "threads": 1, "cache_entries": 0})
    env = replace(env, settings=env.settings.model_copy(update={"panel": panel}))
    settings = WorkerSettings(recycle_calls=OCR_RECYCLE)
    reader = Supervisor(WorkerSpec("panel", "agent.modules.served_plugin:make"), settings)
    reader.start({"name": "panel", "plugin": "plugins.panel", "env": pack_env(env), "module": False})
    sizes: list[int] = []
    pids: set[int | None] = set()
    texts = 0
    begun = time.perf_counter()
    for number in range(OCR_CALLS):
        photo = _photo(number)
        assert photo.shared is not None
        seen = reader.call("perceive", pack_photo(photo), buffers=[photo.shared]).value
        texts += len(seen["texts"])
        pids.add(reader.pid)
        if number % 100 == 99:
            sizes.append(own_memory_bytes(reader.pid))
    seconds = time.perf_counter() - begun
    reader.stop()
    settled = [size for number, size in enumerate(sizes) if (number + 1) * 100 % OCR_RECYCLE > OCR_RECYCLE // 2]
    last = settled[len(settled) // 2 :]
    first = settled[: len(settled) // 2]
    growth = abs(statistics.median(last) / statistics.median(first) - 1)
    peak = max(settled) / statistics.median(settled) - 1
    flat = growth <= FLAT and peak <= FLAT and texts >= OCR_CALLS
    note = (
        f"{len(pids)} processes, {statistics.median(settled) / 1e6:.0f} MB of their own, {growth:+.1%} in the second "
        f"half, largest {peak:+.1%}; {seconds / OCR_CALLS * 1000:.0f} ms a call"
    )
    return Row("calls of the reader", OCR_CALLS, OCR_CALLS if flat else 0, 0, note)


def _photo(number: int) -> Photo:
    image = Image.new("RGB", (320, 96), "white")
    ImageDraw.Draw(image).text((20, 30), f"PUMP {number:05d}", "black", font=ImageFont.load_default(28))
    pixels = np.asarray(image)

    def fill(view: memoryview) -> None:
        np.copyto(np.frombuffer(view, np.uint8).reshape(pixels.shape), pixels)

    shared = SharedBuffer.write(pixels.nbytes, fill)
    return Photo(np.frombuffer(shared.view, np.uint8).reshape(pixels.shape), f"n{number}", "pump.png", shared)
