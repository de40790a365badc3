"""A plugin runs in a process of its own as it would run here; its death or its lies cost one call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audit import Trail
from agent.env import Env
from agent.errors import CallFailed, PhotoError, SwapFailed, ToolFailed, WatchkeeperError
from agent.home import Home
from agent.hookspecs import PROJECT, Veto
from agent.messages import ToolCall
from agent.model.ladder import Ladder
from agent.model.rules import RulesModel
from agent.modules.host import ModuleHost
from agent.modules.plugin_wire import (
    pack_perception,
    pack_result,
    pack_tool,
    pack_view,
    unpack_findings,
    unpack_perception,
    unpack_result,
    unpack_terms,
    unpack_tool,
    unpack_tools,
    unpack_veto,
    unpack_view,
)
from agent.modules.plugins import remote_plugins
from agent.modules.remote_plugin import RemotePlugin, pack_env
from agent.perception import AlarmRow, Lamp, Perception, Reading, Text
from agent.photo import Photo
from agent.plugin_host import PluginHost, load_plugins
from agent.settings import RemoteSettings
from agent.tools import Tool, TurnView
from agent.turn import Agent
from agent.values import Passage, Record, Term, ToolResult, say
from plugins.logs.importing import import_csv
from tests.modules_kit import installed, plugin

SEEN = Perception(
    texts=(Text("泵 2", (1, 2, 3, 4), 0.123456789),),
    readings=(Reading("p", None, "bar", "printed", (0, 0, 9, 9), 0.5, ("no-value",)),),
    lamps=(Lamp("run", "green", "lit", (1, 1, 2, 2)),),
    alarms=(AlarmRow({"Tag": "P-7"}, (5, 5, 6, 6)),),
    size=(640, 480),
    ms=12.5,
    photo="abc",
    notes=("x",),
)
VIEW = TurnView("几次?", "zh", datetime.fromisoformat("2026-07-01T08:00:00+08:00"), SEEN)
FOUND = ToolResult(
    (Record("E1", "event", say("一", "one"), {"tag": "P-7", "n": 1, "x": None, "ok": True, "f": 0.1}, "M1 §2"),),
    (Passage("M1", "Manual", "6.2", "Alarms", None, "text", "en", 0.75),), (say("无", "none"),), True,
)  # fmt: skip
_STAY_THERE = ("closeness", "said_share")
"""What ranks passages is asked for every sentence of them, and does not cross."""
HOSTILE = """
@hookimpl
def perceive(photo, env):
    if photo.name == "crash":
        import os
        os.abort()
    if photo.name == "refuse":
        from agent.api import PhotoError
        raise PhotoError("too dark")
    return Perception((), (), (), (), photo.size, float(photo.pixels[0, 0, 0]), photo.digest)

@hookimpl
def before_tool_call(call, tool):
    from agent.api import Veto
    return Veto(f"no {tool.risk} {call.tool}") if call.arguments.get("count") == 13 else None

@hookimpl
def prompt_instructions():
    return "Count well."
