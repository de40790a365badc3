"""From a version on disk to what can be started and tried: its process, what that may use, and its golden calls."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.env import Env
from agent.errors import InputError, ModuleError, SwapFailed
from agent.modules.confine import Allowed
from agent.modules.module import Candidate
from agent.modules.remote_plugin import pack_env
from agent.modules.store import Installed, ModuleStore
from agent.modules.trial import prove
from agent.photo import Photo, load_photo
from agent.settings import WorkerSettings
from agent.values import Json
from agent.workers.launch import WorkerSpec
from agent.workers.supervisor import Supervisor

__all__ = ["candidate_of"]

_ENTRY = "agent.modules.entry:make"
_PLUGIN = "agent.modules.served_plugin:make"
_ASK_SECONDS = 10
_ASK = "import sys; print('%d.%d' % sys.version_info[:2])"
_OURS = f"{sys.version_info.major}.{sys.version_info.minor}"


def candidate_of(installed: Installed, env: Env, store: ModuleStore) -> Candidate:
    """What `Module.swap` takes.

    :raises ModuleError: the Python that it was made for is not here, or its folder cannot be made.
    """
    manifest = installed.manifest
    name, version = installed.name, installed.version
    state = store.state(name)
    spec = WorkerSpec(
        f"{name} {version}",
        _ENTRY,
        prepare={"site": str(installed.site), "allowed": _plain(_allowed(installed, env, state))},
        environment={"HOME": str(state), "TMPDIR": str(state / "tmp"), "WATCHKEEPER_HOME": str(state)},
        interpreter=_interpreter(installed, env.settings.modules.interpreters),
    )
    return Candidate(version, spec, _config(installed, env, state), _workers(installed, env), _prove(installed, env),
                     manifest.needs.memory_bytes)  # fmt: skip


def _config(installed: Installed, env: Env, state: Path) -> dict[str, Json]:
    module = installed.manifest.module
    if module.kind != "plugin":
        return {"target": module.entry, "config": {"state": str(state)}}
    box = pack_env(env, home=str(state))
    config: dict[str, Json] = {"name": installed.name, "plugin": module.entry, "env": box, "module": True}
    return {"target": _PLUGIN, "config": config}


def _allowed(installed: Installed, env: Env, state: Path) -> Allowed:
    needs = installed.manifest.needs
    own = {"weights": [str(env.weights.folder)], "log": [f"{env.log_path}{end}" for end in ("", "-wal", "-shm")]}
    reads = [path for place in needs.reads for path in own.get(place, [place])]
    return Allowed(
        reads=(str(installed.site), *reads),
        writes=(str(state), *needs.writes, *needs.devices),
        network=needs.network,
        programs=needs.programs,
        memory_bytes=needs.memory_bytes,
    )


def _plain(allowed: Allowed) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(allowed).items()}


def _workers(installed: Installed, env: Env) -> WorkerSettings:
    needs, modules = installed.manifest.needs, env.settings.modules
    changed = {
        "max_waiting_calls": env.settings.workers.max_waiting_calls + 1,  # a swap asks too, and takes nobody's place
        "start_seconds": modules.start_seconds,
        "cancel_grace_seconds": modules.grace_seconds,
        "recycle_calls": modules.recycle_calls,
        "recycle_growth_bytes": needs.memory_bytes // 2,
        "open_files": needs.open_files,
    }
    return env.settings.workers.model_copy(update=changed)


def _prove(installed: Installed, env: Env) -> Any:
    def image(name: str) -> Photo:
        try:
            return load_photo(installed.site / name, env.settings.photo)
        except InputError as error:
            raise SwapFailed(f"the picture of a golden call cannot be used: {error}") from None

    def run(supervisor: Supervisor, tolerated: frozenset[str]) -> None:
        prove(supervisor, installed.manifest.golden, env.settings.modules, image=image, tolerated=tolerated)

    return run


def _interpreter(installed: Installed, known: Sequence[Path]) -> Path | None:
    """The Python that it runs in; None is ours with all that it has."""
    environment = installed.manifest.environment
    wanted = environment.python
    if wanted in ("", _OURS):
        return Path(sys.executable) if environment.own else None
    found = next((path for path in known if _version_of(path) == wanted), None)
    if found is None or not environment.own:
        raise ModuleError(
            f"{installed.name} {installed.version}: was made for Python {wanted}, this is {_OURS}; "
            "add one to modules.interpreters, or install a bundle for this one"
        )
    return found


def _version_of(interpreter: Path) -> str:
    try:
        asked = subprocess.run(
            [interpreter, "-I", "-S", "-c", _ASK], capture_output=True, text=True, timeout=_ASK_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip()
