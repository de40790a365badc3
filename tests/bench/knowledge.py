"""make bench-knowledge: how the store of manuals grows, how fast it answers, and whether it answers what it should.

    make bench-knowledge                       10,000 and 100,000 chunks, and what `make score-books` asks
    make bench-knowledge CHUNKS=1000000        up to a million: half an hour and 4 GB of disk

Chunks are generated (`tests.bench.knowledge_text`). Their vectors are computed for a sample, which gives the rate; for
the rest of the index they are drawn at random, since the time of a search does not depend on what they say. A search is
timed as a turn makes it: from the question to the passages, with a warm process and whatever the system has cached.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.env import load_env
from knowledge.meaning import Meaning
from knowledge.search import search
from knowledge.store import KnowledgeStore, insert_pieces, new_stamp, now_text
from knowledge.vectors import build_index, embed_passages
from plugins.manuals.meanings import MeaningOfBox
from tests.bench.knowledge_text import chunks, questions
from tests.bench.score_books import book_rows
from tests.bench.table import Row, at_most, print_rows, told

STEPS = (10_000, 100_000, 1_000_000)
MOST_MS = {100_000: 60.0, 1_000_000: 250.0}
"""p95 of a search, by chunks."""
QUESTIONS = 210
EMBEDDED = 2_000
"""Chunks whose vectors are computed."""
WINDOWS = (1, 3)
"""Windows that a drawn chunk has, at least and at most; computed ones have about as many."""
_DOCUMENT_CHUNKS = 2_000


def main() -> None:
    """Measure, and print the table and the line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--chunks", type=int, default=100_000)
    wanted = parser.parse_args().chunks
    env = load_env(os.environ)
    with tempfile.TemporaryDirectory(prefix="watchkeeper-knowledge-") as folder:
        meaning = MeaningOfBox(env).get()
        if meaning is None:
            print("The sentence encoder is not here; `watchkeeper weights pull embed` brings it. Words alone:")
        else:
            meaning = Meaning(meaning.embedder, Path(folder) / "scale.vec", meaning.dictionary)
        rows = list(_scale(Path(folder), meaning, sorted({n for n in (*STEPS, wanted) if n <= wanted})))
        rows += book_rows(Path(folder), meaning)
    print_rows(rows, encoder=meaning is not None)


def _scale(folder: Path, meaning: Meaning | None, steps: Sequence[int]) -> list[Row]:
    store = KnowledgeStore(folder / "scale.db")
    rows, done = list[Row](), 0
    for step in steps:
        begun = time.perf_counter()
        _add(store, done, step)
        rate = (step - done) / (time.perf_counter() - begun)
        if meaning is not None:
            rows += _vectors(store, meaning, first=done == 0)
        rows += [told(f"{step:,} chunks: ingested a second", rate)]
        rows += [told(f"{step:,} chunks: bytes a chunk in the store", store.path.stat().st_size / step)]
        rows += _searches(store, meaning, step)
        done = step
    return rows


def _add(store: KnowledgeStore, first: int, last: int) -> None:
    """Chunks from the first to the last as manuals, each in one transaction as an ingest writes them."""
    source = chunks(last)
    for _ in range(first):
        next(source)
    for start in range(first, last, _DOCUMENT_CHUNKS):
        pieces = [next(source) for _ in range(min(_DOCUMENT_CHUNKS, last - start))]
        with store.writing() as db, db.atomic():
            number = db.execute(
                "INSERT INTO documents (title, path, sha256, language, pages, added) VALUES (?, ?, ?, 'zh', NULL, ?)",
                (f"Book {start}", f"/book-{start}", f"{start:064x}", now_text()),
            ).lastrowid
            insert_pieces(db, int(number or 0), pieces)


def _vectors(store: KnowledgeStore, meaning: Meaning, *, first: bool) -> list[Row]:
    rows = []
    if first:
        with store.writing() as db, db.atomic():  # the sample: all but so many get drawn vectors
            _draw(db.conn, EMBEDDED)
        begun = time.perf_counter()
        count = embed_passages(store, meaning.embedder, window_chars=240, max_windows=16)
        rows.append(told("vectors: chunks embedded a second", count / (time.perf_counter() - begun)))
    with store.writing() as db, db.atomic():
        _draw(db.conn, 0)
        new_stamp(db)
    begun = time.perf_counter()
    windows = build_index(store, meaning.index_path)
    seconds = time.perf_counter() - begun
    rows.append(told(f"index: seconds to make it anew of {windows:,} windows", seconds))
    return [*rows, told(f"index: MB of {windows:,} windows", meaning.index_path.stat().st_size / 1e6)]


def _draw(connection: object, spare: int) -> None:
    """Vectors at random for every chunk that has none, but for the first so many."""
    rng = np.random.default_rng(5)
    execute = connection.execute  # type: ignore[attr-defined]
    pending = execute("SELECT id FROM passages WHERE id NOT IN (SELECT passage FROM vectors) ORDER BY id").fetchall()
    for start in range(spare, len(pending), 4_096):
        numbers = [row[0] for row in pending[start : start + 4_096]]
        counts = rng.integers(WINDOWS[0], WINDOWS[1] + 1, len(numbers))
        drawn = [rng.integers(-127, 128, (int(count), 512), np.int8).tobytes() for count in counts]
        connection.executemany("INSERT INTO vectors VALUES (?, ?)", zip(numbers, drawn, strict=True))  # type: ignore[attr-defined]


def _searches(store: KnowledgeStore, meaning: Meaning | None, step: int) -> list[Row]:
    times: dict[str, list[float]] = {}
    search(store, "循环泵 bearing", limit=4, meaning=meaning)
    for asked in questions(QUESTIONS, step):
        begun = time.perf_counter()
        search(store, asked.text, limit=4, meaning=meaning)
        times.setdefault(asked.kind, []).append(1_000 * (time.perf_counter() - begun))
    every = [value for values in times.values() for value in values]
    limit = MOST_MS.get(step)
    p95 = statistics.quantiles(every, n=20)[-1]
    name = f"{step:,} chunks: search p95, ms"
    kinds = [told(f"{step:,} chunks: {kind} p95, ms", statistics.quantiles(v, n=20)[-1]) for kind, v in times.items()]
    return [
        told(f"{step:,} chunks: search p50, ms", statistics.median(every)),
        told(name, p95) if limit is None else at_most(name, p95, limit),
        *kinds,
    ]


if __name__ == "__main__":
    main()
