"""What crosses between the agent and a plugin's process, as JSON and back. Both sides check what they take.

A plugin that came as a module may send anything: what is not exactly of these shapes is an error of that call.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from agent import errors
from agent.errors import CallFailed, ToolFailed, WatchkeeperError, WorkerError
from agent.hookspecs import Finding, Veto
from agent.messages import ToolCall
from agent.observation import Observation
from agent.perception import Perception
from agent.photo import Photo
from agent.tools import Example, Parameter, Risk, Tool, TurnView
from agent.values import Json, Said, Term, ToolResult

__all__ = [
    "ToolCaller",
    "pack_call",
    "pack_observation",
    "pack_perception",
    "pack_photo",
    "pack_result",
    "pack_tool",
    "pack_view",
    "raised",
    "unpack_call",
    "unpack_findings",
    "unpack_observation",
    "unpack_perception",
    "unpack_result",
    "unpack_terms",
    "unpack_tool",
    "unpack_tools",
    "unpack_veto",
    "unpack_view",
]

_T = TypeVar("_T")
_RESULT: TypeAdapter[ToolResult] = TypeAdapter(ToolResult)
_PERCEPTION: TypeAdapter[Perception] = TypeAdapter(Perception)
_OBSERVATION: TypeAdapter[Observation] = TypeAdapter(Observation)
_TERMS: TypeAdapter[tuple[Term, ...]] = TypeAdapter(tuple[Term, ...])
_FINDINGS: TypeAdapter[tuple[Finding, ...]] = TypeAdapter(tuple[Finding, ...])
_ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)
_PASSED_ON = frozenset(
    {"ToolFailed", "ToolUnavailable", "ToolDenied", "PhotoError", "DatabaseError", "ManualError", "InputError"}
)
"""Errors that mean the same on both sides."""


class _ParameterShape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z]\w{0,63}$")]
    wanted: Annotated[dict[str, Any], Field(alias="schema")]
    required: bool
    binds: tuple[Annotated[str, StringConstraints(max_length=64)], ...]


class _ToolShape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z]\w{0,63}$")]
    description: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
    risk: Literal["read", "write", "dangerous"]
    parameters: Annotated[tuple[_ParameterShape, ...], Field(max_length=16)]
    cues: Annotated[tuple[str, ...], Field(max_length=200)]
    examples: Annotated[tuple[str | tuple[str, dict[str, Any]], ...], Field(max_length=64)]
    takes_turn: bool
    needs_photo: bool
    reads_back: bool
    decides: bool = False


_TOOLS: TypeAdapter[tuple[_ToolShape, ...]] = TypeAdapter(Annotated[tuple[_ToolShape, ...], Field(max_length=64)])


def pack_view(view: TurnView) -> dict[str, Json]:
    """What a tool may know of the turn."""
    perception = None if view.perception is None else pack_perception(view.perception)
    return {
        "question": view.question, "language": view.language, "now": view.now.isoformat(), "perception": perception,
    }  # fmt: skip


def unpack_view(value: Mapping[str, Any]) -> TurnView:
    """The same on the other side."""
    told = value.get("perception")
    perception = None if told is None else unpack_perception(told)
    return TurnView(value["question"], value["language"], datetime.fromisoformat(value["now"]), perception)


def pack_perception(perception: Perception) -> Json:
    """Without the rounding of `Perception.to_json`."""
    packed: Json = _PERCEPTION.dump_python(perception, mode="json")
    return packed


def unpack_perception(value: Any) -> Perception:
    """The same on the other side.

    :raises ToolFailed: it is none.
    """
    return _checked(_PERCEPTION, value, "a perception")


def pack_observation(observation: Observation) -> Json:
    """What a watch saw."""
    packed: Json = _OBSERVATION.dump_python(observation, mode="json")
    return packed


def unpack_observation(value: Any) -> Observation:
    """The same on the other side.

    :raises ToolFailed: it is none.
    """
    return _checked(_OBSERVATION, value, "an observation")


def pack_photo(photo: Photo) -> dict[str, Json]:
    """What is told of a photo; its pixels cross as memory."""
    return {"digest": photo.digest, "name": photo.name, "width": photo.size[0], "height": photo.size[1]}


def pack_call(call: ToolCall) -> dict[str, Json]:
    """A tool call."""
    return {"tool": call.tool, "arguments": dict(call.arguments), "id": call.id}


def unpack_call(value: Mapping[str, Any]) -> ToolCall:
    """The same on the other side."""
    return ToolCall(value["tool"], value["arguments"], value["id"])


def pack_result(result: ToolResult) -> Json:
    """What a tool found."""
    packed: Json = _RESULT.dump_python(result, mode="json")
    return packed


def unpack_result(value: Any) -> ToolResult:
    """The same on the other side.

    :raises ToolFailed: it is no result, or something in it is not said in both languages.
    """
    result = _checked(_RESULT, value, "a result")
    told: list[Said] = [*(record.line for record in result.records), *result.notes]
    if not all(set(said) == {"zh", "en"} for said in told):
        raise ToolFailed("it gave back something that is not said in both languages")
    return result


def pack_tool(tool: Tool) -> dict[str, Json]:
    """A tool without its function."""
    examples: list[Json] = [one if isinstance(one, str) else [one[0], dict(one[1])] for one in tool.examples]
    return {
        "name": tool.name, "description": tool.description, "risk": tool.risk, "cues": list(tool.cues),
        "examples": examples, "takes_turn": tool.takes_turn, "needs_photo": tool.needs_photo,
        "reads_back": tool.read_back is not None, "decides": tool.asked is not None,
        "parameters": [
            {"name": p.name, "schema": dict(p.schema), "required": p.required, "binds": list(p.binds)}
            for p in tool.parameters
        ],
    }  # fmt: skip


class ToolCaller(Protocol):
    """Where a plugin's tools run."""

    def run_tool(self, tool: str, arguments: Mapping[str, Json], view: TurnView) -> ToolResult:
        """As `Tool.run`."""
        ...

    def look_back(self, tool: str, arguments: Mapping[str, Json]) -> bool | None:
        """As `Tool.look_back`."""
        ...

    def is_asked(self, tool: str, part: str) -> bool:
        """As `Tool.asked`; False where it cannot be told."""
        ...


