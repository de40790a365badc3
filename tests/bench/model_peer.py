"""llama-cpp-python's side of `make bench-model`: `create_chat_completion` in a process of its own.

    python -m tests.bench.model_peer LOADED

Its multimodal handler where there is a projector, its grammar made from the JSON schema, its own prefix reuse; context,
batches, threads, flash attention and waiting as ours, the rest as it comes (it always repacks weights).
"""

from __future__ import annotations

import base64
import sys
import time
from typing import Any

from agent.model.llama_library import library, physical_cores
from tests.bench.children import serve
from tests.bench.model_memory import peak_bytes
from tests.bench.model_work import CALL_SCHEMA, Asked, Loaded, bench_settings, chat_messages, photo_png


class Peer:
    """One loaded model."""

    def __init__(self, loaded: Loaded) -> None:
        settings = bench_settings(loaded.settings)
        library(spin=settings.spin)
        from llama_cpp import Llama
        from llama_cpp.llama_chat_format import MTMDChatHandler

        handler: Any = MTMDChatHandler(str(loaded.projector), verbose=False) if loaded.projector else None
        threads = settings.threads or physical_cores()
        self._llama: Any = Llama(
            model_path=str(loaded.model),
            n_ctx=settings.context_tokens,
            n_batch=settings.batch_tokens,
            n_ubatch=settings.micro_batch_tokens,
            n_threads=threads,
            n_threads_batch=threads,
            flash_attn=settings.flash_attention,
            use_mmap=settings.mmap,
            chat_handler=handler,
            verbose=False,
        )

    def reply(self, asked: Asked) -> dict[str, Any]:
        """One completion and what it took."""
        began, cpu_before = time.perf_counter(), time.process_time()
        url = "" if asked.photo is None else data_uri(photo_png(asked.photo))
        more = {"response_format": {"type": "json_object", "schema": CALL_SCHEMA}} if asked.schema else {}
        said = self._llama.create_chat_completion(
            messages=chat_messages(asked, url),
            temperature=0.0,
            repeat_penalty=1.0,
            max_tokens=asked.max_tokens,
            **more,
        )
        ms = (time.perf_counter() - began) * 1_000
        return {
            "ms": ms,
            "cpu_ms": (time.process_time() - cpu_before) * 1_000,
            "tokens": said["usage"]["completion_tokens"],
            "prompt_tokens": said["usage"]["prompt_tokens"],
            "text": said["choices"][0]["message"]["content"],
        }


def data_uri(png: bytes) -> str:
    """As OpenAI-compatible interfaces take a photo."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def main() -> None:
    """Serve completions."""
    peer = Peer(Loaded.from_json(sys.argv[1]))

    def answer(do: str, **asked: Any) -> dict[str, Any]:
        if do == "reply":
            return peer.reply(Asked(**asked))
        return {"peak_bytes": peak_bytes()}

    serve(answer)


if __name__ == "__main__":
    main()
