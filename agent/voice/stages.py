"""The stages of a voice, and who can take each: a module, weights of the catalogue, another server, nobody.

`Ears` write down what is said, `Mouth` says it. Heavy ones run in processes of their own, under the same supervision as
models; a module of kind "voice" takes a stage if its report names the stage's method (`transcribe`, `say`), with the
buffers and arguments that `served_ears` and `served_mouth` have.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import VoiceUnavailable, WorkerError
from agent.settings import VoiceSettings
from agent.values import Json, Language
from agent.voice.sound import HEARD_RATE, Sound, sound_of_pcm
from agent.voice.values import Take
from agent.workers.shared import SharedBuffer
from agent.workers.worker import Priority, Result

__all__ = ["Ears", "Mouth", "Stage", "StageEars", "StageMouth"]


class Ears(Protocol):
    """Writes down what is said."""

    name: str
    """For a person."""

    def transcribe(
        self, sound: Sound, names: Sequence[str], language: Language | None
    ) -> tuple[Take, dict[str, float]]:
        """
        :param sound: at 16 kHz.
        :param names: to listen for.
        :returns: what it takes it for, and the milliseconds of its stages.
        :raises VoiceUnavailable: it does not answer.
        """

    def speech(self, sound: Sound) -> list[float]:
        """How likely each 32 ms is speech; empty where it cannot tell.

        :raises VoiceUnavailable: it does not answer.
        """

    def close(self) -> None:
        """Let go of it."""


class Mouth(Protocol):
    """Says a sentence."""

    name: str

    def say(self, text: str, language: Language) -> Sound:
        """
        :raises VoiceUnavailable: it does not answer.
        """

    def close(self) -> None:
        """Let go of it."""


class Stage(Protocol):
    """A module, or a supervised process."""

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


class _Told(BaseModel):
    """What comes from another process is checked as what comes from outside."""

    model_config = ConfigDict(extra="ignore", strict=True)


class _Taken(_Told):
    text: str = Field(max_length=4_000)
    language: Language
    speech_seconds: float = Field(ge=0)
    no_speech: float = Field(default=0.0, ge=0, le=1)
    sure: float = Field(default=1.0, ge=0, le=1)
    named: float = Field(default=1.0, ge=0, le=1)
    ms: dict[str, float] = {}


class _Said(_Told):
    rate: int = Field(ge=4_000, le=384_000)


class _Likely(_Told):
    likely: list[float]


_Shape = TypeVar("_Shape", bound=BaseModel)


class StageEars:
    """Ears in a process."""

    def __init__(self, name: str, stage: Stage, settings: VoiceSettings, *, close: Callable[[], None]) -> None:
        self.name = name
        self._stage, self._settings, self._close = stage, settings, close

    def transcribe(
        self, sound: Sound, names: Sequence[str], language: Language | None
    ) -> tuple[Take, dict[str, float]]:
        """As `Ears`."""
        told: dict[str, Json] = {"names": list(names), "language": language}
        value = _called(self.name, self._stage, "transcribe", told, self._settings, sound).value
        found = _checked(self.name, _Taken, value)
        take = Take(
            found.text, found.language, found.speech_seconds, found.no_speech, found.sure, found.named, tuple(names)
        )
        return take, found.ms

    def speech(self, sound: Sound) -> list[float]:
        """As `Ears`."""
        value = _called(self.name, self._stage, "speech", {}, self._settings, sound).value
        return _checked(self.name, _Likely, value).likely

    def close(self) -> None:
        """End its process."""
        self._close()


class StageMouth:
    """A mouth in a process."""

    def __init__(self, name: str, stage: Stage, settings: VoiceSettings, *, close: Callable[[], None]) -> None:
        self.name = name
        self._stage, self._settings, self._close = stage, settings, close

    def say(self, text: str, language: Language) -> Sound:
        """As `Mouth`."""
        told: dict[str, Json] = {"text": text, "language": language, "speed": self._settings.speed}
        result = _called(self.name, self._stage, "say", told, self._settings)
        rate = _checked(self.name, _Said, result.value).rate
        return sound_of_pcm(result.attachment, rate=rate, width=2, channels=1)

    def close(self) -> None:
        """End its process."""
        self._close()


def _called(
    name: str, stage: Stage, method: str, told: dict[str, Json], settings: VoiceSettings, sound: Sound | None = None
) -> Result:
    buffers = [] if sound is None else [_shared(sound)]
    try:
        return stage.call(method, told, buffers=buffers, deadline=time.monotonic() + settings.stage_seconds)
    except WorkerError as error:
        raise VoiceUnavailable(f"{name}: does not answer: {error}; type instead, or try again") from None


def _checked(name: str, shape: type[_Shape], value: object) -> _Shape:
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        why = error.errors()[0]["msg"]
        raise VoiceUnavailable(f"{name}: gave back what is no answer: {why}; type instead") from None


def _shared(sound: Sound) -> SharedBuffer:
    assert sound.rate == HEARD_RATE
    data = np.ascontiguousarray(sound.samples, np.float32)

    def fill(view: memoryview) -> None:
        view[:] = data.tobytes()

    return SharedBuffer.write(data.nbytes, fill)
