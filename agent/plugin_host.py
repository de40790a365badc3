"""Finding, loading and calling plugins: entry points of the group `watchkeeper`, loaded one by one.

A plugin that fails to load, or whose hooks do not fit, is left out and reported; the others work. The facade has one
typed method for each hook, so that call sites are checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, runtime_checkable

import pluggy
import typer

from agent import hookspecs
from agent.env import Env
from agent.errors import DatabaseError, PhotoError, WatchkeeperError
from agent.hookspecs import PROJECT, Finding, Veto, hookimpl
from agent.messages import ToolCall
from agent.model.protocol import Model
from agent.observation import Observation
from agent.orders import Due, Heard, Orders
from agent.perception import Perception, Text
from agent.photo import Photo
from agent.reports.values import Evidence, Machine
from agent.series import Series, SeriesReader
from agent.sites import Site
from agent.times import Period
from agent.tools import Tool, TurnView
from agent.turn_record import TurnRecord
from agent.values import Record, Term, ToolResult, say

__all__ = ["LoadedPlugin", "PluginHost", "load_plugins"]


@runtime_checkable
class _Swappable(Protocol):
    """A plugin that may become another version while this process runs."""

    def generation(self) -> object: ...


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin and how its loading went."""

    name: str
    module: str
    problem: str
    """Why it was left out; empty where it works."""


