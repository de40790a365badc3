"""Our side of `make bench-model`, in a process of its own.

    python -m tests.bench.model_ours LOADED

LOADED is `Loaded.to_json`. Asked with `do`: reply, together, memory.
"""

from __future__ import annotations

import inspect
import sys
import time
from pathlib import Path
from typing import Any

from agent.bound import SchemaBound
from agent.messages import Message, Reply
from agent.model import llama
from agent.model.prefix_cache import PrefixCache
from agent.model.protocol import ReplyLimits
from agent.photo import Photo
from agent.weights.digest import check_file
from tests.bench.children import serve
from tests.bench.model_memory import peak_bytes
from tests.bench.model_work import CALL_SCHEMA, Asked, Loaded, bench_settings, photo_pixels

READ_BYTES = 8 * 1024 * 1024


def main() -> None:
    """Load and serve."""
    loaded = Loaded.from_json(sys.argv[1])
    began = time.perf_counter()
    if loaded.sha256:
        verify(loaded.model, loaded.sha256)
    verified_ms = (time.perf_counter() - began) * 1_000
    model = load(loaded)
    load_ms = (time.perf_counter() - began) * 1_000

    def answer(do: str, **asked: Any) -> dict[str, Any]:
        if do == "reply":
            return reply(model, Asked(**asked))
        if do == "together":
            return together(model, [Asked(**one) for one in asked["requests"]])
        return {"peak_bytes": peak_bytes(), "load_ms": load_ms, "verified_ms": verified_ms}

    serve(answer)
    model.close()


def verify(path: Path, sha256: str) -> None:
    """As the weight store does at every start."""
    check_file(
        path,
        inside=path.parent,
        expected_bytes=path.stat().st_size,
        expected_sha256=sha256,
        read_bytes=READ_BYTES,
    )


def load(loaded: Loaded) -> llama.LlamaModel:
    """The model, with what it kept from earlier processes."""
    settings = bench_settings(loaded.settings)
    kept = PrefixCache(loaded.kept, weights_sha256=loaded.sha256, settings=settings) if loaded.kept else None
    return llama.LlamaModel.load(
        loaded.model, name=loaded.name, settings=settings, projector=loaded.projector, cache=kept
    )


def messages_of(asked: Asked) -> list[Message]:
    """Ours."""
    photo = None
    if asked.photo is not None:
        photo = Photo(photo_pixels(asked.photo), f"bench-{asked.photo}", f"{asked.photo}.png")
    return [Message("system", asked.system), Message("user", asked.question, photo)]


def reply(model: llama.LlamaModel, asked: Asked) -> dict[str, Any]:
    """One reply and what it took."""
    messages = messages_of(asked)
    bound = SchemaBound(CALL_SCHEMA) if asked.schema else None
    limits = ReplyLimits(asked.max_tokens, lookup_tokens=asked.lookup_tokens)
    began = time.perf_counter()
    said = model.reply(messages, [], bound=bound, limits=limits)
    return figures(said, (time.perf_counter() - began) * 1_000)


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


def together(model: llama.LlamaModel, requests: list[Asked]) -> dict[str, Any]:
    """All at once; `missing` where this version cannot."""
    reply_many: Any = getattr(model, "reply_many", None)
    request: Any = getattr(sys.modules["agent.model.protocol"], "Request", None) or getattr(llama, "Request", None)
    if reply_many is None or request is None:
        return {"missing": "not built"}
    names = list(inspect.signature(request).parameters)
    made = []
    for asked in requests:
        fields = {"messages": messages_of(asked), "tools": [], "bound": None, "limits": ReplyLimits(asked.max_tokens)}
        made.append(request(**{name: value for name, value in fields.items() if name in names}))
    began = time.perf_counter()
    said = reply_many(made)
    ms = (time.perf_counter() - began) * 1_000
    return {"ms": ms, "replies": [figures(one, ms) for one in said]}


if __name__ == "__main__":
    main()
