"""The floor of `make bench-model`: llama_decode and the best logit, token by token, with no code of ours around it.

    python -m tests.bench.model_bare LOADED

Same weights, context, batches, threads and kernels as the model it is compared with.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from agent.model.llama_library import library, physical_cores
from tests.bench.children import serve
from tests.bench.model_memory import peak_bytes
from tests.bench.model_work import Asked, Loaded, bench_settings


class Bare:
    """A model, a context and nothing else."""

    def __init__(self, loaded: Loaded) -> None:
        settings = bench_settings(loaded.settings)
        self._lib = lib = library(spin=settings.spin)
        model = lib.llama_model_default_params()
        model.n_gpu_layers = 0
        model.use_extra_bufts = settings.repack
        self._model = lib.llama_model_load_from_file(str(loaded.model).encode(), model)
        context = lib.llama_context_default_params()
        context.n_ctx = settings.context_tokens
        context.n_batch = settings.batch_tokens
        context.n_ubatch = settings.micro_batch_tokens
        context.n_threads = context.n_threads_batch = settings.threads or physical_cores()
        context.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED
        context.no_perf = True
        self._context = lib.llama_init_from_model(self._model, context)
        self._vocabulary = lib.llama_model_get_vocab(self._model)
        self._size = lib.llama_vocab_n_tokens(self._vocabulary)

    def reply(self, asked: Asked) -> dict[str, Any]:
        """Prompt, then as many tokens as asked for; an end of text does not end it."""
        text = (
            f"<|im_start|>system\n{asked.system}<|im_end|>\n<|im_start|>user\n{asked.question}<|im_end|>\n"
            "<|im_start|>assistant\n"
        ).encode()
        room = (self._lib.llama_token * (len(text) + 8))()
        count = self._lib.llama_tokenize(self._vocabulary, text, len(text), room, len(room), False, True)
        cpu_before = time.process_time()
        self._lib.llama_memory_clear(self._lib.llama_get_memory(self._context), True)
        token = self._next(list(room[:count]))
        began = time.perf_counter()
        for _ in range(asked.max_tokens - 1):
            token = self._next([token])
        decode_ms = (time.perf_counter() - began) * 1_000
        cpu_ms = (time.process_time() - cpu_before) * 1_000
        return {"decode_ms": decode_ms, "cpu_ms": cpu_ms, "passes": asked.max_tokens - 1, "prompt_tokens": count}

    def _next(self, tokens: list[int]) -> int:
        array = (self._lib.llama_token * len(tokens))(*tokens)
        code = self._lib.llama_decode(self._context, self._lib.llama_batch_get_one(array, len(tokens)))
        assert code == 0
        logits = np.ctypeslib.as_array(self._lib.llama_get_logits_ith(self._context, -1), (self._size,))
        return int(logits.argmax())


def main() -> None:
    """Serve."""
    bare = Bare(Loaded.from_json(sys.argv[1]))

    def answer(do: str, **asked: Any) -> dict[str, Any]:
        return bare.reply(Asked(**asked)) if do == "reply" else {"peak_bytes": peak_bytes()}

    serve(answer)


if __name__ == "__main__":
    main()
