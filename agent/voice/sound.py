"""Sound as numbers, and what is done to it on the way in and out: WAV files, other rates, loudness.

Everything that is heard is brought to one channel of 16 kHz. Files are untrusted: their size is bounded before they
are read, and numbers that are none are silence.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError
from agent.settings import VoiceSettings
from agent.wave_format import WaveLayout, wave_layout, wave_samples

__all__ = ["HEARD_RATE", "Samples", "Sound", "joined", "load_wav", "pcm16", "resampled", "sound_of_pcm", "write_wav"]

Samples = NDArray[np.float32]
HEARD_RATE = 16_000
"""Of all that is listened to, in samples a second."""
_LEAST_RATE, _MOST_RATE = 4_000, 384_000
_TAPS = 32
"""Zero crossings of the filter on each side when the rate is changed."""
_CLIPPED = 0.985
_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """One channel."""

    samples: Samples
    """From -1 to 1."""
    rate: int
    """Samples a second."""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate

    @property
    def clipped(self) -> float:
        """The part of it that stands at full scale: what was shouted, or recorded too loud."""
        return float(np.mean(np.abs(self.samples) >= _CLIPPED)) if len(self.samples) else 0.0


def load_wav(path: Path, settings: VoiceSettings) -> Sound:
    """Read a recording, its channels mixed, at 16 kHz.

    :raises InputError: it is no WAV file, holds nothing, or is too long.
    """
    try:
        with path.open("rb") as file:
            layout = wave_layout(file, os.fstat(file.fileno()).st_size, path)
            _check(layout, path, settings)
            file.seek(layout.start)
            raw = file.read(layout.frames * layout.channels * layout.bits // 8)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    return resampled(Sound(_mixed(raw, layout), layout.rate), HEARD_RATE)


def sound_of_pcm(data: bytes, *, rate: int, width: int, channels: int) -> Sound:
    """Plain samples without a header, little-endian, as they come over a line; a broken last frame is left out.

    :param width: bytes a sample: 1, 2, 3 or 4.
    :raises InputError: that is no format.
    """
    if not (_LEAST_RATE <= rate <= _MOST_RATE and width in (1, 2, 3, 4) and 1 <= channels <= 8):
        what = f"{rate} samples a second of {width} bytes on {channels} channels"
        raise InputError(f"audio of {what} is not understood; send 16000 samples a second of 2 bytes on 1 channel")
    frames = len(data) // (width * channels)
    return Sound(_mixed(data, WaveLayout(True, channels, rate, width * 8, 0, frames, 0)), rate)


def pcm16(sound: Sound) -> bytes:
    """Its samples as 16-bit whole numbers, little-endian."""
    return (np.clip(sound.samples, -1, 1) * 32767).astype("<i2").tobytes()


def write_wav(path: Path, sound: Sound) -> None:
    """Write a WAV file of 16 bits.

    :raises InputError: it cannot be written.
    """
    data = pcm16(sound)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, sound.rate, sound.rate * 2, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", 36 + len(data), b"WAVE") + form + struct.pack("<4sI", b"data", len(data))
    try:
        path.write_bytes(head + data)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}; choose another place") from None


def joined(sounds: list[Sound], *, pause_seconds: float = 0.0) -> Sound:
    """One after another, at the rate of the first."""
    if not sounds:
        return Sound(np.zeros(0, np.float32), HEARD_RATE)
    rate = sounds[0].rate
    pause = np.zeros(round(pause_seconds * rate), np.float32)
    pieces = [piece for sound in sounds for piece in (resampled(sound, rate).samples, pause)]
    return Sound(np.concatenate(pieces[:-1]), rate)


def resampled(sound: Sound, rate: int) -> Sound:
    """The same at another rate, by a windowed sinc: what the lower rate cannot hold is taken out first."""
    if rate == sound.rate or not len(sound.samples):
        return Sound(sound.samples, rate)
    ratio = rate / sound.rate
    cut = min(1.0, ratio)
    reach = int(np.ceil(_TAPS / cut))
    padded = np.pad(sound.samples, reach).astype(np.float32)
    count = int(len(sound.samples) * ratio)
    out = np.empty(count, np.float32)
    offsets = np.arange(-reach + 1, reach + 1)
    step = max(1, _BLOCK // len(offsets))
    for start in range(0, count, step):
        at = np.arange(start, min(start + step, count)) / ratio
        whole = np.floor(at).astype(np.int64)
        away = (at - whole)[:, None] - offsets[None, :]
        window = np.cos(np.clip(away / (2 * reach), -0.5, 0.5) * np.pi) ** 2
        weights = (cut * np.sinc(cut * away) * window).astype(np.float32)
        out[start : start + len(at)] = np.einsum("ij,ij->i", padded[(whole + reach)[:, None] + offsets], weights)
    return Sound(out, rate)


def _check(layout: WaveLayout, path: Path, settings: VoiceSettings) -> None:
    if not _LEAST_RATE <= layout.rate <= _MOST_RATE:
        raise InputError(f"{path}: {layout.rate} samples a second are no voice; record it at 16000")
    seconds = layout.frames / layout.rate
    if seconds > settings.max_audio_seconds:
        most = f"{settings.max_audio_seconds:g} s are the limit (voice.max_audio_seconds)"
        raise InputError(f"{path}: is {seconds:.0f} s long, {most}; say one thing at a time")


def _mixed(raw: bytes, layout: WaveLayout) -> Samples:
    """All channels as one; what is no number is silence."""
    width = layout.bits // 8
    frames = min(layout.frames, len(raw) // (width * layout.channels))
    table = np.frombuffer(raw[: frames * width * layout.channels], np.uint8).reshape(frames, layout.channels, width)
    columns = [wave_samples(np.ascontiguousarray(table[:, c]), layout) for c in range(layout.channels)]
    with np.errstate(all="ignore"):
        mixed = np.mean(columns, axis=0)
    clean: Samples = np.clip(np.nan_to_num(mixed, nan=0.0, posinf=1.0, neginf=-1.0), -1, 1).astype(np.float32)
    return clean
