"""Our side of `make bench-model`, in a process of its own, as the product runs it: the model is in a worker process.

    python -m tests.bench.model_ours LOADED

LOADED is `Loaded.to_json`. Asked with `do`: reply, together, facts. The order of a start is the ladder's: the worker
process is started, the digest is checked while it imports its libraries, then it is told what to load.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from agent.bound import SchemaBound
from agent.messages import Message, Reply
from agent.model.protocol import Bound, ReplyLimits, Request
from agent.model.worker import WorkerModel
from agent.photo import Photo
from agent.settings import WeightsSettings, WorkerSettings
from agent.weights.catalogue import Catalogue, Entry, WeightFile
from agent.weights.store import WeightStore
from tests.bench.children import serve
from tests.bench.model_agent import SYSTEM as AGENT_SYSTEM
from tests.bench.model_agent import call_bound, call_limits
from tests.bench.model_memory import cpu_ms, peak_bytes_of
from tests.bench.model_work import CALL_SCHEMA, Asked, Loaded, bench_settings, photo_pixels


def main() -> None:
    """Load and serve."""
    loaded = Loaded.from_json(sys.argv[1])
    model = WorkerModel(
        loaded.name,
        settings=bench_settings(loaded.settings),
        workers=WorkerSettings(),
        sees=loaded.projector is not None,
    )
    began = time.perf_counter()
    verify(loaded)
    verified_ms = (time.perf_counter() - began) * 1_000
    model.load(loaded.model, projector=loaded.projector, cache=cache_of(loaded))

    def answer(do: str, **asked: Any) -> dict[str, Any]:
        if do == "reply":
            return reply(model, Asked(**asked))
        if do == "together":
            return together(model, [Asked(**one) for one in asked["requests"]])
        return {"peak_bytes": peak_bytes_of(model.pid or 0), "verified_ms": verified_ms}

    serve(answer)
    model.close()


def verify(loaded: Loaded) -> None:
    """The weight store's own check, as at every start: what a first one wrote down is proven by the box's own key."""
    folder, path = loaded.model.parent, loaded.model
    file = WeightFile("model", path.name, bytes=path.stat().st_size, sha256=loaded.sha256)
    entry = Entry(folder.name, "text", loaded.name, "", (file,))
    key = loaded.kept.with_name("box.key") if loaded.kept else None
    WeightStore(folder.parent, WeightsSettings(), catalogue=Catalogue((entry,)), box_key=key).verified(folder.name)


def cache_of(loaded: Loaded) -> dict[str, str] | None:
    """Where states outlive the process, and what they depend on."""
    if loaded.kept is None:
        return None
    digests = {"weights_sha256": loaded.sha256}
    digests |= {"projector_sha256": loaded.projector_sha256} if loaded.projector else {}
    return {"folder": str(loaded.kept), **digests}


def messages_of(asked: Asked) -> list[Message]:
    """Ours."""
    photo = None
    if asked.photo is not None:
        photo = Photo(photo_pixels(asked.photo), f"bench-{asked.photo}", f"{asked.photo}.png")
    return [Message("system", asked.system), Message("user", asked.question, photo)]


def reply(model: WorkerModel, asked: Asked) -> dict[str, Any]:
    """One reply and what it took."""
    began, cpu_before_ms = time.perf_counter(), cpu_of(model)
    messages = messages_of(asked)
    bound: Bound | None = SchemaBound(CALL_SCHEMA) if asked.schema else None
    limits = ReplyLimits(asked.max_tokens, lookup_tokens=asked.lookup_tokens)
    if asked.agent:
        bound = call = call_bound(asked.question)
        messages, limits = [AGENT_SYSTEM, messages[-1]], call_limits(call)
    said = model.reply(messages, [], bound=bound, limits=limits)
    ms = (time.perf_counter() - began) * 1_000
    return {**figures(said, ms), "cpu_ms": cpu_of(model) - cpu_before_ms}


def cpu_of(model: WorkerModel) -> float:
    """Of this process and the worker's, in ms."""
    return cpu_ms(os.getpid(), *([model.pid] if model.pid else []))


def figures(said: Reply, ms: float) -> dict[str, Any]:
    """In ms and tokens."""
    used = said.usage
    return {
        "ms": ms,
        "prefill_ms": used.prefill_ms,
        "decode_ms": used.decode_ms,
        "prompt_tokens": used.prompt_tokens,
        "reused_tokens": used.reused_tokens,
        "tokens": used.sampled_tokens + used.forced_tokens,
        "passes": used.passes,
        "text": said.text,
    }


def together(model: WorkerModel, asked: list[Asked]) -> dict[str, Any]:
    """All at once."""
    limits = ReplyLimits(max(one.max_tokens for one in asked))
    requests = [Request(messages_of(one), [], None, limits) for one in asked]
    began, cpu_before_ms = time.perf_counter(), cpu_of(model)
    said = model.reply_many(requests, limits=limits)
    ms, used_ms = (time.perf_counter() - began) * 1_000, cpu_of(model) - cpu_before_ms
    return {"ms": ms, "cpu_ms": used_ms, "replies": [figures(one, ms) for one in said if isinstance(one, Reply)]}


if __name__ == "__main__":
    main()
