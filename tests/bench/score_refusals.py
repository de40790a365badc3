"""`make score-refusals`: near misses are refused, and what the books do answer is answered, by the whole agent.

Half of the questions (tests/data/refusal_questions.jsonl, ours) have an answer in the example plant's manuals or in the
books beside this file; the other half ask for the wrong attribute of a machine that is there, for a code that no table
has, for a part that nobody mentions. A third of each half was held back: nothing was ever tuned with it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.bench.manual_answers import manual_rows
from tests.bench.plant import EXAMPLE
from tests.bench.table import Row, print_rows

QUESTIONS = Path(__file__).parents[1] / "data" / "refusal_questions.jsonl"
BOOKS = (EXAMPLE / "manuals", Path(__file__).parent / "knowledge_books", Path(__file__).parent / "answer_books")


def main() -> None:
    """Score the questions that were tried and those that were held back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rung", default="rules", help="the model that answers, or rules")
    parser.add_argument("--show", action="store_true", help="print what is not right")
    options = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="watchkeeper-refusals-") as folder:
        for name, held_back in (("tried", False), ("held back", True)):
            books = Path(folder) / name
            _lay_out(books, held_back=held_back)
            found = manual_rows(books, Path(folder) / f"{name} home", options.rung, show=options.show)
            rows += [replace(row, row=f"{name}, {row.row}") for row in found]
    print_rows(rows, rung=options.rung)


def _lay_out(folder: Path, *, held_back: bool) -> None:
    """The books, and the questions of one kind as `qa.jsonl`."""
    folder.mkdir()
    for book in sorted(path for place in BOOKS for path in place.glob("*.md")):
        shutil.copy(book, folder)
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines()
    chosen = [line for line in lines if json.loads(line)["held_back"] is held_back]
    (folder / "qa.jsonl").write_text("\n".join(chosen), encoding="utf-8")


if __name__ == "__main__":
    main()