class PluginHost:
    """The plugins of one process."""

    def __init__(self, manager: pluggy.PluginManager, plugins: Sequence[LoadedPlugin]) -> None:
        """Use `load_plugins`."""
        self._hooks = manager.hook
        self._manager = manager
        self.plugins = tuple(plugins)
        self.troubles: list[str] = []
        """Hooks that raised, one line each."""

    def tools(self, env: Env) -> tuple[Tool, ...]:
        """Tools of all plugins in the order of their names. A second tool of one name is left out and reported."""
        tools: dict[str, Tool] = {}
        given = {"series": self.series_reader(env), "read_photo": partial(self.perceive, env=env)}
        for plugin, found in self._each("register_tools", env=env, **given):
            for made in found or ():
                if made.name in tools:
                    self.troubles.append(f"{plugin}: a tool named {made.name} is there already; rename it")
                else:
                    tools[made.name] = replace(made, plugin=plugin)
        return tuple(tools[name] for name in sorted(tools))

    def generation(self) -> object:
        """Changes when a plugin was swapped for one with other tools."""
        return tuple(p.generation() for p in self._manager.get_plugins() if isinstance(p, _Swappable))

    def add_commands(self, cli: typer.Typer) -> None:
        """Let plugins add commands."""
        for _ in self._each("register_commands", cli=cli):
            pass

    def sites(self, env: Env) -> list[Site]:
        """Pages that plugins bring."""
        return [site for _, found in self._each("register_sites", env=env) for site in found or ()]

    def perceive(self, photo: Photo, env: Env) -> Perception | None:
        """Read a photo; the first plugin that does is believed.

        :raises PhotoError: it cannot be read.
        """
        try:
            seen: Perception | None = self._hooks.perceive(photo=photo, env=env)
        except WatchkeeperError:
            raise
        except Exception as error:
            self._report(f"perceive failed: {type(error).__name__}: {error}")
            raise PhotoError(f"{photo.name}: a plugin failed to read it ({type(error).__name__}: {error})") from error
        return seen

    def read_page(self, photo: Photo, env: Env) -> tuple[Text, ...] | None:
        """The text on a picture of a page; None where no plugin reads it. One that fails is reported."""
        try:
            texts: tuple[Text, ...] | None = self._hooks.read_page(photo=photo, env=env)
        except Exception as error:
            self._report(f"read_page failed: {type(error).__name__}: {error}")
            return None
        return texts

    def find_terms(self, question: str, env: Env) -> list[Term]:
        """Names that plugins know, in the person's words."""
        return [term for _, found in self._each("find_terms", question=question, env=env) for term in found or ()]

    def read_orders(self, question: str, env: Env, heard: Heard, model: Model) -> Orders | None:
        """What the person orders. A plugin that fails reads nothing, and is reported."""
        try:
            orders: Orders | None = self._hooks.read_orders(question=question, env=env, heard=heard, model=model)
        except Exception as error:
            self._report(f"read_orders failed: {type(error).__name__}: {error}")
            return None
        return orders

    def take_due(self, env: Env, *, aloud: bool) -> list[Due]:
        """What is due now, taken."""
        return [one for _, found in self._each("take_due", env=env, aloud=aloud) for one in found or ()]

    def names_to_hear(self, env: Env) -> list[str]:
        """Names that a person may say."""
        return [name for _, found in self._each("names_to_hear", env=env) for name in found or ()]

    def instructions(self, question: str, env: Env) -> list[str]:
        """Lines for the system prompt."""
        return [line for _, line in self._each("prompt_instructions", question=question, env=env) if line]

    def veto(self, call: ToolCall, tool: Tool, turn: TurnView) -> Veto | None:
        """The first refusal. A plugin that fails here refuses."""
        for plugin in self._manager.get_plugins():
            try:
                for found in self._call(plugin, "before_tool_call", call=call, tool=tool, turn=turn):
                    if isinstance(found, Veto):
                        return found
            except Exception as error:
                return Veto(f"{self._manager.get_name(plugin)} failed while checking the call: {error}")
        return None

    def after_call(self, call: ToolCall, result: ToolResult, turn: TurnView) -> None:
        """Tell plugins that a call ran."""
        for _ in self._each("after_tool_call", call=call, result=result, turn=turn):
            pass

    def turn_finished(self, record: TurnRecord) -> None:
        """Tell plugins that a turn ended."""
        for _ in self._each("turn_finished", record=record):
            pass

    def observed(self, observation: Observation, env: Env) -> None:
        """Tell plugins what a watch saw."""
        for _ in self._each("observed", observation=observation, env=env):
            pass

    def report_machines(self, env: Env) -> list[Machine]:
        """Machines that plugins know, by name; the first plugin that names one is believed."""
        known: dict[str, Machine] = {}
        for _, found in self._each("report_machines", env=env):
            for machine in found or ():
                known.setdefault(machine.name, machine)
        return [known[name] for name in sorted(known)]

    def list_events(self, env: Env, *, around: str, tag: str, since: datetime | None, limit: int) -> list[Record]:
        """Events of all logs.

        :raises WatchkeeperError: a log cannot be read.
        """
        found = self._hooks.list_events(around=around, tag=tag, since=since, limit=limit, env=env)
        return [record for records in found for record in records or ()][:limit]

    def latest_readings(self, env: Env, *, limit: int) -> list[Record]:
        """The latest value of each series.

        :raises WatchkeeperError: a log cannot be read.
        """
        found = self._hooks.latest_readings(limit=limit, env=env)
        return [record for records in found for record in records or ()][:limit]

    def report_evidence(self, machine: Machine, period: Period, env: Env) -> Evidence:
        """What all plugins saw of a machine. One that cannot look is told as missing."""
        whole, lacking, series = Evidence(), [], self.series_reader(env)
        for plugin in self._manager.get_plugins():
            try:
                for found in self._call(
                    plugin, "report_evidence", machine=machine, period=period, env=env, series=series
                ):
                    whole = whole.plus(found) if isinstance(found, Evidence) else whole
            except Exception as error:
                name, known = self._manager.get_name(plugin), isinstance(error, WatchkeeperError)
                why = str(error) if known else f"{type(error).__name__}: {error}"
                lacking.append(say(f"{name}:{why}", f"{name}: {why}"))
        return replace(whole, missing=(*whole.missing, *lacking))

    def series_reader(self, env: Env) -> SeriesReader:
        """`read_series` of all plugins: the first that has a tag is believed, one that cannot read is passed over.

        The reader raises `DatabaseError` where nothing was found and a plugin could not read.
        """

        def read(tags: Sequence[str], start: datetime, end: datetime) -> tuple[Series, ...]:
            found: dict[str, Series] = {}
            troubles: list[str] = []
            for plugin in sorted(self._manager.get_plugins(), key=lambda p: str(self._manager.get_name(p))):
                try:
                    for answer in self._call(plugin, "read_series", tags=tags, start=start, end=end, env=env):
                        for series in answer or ():
                            found.setdefault(series.name, series)
                except WatchkeeperError as error:
                    troubles.append(str(error))
                except Exception as error:
                    troubles.append(f"{self._manager.get_name(plugin)}: {type(error).__name__}: {error}")
                    self._report(f"read_series failed: {troubles[-1]}")
            if troubles and not found:
                raise DatabaseError("; ".join(troubles))
            return tuple(found[tag] for tag in dict.fromkeys(tags) if tag in found)

        return read

    def health(self, env: Env) -> list[Finding]:
        """What plugins say about themselves, and what went wrong with them."""
        own, troubles = self._health(env)
        own += [
            Finding(f"plugin {p.name}", not p.problem, p.problem or f"loaded from {p.module}") for p in self.plugins
        ]
        return own + troubles

    def own_health(self, env: Env) -> list[Finding]:
        """The same without how they were loaded: what a plugin's process says of itself."""
        own, troubles = self._health(env)
        return own + troubles

    def has(self, hook: str) -> bool:
        """Whether any plugin implements a hook."""
        return bool(getattr(self._hooks, hook).get_hookimpls())

    def shutdown(self, env: Env) -> None:
        """Let plugins free what they hold."""
        for _ in self._each("shutdown", env=env):
            pass

    def _health(self, env: Env) -> tuple[list[Finding], list[Finding]]:
        own = [f for _, found in self._each("check_health", env=env) for f in found or ()]
        return own, [Finding("plugin hook", False, trouble) for trouble in self.troubles]

    def _each(self, hook: str, **arguments: Any) -> Iterable[tuple[str, Any]]:
        """(plugin, result) of each implementation; one that raises is reported and skipped, an error of ours is one
        too.
        """
        for plugin in sorted(self._manager.get_plugins(), key=lambda p: str(self._manager.get_name(p))):
            name = str(self._manager.get_name(plugin))
            try:
                for result in self._call(plugin, hook, **arguments):
                    yield name, result
            except Exception as error:
                self._report(f"{name}: {hook} failed: {type(error).__name__}: {error}")

    def _report(self, trouble: str) -> None:
        if trouble not in self.troubles:
            self.troubles.append(trouble)

    def _call(self, plugin: object, hook: str, **arguments: Any) -> list[Any]:
        """The results of one plugin alone, so that one that raises is known by name."""
        others = [other for other in self._manager.get_plugins() if other is not plugin]
        results: list[Any] = self._manager.subset_hook_caller(hook, others)(**arguments)
        return results


