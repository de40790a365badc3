"""llama.cpp as a library: loaded once, silent, and asked only about files that look like GGUF.

Only the `llama*` modules of this folder import llama_cpp, and only inside functions.
"""

from __future__ import annotations

import functools
import os
import struct
from collections import deque
from pathlib import Path
from typing import Any

from agent.errors import ModelError
from agent.model.cores import physical_cores

__all__ = ["check_gguf", "last_complaint", "library", "physical_cores"]

GGUF_HEADER = struct.Struct("<4sIQQ")
"""Magic, version, number of tensors, number of metadata entries."""
GGUF_VERSIONS = (2, 3)
GGUF_MAX_ENTRIES = 1_000_000
LOG_ERROR = 3

_complaints: deque[str] = deque(maxlen=4)
"""The last errors that llama.cpp logged. It logs for the process, not for a model, and so must this."""


_hears: list[Any] = []
"""The log callback: llama.cpp keeps its address, so it must never be collected."""


@functools.cache
def library(*, spin: bool = False) -> Any:
    """The llama_cpp module, with its log turned into `last_complaint`.

    :param spin: see `ModelSettings.spin`; the first call in a process decides.
    """
    if not spin:
        # Read once, when the OpenMP runtime is loaded. Its default is to spin, and two programs that spin on the same
        # cores wait for each other: a pass of 15 ms took 800 ms.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import llama_cpp
    from llama_cpp import mtmd_cpp

    _hears.append(llama_cpp.llama_log_callback(_hear))
    llama_cpp.llama_log_set(_hears[-1], None)
    mtmd_cpp.mtmd_log_set(_hears[-1], None)
    mtmd_cpp.mtmd_helper_log_set(_hears[-1], None)
    return llama_cpp


def _hear(level: int, text: bytes, _: Any) -> None:
    if level == LOG_ERROR and text.strip():
        _complaints.append(text.decode("utf-8", "replace").strip())


def last_complaint() -> str:
    """What llama.cpp said last, as the end of a message; it is forgotten then."""
    text = "; ".join(_complaints)
    _complaints.clear()
    return f": {text}" if text else ""


def check_gguf(path: Path) -> None:
    """Refuse what is plainly not a GGUF file, before native code reads it.

    :raises ModelError: missing, unreadable, empty, of another kind or version, or with an impossible header.
    """
    try:
        with path.open("rb") as file:
            head = file.read(GGUF_HEADER.size)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from None
    if len(head) < GGUF_HEADER.size or head[:4] != b"GGUF":
        raise ModelError(f"{path}: not a GGUF file ({'empty' if not head else f'starts with {head[:4]!r}'})")
    _, version, tensors, entries = GGUF_HEADER.unpack(head)
    if version not in GGUF_VERSIONS:
        raise ModelError(f"{path}: GGUF version {version} is not known (known: {GGUF_VERSIONS})")
    if not 0 < tensors < GGUF_MAX_ENTRIES or not 0 < entries < GGUF_MAX_ENTRIES:
        raise ModelError(f"{path}: damaged: its header counts {tensors} tensors and {entries} metadata entries")