def unpack_tools(value: Any, caller: ToolCaller) -> tuple[Tool, ...]:
    """The tools that a plugin's process brings. Their arguments are checked there, where the types are.

    :raises ToolFailed: they are none.
    """
    return tuple(_tool(shape, caller) for shape in _checked(_TOOLS, value, "a list of tools"))


def unpack_tool(value: Any) -> Tool:
    """One that is only looked at."""
    return unpack_tools([value], _OnlyLookedAt())[0]


class _OnlyLookedAt:
    def run_tool(self, tool: str, arguments: Mapping[str, Json], view: TurnView) -> ToolResult:
        raise ToolFailed(f"{tool}: is not run here")

    def look_back(self, tool: str, arguments: Mapping[str, Json]) -> bool | None:
        return None

    def is_asked(self, tool: str, part: str) -> bool:
        return False


def unpack_terms(value: Any) -> tuple[Term, ...]:
    """Names that a plugin found.

    :raises ToolFailed: they are none.
    """
    return _checked(_TERMS, value, "a list of terms")


def unpack_findings(value: Any) -> tuple[Finding, ...]:
    """What a plugin says of its health.

    :raises ToolFailed: it is none.
    """
    return _checked(_FINDINGS, value, "a list of findings")


def unpack_veto(value: Any) -> Veto | None:
    """A refusal, or none. What is neither refuses too."""
    if value is None:
        return None
    return Veto(value if isinstance(value, str) else "it gave no reason that can be read")


def raised(where: str, error: WorkerError) -> WatchkeeperError:
    """The error that a failed call is on this side."""
    if isinstance(error, CallFailed):
        known = next((name for name in error.kinds if name in _PASSED_ON), None)
        if known is not None:
            kind: type[WatchkeeperError] = getattr(errors, known)
            return kind(str(error))
        return ToolFailed(f"{where} broke: {error.kinds[0] if error.kinds else 'error'}: {error}")
    return ToolFailed(f"{where}: {error}")


def _tool(shape: _ToolShape, caller: ToolCaller) -> Tool:
    def function(turn: TurnView, **arguments: Json) -> ToolResult:
        return caller.run_tool(shape.name, arguments, turn)

    def read_back(**arguments: Json) -> bool | None:
        return caller.look_back(shape.name, arguments)

    def asked(part: str) -> bool:
        return caller.is_asked(shape.name, part)

    parameters = tuple(Parameter(p.name, p.wanted, p.required, p.binds, _ANYTHING) for p in shape.parameters)
    examples: tuple[Example, ...] = shape.examples
    risk: Risk = shape.risk
    return Tool(
        shape.name, shape.description, parameters, risk, function,
        cues=shape.cues, examples=examples, takes_turn=True, needs_photo=shape.needs_photo,
        read_back=read_back if shape.reads_back else None, asked=asked if shape.decides else None,
    )  # fmt: skip


def _checked(adapter: TypeAdapter[_T], value: Any, what: str) -> _T:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ToolFailed(f"it gave back what is not {what}: {place}: {first['msg']}") from None
    except RecursionError:
        raise ToolFailed(f"it gave back what is not {what}: it is nested without end") from None
