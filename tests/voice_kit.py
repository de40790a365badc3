"""Ears, a mouth and a brain for tests: they hear what they are told and keep what they were given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.answer import Answer, AnswerPart
from agent.env import Env
from agent.errors import VoiceUnavailable
from agent.messages import Usage
from agent.orders import Heard, Order
from agent.turn_record import TurnRecord
from agent.values import Language
from agent.voice.sound import HEARD_RATE, Sound
from agent.voice.values import Take
from agent.voice.voice import Voice

__all__ = ["FakeBrain", "FakeEars", "FakeMouth", "fake_voice", "record_of", "speechlike"]


@dataclass
class FakeEars:
    """Hears the same in every sound that is not silent."""

    text: str = "打开客厅灯"
    language: Language = "zh"
    take: Take | None = None
    name: str = "fake ears"
    heard: list[Sound] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    def transcribe(
        self, sound: Sound, names: Sequence[str], language: Language | None
    ) -> tuple[Take, dict[str, float]]:
        self.heard.append(sound)
        self.hints = list(names)
        loud = sum(self.speech(sound)) * 0.032
        return self.take or Take(self.text if loud else "", self.language, loud), {"listen": 1.0}

    def speech(self, sound: Sound) -> list[float]:
        frames = sound.samples[: len(sound.samples) // 512 * 512].reshape(-1, 512)
        return [float(one) for one in np.max(np.abs(frames), axis=1) > 0.05] if len(frames) else []

    def close(self) -> None:
        self.name = "closed"


@dataclass
class FakeMouth:
    """Says each sentence as a tone as long as it is."""

    name: str = "fake mouth"
    broken: bool = False
    said: list[str] = field(default_factory=list)

    def say(self, text: str, language: Language) -> Sound:
        if self.broken:
            raise VoiceUnavailable("fake mouth: does not answer; read the answer")
        self.said.append(text)
        return speechlike(0.05 * len(text))

    def close(self) -> None:
        self.name = "closed"


@dataclass
class FakeBrain:
    """Answers every question alike."""

    answer: str = "客厅灯:开,已确认。"
    language: Language = "zh"
    orders: tuple[Order, ...] = ()
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def ask(self, text: str, heard: Heard, *, conversation: str = "") -> TurnRecord:
        self.asked.append((text, heard.area, conversation))
        return record_of(text, self.answer, self.language)

    def read(self, text: str, heard: Heard) -> tuple[Order, ...]:
        return self.orders

    def close(self) -> None:
        self.asked.clear()


def record_of(question: str, answer: str, language: Language) -> TurnRecord:
    """A turn that answered."""
    told = Answer(language, (AnswerPart("", (answer,), ()),), ())
    return TurnRecord("t1", question, told, "rules", (), None, (), Usage(), {}, (), ())


def fake_voice(env: Env, ears: FakeEars | None, mouth: FakeMouth | None, names: Iterable[str] = ()) -> Voice:
    """A voice with these; None: it has none."""
    settings = env.settings.voice.model_copy(update={"asr": "none", "tts": "none"})
    quiet = env.settings.model_copy(update={"voice": settings})
    voice = Voice(Env(quiet, env.home, env.weights), lambda: names)
    voice._ears, voice._mouth = ears, mouth
    return voice


def speechlike(seconds: float, rate: int = HEARD_RATE) -> Sound:
    """Loud enough to be taken for speech."""
    at = np.arange(round(seconds * rate)) / rate
    return Sound((0.3 * np.sin(2 * np.pi * 220 * at)).astype(np.float32), rate)
