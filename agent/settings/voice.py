"""Ears and mouth."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.settings.section import Section

__all__ = ["VoiceSettings"]


class VoiceSettings(Section):
    """Speech in and out."""

    asr: str = ""
    """Who listens: "whisper" (the weights asr-base), "tcp://HOST:PORT" (a Wyoming server), "none"; empty: a module that
    was installed for it, else whisper."""
    tts: str = ""
    """Who speaks: "kokoro" (the weights tts-zh), "espeak", "tcp://HOST:PORT", "none"; empty: a module, else kokoro,
    else espeak."""
    wake: str = ""
    """A Wyoming server that listens for a wake word, "tcp://HOST:PORT"; empty: everything said is for the box."""
    wake_words: tuple[str, ...] = ()
    """Names of wake words as that server has them; empty: all that it knows."""
    languages: tuple[Literal["zh", "en"], ...] = Field(default=("zh", "en"), min_length=1)
    """That are spoken here."""
    threads: int = Field(default=2, ge=1)
    """Of the recogniser, and of the voice."""
    beams: int = Field(default=1, ge=1, le=8)
    """Sentences that the recogniser follows side by side."""
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    """Of the voice."""
    names_chars: int = 160
    """Of the names that the recogniser is told to listen for, in each language."""
    max_audio_seconds: float = 60.0
    """Of one utterance; what is longer is refused."""
    max_reply_chars: int = 1_200
    """Of an answer that are spoken; the rest is shown only."""
    max_sentence_chars: int = 120
    """That are spoken in one go."""
    first_chars: int = Field(default=12, ge=1)
    """After which a first sentence is cut at the next comma: the first sound comes when that much is made."""
    stage_seconds: float = 30.0
    """For one call of a recogniser or a voice."""
    speech: float = Field(default=0.5, gt=0, lt=1)
    """How likely 32 ms must be speech to count as some."""
    least_speech_seconds: float = 0.2
    most_no_speech: float = 0.6
    """How likely a recogniser may take a sound for no speech, where it is unsure of its words too."""
    surely_no_speech: float = 0.9
    """The same, however sure it is."""
    unsure_words: float = Field(default=0.45, le=1)
    """How likely its words are (the geometric mean), below which it is unsure."""
    least_words: float = Field(default=0.33, le=1)
    """The same, below which nothing is believed."""
    least_language: float = 0.4
    """How likely it must be that one of the languages is spoken."""
    most_compression: float = 2.4
    """Text that packs better than this says one thing again and again."""
    most_syllables_a_second: float = 13.0
    echoed_names: int = 2
    """So many names that it was told to listen for, and nothing else, are an echo of what it was told."""
    end_seconds: float = 0.6
    """Silence that ends an utterance."""
    wait_seconds: float = 8.0
    """For somebody to begin to speak; then it is over."""
    barge_in: bool = True
    """Speech during a reply stops it. Needs a microphone that does not hear the loudspeaker."""
    barge_in_speech: float = Field(default=0.8, gt=0, lt=1)
    barge_in_seconds: float = 0.35
    """Speech that is so sure and so long is meant for the box."""
    host: str = "127.0.0.1"
    """Where the Wyoming server listens; the protocol knows no password, so nobody else is let in unless told."""
    port: int = Field(default=10300, le=65_535)
    satellites: dict[str, str] = Field(default_factory=dict)
    """Satellites that are called: "tcp://HOST:PORT" = the id or name of the area where they stand."""
    most_connections: int = Field(default=8, ge=1)
    idle_seconds: float = 300.0
    """A connection that sends nothing for so long is closed."""
    event_seconds: float = 10.0
    """For one event to arrive once it has begun, and for one to be taken."""
    connect_seconds: float = 2.0
    retry_seconds: float = 5.0
    """Before a satellite that is gone is called again."""
    announce_wait_seconds: float = 30.0
    """How long a timer that rings waits for somebody who speaks at its satellite."""
    max_event_bytes: int = Field(default=65_536, ge=1_024)
    """Of the JSON of one event."""
    max_payload_bytes: int = 1_000_000
    """Of the sound of one event."""
    max_said_bytes: int = 32_000_000
    """Of the sound that another server sends for one sentence."""
