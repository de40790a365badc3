"""The peer of `make score-panels`: RapidOCR as it comes, and the nearest text as the label of every number.

RapidOCR needs another OpenCV package than we do, so it lives in an environment of its own in the benchmarks' cache
folder, made once; the models are inside its wheel. This file is run by that environment's Python and imports nothing
of ours; `peer_python` makes the environment.
"""

from __future__ import annotations

import json
import math
import os
import re
import resource
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

PACKAGES = ("rapidocr==3.10.0", "onnxruntime>=1.20")
_NUMBER = re.compile(r"^\s*([+-]?\d+(?:[.,]\d+)?)\s*([^\d\s]{0,6})\s*$")


def peer_python(cache: Path) -> Path | None:
    """The Python that has RapidOCR; None where it cannot be installed."""
    folder = cache / "rapidocr-3.10.0"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if ready.exists():
        return python
    print(f"score-panels: installing RapidOCR in {folder}, once", file=sys.stderr)
    venv.create(folder, with_pip=True, clear=True)
    done = subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=False)
    if done.returncode:
        return None
    ready.touch()
    return python


def serve() -> None:
    """An image's path → texts, and readings by the nearest text; one JSON line each, as `tests.bench.children`."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    from rapidocr import RapidOCR  # type: ignore[import-not-found, unused-ignore]

    engine = RapidOCR()
    for line in sys.stdin:
        started = time.process_time()
        found = engine(json.loads(line)["image"])
        boxes = [] if found.boxes is None else [[int(v) for v in _bounds(box)] for box in found.boxes]
        texts = [
            {"text": text, "box": box, "score": float(score)}
            for text, box, score in zip(found.txts or (), boxes, found.scores or (), strict=True)
        ]
        seen = {"texts": texts, "readings": nearest(texts), "lamps": [], "alarms": [], "buttons": []}
        spent = (time.process_time() - started) * 1000
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"seen": seen, "cpu_ms": spent, "peak_bytes": peak}, ensure_ascii=False), file=out, flush=True)


def nearest(texts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every text that is a number, with the unit behind it in the same run and the nearest text that is none."""
    numbers = [(text, match) for text in texts if (match := _NUMBER.match(text["text"]))]
    names = [text for text in texts if not _NUMBER.match(text["text"])]
    readings = []
    for text, match in numbers:
        label = min(names, key=lambda name: math.dist(_middle(name["box"]), _middle(text["box"])), default=None)
        readings.append(
            {
                "label": label["text"] if label else "",
                "value": match[1],
                "unit": match[2],
                "kind": "printed",
                "score": text["score"],
                "flags": [],
            }
        )
    return readings


def _bounds(box: Any) -> tuple[float, float, float, float]:
    columns, rows = [point[0] for point in box], [point[1] for point in box]
    return min(columns), min(rows), max(columns), max(rows)


def _middle(box: list[int]) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


if __name__ == "__main__":
    serve()
