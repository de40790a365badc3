"""A plugin that runs in a process of its own, as the agent sees it: a pluggy plugin whose hooks are calls.

What its process gives back is checked (`agent.modules.plugin_wire`); its death is a failed call. Hooks that it has not
cost nothing. After a swap the next call finds the new version, with the tools and hooks of that one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from agent.env import Env
from agent.errors import CallCancelled, PhotoError, ToolFailed, WatchkeeperError, WorkerError
from agent.hookspecs import Finding, Veto, hookimpl
from agent.messages import ToolCall
from agent.modules.plugin_wire import (
    pack_call,
    pack_observation,
    pack_photo,
    pack_result,
    pack_tool,
    pack_view,
    raised,
    unpack_findings,
    unpack_perception,
    unpack_result,
    unpack_terms,
    unpack_tools,
    unpack_veto,
)
from agent.observation import Observation
from agent.perception import Perception
from agent.photo import Photo
from agent.tools import Tool, TurnView
from agent.values import Json, Term, ToolResult
from agent.workers.shared import SharedBuffer
from agent.workers.worker import Result

__all__ = ["Callee", "RemotePlugin", "pack_env"]


class Callee(Protocol):
    """A `Module` or a `Supervisor`."""

    @property
    def report(self) -> Mapping[str, Any]: ...

    def call(
        self,
        method: str,
        arguments: Mapping[str, Json],
        *,
        buffers: Sequence[SharedBuffer] = (),
        deadline: float | None = None,
    ) -> Result: ...


class RemotePlugin:
    """What is registered in the agent."""

    def __init__(
        self, name: str, opened: Callable[[], Callee], *, about: str, seconds: float, close: Callable[[], None]
    ) -> None:
        """
        :param opened: gives what is called, ready; raises WatchkeeperError where it does not start.
        :param about: where it came from, for people.
        :param seconds: for one call.
        :param close: ends its process.
        """
        self._name = name
        self._opened = opened
        self._about = about
        self._close = close
        self._seconds = seconds

    def __str__(self) -> str:
        return self._about

    def generation(self) -> object:
        """Changes when another version answers, which may have other tools."""
        try:
            return tuple(str(tool) for tool in self._opened().report.get("tools", ()))
        except WatchkeeperError:
            return ()

    @hookimpl
    def register_tools(self, env: Env) -> Iterable[Tool]:
        return unpack_tools(self._opened().report.get("tools", ()), self)

    @hookimpl
    def perceive(self, photo: Photo, env: Env) -> Perception | None:
        if not self._has("perceive"):
            return None
        try:
            value = self._call("perceive", pack_photo(photo), (photo.shared or _copied(photo),))
            return None if value is None else unpack_perception(value)
        except ToolFailed as error:
            raise PhotoError(f"{photo.name}: it could not be read: {error}") from None

    @hookimpl
    def find_terms(self, question: str, env: Env) -> Iterable[Term]:
        return unpack_terms(self._call("find_terms", {"question": question})) if self._has("find_terms") else ()

    @hookimpl
    def prompt_instructions(self, question: str, env: Env) -> str | None:
        line = self._call("prompt_instructions", {"question": question}) if self._has("prompt_instructions") else None
        return line if isinstance(line, str) else None

    @hookimpl
    def before_tool_call(self, call: ToolCall, tool: Tool, turn: TurnView) -> Veto | None:
        if not self._has("before_tool_call"):
            return None
        told: dict[str, Json] = {"call": pack_call(call), "tool": pack_tool(tool), "view": pack_view(turn)}
        return unpack_veto(self._call("before_tool_call", told))

    @hookimpl
    def after_tool_call(self, call: ToolCall, result: ToolResult, turn: TurnView) -> None:
        if self._has("after_tool_call"):
            told = {"call": pack_call(call), "result": pack_result(result), "view": pack_view(turn)}
            self._call("after_tool_call", told)

    @hookimpl
    def observed(self, observation: Observation, env: Env) -> None:
        if self._has("observed"):
            self._call("observed", {"observation": pack_observation(observation)})

    @hookimpl
    def check_health(self, env: Env) -> Iterable[Finding]:
        try:
            return unpack_findings(self._call("check_health", {}))
        except WatchkeeperError as error:
            return [Finding(self._name, False, str(error))]

    @hookimpl
    def shutdown(self, env: Env) -> None:
        self._close()

    def run_tool(self, tool: str, arguments: Mapping[str, Json], view: TurnView) -> ToolResult:
        """As `Tool.run`."""
        told: dict[str, Json] = {"tool": tool, "arguments": dict(arguments), "view": pack_view(view)}
        return unpack_result(self._call("run_tool", told))

    def look_back(self, tool: str, arguments: Mapping[str, Json]) -> bool | None:
        """As `Tool.look_back`. What is neither yes nor no says nothing."""
        found = self._call("look_back", {"tool": tool, "arguments": dict(arguments)})
        return found if isinstance(found, bool) else None

    def is_asked(self, tool: str, part: str) -> bool:
        """As `Tool.asked`, by the rules in its process; one that fails, or does not plainly say yes, is not meant."""
        try:
            return self._call("is_asked", {"tool": tool, "part": part}) is True
        except WatchkeeperError:
            return False

    def _has(self, hook: str) -> bool:
        hooks = self._opened().report.get("hooks")
        return isinstance(hooks, list) and hook in hooks

    def _call(self, method: str, arguments: Mapping[str, Json], buffers: Sequence[SharedBuffer] = ()) -> Any:
        try:
            callee = self._opened()
            return callee.call(method, arguments, buffers=buffers, deadline=time.monotonic() + self._seconds).value
        except CallCancelled:
            raise ToolFailed(f"{self._name}: it did not come to {method} within {self._seconds:g} s") from None
        except WorkerError as error:
            raise raised(self._name, error) from None


def pack_env(env: Env, *, home: str | None = None) -> dict[str, Json]:
    """The box as a plugin's process sees it, without secrets.

    :param home: a folder of its own, for a plugin that is not trusted with the box's; it gets no key either.
    """
    settings = env.settings.model_dump(mode="json")
    settings["remote"] = {}
    settings["logs"]["path"] = str(env.log_path)
    settings["weights"]["folder"] = str(env.weights.folder)
    return {
        "settings": settings,
        "home": home or str(env.home.folder),
        "weights": str(env.weights.folder),
        "box_key": None if home else str(env.home.box_key),
    }


def _copied(photo: Photo) -> SharedBuffer:
    """Of pixels that do not lie in memory that can be shared."""
    data = memoryview(photo.pixels.tobytes())

    def fill(view: memoryview) -> None:
        view[:] = data

    return SharedBuffer.write(len(data), fill)
