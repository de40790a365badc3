"""The sample plant in a home of its own, with the real weights: what benchmarks and scores run on."""

from __future__ import annotations

import os
from pathlib import Path

from agent.commands.ask import build_agent
from agent.env import Env, load_env
from agent.home import find_home
from agent.plugin_host import PluginHost, load_plugins
from agent.turn import Agent
from knowledge.ingest import add_file, find_files
from knowledge.store import KnowledgeStore
from plugins.logs.importing import import_csv

__all__ = ["EXAMPLE", "PANEL", "plant_agent", "plant_env", "weights_folder"]

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example"
PANEL = EXAMPLE / "panel.png"


def weights_folder() -> Path:
    """Where the real weights of this person lie, as the command line finds them; not in the home that a bench makes."""
    named = os.environ.get("WATCHKEEPER_WEIGHTS__FOLDER")
    own = find_home({name: os.environ[name] for name in ("HOME", "XDG_DATA_HOME") if name in os.environ})
    return Path(named) if named else own.weights


def plant_env(home: Path, *, model: str, weights: Path | None = None) -> Env:
    """A fresh home with the sample plant's manuals and log.

    :param weights: the folder of the real weights; by default the person's own.
    """
    env = load_env(
        {
            "WATCHKEEPER_HOME": str(home),
            "WATCHKEEPER_CONFIG": str(EXAMPLE / "watchkeeper.toml"),
            "WATCHKEEPER_WEIGHTS__FOLDER": str(weights or weights_folder()),
            "WATCHKEEPER_MODEL__NAME": model,
            "WATCHKEEPER_MODEL__RESULT_CACHE_ROWS": "0",  # a figure is of work that was done
        }
    )
    limits = env.settings.knowledge
    store = KnowledgeStore(env.home.knowledge_db, limits.busy_seconds)
    for path in find_files([EXAMPLE / "manuals"]):
        add_file(
            store, path, max_bytes=limits.max_file_bytes, max_pages=limits.max_pages, passage_chars=limits.passage_chars
        )
    import_csv(EXAMPLE / "alarms.csv", env.log_path, env.settings.logs)
    return env


def plant_agent(env: Env) -> tuple[Agent, PluginHost]:
    """An agent on it."""
    host = load_plugins()
    return build_agent(env, host), host
