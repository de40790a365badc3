"""`make score-commands [DATA=FOLDER]`: commands understood, devices moved, tool calls of any program.

`DATA` is laid out as the public sets are (`en.jsonl`, `zh.jsonl`, `assist_en.jsonl`, `assist_homes.json`); by default
the folder of material beside the repository, else the copy in tests/data/commands. What a folder lacks is left out.
The compound set is always ours. With a model, some of the same sentences go through plain constrained JSON too, and
the questions of the Berkeley Function Calling Leaderboard (`../tool_calling`) through both ways of calling tools.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from agent.model.protocol import Model
from tests.bench.bfcl import WAYS, bfcl_rows, questions_in
from tests.bench.score_commands_json import json_rows
from tests.bench.score_commands_model import open_model
from tests.bench.score_commands_reader import SentenceReader
from tests.bench.score_commands_sets import Case, assist_cases, compound_cases, judge, ohf_cases
from tests.bench.score_commands_wire import wire_rows
from tests.bench.score_commands_wishes import wish_rows
from tests.bench.table import Row, at_least, at_most, print_rows, told

SHARED = Path(__file__).parents[3] / "shared" / "data" / "commands"
COPY = Path(__file__).parents[1] / "data" / "commands"
LEAST = {"ohf": 0.93, "assist": 0.9, "compound": 0.9}
NAMES = {"ohf": "OHF intents", "assist": "assist: state changes", "compound": "compound (ours)"}
BEAT = 0.1
"""By how much evidence-bound calls have to be better than plain JSON."""
MOST_MS = 30.0
READ_PERCENTILE = 0.95


def main() -> None:
    """Score the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=SHARED if SHARED.is_dir() else COPY)
    parser.add_argument("--model", default="qwen2.5-1.5b", help="for what needs one; none: rules alone")
    parser.add_argument("--json-lines", type=int, default=8, help="sentences of each set through plain JSON")
    parser.add_argument("--calls-seconds", type=float, default=240.0, help="for tool calls of any program; 0 is all")
    parser.add_argument("--half", default="", help="of the compound set: dev or held")
    parser.add_argument("--show", action="store_true", help="print what is not right")
    options = parser.parse_args()
    cases = cases_in(options.data, options.half)
    rows = command_rows(cases, show=options.show)
    if not options.half:
        rows += wire_rows()
    if options.model != "none":
        with tempfile.TemporaryDirectory() as home, open_model(options.model, Path(home)) as model:
            rows += wish_rows(model, show=options.show)
            rows += json_rows(model, cases, options.json_lines)
            rows += _call_rows(model, options.data.parent / "tool_calling", options.calls_seconds, show=options.show)
    print_rows(rows, data=str(options.data), model=options.model)


def cases_in(folder: Path, half: str = "") -> list[Case]:
    """All lines of all sets."""
    found = [case for language in ("zh", "en") for case in ohf_cases(folder, language)]
    for path in sorted(folder.glob("assist_??.jsonl")):
        found += assist_cases(folder, path.stem[-2:])
    return found + compound_cases(half)


def command_rows(cases: Sequence[Case], *, show: bool = False) -> list[Row]:
    """What the reader makes of them."""
    reader = SentenceReader()
    right: dict[tuple[str, str], list[bool]] = {}
    wrong, exactly_wrong, took = [], [], []
    for case in cases:
        read = reader.read(case)
        took.append(read.milliseconds)
        verdict = judge(case, read.understood, read.devices)
        right.setdefault((case.kind, case.group), []).append(verdict.right)
        wrong += [(case, device) for device in verdict.wrong]
        free = {w.device for i in read.understood.intents if i.exact and i.problem is None for w in i.writes}
        exactly_wrong += [(case, device) for device in verdict.wrong if device in free]
        if show and not verdict.right:
            print(f"{case.kind} {case.group}: {case.text}\n   {verdict.said}\n   wanted {_wanted(case)}")
        if show and verdict.wrong:
            print(f"   WRONG DEVICE: {', '.join(verdict.wrong)}")
    rows = _shares(right)
    rows.append(at_most("wrong device moved", len(exactly_wrong), 0))
    rows.append(
        told(
            "wrong device proposed to a person",
            len({c.text for c, _ in wrong}) - len({c.text for c, _ in exactly_wrong}),
        )
    )
    took.sort()
    rows.append(
        at_most("reading a command, p95 ms", took[min(len(took) - 1, int(READ_PERCENTILE * len(took)))], MOST_MS)
    )
    return rows


def _shares(right: dict[tuple[str, str], list[bool]]) -> list[Row]:
    """Of each group; ours by language as well as together."""
    rows = [
        at_least(f"{NAMES[kind]}, {group} ({len(found)})", sum(found) / len(found), LEAST[kind])
        for (kind, group), found in right.items()
    ]
    ours = [good for (kind, _), found in right.items() if kind == "compound" for good in found]
    if ours:
        rows.append(at_least(f"compound (ours), all ({len(ours)})", sum(ours) / len(ours), LEAST["compound"]))
    return rows


def _call_rows(model: Model, folder: Path, seconds: float, *, show: bool) -> list[Row]:
    questions = questions_in(folder)
    if not questions:
        return []
    rows, overall = bfcl_rows(questions, model, WAYS, show=show, seconds=seconds or float("inf"))
    ours, plain = (overall[name] for name in WAYS)
    return [*rows, at_least("tool calls: better than plain JSON by", ours - plain, BEAT)]


def _wanted(case: Case) -> object:
    line = case.line
    if case.kind == "ohf":
        return line["intent"], line["slots"]
    return line.get("expect_changes") if case.kind == "assist" else (line["expect"], line.get("intents", ""))


if __name__ == "__main__":
    main()
