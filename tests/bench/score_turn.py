"""`make score-turn`: which tool each part of a question calls, and which quote answers it, rung by rung.

The questions (tests/data/questions.jsonl, ours) are about the sample plant. `tools` names for each part the tools that
answer it; `quotes` the beginning of the right quote, `@text` for a quote that holds a text, `-` where nothing may be
quoted, null where quotes do not matter.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path

from agent.turn import Agent, TurnRecord
from tests.bench.plant import PANEL, plant_agent, plant_env
from tests.bench.table import Row, print_rows, told

QUESTIONS = Path(__file__).parents[1] / "data" / "questions.jsonl"
RUNGS = ("qwen2.5-1.5b", "qwen2.5-0.5b", "rules")


def main() -> None:
    """Score the rungs that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rungs", nargs="+", default=RUNGS)
    parser.add_argument("--show", action="store_true", help="print every part that is not right")
    options = parser.parse_args()
    rows: list[Row] = []
    for rung in options.rungs:
        with tempfile.TemporaryDirectory() as home:
            agent, _ = plant_agent(plant_env(Path(home), model=rung))
            rows += score(agent, rung, show=options.show)
            agent.close()
    print_rows(rows)


def score(agent: Agent, rung: str, *, show: bool) -> list[Row]:
    """Ask everything, count what is right."""
    count: Counter[str] = Counter()
    for line in QUESTIONS.read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        record = agent.ask(asked["question"], photo=PANEL if asked["photo"] else None)
        for i, (tool, quote) in enumerate(zip(asked["tools"], asked["quotes"], strict=True)):
            got_tool, got_quote = said(record, agent, i)
            right = got_tool in tool.split("|")
            tally(count, "tool", right)
            if quote is not None:
                kind = "refused" if quote == "-" else "quote"
                right = matches(got_quote, quote) and right
                tally(count, kind, right)
            if show and not right:
                print(f"{rung}: {asked['question']} [{i}] {got_tool} {got_quote[:60]!r}")
        if len(record.answer.parts) != len(asked["tools"]) and show:
            print(f"{rung}: {asked['question']} has {len(record.answer.parts)} parts")
    return [
        told(f"{rung}: right tool", count["tool right"] / count["tool"]),
        told(f"{rung}: right quote", count["quote right"] / count["quote"]),
        told(f"{rung}: refused what the books do not say", count["refused right"] / count["refused"]),
    ]


def tally(count: Counter[str], kind: str, right: bool) -> None:
    """One more of a kind."""
    count[kind] += 1
    count[f"{kind} right"] += right


def said(record: TurnRecord, agent: Agent, part: int) -> tuple[str, str]:
    """The tool that a part called, and what it quoted."""
    replies = [row.body["text"] for row in agent.trail.rows(turn=record.id) if row.kind == "model_replied"]
    lines: list[str] = replies[0].strip().splitlines() if replies else []
    tool = lines[part].rpartition(" -> ")[2].split("(")[0] if part < len(lines) else ""
    if part >= len(record.answer.parts):
        return tool, ""
    shown = record.answer.parts[part]
    quoted = any(c.startswith("M") for c in shown.citations) and tool == "search_manuals"
    return tool, shown.lines[0] if quoted else ""


def matches(quote: str, wanted: str) -> bool:
    """Whether a quote is the one that is wanted."""
    if wanted == "-":
        return not quote
    return wanted[1:] in quote if wanted.startswith("@") else quote.startswith(wanted)


if __name__ == "__main__":
    main()