"""


@pytest.fixture
def modules(env: Env, tmp_path: Path) -> Iterator[ModuleHost]:
    host = installed(env, plugin(tmp_path, more=HOSTILE), plugin(tmp_path, "1.1", tool="tally_down"))
    yield host
    host.close()


@pytest.fixture
def plugins(modules: ModuleHost) -> PluginHost:
    return load_plugins(found=[], remote=remote_plugins(modules))


def only(tools: tuple[Tool, ...]) -> Tool:
    (one,) = tools
    return one


def test_a_tool_runs_in_its_process(plugins: PluginHost, modules: ModuleHost) -> None:
    """Name, schema and cues come over; arguments go, the result comes, and what it refuses is told as here."""
    tool = only(plugins.tools(modules.env))
    assert (tool.name, tool.plugin, tool.risk, tool.cues) == ("tally_up", "tally", "read", ("tally",))
    assert tool.specification()["function"]["parameters"]["properties"] == {"count": {"type": "integer"}}  # type: ignore[call-overload,index]
    assert tool.run({"count": 4}, VIEW).notes == (say("次数 4", "asked 4 1.0"),)
    with pytest.raises(ToolFailed, match="nothing is counted below zero"):
        tool.run({"count": -1}, VIEW)
    with pytest.raises(ToolFailed, match="argument count: Input should be a valid integer"):
        tool.run({"count": "4"}, VIEW)
    with pytest.raises(ToolFailed, match="unknown argument size"):
        tool.run({"size": 4}, VIEW)


def test_its_death_is_a_failed_call(plugins: PluginHost, modules: ModuleHost) -> None:
    """The next call is answered by a new process."""
    tool = only(plugins.tools(modules.env))
    with pytest.raises(ToolFailed, match="died: SIGKILL"):
        tool.run({"count": 99}, VIEW)
    assert tool.run({"count": 1}, VIEW).notes


def test_every_hook_that_it_has_is_called(plugins: PluginHost, modules: ModuleHost) -> None:
    """Terms, instructions, vetoes, photos and health; the photo crosses as memory."""
    env = modules.env
    assert plugins.find_terms("and P-7?", env) == [Term("tag", "P-7", "question", 4)]
    assert plugins.instructions("", env) == ["Count well."]
    tool = only(plugins.tools(env))
    assert plugins.veto(ToolCall("tally_up", {"count": 13}), tool, VIEW) == Veto("no read tally_up")
    assert plugins.veto(ToolCall("tally_up", {"count": 12}), tool, VIEW) is None
    plugins.after_call(ToolCall("tally_up", {}), FOUND, VIEW)
    pixels = np.full((4, 6, 3), 200, np.uint8)
    seen = plugins.perceive(Photo(pixels, "d1", "a.png"), env)
    assert seen is not None and (seen.size, seen.ms, seen.photo) == ((6, 4), 200.0, "d1")
    with pytest.raises(PhotoError, match="too dark"):
        plugins.perceive(Photo(pixels, "d1", "refuse"), env)
    with pytest.raises(PhotoError, match=r"could not be read: .*SIGABRT"):
        plugins.perceive(Photo(pixels, "d1", "crash"), env)
    own = next(finding for finding in plugins.health(env) if finding.name == "tally")
    assert own.ok and own.text == str(modules.store.state("tally"))
    assert not plugins.troubles


def test_a_swap_brings_other_tools(plugins: PluginHost, modules: ModuleHost) -> None:
    """The generation tells that they have changed; the old tool's name is not called any more."""
    before, old = plugins.generation(), only(plugins.tools(modules.env))
    assert plugins.generation() == before
    modules.swap("tally", "1.1")
    assert plugins.generation() != before
    assert only(plugins.tools(modules.env)).name == "tally_down"
    with pytest.raises(ToolFailed, match="no such tool here"):
        old.run({}, VIEW)


def test_a_module_stands_for_the_plugin_of_its_name(modules: ModuleHost) -> None:
    """The one that is installed is not loaded beside it."""
    same = EntryPoint("tally", "tests.no_such_plugin", PROJECT)
    host = load_plugins(found=[same], remote=remote_plugins(modules))
    assert [tool.name for tool in host.tools(modules.env)] == ["tally_up"]
    off = load_plugins(found=[], remote=remote_plugins(modules), off=("tally",))
    assert off.tools(modules.env) == ()


def test_it_sees_nothing_of_the_box(modules: ModuleHost) -> None:
    """Its settings hold no key, its home is its own folder."""
    secret = RemoteSettings(enabled=True, url="http://10.0.0.5/v1", api_key="s3cret")
    env = replace(modules.env, settings=modules.env.settings.model_copy(update={"remote": secret}))
    packed = pack_env(env, home="/own")
    assert "s3cret" not in str(packed) and packed["home"] == "/own" and packed["box_key"] is None


def test_hooks_that_only_work_here_are_refused(env: Env, tmp_path: Path) -> None:
    """A bundle that adds commands or wants the turn's record says so at its trial, and does not answer."""
    host = ModuleHost(env)
    host.store.install(plugin(tmp_path, more="@hookimpl\ndef register_commands(cli):\n    pass\n"))
    with pytest.raises(SwapFailed, match="register_commands, which a module cannot have"):
        host.swap("tally", "1.0")
    host.close()


def test_a_tool_says_in_its_process_when_it_is_asked_for(env: Env) -> None:
    """Rules of a tool's own cross as a question: the same parts are its in both places."""
    settings = env.settings.model_copy(update={"plugins": env.settings.plugins.model_copy(update={"workers": True})})
    points = [EntryPoint("logs", "plugins.logs", PROJECT)]
    env.log_path.parent.mkdir(parents=True, exist_ok=True)
    source = env.home.folder / "tank.csv"
    source.write_text("time,level\n2024-01-01 00:00,3\n2024-01-01 00:01,4\n", encoding="utf-8")
    import_csv(source, env.log_path, env.settings.logs)
    host = load_plugins(found=points, remote=remote_plugins(ModuleHost(replace(env, settings=settings)), found=points))
    there = {tool.name: tool.asked for tool in host.tools(env)}
    here = {tool.name: tool.asked for tool in load_plugins(found=points).tools(env)}
    assert {name for name, asked in there.items() if asked} == {name for name, asked in here.items() if asked}
    assert len(there) == len(here) and there["recent_events"] is None
    far, near = there["series_statistics"], here["series_statistics"]
    assert far is not None and near is not None
    for part in ("What was the highest level?", "液位最大值是多少?", "What does the lamp mean?"):
        assert far(part) is near(part)
    host.shutdown(env)


