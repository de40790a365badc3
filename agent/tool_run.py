"""One tool call, from the model's wish to its result: the trail has it before and after.

A tool that reads just runs. Every other one runs only where a person approved exactly this call: the approval is used
up, and the command marked as being sent, in one transaction before the tool is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent.approval import Approvals, Request, call_text
from agent.device_commands import DeviceCommands
from agent.errors import InputError, NeedsPerson, SeenByModel, ToolDenied, ToolFailed, ToolUnavailable, WatchkeeperError
from agent.journal import Entry, Journal
from agent.messages import ToolCall
from agent.plugin_host import PluginHost
from agent.tools import Tool, TurnView
from agent.values import Json, ToolResult, say

__all__ = ["ToolRunner", "read_back_with", "run_guarded"]

_NOT_READ_BACK = say(
    "已发出,但没有回读确认,请到现场查看。", "It was sent and not confirmed by reading back; look at the device."
)


class ToolRunner:
    """Runs the calls of turns."""

    def __init__(self, plugins: PluginHost, approvals: Approvals, commands: DeviceCommands) -> None:
        self._plugins = plugins
        self._approvals = approvals
        self._commands = commands
        self._journal: Journal = commands.journal

    def run(
        self,
        turn: str,
        tool: Tool,
        call: ToolCall,
        view: TurnView,
        note: Callable[[str, dict[str, Any]], None],
        problems: list[str],
    ) -> ToolResult:
        """Run a call: veto, approval, function.

        :raises ToolDenied: a plugin refused.
        :raises NeedsPerson: it is not a reading tool, and nobody has approved it; nothing here may do so in a
            person's place.
        :raises ToolFailed: it could not.
        """
        note("tool_called", {"id": call.id, **call.to_json()})
        try:
            veto = self._plugins.veto(call, tool, view)
            if veto:
                raise ToolDenied(veto.reason)
            if tool.risk == "read":
                result = run_guarded(tool, call, view, problems)
            else:
                result = self._run_approved(turn, tool, call, view, problems)
        except WatchkeeperError as error:
            note("tool_failed", {"id": call.id, "error": str(error)})
            raise
        cited = [r.id for r in result.records] + [p.citation for p in result.passages]
        note("tool_returned", {"id": call.id, "cited": cited, "notes": [n["en"] for n in result.notes]})
        self._plugins.after_call(call, result, view)
        return result

    def _run_approved(self, turn: str, tool: Tool, call: ToolCall, view: TurnView, problems: list[str]) -> ToolResult:
        tool.check(call.arguments)  # what cannot be a call is nothing to approve
        command, request = self._begin(turn, call)
        if command is None:
            raise _needs_person(call, request)
        command, result = self._commands.carry_out(
            command, lambda: run_guarded(tool, call, view, problems), read_back_with([tool])
        )
        if command.state == "failed":
            raise ToolFailed(f"{call.tool} was sent, and reading back shows that it was not done; look at the device")
        if command.state == "unsure":
            return replace(result, notes=(*result.notes, _NOT_READ_BACK))
        return result

    def _begin(self, turn: str, call: ToolCall) -> tuple[Entry | None, Request | None]:
        """In one transaction: the approval is used up and the command being sent, or a person is asked."""
        with self._journal.writing() as pen:
            approval = self._approvals.take(pen, call.tool, call.arguments)
            if approval is not None and pen.entry("command", approval.id) is not None:
                raise ToolDenied(f"{call.tool}: approval {approval.id} was used before; ask anew")
            if approval is None or approval.span is None:
                return None, self._approvals.ask(pen, turn, call.tool, call.arguments)
            command = self._commands.plan(
                pen, approval.id, turn=turn, tool=call.tool, arguments=call.arguments, span=approval.span
            )
            command = self._commands.approve(pen, command, person=approval.person)
            return self._commands.start(pen, command), None


def read_back_with(tools: Sequence[Tool]) -> Callable[[Entry], bool | None]:
    """What reads back commands of these tools; of another tool's, nothing can be told."""
    by_name = {tool.name: tool for tool in tools}

    def read_back(entry: Entry) -> bool | None:
        tool = by_name.get(str(entry.body.get("tool")))
        arguments: Mapping[str, Json] = entry.body.get("arguments") or {}
        return None if tool is None else tool.look_back(arguments)

    return read_back


def _needs_person(call: ToolCall, request: Request | None) -> NeedsPerson:
    if request is None:  # the approval has no end, which none that was given here has
        return NeedsPerson(f"{call.tool}: its approval is not valid; ask anew")
    return NeedsPerson(
        f"{call_text(call.tool, call.arguments)} changes something and waits for a person's approval until "
        f"{request.until.astimezone():%Y-%m-%d %H:%M}: watchkeeper approvals approve {request.id}, then ask again"
    )


def run_guarded(tool: Tool, call: ToolCall, view: TurnView, problems: list[str]) -> ToolResult:
    """Run it: a tool that raises anything has failed; what a person can put right is kept for the end of the turn."""
    try:
        return tool.run(call.arguments, view)
    except SeenByModel:
        raise
    except InputError as error:
        problems.append(str(error))
        raise ToolUnavailable(str(error)) from error
    except Exception as error:
        raise ToolFailed(f"{call.tool} broke: {type(error).__name__}: {error}") from error
