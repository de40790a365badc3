"""The parser that `make score-panels` scores: a process of its own that reads images on one thread, without a cache."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.env import load_env
from agent.home import find_home
from agent.photo import load_photo
from plugins.panel.reader import read_panel
from plugins.panel.texts.ocr import open_engine
from tests.bench.children import serve

RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


def main() -> None:
    """An image's path → what was read from it, CPU ms, and the peak of memory so far."""
    with tempfile.TemporaryDirectory() as home:
        folder = os.environ.get("WATCHKEEPER_WEIGHTS__FOLDER") or find_home(os.environ).weights
        env = load_env({"WATCHKEEPER_HOME": home, "WATCHKEEPER_WEIGHTS__FOLDER": str(folder)})
        settings = env.settings.panel.model_copy(update={"threads": 1})
        env = replace(env, settings=env.settings.model_copy(update={"panel": settings}))
        engine, notes = open_engine(env)
        if engine is None or notes:
            raise SystemExit(f"score-panels: {'; '.join(notes)}")

        def answer(image: str) -> dict[str, Any]:
            started = time.process_time()
            photo = load_photo(Path(image), env.settings.photo)
            seen = read_panel(photo, engine, settings, ()).to_json()
            spent = (time.process_time() - started) * 1000
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT_BYTES
            return {"seen": seen, "cpu_ms": spent, "peak_bytes": peak}

        serve(answer)
        engine.close()


if __name__ == "__main__":
    main()
