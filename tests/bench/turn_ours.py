"""Our side of `make bench-turn`: a warm agent that has not seen the photo."""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from agent.env import Env
from agent.photo import load_photo
from agent.plugin_host import PluginHost
from agent.turn import Agent, Conversation, TurnRecord
from tests.bench.children import serve
from tests.bench.plant import PANEL, plant_agent, plant_env

OTHER_PHOTO = Path(__file__).parents[1] / "data" / "panels" / "scada-v6__scada_web_table_en.png"
"""Read before anything is measured, so that loading the reader is no part of it."""
IN_BETWEEN = "How long must the belt run in?"
"""Asked alone before each measured turn: of the turn's prompt the model then remembers only what never changes."""
RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


def main() -> None:
    """Serve turns."""
    with tempfile.TemporaryDirectory() as home:
        env = plant_env(Path(home), model=sys.argv[1])
        agent, host = plant_agent(env)
        warm(agent, host, env)

        def answer(do: str, **asked: Any) -> dict[str, Any]:
            return memory() if do == "memory" else {"turns": turns(agent, env, **asked)}

        serve(answer)
        agent.close()


def warm(agent: Agent, host: PluginHost, env: Env) -> None:
    """Load everything, read another photo, answer another question."""
    agent.warm()
    host.perceive(load_photo(OTHER_PHOTO, env.settings.photo), env)
    agent.ask(IN_BETWEEN)


def turns(agent: Agent, env: Env, questions: list[str]) -> list[dict[str, Any]]:
    """Questions on the same photo as one fresh conversation; the photo was not read before."""
    agent.ask(IN_BETWEEN)
    for kept in env.home.cache.glob("panel.db*"):
        kept.unlink()
    conversation = Conversation()
    return [figures(agent.ask(question, photo=PANEL, conversation=conversation)) for question in questions]


def figures(record: TurnRecord) -> dict[str, Any]:
    """What a turn cost, in ms and tokens, and what it said."""
    ms, used = record.stages_ms, record.usage
    return {
        "total_ms": ms["total"],
        "panel_ms": ms["panel"],
        "model_ms": ms["model"],
        "rest_ms": ms["total"] - ms["panel"] - ms["model"] - ms["load"],
        "model_and_tools_ms": ms["model"] + ms["tools"],
        "rung": record.rung,
        "prompt_tokens": used.prompt_tokens,
        "reused_tokens": used.reused_tokens,
        "sampled_tokens": used.sampled_tokens,
        "forced_tokens": used.forced_tokens,
        "text": record.answer.text,
    }


def memory() -> dict[str, Any]:
    """Bytes: the peak, and how much of what is there now are pages of files, which the system may drop at any time."""
    now = psutil.Process().memory_info()
    return {
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT_BYTES,
        "file_bytes": getattr(now, "shared", 0),
    }


if __name__ == "__main__":
    main()
