"""Photos for a model that sees: scaled to a bounded number of tokens, encoded once, put into the model's memory.

Pixels come in as an array and as nothing else: no path, no URL. What is the same by digest is encoded once.
"""

from __future__ import annotations

import ctypes
import math
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.errors import ModelError
from agent.model.lanes import Lane, Lanes
from agent.model.llama_context import ABORTED, NO_CELLS, NativeContext, OutOfCells
from agent.model.llama_library import check_gguf, last_complaint, library
from agent.model.llama_native import NativeModel
from agent.model.prefix import Picture
from agent.model.prefix_cache import PrefixCache
from agent.photo import Photo
from agent.settings import ModelSettings

__all__ = ["Vision", "fit_pixels"]

CELL_PX = {"qwen2vl": 28, "qwen3vl": 32, "qwen3vlmoe": 32}
"""Architecture → side of the square that becomes one token: patch size × spatial merge."""
IMAGE_CHUNK = 1
PAD_GREY = 127


@dataclass(slots=True)
class _Seen:
    chunk: Any
    """llama.cpp's description of the image; owned."""
    picture: Picture
    embedding: NDArray[np.float32] | None = None


class Vision:
    """The projector beside a loaded model. Freed by `close`, before the model."""

    def __init__(
        self,
        projector: Path,
        native: NativeModel,
        context: NativeContext,
        settings: ModelSettings,
        cache: PrefixCache | None = None,
    ) -> None:
        """
        :param cache: where encoded photos are kept over restarts.
        :raises ModelError: not a projector, or of another model.
        """
        check_gguf(projector)
        self._native = native
        self._memory = context
        self._cache = cache if cache is not None and cache.on else None
        self._bytes = settings.image_cache_bytes
        self._tokens = settings.image_tokens
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._context: Any = None
        cell = CELL_PX.get(native.architecture)
        if cell is None:
            raise ModelError(
                f"{native.path}: architecture {native.architecture} takes no photos here; leave {projector} out"
            )
        self._cell = cell
        from llama_cpp import mtmd_cpp

        self._lib: Any = mtmd_cpp
        self._context = self._load(projector, settings)

    def _load(self, projector: Path, settings: ModelSettings) -> Any:
        lib = library(spin=settings.spin)
        parameters = self._lib.mtmd_context_params_default()
        parameters.use_gpu = False
        parameters.print_timings = False
        parameters.warmup = False
        parameters.n_threads = self._memory.threads
        parameters.image_max_tokens = settings.image_tokens
        flash = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED if settings.flash_attention else lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        parameters.flash_attn_type = flash
        last_complaint()
        context = self._lib.mtmd_init_from_file(os.fsencode(projector), self._native.handle, parameters)
        if not context:
            raise ModelError(f"{projector}: not a projector for {self._native.path.name}{last_complaint()}")
        return context

    def trim(self) -> None:
        """Drop the photos that were longest not asked about, down to the limit. Not while a reply is being made."""
        while len(self._seen) > 1 and sum(map(self._weight, self._seen.values())) > self._bytes:
            self._lib.mtmd_input_chunk_free(self._seen.popitem(last=False)[1].chunk)

    def _weight(self, seen: _Seen) -> int:
        """Bytes it holds: its pixels as floats until it is encoded, its embedding then."""
        return seen.picture.cells * self._cell**2 * 12 if seen.embedding is None else seen.embedding.nbytes

    def look(self, photo: Photo) -> Picture:
        """How the photo will stand in the prompt. It is scaled, but not encoded yet.

        :raises ModelError: the photo has no pixels, or llama.cpp refuses it.
        """
        known = self._seen.get(photo.digest)
        if known is None:
            pixels = fit_pixels(photo.pixels, self._cell, self._tokens, name=photo.name)
            known = self._seen[photo.digest] = self._prepare(photo, pixels)
        self._seen.move_to_end(photo.digest)
        return known.picture

    def _prepare(self, photo: Photo, pixels: NDArray[np.uint8]) -> _Seen:
        lib = self._lib
        height, width = pixels.shape[:2]
        bitmap = lib.mtmd_bitmap_init(width, height, pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8)))
        chunks = lib.mtmd_input_chunks_init()
        try:
            marker = lib.mtmd_get_marker(self._context)
            text = lib.mtmd_input_text(marker, len(marker), False, True)
            bitmaps = (lib.mtmd_bitmap_p_ctypes * 1)(bitmap)
            code = lib.mtmd_tokenize(self._context, chunks, ctypes.byref(text), bitmaps, 1)
            found = [lib.mtmd_input_chunks_get(chunks, i) for i in range(lib.mtmd_input_chunks_size(chunks))]
            images = [chunk for chunk in found if lib.mtmd_input_chunk_get_type(chunk) == IMAGE_CHUNK]
            if code != 0 or len(images) != 1:
                raise ModelError(f"photo {photo.name}: llama.cpp does not take it ({code}){last_complaint()}")
            picture = Picture(
                photo.digest,
                int(lib.mtmd_input_chunk_get_n_tokens(images[0])),
                int(lib.mtmd_input_chunk_get_n_pos(images[0])),
            )
            return _Seen(lib.mtmd_input_chunk_copy(images[0]), picture)
        finally:
            lib.mtmd_input_chunks_free(chunks)
            lib.mtmd_bitmap_free(bitmap)

    def show(self, picture: Picture, lanes: Lanes, lane: Lane, stop: Callable[[], bool]) -> bool:
        """Put a photo that was looked at behind what a lane holds, and encode it if that was not done yet.

        :return: False when `stop` said so; then it left no trace.
        :raises ModelError: llama.cpp failed.
        """
        seen = self._seen[picture.digest]
        if seen.embedding is None:
            if stop():
                return False
            seen.embedding = self._kept(picture) if self._cache else None
        if seen.embedding is None:
            self._encode(seen)
        if not lanes.with_room(lambda: self._put(seen, lane, stop)):
            return False
        lane.add([picture])
        return True

    def keep(self, picture: Picture) -> None:
        """Put a photo that was encoded on disk, where it is not there yet."""
        seen = self._seen.get(picture.digest)
        if self._cache is None or seen is None or seen.embedding is None or self._cache.has_image(picture):
            return
        self._cache.save_image(picture, seen.embedding.tobytes())

    def _kept(self, picture: Picture) -> NDArray[np.float32] | None:
        assert self._cache is not None
        data = self._cache.load_image(picture)
        shape = (picture.cells, self._native.embedding_width)
        if data is None or len(data) != 4 * shape[0] * shape[1]:
            return None
        return np.frombuffer(data, np.float32).reshape(shape)

    def _put(self, seen: _Seen, lane: Lane, stop: Callable[[], bool]) -> bool:
        embedding = seen.embedding
        assert embedding is not None
        after = ctypes.c_int32(0)

        def work() -> int:
            return int(
                self._lib.mtmd_helper_decode_image_chunk(
                    self._context,
                    self._memory.handle,
                    seen.chunk,
                    embedding.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
                    lane.position,
                    lane.number,
                    self._memory.batch_tokens,
                    ctypes.byref(after),
                    self._lib.mtmd_helper_post_decode_callback(),
                    None,
                )
            )

        code = self._memory.interruptible(stop, work)
        if code != 0:
            self._memory.forget(lane.position, lane=lane.number)
        if code == NO_CELLS:
            raise OutOfCells("the photo does not fit the model's memory")
        if code not in (0, ABORTED):
            raise ModelError(f"the photo could not be put into the model's memory ({code}){last_complaint()}")
        return code == 0

    def _encode(self, seen: _Seen) -> None:
        lib = self._lib
        if lib.mtmd_encode_chunk(self._context, seen.chunk) != 0:
            raise ModelError(f"the photo could not be encoded{last_complaint()}")
        shape = (seen.picture.cells, self._native.embedding_width)
        seen.embedding = np.ctypeslib.as_array(lib.mtmd_get_output_embd(self._context), shape).copy()
        bare = lib.mtmd_input_chunk_get_placeholder(seen.chunk)  # the same without its pixels
        if bare:
            lib.mtmd_input_chunk_free(seen.chunk)
            seen.chunk = bare

    def close(self) -> None:
        """Free everything. Calling it twice is fine."""
        while self._seen:
            self._lib.mtmd_input_chunk_free(self._seen.popitem()[1].chunk)
        if self._context:
            self._lib.mtmd_free(self._context)
            self._context = None


