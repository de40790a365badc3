"""The state of the model's memory after a prompt's stable beginning and after a photo, and photos as the vision half
encoded them, on disk, so that a restart does not pay for them again.

A file is named by what it depends on: the weights' digests, the settings that shape the memory, the version of
llama.cpp, and every entry up to where the state ends. A state covers a stretch, from where the one before it ended. A
file begins with the digest of what follows; one that does not fit is as good as none. The folder is bounded by bytes,
least recently used out. Nothing here ever fails a reply: a cache that cannot be read or written is passed over.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from stat import S_ISREG

from agent.files import at_once
from agent.model.prefix import Entry, Picture
from agent.settings import ModelSettings

__all__ = ["PrefixCache"]

_MAGIC = b"WATCHKEEPER-KV-3"
_HEAD_BYTES = len(_MAGIC) + hashlib.sha256().digest_size


class PrefixCache:
    """States of one model under one set of settings."""

    def __init__(
        self, folder: Path, *, weights_sha256: str, settings: ModelSettings, projector_sha256: str = ""
    ) -> None:
        """
        :param folder: may be deleted at any time.
        :param weights_sha256: of the model file, hex.
        :param projector_sha256: of its vision half, hex; empty where it has none.
        """
        self._folder = folder
        self._most = settings.prefix_cache_bytes
        library = version("llama-cpp-python")
        shape = (weights_sha256, settings.kv_type, settings.flash_attention, settings.repack, library)
        self._salt = repr(shape).encode()
        self._eyes = repr((projector_sha256, settings.image_tokens)).encode()

    @property
    def on(self) -> bool:
        """Whether anything is kept."""
        return self._most > 0

    def has(self, entries: Sequence[Entry], start: int = 0) -> bool:
        """Whether there is a file for this stretch."""
        return _is_there(self._path(entries, start))

    def load(self, entries: Sequence[Entry], start: int = 0) -> bytearray | None:
        """The state of the stretch from `start` to the end of the entries; None where none can be trusted."""
        return self._read(self._path(entries, start))

    def save(self, entries: Sequence[Entry], state: bytes, start: int = 0) -> None:
        """Keep the state of this stretch, whole or not at all."""
        self._write(self._path(entries, start), state)

    def has_image(self, picture: Picture) -> bool:
        """Whether there is a file for this photo."""
        return _is_there(self._image_path(picture))

    def load_image(self, picture: Picture) -> bytearray | None:
        """A photo as it was encoded."""
        return self._read(self._image_path(picture))

    def save_image(self, picture: Picture, embedding: bytes) -> None:
        """Keep a photo as it was encoded."""
        self._write(self._image_path(picture), embedding)

    def _read(self, path: Path) -> bytearray | None:
        try:
            with open(path, "rb", opener=at_once) as file:
                head = file.read(_HEAD_BYTES)
                data = bytearray(max(0, os.fstat(file.fileno()).st_size - _HEAD_BYTES))
                del data[file.readinto(data) :]
        except (OSError, MemoryError):
            return None
        if head != _head(path, data):
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)
        return data

    def _write(self, path: Path, data: bytes) -> None:
        draft = path.with_suffix(f".{os.getpid()}.new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not self._make_room(len(data) + _HEAD_BYTES):
                return
            with draft.open("wb") as out:
                out.write(_head(path, data))
                out.write(data)
            draft.replace(path)
        except OSError:
            with suppress(OSError):
                draft.unlink()

    def _path(self, entries: Sequence[Entry], start: int) -> Path:
        name = hashlib.sha256(self._salt)
        name.update(start.to_bytes(4, "little"))
        for entry in entries:
            name.update(
                repr((entry, self._eyes)).encode() if isinstance(entry, Picture) else entry.to_bytes(4, "little")
            )
        return self._folder / f"{name.hexdigest()}.kv"

    def _image_path(self, picture: Picture) -> Path:
        return self._folder / f"{hashlib.sha256(repr((picture, self._eyes)).encode()).hexdigest()}.image"

    def _make_room(self, wanted: int) -> bool:
        """Drop what was longest not used; False where it would not fit an empty folder either."""
        if wanted > self._most:
            return False
        kept = []
        for path in self._folder.iterdir():
            with suppress(OSError):  # gone meanwhile
                stat = path.lstat()
                if S_ISREG(stat.st_mode):
                    kept.append((stat.st_mtime, stat.st_size, path))
        total = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if total + wanted <= self._most:
                break
            path.unlink(missing_ok=True)
            total -= size
        return True


def _head(path: Path, data: bytes | bytearray) -> bytes:
    """Over the name as well: a whole file under another's name is as wrong as half a file."""
    digest = hashlib.sha256(path.name.encode())
    digest.update(data)
    return _MAGIC + digest.digest()


def _is_there(path: Path) -> bool:
    """What cannot be looked at is not."""
    with suppress(OSError):
        return path.exists()
    return False
