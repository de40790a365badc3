"""Calls of any program's functions: our evidence-bound calls against the same model's plain constrained JSON.

The questions are those of the Berkeley Function Calling Leaderboard that lie in a folder laid out as
`tool_calling/` (one turn each: simple, multiple, parallel, parallel and multiple, irrelevance). A question is right
when every call is one of the possible answers, and none is missing: names, arguments and values, as the board has it.

    python -m tests.bench.bfcl [FOLDER] [--every N] [--model NAME] [--only ours|json] [--show]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from agent.any_tools import AnyFunction, ask_for_calls
from agent.bound import SchemaBound
from agent.errors import BadReply
from agent.messages import Message, ToolCall
from agent.model.protocol import Model, ReplyLimits
from agent.said_request import Said
from agent.values import Json
from tests.bench.bfcl_check import calls_right, json_schema
from tests.bench.score_commands_model import open_model
from tests.bench.table import Row, print_rows, told

__all__ = ["GROUPS", "WAYS", "Question", "bfcl_rows", "questions_in"]

SHARED = Path(__file__).parents[3] / "shared" / "data" / "tool_calling"
GROUPS = {
    "simple_python": "simple",
    "multiple": "multiple",
    "parallel": "parallel",
    "parallel_multiple": "parallel",
    "irrelevance": "irrelevance",
}
"""Our rows, by the file."""
TODAY = date(2024, 1, 1)
"""The board's questions do not say when they are asked."""
MOST_CALLS = 8
REPLY_TOKENS = 400
_PLAIN = """You are given functions, and a request. Reply with a JSON array of the calls that the request needs, each as
{"name": function, "arguments": {argument: value}}. If no function fits, reply with an empty array: []
Functions:
"""


@dataclass(frozen=True, slots=True)
class Question:
    """One of the board's."""

    group: str
    request: str
    functions: tuple[AnyFunction, ...]
    answer: Sequence[Mapping[str, Any]]
    """Possible calls; empty: none may be made."""


def questions_in(folder: Path, every: int = 1) -> list[Question]:
    """Of each group, each so-manieth; what the folder lacks is left out."""
    found = []
    for name, group in GROUPS.items():
        path = folder / f"BFCL_v4_{name}.json"
        if not path.is_file():
            continue
        answers = {line["id"]: line["ground_truth"] for line in _lines(folder / "possible_answer" / path.name)}
        for line in _lines(path)[::every]:
            functions = tuple(
                AnyFunction(f["name"], f.get("description", ""), json_schema(f["parameters"])) for f in line["function"]
            )
            request = "\n".join(message["content"] for message in line["question"][0] if message["role"] == "user")
            found.append(Question(group, request, functions, answers.get(line["id"], ())))
    return found


def ours(model: Model, question: Question) -> Sequence[ToolCall]:
    """Bound to the words of the request."""
    said = Said(question.request, TODAY)
    limits = ReplyLimits(max_tokens=REPLY_TOKENS)
    return ask_for_calls(model, question.functions, said, limits=limits, most_calls=MOST_CALLS)[0]


def plain_json(model: Model, question: Question) -> Sequence[ToolCall]:
    """The same model, bound to the functions' own schemas and nothing else."""
    listed = "\n".join(
        json.dumps({"name": f.name, "description": f.description, "parameters": f.parameters}, ensure_ascii=False)
        for f in question.functions
    )
    calls: list[Json] = [
        {
            "type": "object",
            "properties": {"name": {"const": f.name}, "arguments": {"additionalProperties": False, **f.parameters}},
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for f in question.functions
    ]
    bound = SchemaBound({"type": "array", "items": {"anyOf": calls}, "maxItems": MOST_CALLS})
    messages = [Message("system", _PLAIN + listed), Message("user", question.request)]
    reply = model.reply(messages, (), bound=bound, limits=ReplyLimits(max_tokens=REPLY_TOKENS))
    parsed: Any = bound.parse(reply.text)
    return [ToolCall(call["name"], call["arguments"]) for call in parsed] if isinstance(parsed, list) else []


WAYS: Mapping[str, Callable[[Model, Question], Sequence[ToolCall]]] = {"ours": ours, "plain JSON": plain_json}


def bfcl_rows(
    questions: Sequence[Question],
    model: Model,
    ways: Mapping[str, Callable[[Model, Question], Sequence[ToolCall]]],
    *,
    show: bool = False,
    seconds: float = float("inf"),
) -> tuple[list[Row], dict[str, float]]:
    """Each way's share of right answers, group by group and overall.

    :param seconds: after which no more questions are asked; both ways are asked each one, so that they compare.
    """
    right: dict[tuple[str, str], list[bool]] = {}
    began = time.monotonic()
    for question in _interleaved(questions):
        if time.monotonic() - began > seconds:
            break
        for way, ask in ways.items():
            try:
                calls = ask(model, question)
            except BadReply as error:
                calls = [ToolCall(f"no reply: {error}", {})]
            good = calls_right(calls, question.answer, {f.name: f.parameters for f in question.functions})
            right.setdefault((way, question.group), []).append(good)
            if show and not good:
                made = [f"{c.tool}({json.dumps(dict(c.arguments), ensure_ascii=False)})" for c in calls]
                print(f"{way} {question.group}: {question.request[:200]!r}\n   {made}\n   {question.answer}")
    rows, overall = [], {}
    for way in ways:
        for group in dict.fromkeys(GROUPS.values()):
            if found := right.get((way, group)):
                rows.append(told(f"tool calls, {way}: {group} ({len(found)})", sum(found) / len(found)))
        every = [good for (made, _), found in right.items() if made == way for good in found]
        overall[way] = sum(every) / len(every) if every else 0.0
        rows.append(told(f"tool calls, {way}: overall ({len(every)})", overall[way]))
    return rows, overall


def _interleaved(questions: Sequence[Question]) -> list[Question]:
    """So that a run that ends early has asked of every group its share."""
    groups: dict[str, list[Question]] = {}
    for question in questions:
        groups.setdefault(question.group, []).append(question)
    place = [(i / len(found), question) for found in groups.values() for i, question in enumerate(found)]
    return [question for _, question in sorted(place, key=lambda p: p[0])]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []


def main() -> None:
    """Score one model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=SHARED)
    parser.add_argument("--every", type=int, default=1, help="ask only each so-manieth question of a group")
    parser.add_argument("--skip", type=int, default=0, help="leave out so many of them first")
    parser.add_argument("--model", default="qwen2.5-1.5b")
    parser.add_argument("--only", choices=("ours", "json"))
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    ways = {name: way for name, way in WAYS.items() if options.only in (None, name.split()[-1].lower())}
    with tempfile.TemporaryDirectory() as home, open_model(options.model, Path(home)) as model:
        questions = questions_in(options.folder)[options.skip :: options.every]
        rows, _ = bfcl_rows(questions, model, ways, show=options.show, seconds=options.seconds)
    print_rows(rows)


if __name__ == "__main__":
    main()
