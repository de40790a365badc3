"""A model in a process of its own: what it crashes, leaks or hangs is not the agent.

The process is started before it is known whether the files are sound, and imports its libraries meanwhile; it loads
while the agent looks at the photo and gathers names. So a file that does not load is noticed by the first reply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from agent.errors import (
    BadReply,
    CallCancelled,
    CallFailed,
    ModelDied,
    ModelError,
    PromptTooLong,
    WorkerDied,
    WorkerError,
)
from agent.messages import Message, Reply
from agent.model.protocol import Bound, ReplyLimits, Request
from agent.model.wire import pack_request, typed_error, unpack_reply
from agent.photo import Photo
from agent.settings import ModelSettings, WorkerSettings
from agent.tools import Tool
from agent.values import Json
from agent.workers.launch import WorkerSpec
from agent.workers.protocol import FrameError
from agent.workers.shared import SharedBuffer
from agent.workers.supervisor import Supervisor
from agent.workers.worker import Priority, Result

__all__ = ["ModelProcess", "WorkerModel"]

_TARGET = "agent.model.served:load"
_PHOTO_UNKNOWN = "PhotoUnknown"


@dataclass(frozen=True, slots=True)
class _Call:
    """What `Supervisor.call` takes besides method and arguments."""

    priority: Priority
    limits: ReplyLimits
    on_part: Callable[[Any], None] | None = None


class ModelProcess(Protocol):
    """Where a model runs: a `Supervisor`, or a module whose versions change."""

    @property
    def pid(self) -> int | None: ...

    def start(self, config: Mapping[str, Json]) -> None: ...

    def call(
        self,
        method: str,
        arguments: Mapping[str, Json],
        *,
        buffers: Sequence[SharedBuffer] = (),
        priority: Priority = "interactive",
        deadline: float | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        on_part: Callable[[Any], None] | None = None,
    ) -> Result: ...

    def stop(self) -> None: ...


class WorkerModel:
    """Implements `agent.model.protocol.Model`. Safe for use from several threads, which take turns."""

    def __init__(self, name: str, *, settings: ModelSettings, workers: WorkerSettings, sees: bool = False) -> None:
        """Starts the process and returns at once; `load` says what to load.

        :param name: as the catalogue calls it.
        :param sees: a projector will be loaded with it.
        """
        self.name = name
        self.sees = sees
        self._settings = settings
        self._photo_bytes = workers.photo_bytes
        self._sent: set[str] = set()
        spec = WorkerSpec(name, _TARGET, prepare={"spin": settings.spin}, environment={"GGML_NO_BACKTRACE": "1"})
        supervisor = Supervisor(spec, workers)
        supervisor.spawn()
        self._supervisor: ModelProcess = supervisor

    @property
    def pid(self) -> int | None:
        """Of its process."""
        return self._supervisor.pid

    def load(
        self,
        path: Path,
        *,
        projector: Path | None = None,
        cache: Mapping[str, str] | None = None,
        settings: ModelSettings | None = None,
    ) -> None:
        """Say which files to load, and return at once; what is wrong with them is raised by the first reply.

        :param settings: with what was open filled in; None takes those it was made with.
        :param projector: the vision half (mmproj).
        :param cache: `folder` and the digests of `PrefixCache`; None keeps no states.
        """
        self.sees = projector is not None
        config: dict[str, Json] = {
            "path": str(path),
            "name": self.name,
            "settings": (settings or self._settings).model_dump(mode="json"),
            "projector": None if projector is None else str(projector),
            "cache": None if cache is None else dict(cache),
            "photo_bytes": self._photo_bytes,
        }
        self._supervisor.start(config)

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        bound: Bound | None,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """See `agent.model.protocol.Model.reply`.

        :raises ModelDied: the process died before it had answered; it is being started again.
        :raises ModelError: the files do not load, or the model failed.
        """
        request = Request(messages, tools, bound, limits)
        arguments: dict[str, Json] = {"request": pack_request(request), "stream": on_text is not None}
        call = _Call("interactive", limits, None if on_text is None else lambda part: on_text(str(part)))
        try:
            return unpack_reply(self._call("reply", arguments, _photos_of([request]), call))
        except CallCancelled:
            return Reply("", "aborted")

    def reply_many(self, requests: Sequence[Request], *, limits: ReplyLimits) -> list[Reply | ModelError | BadReply]:
        """Several replies together, for scheduled work.

        :param limits: of all together: its deadline, and who cancels it.
        :return: one for each request, in order; an error where one could not be made.
        :raises ModelDied: the process died before it had answered; it is being started again.
        :raises ModelError: the files do not load, or the model failed.
        """
        arguments: dict[str, Json] = {"requests": [pack_request(request) for request in requests]}
        try:
            answers = self._call("reply_many", arguments, _photos_of(requests), _Call("scheduled", limits))
        except CallCancelled:
            return [Reply("", "aborted") for _ in requests]
        if not isinstance(answers, list) or len(answers) != len(requests):
            raise ModelError(f"{self.name}: its process gave back something else than {len(requests)} replies")
        return [self._answer(answer) for answer in answers]

    def use_threads(self, threads: int) -> None:
        """For the passes of the replies from now on.

        :raises ModelError: as `reply`.
        """
        self._call("use_threads", {"threads": threads}, {}, _Call("interactive", ReplyLimits(max_tokens=0)))

    def close(self) -> None:
        """End the process. Calling it twice is fine."""
        self._supervisor.stop()

    def _answer(self, answer: Any) -> Reply | ModelError | BadReply:
        if not isinstance(answer, dict):
            return ModelError(f"{self.name}: its process gave back no reply")
        if "reply" in answer:
            return unpack_reply(answer["reply"])
        return typed_error(self.name, str(answer.get("message", "")), tuple(map(str, answer.get("kinds") or ())))

    def _call(self, method: str, arguments: Mapping[str, Json], photos: Mapping[str, Photo], call: _Call) -> Any:
        """
        :raises CallCancelled: before it began.
        """
        missing = [photo for digest, photo in photos.items() if digest not in self._sent]
        try:
            try:
                return self._call_with(method, arguments, missing, call)
            except CallFailed as error:
                if _PHOTO_UNKNOWN not in error.kinds:
                    raise
                self._sent.clear()  # it is another process by now, or had no room for them
                return self._call_with(method, arguments, list(photos.values()), call)
        except CallCancelled:
            raise
        except CallFailed as error:
            raise typed_error(self.name, str(error), error.kinds) from None
        except FrameError as error:
            raise PromptTooLong(f"{self.name}: {error}; ask with less") from None
        except WorkerDied as error:
            self._sent.clear()
            raise ModelDied(str(error)) from None
        except WorkerError as error:
            raise ModelError(str(error)) from None

    def _call_with(self, method: str, arguments: Mapping[str, Json], photos: Sequence[Photo], call: _Call) -> Any:
        told: list[Json] = [
            {"digest": photo.digest, "name": photo.name, "height": photo.size[1], "width": photo.size[0]}
            for photo in photos
        ]
        result = self._supervisor.call(
            method,
            {**arguments, "photos": told},
            buffers=[photo.shared or _shared(photo) for photo in photos],
            priority=call.priority,
            deadline=call.limits.deadline,
            cancelled=call.limits.cancelled,
            on_part=call.on_part,
        )
        self._sent.update(photo.digest for photo in photos)
        return result.value


def _photos_of(requests: Sequence[Request]) -> dict[str, Photo]:
    """By digest, each once."""
    messages = [message for request in requests for message in request.messages]
    return {message.photo.digest: message.photo for message in messages if message.photo is not None}


def _shared(photo: Photo) -> SharedBuffer:
    """A copy of pixels that were not decoded into shared memory."""
    data = memoryview(photo.pixels.tobytes())

    def fill(view: memoryview) -> None:
        view[:] = data

    return SharedBuffer.write(len(data), fill)
