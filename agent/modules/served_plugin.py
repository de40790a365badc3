"""Runs in a plugin's process: loads it and serves its hooks. `agent.modules.remote_plugin` is the other side."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np

from agent.env import Env
from agent.errors import ModuleError, ToolFailed
from agent.home import Home
from agent.hookspecs import PROJECT
from agent.modules.plugin_wire import (
    pack_perception,
    pack_result,
    pack_tool,
    unpack_call,
    unpack_observation,
    unpack_result,
    unpack_tool,
    unpack_view,
)
from agent.photo import Photo
from agent.plugin_host import PluginHost, load_plugins
from agent.settings import Settings
from agent.tools import Tool
from agent.values import Json
from agent.weights.store import WeightStore
from agent.workers.child import CallContext

__all__ = ["ServedPlugin", "make"]

_HOOKS = (
    "perceive",
    "find_terms",
    "prompt_instructions",
    "before_tool_call",
    "after_tool_call",
    "observed",
    "check_health",
)
_NOT_SERVED = ("turn_finished", "register_commands")
"""Hooks that only plugins inside the agent's process can have."""


def make(*, name: str, plugin: str, env: dict[str, Any], module: bool) -> ServedPlugin:
    """Load a plugin.

    :param plugin: its Python module.
    :param env: settings, home and weights, as `agent.modules.remote_plugin` packs them.
    :param module: it came as a bundle; then hooks that are not served are refused.
    :raises ModuleError: it does not load.
    """
    host = load_plugins(found=[EntryPoint(name, plugin, PROJECT)])
    if host.plugins[0].problem:
        raise ModuleError(host.plugins[0].problem)
    beyond = [hook for hook in _NOT_SERVED if host.has(hook)]
    if module and beyond:
        raise ModuleError(f"{name} has the hook {beyond[0]}, which a module cannot have; leave it out")
    settings = Settings.model_validate(env["settings"])
    box_key = None if env["box_key"] is None else Path(env["box_key"])
    weights = WeightStore(Path(env["weights"]), settings.weights, box_key=box_key)
    return ServedPlugin(host, Env(settings, Home(Path(env["home"])), weights))


class ServedPlugin:
    """Implements `agent.workers.child.Served`."""

    methods = ("run_tool", "look_back", "is_asked", *_HOOKS)

    def __init__(self, host: PluginHost, env: Env) -> None:
        self._host = host
        self._env = env
        self._tools = {tool.name: tool for tool in host.tools(env)}
        if host.troubles:
            raise ModuleError("; ".join(host.troubles))

    def report(self) -> Mapping[str, Json]:
        """Its tools, and the hooks that it has."""
        tools: list[Json] = [pack_tool(tool) for tool in self._tools.values()]
        return {"tools": tools, "hooks": [hook for hook in _HOOKS if self._host.has(hook)]}

    def close(self) -> None:
        """Let it free what it holds."""
        self._host.shutdown(self._env)

    def run_tool(
        self, context: CallContext, *, tool: str, arguments: dict[str, Any], view: dict[str, Any] | None = None
    ) -> Json:
        """Run a tool: its result, with records and passages as JSON."""
        told = view or {"question": "", "language": "en", "now": self._env.now().isoformat()}
        return pack_result(self._tool(tool).run(arguments, unpack_view(told)))

    def look_back(self, context: CallContext, *, tool: str, arguments: dict[str, Any]) -> Json:
        """Whether what a call ordered is so by now."""
        return self._tool(tool).look_back(arguments)

    def is_asked(self, context: CallContext, *, tool: str, part: str) -> Json:
        """Whether a part of a question asks for this tool and no other."""
        asked = self._tool(tool).asked
        return asked is not None and asked(part)

    def perceive(self, context: CallContext, *, width: int, height: int, digest: str = "", name: str = "") -> Json:
        """Read a photo, whose pixels come as the call's one buffer."""
        (buffer,) = context.buffers
        pixels = np.frombuffer(buffer, np.uint8).reshape(height, width, 3)
        seen = self._host.perceive(Photo(pixels, digest, name), self._env)
        return None if seen is None else pack_perception(seen)

    def find_terms(self, context: CallContext, *, question: str) -> Json:
        """Names in the person's words."""
        return [
            {"kind": t.kind, "value": t.value, "source": t.source, "start": t.start}
            for t in self._host.find_terms(question, self._env)
        ]

    def prompt_instructions(self, context: CallContext, *, question: str) -> Json:
        """A line for the system prompt."""
        return " ".join(self._host.instructions(question, self._env)) or None

    def before_tool_call(
        self, context: CallContext, *, call: dict[str, Any], tool: dict[str, Any], view: dict[str, Any]
    ) -> Json:
        """A refusal's reason, or nothing."""
        veto = self._host.veto(unpack_call(call), unpack_tool(tool), unpack_view(view))
        return None if veto is None else veto.reason

    def after_tool_call(
        self, context: CallContext, *, call: dict[str, Any], result: dict[str, Any], view: dict[str, Any]
    ) -> Json:
        """Tell it that a call ran."""
        self._host.after_call(unpack_call(call), unpack_result(result), unpack_view(view))
        return None

    def observed(self, context: CallContext, *, observation: dict[str, Any]) -> Json:
        """Tell it what a watch saw."""
        self._host.observed(unpack_observation(observation), self._env)
        return None

    def check_health(self, context: CallContext) -> Json:
        """What it says of itself, and which of its hooks failed."""
        return [{"name": f.name, "ok": f.ok, "text": f.text} for f in self._host.own_health(self._env)]

    def _tool(self, name: str) -> Tool:
        if name not in self._tools:
            raise ToolFailed(f"{name}: no such tool here; it has {', '.join(self._tools) or 'none'}")
        return self._tools[name]
