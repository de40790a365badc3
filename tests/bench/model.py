"""`make bench-model`: the model on this box against llama-cpp-python's chat completion and llama.cpp's own server.

Same files, same words, one run; the parties take turns, each in a process of its own, so that what else the machine
does falls on all of them. Figures are medians. The Qwen3-VL-2B is of true size with random weights, so
that photos can be measured without its download; Qwen2.5 is the real one.

plain decode    against a bare loop of llama_decode and the best logit, with the same kernels
tool call       the whole reply to a question under the same JSON schema
photos          time to the first token, model loaded
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from agent.env import load_env
from agent.home import find_home
from agent.model.llama_library import physical_cores
from agent.weights.store import WeightStore
from tests.bench.llama_server import ServerMissing, build_server
from tests.bench.model_parties import Bench
from tests.bench.model_photo import memory_lines, photo_lines, start_lines
from tests.bench.model_table import Line, print_lines
from tests.bench.model_text import (
    MIDDLE,
    SMALL,
    VL,
    bandwidth_lines,
    batch_lines,
    call_lines,
    decode_lines,
    prefix_lines,
    quote_lines,
)
from tests.bench.model_work import Loaded
from tests.bench.random_qwen3vl import RandomFiles, random_2b

SECOND_PHOTOS = 16
"""Number of the first photo for the second projector: none was seen before."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="some of the rows")
    options = parser.parse_args()
    store = weight_store()
    vocabulary = require_weights(store)
    files = random_2b(vocabulary[SMALL])
    try:
        server: Path | str = build_server()
    except ServerMissing as error:
        server = str(error)
        print(f"bench-model: no llama-server to compare with: {server}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(models_of(files, vocabulary), server, options.repetitions, Path(folder))
        lines: list[Line] = []
        for part in options.only:
            print(f"bench-model: {part} …", file=sys.stderr)
            lines += PARTS[part](bench, files)
    print_lines(lines, repetitions=options.repetitions)


def decoding(bench: Bench, _: RandomFiles) -> list[Line]:
    """Plain decoding, and what it makes of the memory."""
    lines = decode_lines(bench)
    return [*lines, *bandwidth_lines(physical_cores(), lines, bench.models)]


def looking(bench: Bench, files: RandomFiles) -> list[Line]:
    """Photos with both projectors."""
    loaded = bench.models[VL]
    packed = replace(loaded, projector=files.projector_q8, projector_sha256=_sha256(files.projector_q8))
    return [
        *photo_lines(bench, loaded, first_photo=0),
        *photo_lines(bench, packed, first_photo=SECOND_PHOTOS),
    ]


PARTS: dict[str, Callable[[Bench, RandomFiles], Sequence[Line]]] = {
    "decode": decoding,
    "calls": lambda bench, _: [*call_lines(bench, MIDDLE), *call_lines(bench, VL)],
    "photos": looking,
    "prefix": lambda bench, _: prefix_lines(bench, VL),
    "start": lambda bench, _: start_lines(bench, bench.models[VL]),
    "quotes": lambda bench, _: quote_lines(bench, MIDDLE),
    "batch": lambda bench, _: batch_lines(bench, MIDDLE),
    "memory": lambda bench, _: memory_lines(bench, [VL, MIDDLE]),
}


def weight_store() -> WeightStore:
    """That of the person's home, or the folder that is named."""
    own = find_home({name: os.environ[name] for name in ("HOME", "XDG_DATA_HOME") if name in os.environ})
    folder = os.environ.get("WATCHKEEPER_WEIGHTS__FOLDER") or str(own.weights)
    return load_env({"WATCHKEEPER_HOME": str(own.folder), "WATCHKEEPER_WEIGHTS__FOLDER": folder}).weights


def require_weights(store: WeightStore) -> dict[str, Path]:
    """The real models' files; ends with one line where they are missing."""
    lacking = [name for name in (MIDDLE, SMALL) if not store.status(name).present]
    if lacking:
        names = " ".join(lacking)
        print(f"bench-model: {names}: not in {store.folder}; get it: watchkeeper weights pull {names}", file=sys.stderr)
        sys.exit(2)
    return {name: store.where(name)["model"] for name in (MIDDLE, SMALL)}


def models_of(files: RandomFiles, real: dict[str, Path]) -> dict[str, Loaded]:
    """By name; the digests are those of the files as they are."""
    return {
        VL: Loaded(VL, files.model, files.projector_f16, _sha256(files.model), _sha256(files.projector_f16)),
        **{name: Loaded(name, path, sha256=_sha256(path)) for name, path in real.items()},
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()
