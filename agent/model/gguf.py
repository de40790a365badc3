"""The few numbers of a GGUF file that its memory follows from, read from its header without llama.cpp.

The file is not trusted: every length is bounded before anything is read, nothing is mapped, and reading ends as soon as
the wanted numbers are known. Order of a header: magic, version, counts, then key, type and value of each entry; what is
wanted stands before the vocabulary, which is as long as the rest together.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from agent.errors import ModelError

__all__ = ["ModelShape", "ProjectorShape", "read_model_shape", "read_projector_shape"]

HEADER = struct.Struct("<4sIQQ")
VERSIONS = (2, 3)
UINT32, LENGTH = struct.Struct("<I"), struct.Struct("<Q")
NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
"""GGUF's type numbers of what has a fixed size."""
STRING, ARRAY = 8, 9
MAX_ENTRIES = 10_000
MAX_KEY_BYTES = 1_024
MAX_TEXT_BYTES = 64
"""Of a text that is wanted: the name of an architecture."""
MAX_NUMBERS = 1_024
"""In a list that is wanted: one for each layer."""
MAX_ITEMS = 1_000_000
"""In a list that is skipped; the largest known vocabularies have a quarter million."""
VOCABULARY = "tokenizer.ggml.tokens"
MOST = {
    "block_count": 1_024,
    "context_length": 100_000_000,
    "embedding_length": 1_000_000,
    "feed_forward_length": 10_000_000,
    "attention.head_count": 4_096,
    "attention.head_count_kv": 4_096,
    "attention.key_length": 65_536,
    "attention.value_length": 65_536,
}
"""Keys of an architecture, and a size that no model has."""
NEEDED = ("block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count")

_Value = int | float | str | list[int]


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What the memory of a language model depends on."""

    file_bytes: int
    layers: int
    width: int
    """Numbers that stand for one token between two layers."""
    feed_width: int
    """The same inside a layer's feed-forward part."""
    kv_values: int
    """Numbers that the memory keeps of one token, all layers together."""
    kv_row: int
    """Least numbers in one piece of it; a type that packs 32 of them needs whole packs."""
    vocabulary: int
    trained_tokens: int
    """Longest context that the model knows."""


@dataclass(frozen=True, slots=True)
class ProjectorShape:
    """What the memory of the vision half depends on."""

    file_bytes: int
    width: int
    feed_width: int


