"""Other Wyoming servers as ears and mouth, "tcp://HOST:PORT". What they send is untrusted, and bounded.

One connection a call: such servers keep nothing from one to the next, and one that was restarted is found again.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event, Eventable, write_event
from wyoming.tts import Synthesize, SynthesizeVoice
from wyoming.wake import Detect, Detection

from agent.errors import InputError, VoiceUnavailable
from agent.settings import VoiceSettings
from agent.values import Language
from agent.voice.addresses import address_of
from agent.voice.sound import HEARD_RATE, Samples, Sound, joined, pcm16, sound_of_pcm
from agent.voice.values import Take
from agent.voice.wire import receive_event, text_of

__all__ = ["WyomingEars", "WyomingMouth", "WyomingWake", "chunk_sound"]

_CHUNK_BYTES = 3_200
_TEXT_CHARS = 2_000


class WyomingEars:
    """Implements `agent.voice.stages.Ears`."""

    def __init__(self, address: str, settings: VoiceSettings) -> None:
        """
        :raises SettingsError: it is no address.
        """
        self.name = address
        self._line = _Line(address, settings)

    def transcribe(
        self, sound: Sound, names: Sequence[str], language: Language | None
    ) -> tuple[Take, dict[str, float]]:
        """As `Ears`; how sure that server is, it does not say."""
        begun = time.perf_counter()
        data = pcm16(sound)
        form = {"rate": sound.rate, "width": 2, "channels": 1}
        said: list[Eventable] = [Transcribe(language=language, transcript_names=list(names)), AudioStart(**form)]
        said += [AudioChunk(audio=data[at : at + _CHUNK_BYTES], **form) for at in range(0, len(data), _CHUNK_BYTES)]
        with self._line.talk([*said, AudioStop()]) as events:
            answer = next((event for event in events if Transcript.is_type(event.type)), None)
        if answer is None:
            raise VoiceUnavailable(f"{self.name}: gave no transcript; type instead")
        text = text_of(answer, "text", _TEXT_CHARS).strip()
        spoken: Language = "zh" if any("\u3400" <= c <= "\u9fff" for c in text) else "en"
        ms = {"transcribe": (time.perf_counter() - begun) * 1000}
        return Take(text, spoken, sound.seconds if text else 0.0, hints=tuple(names)), ms

    def speech(self, sound: Sound) -> list[float]:
        """It cannot tell."""
        return []

    def close(self) -> None:
        """Nothing is open."""


class WyomingMouth:
    """Implements `agent.voice.stages.Mouth`."""

    def __init__(self, address: str, settings: VoiceSettings) -> None:
        """
        :raises SettingsError: it is no address.
        """
        self.name = address
        self._line = _Line(address, settings)
        self._most = settings.max_said_bytes

    def say(self, text: str, language: Language) -> Sound:
        """As `Mouth`."""
        pieces: list[Sound] = []
        taken = 0
        with self._line.talk([Synthesize(text, voice=SynthesizeVoice(language=language))]) as events:
            for event in events:
                if AudioStop.is_type(event.type):
                    break
                if not AudioChunk.is_type(event.type) or not event.payload:
                    continue
                taken += len(event.payload)
                if taken > self._most:
                    raise VoiceUnavailable(f"{self.name}: sends sound without end; read the answer")
                pieces.append(chunk_sound(event))
        if not pieces:
            raise VoiceUnavailable(f"{self.name}: sent no sound; read the answer")
        return joined(pieces)

    def close(self) -> None:
        """Nothing is open."""


def chunk_sound(event: Event) -> Sound:
    """The sound of an event of type audio-chunk.

    :raises InputError: its format is none.
    """
    form = [event.data.get(key) for key in ("rate", "width", "channels")]
    rate, width, channels = (one if isinstance(one, int) and not isinstance(one, bool) else 0 for one in form)
    return sound_of_pcm(event.payload or b"", rate=rate, width=width, channels=channels)


class WyomingWake:
    """Waits for a wake word."""

    def __init__(self, address: str, settings: VoiceSettings) -> None:
        """
        :raises SettingsError: it is no address.
        """
        self._line, self._words = _Line(address, settings), list(settings.wake_words)

    def wait(self, blocks: Iterable[Samples]) -> bool:
        """Pass on what is heard until the word is said; False where there is no more to hear.

        :param blocks: at 16 kHz.
        :raises VoiceUnavailable: the server is not there.
        """
        form = {"rate": HEARD_RATE, "width": 2, "channels": 1}
        with self._line.opened() as (out, back):
            for event in (Detect(names=self._words or None), AudioStart(**form)):
                write_event(event.event(), out)
            for block in blocks:
                write_event(AudioChunk(audio=pcm16(Sound(block, HEARD_RATE)), **form).event(), out)
                answer = self._line.at_hand(back)
                if answer is not None and Detection.is_type(answer.type):
                    return True
        return False


class _Line:
    """One server."""

    def __init__(self, address: str, settings: VoiceSettings) -> None:
        self._name, self._place, self._settings = address, address_of(address), settings

    @contextlib.contextmanager
    def talk(self, said: Sequence[Eventable]) -> Iterator[Iterator[Event]]:
        """Say something; gives what comes back, until the server closes or the time is up."""
        deadline = time.monotonic() + self._settings.stage_seconds
        with self.opened() as (out, back):
            for event in said:
                write_event(event.event(), out)
            yield self._events(back, deadline)

    @contextlib.contextmanager
    def opened(self) -> Iterator[tuple[BinaryIO, BinaryIO]]:
        """A connection: to write to, and to read from.

        :raises VoiceUnavailable: it cannot be made, breaks, or brings what is no event.
        """
        settings = self._settings
        try:
            with socket.create_connection(self._place, timeout=settings.connect_seconds) as line:
                line.settimeout(settings.stage_seconds)
                with line.makefile("wb") as out, line.makefile("rb") as back:
                    yield out, back
        except OSError as error:
            why = error.strerror or str(error) or type(error).__name__
            raise VoiceUnavailable(f"{self._name}: cannot be reached: {why}; start it, or change [voice]") from None
        except VoiceUnavailable:
            raise
        except InputError as error:
            raise VoiceUnavailable(f"{self._name}: {error}") from None

    def at_hand(self, back: BinaryIO) -> Event | None:
        """An event that has come already."""
        ready, _, _ = select.select([back], [], [], 0)
        return receive_event(back, self._settings) if ready else None

    def _events(self, stream: BinaryIO, deadline: float) -> Iterator[Event]:
        while time.monotonic() < deadline:
            event = receive_event(stream, self._settings)
            if event is None:
                return
            yield event
        raise TimeoutError("it takes too long (voice.stage_seconds)")
