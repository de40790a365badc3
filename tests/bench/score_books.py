"""make score-books: whether the search finds the right section, and refuses what the books do not say.

    make score-books               our questions over the example plant's manuals and `tests/bench/knowledge_books`
    python -m tests.bench.score_books --show    and what is not right, with what was found instead

The questions are those of `knowledge_pairs` and, of the hard kinds, of `knowledge_pairs_more`, of which every third
is a check that nothing is tuned with. Asked by words alone and by words and meaning.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from agent.env import load_env
from knowledge.ingest import add_file, find_files
from knowledge.meaning import Meaning
from knowledge.search import search
from knowledge.store import KnowledgeStore
from knowledge.tokens import language_of
from knowledge.vectors import build_index, embed_passages
from plugins.manuals.meanings import MeaningOfBox
from tests.bench.knowledge_pairs import BOOKS, PAIRS
from tests.bench.knowledge_pairs_more import CHECK, MORE_BOOKS, TRIED
from tests.bench.table import Row, at_least, print_rows, told

__all__ = ["book_rows"]

Pair = tuple[str, tuple[str, ...]]
SETS: dict[str, Sequence[Pair]] = {"plain": PAIRS, "hard": TRIED, "hard, unseen": CHECK}
LETTERS = {**BOOKS, **MORE_BOOKS}
_TOP = 3
_ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Score, and print the table and the line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="print what is not right, but for the unseen")
    options = parser.parse_args()
    meaning = MeaningOfBox(load_env(os.environ)).get()
    with tempfile.TemporaryDirectory(prefix="watchkeeper-books-") as folder:
        print_rows(
            book_rows(Path(folder), meaning, show=options.show),
            encoder=meaning is not None,
            dictionary=meaning is not None and meaning.dictionary is not None,
        )


def book_rows(folder: Path, meaning: Meaning | None, *, show: bool = False) -> list[Row]:
    """The questions over the books, in both languages, read into a store in a folder."""
    store = KnowledgeStore(folder / "books.db")
    settings = load_env(os.environ).settings.knowledge
    read = partial(
        add_file,
        store,
        max_bytes=settings.max_file_bytes,
        max_pages=settings.max_pages,
        passage_chars=settings.passage_chars,
    )
    for path in find_files([_ROOT / "deploy/example/manuals", _ROOT / "tests/bench/knowledge_books"]):
        read(path)
    ways: list[tuple[str, Meaning | None]] = [("words", None)]
    if meaning is not None:
        ways.append(("words and meaning", Meaning(meaning.embedder, folder / "books.vec", meaning.dictionary)))
        embed_passages(
            store,
            meaning.embedder,
            window_chars=settings.embed_window_chars,
            max_windows=settings.embed_max_windows,
        )
        build_index(store, folder / "books.vec")
    rows = []
    for name, way in ways:
        for kind, pairs in SETS.items():
            rows += _judged(store, f"{name}, {kind}", way, pairs, show=show and kind != "hard, unseen")
    return rows


def _judged(
    store: KnowledgeStore, name: str, meaning: Meaning | None, pairs: Sequence[Pair], *, show: bool
) -> list[Row]:
    letters = {file: letter for letter, file in LETTERS.items()}
    documents = {document.id: document for document in store.documents()}
    of = {key: letters[Path(document.path).name] for key, document in documents.items()}
    languages = {of[key]: document.language for key, document in documents.items()}
    first = top = answered = refused = across = across_top = 0
    for question, places in pairs:
        hits = search(store, question, limit=_TOP, meaning=meaning)
        found = [f"{of[hit.document]}{hit.section}" for hit in hits]
        is_right = [place in places for place in found]
        answered, refused = answered + bool(places), refused + (not places and not hits)
        first, top = first + (is_right[:1] == [True]), top + any(is_right)
        if places and all(languages[place[0]] != language_of(question) for place in places):
            across, across_top = across + 1, across_top + any(is_right)
        if show and (not any(is_right) if places else found):
            told_of = [(place, hit.coverage, hit.similarity) for place, hit in zip(found, hits, strict=True)]
            print(f"{name}: {question}\n    wanted {places or 'nothing'}, found {told_of}")
    rows = [
        told(f"{name}: right section first of {answered}", first / max(1, answered)),
        at_least(f"{name}: right section in the top 3", top / max(1, answered), 0.95),
        at_least(f"{name}: refused of {len(pairs) - answered}", refused / max(1, len(pairs) - answered), 1.0),
    ]
    if across:
        rows.append(told(f"{name}: top 3 of {across} in the other language", across_top / across))
    return rows


if __name__ == "__main__":
    main()
