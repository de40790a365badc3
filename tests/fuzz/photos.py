"""Hostile photos through decoder and parser: `python -m tests.fuzz.photos --seconds 600`.

Each case is drawn from its own seed and runs in a child process under a time limit. A case may be a photo or be refused
in one line; anything else (another error, a dead process, a case that takes too long) is a failure, and its seed is
printed, to be run alone with `--case SEED`. The exit code is 1 where anything failed; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import numpy as np

from agent.env import load_env
from agent.errors import PhotoError, WatchkeeperError
from agent.photo import load_photo
from agent.settings import PhotoSettings, Settings
from plugins.panel.reader import read_panel
from plugins.panel.texts.ocr import OcrEngine, open_engine
from tests.fuzz.photo_cases import Inventor, draw_file

BOUNDS = PhotoSettings(max_pixels=4_000_000, work_pixels=1_000_000)
"""Small, so that most of the time goes into strange pictures rather than large ones."""
START_S = 120.0
INVENTED = 0.6
"""Part of the cases whose texts are made up; the others are read by the real reader, where this box has one."""


@dataclass
class Tally:
    """What came of the cases."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: dict[int, str] = field(default_factory=dict)
    slowest: tuple[float, int] = (0.0, 0)


def run_case(seed: int, reader: OcrEngine | None) -> str:
    """Decode and parse one case: "photo" or "refused"."""
    chance = np.random.default_rng(seed)
    data = draw_file(chance)
    try:
        photo = load_photo(data, BOUNDS)
    except PhotoError as error:
        assert "\n" not in str(error), f"more than one line: {error}"
        return "refused"
    engine = Inventor(chance) if reader is None or chance.random() < INVENTED else reader
    seen = read_panel(photo, engine, Settings().panel, ())
    json.dumps(seen.to_json())
    width, height = seen.size
    for reading in seen.readings:
        left, top, right, bottom = reading.box
        assert 0 <= left < right <= width and 0 <= top < bottom <= height, f"{reading} is not in {seen.size}"
    return "photo"


def work(orders: Connection) -> None:
    """The child: seeds in, outcomes out."""
    reader = _reader()
    orders.send("ready")
    while True:
        seed = orders.recv()
        try:
            orders.send(run_case(seed, reader))
        except Exception:
            orders.send(f"error: {traceback.format_exc()}")


def _reader() -> OcrEngine | None:
    try:
        return open_engine(load_env())[0]
    except WatchkeeperError:
        return None


def fuzz(seconds: float, first: int, limit_s: float) -> Tally:
    """Run cases from this seed on until the time is over."""
    tally, seed, until = Tally(), first, time.monotonic() + seconds
    child, orders = _start()
    while time.monotonic() < until:
        started = time.monotonic()
        outcome = _outcome(child, orders, seed, limit_s)
        took = time.monotonic() - started
        tally.slowest = max(tally.slowest, (round(took, 1), seed))
        kind = outcome.partition(":")[0]
        tally.outcomes[kind] += 1
        if kind not in ("photo", "refused"):
            tally.failures[seed] = outcome
            print(f"seed {seed}: {outcome}", flush=True)
        if kind in ("hang", "died"):
            _stop(child)
            child, orders = _start()
        seed += 1
    _stop(child)
    return tally


def _start() -> tuple[BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=work, args=(theirs,), daemon=True)
    child.start()
    theirs.close()
    if not ours.poll(START_S):
        raise SystemExit(f"the child did not start within {START_S:.0f} s")
    ours.recv()
    return child, ours


def _stop(child: BaseProcess) -> None:
    child.kill()
    child.join()


def _outcome(child: BaseProcess, orders: Connection, seed: int, limit_s: float) -> str:
    try:
        orders.send(seed)
        if not orders.poll(limit_s):
            return f"hang: longer than {limit_s:.0f} s"
        return str(orders.recv())
    except (EOFError, OSError):
        child.join(5)
        return f"died: exit code {child.exitcode}"


def main() -> None:
    """Read the arguments, run, and say what came of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--seed", type=int, default=None, help="of the first case; by default a new one each day")
    options.add_argument("--limit", type=float, default=20.0, help="seconds that one case may take")
    options.add_argument("--case", type=int, default=None, help="run one case in this process")
    chosen = options.parse_args()
    if chosen.case is not None:
        print(run_case(chosen.case, _reader()))
        return
    first = int(time.time()) // 86_400 * 1_000_000 if chosen.seed is None else chosen.seed
    print(f"first seed {first}, {chosen.seconds:.0f} s", flush=True)
    tally = fuzz(chosen.seconds, first, chosen.limit)
    row = {"cases": tally.outcomes.total(), **tally.outcomes, "slowest_s": tally.slowest[0], "seed": first}
    print(json.dumps({**row, "slowest_seed": tally.slowest[1], "failed": len(tally.failures)}))
    raise SystemExit(1 if tally.failures else 0)


if __name__ == "__main__":
    main()
