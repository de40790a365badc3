"""The process in which stable-diffusion.cpp paints; `plugins.painter.diffusion` is the other side.

Nothing of it is imported elsewhere. It is given a file that was verified, and a prompt of our own words.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

from agent.errors import ModelError
from agent.values import Json
from agent.workers.child import CallContext

__all__ = ["Diffusion", "load"]


def load(*, path: str, threads: int) -> Diffusion:
    """Load a model.

    :param threads: 0 is the number of physical cores.
    :raises ModelError: the package is not installed, or the file is no model that it knows.
    """
    try:
        from stable_diffusion_cpp import StableDiffusion
    except (ImportError, OSError) as error:
        raise ModelError(
            f"stable-diffusion.cpp cannot be loaded ({error}); pip install 'watchkeeper[diffusion]'"
        ) from None
    try:
        model = StableDiffusion(model_path=path, n_threads=threads or -1, vae_decode_only=True, verbose=False)
    except Exception as error:
        raise ModelError(
            f"{path}: stable-diffusion.cpp cannot load it ({error}); give another painter.model_file"
        ) from None
    if not model.model:  # a null pointer, which the package lets pass
        raise ModelError(f"{path}: stable-diffusion.cpp knows no such model; give another painter.model_file")
    return Diffusion(model)


class Diffusion:
    """A model that is loaded."""

    methods = ("paint",)

    def __init__(self, model: Any) -> None:
        self._model = model

    def report(self) -> Mapping[str, Json]:
        """Nothing but that it is ready."""
        return {}

    def paint(self, context: CallContext, *, prompt: str, never: str, side_px: int, steps: int, seed: int) -> Json:
        """One picture.

        :param never: what must not be seen in it.
        :returns: `png`, base64.
        """
        images = self._model.generate_image(
            prompt=prompt, negative_prompt=never, width=side_px, height=side_px, sample_steps=steps, seed=seed
        )
        if not images:
            raise ModelError("stable-diffusion.cpp made no picture")
        kept = io.BytesIO()
        images[0].convert("RGB").save(kept, "PNG")
        return {"png": base64.b64encode(kept.getvalue()).decode("ascii")}

    def close(self) -> None:
        """Free the model."""
        self._model.close()
