"""What happens to a voice on its way to a microphone: noise, an echoing room, a hurry, a loud shout."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.voice.sound import HEARD_RATE, Samples, Sound, resampled

__all__ = ["CONDITIONS", "clean", "echoing", "fast", "hum", "noisy", "padded", "shouted", "tone", "white"]


def clean(sound: Sound, seed: int) -> Sound:
    """As it is, with a breath of silence around."""
    return padded(resampled(sound, HEARD_RATE))


def noisy(sound: Sound, seed: int, *, decibels: float = 15.0) -> Sound:
    """A fan beside the speaker, so many decibels below the voice."""
    heard = clean(sound, seed)
    noise = hum(len(heard.samples), seed)
    wanted = np.sqrt(np.mean(heard.samples**2)) / 10 ** (decibels / 20)
    return Sound(_limited(heard.samples + noise * wanted / np.sqrt(np.mean(noise**2))), HEARD_RATE)


def echoing(sound: Sound, seed: int, *, seconds: float = 0.35) -> Sound:
    """A bare room: reflections that die away over so long."""
    heard = clean(sound, seed)
    rng = np.random.default_rng(seed)
    size = int(seconds * HEARD_RATE)
    tail = rng.normal(0, 1, size) * np.exp(-6.9 * np.arange(size) / size) * 0.12
    tail[0] = 1.0
    tail[1 : HEARD_RATE // 200] = 0.0
    wet = np.convolve(heard.samples, tail)[: len(heard.samples)]
    return Sound(_limited(wet / max(1.0, float(np.max(np.abs(wet))))), HEARD_RATE)


def fast(sound: Sound, seed: int, *, factor: float = 1.25) -> Sound:
    """Somebody in a hurry, a little higher too."""
    quick = resampled(Sound(sound.samples, round(sound.rate * factor)), HEARD_RATE)
    return padded(quick)


def shouted(sound: Sound, gain: float = 12.0) -> Sound:
    """Far too loud for the microphone: the tops are cut off."""
    return Sound(_limited(sound.samples * gain), sound.rate)


def padded(sound: Sound, seconds: float = 0.4) -> Sound:
    """Silence before and behind."""
    edge = np.zeros(round(seconds * sound.rate), np.float32)
    return Sound(np.concatenate([edge, sound.samples, edge]), sound.rate)


def white(seconds: float, seed: int, level: float = 0.1) -> Sound:
    """Hiss."""
    size = round(seconds * HEARD_RATE)
    return Sound(_limited(np.random.default_rng(seed).normal(0, level, size)), HEARD_RATE)


def tone(seconds: float, hertz: float, level: float = 0.3) -> Sound:
    """A whistle."""
    at = np.arange(round(seconds * HEARD_RATE)) / HEARD_RATE
    return Sound(_limited(level * np.sin(2 * np.pi * hertz * at)), HEARD_RATE)


def hum(size: int, seed: int) -> Samples:
    """Noise that is stronger the lower it is, as of fans and traffic."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.normal(0, 1, size))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(size, 1 / HEARD_RATE), 30.0))
    return np.fft.irfft(spectrum, size).astype(np.float32)


def _limited(samples: NDArray[np.floating]) -> Samples:
    return np.clip(samples, -1, 1).astype(np.float32)


CONDITIONS = {"clean": clean, "noisy": noisy, "echo": echoing, "fast": fast}
