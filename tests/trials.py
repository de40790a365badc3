"""What stands in for a model in the tests of `agent.model.bench`: it is as fast as its settings say, or misbehaves."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from agent.errors import ModelError
from agent.values import Json
from agent.workers.child import CallContext


class Fake:
    """Twice the threads are not quite twice as fast; the packed context is a little faster; three threads crash."""

    methods = ("text", "photo")

    def __init__(self, path: str, projector: str, settings: Mapping[str, Any]) -> None:
        if path.endswith("broken"):
            raise ModelError(f"{path}: damaged")
        self._projector = projector
        self._settings = settings

    def report(self) -> Mapping[str, Json]:
        return {"load_ms": 12.5}

    def text(self, context: CallContext, prompt_tokens: int, reply_tokens: int, seconds: float) -> Json:
        threads = self._settings["threads"]
        if threads == 3:
            os.kill(os.getpid(), signal.SIGSEGV)
        if threads == 4:
            while not context.cancelled():
                time.sleep(0.01)
            return {"read_tok_s": "fast", "write_tok_s": -1}
        speed = 10.0 * threads * (1.02 if self._settings["kv_type"] == "q8_0" else 1.0)
        return {"read_tok_s": 4 * speed, "write_tok_s": speed, "first_token_ms": 900, "peak_bytes": 7e8, "others": 0.1}

    def photo(self, context: CallContext, photos: int, seconds: float) -> Json:
        f16 = self._projector.endswith("f16")
        return {"encode_ms": 100.0 if f16 else 200.0, "peak_bytes": 9e8 if f16 else 8e8}

    def close(self) -> None:
        pass


class Meter:
    methods = ("bandwidth",)

    def report(self) -> Mapping[str, Json]:
        return {}

    def bandwidth(self, context: CallContext, threads: int) -> Json:
        return {"bytes_per_s": 2e10}

    def close(self) -> None:
        pass


def make(path: str, projector: str, settings: Mapping[str, Any]) -> Fake:
    return Fake(path, projector, settings)


def meter() -> Meter:
    return Meter()
