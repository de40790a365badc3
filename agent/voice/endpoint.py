"""When somebody has begun to speak, and when they have done: pieces of sound in, one utterance out.

Pure over the likelihoods that a detector gives. Where none does, loudness above the room's own decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from agent.settings import VoiceSettings
from agent.voice.sound import HEARD_RATE, Samples, Sound

__all__ = ["Endpoint", "Heeds", "loudness"]

_FRAME = 512
_BEFORE_SECONDS = 0.5
"""Kept from before speech began: a first consonant is soft."""
_LOOK_SECONDS = 0.24
"""How much is gathered before the detector looks."""
_CONTEXT_FRAMES = 10
_ABOVE_ROOM = 3.0
_LEAST_LOUD = 0.008
Heeds = Literal["waiting", "speaking", "ended", "nothing"]


class Endpoint:
    """Gathers one utterance."""

    def __init__(self, settings: VoiceSettings, speech: Callable[[Sound], list[float]]) -> None:
        """
        :param speech: how likely each 32 ms is speech; an empty list where it cannot tell.
        """
        self._settings, self._speech = settings, speech
        self._heard: list[Samples] = []
        self._pending: list[Samples] = []
        self._waiting = 0
        self._context = np.zeros(0, np.float32)
        self._frames = 0
        self._spoken = 0
        self._quiet = 0
        self._surely = 0
        self.state: Heeds = "waiting"

    def feed(self, samples: Samples) -> Heeds:
        """Take what came; says where it stands.

        :param samples: at 16 kHz, in pieces of any length.
        """
        self._pending.append(samples)
        self._waiting += len(samples)
        if self.state not in ("ended", "nothing") and self._waiting >= _LOOK_SECONDS * HEARD_RATE:
            self._look()
        return self.state

    def sound(self) -> Sound:
        """What was gathered so far."""
        pieces = [*self._heard, *self._pending]
        return Sound(np.concatenate(pieces) if pieces else np.zeros(0, np.float32), HEARD_RATE)

    @property
    def surely_speaking_seconds(self) -> float:
        """For how long somebody has been speaking now, without doubt."""
        return self._surely * _FRAME / HEARD_RATE

    def _look(self) -> None:
        fresh = np.concatenate(self._pending)
        whole = len(fresh) // _FRAME * _FRAME
        fresh, rest = fresh[:whole], fresh[whole:]
        self._pending, self._waiting = [rest], len(rest)
        self._heard.append(fresh)
        looked = np.concatenate([self._context, fresh])
        likely = self._speech(Sound(looked, HEARD_RATE)) or loudness(looked)
        self._context = looked[-_CONTEXT_FRAMES * _FRAME :]
        for chance in likely[-(whole // _FRAME) :]:
            self._count(chance)
        self._decide()

    def _count(self, chance: float) -> None:
        self._frames += 1
        self._surely = self._surely + 1 if chance >= self._settings.barge_in_speech else 0
        if chance >= self._settings.speech:
            self._spoken += 1
            self._quiet = 0
        else:
            self._quiet += 1

    def _decide(self) -> None:
        settings, frame = self._settings, _FRAME / HEARD_RATE
        if self._spoken * frame < settings.least_speech_seconds:
            if self._quiet * frame > settings.end_seconds:
                self._spoken = 0
                self._forget()
            self.state = "nothing" if self._frames * frame > settings.wait_seconds else "waiting"
        elif self._quiet * frame >= settings.end_seconds or self._frames * frame > settings.max_audio_seconds:
            self.state = "ended"
        else:
            self.state = "speaking"

    def _forget(self) -> None:
        """Nobody has spoken yet: only the last moment is kept."""
        kept = np.concatenate(self._heard)[-round(_BEFORE_SECONDS * HEARD_RATE) :]
        self._heard = [kept]


def loudness(samples: Samples) -> list[float]:
    """1 for each 32 ms that is well above the room, 0 for the others."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    if not len(frames):
        return []
    level = np.sqrt(np.mean(frames**2, axis=1))
    room = max(float(np.percentile(level, 20)), _LEAST_LOUD / _ABOVE_ROOM)
    return [float(one > room * _ABOVE_ROOM) for one in level]
