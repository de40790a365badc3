"""What stands in for stable-diffusion.cpp in a worker: a plain square, something odd for dogs, nothing for owls."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Mapping

from PIL import Image

from agent.values import Json
from agent.workers.child import CallContext


def load(*, path: str, threads: int) -> FakeDiffusion:
    """Ready when the file can be opened."""
    with open(path, "rb") as file:  # noqa: PTH123 - the path of a descriptor
        assert file.read(4) == b"GGUF"
    return FakeDiffusion()


class FakeDiffusion:
    methods = ("paint",)

    def report(self) -> Mapping[str, Json]:
        return {}

    def paint(self, context: CallContext, *, prompt: str, never: str, side_px: int, steps: int, seed: int) -> Json:
        if "owl" in prompt:
            time.sleep(60)
        kept = io.BytesIO()
        Image.new("RGB", (side_px * (2 if "dog" in prompt else 1), side_px), "#8fbce6").save(kept, "PNG")
        return {"png": base64.b64encode(kept.getvalue()).decode()}

    def close(self) -> None:
        """Nothing is held."""
