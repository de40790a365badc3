"""One way to load a model, tried in a process of its own: it says how fast it was and what it took.

`agent.model.bench` starts it. Only what any model offers is used, so what is measured is what an answer gets.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil

from agent.messages import Message, Reply
from agent.model.cores import read_text
from agent.model.llama import LlamaModel
from agent.model.protocol import ReplyLimits
from agent.photo import Photo
from agent.settings import ModelSettings
from agent.values import Json
from agent.workers.child import CallContext

__all__ = ["Meter", "Trial", "make", "meter"]

FILLER = ["pump", "valve", "motor", "fan", "sensor", "boiler", "panel", "filter"]
ASK = "Write the numbers from one to two hundred as words, one after the other."
TASTE_WORDS = 24
"""A first short prompt: it pays for what only the first one pays for, and tells how long the real one may be."""
LEAST_WORDS = 32
LEAST_REPLY_TOKENS = 8
"""A shorter reply says little of the speed; another prompt is tried."""
TRIES = 3
PHOTO_PX = 160
READ_BYTES = 256_000_000
CHUNKS = 64


def make(path: str, projector: str, settings: Mapping[str, Json]) -> Trial:
    """Load the model; for `agent.workers`."""
    return Trial(Path(path), Path(projector) if projector else None, ModelSettings.model_validate(settings))


def meter() -> Meter:
    """Nothing is loaded; for `agent.workers`."""
    return Meter()


class Meter:
    """Measures the box alone."""

    methods = ("bandwidth",)

    def report(self) -> Mapping[str, Json]:
        """Nothing."""
        return {}

    def bandwidth(self, context: CallContext, threads: int) -> Mapping[str, Json]:
        """Bytes per second that so many threads read from memory."""
        return {"bytes_per_s": _read_bandwidth(threads)}

    def close(self) -> None:
        """Nothing."""


class Trial:
    """A loaded model under one set of settings."""

    methods = ("text", "photo")

    def __init__(self, path: Path, projector: Path | None, settings: ModelSettings) -> None:
        began = time.perf_counter()
        self._model = LlamaModel.load(path, name="trial", settings=settings, projector=projector)
        self._load_ms = (time.perf_counter() - began) * 1_000
        self._prompts = 0

    def report(self) -> Mapping[str, Json]:
        """What loading took."""
        return {"load_ms": self._load_ms}

    def text(self, context: CallContext, prompt_tokens: int, reply_tokens: int, seconds: float) -> Mapping[str, Json]:
        """Read a prompt and write a reply, both shorter where they would take longer than `seconds`."""
        taste = self._ask(TASTE_WORDS, 2, seconds, context).usage
        read_s = max(taste.prefill_ms / 1_000 / max(1, taste.prompt_tokens - taste.reused_tokens), 1e-6)
        words = max(LEAST_WORDS, min(prompt_tokens, int(seconds / 2 / read_s)))
        read = write = math.nan
        others = _Others()
        for _ in range(TRIES):
            reply = self._ask(words, reply_tokens, seconds, context)
            usage = reply.usage
            if reply.stopped == "aborted" and not usage.passes:
                break  # the prompt was not read to its end
            read = (usage.prompt_tokens - usage.reused_tokens) / max(usage.prefill_ms, 1e-3) * 1_000
            write = usage.passes / max(usage.decode_ms, 1e-3) * 1_000
            if usage.passes >= LEAST_REPLY_TOKENS:
                break
        return {
            "read_tok_s": read,
            "write_tok_s": write,
            "first_token_ms": self._load_ms + prompt_tokens / read * 1_000,
            "peak_bytes": _peak_bytes(),
            "others": others.share(),
        }

    def photo(self, context: CallContext, photos: int, seconds: float) -> Mapping[str, Json]:
        """Look at small photos, each twice: what the first look takes longer is the projector's part."""
        costs = []
        for number in range(photos):
            noise = np.random.default_rng(number).integers(0, 256, (PHOTO_PX, PHOTO_PX, 3), dtype=np.uint8)
            photo = Photo(noise, f"trial-{number}", "trial")
            first, again = (self._ask(1, 1, seconds, context, photo).usage.prefill_ms for _ in range(2))
            costs.append(max(0.0, first - again))
        return {"encode_ms": min(costs), "peak_bytes": _peak_bytes()}

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    def _ask(self, words: int, most: int, seconds: float, context: CallContext, photo: Photo | None = None) -> Reply:
        """A prompt that begins like no other, so that none of it is known already. With a photo they are alike."""
        self._prompts += 0 if photo else 1
        filler = (FILLER[(self._prompts + place) % len(FILLER)] for place in range(words))
        text = f"{self._prompts} {' '.join(filler)}. {ASK}"
        # Reading gets its share and more: a prompt that is cut off measures nothing.
        limits = ReplyLimits(most, deadline=time.monotonic() + 4 * seconds, cancelled=context.cancelled)
        return self._model.reply([Message("user", text, photo)], [], bound=None, limits=limits)


class _Others:
    """What other programs take of the box meanwhile."""

    def __init__(self) -> None:
        self._start = self._now()

    def share(self) -> float:
        """0 to 1, of all processors, since the start."""
        whole, busy, own = (now - then for now, then in zip(self._now(), self._start, strict=True))
        return min(1.0, max(0.0, (busy - own) / whole)) if whole > 0 else 0.0

    def _now(self) -> tuple[float, float, float]:
        """Seconds of all processors: in all, spent working, and by this process."""
        times = psutil.cpu_times()
        whole = sum(times)
        return whole, whole - times.idle - getattr(times, "iowait", 0.0), time.process_time()


def _peak_bytes() -> int:
    """Most resident memory so far; 0 where the system does not say."""
    for line in read_text(Path("/proc/self/status")).splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1_024
    return 0


def _read_bandwidth(threads: int) -> float:
    """The best of a few passes over more memory than a cache holds, bytes per second."""
    parts = np.array_split(np.ones(READ_BYTES // 4, np.float32), CHUNKS)
    best = math.inf
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(5):
            began = time.perf_counter()
            list(pool.map(lambda part: np.dot(part, part), parts))
            best = min(best, time.perf_counter() - began)
    return READ_BYTES / best
