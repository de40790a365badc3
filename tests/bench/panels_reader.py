"""The reader that `make bench-panels` measures: a fresh process that reads photos and says what each stage cost."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from functools import wraps
from io import BytesIO
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agent.env import Env
from agent.perception import Perception
from agent.photo import Photo, load_photo
from plugins.panel import reader
from plugins.panel.texts import ocr
from plugins.panel.texts.ppocr import PpOcr
from tests.bench.children import serve
from tests.bench.panels_drawn import drawn, scaled
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
    """Serve readings by the reader that the first argument names, with as many threads as the second one says.

    Asked for a photo at its own or another width, or for a drawn screen with so many texts → what opening cost (once),
    each reading by stage, and the peak of memory.
    """
    name, threads = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as home:
        env = with_reader(plant_env(Path(home), model="rules"), name, threads)
        watch = Stopwatch()
        engine = watch.timed("open", opened)(env, alone=name == "small")

        def answer(times: int, photo: str = "", width: int = 0, texts: int = 0) -> dict[str, Any]:
            seen = taken(env, photo, width, texts)
            read = [measure(seen, engine, env) for _ in range(times)]
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT_BYTES
            pixels = seen if isinstance(seen, Photo) else load_photo(seen, env.settings.photo)
            return {"open": watch.to_json()["open"], "read": read, "peak_bytes": peak, "size": list(pixels.size)}

        serve(answer)
        engine.close()


def with_reader(env: Env, name: str, threads: int) -> Env:
    """The environment with one of the readers: small+screen, small, tiny."""
    size = "tiny" if name == "tiny" else "small"
    panel = env.settings.panel.model_copy(update={"ocr": size, "threads": threads})
    return replace(env, settings=env.settings.model_copy(update={"panel": panel}))


def opened(env: Env, *, alone: bool) -> PpOcr:
    """The reader that the settings name.

    :param alone: without the tiny reader before it.
    :raises SystemExit: it is not on this box; another one would give other figures.
    """
    with patch.object(ocr, "_screen", lambda *_: None) if alone else nullcontext():
        engine, notes = ocr.open_engine(env)
    if not isinstance(engine, PpOcr) or notes:
        raise SystemExit(f"bench-panels: {'; '.join(notes) or 'a module reads'}")
    return engine


def taken(env: Env, photo: str, width: int, texts: int) -> Path | Photo:
    """A file as it is, or a photo made from it or drawn."""
    if photo and not width:
        return Path(photo)
    pixels = drawn(texts) if texts else scaled(load_photo(Path(photo), env.settings.photo).pixels, width)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return load_photo(buffer.getvalue(), env.settings.photo)


def measure(seen: Path | Photo, engine: PpOcr, env: Env) -> dict[str, list[float]]:
    """Read one photo, without the cache and as if no line of it had been read before."""
    watch = Stopwatch()
    engine.forget()
    with ExitStack() as patches:
        for place, name, stage in stages(engine):
            patches.enter_context(patch.object(place, name, watch.timed(stage, getattr(place, name))))
        photo = seen if isinstance(seen, Photo) else watch.timed("decode", load_photo)(seen, env.settings.photo)
        perception: Perception = watch.timed("rest", reader.read_panel)(photo, engine, env.settings.panel, ())
    if not perception.texts:
        raise SystemExit("bench-panels: nothing was read")
    return watch.to_json()


def stages(engine: PpOcr) -> Iterator[tuple[object, str, str]]:
    """Where a stage is called from, by what name, and what the table calls it."""
    yield engine, "_detect", "find text"
    yield engine, "read", "read lines"
    yield engine, "read_boxes", "read again"
    yield reader, "upright", "turn, straighten"
    yield reader, "scene_of", "areas"
    yield reader, "find_areas", "areas"
    yield reader, "find_displays", "displays"
    yield reader, "find_gauges", "gauges"
    yield reader, "find_bars", "bars"
    yield reader, "understand", "lay out"
    yield reader, "check_numbers", "check numbers"
    yield reader, "find_lamps", "lamps"
    yield reader, "find_buttons", "buttons"
    yield reader, "find_popups", "pop-ups"


if __name__ == "__main__":
    main()
