"""The state of the model's memory after a prompt's stable beginning, on disk, so that a restart does not pay for it
again.

A file is named by what it depends on: the weights' digest, the settings that shape the memory, the version of
llama.cpp and the tokens. It begins with the digest of what follows; one that does not fit is as good as none. The
folder is bounded by bytes, least recently used out. Nothing here ever fails a reply: a cache that cannot be read or
written is passed over.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from agent.settings import ModelSettings

__all__ = ["PrefixCache"]

_MAGIC = b"WATCHKEEPER-KV-1"
_HEAD_BYTES = len(_MAGIC) + hashlib.sha256().digest_size


class PrefixCache:
    """Memory states of one model under one set of settings."""

    def __init__(self, folder: Path, *, weights_sha256: str, settings: ModelSettings) -> None:
        """
        :param folder: may be deleted at any time.
        :param weights_sha256: of the model file, hex.
        """
        self._folder = folder
        self._most = settings.prefix_cache_bytes
        self._least_tokens = settings.prefix_least_tokens
        library = version("llama-cpp-python")
        shape = (weights_sha256, settings.kv_type, settings.flash_attention, settings.repack, library)
        self._salt = repr(shape).encode()

    def wants(self, tokens: Sequence[int]) -> bool:
        """Whether a beginning is long enough to be kept."""
        return self._most > 0 and len(tokens) >= self._least_tokens

    def load(self, tokens: Sequence[int]) -> bytes | None:
        """The state after these tokens; None where there is none that can be trusted."""
        path = self._path(tokens)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        state = data[_HEAD_BYTES:]
        if data[:_HEAD_BYTES] != _MAGIC + hashlib.sha256(state).digest():
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)
        return state

    def save(self, tokens: Sequence[int], state: bytes) -> None:
        """Keep the state after these tokens, whole or not at all."""
        path = self._path(tokens)
        draft = path.with_suffix(f".{os.getpid()}.new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(len(state) + _HEAD_BYTES)
            with draft.open("wb") as out:
                out.write(_MAGIC + hashlib.sha256(state).digest())
                out.write(state)
            draft.replace(path)
        except OSError:
            with suppress(OSError):
                draft.unlink()

    def _path(self, tokens: Sequence[int]) -> Path:
        name = hashlib.sha256(self._salt)
        name.update(b"".join(token.to_bytes(4, "little") for token in tokens))
        return self._folder / f"{name.hexdigest()}.kv"

    def _make_room(self, wanted: int) -> None:
        kept = [(stat.st_mtime, stat.st_size, path) for path in self._folder.iterdir() for stat in [path.stat()]]
        total = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if total + wanted <= self._most:
                return
            path.unlink(missing_ok=True)
            total -= size
