"""`python -m tests.bench.score_series`: the series half of the answers' score, on drawn files and on a folder.

For a folder, its `qa.jsonl` is asked, and with `--more` also questions of ours about its CSV files.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from agent.commands.ask import build_agent
from agent.env import load_env
from agent.home import find_home
from agent.plugin_host import load_plugins
from agent.turn import Agent
from plugins.logs.importing import import_csv
from tests.bench.series_answers import AgentFactory, score, series_rows
from tests.bench.series_drawn import draw
from tests.bench.series_plants import draw_plants
from tests.bench.series_questions import Asked, questions_of, written
from tests.bench.table import Row, print_rows

__all__ = ["agents_in", "drawn_rows", "written_rows"]


def agents_in(home: Path, model: str) -> AgentFactory:
    """Agents of one rung, each in a home of its own below `home`."""

    def make(file: Path) -> Agent:
        environ = {
            "WATCHKEEPER_HOME": str(home / file.stem),
            "WATCHKEEPER_WEIGHTS__FOLDER": str(find_home().weights),
            "WATCHKEEPER_MODEL__NAME": model,
            "WATCHKEEPER_MODEL__RESULT_CACHE_ROWS": "0",
        }
        env = load_env(environ)
        if not env.log_path.exists():
            import_csv(file, env.log_path, env.settings.logs)
        return build_agent(env, load_plugins())

    return make


def drawn_rows(home: Path, agents: AgentFactory, rung: str, *, show: bool = False, every: int = 1) -> list[Row]:
    """Questions of ours about files that are drawn below a folder."""
    drawn = [q for path in draw(home / "drawn") for q in _own(path)]
    return score(drawn[::every], agents, f"{rung}: drawn", show=show)


def written_rows(home: Path, agents: AgentFactory, rung: str, *, show: bool = False) -> list[Row]:
    """Questions that people wrote; what goes wrong of those that were kept back is never shown."""
    plants = home / "plants"
    draw_plants(plants)
    return [
        *score(written(plants, "open"), agents, f"{rung}: written", show=show),
        *score(written(plants, "held"), agents, f"{rung}: written, kept back"),
        *score(written(plants, "open2"), agents, f"{rung}: written, second round", show=show),
        *score(written(plants, "kept2"), agents, f"{rung}: written, second round, kept back"),
        *score(written(plants, "blind3"), agents, f"{rung}: written, third round"),
    ]


def main() -> None:
    """Score the rungs that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rungs", nargs="+", default=["rules"])
    parser.add_argument("--data", type=Path, help="a folder laid out as timeseries/")
    parser.add_argument("--more", action="store_true", help="also ask our own questions about the files of the folder")
    parser.add_argument("--show", action="store_true", help="print every question that is not answered right")
    parser.add_argument("--written", action="store_true", help="only the questions that people wrote")
    parser.add_argument("--every", type=int, default=1, help="ask only each so-manieth of our own questions")
    options = parser.parse_args()
    rows: list[Row] = []
    for rung in options.rungs:
        with tempfile.TemporaryDirectory() as home:
            agents = agents_in(Path(home), rung)
            rows += written_rows(Path(home), agents, rung, show=options.show)
            if not options.written:
                rows += drawn_rows(Path(home), agents, rung, show=options.show, every=options.every)
            if options.data is not None:
                rows += series_rows(options.data, agents, show=options.show)
            if options.data is not None and options.more:
                more = [q for path in sorted(options.data.rglob("*.csv")) for q in _own(path)]
                rows += score(more[:: options.every], agents, f"{rung}: our questions, their files", show=options.show)
    print_rows(rows)


def _own(path: Path) -> list[Asked]:
    return questions_of(path, kind="alarms" if "alarm" in path.name else "series")


if __name__ == "__main__":
    main()
