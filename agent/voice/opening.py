"""Who listens and who speaks on this box: what the settings name, else the best that is here.

Nothing that is absent stops the box: without a recogniser one types, without a voice one reads, and both are said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ctypes.util import find_library
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

from agent.env import Env
from agent.errors import ModuleError, SettingsError, SwapFailed, VoiceUnavailable, WeightsError
from agent.modules.host import ModuleHost
from agent.modules.module import Module
from agent.values import Json
from agent.voice.addresses import is_address
from agent.voice.stages import Ears, Mouth, StageEars, StageMouth
from agent.weights.held import VerifiedFiles
from agent.workers.launch import WorkerSpec
from agent.workers.supervisor import Supervisor

__all__ = [
    "EARS", "EARS_NEED", "INSTALL", "KIND", "MOUTH", "MOUTH_NEEDS", "can_espeak", "lacking", "open_ears", "open_mouth",
]  # fmt: skip

KIND = "voice"
"""Of a module that takes a stage."""
EARS, MOUTH = "asr-base", "tts-zh"
"""Weights of the catalogue."""
EARS_NEED = ("faster_whisper", "opencc")
MOUTH_NEEDS = ("misaki", "jieba", "cn2an")
_PULL = "type instead, or: watchkeeper weights pull"
INSTALL = "pip install 'watchkeeper[voice]'"
# A second pool of threads for matrices would fight the recogniser's own for the cores.
_CALM = {"OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false"}


def open_ears(env: Env) -> Ears:
    """Start who listens.

    :raises VoiceUnavailable: nobody does; why, and what to do.
    :raises SettingsError: `[voice] asr` names no one.
    """
    wanted = env.settings.voice.asr
    if is_address(wanted):
        return cast(Ears, _remote().WyomingEars(wanted, env.settings.voice))
    if wanted == "none":
        raise VoiceUnavailable("voice.asr is none: nobody listens; type instead")
    if wanted not in ("", "whisper"):
        raise SettingsError(f'voice.asr: {wanted!r} is none of "whisper", "none", "tcp://HOST:PORT"')
    found = None if wanted else _module(env, "transcribe")
    if found:
        host, module = found
        return StageEars(f"{module.name} {module.version}", module, env.settings.voice, close=host.close)
    _need("listening", EARS_NEED)
    files = _files(env, EARS)
    settings = env.settings.voice
    config: dict[str, Json] = {
        "folder": str(files["model"].parent),
        "threads": settings.threads,
        "beams": settings.beams,
        "languages": list(settings.languages),
        "speech": settings.speech,
    }
    stage = _start("ears", "agent.voice.served_ears:make", config, env)
    return StageEars("whisper base", stage, settings, close=_closing(stage, files))


def open_mouth(env: Env) -> Mouth:
    """Start who speaks.

    :raises VoiceUnavailable: nobody does; why, and what to do.
    :raises SettingsError: `[voice] tts` names no one.
    """
    wanted = env.settings.voice.tts
    if is_address(wanted):
        return cast(Mouth, _remote().WyomingMouth(wanted, env.settings.voice))
    if wanted == "none":
        raise VoiceUnavailable("voice.tts is none: nobody speaks; read the answer")
    if wanted not in ("", "kokoro", "espeak"):
        raise SettingsError(f'voice.tts: {wanted!r} is none of "kokoro", "espeak", "none", "tcp://HOST:PORT"')
    found = None if wanted else _module(env, "say")
    if found:
        host, module = found
        return StageMouth(f"{module.name} {module.version}", module, env.settings.voice, close=host.close)
    try:
        if wanted == "espeak":
            raise VoiceUnavailable("espeak is wanted")
        _need("speaking", MOUTH_NEEDS)
        files = _files(env, MOUTH)
    except VoiceUnavailable:
        if wanted == "kokoro":
            raise
        return _mouth("espeak-ng", None, env)
    return _mouth("kokoro", files, env)


def _mouth(name: str, files: VerifiedFiles | None, env: Env) -> Mouth:
    """:raises VoiceUnavailable: espeak-ng is wanted and not installed."""
    if files is None and not can_espeak():
        raise VoiceUnavailable(f"speaking: no voice is installed; read the answer, or: {INSTALL}")
    config: dict[str, Json] = {
        "files": None if files is None else {role: str(path) for role, path in files.items()},
        "threads": env.settings.voice.threads,
        "cache": str(env.home.cache),
    }
    stage = _start("mouth", "agent.voice.served_mouth:make", config, env)
    return StageMouth(name, stage, env.settings.voice, close=_closing(stage, files))


def _remote() -> Any:
    """The module that talks to other servers; it needs a package that a box without them does not have."""
    _need("other servers", ("wyoming",))
    return import_module("agent.voice.wyoming_client")


def _start(name: str, target: str, config: Mapping[str, Json], env: Env) -> Supervisor:
    stage = Supervisor(WorkerSpec(name, target, environment=_CALM), env.settings.workers)
    stage.start(config)
    return stage


def _closing(stage: Supervisor, files: VerifiedFiles | None) -> Callable[[], None]:
    def close() -> None:
        stage.stop()
        if files is not None:
            files.close()

    return close


def _module(env: Env, method: str) -> tuple[ModuleHost, Module] | None:
    """The module that was chosen for a stage; None where there is none, or it does not start."""
    host = ModuleHost(env)
    for name in host.chosen(KIND):
        try:
            module = host.open(name)
        except (ModuleError, SwapFailed):
            continue  # `watchkeeper doctor` says why; the stage of the box itself takes over
        if method in module.report.get("methods", ()):
            return host, module
    host.close()
    return None


def lacking(packages: Sequence[str]) -> list[str]:
    """Those of them that are not installed."""
    return [name for name in packages if find_spec(name) is None]


def can_espeak() -> bool:
    """Whether espeak-ng is here, from its package or from the system."""
    return bool(find_spec("espeakng_loader") or find_library("espeak-ng"))


def _need(what: str, packages: tuple[str, ...]) -> None:
    if absent := lacking(packages):
        raise VoiceUnavailable(f"{what}: {', '.join(absent)} is not installed; type instead, or: {INSTALL}")


def _files(env: Env, entry: str) -> VerifiedFiles:
    try:
        return env.weights.verified(entry)
    except WeightsError as error:
        raise VoiceUnavailable(f"{error}; {_PULL} {entry}") from None
