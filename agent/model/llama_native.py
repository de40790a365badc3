"""llama.cpp's weights and vocabulary for one model file: load, tokenise, spell, free.

Nothing here knows of messages, grammars or memory (`agent.model.llama_context` has it). Everything that a file can get
wrong becomes a `ModelError` that ends with llama.cpp's own last word.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.errors import ModelError
from agent.model.llama_library import check_gguf, last_complaint, library
from agent.settings import ModelSettings

__all__ = ["NativeModel"]

BPE_VOCABULARY = 2
PIECE_BYTES = 1_024
META_BYTES = 4_096


class NativeModel:
    """A loaded model. Freed by `close`, after its contexts."""

    def __init__(self, path: Path, settings: ModelSettings) -> None:
        """
        :raises ModelError: not a model, damaged, of an unknown architecture, or the settings do not fit it.
        """
        check_gguf(path)
        self.path = path
        self._lib = library(spin=settings.spin)
        self._model: Any = None
        last_complaint()
        try:
            self._load(settings)
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

    def _metadata(self, key: str) -> str:
        buffer = ctypes.create_string_buffer(META_BYTES)
        length = self._lib.llama_model_meta_val_str(self._model, key.encode(), buffer, META_BYTES)
        return buffer.value.decode("utf-8", "replace") if length >= 0 else ""

    @property
    def handle(self) -> Any:
        """llama.cpp's model, for the context and the vision side."""
        return self._model

    @property
    def trained_tokens(self) -> int:
        """Context that it was trained for."""
        return int(self._lib.llama_model_n_ctx_train(self._model))

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

    def close(self) -> None:
        """Free everything. Calling it twice is fine."""
        if self._model:
            self._lib.llama_model_free(self._model)
            self._model = None
