"""What this box tells a Wyoming client that it can do."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from wyoming.info import (
    AsrModel,
    AsrProgram,
    Attribution,
    HandleModel,
    HandleProgram,
    Info,
    IntentModel,
    IntentProgram,
    TtsProgram,
    TtsVoice,
)

from agent.voice.voice import Voice

__all__ = ["describe"]

_NAME = "watchkeeper"


def describe(voice: Voice, languages: list[str]) -> Info:
    """Its ears and mouth where it has some, and its brain."""
    known = {"en": ["en", "en-US", "en-GB"], "zh": ["zh", "zh-CN", "zh-Hans"]}
    spoken = [code for language in languages for code in known[language]]

    def artifact(name: str, text: str) -> dict[str, Any]:
        whose = Attribution(name=_NAME, url="")
        return {
            "name": name, "attribution": whose, "installed": True, "description": text, "version": version(_NAME),
        }  # fmt: skip

    asr, tts = [], []
    if voice.listens:
        model = AsrModel(**artifact(voice.listens, "on this box"), languages=spoken)
        asr = [AsrProgram(**artifact(_NAME, "Listens on this box"), models=[model], requires_external_vad=True)]
    if voice.speaks:
        speaker = TtsVoice(**artifact(voice.speaks, "on this box"), languages=spoken)
        tts = [TtsProgram(**artifact(_NAME, "Speaks on this box"), voices=[speaker])]
    acts = HandleModel(**artifact(_NAME, "Answers, and moves devices"), languages=spoken)
    reads = IntentModel(**artifact(_NAME, "What a sentence would order"), languages=spoken)
    handle = HandleProgram(**artifact(_NAME, "The agent of this box"), models=[acts], supports_home_control=True)
    intent = IntentProgram(**artifact(_NAME, "The agent of this box"), models=[reads])
    return Info(asr=asr, tts=tts, handle=[handle], intent=[intent])
