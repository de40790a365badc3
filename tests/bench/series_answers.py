"""The series half of `make score-answers`: questions about signals and alarms asked through the whole agent.

A folder laid out as `timeseries/` has `qa.jsonl` with `file`, `question_en`, `question_zh`, `answer`, `tol`. Each
file is imported into a home of its own, as a person would. An answer is right when everything expected stands in it:
numbers within the tolerance (without one, as rounded as they are given), instants, names.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from agent.claims import numbers_in
from agent.messages import ToolCall
from agent.tools import TurnView
from agent.turn import Agent, TurnRecord
from agent.values import ToolResult
from tests.bench.series_questions import REFUSED, Asked
from tests.bench.signal_facts import Fact
from tests.bench.table import Row, at_least, at_most, told

__all__ = ["AgentFactory", "Watched", "asked_in", "holds", "invented", "score", "series_rows"]

AgentFactory = Callable[[Path], Agent]
"""An agent in a fresh home whose log holds one file."""
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2})?)?")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def asked_in(folder: Path) -> list[Asked]:
    """The questions of a folder, in both languages."""
    found = []
    for line in (folder / "qa.jsonl").read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        for key in ("question_en", "question_zh"):
            if one.get(key):
                found.append(Asked(folder / one["file"], one[key], one["answer"], one.get("tol")))
    return found


def series_rows(folder: Path, agent_factory: AgentFactory, *, show: bool = False) -> list[Row]:
    """Ask the questions of a folder."""
    return score(asked_in(folder), agent_factory, "series and alarms", show=show)


def score(asked: Iterable[Asked], agent_factory: AgentFactory, name: str, *, show: bool = False) -> list[Row]:
    """Ask all, count what is right and what is said without evidence."""
    count: Counter[str] = Counter()
    for file, questions in groupby(sorted(asked, key=lambda a: str(a.file)), key=lambda a: a.file):
        agent = agent_factory(file)
        watched = Watched(agent)
        for one in questions:
            watched.texts.clear()
            record = agent.ask(one.question)
            told_figures = bool(numbers_in(" ".join(watched.texts)) - numbers_in(one.question))
            right = not told_figures if one.answer == REFUSED else holds(record.answer.text, one.answer, one.tolerance)
            stray = invented(record, watched.texts)
            count["all"] += 1
            count["right"] += right
            count["wrong"] += not right and told_figures
            count["stray"] += len(stray)
            if show and (not right or stray):
                lines = " | ".join(line for part in record.answer.parts for line in part.lines)
                print(f"{file.name}: {one.question}\n   wanted {one.answer}, stray {sorted(stray)}\n   {lines[:400]}")
        agent.close()
    return [
        at_least(f"{name}: right of {count['all']}", count["right"] / max(1, count["all"]), 0.95),
        told(f"{name}: another thing told (the rest is refused)", count["wrong"]),
        at_most(f"{name}: numbers in no evidence", count["stray"], 0),
    ]


def holds(text: str, answer: object, tolerance: float | None) -> bool:
    """Whether everything expected stands in a text."""
    if isinstance(answer, Fact):
        return any(_holds_spelling(text, one, answer.share) for one in answer.spellings)
    if isinstance(answer, Mapping):
        return all(holds(text, value, tolerance) for value in answer.values())
    if isinstance(answer, list | tuple):
        return all(holds(text, value, tolerance) for value in answer)
    if isinstance(answer, bool) or answer is None:
        return str(answer).casefold() in text.casefold()
    if isinstance(answer, int | float):
        return _holds_number(text, float(answer), _margin(answer, tolerance))
    if _STAMP.fullmatch(str(answer)):
        return any(_same_instant(str(answer), said) for said in _STAMP.findall(text))
    return str(answer).casefold() in text.casefold()


def _holds_spelling(text: str, one: object, share: float) -> bool:
    return holds(text, one, share * abs(one) if isinstance(one, float) else None)


def invented(record: TurnRecord, evidence: Iterable[str]) -> set[str]:
    """Numbers of an answer that stand neither in the question nor in what the tools returned."""
    known: set[str] = set().union(*(numbers_in(text) for text in (record.question, *evidence)))
    return {number for part in record.answer.parts for line in part.lines for number in numbers_in(line)} - known


class Watched:
    """What the tools returned to an agent, as texts."""

    def __init__(self, agent: Agent) -> None:
        self.texts: list[str] = []
        host = agent.plugins
        told = host.after_call

        def after_call(call: ToolCall, result: ToolResult, view: TurnView) -> Any:
            said = [*result.notes, *(record.line for record in result.records)]
            self.texts += [text for one in said for text in one.values()]
            self.texts += [record.id for record in result.records]
            self.texts += [f"{passage.citation} {passage.heading} {passage.text}" for passage in result.passages]
            return told(call, result, view)

        setattr(host, "after_call", after_call)  # noqa: B010 - a method of this one host


def _margin(answer: float, tolerance: float | None) -> float:
    if tolerance is not None:
        return tolerance
    digits = len(str(answer).partition(".")[2]) if isinstance(answer, float) and "e" not in str(answer) else 0
    return 0.5 * 10**-digits * 1.01 if digits else 1e-9


def _holds_number(text: str, wanted: float, margin: float) -> bool:
    plain = _STAMP.sub(" ", text)
    return any(abs(float(found) - wanted) <= margin for found in _NUMBER.findall(plain.replace(",", "")))


def _same_instant(wanted: str, said: str) -> bool:
    """To the precision of the coarser one; seconds that are zero may be left out."""
    if wanted.endswith(":00") and len(said) == 16:
        wanted = wanted[:16]
    return said.replace("T", " ").startswith(wanted.replace("T", " "))
