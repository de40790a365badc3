"""A wish painted by a model: stable-diffusion.cpp in a process of its own, with weights that a person brought.

The file is verified by its digest like every other weight file, and its process opens the very file that was read. The
prompt is made of our own words, in one style. Whatever goes wrong, the wish is drawn instead.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import threading
import time
import warnings

from PIL import Image

from agent.api import Env, InputError, Json, WeightsError
from agent.errors import WorkerError
from agent.settings import PainterSettings
from agent.weights.catalogue import Catalogue, Entry, WeightFile
from agent.weights.held import VerifiedFiles
from agent.weights.store import WeightStore
from agent.workers.launch import WorkerSpec
from agent.workers.supervisor import Supervisor
from plugins.painter.wishes import Wish, caption

__all__ = ["DiffusionPainter", "model_problem", "store_of"]

_ENTRY, _ROLE = "painter", "model"
_STYLE = "children's picture book illustration, soft outlines, calm pastel colours, friendly, simple shapes, one animal"
_NEVER = "text, letters, people, scary, blood, weapon, photo, realistic, several animals"
_TARGET = "plugins.painter.diffusion_worker:load"


def store_of(env: Env) -> WeightStore:
    """The weight store as it sees the one file that the settings name.

    :raises InputError: the settings name a file without its digest, or a path instead of a name.
    """
    settings = env.settings.painter
    name, digest = settings.model_file, settings.model_sha256.lower()
    if not name or "/" in name or "\\" in name or name.startswith("."):
        raise InputError(f"painter.model_file {name!r}: give the name of a file in {env.weights.folder / _ENTRY}")
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise InputError(f"painter.model_sha256: give the SHA-256 of {name}, 64 hex digits; without it it is not used")
    file = WeightFile(role=_ROLE, name=name, sha256=digest)
    entry = Entry(name=_ENTRY, kind="picture", title=name, license="", files=(file,))
    return WeightStore(
        env.weights.folder, env.settings.weights, catalogue=Catalogue((entry,)), box_key=env.home.box_key
    )


def model_problem(env: Env) -> str:
    """What is wrong with the model that the settings name, without reading all of it; empty where nothing is."""
    name = env.settings.painter.model_file
    if not name:
        return ""
    try:
        path = store_of(env).folder / _ENTRY / name
    except InputError as error:
        return str(error)
    return "" if path.is_file() else f"{path}: no such file; pictures are drawn instead"


class DiffusionPainter:
    """The model, loaded when it is first wanted. Safe for use from several threads."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._lock = threading.Lock()
        self._worker: Supervisor | None = None
        self._files: VerifiedFiles | None = None

    def paint(self, wish: Wish) -> bytes:
        """A picture as PNG.

        :raises InputError: the settings are wrong.
        :raises WeightsError: the file is missing, short, or another one than its digest says.
        :raises WorkerError: it cannot be loaded, died, or took too long.
        """
        settings = self._env.settings.painter
        worker = self._opened(settings)
        prompt = f"{caption(wish)['en']}, {_STYLE}"
        seed = int.from_bytes(hashlib.sha256(wish.key.encode()).digest()[:4], "big") >> 1
        deadline = time.monotonic() + settings.model_seconds
        side_px = settings.model_side_px
        wanted: dict[str, Json] = {"prompt": prompt, "never": _NEVER, "side_px": side_px, "seed": seed}
        try:
            result = worker.call(
                "paint",
                {**wanted, "steps": settings.model_steps},
                deadline=deadline,
                cancelled=lambda: time.monotonic() > deadline,
            )
        except WorkerError as error:
            raise self._named(error) from None
        return _checked(result.value, side_px)

    def _named(self, error: WorkerError) -> WorkerError:
        """An error that names the file instead of the descriptor by which it was opened."""
        files = self._files
        if files is not None:
            error.args = (str(error).replace(str(files.held(_ROLE)), str(files[_ROLE])),)
        return error

    def close(self) -> None:
        """End its process."""
        with self._lock:
            if self._worker is not None:
                self._worker.stop()
            if self._files is not None:
                self._files.close()
            self._worker = self._files = None

    def _opened(self, settings: PainterSettings) -> Supervisor:
        with self._lock:
            if self._worker is not None:
                return self._worker
            files = store_of(self._env).verified(_ENTRY)
            if files.previous:
                raise WeightsError(files.previous)
            limits = self._env.settings.workers.model_copy(
                update={"max_address_bytes": settings.model_memory_bytes, "nice": 10, "cancel_grace_seconds": 1.0}
            )
            worker = Supervisor(WorkerSpec("painter", _TARGET), limits)
            worker.start({"path": str(files.held(_ROLE)), "threads": settings.model_threads})
            self._worker, self._files = worker, files
            return worker


def _checked(value: object, side_px: int) -> bytes:
    """What came from the process, if it is a picture of the size that was asked for.

    :raises WorkerError: it is something else.
    """
    try:
        data = base64.b64decode(str(value["png"]), validate=True) if isinstance(value, dict) else b""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
                if image.size != (side_px, side_px):
                    raise ValueError(f"{image.size}")
                image.load()
    except (KeyError, OSError, ValueError, SyntaxError, Warning, binascii.Error, Image.DecompressionBombError) as error:
        raise WorkerError(f"the painter's process sent no picture ({error})") from None
    return data
