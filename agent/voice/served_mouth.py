"""Runs in a process of its own: says one sentence at a time.

Kokoro on onnxruntime where its weights are here, else espeak-ng. The samples come back as 16-bit whole numbers beside
the result, `{"rate", "ms"}`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from agent.errors import InputError
from agent.values import Json
from agent.voice.espeak import Espeak
from agent.voice.phonemes import Phonemes
from agent.voice.sound import Sound, joined, pcm16
from agent.workers.child import Attached, CallContext

__all__ = ["ServedMouth", "make"]

_RATE = 24_000
_MOST_PHONEMES = 500
"""The model reads 510 with its two marks."""
_STYLES = (510, 1, 256)
_QUIET = 0.01
_EDGE_SECONDS = 0.05


def make(**config: Any) -> ServedMouth:
    """Load a voice.

    :param config: see `ServedMouth`.
    """
    return ServedMouth(**config)


class ServedMouth:
    """Implements `agent.workers.child.Served`."""

    methods = ("say",)

    def __init__(self, *, files: dict[str, str] | None, threads: int, cache: str) -> None:
        """
        :param files: role → path, as the catalogue has them; None: espeak-ng speaks.
        :param cache: a folder of our own.
        :raises InputError: there is neither.
        """
        self._espeak = _espeak(needed=files is None)
        self._kokoro = None if files is None else _Kokoro(files, threads)
        words = self._espeak.phonemes if self._espeak else None
        self._phonemes = Phonemes(words, Path(cache))
        for text, language in (("好", "zh"), ("yes", "en")):
            self._spoken(text, language, 1.0)

    def report(self) -> Mapping[str, Json]:
        """Who speaks."""
        return {"voice": "kokoro" if self._kokoro else "espeak-ng", "methods": list(self.methods)}

    def close(self) -> None:
        """Nothing is left open."""

    def say(self, context: CallContext, text: str, language: str, speed: float) -> Attached:
        """Say a sentence."""
        begun = time.perf_counter()
        sound = self._spoken(text, language, speed)
        said = Attached({"rate": sound.rate, "ms": round((time.perf_counter() - begun) * 1000, 1)})
        said.attachment = pcm16(sound)
        return said

    def _spoken(self, text: str, language: str, speed: float) -> Sound:
        if self._kokoro is not None:
            phonemes = self._phonemes.of(text, language)
            return self._kokoro.say(phonemes, language, speed)
        assert self._espeak is not None
        return self._espeak.say(text, language, speed)


class _Kokoro:
    """The model and its voices."""

    def __init__(self, files: Mapping[str, str], threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(files["model"], options, providers=["CPUExecutionProvider"])
        vocabulary = json.loads(Path(files["vocabulary"]).read_text(encoding="utf-8"))
        self._ids: dict[str, int] = vocabulary["vocab"]
        self._styles = {
            language: np.fromfile(files[f"voice-{language}"], np.float32).reshape(_STYLES) for language in ("zh", "en")
        }

    def say(self, phonemes: str, language: str, speed: float) -> Sound:
        """Sound of phonemes; those that it does not know are left out."""
        ids = [self._ids[p] for p in phonemes if p in self._ids]
        pieces = [ids[at : at + _MOST_PHONEMES] for at in range(0, len(ids), _MOST_PHONEMES)]
        return joined([self._piece(piece, language, speed) for piece in pieces]) if pieces else _silence()

    def _piece(self, ids: list[int], language: str, speed: float) -> Sound:
        style = self._styles.get(language, self._styles["en"])[len(ids)]
        feed = {
            "tokens": np.array([[0, *ids, 0]], np.int64),
            "style": style,
            "speed": np.array([speed], np.float32),
        }
        (samples,) = self._session.run(None, feed)
        return _trimmed(np.asarray(samples, np.float32).reshape(-1))


def _trimmed(samples: np.ndarray[Any, np.dtype[np.float32]]) -> Sound:
    """Without the silence before and behind: it only delays what comes next."""
    loud = np.flatnonzero(np.abs(samples) > _QUIET)
    if not len(loud):
        return _silence()
    edge = round(_EDGE_SECONDS * _RATE)
    return Sound(samples[max(0, loud[0] - edge) : loud[-1] + edge], _RATE)


def _silence() -> Sound:
    return Sound(np.zeros(_RATE // 10, np.float32), _RATE)


def _espeak(*, needed: bool) -> Espeak | None:
    try:
        return Espeak()
    except InputError:
        if needed:
            raise
        return None
