"""Runs in the bundle's own environment while it is built: reads the golden picture, writes down what was imported.

    python -I -S probe.py SITE STATE OUT

OUT is JSON: the texts that were read, and every source file of SITE that reading them took.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace


def main(site: str, state: str, out: str) -> None:
    """Read, and write down."""
    sys.dont_write_bytecode = True
    sys.path.append(site)
    reader = importlib.import_module("watchkeeper_paddleocr")
    picture = importlib.import_module("PIL.Image").open(Path(reader.__file__).parent / "golden.png")
    context = SimpleNamespace(buffers=(memoryview(picture.tobytes()),))
    found = reader.make(state=state).read(context, width=picture.width, height=picture.height)
    files = {str(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}
    sources = sorted(str(Path(file).relative_to(site)) for file in files if Path(file).is_relative_to(site))
    told = {"texts": [text["text"] for text in found], "sources": [name for name in sources if name.endswith(".py")]}
    Path(out).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
