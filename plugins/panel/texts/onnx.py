"""Sessions of onnxruntime for the text models: one pool of working memory, no spinning, quiet."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import ModelError

__all__ = ["Floats", "open_session", "run"]

Floats = NDArray[np.float32]


def open_session(path: Path, threads: int) -> Any:
    """Load a model for the processor."""
    import onnxruntime

    _share_memory()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = False  # a block for each shape, and lines come in dozens of shapes
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(session: Any, batch: Floats, *, give_back: bool = False) -> Floats:
    """What a session makes of a batch.

    :param give_back: return the pool's memory to the machine afterwards: a tenth of a second slower the next time.
    :raises ModelError: it was closed.
    """
    import onnxruntime

    if session is None:
        raise ModelError("the text reader was closed; open it again")
    options = onnxruntime.RunOptions()
    if give_back:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    output: Floats = session.run(None, {session.get_inputs()[0].name: batch}, options)[0]
    return output


@cache
def _share_memory() -> None:
    """One pool of working memory for all sessions of the process, which take turns; each its own costs 40 MB more."""
    import onnxruntime as ort

    place = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(place, ort.OrtArenaCfg(0, 0, -1, -1))
