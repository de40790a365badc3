"""llama.cpp for one model and one conversation in memory: load, tokenise, decode, forget, free.

Nothing here knows of messages, grammars or prefixes. Everything a file can get wrong becomes a `ModelError` that ends
with llama.cpp's own last word.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import ModelError
from agent.model.llama_library import check_gguf, last_complaint, library, physical_cores
from agent.settings import ModelSettings

__all__ = ["ABORTED", "NativeModel"]

BPE_VOCABULARY = 2
GGML_TYPES = {"f16": 1, "q8_0": 8}
ABORTED = 2
"""What llama_decode returns when the abort callback said so."""
ABORT_TOKENS = 32
"""A pass over fewer tokens takes milliseconds and is not interrupted."""
PIECE_BYTES = 1_024
META_BYTES = 4_096


class NativeModel:
    """A loaded model with one context. Freed by `close`."""

    def __init__(self, path: Path, settings: ModelSettings) -> None:
        """
        :raises ModelError: not a model, damaged, of an unknown architecture, or the settings do not fit it.
        """
        check_gguf(path)
        self.path = path
        self._lib = library(spin=settings.spin)
        self._model: Any = None
        self._context: Any = None
        self._batch: Any = None
        self._stop: Callable[[], bool] | None = None
        self._raised: BaseException | None = None
        self._abort = self._lib.ggml_abort_callback(self._asked_to_abort)
        self._never = self._lib.ggml_abort_callback()
        last_complaint()
        try:
            self._load(settings)
            self._open(settings)
        except BaseException:
            self.close()
            raise

    def _load(self, settings: ModelSettings) -> None:
        lib = self._lib
        parameters = lib.llama_model_default_params()
        parameters.n_gpu_layers = 0
        parameters.use_extra_bufts = settings.repack
        parameters.load_mode = {
            (False, False): lib.LLAMA_LOAD_MODE_NONE,
            (True, False): lib.LLAMA_LOAD_MODE_MMAP,
            (False, True): lib.LLAMA_LOAD_MODE_MLOCK,
            (True, True): lib.LLAMA_LOAD_MODE_MMAP_MLOCK,
        }[settings.mmap, settings.mlock]
        self._model = lib.llama_model_load_from_file(os.fsencode(self.path), parameters)
        if not self._model:
            raise ModelError(f"{self.path}: llama.cpp cannot load it{last_complaint()}")
        self.vocabulary: Any = lib.llama_model_get_vocab(self._model)
        self.vocabulary_size: int = lib.llama_vocab_n_tokens(self.vocabulary)
        if lib.llama_vocab_type(self.vocabulary) != BPE_VOCABULARY or not lib.llama_model_has_decoder(self._model):
            raise ModelError(f"{self.path}: not a chat model with a BPE vocabulary; use a Qwen model of the catalogue")
        self.architecture = self._metadata("general.architecture")
        self.template: str = (lib.llama_model_chat_template(self._model, None) or b"").decode("utf-8", "replace")

    def _open(self, settings: ModelSettings) -> None:
        lib = self._lib
        trained: int = lib.llama_model_n_ctx_train(self._model)
        threads = settings.threads or physical_cores()
        parameters = lib.llama_context_default_params()
        parameters.n_ctx = min(settings.context_tokens, trained)
        parameters.n_batch = min(settings.batch_tokens, parameters.n_ctx)
        parameters.n_ubatch = min(settings.micro_batch_tokens, parameters.n_batch)
        parameters.n_seq_max = 1
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.type_k = parameters.type_v = GGML_TYPES[settings.kv_type]
        flash = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED if settings.flash_attention else lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        parameters.flash_attn_type = flash
        parameters.no_perf = True
        self._context = lib.llama_init_from_model(self._model, parameters)
        if not self._context:
            raise ModelError(
                f"{self.path}: no context of {parameters.n_ctx} tokens with kv_type {settings.kv_type}"
                f" and flash_attention {settings.flash_attention}{last_complaint()}"
            )
        self.threads = threads
        self.context_tokens: int = lib.llama_n_ctx(self._context)
        self.batch_tokens: int = lib.llama_n_batch(self._context)
        self._memory = lib.llama_get_memory(self._context)
        self._batch = lib.llama_batch_init(self.batch_tokens, 0, 1)
        rows = (self.batch_tokens,)
        self._rows = {
            name: np.ctypeslib.as_array(getattr(self._batch, name), rows) for name in ("token", "pos", "logits")
        }
        np.ctypeslib.as_array(self._batch.n_seq_id, rows)[:] = 1
        for row in range(self.batch_tokens):
            self._batch.seq_id[row][0] = 0

    def _metadata(self, key: str) -> str:
        buffer = ctypes.create_string_buffer(META_BYTES)
        length = self._lib.llama_model_meta_val_str(self._model, key.encode(), buffer, META_BYTES)
        return buffer.value.decode("utf-8", "replace") if length >= 0 else ""

    @property
    def handles(self) -> tuple[Any, Any]:
        """llama.cpp's model and context, for the vision side."""
        return self._model, self._context

    @property
    def embedding_width(self) -> int:
        """Floats that one image token brings."""
        return int(self._lib.llama_model_n_embd_inp(self._model))

    def special_tokens(self) -> Mapping[str, int]:
        """Spelling → id of the control and user-defined tokens."""
        lib = self._lib
        special = lib.LLAMA_TOKEN_ATTR_CONTROL | lib.LLAMA_TOKEN_ATTR_USER_DEFINED
        attribute = lib.llama_vocab_get_attr
        found = [token for token in range(self.vocabulary_size) if attribute(self.vocabulary, token) & special]
        return {self.piece(token).decode("utf-8", "replace"): token for token in found}

    def control_tokens(self, tokens: Sequence[int]) -> list[int]:
        """Those of these that steer a model and are no text."""
        return [token for token in tokens if self._lib.llama_vocab_is_control(self.vocabulary, token)]

    def first_token(self) -> int | None:
        """What every prompt has to start with."""
        lib = self._lib
        return int(lib.llama_vocab_bos(self.vocabulary)) if lib.llama_vocab_get_add_bos(self.vocabulary) else None

    @property
    def end_token(self) -> int:
        """The one that ends a reply by the book."""
        return int(self._lib.llama_vocab_eos(self.vocabulary))

    @property
    def tokenize_address(self) -> int | None:
        """Address of llama.cpp's own tokenising function, which llguidance calls."""
        return ctypes.cast(self._lib.llama_cpp._lib.llama_tokenize, ctypes.c_void_p).value

    def ends(self, token: int) -> bool:
        """This token ends a reply."""
        return bool(self._lib.llama_vocab_is_eog(self.vocabulary, token))

    def tokenize(self, text: str) -> list[int]:
        """Text to tokens; control tokens in it stay text, user-defined ones do not (see `agent.model.tokens`)."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        tokens = (self._lib.llama_token * room)()
        count = self._lib.llama_tokenize(self.vocabulary, data, len(data), tokens, room, False, False)
        if count < 0:
            raise ModelError(f"{self.path}: a text of {len(data)} bytes cannot be tokenised{last_complaint()}")
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        """What a token spells; control tokens too."""
        buffer = ctypes.create_string_buffer(PIECE_BYTES)
        length = self._lib.llama_token_to_piece(self.vocabulary, token, buffer, PIECE_BYTES, 0, True)
        return buffer.raw[: max(0, length)]

    def decode(self, tokens: Sequence[int], position: int, stop: Callable[[], bool]) -> int:
        """Run tokens through the model; the logits of the last one are then in `logits`.

        :param position: of the first token.
        :param stop: asked while long passes run and between passes.
        :return: how many were taken; fewer than given when `stop` said so, and the rest left no trace.
        :raises ModelError: llama.cpp failed; what was before `position` is still there.
        """
        done = 0
        while done < len(tokens):
            if stop():
                return done
            part = tokens[done : done + self.batch_tokens]
            self._fill(part, position + done, last=done + len(part) == len(tokens))
            with_abort = len(part) >= ABORT_TOKENS
            code = self.interruptible(stop, self._run_batch) if with_abort else self._run_batch()
            if code == ABORTED:
                self.forget(position + done)
                return done
            if code != 0:
                self.forget(position)
                raise ModelError(f"{self.path}: llama_decode returned {code} at {position + done}{last_complaint()}")
            done += len(part)
        return done

    def _fill(self, tokens: Sequence[int], position: int, *, last: bool) -> None:
        count = len(tokens)
        self._batch.n_tokens = count
        self._rows["token"][:count] = tokens
        self._rows["pos"][:count] = np.arange(position, position + count)
        self._rows["logits"][:count] = 0
        self._rows["logits"][count - 1] = int(last)

    def _run_batch(self) -> int:
        return int(self._lib.llama_decode(self._context, self._batch))

    def interruptible(self, stop: Callable[[], bool], work: Callable[[], int]) -> int:
        """Run native work that asks `stop` between its steps.

        :return: what the work returned.
        """
        self._stop = stop
        self._lib.llama_set_abort_callback(self._context, self._abort, None)
        try:
            code = work()
        finally:
            self._lib.llama_set_abort_callback(self._context, self._never, None)
            self._stop = None
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised
        return code

    def _asked_to_abort(self, _: Any) -> bool:
        try:
            return self._stop is not None and self._stop()
        except BaseException as error:  # it must not pass through native code
            self._raised = error
            return True

    def logits(self) -> NDArray[np.float32]:
        """Of the last decoded token, shape (vocabulary,); a view that the next pass overwrites."""
        pointer = self._lib.llama_get_logits_ith(self._context, -1)
        return np.ctypeslib.as_array(pointer, (self.vocabulary_size,))

    def forget(self, position: int) -> None:
        """Drop everything at and after a position."""
        self._lib.llama_memory_seq_rm(self._memory, 0, position, -1)

    def state(self) -> bytes:
        """What the memory holds, for `restore`."""
        size = self._lib.llama_state_seq_get_size(self._context, 0)
        buffer = (ctypes.c_ubyte * size)()
        written = self._lib.llama_state_seq_get_data(self._context, buffer, size, 0)
        return bytes(memoryview(buffer)[:written])

    def restore(self, state: bytes) -> bool:
        """Put back what `state` gave, into an empty memory.

        :param state: from the same weights and settings, unchanged since.
        :return: False where llama.cpp does not take it; the memory is then empty.
        """
        buffer = (ctypes.c_ubyte * len(state)).from_buffer_copy(state)
        if self._lib.llama_state_seq_set_data(self._context, buffer, len(state), 0) == len(state):
            return True
        self.forget(0)
        return False

    def close(self) -> None:
        """Free everything. Calling it twice is fine."""
        lib = self._lib
        if self._batch is not None:
            lib.llama_batch_free(self._batch)
            self._batch = None
        if self._context:
            lib.llama_free(self._context)
            self._context = None
        if self._model:
            lib.llama_model_free(self._model)
            self._model = None
