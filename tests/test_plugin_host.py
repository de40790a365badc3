"""Plugins are loaded one by one, and one that fails costs nothing but itself."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from agent.env import Env
from agent.hookspecs import hookimpl
from agent.messages import ToolCall
from agent.plugin_host import PluginHost, load_plugins
from agent.tools import Tool, TurnView, tool
from agent.values import ToolResult


class FakePoint:
    """An entry point whose module is made here."""

    def __init__(self, name: str, module: object) -> None:
        self.name = name
        self.value = f"tests.{name}"
        self._module = module

    def load(self) -> object:
        if isinstance(self._module, Exception):
            raise self._module
        return self._module


def host(**modules: object) -> PluginHost:
    points = [FakePoint(name, module) for name, module in modules.items()]
    return load_plugins(found=points)  # type: ignore[arg-type]


def module(**hooks: object) -> ModuleType:
    made = ModuleType("made")
    for name, hook in hooks.items():
        setattr(made, name, hook)
    return made


@tool(risk="read")
def look(turn: TurnView) -> ToolResult:
    """Look."""
    return ToolResult()


@hookimpl
def register_tools(env: Env) -> list[Tool]:
    return [look]


def test_a_plugin_that_does_not_load_is_reported(env: Env) -> None:
    """The others bring their tools."""
    made = host(good=module(register_tools=register_tools), bad=ImportError("no such library"))
    assert [t.name for t in made.tools(env)] == ["look"]
    assert {p.name: p.problem for p in made.plugins} == {"bad": "ImportError: no such library", "good": ""}


def test_a_hook_with_another_signature_is_reported(env: Env) -> None:
    """check_pending at load: a misspelt argument or hook leaves the plugin out, with the reason."""

    @hookimpl
    def register_tools(env: Env, more: int) -> list[Tool]:
        return []

    @hookimpl
    def registre_tools(env: Env) -> list[Tool]:
        return []

    made = host(args=module(register_tools=register_tools), name=module(registre_tools=registre_tools))
    assert all(p.problem for p in made.plugins)
    assert made.tools(env) == ()


def test_a_hook_that_raises_is_reported_once(env: Env) -> None:
    """doctor says it; the answer of the other plugins stands."""

    @hookimpl
    def find_terms(question: str, env: Env) -> list[object]:
        raise RuntimeError("it broke")

    made = host(bad=module(find_terms=find_terms), good=module(register_tools=register_tools))
    assert made.find_terms("?", env) == []
    assert made.find_terms("?", env) == []
    assert [f.text for f in made.health(env) if not f.ok] == ["bad: find_terms failed: RuntimeError: it broke"]


def test_a_guard_that_breaks_refuses(env: Env) -> None:
    """A plugin that fails while checking a call fails closed."""

    @hookimpl
    def before_tool_call(call: ToolCall) -> None:
        raise RuntimeError("it broke")

    made = host(guard=module(before_tool_call=before_tool_call))
    veto = made.veto(ToolCall("look", {}), look, TurnView("?", "zh", env.now(), None))
    assert veto is not None
    assert "it broke" in veto.reason


def test_two_tools_of_one_name(env: Env) -> None:
    """The first one stays, and it is said."""
    made = host(a=module(register_tools=register_tools), b=module(register_tools=register_tools))
    assert [t.plugin for t in made.tools(env)] == ["a"]
    assert made.troubles == ["b: a tool named look is there already; rename it"]


def test_a_plugin_can_be_turned_off() -> None:
    """plugins_off in the settings."""
    points = [FakePoint("a", module(register_tools=register_tools))]
    assert [p.problem for p in load_plugins(off=["a"], found=points).plugins] == ["turned off by plugins_off"]  # type: ignore[arg-type]


def contract_tools(env: Env) -> list[Tool]:
    return list(load_plugins().tools(env))


def test_every_tool_keeps_the_contract(env: Env) -> None:
    """One short line for the model, examples, cues in both languages, a typed schema, no risk where it only reads.

    A tool that is offered only where the question itself calls for it needs neither examples nor cues.
    """
    tools = contract_tools(env)
    assert {"similar_events", "count_events", "recent_events", "search_manuals", "panel_readings"} <= {
        t.name for t in tools
    }
    for made in tools:
        assert made.description.count("\n") == 0, made.name
        assert len(made.description) < 120
        if made.asked is None:
            assert made.examples, made.name
            assert any(cue.isascii() for cue in made.cues), made.name
            assert any(not cue.isascii() for cue in made.cues), made.name
        assert made.risk == "read"
        for parameter in made.parameters:
            assert parameter.binds or "enum" in parameter.schema, f"{made.name}.{parameter.name} is bound to nothing"


def test_every_tool_refuses_a_stranger_argument(env: Env) -> None:
    """Whatever a model makes up, the signature decides."""
    view = TurnView("?", "zh", env.now(), None)
    for made in contract_tools(env):
        with pytest.raises(Exception, match="unknown argument"):
            made.run({"nothing_of_the_kind": 1}, view)


def test_real_entry_points_are_ours() -> None:
    """What is installed is what is in the repository."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = project["entry-points"]["watchkeeper"]
    assert {p.name: p.module for p in load_plugins().plugins} == named
