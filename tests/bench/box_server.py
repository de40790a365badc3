"""`watchkeeper serve` as `make bench-boxes` starts it: within a bound on memory, and on weights of its own.

    python -m tests.bench.box_server [ENTRANCE]

A folder of weights that holds the random Qwen3-VL-2B has it in place of the real one; what it says is noise.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import replace
from pathlib import Path

from agent.box_start import fitted
from agent.commands.ask import build_agent
from agent.env import Env, load_env
from agent.plugin_host import load_plugins
from agent.server.run import run_server
from agent.weights.catalogue import Catalogue, Entry
from agent.weights.store import WeightStore

__all__ = ["SEES"]

SEES = "qwen3-vl-2b"


def main() -> None:
    """Enter the group before anything takes memory, then serve."""
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(str(os.getpid()))
    with fitted(_with_random(load_env())) as env:
        run_server(build_agent(env, load_plugins()))


def _with_random(env: Env) -> Env:
    """The box with the catalogue's digests replaced by those of the random model, where that one lies here."""
    entry = env.weights.catalogue.entry(SEES)
    if not env.weights.status(SEES).files or not all(path.exists() for path in _required(env, entry)):
        return env
    files = tuple(
        replace(file, bytes=path.stat().st_size, sha256=_sha256(path), chunks_sha256="")
        for file, path in zip(entry.required, _required(env, entry), strict=True)
    )
    entries = tuple(replace(entry, files=files) if one is entry else one for one in env.weights.catalogue.entries)
    store = WeightStore(env.weights.folder, env.settings.weights, catalogue=Catalogue(entries))
    return replace(env, weights=store)


def _required(env: Env, entry: Entry) -> list[Path]:
    return [env.weights.path(entry, file) for file in entry.required]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()
