"""Runs in a process of its own: finds where somebody speaks, and writes down what is said.

Silero's detector looks first, so that silence costs a few milliseconds. The recogniser reads no more than what was
spoken and a little silence, instead of half a minute each time: its work follows the length of the window. One pass of
its encoder serves both the choice of the language and the words.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agent.values import Json
from agent.workers.child import CallContext

__all__ = ["ServedEars", "make"]

_RATE = 16_000
_FRAME = 512
"""Samples of one look of the detector."""
_FRAMES_A_SECOND = 100
"""Of the spectrum that the recogniser reads."""
_WINDOW_SECONDS = 28.0
_LEAST_WINDOW_SECONDS = 15.0
"""With less than this the model, which was trained on half a minute, says short sentences twice."""
_AFTER_SECONDS = 1.2
"""Silence behind the words, without which the last one gets lost."""
_MOST_TOKENS = 220
_VERBS = {
    "zh": "打开,关闭,关掉,调到,设为,调高,调低,调亮,拉上,锁上",
    "en": "turn on, turn off, switch on, switch off, set to, open, close, dim, lock",
}
"""Words of orders, shown before the names: alone they move nothing, should noise bring them out."""
_HAN = re.compile(r"[\u3400-\u9fff]")


def make(**config: Any) -> ServedEars:
    """Load the recogniser.

    :param config: see `ServedEars`.
    """
    return ServedEars(**config)


class ServedEars:
    """Implements `agent.workers.child.Served`."""

    methods = ("transcribe", "speech")

    def __init__(self, *, folder: str, threads: int, beams: int, languages: Sequence[str], speech: float) -> None:
        """
        :param folder: holds model.bin, config.json, tokenizer.json, vocabulary.txt.
        :param beams: sentences that are followed side by side.
        :param languages: codes of those that are spoken here.
        :param speech: how likely a piece must be speech to count as some, from 0 to 1.
        """
        from faster_whisper import WhisperModel
        from faster_whisper.vad import get_vad_model
        from opencc import OpenCC

        self._model = WhisperModel(
            folder, device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
        self._detector = get_vad_model()
        self._simplified = OpenCC("t2s")
        self._beams, self._languages, self._speech = beams, tuple(languages), speech
        warm = np.zeros(_RATE, np.float32)
        self._detector(warm[: _FRAME * 8])
        self._words(warm, (), self._languages[0])

    def report(self) -> Mapping[str, Json]:
        """That it is loaded."""
        return {"languages": list(self._languages), "methods": list(self.methods)}

    def close(self) -> None:
        """Free the model."""
        self._model.model.unload_model()

    def speech(self, context: CallContext) -> dict[str, Json]:
        """How likely each piece of 32 ms of the samples (float32, 16 kHz) is speech."""
        return {"likely": [round(float(p), 3) for p in self._likely(_samples(context))]}

    def transcribe(self, context: CallContext, names: list[str], language: str | None) -> dict[str, Json]:
        """Write down what is said.

        :param names: to listen for.
        :param language: None: whichever of the known ones it is.
        """
        begun = time.perf_counter()
        samples = _samples(context)
        spans = _spans(self._likely(samples) >= self._speech, len(samples))
        looked = time.perf_counter()
        took = [
            self._words(samples[first:last], names, language)
            for first, last in _windows(spans, round(_WINDOW_SECONDS * _RATE))
        ]
        done = time.perf_counter()
        spoken = sum(last - first for first, last in spans) / _RATE
        best = max(took, key=lambda one: len(one["text"]), default=None)
        return {
            "text": self._simplified.convert(" ".join(one["text"] for one in took).strip()),
            "language": best["language"] if best else language or self._languages[0],
            "speech_seconds": round(spoken, 3),
            "no_speech": max((one["no_speech"] for one in took), default=1.0),
            "sure": min((one["sure"] for one in took), default=0.0),
            "named": min((one["named"] for one in took), default=1.0),
            "ms": {"listen": _ms(begun, looked), "transcribe": _ms(looked, done)},
        }

    def _likely(self, samples: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
        whole = np.pad(samples, (0, -len(samples) % _FRAME))
        if not len(whole):
            return np.zeros(0, np.float32)
        return np.asarray(self._detector(whole), np.float32).reshape(-1)

    def _words(
        self, samples: np.ndarray[Any, np.dtype[np.float32]], names: Sequence[str], language: str | None
    ) -> dict[str, Any]:
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        model = self._model
        seconds = min(max(_LEAST_WINDOW_SECONDS, len(samples) / _RATE + _AFTER_SECONDS), 30.0)
        frames = round(seconds) * _FRAMES_A_SECOND
        features = model.feature_extractor(np.pad(samples, (0, _RATE)))[:, :frames]
        encoded = model.encode(np.pad(features, ((0, 0), (0, frames - features.shape[1]))))
        found, named = self._language(model.model.detect_language(encoded)[0])
        found = language or found
        tokenizer = Tokenizer(model.hf_tokenizer, True, task="transcribe", language=found)
        between = "、" if found == "zh" else ", "
        hints = between.join([_VERBS.get(found, ""), *_fitting(names, found)]) if names else ""
        prompt = model.get_prompt(tokenizer, [], without_timestamps=True, hotwords=hints or None)
        result = model.model.generate(
            encoded, [prompt], beam_size=self._beams, max_length=min(448, len(prompt) + _MOST_TOKENS),
            return_scores=True, return_no_speech_prob=True, suppress_blank=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
        )[0]  # fmt: skip
        tokens = result.sequences_ids[0]
        return {
            "text": tokenizer.decode(tokens).strip(),
            "language": found,
            "named": 1.0 if language else named,
            "no_speech": round(float(result.no_speech_prob), 4),
            "sure": round(math.exp(min(0.0, float(result.scores[0]) * len(tokens) / (len(tokens) + 1))), 4),
        }

    def _language(self, likely: Sequence[tuple[str, float]]) -> tuple[str, float]:
        """The likeliest of the known languages, and how likely it is one of them at all."""
        by_code = {code.strip("<|>"): chance for code, chance in likely}
        ours = {code: by_code.get(code, 0.0) for code in self._languages}
        # Other Chinese languages are written alike, and taken for it where a speaker has an accent.
        also = by_code.get("yue", 0.0) if "zh" in ours else 0.0
        return max(ours, key=ours.__getitem__), min(1.0, sum(ours.values()) + also)


def _samples(context: CallContext) -> np.ndarray[Any, np.dtype[np.float32]]:
    (buffer,) = context.buffers
    return np.frombuffer(buffer, np.float32)


def _spans(speaks: np.ndarray[Any, np.dtype[np.bool_]], size: int) -> list[tuple[int, int]]:
    """From which sample to which somebody speaks: pauses up to 0.5 s belong to it, clicks do not, with room around."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], speaks.astype(np.int8), [0]))))
    runs: list[list[int]] = []
    for first, last in edges.reshape(-1, 2) * _FRAME:
        if runs and first - runs[-1][1] < _RATE // 2:
            runs[-1][1] = int(last)
        else:
            runs.append([int(first), int(last)])
    room = _RATE // 4
    kept = [(first, last) for first, last in runs if last - first > _RATE // 10]
    return [(max(0, first - room), min(size, last + room)) for first, last in kept]


def _windows(spans: Sequence[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Spans together as long as they fit; one that is too long is cut."""
    windows: list[tuple[int, int]] = []
    for first, last in spans:
        if windows and last - windows[-1][0] <= most:
            windows[-1] = (windows[-1][0], last)
        else:
            windows += [(at, min(at + most, last)) for at in range(first, last, most)]
    return windows


def _fitting(names: Sequence[str], language: str) -> list[str]:
    """Those names that are written in a language: the others would pull it over."""
    return [name for name in names if bool(_HAN.search(name)) == (language == "zh")]


def _ms(begun: float, done: float) -> float:
    return round((done - begun) * 1000, 1)
