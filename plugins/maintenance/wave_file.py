"""WAV recordings, read in blocks: memory stays flat however long they are.

PCM of 8, 16, 24 and 32 bits, and floats of 32 and 64; RIFF and RF64; every channel is a `Wave` of its own. Headers are
untrusted: what they promise is held against the size of the file, and a broken end is left out and counted.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from agent.api import InputError
from agent.settings import MaintenanceSettings
from plugins.maintenance.values import Array, Wave

__all__ = ["open_waves"]

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_MOST_CHANNELS = 64
_MOST_RATE_HZ = 10_000_000
_LATER = 0xFFFFFFFF
"""A size that an RF64 header gives elsewhere, or that a recorder which lost power never wrote."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the samples are and what they look like."""

    kind: int
    channels: int
    rate: int
    bits: int
    start: int
    frames: int
    left_over: int


def open_waves(path: Path, settings: MaintenanceSettings, *, unit: str = "", full_scale: float = 1.0) -> list[Wave]:
    """The channels of a recording.

    :param unit: that a full-scale sample is `full_scale` of; without it samples are parts of full scale.
    :raises InputError: it is no WAV file, or one of a kind that is not read.
    """
    try:
        with path.open("rb") as file:
            layout = _layout(file, os.fstat(file.fileno()).st_size, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    count = min(layout.frames, settings.wave_samples)
    return [_wave(path, layout, channel, count, unit, full_scale) for channel in range(layout.channels)]


def _wave(path: Path, layout: _Layout, channel: int, count: int, unit: str, full_scale: float) -> Wave:
    def blocks(size: int) -> Iterator[Array]:
        return _blocks(path, layout, channel, count, size, full_scale)

    name = path.stem if layout.channels == 1 else f"{path.stem}#{channel + 1}"
    largest = full_scale * (1 - 2.0 ** (1 - layout.bits)) if layout.kind == _PCM else 0.0
    return Wave(name, unit, float(layout.rate), count, blocks, str(path), limit=largest, skipped=layout.left_over)


def _layout(file: BinaryIO, size: int, path: Path) -> _Layout:
    head = file.read(12)
    if len(head) < 12 or head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
        raise InputError(f"{path}: is no WAV file; give a .wav, .csv or log database")
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


def _data(form: tuple[int, int, int, int, int], start: int, promised: int, size: int, path: Path) -> _Layout:
    kind, channels, rate, bits, align = form
    there = size - start
    length = there if promised in (0, _LATER) else min(promised, there)
    frames = length // align
    if frames == 0:
        raise InputError(f"{path}: holds no samples; export it again")
    lacking = 0 if promised in (0, _LATER) else max(0, promised - there)
    return _Layout(kind, channels, rate, bits, start, frames, lacking + length % align)


def _blocks(path: Path, layout: _Layout, channel: int, count: int, size: int, full_scale: float) -> Iterator[Array]:
    width = layout.bits // 8
    align = width * layout.channels
    with path.open("rb") as file:
        file.seek(layout.start)
        left = count
        while left > 0:
            raw = file.read(min(size, left) * align)
            frames = len(raw) // align
            if frames == 0:
                return
            left -= frames
            table = np.frombuffer(raw[: frames * align], np.uint8).reshape(frames, layout.channels, width)
            yield _samples(np.ascontiguousarray(table[:, channel]), layout) * full_scale


def _samples(column: np.ndarray[tuple[int, int], np.dtype[np.uint8]], layout: _Layout) -> Array:
    """Bytes of one channel, one row a sample, as parts of full scale."""
    if layout.kind == _FLOAT:
        return column.view("<f4" if layout.bits == 32 else "<f8").reshape(-1).astype(np.float64)
    if layout.bits == 8:
        return (column.reshape(-1).astype(np.float64) - 128) / 128
    if layout.bits == 24:
        wide = np.zeros((len(column), 4), np.uint8)
        wide[:, 1:] = column
        return wide.view("<i4").reshape(-1).astype(np.float64) / 2.0**31
    return column.view(f"<i{layout.bits // 8}").reshape(-1).astype(np.float64) / 2.0 ** (layout.bits - 1)
