"""What passes between the stages of a voice. Leaf values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.values import Language, Said

__all__ = ["Take", "Transcript"]


@dataclass(frozen=True, slots=True)
class Take:
    """What a recogniser gave back, before anybody believes it."""

    text: str
    language: Language
    speech_seconds: float
    """In which a voice was heard; 0: none."""
    no_speech: float = 0.0
    """How likely it takes the sound for no speech, from 0 to 1."""
    sure: float = 1.0
    """How likely its words are, the geometric mean; 1 where it does not say."""
    named: float = 1.0
    """How likely the language is one of those that are spoken here, from 0 to 1."""
    hints: tuple[str, ...] = ()
    """Names that it was told to listen for."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is believed to have been said."""

    text: str
    """Empty where nothing is believed."""
    language: Language
    refused: Said | None = None
    """Why nothing is believed."""
    seconds: float = 0.0
    """Of the sound."""
    clipped: float = 0.0
    """The part of it that was too loud."""
    ms: Mapping[str, float] = field(default_factory=dict)
    """How long each stage took."""