def fit_pixels(pixels: NDArray[np.uint8], cell: int, tokens: int, *, name: str = "") -> NDArray[np.uint8]:
    """Scale to whole cells, at most `tokens` of them, keeping the shape; a side below one cell is padded with grey.

    :param pixels: height × width × 3.
    :param cell: side of a token in pixels.
    :raises ModelError: an image without pixels.
    """
    height, width = pixels.shape[:2]
    if height < 1 or width < 1:
        raise ModelError(f"photo {name}: it is {width} × {height} pixels; there is nothing to see")
    scale = min(1.0, math.sqrt(tokens * cell * cell / (height * width)))
    columns, rows = max(1, round(width * scale / cell)), max(1, round(height * scale / cell))
    while columns * rows > tokens:
        columns, rows = (columns - 1, rows) if columns >= rows else (columns, rows - 1)
    target = (columns * cell, rows * cell)
    inner = (_inner(width, scale, target[0], cell), _inner(height, scale, target[1], cell))
    method = cv2.INTER_AREA if inner[0] * inner[1] < width * height else cv2.INTER_CUBIC
    scaled = pixels if inner == (width, height) else cv2.resize(pixels, inner, interpolation=method)
    right, bottom = target[0] - inner[0], target[1] - inner[1]
    if right or bottom:
        scaled = cv2.copyMakeBorder(scaled, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=(PAD_GREY,) * 3)
    return np.ascontiguousarray(scaled, dtype=np.uint8)


def _inner(side: int, scale: float, target: int, cell: int) -> int:
    """Pixels of the image itself along one side: all of it, unless that would stretch a sliver."""
    scaled = max(1, round(side * scale))
    return scaled if scaled < cell else target