@pytest.mark.parametrize("answer", ["yes", 1, None, {"asked": True}])
def test_only_a_plain_yes_claims_a_question(answer: object) -> None:
    """A module that answers anything else than true is not asked; one that breaks is not either."""

    class Odd:
        report: dict[str, object] = {"tools": [], "hooks": []}  # noqa: RUF012

        def call(self, *_: object, **__: object) -> object:
            if answer is None:
                raise CallFailed("it broke", kinds=("ValueError",))
            return SimpleNamespace(value=answer)

    remote = RemotePlugin("odd", lambda: Odd(), about="", seconds=1.0, close=lambda: None)  # type: ignore[arg-type,return-value]
    assert remote.is_asked("tally", "how many?") is False


def test_our_own_plugins_run_in_processes_too(env: Env) -> None:
    """With `plugins.workers` the same tools come from processes; commands stay here; shutdown ends them."""
    settings = env.settings.model_copy(update={"plugins": env.settings.plugins.model_copy(update={"workers": True})})
    apart = replace(env, settings=settings)
    points = [EntryPoint("manuals", "plugins.manuals", PROJECT)]
    remote = remote_plugins(ModuleHost(apart), found=points)
    host, here = load_plugins(found=points, remote=remote), load_plugins(found=points)
    there, local = only(host.tools(apart)), only(here.tools(env))
    kept_here = {name: getattr(local, name) for name in ("function", "parameters", "takes_turn", *_STAY_THERE)}
    assert replace(there, **kept_here) == local
    assert there.specification() == local.specification()
    with pytest.raises(WatchkeeperError) as apart_said:
        there.run({"query": "alarm"}, VIEW)
    with pytest.raises(WatchkeeperError) as here_said:
        local.run({"query": "alarm"}, VIEW)
    assert (type(apart_said.value), str(apart_said.value)) == (type(here_said.value), str(here_said.value))
    assert any(plugin.module.endswith("in a process of its own") for plugin in host.plugins)
    host.shutdown(apart)


def test_values_cross_unchanged() -> None:
    """What is packed and unpacked is what it was."""
    assert unpack_perception(pack_perception(SEEN)) == SEEN
    assert unpack_view(pack_view(VIEW)) == VIEW
    assert unpack_result(pack_result(FOUND)) == FOUND
    tool = Tool("t", "d", (), "write", lambda: FOUND, cues=("c",), examples=("q", ("p", {"a": 1})), needs_photo=True)
    back = unpack_tool(pack_tool(tool))
    assert replace(back, function=tool.function, takes_turn=False) == tool
    with pytest.raises(ToolFailed):
        back.run({}, VIEW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@given(value=JSON)
def test_whatever_comes_back_is_taken_or_refused(value: Any) -> None:
    """A process may send any JSON: it is of the right shape, or the call fails; nothing else happens."""
    for unpack in (unpack_result, unpack_perception, unpack_terms, unpack_findings, unpack_tools_of, unpack_veto):
        try:
            unpack(value)
        except ToolFailed as error:
            assert str(error)


def unpack_tools_of(value: Any) -> object:
    """`unpack_tools` with one argument."""
    return unpack_tools(value, unpack_tool)  # type: ignore[arg-type]


def test_a_fact_is_said_in_both_languages() -> None:
    """A result that would break an answer later is refused now."""
    with pytest.raises(ToolFailed, match="both languages"):
        unpack_result({"notes": [{"en": "only one"}]})
    with pytest.raises(ToolFailed, match="not a result"):
        unpack_result({"records": [{"id": "E1"}]})


def test_a_home_of_its_own_has_no_box_key(tmp_path: Path, modules: ModuleHost) -> None:
    """The state folder is what a module sees as home."""
    assert modules.store.state("tally") != Home(tmp_path).folder


def test_a_conversation_goes_on_with_the_tools_of_the_new_version(modules: ModuleHost, plugins: PluginHost) -> None:
    """Between two questions a plugin is swapped: the agent offers the new version's tool, and it runs."""
    env = modules.env
    ladder = Ladder(["rules"], lambda name: RulesModel())
    agent = Agent(env, plugins, ladder, Trail(env.home.watch_db, busy_seconds=1))
    first = agent.ask("how is the tally?")
    assert [call.tool for call in first.calls] == ["tally_up"] and "asked 1 1.0" in first.answer.text
    modules.swap("tally", "1.1")
    second = agent.ask("how is the tally now?")
    assert [call.tool for call in second.calls] == ["tally_down"] and "asked 1 1.1" in second.answer.text
    agent.close()
