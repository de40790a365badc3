"""Our server with a Qwen3-VL-2B of true size and random weights, for `make bench-server`: what it says is noise, what
it costs is not.

    python -m tests.bench.server_vision

Everything else is `watchkeeper serve`. A model with random weights answers no test question, so none is asked.
"""

from __future__ import annotations

from dataclasses import replace

from agent.commands.ask import build_agent
from agent.env import Env, load_env
from agent.plugin_host import load_plugins
from agent.server.run import run_server
from agent.weights.catalogue import Catalogue, Entry, WeightFile
from agent.weights.store import WeightStore
from tests.bench.model import models_of, require_weights, weight_store
from tests.bench.model_text import SMALL, VL
from tests.bench.model_work import Loaded
from tests.bench.random_qwen3vl import random_2b

__all__ = ["vision_files"]


def vision_files() -> Loaded:
    """The model and its projector in F16; made now where they are not there yet."""
    return models_of(random_2b(require_weights(weight_store())[SMALL]), {})[VL]


def vision_env() -> Env:
    """The box, which has this model and no other."""
    loaded, env = vision_files(), load_env()
    assert loaded.projector is not None
    files = tuple(
        WeightFile(role, path.name, bytes=path.stat().st_size, sha256=digest)
        for role, path, digest in (
            ("model", loaded.model, loaded.sha256),
            ("mmproj", loaded.projector, loaded.projector_sha256),
        )
    )
    folder = loaded.model.parent
    catalogue = Catalogue((Entry(folder.name, "vision", "random", "", files),))
    return replace(env, weights=WeightStore(folder.parent, env.settings.weights, catalogue=catalogue))


if __name__ == "__main__":
    run_server(build_agent(vision_env(), load_plugins()))
