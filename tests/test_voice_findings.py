"""`watchkeeper doctor` says who listens and speaks, and what to do where somebody should and does not."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from agent.env import Env
from agent.hookspecs import Finding
from agent.settings import VoiceSettings
from agent.voice import findings, opening
from agent.voice.findings import voice_findings


def found(env: Env, **voice: object) -> dict[str, Finding]:
    settings = env.settings.model_copy(update={"voice": VoiceSettings(**voice)})  # type: ignore[arg-type]
    return {one.name: one for one in voice_findings(replace(env, settings=settings))}


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """A box on which these packages are not installed."""

    def spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name in names else find_spec(name, package)

    for module in (opening, findings):
        monkeypatch.setattr(module, "find_spec", spec)
    monkeypatch.setattr(opening, "find_library", lambda name: None)


@contextmanager
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def test_a_box_without_a_voice_is_well_and_says_how_one_is_had(env: Env) -> None:
    """Neither weights nor a wish for them is a fault; each stage says what it lacks."""
    told = found(env)
    assert all(one.ok for one in told.values())
    assert told["voice ears"].text.endswith("watchkeeper weights pull asr-base")
    assert told["voice mouth"].text.startswith("espeak-ng; a better voice: ")


def test_what_the_settings_ask_for_has_to_be_there(env: Env) -> None:
    """Asked for and not here is a fault, with what to do."""
    told = found(env, asr="whisper", tts="kokoro")
    assert not told["voice ears"].ok and "weights pull asr-base" in told["voice ears"].text
    assert not told["voice mouth"].ok and "weights pull tts-zh" in told["voice mouth"].text
    told = found(env, asr="none", tts="none")
    assert told["voice ears"].ok and told["voice mouth"].text == "none, as the settings say"


def test_packages_that_are_not_installed_are_named(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs them; half of a stage is a fault."""
    without(monkeypatch, "faster_whisper", "espeakng_loader")
    told = found(env)
    assert "faster_whisper not installed: pip install 'watchkeeper[voice]'" in told["voice ears"].text
    assert "espeak-ng neither" in told["voice mouth"].text
    monkeypatch.setattr(type(env.weights), "status", lambda store, name: SimpleNamespace(present=True))
    assert not found(env)["voice ears"].ok


def test_servers_and_satellites_are_called(env: Env) -> None:
    """Who does not answer is a fault; an address that is none says so."""
    with listening() as place:
        told = found(env, asr=place, wake=place, satellites={place: "厨房"})
        assert [told[name].ok for name in ("voice ears", "voice wake word", "satellite 厨房")] == [True] * 3
    told = found(env, asr=place, wake="tcp://nowhere", satellites={place: "厨房"})
    assert "does not answer" in told["voice ears"].text and "power and network" in told["satellite 厨房"].text
    assert "write tcp://HOST:PORT" in told["voice wake word"].text
    assert not any(told[name].ok for name in ("voice ears", "voice wake word", "satellite 厨房"))


@pytest.mark.parametrize("broken", [False, True])
def test_the_microphone_is_told(env: Env, monkeypatch: pytest.MonkeyPatch, broken: bool) -> None:
    """By its name, or why there is none; a box that satellites serve needs none, so it is no fault."""

    def query_devices(kind: str) -> dict[str, str]:
        if broken:
            raise RuntimeError("no default input device")
        return {"name": "USB microphone"}

    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(query_devices=query_devices))
    monkeypatch.setattr(findings, "find_spec", lambda name: object())
    told = found(env)["voice microphone"]
    assert told.ok and ("no default input device" in told.text if broken else told.text == "USB microphone")
    without(monkeypatch, "sounddevice")
    assert "watchkeeper[microphone]" in found(env)["voice microphone"].text
