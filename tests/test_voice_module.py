"""A stage of the voice that comes as a module answers through the same protocol, is swapped, and is checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.env import Env
from agent.errors import VoiceUnavailable
from agent.voice.opening import open_ears, open_mouth
from agent.voice.voice import Voice
from tests.modules_kit import bundle, installed, manifest
from tests.voice_kit import speechlike

STAGES = """
class Voice:
    methods = ("transcribe", "speech", "say")
    def transcribe(self, context, names, language):
        seconds = len(context.buffers[0]) / 4 / 16000
        return {{"text": "{text}", "language": "{language}", "speech_seconds": seconds, "sure": {sure}}}
    def speech(self, context):
        return {{"likely": [1.0] * (len(context.buffers[0]) // 2048)}}
    def say(self, context, text, language, speed):
        from agent.workers.child import Attached
        said = Attached({{"rate": {rate}}})
        said.attachment = b"\\0\\1" * 8000
        return said
def make(state):
    return Voice()
"""
GOLDEN = '[[golden]]\nmethod = "say"\narguments = {text = "a", language = "en", speed = 1.0}\ncontains = {rate = %s}\n'


def stages(
    folder: Path,
    version: str = "1.0",
    *,
    text: str = "打开客厅灯",
    language: str = "zh",
    sure: str = "0.9",
    rate: str = "16000",
) -> Path:
    """A bundle that hears and speaks."""
    code = STAGES.format(text=text, language=language, sure=sure, rate=rate)
    told = manifest(version=version, kind="voice", more=GOLDEN % rate)
    return bundle(folder, told, {"tally.py": code}, dist=f"tally-{version}")


def test_a_module_hears_and_speaks(env: Env, tmp_path: Path) -> None:
    """Where one is installed it takes both stages, before any weights are looked for."""
    installed(env, stages(tmp_path)).close()
    voice = Voice(env, lambda: ["客厅灯"])
    try:
        assert voice.listens == voice.speaks == "tally 1.0"
        said = voice.hear(speechlike(1.0))
        assert (said.text, said.language, said.refused) == ("打开客厅灯", "zh", None)
        assert len(voice.speech(speechlike(0.5))) == 15
        (sound,) = voice.spoken("好", "zh")
        assert (sound.rate, sound.seconds) == (16_000, 0.5)
    finally:
        voice.close()


@pytest.mark.parametrize("wrong", [{"sure": "7"}, {"language": "fr"}, {"sure": "'x'"}])
def test_what_a_module_gives_back_is_checked(env: Env, tmp_path: Path, wrong: dict[str, str]) -> None:
    """A likelihood that is none, a language that is not spoken here: one line, and one types instead."""
    installed(env, stages(tmp_path, **wrong)).close()
    ears = open_ears(env)
    try:
        with pytest.raises(VoiceUnavailable, match=r"tally 1\.0: gave back what is no answer"):
            ears.transcribe(speechlike(0.5), [], None)
    finally:
        ears.close()


def test_a_rate_that_is_none_is_refused(env: Env, tmp_path: Path) -> None:
    """Sound of no rate is no sound."""
    installed(env, stages(tmp_path, rate="5")).close()
    mouth = open_mouth(env)
    try:
        with pytest.raises(VoiceUnavailable, match="no answer"):
            mouth.say("好", "zh")
    finally:
        mouth.close()
