"""A tool is a typed function: its schema comes from the signature and the docstring.

    @tool(risk="read", cues=("类似", "similar"))
    def similar_events(turn: TurnView, like: Annotated[str, Binds("alarm", "tag")], period: …) -> ToolResult:
        '''Earlier events like this one.'''

A first parameter called `turn` is given by the loop and hidden from the model. `Binds` names the kinds of evidence an
argument may be taken from: the grammar of the turn then holds only values that occur there (`agent.evidence`).
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from agent.actuator import Actuator, Risk
from agent.errors import ToolFailed
from agent.perception import Perception
from agent.values import Json, Language, ToolResult

__all__ = ["Binds", "Choice", "Example", "Parameter", "Risk", "Tool", "TurnView", "tool"]

Example = str | tuple[str, Mapping[str, Json]]
"""A question, and the arguments that show what it differs from another one in."""


class Binds:
    """Marks an argument as taken from evidence of these kinds; see `agent.values.Term.kind`."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = kinds


@dataclass(frozen=True, slots=True)
class TurnView:
    """What a tool may know of the turn it runs in."""

    question: str
    language: Language
    now: datetime
    """Local time of the plant, with its offset; naive where the log's times are."""
    perception: Perception | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument."""

    name: str
    schema: Mapping[str, Json]
    """JSON schema, without the name."""
    required: bool
    binds: tuple[str, ...]
    """Kinds of evidence; empty: anything the schema admits."""
    adapter: TypeAdapter[Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a model is asked about a part of a question where a tool's own rules are not sure."""

    parameter: str
    """The tool's argument that the answer is for."""
    task: str
    """What is told first; it and `shown` never change, so that a model has them read already."""
    shown: tuple[tuple[str, str], ...]
    """Things said and their answers, as turns of a conversation."""
    said: str
    options: Mapping[str, str]
    """An answer → the argument's value."""
    none: str
    """The answer for none of them."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something the model can call."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    risk: Risk
    function: Callable[..., ToolResult]
    cues: tuple[str, ...] = ()
    """Words in a question for which the rules rung calls it; a model does not see them."""
    examples: tuple[Example, ...] = ()
    """Questions for which it is the right tool. A small model chooses far better by example than by description."""
    plugin: str = ""
    takes_turn: bool = False
    needs_photo: bool = False
    """Offered only when the turn has a photo that was read."""
    read_back: Callable[..., bool | None] | None = None
    """Whether what a call with these arguments ordered is so by now; None where it cannot be told. Changes nothing."""
    asked: Callable[[str], bool] | None = None
    """Whether a part of a question (with the part before it, where it says little) asks for this tool and no other, by
    rules of the tool's own. Such a tool is offered where that is so, then alone, and never else: it costs the model no
    choice and the prompt no line.
    """
    choice: Callable[[str], Choice | None] | None = None
    """What a model has to choose for a part of a question before this tool is called for it; None where nothing. A
    tool that is not `asked` for otherwise is called only where one of the options is chosen."""
    closeness: Callable[[str, Sequence[str]], Sequence[float] | None] | None = None
    """How close in meaning texts of its passages are to a question, 0 to 1 each; None where it cannot tell. A tool
    that finds passages by an encoder says so here, and the quote that answers is chosen by it too."""
    said_share: Callable[[str, str, Language], float] | None = None
    """(question, text, its language) → how much of what the question names a text says, 0 to 1; a quote that lacks it
    answers something else."""
    actuator: Actuator | None = None
    """What is known of calls that move something, call by call; None: `risk` is true of every call."""

    def specification(self) -> dict[str, Json]:
        """Name, description and parameters as OpenAI and Qwen write them."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": {
                    "type": "object",
                    "properties": {p.name: dict(p.schema) for p in self.parameters},
                    "required": [p.name for p in self.parameters if p.required],
                },
            },
        }

    def run(self, arguments: Mapping[str, Json], view: TurnView) -> ToolResult:
        """Check the arguments and call the function.

        :raises ToolFailed: an argument is missing, unknown or of the wrong kind; or the tool could not do it.
        """
        checked = self.check(arguments)
        return self.function(view, **checked) if self.takes_turn else self.function(**checked)

    def risk_of(self, arguments: Mapping[str, Json]) -> Risk:
        """Of exactly this call; never less than reading, and of what an actuator cannot tell, dangerous."""
        if self.risk == "read" or self.actuator is None:
            return self.risk
        return "dangerous" if self.risk == "dangerous" else self.actuator.risk(arguments)

    def look_back(self, arguments: Mapping[str, Json]) -> bool | None:
        """Whether what a call ordered is so by now; None where the tool cannot tell.

        :raises ToolFailed: as `run`.
        """
        return None if self.read_back is None else self.read_back(**self.check(arguments))

    def check(self, arguments: Mapping[str, Json]) -> dict[str, Any]:
        """The arguments as the function takes them.

        :raises ToolFailed: one is missing, unknown or of the wrong kind.
        """
        known = {p.name: p for p in self.parameters}
        unknown = sorted(set(arguments) - set(known))
        if unknown:
            raise ToolFailed(f"{self.name}: unknown argument {unknown[0]}; it takes {', '.join(known) or 'none'}")
        checked: dict[str, Any] = {}
        for name, parameter in known.items():
            if name in arguments:
                checked[name] = self._check(parameter, arguments[name])
            elif parameter.required:
                raise ToolFailed(f"{self.name}: argument {name} is missing")
        return checked

    def _check(self, parameter: Parameter, value: Json) -> Any:
        try:
            return parameter.adapter.validate_python(value, strict=True)
        except ValidationError as error:
            raise ToolFailed(f"{self.name}: argument {parameter.name}: {error.errors()[0]['msg']}") from None


