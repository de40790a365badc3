"""A tool call that a program makes: no person's words stand behind it, so whatever changes something needs a person.

The call is a turn of its own in the trail. What reads is run. What would change something is carried out only where a
person has approved exactly this call; else it waits, and the program is told how it is approved.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from agent.approval import call_text
from agent.errors import NeedsPerson, ToolFailed
from agent.messages import ToolCall
from agent.order_run import OrderRunner
from agent.orders import Done, Heard, Order
from agent.prompt import detect_language
from agent.tool_run import ToolRunner
from agent.tools import Tool, TurnView
from agent.turn import Agent
from agent.values import Json, ToolResult, say

__all__ = ["Called", "offered", "run_call"]

_DONE = ("confirmed", "told", "repeated")
_HOW = (
    "{line}\nA person approves it on the page, or with: watchkeeper approvals approve {request} --run; "
    "or approves it without --run, and this call is made again"
)


@dataclass(frozen=True, slots=True)
class Called:
    """What became of a call."""

    result: ToolResult
    text: str = ""
    """What happened, where it is no result of a tool."""
    failed: bool = False
    """Whether it was not done."""


def offered(agent: Agent) -> dict[str, Tool]:
    """Tools that a program can call, by name; those that need a photo belong to a question."""
    return {tool.name: tool for tool in agent.tools if not tool.needs_photo}


def run_call(agent: Agent, name: str, arguments: Mapping[str, Json], *, who: str) -> Called:
    """Make a call.

    :param who: which program, for the trail.
    :raises ToolFailed: no such tool, an argument is wrong, or it could not be done.
    :raises ToolDenied: a plugin refused.
    :raises DatabaseError: `watch.db` cannot be used; nothing was sent.
    """
    tool = offered(agent).get(name)
    if tool is None:
        raise ToolFailed(f"{name[:80]}: no such tool; there are: {', '.join(offered(agent))}")
    tool.check(arguments)
    agent.recover()
    call = ToolCall(name, arguments, "C1")
    turn = uuid.uuid4().hex[:12]
    told = {"question": call_text(name, arguments), "photo": False, "program": who}
    with agent.journal.writing() as pen:
        started = pen.begin("turn", turn, turn=turn, body={}, told=told)
    try:
        called = _run(agent, turn, tool, call)
    except BaseException as error:
        with agent.journal.writing() as pen:
            pen.step(started, "failed", {"error": f"{type(error).__name__}: {error}"})
        raise
    with agent.journal.writing() as pen:
        pen.step(started, "finished", {"turn": turn, "call": call.to_json(), "failed": called.failed})
    return called


def _run(agent: Agent, turn: str, tool: Tool, call: ToolCall) -> Called:
    values = " ".join(str(value) for value in call.arguments.values())
    view = TurnView("", detect_language(values), agent.env.now(), None)
    if tool.actuator is not None:
        return _ordered(agent, turn, tool, call, view)
    problems: list[str] = []
    runner = ToolRunner(agent.plugins, agent.approvals, agent.commands)

    def note(kind: str, body: dict[str, Json]) -> None:
        agent.trail.add(turn, kind, body)

    try:
        return Called(runner.run(turn, tool, call, view, note, problems))
    except NeedsPerson as waits:
        return Called(ToolResult(), str(waits), failed=True)


def _ordered(agent: Agent, turn: str, tool: Tool, call: ToolCall, view: TurnView) -> Called:
    text = call_text(call.tool, call.arguments)
    runner = OrderRunner(agent.plugins, agent.approvals, agent.commands, agent.env.settings.turn)
    order, heard = Order(say(text, text), call), Heard(relayed=True)
    (done,) = runner.run(turn, [order], [tool], view, heard, told={"path": "program"})
    return Called(ToolResult(), _told(done), failed=done.came not in _DONE)


def _told(done: Done) -> str:
    line = done.line["en"]
    return _HOW.format(line=line, request=done.request) if done.request else line
