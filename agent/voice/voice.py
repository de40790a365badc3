"""One exchange by voice: listen → transcribe → believe or not → turn → say, sentence by sentence.

What is not believed never reaches the turn. A spoken order goes the same way as a typed one, with the satellite's area
as "here". The sound of the first sentence is handed over while the next is made.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from agent.env import Env
from agent.errors import VoiceUnavailable
from agent.orders import Heard
from agent.turn_record import TurnRecord
from agent.values import Language, say
from agent.voice.belief import refusal
from agent.voice.homophones import as_named
from agent.voice.opening import open_ears, open_mouth
from agent.voice.sentences import sentences, spoken_language
from agent.voice.sound import HEARD_RATE, Sound, resampled
from agent.voice.stages import Ears, Mouth
from agent.voice.values import Transcript

__all__ = ["Exchange", "Voice", "hints_of"]

_HAN_FROM, _HAN_TO = "\u3400", "\u9fff"
_LONG = say("说得太长,请分开说。", "That was too long; say one thing at a time.")


@dataclass(slots=True)
class Exchange:
    """What was said, and what came of it."""

    transcript: Transcript
    record: TurnRecord | None = None
    """None where nothing was believed, or no turn could be made."""
    answer: str = ""
    language: Language = "zh"
    ms: dict[str, float] = field(default_factory=dict)
    """listen, transcribe, turn, first_sound (of the reply, from the end of what was said), total."""

    def to_json(self) -> dict[str, object]:
        heard = self.transcript
        return {
            "transcript": heard.text,
            "language": heard.language,
            "refused": None if heard.refused is None else heard.refused[heard.language],
            "seconds": round(heard.seconds, 2),
            "clipped": round(heard.clipped, 3),
            "answer": self.answer,
            "actions": [] if self.record is None else [one.to_json() for one in self.record.done],
            "ms": {stage: round(ms, 1) for stage, ms in self.ms.items()},
        }


class Voice:
    """Ears and mouth of a box. Safe for use from several threads."""

    def __init__(self, env: Env, names: Callable[[], Iterable[str]]) -> None:
        """Start both; one that is not here is said in `deaf` and `mute`.

        :param names: of what is in the house, asked for each utterance.
        :raises SettingsError: the settings name no one.
        """
        self._settings = env.settings.voice
        self._names = names
        self.deaf = self.mute = ""
        """Why nobody listens, or speaks; empty where somebody does."""
        self._ears: Ears | None = None
        self._mouth: Mouth | None = None
        try:
            self._ears = open_ears(env)
        except VoiceUnavailable as error:
            self.deaf = str(error)
        try:
            self._mouth = open_mouth(env)
        except VoiceUnavailable as error:
            self.mute = str(error)

    @property
    def listens(self) -> str:
        """Who listens; empty where nobody does."""
        return self._ears.name if self._ears else ""

    @property
    def speaks(self) -> str:
        """Who speaks; empty where nobody does."""
        return self._mouth.name if self._mouth else ""

    def hear(self, sound: Sound, language: Language | None = None) -> Transcript:
        """What somebody said.

        :param language: None: whichever it is.
        :raises VoiceUnavailable: nobody listens.
        """
        if self._ears is None:
            raise VoiceUnavailable(self.deaf)
        if sound.seconds > self._settings.max_audio_seconds:
            return Transcript("", language or self._settings.languages[0], _LONG, sound.seconds)
        begun = time.perf_counter()
        names = list(self._names())
        hints = hints_of(names, self._settings.names_chars)
        take, ms = self._ears.transcribe(resampled(sound, HEARD_RATE), hints, language)
        why = refusal(take, self._settings)
        spent = (time.perf_counter() - begun) * 1000
        stages = {"listen": ms.get("listen", 0.0), "transcribe": spent - ms.get("listen", 0.0)}
        text = "" if why else as_named(take.text, names)
        return Transcript(text, take.language, why, sound.seconds, sound.clipped, stages)

    def speech(self, sound: Sound) -> list[float]:
        """How likely each 32 ms is speech; empty where nobody can tell."""
        try:
            return self._ears.speech(sound) if self._ears else []
        except VoiceUnavailable:
            return []

    def spoken(self, text: str, language: Language, stop: threading.Event | None = None) -> Iterator[Sound]:
        """An answer as sound, one sentence after another.

        :param stop: ends it before the next sentence.
        :raises VoiceUnavailable: nobody speaks.
        """
        if self._mouth is None:
            raise VoiceUnavailable(self.mute)
        settings = self._settings
        each = sentences(
            text,
            most_chars=settings.max_reply_chars,
            most_chars_each=settings.max_sentence_chars,
            most_chars_first=settings.first_chars,
        )
        for sentence in each:
            if stop is not None and stop.is_set():
                return
            yield self._mouth.say(sentence, spoken_language(sentence, language))

    def converse(
        self,
        sound: Sound,
        ask: Callable[[str, Heard], TurnRecord],
        *,
        heard: Heard | None = None,
        play: Callable[[Sound], None] | None = None,
        stop: threading.Event | None = None,
    ) -> Exchange:
        """One exchange.

        :param ask: makes the turn.
        :param heard: how the words came here.
        :param play: takes each piece of the reply as soon as it is made; None: nothing is spoken.
        :param stop: ends the reply.
        :raises VoiceUnavailable: nobody listens.
        :raises WatchkeeperError: the turn cannot be made.
        """
        begun = time.perf_counter()
        exchange = Exchange(self.hear(sound))
        exchange.ms.update(exchange.transcript.ms)
        said = exchange.transcript
        exchange.language = said.language
        if said.refused is not None:
            exchange.answer = said.refused[said.language]
        else:
            asked = time.perf_counter()
            exchange.record = ask(said.text, heard or Heard())
            exchange.answer, exchange.language = exchange.record.answer.text, exchange.record.answer.language
            exchange.ms["turn"] = _since(asked)
        exchange.ms["answered"] = _since(begun)
        if play is not None and self._mouth is not None:
            for piece in self.spoken(exchange.answer, exchange.language, stop):
                exchange.ms.setdefault("first_sound", _since(begun))
                play(piece)
        exchange.ms["total"] = _since(begun)
        return exchange

    def warm(self, *, speaks: bool = True) -> None:
        """Let both load, so that the first utterance does not pay for it.

        :param speaks: the mouth too.
        """
        self.speech(Sound(np.zeros(HEARD_RATE // 2, np.float32), HEARD_RATE))
        with suppress(VoiceUnavailable):  # it is said when it is used
            for _ in self.spoken("好", "zh") if speaks else ():
                pass

    def close(self) -> None:
        """Let go of both."""
        for stage in (self._ears, self._mouth):
            if stage is not None:
                stage.close()


def hints_of(names: Iterable[str], most_chars: int) -> list[str]:
    """Names to listen for, each once, as far as they go in each language.

    :param names: untrusted: they are shown to the recogniser, and to nobody else.
    """
    left = {True: most_chars, False: most_chars}
    found: dict[str, None] = {}
    for name in names:
        plain = "".join(c for c in name if c.isalnum() or c in " -'").strip()
        han = any(_HAN_FROM <= c <= _HAN_TO for c in plain)
        if plain and plain not in found and len(plain) < left[han]:
            left[han] -= len(plain) + 1
            found[plain] = None
    return list(found)


def _since(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000
