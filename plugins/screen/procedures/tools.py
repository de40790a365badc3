"""`screen_procedure`: one stage of a procedure. No model calls it; a person asks for a procedure by its name."""

from __future__ import annotations

from agent.api import Json, Tool, ToolResult, tool
from plugins.screen.procedures.actuator import ProcedureActuator
from plugins.screen.procedures.runs import TOOL

__all__ = ["procedure_tool"]


def _never(part: str) -> bool:
    return False


def procedure_tool(actuator: ProcedureActuator) -> Tool:
    """The tool over the procedures of a box."""

    def back(**arguments: Json) -> bool | None:
        return actuator.read_back(arguments)

    @tool(risk="write", asked=_never, read_back=back, actuator=actuator, name=TOOL)
    def screen_procedure(
        procedure: str,
        digest: str,
        run: str,
        stage: int,
        parameters: dict[str, str],
        undo: int = 0,
        before: dict[str, str] = {},  # noqa: B006 - never changed
        does: str = "",
    ) -> ToolResult:
        """Do one step of an approved procedure on its screen, and read what came of it."""
        given: dict[str, Json] = {
            "procedure": procedure, "digest": digest, "run": run, "stage": stage, "parameters": dict(parameters),
            "undo": undo, "before": dict(before), "does": does,
        }  # fmt: skip
        return actuator.run(given)

    return screen_procedure
