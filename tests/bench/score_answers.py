"""`make score-answers [DATA=FOLDER]`: what is answered about books, signals and alarms, against what people wrote.

`DATA` holds `manuals/` and `timeseries/`, each with its `qa.jsonl`; by default the folder of material beside the
repository where there is one. What a folder lacks is left out. Without any, questions of ours about drawn signals are
asked.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.bench.detection import nab_rows
from tests.bench.manual_answers import manual_rows
from tests.bench.score_series import agents_in, drawn_rows
from tests.bench.series_answers import series_rows
from tests.bench.table import Row, print_rows

SHARED = Path(__file__).parents[3] / "shared" / "data"


def main() -> None:
    """Score the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=SHARED, help="folder with manuals/ and timeseries/")
    parser.add_argument("--rung", default="qwen2.5-1.5b", help="the model that answers, or rules")
    parser.add_argument("--show", action="store_true", help="print what is not right")
    options = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as home:
        books, series = options.data / "manuals", options.data / "timeseries"
        if (books / "qa.jsonl").is_file():
            rows += manual_rows(books, Path(home) / "books", options.rung, show=options.show)
        agents = agents_in(Path(home) / "series", options.rung)
        if (series / "qa.jsonl").is_file():
            rows += series_rows(series, agents, show=options.show)
            rows += nab_rows(series)
        else:
            rows += drawn_rows(Path(home), agents, options.rung, show=options.show)
    print_rows(rows, rung=options.rung)


if __name__ == "__main__":
    main()
