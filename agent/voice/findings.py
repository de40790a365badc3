"""What `watchkeeper doctor` says of the voice: who listens, who speaks, microphone, satellites; nothing is started.

A box without a voice is well: it says how one is had. A stage that the settings ask for, or that is there by half, and
a server or satellite that does not answer, are not.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec

from agent.env import Env
from agent.errors import ModuleError, SettingsError
from agent.hookspecs import Finding
from agent.modules.store import ModuleStore
from agent.voice.addresses import address_of, is_address
from agent.voice.opening import EARS, EARS_NEED, INSTALL, KIND, MOUTH, MOUTH_NEEDS, can_espeak, lacking

__all__ = ["voice_findings"]


def voice_findings(env: Env) -> Iterator[Finding]:
    """Look at every stage once."""
    settings = env.settings.voice
    yield _stage(env, "voice ears", settings.asr, EARS, EARS_NEED)
    mouth = _stage(env, "voice mouth", settings.tts, MOUTH, MOUTH_NEEDS)
    yield _with_espeak(mouth, settings.tts)
    yield _microphone()
    if settings.wake:
        yield _server(env, "voice wake word", settings.wake, "start that server, or leave voice.wake empty")
    for address, area in settings.satellites.items():
        yield _server(
            env, f"satellite {area}", address, "see that it has power and network; it is called again and again"
        )


def _stage(env: Env, title: str, wanted: str, entry: str, packages: Sequence[str]) -> Finding:
    """Ears or mouth: the module, the server or the weights that take it."""
    if is_address(wanted):
        return _server(env, title, wanted, "start that server, or leave the setting empty")
    if wanted == "none":
        return Finding(title, True, "none, as the settings say")
    modules = "" if wanted else ", ".join(_modules(env))
    if modules:
        return Finding(title, True, f"module {modules}, where it has this stage")
    absent = lacking(packages)
    here = any(known.name == entry for known in env.weights.catalogue.entries) and env.weights.status(entry).present
    if here and not absent:
        return Finding(title, True, f"{entry}, ready")
    todo = [f"{', '.join(absent)} not installed: {INSTALL}"] if absent else []
    todo += [] if here else [f"the weights {entry} are not here: watchkeeper weights pull {entry}"]
    half = here and bool(absent)
    return Finding(title, not (wanted or half), f"none; {'; '.join(todo)}")


def _with_espeak(mouth: Finding, wanted: str) -> Finding:
    """What speaks where there is no better voice."""
    if not mouth.text.startswith("none;") or wanted == "kokoro":
        return mouth
    if can_espeak():
        text = "espeak-ng" if wanted == "espeak" else f"espeak-ng; a better voice: {mouth.text.removeprefix('none; ')}"
        return Finding(mouth.name, True, text)
    return Finding(mouth.name, mouth.ok, f"{mouth.text}; espeak-ng neither")


def _modules(env: Env) -> list[str]:
    """Modules of this kind that have a version to answer with; what is wrong with one, its own line says."""
    store = ModuleStore(env.home.modules, env.settings.modules)
    found = []
    for name in store.names():
        with suppress(ModuleError):
            current = store.choice(name).current
            if current and store.installed(name, current).manifest.module.kind == KIND:
                found.append(name)
    return found


def _microphone() -> Finding:
    """Of the box itself; a box that is reached by satellites alone needs none."""
    title, need = "voice microphone", "needed only for: watchkeeper voice serve --microphone"
    if find_spec("sounddevice") is None:
        return Finding(title, True, f"none; sounddevice not installed: pip install 'watchkeeper[microphone]'; {need}")
    try:
        import sounddevice

        found = sounddevice.query_devices(kind="input")
    except Exception as error:  # PortAudio is not there, or there is no sound card
        return Finding(title, True, f"none ({str(error)[:120]}); plug one in, install PortAudio; {need}")
    return Finding(title, True, str(found["name"])[:120])


def _server(env: Env, title: str, address: str, todo: str) -> Finding:
    """Whether something answers there."""
    try:
        with socket.create_connection(address_of(address), timeout=env.settings.voice.connect_seconds):
            return Finding(title, True, f"{address} answers")
    except SettingsError as error:
        return Finding(title, False, str(error))
    except OSError as error:
        return Finding(title, False, f"{address} does not answer ({error.strerror or error}); {todo}")
