"""The microphone of the box: an utterance is heard out, answered aloud, and the answer stops when spoken over."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np

from agent.env import Env
from agent.settings import VoiceSettings
from agent.voice.microphone import exchange_once
from agent.voice.sound import HEARD_RATE, Samples, Sound
from tests.spoken.rooms import padded
from tests.voice_kit import FakeBrain, FakeEars, FakeMouth, fake_voice, speechlike

QUICK = VoiceSettings(end_seconds=0.3, wait_seconds=1.0)
_BLOCK = 1_280


class FakeRoom:
    """Gives sound that was prepared, then silence; may begin to speak when the box does."""

    def __init__(self, sound: Sound, *, over: Sound | None = None) -> None:
        self.played: list[Sound] = []
        self.hushed = threading.Event()
        self._over = over
        self._left = [sound.samples[at : at + _BLOCK] for at in range(0, len(sound.samples), _BLOCK)]
        self._speaks = threading.Event()

    def blocks(self) -> Iterator[Samples]:
        while True:
            if self._left:
                yield self._left.pop(0)
            elif self._over is not None and self._speaks.is_set():
                data, self._over = self._over.samples, None
                yield from (data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK))
            else:
                time.sleep(0.001)
                yield np.zeros(_BLOCK, np.float32)

    def play(self, sound: Sound) -> None:
        self.played.append(sound)
        self._speaks.set()
        self.hushed.wait(0.2)

    def hush(self) -> None:
        self.hushed.set()


def test_an_utterance_is_answered_aloud(env: Env) -> None:
    """What is said near the box is asked, in the room where it stands, and every sentence is played in order."""
    brain, mouth = FakeBrain(answer="好。已打开。"), FakeMouth()
    room = FakeRoom(padded(speechlike(0.8), 0.5))
    voice = fake_voice(env, FakeEars(), mouth)
    left = exchange_once(voice, brain, QUICK, "厨房", room, None)
    assert left is None
    assert brain.asked == [("打开客厅灯", "厨房", "")]
    assert [round(sound.seconds, 2) for sound in room.played] == [0.1, 0.2]


def test_who_speaks_over_the_answer_is_listened_to(env: Env) -> None:
    """The loudspeaker is hushed, no more is said, and what was begun to be said is the next utterance."""
    brain, mouth = FakeBrain(answer="这是很长的回答。" * 40), FakeMouth()
    room = FakeRoom(padded(speechlike(0.8), 0.5), over=padded(speechlike(1.0), 0.5))
    voice = fake_voice(env, FakeEars(), mouth)
    left = exchange_once(voice, brain, QUICK, "", room, None)
    assert left is not None
    assert room.hushed.is_set()
    assert len(room.played) < 40
    assert exchange_once(voice, brain, QUICK.model_copy(update={"barge_in": False}), "", room, left) is None
    assert len(brain.asked) == 2


def test_silence_asks_nothing(env: Env) -> None:
    """Nobody speaks: it is over after a while."""
    brain = FakeBrain()
    room = FakeRoom(Sound(np.zeros(HEARD_RATE, np.float32), HEARD_RATE))
    assert exchange_once(fake_voice(env, FakeEars(), None), brain, QUICK, "", room, None) is None
    assert brain.asked == []