def tool(
    *,
    risk: Risk,
    cues: tuple[str, ...] = (),
    examples: tuple[Example, ...] = (),
    needs_photo: bool = False,
    name: str = "",
    read_back: Callable[..., bool | None] | None = None,
    asked: Callable[[str], bool] | None = None,
    choice: Callable[[str], Choice | None] | None = None,
    closeness: Callable[[str, Sequence[str]], Sequence[float] | None] | None = None,
    said_share: Callable[[str, str, Language], float] | None = None,
    actuator: Actuator | None = None,
) -> Callable[[Callable[..., ToolResult]], Tool]:
    """Make a `Tool` of a function (or of a bound method).

    :raises TypeError: a parameter without annotation, or a function without docstring.
    """

    def make(function: Callable[..., ToolResult]) -> Tool:
        made = _from_function(function, name or function.__name__)
        return replace(
            made,
            risk=risk,
            cues=cues,
            examples=examples,
            needs_photo=needs_photo,
            read_back=read_back,
            asked=asked,
            choice=choice,
            closeness=closeness,
            said_share=said_share,
            actuator=actuator,
        )

    return make


def _from_function(function: Callable[..., ToolResult], title: str) -> Tool:
    description = inspect.getdoc(function)
    if not description:
        raise TypeError(f"tool {title} has no docstring, and the model reads that")
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = []
    takes_turn = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "turn":
            takes_turn = True
            continue
        if parameter.name not in hints:
            raise TypeError(f"tool {title}: parameter {parameter.name} has no annotation")
        parameters.append(_parameter(parameter, hints[parameter.name]))
    return Tool(title, description, tuple(parameters), "dangerous", function, takes_turn=takes_turn)


def _parameter(parameter: inspect.Parameter, hint: Any) -> Parameter:
    binds: tuple[str, ...] = ()
    if typing.get_origin(hint) is Annotated:
        for mark in typing.get_args(hint)[1:]:
            if isinstance(mark, Binds):
                binds = mark.kinds
    adapter: TypeAdapter[Any] = TypeAdapter(hint)
    schema = {k: v for k, v in adapter.json_schema().items() if k != "title"}
    required = parameter.default is inspect.Parameter.empty
    return Parameter(parameter.name, schema, required, binds, adapter)
