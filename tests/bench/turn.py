"""`make bench-turn`: what a turn costs, and the same questions through llama-cpp-python's own chat completion.

Each side is a process of its own (`turn_ours`, `turn_peer`) on the same sample plant, weights, threads and context;
they take turns, so that what else the machine does falls on both. Figures are medians.

warm                the model is loaded and has read what never changes, the reader is loaded; the photo was not read
                    before, and the question and its panel lines are not in the model's memory
second question     the same photo and conversation
neither             everything of a turn that is neither model nor OCR: decoding the photo, tools, trail, grammar, text
model and tools     what is compared with the peer, which gets the panel lines and pays for no OCR
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from agent.weights.store import WeightStore
from tests.bench.children import Child
from tests.bench.plant import EXAMPLE, plant_env
from tests.bench.table import Row, at_least, at_most, print_rows, told

MODEL = "qwen2.5-1.5b"
READERS = ("ocr-small", "ocr-tiny")
CHINESE = "循环变频故障这个报警灯代表什么?最近三天有没有类似记录?该怎么处理?"
SECOND = "补水变频故障呢,最近一个月发生了几次?"
ENGLISH = (
    "What does the alarm lamp 循环变频故障 mean? Were there similar records in the last three days? "
    "What should be done?"
)
ALARM, DAYS, SECTION = "循环变频故障", 3, "6.2"
"""What the demo question asks about, and the section of the manual that says what to do."""
PEER_SECONDS = 120.0
"""Of all turns of the peer together; after that none is repeated."""
MAX_SECONDS, MAX_SECOND_SHARE, MAX_NEITHER_MS, MAX_BYTES, MIN_TIMES_FASTER = 6.0, 0.6, 100.0, 2.2e9, 2.0

Turn = dict[str, Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--show", action="store_true", help="print what was said, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        env = plant_env(Path(home), model=MODEL)
    require_weights(env.weights)
    with Child("tests.bench.turn_ours", MODEL) as ours, Child("tests.bench.turn_peer", MODEL) as peer:
        turns = measure(ours, peer, options.repetitions)
        memory = ours.ask(do="memory")
    if options.show:
        print("\n\n".join(f"{who}: {said[-1]['text']}" for who, said in turns.items()), end="\n\n")
    rows = [*own_rows(turns, memory), *peer_rows(turns, expected_events(env.now()))]
    spent = {who: [{k: v for k, v in turn.items() if k != "text"} for turn in said] for who, said in turns.items()}
    print_rows(rows, repetitions={who: len(said) for who, said in turns.items()}, turns=spent)


def measure(ours: Child, peer: Child, repetitions: int) -> dict[str, list[Turn]]:
    """Take turns; the peer repeats a question while it has time left, and answers each at least once."""
    turns: dict[str, list[Turn]] = {"zh": [], "second": [], "en": [], "peer zh": [], "peer en": []}
    left_ms = PEER_SECONDS * 1000
    for _ in range(repetitions):
        for language, questions in (("zh", [CHINESE, SECOND]), ("en", [ENGLISH])):
            first, *second = ours.ask(do="turns", questions=questions)["turns"]
            turns[language].append(first)
            turns["second"] += second
            if first["rung"] != MODEL:
                raise SystemExit(f"bench-turn: {first['rung']} answered in place of {MODEL}; see: watchkeeper doctor")
            said = turns[f"peer {language}"]
            if not said or said[-1]["model_and_tools_ms"] <= left_ms:
                said += peer.ask(questions=questions[:1])["turns"]
                left_ms -= said[-1]["model_and_tools_ms"]
    return turns


def require_weights(store: WeightStore) -> None:
    """End with one line where weights are missing."""
    lacking = [name for name in (MODEL, *READERS) if not store.status(name).present]
    if lacking:
        names = " ".join(lacking)
        print(f"bench-turn: {names}: not in {store.folder}; get it: watchkeeper weights pull {names}", file=sys.stderr)
        sys.exit(2)


def own_rows(turns: dict[str, list[Turn]], memory: dict[str, int]) -> list[Row]:
    """Our own figures."""
    first = median_of(turns["zh"], "total_ms")
    neither = max(median_of(turns[who], "rest_ms") for who in ("zh", "second", "en"))
    return [
        at_most("demo turn in Chinese, warm (s)", first / 1000, MAX_SECONDS),
        told("  of it reading the panel (s)", median_of(turns["zh"], "panel_ms") / 1000),
        told("  of it the model (s)", median_of(turns["zh"], "model_ms") / 1000),
        told("demo turn in English, warm (s)", median_of(turns["en"], "total_ms") / 1000),
        at_most(
            "second question, share of the first", median_of(turns["second"], "total_ms") / first, MAX_SECOND_SHARE
        ),
        at_most("neither model nor OCR, worst of three questions (ms)", neither, MAX_NEITHER_MS),
        at_most("peak resident memory (GB)", memory["peak_bytes"] / 1e9, MAX_BYTES / 1e9),
        told("  at the end, pages of files among it (GB)", memory["file_bytes"] / 1e9),
    ]


def peer_rows(turns: dict[str, list[Turn]], events: Sequence[tuple[str, str]]) -> list[Row]:
    """Side by side with the peer."""
    rows: list[Row] = []
    for language, name in (("zh", "Chinese"), ("en", "English")):
        ours, peer = turns[language], turns[f"peer {language}"]
        own_ms, peer_ms = median_of(ours, "model_and_tools_ms"), median_of(peer, "model_and_tools_ms")
        rows += [
            at_least(f"{name}: times faster than the peer, model and tools", peer_ms / own_ms, MIN_TIMES_FASTER),
            told("  model and tools (s)", own_ms / 1000),
            told("  the peer's (s)", peer_ms / 1000),
            told("  the peer's first reply alone (s)", median_of(peer, "first_reply_ms") / 1000),
        ]
        for who, said in (("in the answer", ours[-1]["text"]), ("in the peer's", peer[-1]["text"])):
            held = sum(any(name in said for name in names) for names in events)
            rows.append(told(f"  events of the last {DAYS} days {who}, of {len(events)}", held))
            rows.append(told(f"  section {SECTION} of the manual {who}", int(SECTION in said)))
    return rows


def expected_events(now: datetime) -> list[tuple[str, str]]:
    """What the log holds of the alarm in those days: id and time of day, either of which counts as told."""
    with (EXAMPLE / "alarms.csv").open(encoding="utf-8") as file:
        rows = list(enumerate(csv.reader(file)))[1:]
    since = now.replace(tzinfo=None) - timedelta(days=DAYS)
    of_alarm = [(number, row[0]) for number, row in rows if row[2] == ALARM]
    return [(f"E{number}", when[-5:]) for number, when in of_alarm if datetime.fromisoformat(when) >= since]


def median_of(turns: Sequence[Turn], key: str) -> float:
    """Of one figure."""
    return float(median(turn[key] for turn in turns))


if __name__ == "__main__":
    main()
