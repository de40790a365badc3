"""A Qwen3-VL-2B of true size with random weights, Q4_K_M, and its projector in F16 and Q8_0: what it says is noise,
what it costs is not.

The files are made once, in some minutes, and kept in the benchmarks' cache folder, which may be deleted at any time.
Shapes are those of the published model's configuration.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from agent.model.llama_library import last_complaint, library, physical_cores
from tests.tiny_qwen3vl import Shape, TinyFiles, write_qwen3vl

__all__ = ["RandomFiles", "cache_folder", "random_2b"]

TRUE_2B = Shape(
    width=2048,
    heads=16,
    kv_heads=8,
    head=128,
    feed=6144,
    layers=28,
    rope_sections=(24, 20, 20, 0),
    eye_width=1024,
    eye_heads=16,
    eye_feed=4096,
    eye_layers=24,
    deep_layers=(5, 11, 17),
    context=262_144,
)
Q8_0, Q4_K_M = 7, 15
"""llama.cpp's numbers of file types."""


@dataclass(frozen=True, slots=True)
class RandomFiles:
    """What was made."""

    model: Path
    """Q4_K_M."""
    projector_f16: Path
    projector_q8: Path


def cache_folder() -> Path:
    """Where benchmarks keep what is costly to make. It exists then."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "watchkeeper-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def random_2b(vocabulary: Path) -> RandomFiles:
    """The files; made now where they are not there yet.

    :param vocabulary: a GGUF with Qwen's vocabulary.
    :raises SystemExit: llama.cpp does not quantise them.
    """
    folder = cache_folder() / "random-qwen3vl-2b"
    files = RandomFiles(folder / "model-q4_k_m.gguf", folder / "mmproj-f16.gguf", folder / "mmproj-q8_0.gguf")
    if all(path.exists() for path in (files.model, files.projector_f16, files.projector_q8)):
        return files
    print(f"bench-model: making a random Qwen3-VL-2B in {folder}, once; takes some minutes", file=sys.stderr)
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as drafts:
        draft = TinyFiles(Path(drafts) / "model.gguf", Path(drafts) / "projector.gguf")
        write_qwen3vl(draft, vocabulary, TRUE_2B)
        _quantise(draft.model, files.model, Q4_K_M)
        _quantise(draft.projector, files.projector_q8, Q8_0)
        draft.projector.replace(files.projector_f16)
    return files


def _quantise(source: Path, target: Path, kind: int) -> None:
    lib = library()
    parameters = lib.llama_model_quantize_default_params()
    parameters.ftype = kind
    parameters.nthread = physical_cores()
    draft = source.with_suffix(".quantised")
    if lib.llama_model_quantize(os.fsencode(source), os.fsencode(draft), ctypes.byref(parameters)) != 0:
        raise SystemExit(f"bench-model: llama.cpp does not quantise {source}{last_complaint()}")
    draft.replace(target)
