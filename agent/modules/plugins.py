"""Plugins that run in processes of their own: those that came as modules, always; those installed here, where settings
say so.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from agent.env import Env
from agent.errors import SwapFailed, ToolFailed
from agent.hookspecs import PROJECT
from agent.modules.host import ModuleHost
from agent.modules.remote_plugin import RemotePlugin, pack_env
from agent.modules.trial import wait_until_ready
from agent.workers.launch import WorkerSpec
from agent.workers.supervisor import Supervisor

__all__ = ["remote_plugins"]

_SERVED = "agent.modules.served_plugin:make"


def remote_plugins(host: ModuleHost, *, found: Iterable[EntryPoint] | None = None) -> Mapping[str, RemotePlugin]:
    """Plugins for `load_plugins`, by name. No process is started before the first hook is called.

    :param found: for tests; by default the entry points of the group.
    """
    settings = host.env.settings.plugins
    made: dict[str, RemotePlugin] = {}
    if settings.workers:
        for point in found if found is not None else entry_points(group=PROJECT):
            worker = _Own(point, host.env)
            about = f"{point.value}, in a process of its own"
            made[point.name] = RemotePlugin(
                point.name, worker.opened, about=about, seconds=settings.call_seconds, close=worker.close
            )
    for name in host.chosen("plugin"):
        about = f"module {name} {host.store.choice(name).current}"
        made[name] = RemotePlugin(
            name, _opener(host, name), about=about, seconds=settings.call_seconds, close=host.close
        )
    return made


def _opener(host: ModuleHost, name: str) -> Any:
    return lambda: host.open(name)


class _Own:
    """A plugin of this distribution in a process of its own, started with its first call. It is not confined."""

    def __init__(self, point: EntryPoint, env: Env) -> None:
        self._config: dict[str, Any] = {
            "name": point.name, "plugin": point.value, "env": pack_env(env), "module": False,
        }  # fmt: skip
        self._seconds = env.settings.modules.start_seconds
        self._supervisor = Supervisor(WorkerSpec(f"plugin {point.name}", _SERVED), env.settings.workers)
        self._lock = threading.Lock()

    def opened(self) -> Supervisor:
        """:raises ToolFailed: it does not start."""
        with self._lock:
            if self._supervisor.state == "stopped":
                self._supervisor.start(self._config)
                try:
                    wait_until_ready(self._supervisor, self._seconds)
                except SwapFailed as error:
                    raise ToolFailed(str(error)) from None
        return self._supervisor

    def close(self) -> None:
        """End it."""
        self._supervisor.stop()
