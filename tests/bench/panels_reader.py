"""The reader that `make bench-panels` measures: a fresh process that reads photos and says what each stage cost."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from agent.env import Env
from agent.perception import Perception
from agent.photo import load_photo
from plugins.panel import reader
from plugins.panel.ocr import OcrEngine, open_engine
from tests.bench.children import serve
from tests.bench.plant import plant_env

RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024
P = ParamSpec("P")
R = TypeVar("R")


class Stopwatch:
    """Wall and CPU ms by stage. What a stage calls that is a stage itself counts there alone."""

    def __init__(self) -> None:
        self.spent: dict[str, NDArray[np.float64]] = {}
        self._nested = np.zeros(2)

    def timed(self, stage: str, function: Callable[P, R]) -> Callable[P, R]:
        """The function, measured."""

        @wraps(function)
        def measured(*args: P.args, **kwargs: P.kwargs) -> R:
            around, self._nested = self._nested, np.zeros(2)
            started = now_ms()
            try:
                return function(*args, **kwargs)
            finally:
                whole = now_ms() - started
                self.spent[stage] = self.spent.get(stage, np.zeros(2)) + whole - self._nested
                self._nested = around + whole

        return measured

    def to_json(self) -> dict[str, list[float]]:
        """Stage → wall, CPU."""
        return {stage: spent.tolist() for stage, spent in self.spent.items()}


def now_ms() -> NDArray[np.float64]:
    """Wall and CPU, the latter of all threads."""
    return np.array([time.perf_counter(), time.process_time()]) * 1000


def main() -> None:
    """Serve readings: a photo's path and how often → what opening cost (once), each reading, and the peak of memory."""
    with tempfile.TemporaryDirectory() as home:
        env = plant_env(Path(home), model="rules")
        watch = Stopwatch()
        engine = watch.timed("open", opened)(env)

        def answer(photo: str, times: int) -> dict[str, Any]:
            read = [measure(Path(photo), engine, env) for _ in range(times)]
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT_BYTES
            return {"open": watch.to_json()["open"], "read": read, "peak_bytes": peak}

        serve(answer)
        engine.close()


def opened(env: Env) -> OcrEngine:
    """The reader that the settings name.

    :raises SystemExit: it is not on this box; another one would give other figures.
    """
    engine, notes = open_engine(env)
    if engine is None or notes:
        raise SystemExit(f"bench-panels: {'; '.join(notes)}")
    return engine


def measure(path: Path, engine: OcrEngine, env: Env) -> dict[str, list[float]]:
    """Read one photo, without the cache."""
    watch = Stopwatch()
    with ExitStack() as patches:
        for place, name, stage in (
            (engine, "_detect", "find text"),
            (engine, "read", "read lines"),
            (engine, "read_boxes", "check numbers"),
            (reader, "understand", "lay out"),
            (reader, "find_lamps", "lamps"),
        ):
            patches.enter_context(patch.object(place, name, watch.timed(stage, getattr(place, name))))
        photo = watch.timed("decode", load_photo)(path, env.settings.photo)
        seen: Perception = watch.timed("rest", reader.read_panel)(photo, engine, env.settings.panel, ())
    if not seen.texts:
        raise SystemExit(f"bench-panels: nothing was read on {path}")
    return watch.to_json()


if __name__ == "__main__":
    main()
