"""Our tools and results as the protocol writes them. Annotations say what is so, and in doubt the worse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mcp_types as types

from agent.mcp.program_calls import Called
from agent.tools import Tool

__all__ = ["ASK", "ASK_TOOL", "called_result", "refused_result", "tool_of", "turn_result"]

ASK = "ask"
ASK_TOOL = types.Tool(
    name=ASK,
    title="Ask Watchkeeper",
    description=(
        "Ask about a machine panel (with a photo), the alarm log or the manuals, in Chinese or English. The answer "
        "names its sources. An order in the question is not carried out: it waits for a person's approval."
    ),
    input_schema={
        "type": "object",
        "properties": {
            "question": {"type": "string"},
            "photo": {"type": "string", "description": "A JPEG, PNG, WebP or HEIC file as base64."},
        },
        "required": ["question"],
        "additionalProperties": False,
    },
    annotations=types.ToolAnnotations(
        title="Ask Watchkeeper", read_only_hint=False, destructive_hint=False, idempotent_hint=False,
        open_world_hint=False,
    ),
)  # fmt: skip


def tool_of(tool: Tool) -> types.Tool:
    """A tool of this box."""
    told: Any = tool.specification()
    reads = tool.risk == "read"
    description = tool.description
    if not reads:
        description += " Needs a person's approval of exactly this call: without it, it is refused and waits for one."
    return types.Tool(
        name=tool.name,
        description=description,
        input_schema={**told["function"]["parameters"], "additionalProperties": False},
        annotations=types.ToolAnnotations(
            read_only_hint=reads,
            destructive_hint=not reads,
            idempotent_hint=reads,
            open_world_hint=not reads,
        ),
    )


def called_result(called: Called) -> types.CallToolResult:
    """What became of a call, as text for a model and as values for a program."""
    result = called.result
    lines = [note["en"] for note in result.notes]
    lines += [f"[{record.id}] {record.line['en']}" for record in result.records]
    lines += [f"[{passage.citation}] {passage.path or passage.heading}\n{passage.text}" for passage in result.passages]
    text = called.text or "\n".join(lines) or "nothing was found"
    told: dict[str, Any] = {
        "notes": [dict(note) for note in result.notes],
        "records": [{"id": one.id, "line": dict(one.line), "fields": dict(one.fields)} for one in result.records],
        "passages": [
            {"citation": one.citation, "title": one.title, "heading": one.heading, "text": one.text}
            for one in result.passages
        ],
        "truncated": result.truncated,
    }
    return _result(text, told, failed=called.failed)


def turn_result(answer: Mapping[str, Any]) -> types.CallToolResult:
    """An answer to a question."""
    told = {name: answer[name] for name in ("turn", "answer", "citations", "rung")}
    return _result(str(answer["answer"]), told | {"actions": list(answer.get("done", ()))}, failed=False)


def refused_result(told: str) -> types.CallToolResult:
    """Why there is nothing; the model reads it."""
    return _result(told, None, failed=True)


def _result(text: str, told: object, *, failed: bool) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content=told, is_error=failed
    )