class _CommandsOnly:
    """What is left in this process of a plugin that runs in its own: the commands that it adds."""

    def __init__(self, module: object) -> None:
        self._add = getattr(module, "register_commands", None)

    @hookimpl
    def register_commands(self, cli: typer.Typer) -> None:
        if self._add is not None:
            self._add(cli)


def load_plugins(
    *,
    off: Sequence[str] = (),
    found: Iterable[EntryPoint] | None = None,
    remote: Mapping[str, object] | None = None,
) -> PluginHost:
    """Load the plugins that are installed.

    :param off: names that are not loaded.
    :param found: for tests; by default the entry points of the group.
    :param remote: plugins that run in processes of their own, by name; they stand for the installed ones of that name.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    elsewhere = {name: plugin for name, plugin in (remote or {}).items() if name not in off}
    loaded = []
    points = sorted(found if found is not None else entry_points(group=PROJECT), key=lambda point: point.name)
    for point in points:
        if point.name in off:
            loaded.append(LoadedPlugin(point.name, point.value, "turned off by plugins_off"))
        elif point.name in elsewhere:
            problem = _load(manager, point, commands_only=True)
            loaded += [LoadedPlugin(point.name, point.value, problem)] if problem else []
        else:
            loaded.append(LoadedPlugin(point.name, point.value, _load(manager, point)))
    for name, plugin in sorted(elsewhere.items()):
        manager.register(plugin, name=name)
        loaded.append(LoadedPlugin(name, str(plugin), ""))
    manager.check_pending()
    return PluginHost(manager, sorted(loaded, key=lambda one: one.name))


def _load(manager: pluggy.PluginManager, point: EntryPoint, *, commands_only: bool = False) -> str:
    """Load one plugin; returns why it was left out."""
    name = f"{point.name} (commands)" if commands_only else point.name
    try:
        module = point.load()
        manager.register(_CommandsOnly(module) if commands_only else module, name=name)
        manager.check_pending()
    except Exception as error:
        manager.unregister(name=name) if manager.has_plugin(name) else None
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        return why if isinstance(error, WatchkeeperError) else f"{type(error).__name__}: {why}"
    return ""