def read_model_shape(path: Path) -> ModelShape:
    """Shape of a language model.

    :raises ModelError: not a GGUF file, damaged, or without the numbers of a language model.
    """
    found = _read(path)
    numbers = {name: _numbers(path, found, name) for name in MOST}
    lacking = [name for name in NEEDED if not numbers[name]]
    if lacking:
        raise ModelError(f"{path}: its header has no {lacking[0]}; use a language model of the catalogue")
    layers, width, heads = (max(numbers[n]) for n in ("block_count", "embedding_length", "attention.head_count"))
    kv_heads = numbers["attention.head_count_kv"] or [heads]
    keys = max(numbers["attention.key_length"], default=width // heads)
    values = max(numbers["attention.value_length"], default=width // heads)
    per_layer = kv_heads if len(kv_heads) > 1 else kv_heads * layers
    vocabulary = found.get(VOCABULARY)
    return ModelShape(
        file_bytes=path.stat().st_size,
        layers=layers,
        width=width,
        feed_width=max(numbers["feed_forward_length"]),
        kv_values=sum(per_layer) * (keys + values),
        kv_row=min(keys, values),
        vocabulary=vocabulary if isinstance(vocabulary, int) else 0,
        trained_tokens=max(numbers["context_length"]),
    )


def read_projector_shape(path: Path) -> ProjectorShape:
    """Shape of a projector (mmproj).

    :raises ModelError: not a GGUF file, damaged, or no projector.
    """
    found = _read(path)
    width, feed = (_numbers(path, found, f"vision.{name}") for name in ("embedding_length", "feed_forward_length"))
    if not width or not feed:
        raise ModelError(f"{path}: its header has no clip.vision sizes; use a projector of the catalogue")
    return ProjectorShape(path.stat().st_size, max(width), max(feed))


def _numbers(path: Path, found: Mapping[str, _Value], name: str) -> list[int]:
    """A number, or one for each layer, of the file's architecture; empty where it has none."""
    value = found.get(f"{found.get('general.architecture', '')}.{name}", [])
    numbers = value if isinstance(value, list) else [value]
    most = MOST[name.removeprefix("vision.")]
    whole = [number for number in numbers if isinstance(number, int) and not isinstance(number, bool)]
    if len(whole) != len(numbers) or any(not 0 <= number <= most for number in whole) or (whole and max(whole) < 1):
        raise ModelError(f"{path}: damaged: its header gives {str(value)[:50]} as {name}")
    return whole


def _read(path: Path) -> dict[str, _Value]:
    try:
        with path.open("rb") as file:
            return _Header(file, path).entries()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from None


class _Header:
    """A cursor over the header of an open file."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._size = path.stat().st_size

    def entries(self) -> dict[str, _Value]:
        """Numbers, short texts and short lists by key; of a longer list its length. It ends behind the vocabulary."""
        magic, version, _, count = HEADER.unpack(self._take(HEADER.size))
        if magic != b"GGUF" or version not in VERSIONS:
            raise ModelError(f"{self._path}: not a GGUF file of a known version")
        if count > MAX_ENTRIES:
            raise self._damaged(f"{count} entries")
        found: dict[str, _Value] = {}
        for _ in range(count):
            key = self._text(MAX_KEY_BYTES)
            kind = self._number(UINT32)
            if key == VOCABULARY and all(f"{found.get('general.architecture')}.{name}" in found for name in NEEDED):
                found[key] = self._list_head()[1]
                return found
            value = self._value(kind)
            if value is not None:
                found[key] = value
        return found

    def _value(self, kind: int) -> _Value | None:
        if kind in NUMBERS:
            return self._fixed(kind)
        if kind == STRING:
            length = self._number(LENGTH)
            if length <= MAX_TEXT_BYTES:
                return self._take(length).decode("utf-8", "replace")
            self._skip(length)
            return None
        if kind != ARRAY:
            raise self._damaged(f"a value of type {kind}")
        kind, count = self._list_head()
        if kind in NUMBERS and count <= MAX_NUMBERS:
            items = [self._fixed(kind) for _ in range(count)]
            return [item for item in items if isinstance(item, int)]
        self._skip_list(kind, count)
        return count

    def _fixed(self, kind: int) -> int | float:
        (value,) = struct.unpack(NUMBERS[kind], self._take(struct.calcsize(NUMBERS[kind])))
        assert isinstance(value, int | float)
        return value

    def _list_head(self) -> tuple[int, int]:
        kind, count = self._number(UINT32), self._number(LENGTH)
        if count > MAX_ITEMS:
            raise self._damaged(f"a list of {count}")
        return kind, count

    def _skip_list(self, kind: int, count: int) -> None:
        if kind in NUMBERS:
            self._skip(count * struct.calcsize(NUMBERS[kind]))
        elif kind == STRING:
            for _ in range(count):
                self._skip(self._number(LENGTH))
        else:
            raise self._damaged(f"a list of type {kind}")

    def _text(self, most: int) -> str:
        length = self._number(LENGTH)
        if length > most:
            raise self._damaged(f"a key of {length} bytes")
        return self._take(length).decode("utf-8", "replace")

    def _number(self, form: struct.Struct) -> int:
        return int(form.unpack(self._take(form.size))[0])

    def _take(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) < count:
            raise self._damaged("the end before it is complete")
        return data

    def _skip(self, count: int) -> None:
        if count > self._size - self._file.tell():
            raise self._damaged("the end before it is complete")
        self._file.seek(count, 1)

    def _damaged(self, what: str) -> ModelError:
        return ModelError(f"{self._path}: damaged: its header has {what}")
