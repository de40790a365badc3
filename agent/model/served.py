"""The model's process: loads a model and serves its replies. `agent.model.worker` is the other side.

Photos come as sealed memory and are kept by digest, the longest unused out, so that each crosses once; one that is
named and not here is asked for by an error.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.errors import ModelError
from agent.messages import Reply
from agent.model.llama import LlamaModel
from agent.model.llama_library import library
from agent.model.prefix_cache import PrefixCache
from agent.model.protocol import Request
from agent.model.wire import pack_reply, unpack_request
from agent.photo import Photo
from agent.settings import ModelSettings
from agent.values import Json
from agent.workers.child import CallContext

__all__ = ["PhotoUnknown", "ServedModel", "load", "prepare"]


class PhotoUnknown(ModelError):
    """A photo that is asked about is not here; the caller sends it and asks again."""


def prepare(*, spin: bool) -> None:
    """Load the native libraries while the files are still being checked.

    :param spin: see `ModelSettings.spin`.
    """
    library(spin=spin)
    import llguidance  # noqa: F401


def load(
    *,
    path: str,
    name: str,
    settings: dict[str, Any],
    projector: str | None,
    cache: dict[str, str] | None,
    photo_bytes: int,
) -> ServedModel:
    """Load a model.

    :param cache: `folder` and the digests of `PrefixCache`; None keeps no states.
    :param photo_bytes: pixels that are kept.
    :raises ModelError: see `LlamaModel.load`.
    """
    checked = ModelSettings.model_validate(settings)
    states = None
    if cache is not None:
        digests = {key: value for key, value in cache.items() if key != "folder"}
        states = PrefixCache(Path(cache["folder"]), settings=checked, **digests)
    eyes = None if projector is None else Path(projector)
    return ServedModel(
        LlamaModel.load(Path(path), name=name, settings=checked, projector=eyes, cache=states), photo_bytes
    )


class ServedModel:
    """Implements `agent.workers.child.Served`."""

    methods = ("reply", "reply_many", "use_threads")

    def __init__(self, model: LlamaModel, photo_bytes: int) -> None:
        self._model = model
        self._photo_bytes = photo_bytes
        self._photos: OrderedDict[str, Photo] = OrderedDict()

    def report(self) -> Mapping[str, Json]:
        """Of the model. Between two passes of scheduled work it takes another reply."""
        return {"name": self._model.name, "sees": self._model.sees, "nests": True}

    def close(self) -> None:
        """Free the model."""
        self._photos.clear()
        self._model.close()

    def reply(
        self, context: CallContext, *, request: dict[str, Any], photos: list[dict[str, Any]], stream: bool
    ) -> Json:
        """As `LlamaModel.reply`.

        :param photos: digest, name, height and width of each photo that comes along, in the order of the buffers.
        :param stream: each piece of text is sent as it is decided.
        """
        (asked,) = self._requests(context, [request], photos)
        on_text = context.send if stream else None
        reply = self._model.reply(asked.messages, asked.tools, bound=asked.bound, limits=asked.limits, on_text=on_text)
        return pack_reply(reply)

    def reply_many(self, context: CallContext, *, requests: list[dict[str, Any]], photos: list[dict[str, Any]]) -> Json:
        """As `LlamaModel.reply_many`: for each request its reply, or the error that it met."""
        answers = self._model.reply_many(self._requests(context, requests, photos))
        return [_answer(answer) for answer in answers]

    def use_threads(self, context: CallContext, *, threads: int, photos: list[dict[str, Any]]) -> Json:
        """As `LlamaModel.use_threads`; no photo comes along."""
        self._model.use_threads(threads)
        return None

    def _requests(
        self, context: CallContext, packed: Sequence[Mapping[str, Any]], photos: Sequence[Mapping[str, Any]]
    ) -> list[Request]:
        for told, buffer in zip(photos, context.buffers, strict=True):
            pixels = np.frombuffer(buffer, np.uint8).reshape(told["height"], told["width"], 3)
            self._photos[told["digest"]] = Photo(pixels, told["digest"], told["name"])
        requests = [
            unpack_request(one, photo=self._photo, cancelled=context.cancelled, between=context.yield_to_urgent)
            for one in packed
        ]
        while len(self._photos) > 1 and sum(photo.pixels.nbytes for photo in self._photos.values()) > self._photo_bytes:
            self._photos.popitem(last=False)
        return requests

    def _photo(self, digest: str) -> Photo:
        if digest not in self._photos:
            raise PhotoUnknown(f"photo {digest} is not here")
        self._photos.move_to_end(digest)
        return self._photos[digest]


def _answer(answer: Reply | ModelError) -> dict[str, Json]:
    if isinstance(answer, Reply):
        return {"reply": pack_reply(answer)}
    kinds: list[Json] = [kind.__name__ for kind in type(answer).__mro__]
    return {"kinds": kinds, "message": str(answer)}
