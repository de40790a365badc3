"""One connection of the Wyoming protocol: what is asked on it, and what is answered.

    describe      → info                        ping         → pong
    transcribe, audio-start, audio-chunk…, audio-stop        → transcript
    transcript    → handled | not-handled       recognize    → intent… | not-recognized    (nothing is carried out)
    synthesize    → audio-start, audio-chunk…, audio-stop
    run-pipeline, audio-chunk…                  → transcript, handled, audio: the box finds the end of it by itself

A request that comes while a reply is spoken stops it, and so does speech on a pipeline (`[voice] barge_in`). What is
not understood is dropped, as the protocol asks for; what cannot be done is answered with an `error`.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, Eventable, async_write_event
from wyoming.handle import Handled, NotHandled
from wyoming.timer import TimerFinished

from agent.errors import InputError, WatchkeeperError
from agent.orders import Heard
from agent.settings import VoiceSettings
from agent.values import Json, Language
from agent.voice.brain import Brain
from agent.voice.described import describe
from agent.voice.endpoint import Endpoint
from agent.voice.recognized import recognized
from agent.voice.sentences import spoken_language
from agent.voice.sound import HEARD_RATE, Sound, joined, pcm16, resampled
from agent.voice.values import Transcript as Believed
from agent.voice.voice import Voice
from agent.voice.wire import read_event, text_of
from agent.voice.wyoming_client import chunk_sound

__all__ = ["Session"]

_PIECE_SAMPLES = 2_048
_TEXT_CHARS = 2_000
_NAME_CHARS = 80
_REPLY_WIDTH = 2
_LOOK_SECONDS = 0.05


class Session:
    """One connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        voice: Voice,
        brain: Brain,
        settings: VoiceSettings,
        area: str = "",
    ) -> None:
        """
        :param area: where its satellite stands.
        """
        self._reader, self._writer = reader, writer
        self._voice, self._brain, self._settings, self._area = voice, brain, settings, area
        self._writing = asyncio.Lock()
        self._language: Language | None = None
        self._context: Mapping[str, Any] = {}
        self._pieces: list[Sound] = []
        self._seconds = 0.0
        self._gathering: Endpoint | None = None
        self._reply: asyncio.Task[None] | None = None
        self._stop = threading.Event()
        self._barging: Endpoint | None = None
        self._announcing = asyncio.Lock()
        self.satellite_area = area
        """Where its loudspeaker stands; empty where it is none, or nobody knows."""
        self._does: dict[str, Callable[[Event], Awaitable[None]]] = {
            "describe": self._describe,
            "ping": self._pong,
            "transcribe": self._transcribe,
            "audio-start": self._start,
            "audio-chunk": self._chunk,
            "audio-stop": self._end,
            "transcript": self._handle,
            "recognize": self._recognize,
            "synthesize": self._synthesize,
            "run-pipeline": self._pipeline,
        }

    async def run(self) -> None:
        """Answer until the other side goes, is silent for too long, or sends what is no event."""
        try:
            while (event := await read_event(self._reader, self._settings)) is not None:
                does = self._does.get(event.type)
                if does is not None:
                    await self._guarded(does(event))
        except InputError as error:
            await self.send(Error(text=str(error), code="bad-event"))
        except (TimeoutError, ConnectionError):
            pass  # it is gone, or as good as gone
        finally:
            self._hush()
            if self._reply is not None:
                await asyncio.gather(self._reply, return_exceptions=True)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except WatchkeeperError as error:
            await self.send(Error(text=str(error), code=type(error).__name__))

    async def _describe(self, event: Event) -> None:
        await self.send(describe(self._voice, list(self._settings.languages)))

    async def _pong(self, event: Event) -> None:
        await self._pass(Event("pong", {"text": text_of(event, "text", _NAME_CHARS)}))

    async def _transcribe(self, event: Event) -> None:
        self._hush()
        wanted = text_of(event, "language", _NAME_CHARS)[:2].lower()
        self._language = next((known for known in self._settings.languages if known == wanted), None)
        self._context = _context(event)

    async def _start(self, event: Event) -> None:
        if self._gathering is None and self._barging is None:
            self._hush()
        self._pieces, self._seconds = [], 0.0

    async def _chunk(self, event: Event) -> None:
        """A piece of sound: gathered up to a limit, or watched for the end of what is said."""
        piece = chunk_sound(event)
        if self._gathering is not None:
            await self._watch(resampled(piece, HEARD_RATE))
        elif self._barging is not None:
            await self._overhear(resampled(piece, HEARD_RATE))
        elif self._seconds <= self._settings.max_audio_seconds:
            self._pieces.append(piece)
            self._seconds += piece.seconds

    async def _end(self, event: Event) -> None:
        if self._gathering is not None:
            sound, self._gathering = self._gathering.sound(), None
            self._begin(self._converse(sound))
        elif self._barging is None:
            sound = joined(self._pieces)
            self._pieces, self._seconds = [], 0.0
            said = await asyncio.to_thread(self._voice.hear, sound, self._language)
            await self.send(Transcript(text=said.text, language=said.language, context=dict(self._context) or None))

    async def _handle(self, event: Event) -> None:
        self._hush()
        context = _context(event)
        text = text_of(event, "text", _TEXT_CHARS)
        await self.send((await self._answered(text, context))[0])

    async def _recognize(self, event: Event) -> None:
        text, context = text_of(event, "text", _TEXT_CHARS), dict(_context(event)) or None
        found = await asyncio.to_thread(self._brain.read, text, self._heard(_context(event)))
        for event_of_it in recognized(found, spoken_language(text, "en"), context):
            await self.send(event_of_it)

    async def _synthesize(self, event: Event) -> None:
        self._hush()
        text = text_of(event, "text", self._settings.max_reply_chars)
        voice = event.data.get("voice")
        named = str(voice.get("language", ""))[:2] if isinstance(voice, dict) else ""
        self._begin(self._speak(text, "zh" if named == "zh" else "en"))

    async def _pipeline(self, event: Event) -> None:
        """What follows is sound without an end that is marked."""
        self._hush()
        self._context = _context(event)
        self.satellite_area = self._heard(self._context).area
        announced = text_of(event, "announce_text", self._settings.max_reply_chars)
        if event.data.get("start_stage") == "tts":
            self._begin(self._speak(announced, spoken_language(announced, "en")))
            return
        self._language = None
        self._gathering = Endpoint(self._settings, self._voice.speech)

    async def announce(self, text: str, language: Language) -> None:
        """Say something that nobody there has asked for now, once what is being said there is over."""
        async with self._announcing:
            try:
                async with asyncio.timeout(self._settings.announce_wait_seconds):
                    while self._gathering is not None or (self._reply is not None and not self._reply.done()):
                        await asyncio.sleep(_LOOK_SECONDS)
            except TimeoutError:
                pass  # whoever talks that long is interrupted
            self._begin(self._ring(text, language))
            if self._reply is not None:
                await asyncio.gather(self._reply, return_exceptions=True)

    async def _ring(self, text: str, language: Language) -> None:
        await self.send(TimerFinished(id=uuid.uuid4().hex))
        await self._speak(text, language)

    async def _watch(self, piece: Sound) -> None:
        endpoint = self._gathering
        assert endpoint is not None
        state = await asyncio.to_thread(endpoint.feed, piece.samples)
        if state in ("ended", "nothing"):
            self._gathering = None
            self._begin(self._converse(endpoint.sound()))

    async def _overhear(self, piece: Sound) -> None:
        """While the box speaks: somebody who speaks over it is listened to."""
        endpoint = self._barging
        assert endpoint is not None
        await asyncio.to_thread(endpoint.feed, piece.samples)
        if self._settings.barge_in and endpoint.surely_speaking_seconds >= self._settings.barge_in_seconds:
            self._hush()
            self._gathering = endpoint

    async def _converse(self, sound: Sound) -> None:
        """A whole exchange."""
        said = await asyncio.to_thread(self._voice.hear, sound, self._language)
        await self.send(Transcript(text=said.text, language=said.language))
        handled, answer, language = await self._answered(said.text, self._context, said)
        await self.send(handled)
        if self._voice.speaks:
            self._barging = Endpoint(self._settings, self._voice.speech)
            try:
                await self._speak(answer, language)
            finally:
                self._barging = None

    async def _answered(
        self, text: str, context: Mapping[str, Any], said: Believed | None = None
    ) -> tuple[Handled | NotHandled, str, Language]:
        """What became of it; text that nobody believed makes no turn."""
        told = dict(context) or None
        if said is not None and said.refused is not None:
            why = said.refused[said.language]
            return NotHandled(text=why, context=told), why, said.language
        name = str(context.get("conversation_id") or "")[:_NAME_CHARS]
        record = await asyncio.to_thread(self._brain.ask, text, self._heard(context), conversation=name)
        answer = record.answer
        undone = bool(record.done) and all(one.came in ("failed", "refused") for one in record.done)
        handled = NotHandled(text=answer.text, context=told) if undone else Handled(text=answer.text, context=told)
        return handled, answer.text, answer.language

    async def _speak(self, text: str, language: Language) -> None:
        """Sentence by sentence; the first is on its way while the next is made."""
        stop, begun = self._stop, False
        sounds = self._voice.spoken(text, language, stop)
        try:
            while (sound := await asyncio.to_thread(next, sounds, None)) is not None:
                form = {"rate": sound.rate, "width": _REPLY_WIDTH, "channels": 1}
                if not begun:
                    await self.send(AudioStart(**form))
                    begun = True
                data = pcm16(sound)
                for at in range(0, len(data), _PIECE_SAMPLES * _REPLY_WIDTH):
                    if stop.is_set():
                        return
                    await self.send(AudioChunk(audio=data[at : at + _PIECE_SAMPLES * _REPLY_WIDTH], **form))
            if not begun:
                await self.send(AudioStart(rate=HEARD_RATE, width=_REPLY_WIDTH, channels=1))
                begun = True
        finally:
            if begun:
                await self.send(AudioStop())

    def _heard(self, context: Mapping[str, Any]) -> Heard:
        area = context.get("area")
        return Heard(area=self._area or (area[:_NAME_CHARS] if isinstance(area, str) else ""))

    def _begin(self, work: Awaitable[None]) -> None:
        """Work that goes on while the next events are read."""
        self._stop = threading.Event()
        self._reply = asyncio.ensure_future(self._guarded(work))

    def _hush(self) -> None:
        """Stop what is being said."""
        self._stop.set()
        self._barging = None

    async def send(self, event: Eventable) -> None:
        """Say something to the other side."""
        await self._pass(event.event())

    async def _pass(self, event: Event) -> None:
        """Whole events only; who takes none for too long is given up."""
        async with self._writing:
            try:
                async with asyncio.timeout(self._settings.event_seconds):
                    await async_write_event(event, self._writer)
            except (TimeoutError, OSError):
                self._stop.set()
                self._writer.close()


def _context(event: Event) -> Mapping[str, Json]:
    """What a client wants back with the answer: as much as fits."""
    told = event.data.get("context")
    return {**told} if isinstance(told, dict) and len(str(told)) <= _TEXT_CHARS else {}
