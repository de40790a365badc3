"""How long the header of a weight file is: metadata and tensor infos of a GGUF, 64 KiB of anything else.

The file is not trusted: every length is bounded by what is left of the file, and anything odd means "not a GGUF".
"""

from __future__ import annotations

import os
import struct

__all__ = ["header_length"]

_OTHER_BYTES = 64 * 1024
_MAX_BYTES = 64 * 1024 * 1024
"""The largest known vocabularies take a tenth of it."""
_START = struct.Struct("<4sIQQ")
_LENGTH, _KIND, _LIST = struct.Struct("<Q"), struct.Struct("<I"), struct.Struct("<IQ")
_FIXED = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of GGUF's types of fixed size."""
_STRING, _ARRAY = 8, 9
_VERSIONS = (2, 3)
_MAX_DIMENSIONS = 8


class _NoGguf(Exception):
    """It is something else, or damaged."""


def header_length(descriptor: int, size: int) -> int:
    """Bytes of an open file's header.

    :raises OSError: it cannot be read.
    """
    if os.pread(descriptor, 4, 0) != b"GGUF":
        return min(size, _OTHER_BYTES)
    data = os.pread(descriptor, min(size, _MAX_BYTES), 0)
    try:
        return _walk(data)
    except (struct.error, _NoGguf):
        return min(size, _OTHER_BYTES)


def _walk(data: bytes) -> int:
    _, version, tensors, entries = _START.unpack_from(data)
    if version not in _VERSIONS:
        raise _NoGguf
    at = _START.size
    for _ in range(entries):
        at = _behind_text(data, at)
        (kind,) = _KIND.unpack_from(data, at)
        at = _behind_value(data, at + _KIND.size, kind)
    for _ in range(tensors):
        at = _behind_text(data, at)
        (dimensions,) = _KIND.unpack_from(data, at)
        if dimensions > _MAX_DIMENSIONS:
            raise _NoGguf
        at = _within(data, at + _KIND.size + dimensions * _LENGTH.size + _KIND.size + _LENGTH.size)
    return at


def _behind_value(data: bytes, at: int, kind: int) -> int:
    if kind in _FIXED:
        return _within(data, at + _FIXED[kind])
    if kind == _STRING:
        return _behind_text(data, at)
    if kind != _ARRAY:
        raise _NoGguf
    inner, count = _LIST.unpack_from(data, at)
    at += _LIST.size
    if inner in _FIXED:
        return _within(data, at + count * _FIXED[inner])
    if inner != _STRING:
        raise _NoGguf
    for _ in range(count):
        at = _behind_text(data, at)
    return at


def _behind_text(data: bytes, at: int) -> int:
    (length,) = _LENGTH.unpack_from(data, at)
    return _within(data, at + _LENGTH.size + length)


def _within(data: bytes, at: int) -> int:
    if at > len(data):
        raise _NoGguf
    return at
