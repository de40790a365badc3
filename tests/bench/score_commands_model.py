"""A model of this box, alone, for the scores that need one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.env import load_env
from agent.home import find_home
from agent.model.box_ladder import build_ladder
from agent.model.protocol import Model

__all__ = ["open_model"]


@contextmanager
def open_model(name: str, home: Path) -> Iterator[Model]:
    """One rung, with a home of its own and this box's weights; nothing that it said before is kept."""
    env = load_env(
        {
            "WATCHKEEPER_HOME": str(home),
            "WATCHKEEPER_WEIGHTS__FOLDER": str(find_home().weights),
            "WATCHKEEPER_MODEL__NAME": name,
            "WATCHKEEPER_MODEL__RESULT_CACHE_ROWS": "0",
        }
    )
    ladder = build_ladder(env)
    try:
        yield ladder
    finally:
        ladder.close()
