"""What a WAV file says of itself, and its bytes as numbers.

PCM of 8, 16, 24 and 32 bits, and floats of 32 and 64; RIFF and RF64. Headers are untrusted: what they promise is held
against the size of the file, and a broken end is left out and counted.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError

__all__ = ["WaveLayout", "wave_layout", "wave_samples"]

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_MOST_CHANNELS = 64
_MOST_RATE_HZ = 10_000_000
_LATER = 0xFFFFFFFF
"""A size that an RF64 header gives elsewhere, or that a recorder which lost power never wrote."""


@dataclass(frozen=True, slots=True)
class WaveLayout:
    """Where the samples are and what they look like."""

    is_pcm: bool
    """Whole numbers; else floats."""
    channels: int
    rate: int
    """Frames a second."""
    bits: int
    start: int
    """Byte of the first frame."""
    frames: int
    left_over: int
    """Bytes that are promised and not there, or too few for a frame."""


def wave_layout(file: BinaryIO, size: int, path: Path) -> WaveLayout:
    """Look for the samples.

    :param size: of the file, in bytes.
    :param path: for messages.
    :raises InputError: it is no WAV file, or one of a kind that is not read.
    """
    head = file.read(12)
    if len(head) < 12 or head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
        raise InputError(f"{path}: is no WAV file; give one that is")
    form: tuple[int, int, int, int, int] | None = None
    long_size = 0
    at = 12
    while at + 8 <= size:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            break
        name, length = head[:4], struct.unpack("<I", head[4:])[0]
        if name == b"ds64" and length >= 24:
            long_size = struct.unpack("<Q", file.read(24)[8:16])[0]
        elif name == b"fmt ":
            form = _form(file.read(min(length, 40)), path)
        elif name == b"data":
            if form is None:
                raise InputError(f"{path}: its samples come before their format; export it again")
            promised = long_size if length == _LATER and long_size else length
            return _data(form, at + 8, promised, size, path)
        at += 8 + length + (length & 1)
    raise InputError(f"{path}: holds no samples; export it again")


def _form(data: bytes, path: Path) -> tuple[int, int, int, int, int]:
    if len(data) < 16:
        raise InputError(f"{path}: its format block is cut off; export it again")
    kind, channels, rate, _, align, bits = struct.unpack("<HHIIHH", data[:16])
    if kind == _EXTENSIBLE and len(data) >= 26:
        kind = struct.unpack("<H", data[24:26])[0]
    known = (kind == _PCM and bits in (8, 16, 24, 32)) or (kind == _FLOAT and bits in (32, 64))
    if not known:
        raise InputError(f"{path}: format {kind} with {bits} bits is not read; export it as 16-, 24- or 32-bit PCM")
    if not (1 <= channels <= _MOST_CHANNELS and 1 <= rate <= _MOST_RATE_HZ and align == channels * bits // 8):
        what = f"{channels} channels, {rate} samples a second, {align} bytes a frame"
        raise InputError(f"{path}: its header makes no sense ({what}); export it again")
    return kind, channels, rate, bits, align


def _data(form: tuple[int, int, int, int, int], start: int, promised: int, size: int, path: Path) -> WaveLayout:
    kind, channels, rate, bits, align = form
    there = size - start
    length = there if promised in (0, _LATER) else min(promised, there)
    frames = length // align
    if frames == 0:
        raise InputError(f"{path}: holds no samples; export it again")
    lacking = 0 if promised in (0, _LATER) else max(0, promised - there)
    return WaveLayout(kind == _PCM, channels, rate, bits, start, frames, lacking + length % align)


def wave_samples(column: np.ndarray[tuple[int, int], np.dtype[np.uint8]], layout: WaveLayout) -> NDArray[np.float64]:
    """Bytes of one channel, one row a sample, as parts of full scale."""
    if not layout.is_pcm:
        return column.view("<f4" if layout.bits == 32 else "<f8").reshape(-1).astype(np.float64)
    if layout.bits == 8:
        return (column.reshape(-1).astype(np.float64) - 128) / 128
    if layout.bits == 24:
        wide = np.zeros((len(column), 4), np.uint8)
        wide[:, 1:] = column
        return wide.view("<i4").reshape(-1).astype(np.float64) / 2.0**31
    return column.view(f"<i{layout.bits // 8}").reshape(-1).astype(np.float64) / 2.0 ** (layout.bits - 1)
