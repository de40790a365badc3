"""Writes GGUF files: metadata entries, tensor descriptions, tensors.

The gguf package would take nine seconds over a vocabulary of Qwen's size, so the container is written here. A tensor is
made only when its turn to be written comes: a model of true size never stands in memory as a whole.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["GgufFile", "Make", "Value", "string", "tokenizer_entries"]

ALIGNMENT = 32
F32, F16 = 0, 1
Value = str | bool | int | float | list[int] | list[float] | list[bool]
Make = Callable[[], NDArray[np.generic]]


class GgufFile:
    """A file in the making."""

    def __init__(self) -> None:
        self._entries: list[bytes] = []
        self._tensors: list[tuple[str, tuple[int, ...], int, Make]] = []

    def add(self, key: str, value: Value) -> None:
        """One metadata entry."""
        self._entries.append(string(key.encode()) + _value(value))

    def add_raw(self, entry: bytes) -> None:
        """One metadata entry, encoded: key, type and value."""
        self._entries.append(entry)

    def tensor(self, name: str, shape: tuple[int, ...], make: Make, *, half: bool) -> None:
        """
        :param shape: as numpy counts, slowest first.
        :param make: called once, in the order of the calls here; float16 where `half`, else float32.
        """
        self._tensors.append((name, shape, F16 if half else F32, make))

    def write(self, path: Path) -> None:
        """Make the tensors one by one and write everything."""
        described, offset = [], 0
        for name, shape, kind, _ in self._tensors:
            dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape))
            described.append(string(name.encode()) + dimensions + struct.pack("<IQ", kind, offset))
            size = math.prod(shape) * (2 if kind == F16 else 4)
            offset += size + -size % ALIGNMENT
        head = struct.pack("<4sIQQ", b"GGUF", 3, len(self._tensors), len(self._entries))
        head += b"".join(self._entries) + b"".join(described)
        with path.open("wb") as file:
            file.write(head + bytes(-len(head) % ALIGNMENT))
            for _, shape, kind, make in self._tensors:
                data = make()
                assert data.shape == shape and data.dtype == (np.float16 if kind == F16 else np.float32)
                file.write(data.tobytes())
                file.write(bytes(-data.nbytes % ALIGNMENT))


def string(data: bytes) -> bytes:
    """Text as GGUF stores it: length, bytes."""
    return struct.pack("<Q", len(data)) + data


def _value(value: Value) -> bytes:
    match value:
        case str():
            return struct.pack("<I", 8) + string(value.encode())
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case [bool(), *_]:
            return struct.pack(f"<IIQ{len(value)}?", 9, 7, len(value), *value)
        case _ if all(isinstance(item, float) for item in value):
            return struct.pack(f"<IIQ{len(value)}f", 9, 6, len(value), *value)
        case _:
            return struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)


def tokenizer_entries(source: Path) -> dict[str, bytes]:
    """The tokenizer's metadata entries of a GGUF, as they stand in the file."""
    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
    found: dict[str, bytes] = {}
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        entries, at = struct.unpack_from("<Q", data, 16)[0], 24
        for _ in range(entries):
            start = at
            length = struct.unpack_from("<Q", data, at)[0]
            key = data[at + 8 : at + 8 + length].decode()
            kind = struct.unpack_from("<I", data, at + 8 + length)[0]
            at += 12 + length
            count = 1
            if kind == 9:
                kind, count = struct.unpack_from("<IQ", data, at)
                at += 12
            if kind == 8:
                for _ in range(count):
                    at += 8 + struct.unpack_from("<Q", data, at)[0]
            else:
                at += sizes[kind] * count
            if key.startswith("tokenizer.ggml."):
                found[key] = data[start:at]
    return found
