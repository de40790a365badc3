"""`make bench-logs [ROWS=N]`: an alarm log of ten million rows, imported and asked.

A generated export of three years (500 tags whose shares follow Zipf, two texts each, 12 areas, four priorities, one of
a text but for one row in fifty, a tenth of a percent out of order) goes through the importer as a CSV file. Then typed
queries are asked, each with many tags and spans of time; every one opens the database anew, as a question does.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import psutil

from agent.settings import LogSettings
from agent.times import Period
from plugins.logs.database import Filter, LogDatabase
from plugins.logs.importing import ImportReport, import_csv
from tests.bench.table import Row, at_most, print_rows, told

ROWS, TAGS, AREAS, YEARS = 10_000_000, 500, 12, 3
START = datetime(2022, 1, 1)
END = START + timedelta(days=365 * YEARS)
_PRIORITY = ("urgent", *("high",) * 3, *("medium",) * 9, *("low",) * 7)
"""An urgent text in 20."""
HEADINGS = "Time,Tag,Message,Priority,Area,Cleared\n"
MAX_MS = 50.0
CHUNK = 200_000
SEED = 20240601

Query = Callable[[LogDatabase, random.Random], object]


def main() -> None:
    """Generate, import, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repetitions", type=int, default=25, help="of each query, with other tags and spans")
    parser.add_argument("--keep", type=Path, help="a folder for the log, which is reused where it is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="watchkeeper-bench-") as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        rows = bring(folder, options.rows)
        rows += ask(LogDatabase(folder / "log.db", LogSettings()), options.repetitions)
    print_rows(rows, log_rows=options.rows)


def bring(folder: Path, count: int) -> list[Row]:
    """Write the export and import it; nothing where the log is there already."""
    log, export = folder / "log.db", folder / "alarms.csv"
    if log.exists():
        return []
    with export.open("w", encoding="utf-8") as file:
        file.write(HEADINGS)
        for chunk in generate(count):
            file.write(chunk)
    size = export.stat().st_size
    began = time.monotonic()
    report: ImportReport = import_csv(export, log, LogSettings())
    seconds = time.monotonic() - began
    assert report.added + report.known == count, report
    export.unlink()
    return [
        told("import: rows per second", count / seconds),
        told("import: CSV MB per second", size / 1e6 / seconds),
        told("import: seconds", seconds),
        told("import: memory MB", psutil.Process().memory_info().rss / 1e6),
        told("CSV bytes per row", size / count),
        told("log bytes per row, with indexes and sums", log.stat().st_size / count),
        told("log GB", log.stat().st_size / 1e9),
    ]


def generate(count: int) -> Iterator[str]:
    """The rows of the export, in pieces."""
    dice = np.random.default_rng(SEED)
    shares = 1 / np.arange(1, TAGS + 1) ** 0.8
    shares /= shares.sum()
    seconds = (END - START).total_seconds()
    for first in range(0, count, CHUNK):
        size = min(CHUNK, count - first)
        at = np.sort(dice.random(size)) * seconds * size / count + seconds * first / count
        odd = dice.random(size) < 0.001
        at[odd] = np.maximum(0, at[odd] - dice.exponential(3600, int(odd.sum())))
        tag, second = dice.choice(TAGS, size, p=shares), dice.random(size) < 0.2
        lasted, priority = dice.lognormal(6, 1.5, size), (tag * 7 + second) % 20
        other = dice.random(size) < 0.02
        priority[other] = dice.integers(0, 20, int(other.sum()))
        stamps = (np.datetime64(START, "s") + at.astype("timedelta64[s]")).astype(str)
        ends = (np.datetime64(START, "s") + (at + lasted).astype("timedelta64[s]")).astype(str)
        yield "".join(
            f"{stamps[i]},TAG-{tag[i]:04},{_text(int(tag[i]), bool(second[i]))},{_PRIORITY[priority[i]]},"
            f"Area {tag[i] % AREAS},{'' if first + i > count - 200 else ends[i]}\n"
            for i in range(size)
        )


def ask(log: LogDatabase, repetitions: int) -> list[Row]:
    """Every query many times; the time of each, and of all together."""
    rows: list[Row] = []
    everything: list[float] = []
    cpu: list[float] = []
    for name, query in QUERIES.items():
        dice = random.Random(SEED)
        query(log, dice)
        times: list[float] = []
        for _ in range(repetitions):
            began, spent = time.perf_counter(), time.process_time()
            query(log, dice)
            times.append((time.perf_counter() - began) * 1000)
            cpu.append((time.process_time() - spent) * 1000)
        everything += times
        rows.append(at_most(f"{name}: p95 ms", float(np.percentile(times, 95)), MAX_MS))
    rows.append(told("all typed queries: p50 ms", float(np.percentile(everything, 50))))
    rows.append(told("all typed queries: p95 CPU ms", float(np.percentile(cpu, 95))))
    rows.append(at_most("all typed queries: p95 ms", float(np.percentile(everything, 95)), MAX_MS))
    return rows


def _text(tag: int, second: bool) -> str:
    return f"泵{tag}号故障" if second else f"Pump {tag} fault"


def _tag(dice: random.Random) -> str:
    return f"TAG-{dice.randrange(TAGS):04}"


def _period(dice: random.Random, days: float) -> Period:
    start = START + timedelta(days=dice.random() * (365 * YEARS - days), seconds=dice.randrange(86_400))
    return Period("", start, start + timedelta(days=days))


def _anew(log: LogDatabase) -> LogDatabase:
    """The same log, of which nothing is remembered yet."""
    return LogDatabase(Path(log.name), log.settings)


QUERIES: dict[str, Query] = {
    "newest of a tag, whole log": lambda log, dice: log.events(Filter(tags=(_tag(dice),)), now=END, limit=50),
    "newest of a text, 30 days": lambda log, dice: log.events(
        Filter(texts=(_text(dice.randrange(TAGS), False),), period=_period(dice, 30)), now=END, limit=50
    ),
    "similar: 2 texts and a tag, whole log": lambda log, dice: log.events(
        Filter(texts=(_text(5, False), _text(dice.randrange(TAGS), True)), tags=(_tag(dice),)), now=END, limit=50
    ),
    "similar: 2 texts and a tag, 3 days": lambda log, dice: log.events(
        Filter(texts=(_text(5, False), _text(5, True)), tags=(_tag(dice),), period=_period(dice, 3)), now=END, limit=50
    ),
    "all events of 3 days": lambda log, dice: log.events(Filter(period=_period(dice, 3)), now=END, limit=50),
    "an area, 30 days": lambda log, dice: log.events(
        Filter(area=f"Area {dice.randrange(AREAS)}", period=_period(dice, 30)), now=END, limit=50
    ),
    "urgent ones, 90 days": lambda log, dice: log.events(
        Filter(priorities=("urgent", "high"), period=_period(dice, 90)), now=END, limit=50
    ),
    "first ever of a tag": lambda log, dice: log.events(Filter(tag=_tag(dice)), now=END, limit=1, order="oldest"),
    "longest of a tag": lambda log, dice: log.events(Filter(tag=_tag(dice)), now=END, limit=5, order="longest"),
    "longest of all": lambda log, dice: log.events(Filter(), now=END, limit=5, order="longest"),
    "standing ones": lambda log, dice: log.events(Filter(standing=True), now=END, limit=50),
    "top tags, whole log": lambda log, dice: log.groups(Filter(), by=("tag",), now=END, limit=10),
    "top tags of an area, 7 days": lambda log, dice: log.groups(
        Filter(area=f"Area {dice.randrange(AREAS)}", period=_period(dice, 7)), by=("tag",), now=END, limit=10
    ),
    "top texts, 180 days": lambda log, dice: log.groups(
        Filter(period=_period(dice, 180)), by=("text",), now=END, limit=10
    ),
    "by area, whole log": lambda log, dice: log.groups(Filter(), by=("area",), now=END, limit=20),
    "by priority, 90 days": lambda log, dice: log.groups(
        Filter(period=_period(dice, 90)), by=("priority",), now=END, limit=20
    ),
    "by day, whole log": lambda log, dice: log.groups(Filter(), by=("day",), now=END, limit=5_000),
    "by month of a tag, whole log": lambda log, dice: log.groups(
        Filter(tag=_tag(dice)), by=("month",), now=END, limit=100
    ),
    "by hour of day of an area, 180 days": lambda log, dice: log.groups(
        Filter(area=f"Area {dice.randrange(AREAS)}", period=_period(dice, 180)), by=("hour of day",), now=END, limit=24
    ),
    "by hour of a tag, 7 days": lambda log, dice: log.groups(
        Filter(tag=_tag(dice), period=_period(dice, 7)), by=("hour",), now=END, limit=200
    ),
    "mean time to clear of a tag, whole log": lambda log, dice: log.durations(Filter(tag=_tag(dice)), now=END),
    "mean time to clear of all, 365 days": lambda log, dice: log.durations(Filter(period=_period(dice, 365)), now=END),
    "instants of a tag, 90 days": lambda log, dice: log.moments(
        Filter(tag=_tag(dice), period=_period(dice, 90)), now=END, limit=5_000
    ),
    "instants of all, 1 day": lambda log, dice: log.moments(Filter(period=_period(dice, 1)), now=END, limit=20_000),
    "names of tags": lambda log, dice: _anew(log).names("tag"),
    "names of texts": lambda log, dice: _anew(log).names("text"),
    "tags of a text": lambda log, dice: log.texts_by_tag([_text(dice.randrange(TAGS), False)]),
    "span of the log": lambda log, dice: log.span(),
}


if __name__ == "__main__":
    main()
