"""WAV recordings, read in blocks: memory stays flat however long they are.

Every channel is a `Wave` of its own. What is read is what `agent.wave_format` knows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from agent.api import InputError
from agent.settings import MaintenanceSettings
from agent.wave_format import WaveLayout, wave_layout, wave_samples
from plugins.maintenance.values import Array, Wave

__all__ = ["open_waves"]


def open_waves(path: Path, settings: MaintenanceSettings, *, unit: str = "", full_scale: float = 1.0) -> list[Wave]:
    """The channels of a recording.

    :param unit: that a full-scale sample is `full_scale` of; without it samples are parts of full scale.
    :raises InputError: it is no WAV file, or one of a kind that is not read.
    """
    try:
        with path.open("rb") as file:
            layout = wave_layout(file, os.fstat(file.fileno()).st_size, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    count = min(layout.frames, settings.wave_samples)
    return [_wave(path, layout, channel, count, unit, full_scale) for channel in range(layout.channels)]


def _wave(path: Path, layout: WaveLayout, channel: int, count: int, unit: str, full_scale: float) -> Wave:
    def blocks(size: int) -> Iterator[Array]:
        return _blocks(path, layout, channel, count, size, full_scale)

    name = path.stem if layout.channels == 1 else f"{path.stem}#{channel + 1}"
    largest = full_scale * (1 - 2.0 ** (1 - layout.bits)) if layout.is_pcm else 0.0
    return Wave(name, unit, float(layout.rate), count, blocks, str(path), limit=largest, skipped=layout.left_over)


def _blocks(path: Path, layout: WaveLayout, channel: int, count: int, size: int, full_scale: float) -> Iterator[Array]:
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
            yield wave_samples(np.ascontiguousarray(table[:, channel]), layout) * full_scale
